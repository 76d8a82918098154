"""Reading secrets, and sending them away.

Reading a ``credential`` so that its content shows is asked about; reading a ``config`` (``.env`` and its like) is only
recorded, because agents do so every day while they set up a project and nothing leaves the machine. Sending either,
that is reading and a program that talks to another machine in one command line, is always asked about.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from askfirst.effects import Risk
from askfirst.shell.command import HOLE
from askfirst.shell.found import effect_of
from askfirst.shell.secret_paths import Grade, secret_grade

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command
    from askfirst.shell.findings import Findings


class Secret(NamedTuple):
    """Something secret that is read: the file, or ``the environment``."""

    name: str
    grade: Grade


ENVIRONMENT = "the environment"

_READERS = frozenset(
    {
        "7z",
        "awk",
        "base32",
        "base64",
        "bat",
        "batcat",
        "bzip2",
        "cat",
        "cmp",
        "code",
        "column",
        "comm",
        "cp",
        "cpio",
        "cut",
        "dd",
        "diff",
        "dotenv",
        "ed",
        "emacs",
        "expand",
        "fmt",
        "fold",
        "gawk",
        "gpg",
        "gzip",
        "hd",
        "head",
        "hexdump",
        "iconv",
        "install",
        "jq",
        "less",
        "mapfile",
        "more",
        "most",
        "mv",
        "nano",
        "nl",
        "od",
        "openssl",
        "paste",
        "pbcopy",
        "pr",
        "read",
        "readarray",
        "rev",
        "sed",
        "sort",
        "split",
        "strings",
        "tac",
        "tail",
        "tar",
        "tee",
        "tr",
        "uniq",
        "vi",
        "view",
        "vim",
        "xclip",
        "xxd",
        "xz",
        "yq",
        "zip",
        "zstd",
    }
)
_PATTERN_FIRST = frozenset(
    {"grep", "egrep", "fgrep", "rg", "ag", "ack", "zgrep", "sed", "awk", "gawk", "jq", "yq", "tr"}
)
_QUIET_OPTIONS = frozenset({"-q", "--quiet", "--silent", "-c", "--count", "-l", "--files-with-matches", "-L"})
_COPIERS = frozenset(
    {
        "scp",
        "rsync",
        "sftp",
        "cp",
        "mv",
        "install",
        "openssl",
        "gpg",
        "code",
        "vim",
        "vi",
        "nano",
        "emacs",
        "diff",
        "cmp",
        "comm",
    }
)
_ENVIRONMENT_DUMPS = frozenset({"env", "printenv", "export", "set", "declare", "typeset"})
_SENDERS = frozenset(
    {
        "aria2c",
        "aws",
        "az",
        "azcopy",
        "croc",
        "curl",
        "dig",
        "drill",
        "ftp",
        "gcloud",
        "gh",
        "glab",
        "grpcurl",
        "gsutil",
        "host",
        "http",
        "httpie",
        "https",
        "lftp",
        "magic-wormhole",
        "mail",
        "mailx",
        "mc",
        "mosquitto_pub",
        "mutt",
        "nc",
        "ncat",
        "netcat",
        "ngrok",
        "nslookup",
        "ntfy",
        "ping",
        "psql",
        "rclone",
        "redis-cli",
        "rsync",
        "s3cmd",
        "scp",
        "sendmail",
        "sftp",
        "slackcat",
        "socat",
        "ssh",
        "telnet",
        "tftp",
        "transfer",
        "websocat",
        "wget",
        "wormhole",
        "wscat",
        "xh",
    }
)
_LOCAL = re.compile(r"(?:^|[/@])(?:localhost|127(?:\.\d+){3}|\[?::1\]?|0\.0\.0\.0|host\.docker\.internal)(?=[:/]|$)")
_BLANK = re.compile(r"\s")
_ADDRESS = re.compile(r"(?!file:)[a-z][\w+.-]*://", re.IGNORECASE)
_UPLOADS = re.compile(r"(?:^|=|[^\w.])[@<]([^@<;,\s]+)")


def secrets_read(command: Command) -> list[Secret]:
    """The secrets whose content this command takes in."""
    program = command.program
    found = [Secret(ENVIRONMENT, "config")] if _dumps_environment(command) else []
    paths: list[str] = []
    if program in _READERS or program in _PATTERN_FIRST:
        paths += _operands(command)
    elif program in _SENDERS:
        paths += _uploaded(command)
    paths += [each.target.text for each in command.redirects if each.operator in {"<", "<>"}]
    if command.stdin.kind == "file":
        paths.append(command.stdin.text)
    found += [Secret(path, grade) for path in paths if (grade := secret_grade(path))]
    return list(dict.fromkeys(found))


_IDENTITY = frozenset(
    {"-i", "--key", "--cert", "--cacert", "--private-key", "-E", "--identity", "--capath", "--ca-certificate"}
)


def _uploaded(command: Command) -> Iterator[str]:
    """The files that a sender names, but not those that it only logs in with."""
    before = ""
    for word in command.args:
        if before not in _IDENTITY:
            head = _BLANK.split(word.text, maxsplit=1)[0]  # a file is named in front, what follows a blank is prose
            yield from (match.group(1) for match in _UPLOADS.finditer(head))
            option, equals, value = word.text.partition("=")
            if head != word.text and not head.startswith("-"):
                pass
            elif not word.text.startswith("-") and not _ADDRESS.match(word.text):
                yield word.text
            elif equals and option not in _IDENTITY:
                yield value
        before = word.text


def _operands(command: Command) -> list[str]:
    words = [word.text for word in command.args if not word.text.startswith("-") or "=" in word.text]
    if command.program in _PATTERN_FIRST:
        options = {word.text for word in command.args}
        if options & _QUIET_OPTIONS:
            return []
        words = words if options & {"-e", "-f", "--regexp", "--file"} else words[1:]
    if command.program in {"cp", "mv", "install"}:
        words = words[:-1]  # the last one is the target
    return [word.partition("=")[2] if word.startswith("if=") else word for word in words]


def _dumps_environment(command: Command) -> bool:
    if command.program not in _ENVIRONMENT_DUMPS:
        return False
    words = [word.text for word in command.args]
    if command.program in {"declare", "typeset", "export"}:
        return words in (["-p"], ["-x"], ["-px"], ["-xp"])
    return all(word in {"-0", "--null"} for word in words)


def secret_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effects of reading secrets with this command alone, and of sending them with it alone."""
    secrets = secrets_read(command)
    if secrets and is_sender(command) and _carries(command, secrets):
        yield _sent(command, secrets, rules)
        return
    variable = _variable_sent(command)
    if variable:
        yield _sent(command, [Secret(variable, "credential")], rules)
    for secret in secrets:
        yield _read(command, secret, rules)


