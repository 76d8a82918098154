"""PowerShell and cmd text, in a first form: destructive commands that are recognised, everything else is no opinion.

Statements are split at ``;``, ``|``, ``&&`` and line ends outside of strings and comments; strings are data. Aliases
of destructive cmdlets are known. There is no expansion of variables.
"""

from __future__ import annotations

import base64
import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from askfirst.shell.found import effect_of
from askfirst.shell.sql import sql_text_effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command

_MAX_CHARS = 64_000
_MAX_DEPTH = 4
_TOKEN = re.compile(
    r"(?P<comment><\#.*?(?:\#>|\Z)|(?<![^\s;|(){}])\#[^\n]*)"
    r"|(?P<here>@'\n.*?(?:\n'@|\Z)|@\"\n.*?(?:\n\"@|\Z))"
    r"|(?P<string>'(?:''|[^'])*'?|\"(?:`.|\"\"|[^\"`])*\"?)"
    r"|(?P<end>[;|\n&{}()]+)|(?P<space>[ \t\r,]+)|(?P<word>(?:`.|[^\s;|&'\",(){}])+)",
    re.DOTALL,
)


class _Statement(NamedTuple):
    """One statement.

    Attributes:
        words: without quotes, as written.
        piped: the statement before feeds it.
        is_data: it begins with a string that nothing calls.
    """

    words: tuple[str, ...]
    piped: bool
    is_data: bool


