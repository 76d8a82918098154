"""The docket: what there is of requests, to look at; nothing here changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.request import Request, RequestState
from askfirst.store import records, restored
from askfirst.store.reading import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sa

    from askfirst.engine import Case

_PENDING_MAX = 1000


class Docket:
    """Requests over a store, as they are on disk.

    Args:
        reader: a read-only engine of the store.
    """

    def __init__(self, reader: sa.Engine) -> None:
        self._reader = reader

    async def case(self, request_id: str) -> Case:
        """The case with this id; RequestNotFoundError when there is none."""
        return await read(self._reader, lambda connection: records.read(connection, request_id))

    async def reviewed(self, decision_id: str) -> Case | None:
        """The case that this review is about, None when there is no such review."""
        return await read(self._reader, lambda connection: records.read_reviewed(connection, decision_id))

    async def coded(self, id_end: str, digest_start: str) -> list[Case]:
        """Cases of which any version goes by this code, at most two: see ``askfirst.code``."""
        return await read(self._reader, lambda connection: records.read_coded(connection, id_end, digest_start))

    async def pending(self) -> list[Request]:
        """What waits for a person, oldest first: those whose deadlines are nearest, up to a thousand."""
        return await read(
            self._reader,
            lambda connection: records.list_requests(
                connection, states=(RequestState.PENDING,), limit=_PENDING_MAX, oldest_first=True
            ),
        )

    async def waiting(self) -> int:
        """How many requests wait for a person."""
        return await read(self._reader, records.count_waiting)

    async def requests(
        self, *, states: Sequence[RequestState] = (), limit: int = 100, before: str = ""
    ) -> list[Request]:
        """Requests, newest first; ``before``, the id of the last one seen, asks for the next page."""
        return await read(
            self._reader,
            lambda connection: records.list_requests(connection, states=states, limit=limit, before=before),
        )

    async def waiting_for(self, action_digest: str) -> Case | None:
        """The case that waits for a decision on this very action."""
        return await read(self._reader, lambda connection: records.read_waiting_for(connection, action_digest))

    async def waiting_calls(self, machine: str, host: str, session: str, tool_use_id: str = "") -> tuple[str, ...]:
        """Ids of what waits in this session of a host on a machine, for one of its tool calls or for all."""
        return await read(
            self._reader, lambda connection: records.read_waiting_calls(connection, machine, host, session, tool_use_id)
        )

    async def refused_calls(self, host: str, session: str, tool_use_id: str) -> list[Case]:
        """What has ended for this tool call without an approval, newest first."""
        return await read(
            self._reader, lambda connection: records.list_refused_calls(connection, host, session, tool_use_id)
        )

    async def granted(self, action_digest: str, session: str = "") -> list[Case]:
        """Cases with an open grant that may concern this action: see ``records.read_granted``."""
        return await read(self._reader, lambda connection: records.read_granted(connection, action_digest, session))

    async def grants(self, limit: int = 1000) -> list[Case]:
        """Cases with an open grant, those that lapse first before the others."""
        return await read(self._reader, lambda connection: records.list_granted(connection, limit))

    async def restored_at_ms(self) -> int:
        """When the store was last put back from a backup, milliseconds since the epoch; 0: never."""
        return await read(self._reader, restored.settled_ms)

    async def running(self, session: str) -> list[Case]:
        """Cases of this session that were released and whose outcome nobody has told yet, newest first."""
        return await read(self._reader, lambda connection: records.list_running(connection, session))