_REQUESTS = frozenset(
    {"curl", "wget", "http", "https", "xh", "dig", "nslookup", "host", "ping", "nc", "ncat", "netcat"}
)
_SECRET_VARIABLE = re.compile(r"\$\{?(AWS_SECRET_ACCESS_KEY|\w*PRIVATE_KEY|\w*PASSPHRASE|SSH_KEY)\b")
"""Variables whose value no request of the kind carries in the clear: what it carries is signed with them."""


def _variable_sent(command: Command) -> str:
    """The variable with a key in it that goes into a request; ``""`` for none."""
    if command.program not in _REQUESTS or not is_sender(command):
        return ""
    shown = [word.shown for word in command.args]
    if any(word.startswith("--aws-sigv4") for word in shown):
        return ""
    return next((f"${match[1]}" for word in shown if (match := _SECRET_VARIABLE.search(word))), "")


_PRINTERS: tuple[tuple[str, frozenset[str]], ...] = (
    ("aws", frozenset({"get-secret-value", "get-parameter", "get-parameters", "get-parameters-by-path"})),
    ("gcloud", frozenset({"access", "print-access-token", "print-identity-token"})),
    ("az", frozenset({"secret", "get-access-token"})),
    ("vault", frozenset({"get", "read"})),
    ("op", frozenset({"read", "get"})),
    ("pass", frozenset({"show"})),
    ("gopass", frozenset({"show"})),
    ("bw", frozenset({"get"})),
    ("security", frozenset({"find-generic-password", "find-internet-password", "dump-keychain"})),
    ("kubectl", frozenset({"secret", "secrets"})),
    ("heroku", frozenset({"config"})),
    ("doppler", frozenset({"secrets", "download"})),
    ("gpg", frozenset({"--export-secret-keys", "--export-secret-key"})),
)