_REMOVE = frozenset({"remove-item", "ri", "rm", "rmdir", "del", "erase", "rd"})
_DISK = frozenset(
    {"format-volume", "clear-disk", "initialize-disk", "remove-partition", "format", "diskpart", "remove-volume"}
)
_POWER = frozenset({"stop-computer", "restart-computer", "shutdown", "shutdown.exe"})
_EMPTY = frozenset({"clear-content", "clc"})
_SERVICE = frozenset({"stop-service", "remove-service", "spsv", "disable-service", "sc", "sc.exe", "net"})
_REGISTRY = frozenset({"remove-itemproperty", "rp", "clear-itemproperty", "set-itemproperty", "sp", "new-itemproperty"})
_ACCOUNT = frozenset(
    {
        "remove-localuser",
        "disable-localuser",
        "set-localuser",
        "remove-aduser",
        "add-localgroupmember",
        "remove-localgroupmember",
    }
    | {"remove-adcomputer", "remove-adgroup", "set-acl", "takeown", "icacls", "new-localuser", "set-adaccountpassword"}
)
_PROTECTION = frozenset(
    {
        "set-mppreference",
        "add-mppreference",
        "set-executionpolicy",
        "disable-windowsoptionalfeature",
        "set-netfirewallprofile",
    }
    | {"remove-netfirewallrule", "disable-netfirewallrule", "bcdedit", "vssadmin", "wbadmin", "disable-computerrestore"}
    | {"clear-eventlog", "remove-eventlog", "wevtutil", "netsh", "cipher", "uninstall-windowsfeature"}
)
_SCHEDULED = frozenset(
    {"register-scheduledtask", "new-scheduledtask", "schtasks", "new-service", "unregister-scheduledtask"}
)
_DOTNET_DELETE = re.compile(r"\[(?:System\.)?IO\.(?:Directory|File)\]::Delete\(([^)\n]*)", re.IGNORECASE)
_ITEM_DELETE = re.compile(r"(?:\$(?:_|PSItem)|\ufffc)\.Delete\(", re.IGNORECASE)
_RUN = frozenset({"invoke-expression", "iex"})
_DEEDS = {
    **dict.fromkeys(("remove", "clear", "reset", "uninstall", "unpublish", "revoke", "dismount"), "windows.delete"),
    **dict.fromkeys(("stop", "restart", "suspend", "disable", "unregister"), "windows.service"),
}
_DEED = re.compile(rf"({'|'.join(_DEEDS)})-(\w+)")
"""Cmdlets are verb and noun, and the approved verbs mean the same for every noun: ``Remove-AzResourceGroup``."""
_SESSION = frozenset(
    """
    alias breakpoint event history host job log module process psbreakpoint psdrive pssession transcript typedata
    variable
    """.split()
)
"""Nouns of the session itself; single processes are stopped every day."""
_FETCH = re.compile(
    r"\b(?:iwr|irm|curl|wget|invoke-webrequest|invoke-restmethod|downloadstring|downloadfile|start-bitstransfer)\b"
)
_STARTERS = frozenset(
    """
    start-process saps start invoke-item ii import-module ipmo powershell pwsh cmd msiexec python python3 node bash sh
    """.split()
)
"""What starts a file that it is given; a path of its own starts itself."""
_HARMLESS_WORDS = frozenset({"-whatif", "-wi", "/?", "-?"})
_TEMPORARY = re.compile(
    r"^(?:\$env:te?mp|%te?mp%|[a-z]:\\(?:windows\\)?temp|\$env:localappdata\\temp)\\[^*?]", re.IGNORECASE
)
_REGENERABLE = re.compile(
    r"^(?:\.[\\/])?(?:[\w.-]+[\\/])*(?:node_modules|dist|build|bin|obj|out|target|\.next|__pycache__|\.pytest_cache|coverage|\.venv"
    r"|packages|\.vs|testresults)[\\/]?$",
    re.IGNORECASE,
)
_ARGUMENT_NEEDED: dict[str, frozenset[str]] = {
    "sc": frozenset({"stop", "delete", "config"}),
    "sc.exe": frozenset({"stop", "delete", "config"}),
    "net": frozenset({"stop", "user", "localgroup"}),
    "bcdedit": frozenset({"/set", "/delete", "/deletevalue"}),
    "vssadmin": frozenset({"delete", "resize"}),
    "wbadmin": frozenset({"delete", "disable", "stop"}),
    "wevtutil": frozenset({"cl", "clear-log"}),
    "netsh": frozenset({"off", "reset", "delete", "disable"}),
    "cipher": frozenset({"/w"}),
    "icacls": frozenset({"/grant", "/reset", "/deny", "/setowner", "/remove", "/inheritance:r"}),
    "schtasks": frozenset({"/create", "/delete", "/change"}),
    "format": frozenset({"/q", "/y", "/fs:ntfs", "c:", "d:", "e:", "f:"}),
}
_TABLE: tuple[tuple[str, frozenset[str]], ...] = (
    ("windows.disk", _DISK),
    ("windows.power", _POWER),
    ("windows.empty", _EMPTY),
    ("windows.service", _SERVICE),
    ("windows.registry", _REGISTRY),
    ("windows.account", _ACCOUNT),
    ("windows.protection", _PROTECTION),
    ("windows.scheduled", _SCHEDULED),
)


_SHELLS = frozenset({"pwsh", "powershell", "cmd"})
_CMDLETS = frozenset(name for _, names in _TABLE for name in names if "-" in name) | {
    "remove-item",
    "invoke-expression",
}
_NATIVE = frozenset({"reg", "vssadmin", "bcdedit", "wbadmin", "format", "diskpart", "schtasks", "cipher", "wevtutil"})
"""Programs of Windows that a POSIX shell there starts too (Git Bash)."""


_KNOWN = _CMDLETS | _EMPTY
"""Cmdlets that have a row of their own."""


def windows_effects(command: Command, _facts: Facts, rules: RuleBook) -> Iterator[Effect]:
    """The effects of PowerShell and cmd that a POSIX shell was given: ``pwsh -c …``, ``Remove-Item -Recurse x``."""
    name = command.program.lower().removesuffix(".exe")
    words = tuple(word.text for word in command.args)
    if name in _SHELLS:
        yield from _nested(words, command, rules, 0)
        if command.stdin.kind == "text" and name != "cmd":
            yield from powershell_effects(command.stdin.text, command, rules)
    elif name in _CMDLETS | _NATIVE or (name in {"rmdir", "rd"} and any(word.lower() == "/s" for word in words)):
        yield from _statement(_Statement((name, *words), piped=False, is_data=False), (), command, rules, 0)


