"""What was found out about a call, as values.

Every text is bounded and valid Unicode; it still comes from files, commits and programs, so whoever shows it passes it
through ``visible``. Times are whole seconds since the Unix epoch, 0 where unknown.
"""

from __future__ import annotations

import os
from collections.abc import Mapping  # noqa: TC003  # pydantic reads the annotations
from dataclasses import asdict, dataclass, field
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from askfirst.canonical import digest

LISTED_MAX: Final = 10
"""Commits, files, refs and tables that a list holds at most; counts go on."""
TEXT_MAX_CHARS: Final = 300
"""Length of one name, subject or reason."""
BODY_MAX_CHARS: Final = 32_768
"""Length of a script's or a plan's text."""


def text_of(raw: str | bytes, max_chars: int = TEXT_MAX_CHARS) -> str:
    r"""Foreign text as valid Unicode of bounded length; bytes that are no UTF-8 become ``\xNN``."""
    text = _bytes_of(raw).decode("utf-8", "backslashreplace")
    return text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"


def _bytes_of(raw: str | bytes) -> bytes:
    if isinstance(raw, bytes):
        return raw
    try:
        return os.fsencode(raw)
    except UnicodeEncodeError:  # surrogates that are no escaped bytes
        return raw.encode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A commit; ``pushed``: some remote-tracking branch holds it."""

    id: str
    subject: str
    author: str
    at_s: int
    pushed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Commits:
    """Commits that lose what holds them.

    Attributes:
        where: what held them, e.g. ``topic`` or ``main on origin``.
        fate: ``lost`` when no ref holds them afterwards; ``rewritten`` when a copy takes their place; ``overwritten``
            when a remote loses them; ``pruned`` when their objects are deleted.
        count: how many, a lower bound when ``more``.
        unpushed: how many of them no remote-tracking branch holds.
        listed: the newest.
        rollback: commands that bring them back while git keeps the objects.
        is_stash: they are stash entries, which nobody pushes.
    """

    kind: Literal["commits"] = "commits"
    where: str
    fate: Literal["lost", "rewritten", "overwritten", "pruned"] = "lost"
    count: int
    more: bool = False
    unpushed: int = 0
    listed: tuple[Commit, ...] = ()
    rollback: tuple[str, ...] = ()
    is_stash: bool = False


Standing: TypeAlias = Literal["modified", "staged", "untracked", "ignored", "tracked", "unversioned"]
"""What git knows of a file; ``tracked``: its content is in the index or a commit; ``unversioned``: no repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One file; ``at_s`` is when its content last changed."""

    path: str
    size_bytes: int
    at_s: int
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files that go, or whose content does.

    Attributes:
        where: the folder, or what the names are relative to.
        act: what happens to them.
        count: how many, a lower bound when ``more``; so is ``size_bytes``.
        newest_at_s: when the newest of them changed.
        standings: how many there are of each standing.
        only_copies: how many have content that is nowhere else on this machine as far as git and links tell.
        largest: the ten largest, only copies first.
        outside: how many lie outside the project.
        repositories: repositories among them.
    """

    kind: Literal["files"] = "files"
    where: str
    act: Literal["deleted", "overwritten", "discarded"]
    count: int
    size_bytes: int = 0
    more: bool = False
    newest_at_s: int = 0
    standings: Mapping[str, int] = field(default_factory=dict)
    only_copies: int = 0
    only_copy_bytes: int = 0
    largest: tuple[File, ...] = ()
    outside: int = 0
    repositories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A ref that moves or goes.

    Attributes:
        name: in full, e.g. ``refs/heads/main``.
        old: object id before, ``""`` when unknown.
        new: afterwards, ``""`` when deleted or unknown.
        deleted: it goes.
        shared: the default branch, or one that everybody shares by its name.
    """

    name: str
    old: str = ""
    new: str = ""
    deleted: bool = False
    shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refs:
    """Refs of one repository.

    Attributes:
        where: ``this repository`` or the remote's name.
        seen: how a remote's state is known: ``live``, as last ``fetched``, or ``unseen``; ``local`` for our own.
        seen_at_s: when it was fetched.
        moved_on: live, and it holds commits that were never fetched here.
        rollback: commands that put them back.
    """

    kind: Literal["refs"] = "refs"
    where: str
    refs: tuple[Ref, ...]
    count: int
    seen: Literal["local", "live", "fetched", "unseen"] = "local"
    seen_at_s: int = 0
    moved_on: bool = False
    rollback: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One SQL statement.

    Attributes:
        verb: e.g. ``DELETE``.
        tables: that it names.
        whole: it has no condition, so that it means every row.
        rows: how many rows it would touch by the database's own estimate, None where nobody asked.
    """

    verb: str
    tables: tuple[str, ...] = ()
    whole: bool = False
    rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """SQL that would run; ``estimated``: by which database, e.g. ``orders``; ``""`` when none was asked."""

    kind: Literal["sql"] = "sql"
    database: str
    statements: tuple[Statement, ...]
    count: int
    estimated: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a tool itself says it would do.

    Attributes:
        command: the read-only command that was run for it.
        text: its output, cut at the front when ``cut``.
        summary: its decisive line.
        destroys: how many things it would destroy, None where the output does not say.
    """

    kind: Literal["plan"] = "plan"
    command: str
    text: str
    cut: bool = False
    summary: str = ""
    destroys: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """A file whose text runs.

    Attributes:
        path: absolute.
        text: its beginning.
        size_bytes: of the whole file.
        cut: the text is longer.
        sha256: of the whole file, hex.
        effects: what the analysis found in it, in words.
    """

    kind: Literal["script"] = "script"
    path: str
    text: str
    size_bytes: int
    cut: bool = False
    sha256: str = ""
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What differs between what was deployed last and what would be deployed.

    Attributes:
        where: by which ref or tag the deployed state is known.
        old: its commit.
        new: the commit that would be deployed.
        count: commits between them; ``back``: commits that would be taken back.
        dirty: uncommitted changes that would be deployed with it.
    """

    kind: Literal["deployment"] = "deployment"
    where: str
    old: str
    new: str
    count: int
    back: int = 0
    more: bool = False
    dirty: int = 0
    files: int = 0
    listed: tuple[Commit, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """What is not known.

    Attributes:
        about: what was asked, e.g. ``the commits that only topic holds``.
        reason: why there is no answer.
        failed: somebody looked and could not see; else nobody may look, or nobody can.
    """

    kind: Literal["gap"] = "gap"
    about: str
    reason: str
    failed: bool = True


Exhibit: TypeAlias = Annotated[
    Commits | Files | Refs | Statements | Plan | Script | Deployment | Gap, Field(discriminator="kind")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything found out about one version of a request.

    Attributes:
        exhibits: gravest kinds first.
        state: what the decision rests on, by name: HEAD, refs, hashes of files. When one of these has changed, what was
            approved is no longer what would happen.
        took_ms: how long it took.
    """

    exhibits: tuple[Exhibit, ...] = ()
    state: Mapping[str, str] = field(default_factory=dict)
    took_ms: int = 0

    @property
    def state_digest(self) -> str:
        """SHA-256 (hex) over the state; ``""`` where nothing was looked at."""
        return digest(dict(self.state)) if self.state else ""

    def digests(self) -> tuple[str, ...]:
        """One line an exhibit for the log: its kind and the SHA-256 (hex) of its content."""
        return tuple(f"{each.kind} {digest(_plain(each))}" for each in self.exhibits)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What is not known."""
        return tuple(each for each in self.exhibits if isinstance(each, Gap))

    @property
    def has_failed(self) -> bool:
        """Whether something was looked at and could not be seen."""
        return any(each.failed for each in self.gaps)


def _plain(exhibit: object) -> dict[str, object]:
    return _lists(asdict(exhibit))  # type: ignore[call-overload, return-value]  # every exhibit is a dataclass


def _lists(value: object) -> object:
    if isinstance(value, dict):
        return {name: _lists(each) for name, each in value.items()}
    return [_lists(each) for each in value] if isinstance(value, list | tuple) else value
