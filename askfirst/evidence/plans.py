"""Evidence about infrastructure: what terraform, kubectl and helm themselves say that they would do.

Their plans talk to the network and run what the project's own configuration names (providers, data sources, credential
plugins), with the broker's rights. So each program runs only where the configuration allows it by name, found on the
broker's path, with the options of a closed list: no option that names a program, a kubeconfig or an output file gets
through. Whatever else stands on the command line is a gap.

From: ``terraform plan -help``, ``kubectl delete --help`` (``--dry-run``), ``helm upgrade --help`` (``--dry-run``).
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.evidence.values import BODY_MAX_CHARS, Plan, text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.effects import Effect
    from askfirst.evidence.eye import Eye, Found, Subject
    from askfirst.shell.command import Command

_MAX_OUTPUT_BYTES: Final = 1 << 20
_PASSED_ON: Final = ("PATH", "HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "KUBECONFIG", "TMPDIR")
_QUIET: Final = {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_INPUT": "0", "LC_ALL": "C"}
_TERRAFORM: Final = re.compile(r"-{1,2}(?:var|var-file|target|replace|refresh|parallelism)(?:=.*)?", re.DOTALL)
_TERRAFORM_DROPPED: Final = re.compile(r"-{1,2}(?:auto-approve|input|lock|no-color|compact-warnings)(?:=.*)?")
_KUBECTL: Final = re.compile(
    r"-n|-l|-f|-A|--(?:namespace|selector|filename|all|all-namespaces|force|grace-period|cascade|now|replicas"
    r"|ignore-not-found|context|cluster|timeout|wait|recursive)(?:=.*)?|-R|--type(?:=.*)?",
    re.DOTALL,
)
_HELM: Final = re.compile(
    r"-n|-f|-i|--(?:namespace|values|set|set-string|version|install|atomic|force|wait|timeout|keep-history"
    r"|reuse-values|reset-values|kube-context|create-namespace|no-hooks)(?:=.*)?",
    re.DOTALL,
)
_KUBECTL_VERBS: Final = frozenset(
    "delete apply replace create scale patch drain cordon rollout set annotate label".split()
)
_DRY: Final = frozenset("delete apply replace create scale patch drain set annotate label".split())
_HELM_VERBS: Final = frozenset("uninstall delete un upgrade rollback install".split())
_SUMMARY: Final = re.compile(r"^(?:Plan: .*|No changes\..*|Changes to Outputs:.*)$", re.MULTILINE)
_DESTROYS: Final = re.compile(r"(\d+) to destroy")
_GONE: Final = re.compile(r"\bdeleted \((?:server )?dry run\)|^release \".*\" uninstalled", re.MULTILINE)
_COLOURS: Final = re.compile(rb"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class PlanSource:
    """Asks the tools that may be asked.

    Attributes:
        allowed: base names of programs.
    """

    allowed: frozenset[str] = frozenset()
    about: str = "what the tool itself would say"
    is_stateful: bool = False

    def concerns(self, subject: Subject) -> bool:
        """Whether one of the tools would change something."""
        return any(self.covers(each) for each in subject.found.effects)

    def covers(self, effect: Effect) -> bool:
        """Whether it is an effect of these tools."""
        return effect.rule.startswith(("infrastructure.", "kubernetes.")) and _program(effect.command) in _ARGUMENTS

    def look(self, subject: Subject, eye: Eye, found: Found) -> None:
        """One exhibit for each command that has a read-only form."""
        for command in subject.found.parsed:
            if command.program in _ARGUMENTS:
                self._ask(command, eye, found)

    def _ask(self, command: Command, eye: Eye, found: Found) -> None:
        about = f"what {text_of(command.shown)} would do by its own word"
        if command.program not in self.allowed:
            reason = f"running {command.program} for it is not allowed ([evidence] plans)"
            found.gap(about, reason, failed=False)
            return
        arguments = None if _is_odd(command) else _ARGUMENTS[command.program]([word.text for word in command.args])
        if arguments is None:
            found.gap(about, "its command line has parts that are not run before people decide", failed=False)
            return
        ran = _output([command.program, *arguments], command.cwd or "/", eye)
        if isinstance(ran, str):
            found.gap(about, ran)
            return
        code, text = ran
        shown = " ".join([command.program, *arguments])
        if code:
            found.gap(about, f"{shown} ended with {code}: {text_of(text.strip().rpartition(chr(10))[2])}")
            return
        summary = _SUMMARY.search(text)
        destroys = _DESTROYS.search(text)
        gone = len(_GONE.findall(text))
        found.exhibits.append(
            Plan(
                command=text_of(shown),
                text=text[-BODY_MAX_CHARS:],
                cut=len(text) > BODY_MAX_CHARS,
                summary=text_of(summary[0]) if summary else f"{shown}: {gone} would be deleted" if gone else "",
                destroys=int(destroys[1]) if destroys else gone or (0 if summary else None),
            )
        )


def _program(shown: str) -> str:
    return os.path.basename(next(iter(shown.split()), ""))


def _is_odd(command: Command) -> bool:
    """Whether it is not known in full, runs elsewhere, or not the installed program with its own environment."""
    words = command.argv
    return (
        bool(command.where or command.env or command.redirects)
        or command.cwd is None
        or not all(word.known and not word.glob for word in words)
        or words[0].text != command.program
        or command.stdin.kind != "none"
    )


def _terraform(words: Sequence[str]) -> list[str] | None:
    """``terraform plan`` for an ``apply`` or a ``destroy``; None for any other form."""
    folder = [words[0]] if words and words[0].startswith("-chdir=") else []
    rest = list(words[len(folder) :])
    if rest[:1] not in (["apply"], ["destroy"]):
        return None
    kept = [word for word in rest[1:] if not _TERRAFORM_DROPPED.fullmatch(word)]
    destroy = rest[0] == "destroy" or any(word in {"-destroy", "--destroy"} for word in kept)
    kept = [word for word in kept if word not in {"-destroy", "--destroy"}]
    if len(kept) == 1 and not kept[0].startswith("-"):
        return [*folder, "show", "-no-color", kept[0]]  # a plan that was saved
    if not _fits(kept, _TERRAFORM, operands=False):
        return None
    fixed = ["-input=false", "-no-color", "-lock=false", *(["-destroy"] if destroy else [])]
    return [*folder, "plan", *fixed, *kept]


def _kubectl(words: Sequence[str]) -> list[str] | None:
    verbs = [word for word in words if word in _KUBECTL_VERBS]
    if not verbs or verbs[0] not in _DRY or not _fits(words, _KUBECTL, operands=True):
        return None
    return [*words, "--dry-run=server" if verbs[0] != "drain" else "--dry-run=client"]


def _helm(words: Sequence[str]) -> list[str] | None:
    if not words or words[0] not in _HELM_VERBS or not _fits(words, _HELM, operands=True):
        return None
    return [*words, "--dry-run"]


def _fits(words: Sequence[str], known: re.Pattern[str], *, operands: bool) -> bool:
    """Whether every option is of the list; a value in a word of its own may follow one."""
    after_option = False
    for word in words:
        if word.startswith("-"):
            if not known.fullmatch(word):
                return False
            after_option = "=" not in word
        elif not operands and not after_option:
            return False
        else:
            after_option = False
    return True


_ARGUMENTS: Final = {"terraform": _terraform, "tofu": _terraform, "kubectl": _kubectl, "helm": _helm}


def _output(command: list[str], cwd: str, eye: Eye) -> tuple[int, str] | str:
    """Exit code and output, or why there is none."""
    environment = {name: eye.environ[name] for name in _PASSED_ON if name in eye.environ}
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**environment, **_QUIET},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return f"{command[0]} cannot be started: {error.strerror}"
    try:
        text = _read(process, eye)
    finally:
        _end(process)
    if text is None:
        return f"{command[0]} did not answer in time, or said too much"
    return process.wait(), _COLOURS.sub(b"", text).decode("utf-8", "backslashreplace")


def _read(process: subprocess.Popen[bytes], eye: Eye) -> bytes | None:
    chunks: list[bytes] = []
    assert process.stdout is not None  # it is a pipe
    with process.stdout as stream, selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while sum(map(len, chunks)) <= _MAX_OUTPUT_BYTES:
            if not selector.select(eye.deadline.left_s()):
                return None
            chunk = os.read(stream.fileno(), 1 << 16)
            if not chunk:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.1, eye.deadline.left_s()))
                return None if process.poll() is None else b"".join(chunks)
            chunks.append(chunk)
    return None


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of it, its children too."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