def powershell_effects(text: str, command: Command, rules: RuleBook, *, depth: int = 0) -> Iterator[Effect]:
    """The effects of recognised commands in PowerShell or cmd text."""
    if len(text) > _MAX_CHARS or depth > _MAX_DEPTH:
        yield effect_of(rules, "windows.foreign-code", command, target="text of this size or depth")
        return
    if _ITEM_DELETE.search(text):
        yield effect_of(rules, "windows.delete", command, target="each item by its own Delete()")
    for match in _DOTNET_DELETE.finditer(text):
        yield effect_of(rules, "windows.delete", command, target=match[1][:120])
    parsed = _statements(text)
    fetched: set[str] = set()
    for index, statement in enumerate(parsed):
        before = parsed[index - 1].words if statement.piped and index else ()
        yield from _statement(statement, before, command, rules, depth)
        if started := _started(statement.words) & fetched:
            yield effect_of(rules, "windows.foreign-code", command, target=min(started))
        fetched |= _fetched(statement.words)


def _fetched(words: tuple[str, ...]) -> set[str]:
    """The names of files that the statement downloads: ``iwr https://… -OutFile a.ps1``."""
    lowered = [word.lower() for word in words]
    if not words or not _FETCH.search(" ".join(lowered)):
        return set()
    options = {"-outfile", "-o", "-destination", "--output"}
    return {_file_name(after) for before, after in itertools.pairwise(lowered) if before in options}


def _started(words: tuple[str, ...]) -> set[str]:
    """The names of files that the statement may start: itself, or what a starter is given."""
    plain = _without_assignment(tuple(word.lower() for word in words))
    if not plain:
        return set()
    return {_file_name(word) for word in (plain if plain[0] in _STARTERS else plain[:1])}


def _file_name(path: str) -> str:
    return re.split(r"[\\/]", path)[-1]


def _statements(text: str) -> list[_Statement]:
    found: list[_Statement] = []
    words: list[str] = []
    ending = ""
    is_data = False
    for match in _TOKEN.finditer(text):
        kind, value = match.lastgroup, match.group()
        if kind in {"word", "string", "here"}:
            is_data = is_data or (not words and kind != "word" and "&" not in ending)
            words.append(value.replace("`", "") if kind == "word" else value.strip("@'\"\n"))
        elif kind == "end" and words and value.strip("()") == "":
            continue  # parentheses belong to the statement around them: iex (iwr …)
        elif kind == "end":
            if words:
                found.append(_Statement(tuple(words), _pipes(ending), is_data))
            words, ending, is_data = [], value, False
    if words:
        found.append(_Statement(tuple(words), _pipes(ending), is_data))
    return found


def _pipes(ending: str) -> bool:
    return ending.strip("(){} \n") == "|"


def _statement(
    statement: _Statement, before: tuple[str, ...], command: Command, rules: RuleBook, depth: int
) -> Iterator[Effect]:
    written = _without_assignment(statement.words)
    words = tuple(word.lower() for word in written)
    if not words or statement.is_data or _HARMLESS_WORDS & set(words):
        return
    name, rest = words[0].rpartition("\\")[2].removesuffix(".exe"), words[1:]
    target = " ".join((name, *rest))[:120]
    if name in _REMOVE:
        yield from _removal(rest, before, command, rules)
    elif name in _RUN:
        if _FETCH.search(" ".join((*rest, *before)).lower()):
            yield effect_of(rules, "windows.foreign-code", command, target=target)
        elif rest:
            yield from powershell_effects(" ".join(written[1:]), command, rules, depth=depth + 1)
    elif name in {"powershell", "pwsh", "cmd"}:
        yield from _nested(written[1:], command, rules, depth)
    elif name == "invoke-sqlcmd":
        yield from sql_text_effects(" ".join(written[1:]).partition("uery")[2], "tsql", command, rules)
    elif name == "reg" and rest[:1] and rest[0] in {"delete", "add", "import", "restore", "load"}:
        yield effect_of(rules, "windows.registry", command, target=target)
    elif rule := _rule_of(name, rest):
        yield effect_of(rules, rule, command, target=target)


