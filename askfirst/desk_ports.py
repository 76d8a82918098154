"""What the desk asks of others: looks at the world that its decisions rest on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa

    from askfirst.engine import BreakGlass, Content, Renew
    from askfirst.people import Electorate
    from askfirst.request import Request
    from askfirst.sight import Sight


class Inspector(Protocol):
    """Looks at what an approved action would meet now."""

    async def state_of(self, request: Request, sight: Sight | None = None) -> str:
        """The digest of the state that the request's action would meet; ``""`` where nobody looks."""
        ...

    async def renewed(self, request: Request, sight: Sight | None = None) -> Renew:
        """The request anew, with the evidence as it is now.

        Raises:
            NotAllowedError: the policy denies it now.
        """
        ...


class Editor(Protocol):
    """Analyses what a reviewer wants to run instead of what was asked."""

    async def edited(self, request: Request, arguments: Mapping[str, object]) -> Content:
        """The action with these acting arguments in place of its own, analysed anew.

        Raises:
            InputError: they are no arguments of this tool.
        """
        ...


class Windows(Protocol):
    """Windows that a break-glass code has opened."""

    def through(self, connection: sa.Connection, request: Request, electorate: Electorate) -> BreakGlass | None:
        """The window that is open for this request now, on the caller's transaction; None for none."""
        ...
