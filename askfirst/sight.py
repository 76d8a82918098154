"""What another machine says of itself about one call: the facts that a broker elsewhere cannot look up.

The agent's machine runs the same analysis over its own disk and notes every fact that it asks for (``Recorder``). The
broker runs the analysis again over the notes (``Stated``): rules and policy are the broker's, and a fact that was not
stated is unknown, which is graded as the worse case. Nobody has signed these facts. Whoever has the agent's machine can
lie about it, which gains no more than running the command without asking; what people read says whose word it is.

On the wire a sight is an object of JSON::

    {"cwd": "/home/ann/shop", "head": "4f1c…", "files": {"/home/ann/shop/x.sh": "9a0f…"}, "project": "[[rules]]…",
     "facts": [["path", ["/home/ann/shop/build"], {"kind": "folder", "real": "/home/ann/shop/build", …}], …],
     "evidence": {"exhibits": […], "state": {…}, "took_ms": 12}}
"""

from __future__ import annotations

import base64
import contextlib
from dataclasses import astuple, dataclass, field, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from askfirst.canonical import canonical
from askfirst.errors import InputError
from askfirst.evidence.values import Evidence, Gap
from askfirst.facts import UNKNOWN, Changes, Commits, GitPlace, Loss, NoFacts, PathFacts, Repository
from askfirst.misfit import misfit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.call import ToolCall
    from askfirst.facts import Facts, Unknown