def _rule_of(name: str, rest: tuple[str, ...]) -> str:
    """The rule for a cmdlet or program by its name, ``""`` when it is none that loses something."""
    deed = _DEED.fullmatch(name)
    if deed and deed[2] not in _SESSION and name not in _KNOWN:
        return _DEEDS[deed[1]]
    rule = next((rule for rule, names in _TABLE if name in names), "")
    needed = _ARGUMENT_NEEDED.get(name)
    return rule if needed is None or needed & set(rest) else ""


def _without_assignment(words: tuple[str, ...]) -> tuple[str, ...]:
    """Drops ``$x =`` and call operators in front."""
    if len(words) > 2 and words[0].startswith("$") and words[1] == "=":
        return words[2:]
    return words[1:] if words[0] in {".", "=", "!", "-not"} else words


def _removal(rest: tuple[str, ...], before: tuple[str, ...], command: Command, rules: RuleBook) -> Iterator[Effect]:
    options = {word for word in rest if word.startswith(("-", "/")) and len(word) < 12}
    recursive = any("-recurse".startswith(word) and len(word) > 1 for word in options) or bool(
        options & {"/s", "-rf", "-fr", "-r", "-rec"}
    )
    targets = [word for word in rest if word not in options and word not in {"silentlycontinue", "stop", "ignore"}]
    if any(word.startswith(("hklm:", "hkcu:", "hkey_")) for word in targets):
        yield effect_of(rules, "windows.registry", command, target=" ".join(targets)[:120])
    elif targets and all(_TEMPORARY.match(word) or _REGENERABLE.match(word) for word in targets):
        yield effect_of(rules, "windows.delete-file", command, target=" ".join(targets)[:120])
    else:
        wide = recursive or any(letter in word for word in targets for letter in "*?$%") or (not targets and before)
        rule = "windows.delete" if wide else "windows.delete-file"
        yield effect_of(rules, rule, command, target=" ".join(targets or before)[:120] or "what it is fed")


def _nested(rest: tuple[str, ...], command: Command, rules: RuleBook, depth: int) -> Iterator[Effect]:
    """``powershell -Command …``, ``powershell -EncodedCommand …``, ``cmd /c …``."""
    for index, written in enumerate(rest):
        word = written.lower()
        if word in {"/c", "/k", "-c"} or ("-command".startswith(word) and len(word) > 2):
            yield from powershell_effects(" ".join(rest[index + 1 :]), command, rules, depth=depth + 1)
            return
        if word.startswith("-e") and "-encodedcommand".startswith(word):
            text = _decoded(rest[index + 1] if index + 1 < len(rest) else "")
            if text is None:
                yield effect_of(rules, "windows.foreign-code", command, target="an encoded command")
            else:
                yield from powershell_effects(text, command, rules, depth=depth + 1)
            return
    told = _without_switches(rest)
    if told and not told[0].lower().endswith(".ps1") and "/" not in told[0]:
        yield from powershell_effects(
            " ".join(told), command, rules, depth=depth + 1
        )  # powershell Stop-Service -Name x


_SWITCHES = frozenset("-noprofile -nop -noninteractive -noni -nologo -noexit -sta -mta -login -l -i".split())
_VALUE_SWITCHES = frozenset(
    """
    -executionpolicy -ep -ex -version -v -windowstyle -w -outputformat -of -inputformat -if -workingdirectory -wd
    -configurationname -settingsfile -psconsolefile -custompipename
    """.split()
)


def _without_switches(words: tuple[str, ...]) -> tuple[str, ...]:
    """What PowerShell is told behind its own switches; an option that it does not have begins nothing."""
    at = 0
    while at < len(words) and words[at].lower() in _SWITCHES | _VALUE_SWITCHES:
        at += 2 if words[at].lower() in _VALUE_SWITCHES else 1
    return words[at:] if at < len(words) and not words[at].startswith("-") else ()


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode("utf-16-le")
    except (ValueError, UnicodeError):
        return None