def _prints_secret(command: Command) -> bool:
    """Whether it asks a store of secrets for one."""
    words = {word.text for word in command.args}
    return any(command.program == name and verbs & words for name, verbs in _PRINTERS)


def _read(command: Command, secret: Secret, rules: RuleBook) -> Effect:
    shows = secret.grade == "credential" and command.program not in _COPIERS
    rule = "secrets.read-credential" if shows else "secrets.read-config"
    return effect_of(rules, rule, command, target=secret.name)


def _sent(command: Command, secrets: Sequence[Secret], rules: RuleBook) -> Effect:
    names = ", ".join(secret.name for secret in secrets[:3])
    return effect_of(rules, "secrets.send", command, target=names, risk=Risk.CRITICAL)


def is_sender(command: Command) -> bool:
    """Whether this command can carry data to another machine (connections to this one do not count)."""
    if any("/dev/tcp/" in each.target.text or "/dev/udp/" in each.target.text for each in command.redirects):
        return True
    if command.program not in _SENDERS or command.where:
        return False
    targets = [word.text for word in command.args if not word.text.startswith("-")]
    if command.program in {"scp", "rsync", "sftp"}:
        return bool(targets) and ":" in targets[-1]
    return not any(_LOCAL.search(text) for text in targets)


_COPY_OUT = frozenset({"scp", "rsync", "sftp", "aws", "gsutil", "gcloud", "rclone", "s3cmd", "azcopy", "az"})


def _carries(command: Command, secrets: Sequence[Secret]) -> bool:
    """Whether the sender takes one of them away, and does not fetch it from elsewhere."""
    if command.program not in _COPY_OUT:
        return True
    words = [word.text for word in command.args if not word.text.startswith("-")]
    return any(secret.name in words[:-1] for secret in secrets)


def sent_secrets(commands: Sequence[Command], rules: RuleBook, code: Sequence[Findings] = ()) -> Iterator[Effect]:
    """The effects of reading secrets in one command and sending in another of the same command line.

    A sender counts when data flows into it: standard input, a word that is not known (``$(cat .env)``), or a file that
    a reader of the secret wrote. ``code`` are the findings in programs of the line that are no shell commands.
    """
    readers = [(command, secrets) for command in commands if (secrets := secrets_read(command))]
    secrets = [secret for _, found in readers for secret in found]
    secrets += [secret for found in code for secret in code_secrets(found)]
    printed = [Secret(each.shown, "credential") for each in commands if _prints_secret(each)]
    if not secrets and not printed:
        return
    tainted = {path for command, _ in readers for path in _copies(command)}
    for command in commands:
        feeds = command.stdin.kind != "none"
        flows = feeds or any(HOLE in word.text for word in command.args)
        takes = bool(secrets) and (flows or bool(tainted & set(_uploaded(command))))
        # A token in a header (`curl -H "Authorization: $(gcloud auth print-access-token)"`) is what it is for.
        if (takes or (printed and feeds)) and is_sender(command):
            yield _sent(command, secrets or printed, rules)


def _copies(command: Command) -> Iterator[str]:
    """The files into which a reader puts what it read, as written on the command line."""
    words = [word.text for word in command.args]
    yield from (each.target.text for each in command.redirects if ">" in each.operator)
    operands = [word for word in words if not word.startswith("-")]
    if command.program in {"cp", "mv", "install"} and operands:
        yield operands[-1]
    elif command.program in {"tar", "zip", "7z"}:
        yield from (word for word in operands if word.endswith(_ARCHIVES))


_ARCHIVES = (".tar", ".tgz", ".gz", ".xz", ".bz2", ".zst", ".zip", ".7z")


def code_secrets(found: Findings) -> list[Secret]:
    """The secrets that a piece of code reads."""
    secrets = [Secret(ENVIRONMENT, "config")] if "$ENV" in found.reads else []
    return secrets + [Secret(path, grade) for path in found.reads if (grade := secret_grade(path))]


def code_secret_effects(found: Findings, command: Command, rules: RuleBook) -> Iterator[Effect]:
    """The effects of secrets that code reads, or reads and can send."""
    secrets = code_secrets(found)
    if secrets and found.network:
        yield _sent(command, secrets, rules)
        return
    for secret in secrets:
        yield _read(command, secret, rules)
