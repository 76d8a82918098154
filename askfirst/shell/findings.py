"""What a piece of program code would do, in terms that the shell analysis can go on with.

Unknown parts of strings are ``HOLE``s. Code that deletes is also offered as the shell command that it amounts to, so
that one place (the file rules) grades deletes, wherever they come from.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple


class Delete(NamedTuple):
    """A path that is removed; ``recursive`` when it may be a folder with content.

    What a glob API returned is the pattern itself, e.g. ``build/*.o``.
    """

    path: str
    recursive: bool


class Code(NamedTuple):
    """Code inside of code; ``language`` as ``inspect_code`` knows it."""

    language: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything found in one text.

    Attributes:
        shell: strings that a shell would run.
        argvs: argument vectors of programs that it would start.
        deletes: paths that it would delete.
        writes: paths that it would write or replace.
        empties: those of them that lose the content they have.
        reads: paths that it would read; ``$ENV`` stands for the whole environment.
        sql: SQL that it would run.
        code: further code that it would run, already decoded.
        scripts: files that it would run as code.
        rows: calls of data libraries that delete only what a filter names, e.g. ``objects.filter(…).delete()``.
        losses: calls of data and cloud libraries that lose something, e.g. ``boto3: delete_bucket``.
        foreign: how code from the network or out of a decoder is run, e.g. ``exec of a download``; else empty.
        opaque: what it runs that cannot be read, e.g. ``eval of a computed text``.
        network: whether it talks to the network.
        remote_shell: whether it hands a shell to a network connection.
        unread: whether a limit was hit, so that something may have been overlooked.

    """

    shell: tuple[str, ...] = ()
    argvs: tuple[tuple[str, ...], ...] = ()
    deletes: tuple[Delete, ...] = ()
    writes: tuple[str, ...] = ()
    empties: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    sql: tuple[str, ...] = ()
    code: tuple[Code, ...] = ()
    scripts: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    network: bool = False
    remote_shell: bool = False
    unread: bool = False

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """``argvs``, deletes and writes as the commands that they amount to, e.g. ``("rm", "-rf", "--", "src")``."""
        removed = (("rm", "-rf" if each.recursive else "-f", "--", each.path) for each in self.deletes)
        emptied = (("tee", "--", path) for path in self.empties)
        return (*self.argvs, *removed, *emptied)

    def __or__(self, other: Findings) -> Findings:
        """Both together."""
        merged: dict[str, object] = {}
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            merged[field.name] = mine or theirs if isinstance(mine, bool) else (*mine, *theirs)
        return Findings(**merged)  # type: ignore[arg-type]  # the fields' own values


class Collector:
    """A growing ``Findings``; adding the same thing twice keeps one."""

    def __init__(self) -> None:
        self._lists: dict[str, dict[object, None]] = {}
        self.network = False
        self.remote_shell = False
        self.unread = False

    def add(self, field: str, value: object) -> None:
        """Adds ``value`` to the tuple field of this name."""
        self._lists.setdefault(field, {})[value] = None

    def findings(self) -> Findings:
        """What was collected, frozen."""
        lists = {name: tuple(values) for name, values in self._lists.items()}
        flags = {"network": self.network, "remote_shell": self.remote_shell, "unread": self.unread}
        return Findings(**flags, **lists)  # type: ignore[arg-type]
