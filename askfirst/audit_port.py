"""What the core needs of an audit log: the port that ``audit/`` implements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry before it gets its id and its time."""

    type: str
    request_id: str = ""
    actor: Mapping[str, object] = field(default_factory=dict)
    agent: Mapping[str, object] = field(default_factory=dict)
    action: Mapping[str, object] = field(default_factory=dict)
    decision: Mapping[str, object] = field(default_factory=dict)
    links: Mapping[str, object] = field(default_factory=dict)
    data: Mapping[str, object] = field(default_factory=dict)


class AuditLog(Protocol):
    """Appends inside the caller's transaction."""

    def append(self, connection: sa.Connection, entry: Entry) -> int:
        """Add one entry; returns its index."""
        ...

    def seal(self, connection: sa.Connection) -> object:
        """Write tiles, frontier and one signed checkpoint for everything appended in this transaction."""
        ...

    def mark(self) -> object:
        """Where the log stands, for ``rewind``."""
        ...

    def rewind(self, mark: object) -> None:
        """Forget what was appended since the mark: its savepoint was rolled back."""
        ...

    def committed(self) -> None:
        """The transaction is on disk."""
        ...

    def rolled_back(self) -> None:
        """The transaction was lost; the log stands where the last commit left it."""
        ...