FACTS_MAX = 4_096
PROJECT_MAX_BYTES = 262_144
_T = TypeVar("_T")
_ANSWERS: dict[str, TypeAdapter[Any]] = {}
_KINDS: dict[str, Any] = {
    "home": str,
    "project": str,
    "path": PathFacts,
    "holds": bool,
    "loss": Loss,
    "expand_glob": tuple[str, ...],
    "read_script": bytes | None,
    "repository": Repository | None,
    "changes": Changes,
    "cleanable": tuple[str, ...],
    "commit": str | None,
    "dropped": Commits,
    "setting": str | None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One call, as the machine where it would run sees it.

    Attributes:
        machine: its name, which the broker's owner gave to its token.
        cwd: the real working directory.
        head: commit id of HEAD there.
        files: absolute path to SHA-256 (hex) of each script that the command runs.
        facts: what was stated of its disk; everything else is unknown.
        evidence: what was found out there for people to read; None: nobody has looked yet.
        project: the text of the project's ``askfirst.toml``, which may only tighten; None: there is none.
    """

    machine: str
    cwd: str = ""
    head: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    facts: Facts = field(default_factory=NoFacts)
    evidence: Evidence | None = None
    project: str | None = None


class LookAgainError(Exception):
    """The answer needs a newer sight: people have decided since, or somebody is about to be asked."""


def unseen(machine: str, cwd: str = "", *, head: str = "", files: Mapping[str, str] | None = None) -> Sight:
    """A call on a machine that states nothing about itself."""
    gap = Gap(
        about=f"the disk of {machine}", reason="it is another machine, and it said nothing about it", failed=False
    )
    return Sight(machine=machine, cwd=cwd, head=head, files=files or {}, evidence=Evidence(exhibits=(gap,)))


def sight_of(raw: object | None, machine: str, call: ToolCall) -> Sight | None:
    """How a caller's machine sees a call.

    Args:
        raw: what it states; None: nothing.
        machine: its name; ``""``: it is the broker's own, which looks for itself.
        call: what is to be done.

    Raises:
        InputError: it states something that is no sight.
    """
    if not machine:
        return None
    cwd = call.cwd if call.tool == "Bash" else ""
    return final(Sight(machine=machine, cwd=cwd) if raw is None else read_sight(raw, machine), call.tool)


def final(said: Sight, tool: str) -> Sight:
    """A sight that nobody completes any more, as the relay of a hook does: what it leaves out is unknown."""
    if said.evidence is not None:
        return said
    return replace(said, evidence=unseen(said.machine).evidence if tool == "Bash" else Evidence())


def whose_word(machine: str) -> str:
    """What people are told beside everything that such a machine says of itself."""
    return (
        f"this would run on {machine}, another machine: what is said here about its files and commits is its own word, "
        "and no snapshot of it can be kept"
    )


class Recorder:
    """``Facts`` that remember every answer but "unknown"."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._noted: dict[bytes, list[object]] = {}

    def noted(self) -> list[list[object]]:
        """The answers so far, as JSON has them; what has no form there is left out, and so is unknown."""
        return list(self._noted.values())

    def home(self) -> str | Unknown:
        """As asked."""
        return self._note("home", self._facts.home())

    def project(self, cwd: str) -> str | Unknown:
        """As asked."""
        return self._note("project", self._facts.project(cwd), cwd)

    def path(self, path: str) -> PathFacts | Unknown:
        """As asked."""
        return self._note("path", self._facts.path(path), path)

    def holds(self, outer: str, inner: str) -> bool | Unknown:
        """As asked."""
        return self._note("holds", self._facts.holds(outer, inner), outer, inner)

    def loss(self, path: str) -> Loss | Unknown:
        """As asked."""
        return self._note("loss", self._facts.loss(path), path)

    def expand_glob(self, pattern: str, limit: int) -> tuple[str, ...] | Unknown:
        """As asked."""
        return self._note("expand_glob", self._facts.expand_glob(pattern, limit), pattern, limit)

    def read_script(self, path: str, max_bytes: int) -> bytes | Unknown | None:
        """As asked."""
        return self._note("read_script", self._facts.read_script(path, max_bytes), path, max_bytes)

    def repository(self, place: GitPlace) -> Repository | Unknown | None:
        """As asked."""
        return self._note("repository", self._facts.repository(place), place)

    def changes(self, place: GitPlace, paths: tuple[str, ...] = ()) -> Changes | Unknown:
        """As asked."""
        return self._note("changes", self._facts.changes(place, paths), place, paths)

    def cleanable(self, place: GitPlace, options: tuple[str, ...], paths: tuple[str, ...]) -> tuple[str, ...] | Unknown:
        """As asked."""
        return self._note("cleanable", self._facts.cleanable(place, options, paths), place, options, paths)

    def commit(self, place: GitPlace, revision: str) -> str | Unknown | None:
        """As asked."""
        return self._note("commit", self._facts.commit(place, revision), place, revision)

    def dropped(self, place: GitPlace, ref: str, *, new: str = "") -> Commits | Unknown:
        """As asked."""
        return self._note("dropped", self._facts.dropped(place, ref, new=new), place, ref, new)

    def setting(self, place: GitPlace, key: str) -> str | Unknown | None:
        """As asked."""
        return self._note("setting", self._facts.setting(place, key), place, key)

    def _note(self, name: str, answer: _T, *asked: object) -> _T:
        if answer is not UNKNOWN and len(self._noted) < FACTS_MAX:
            row = [name, [_plain(each) for each in asked], _plain(answer)]
            with contextlib.suppress(InputError):  # a name that is no text: unknown over there, so the worse case
                canonical(row)
                self._noted[canonical(row[:2])] = row
        return answer


class Stated:
    """``Facts`` that another machine has noted.

    Args:
        noted: as ``Recorder.noted`` gives them.

    Raises:
        InputError: they are nothing that a ``Recorder`` notes.
    """

    def __init__(self, noted: list[list[object]]) -> None:
        if len(noted) > FACTS_MAX:
            raise InputError(f"{len(noted)} facts, expected at most {FACTS_MAX}", field="facts")
        self._answers = dict(map(_read_fact, noted))

    def home(self) -> str | Unknown:
        """As stated."""
        answer: str | Unknown = self._answer("home")
        return answer

    def project(self, cwd: str) -> str | Unknown:
        """As stated."""
        answer: str | Unknown = self._answer("project", cwd)
        return answer

    def path(self, path: str) -> PathFacts | Unknown:
        """As stated."""
        answer: PathFacts | Unknown = self._answer("path", path)
        return answer

    def holds(self, outer: str, inner: str) -> bool | Unknown:
        """As stated."""
        answer: bool | Unknown = self._answer("holds", outer, inner)
        return answer

    def loss(self, path: str) -> Loss | Unknown:
        """As stated."""
        answer: Loss | Unknown = self._answer("loss", path)
        return answer

    def expand_glob(self, pattern: str, limit: int) -> tuple[str, ...] | Unknown:
        """As stated."""
        answer: tuple[str, ...] | Unknown = self._answer("expand_glob", pattern, limit)
        return answer

    def read_script(self, path: str, max_bytes: int) -> bytes | Unknown | None:
        """As stated."""
        answer: bytes | Unknown | None = self._answer("read_script", path, max_bytes)
        return answer

    def repository(self, place: GitPlace) -> Repository | Unknown | None:
        """As stated."""
        answer: Repository | Unknown | None = self._answer("repository", place)
        return answer

    def changes(self, place: GitPlace, paths: tuple[str, ...] = ()) -> Changes | Unknown:
        """As stated."""
        answer: Changes | Unknown = self._answer("changes", place, paths)
        return answer

    def cleanable(self, place: GitPlace, options: tuple[str, ...], paths: tuple[str, ...]) -> tuple[str, ...] | Unknown:
        """As stated."""
        answer: tuple[str, ...] | Unknown = self._answer("cleanable", place, options, paths)
        return answer

    def commit(self, place: GitPlace, revision: str) -> str | Unknown | None:
        """As stated."""
        answer: str | Unknown | None = self._answer("commit", place, revision)
        return answer

    def dropped(self, place: GitPlace, ref: str, *, new: str = "") -> Commits | Unknown:
        """As stated."""
        answer: Commits | Unknown = self._answer("dropped", place, ref, new)
        return answer

    def setting(self, place: GitPlace, key: str) -> str | Unknown | None:
        """As stated."""
        answer: str | Unknown | None = self._answer("setting", place, key)
        return answer

    def _answer(self, name: str, *asked: object) -> Any:
        try:
            return self._answers.get(canonical([name, [_plain(each) for each in asked]]), UNKNOWN)
        except InputError:  # a name that is no text, which is never stated
            return UNKNOWN


def read_sight(raw: object, machine: str) -> Sight:
    """The sight in this JSON object.

    Raises:
        InputError: it is none.
    """
    if not isinstance(raw, dict) or not isinstance(facts := raw.get("facts", []), list):
        raise InputError("a sight is an object with the member `facts`, a list", field="sight")
    evidence = raw.get("evidence")
    return Sight(
        machine=machine,
        cwd=_checked(str, raw.get("cwd", ""), "cwd"),
        head=_checked(str, raw.get("head", ""), "head"),
        files=_checked(dict[str, str], raw.get("files", {}), "files"),
        facts=Stated(facts),
        evidence=None if evidence is None else _checked(Evidence, evidence, "evidence"),
        project=_checked(str | None, raw.get("project"), "project"),
    )


def evidence_out(evidence: Evidence) -> object:
    """Evidence as JSON has it."""
    return TypeAdapter(Evidence).dump_python(evidence, mode="json")


def _read_fact(row: object) -> tuple[bytes, object]:
    if not isinstance(row, list) or len(row) != 3 or row[0] not in _KINDS or not isinstance(row[1], list):
        raise InputError("a fact is [question, [what it is about], answer]", field="facts")
    name, asked, answer = row
    kind = _KINDS[name]
    if name == "read_script" and isinstance(answer, str):
        try:
            answer = base64.b64decode(answer, validate=True)
        except ValueError:
            raise InputError("a script's text is no base64", field="facts") from None
    return canonical([name, asked]), _checked(kind, answer, "facts")


def _checked(kind: Any, value: object, name: str) -> Any:
    adapter = _ANSWERS.setdefault(str(kind), TypeAdapter(kind))
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        raise InputError(f"{name} of a sight: {misfit(error.errors()[0])}", field=name) from error


def _plain(value: object) -> object:
    """A question's part or an answer, as JSON has it."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, GitPlace):
        return list(astuple(value))
    if isinstance(value, tuple):
        return list(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    return value
