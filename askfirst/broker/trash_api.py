"""``/v1/trash``: what was kept before approved commands ran; for the broker's own user over its unix socket alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from askfirst.access import AccessScope
from askfirst.audit_port import Actor, Entry, EntryType
from askfirst.broker.json_route import JsonRoute
from askfirst.broker.peer import is_local_user
from askfirst.broker.wire import Wire
from askfirst.errors import NotAllowedError
from askfirst.net.extract import extract
from askfirst.net.pouch import in_words

if TYPE_CHECKING:
    from askfirst.broker.access import Access
    from askfirst.desk import Desk
    from askfirst.net.manifest import About
    from askfirst.net.trash import Trash
    from askfirst.undo_config import UndoConfig

_Id = Annotated[str, Field(pattern="^[0-9A-HJKMNP-TV-Z]{26}$")]


class SnapshotOut(Wire):
    """One snapshot. Times are milliseconds since the Unix epoch."""

    id: str
    request: str
    made_at_ms: int
    until_ms: int
    size_bytes: int
    size: str
    files: int
    took_ms: int
    what: str
    words: str


class TrashOut(Wire):
    """Every snapshot, oldest first, and how much there is."""

    snapshots: list[SnapshotOut]
    size_bytes: int
    size: str
    size_max: str


class PurgeIn(Wire):
    """Which ones to delete for good."""

    snapshots: Annotated[list[_Id], Field(max_length=100_000)]


class PurgedOut(Wire):
    """How many went."""

    purged: int


class RestoreIn(Wire):
    """A folder that is not there yet, absolute."""

    to: Annotated[str, Field(min_length=1, max_length=4_096, pattern="^/")]


class RestoredOut(Wire):
    """How many files are in the folder now."""

    files: int


class TrashApi:
    """The routes over one trash.

    Args:
        access: who calls.
        desk: where what was done is written down.
        trash: the snapshots.
        config: whether the terminal may do more than look.
        person: whom the broker's own user is.
    """

    def __init__(self, *, access: Access, desk: Desk, trash: Trash, config: UndoConfig, person: str) -> None:
        self._access = access
        self._desk = desk
        self._trash = trash
        self._config = config
        self._person = person

    def router(self) -> APIRouter:
        """To include in the API."""
        needed = [Depends(self._access.needs(AccessScope.READ))]
        router = APIRouter(route_class=JsonRoute, prefix="/v1/trash", tags=["trash"], dependencies=needed)
        router.add_api_route("", self.every, methods=["GET"])
        router.add_api_route("/purge", self.purge, methods=["POST"])
        router.add_api_route("/{snapshot}/restore", self.restore, methods=["POST"])
        return router

    async def every(self, request: Request) -> TrashOut:
        """What is kept."""
        _require_local(request)
        kept = await asyncio.to_thread(self._trash.every)
        size = sum(each.size_bytes for each in kept)
        return TrashOut(
            snapshots=[self._shown(each) for each in kept],
            size_bytes=size,
            size=in_words(size),
            size_max=in_words(self._config.total_max_bytes),
        )

    def _shown(self, about: About) -> SnapshotOut:
        return SnapshotOut(
            id=about.id,
            request=about.request_id,
            made_at_ms=about.made_at_ms,
            until_ms=about.made_at_ms + self._config.keep_ms,
            size_bytes=about.size_bytes,
            size=in_words(about.size_bytes),
            files=about.entries,
            took_ms=about.took_ms,
            what=about.what,
            words=about.words,
        )

    async def purge(self, body: PurgeIn, request: Request) -> PurgedOut:
        """Delete snapshots for good; each is an entry of the log."""
        self._require_terminal(request)
        purged = 0
        actor = Actor(type="human", id=self._person, channel="terminal", assurance=0)  # whoever runs as this user
        for snapshot in dict.fromkeys(body.snapshots):
            about = await asyncio.to_thread(self._trash.about, snapshot)
            if await asyncio.to_thread(self._trash.purge, snapshot):
                purged += 1
                await self._desk.note(purged_entry(about, actor))
        return PurgedOut(purged=purged)

    async def restore(self, snapshot: _Id, body: RestoreIn, request: Request) -> RestoredOut:
        """Copy what a snapshot holds into a new folder."""
        self._require_terminal(request)
        return RestoredOut(files=await asyncio.to_thread(extract, self._trash, snapshot, body.to))

    def _require_terminal(self, request: Request) -> None:
        _require_local(request)
        if not self._config.terminal:
            raise NotAllowedError("this is switched off for the terminal (`terminal = false` under [undo])")


def _require_local(request: Request) -> None:
    if not is_local_user(request):
        raise NotAllowedError("the trash is for the broker's own user, over its unix socket: `askfirst trash`")


def purged_entry(about: About, actor: Actor) -> Entry:
    """The entry of a snapshot that is gone for good."""
    return Entry(
        type=EntryType.TRASH_PURGED,
        actor=actor,
        request=about.request_id,
        data={"snapshot": about.id, "bytes": about.size_bytes, "made_at_ms": about.made_at_ms},
    )
