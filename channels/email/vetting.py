"""Whether a reply may count: its sender is the one who was sent the mail about this version."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.code import meant, parts_of
from channels.email.address import SCHEME

if TYPE_CHECKING:
    from askfirst.backing import Requests
    from askfirst.inbound import Decision, Undo
    from askfirst.request import Request
    from channels.email.seal import Sealer

NOT_OURS = "this does not answer a mail that was sent to you about this version; answer the newest mail"


class Vetting:
    """Compares the tag of replies with the store."""

    def __init__(self, sealer: Sealer, requests: Requests) -> None:
        self._sealer = sealer
        self._requests = requests

    async def act(self, act: Decision | Undo) -> Decision | Undo:
        """The same, with a doubt where the tag was made for somebody else, or for another version."""
        version = await self._version(act)
        if act.doubt or version is None:  # whoever hears of it says that there is no such request
            return act
        sender = act.origin.identity.removeprefix(f"{SCHEME}:")
        if self._sealer.is_ours(act.reference.control, sender, version.id, version):
            return act
        return replace(act, doubt=NOT_OURS)

    async def _version(self, act: Decision | Undo) -> Request | None:
        parts = parts_of(act.reference.code)
        found = [] if parts is None else await self._requests.coded(*parts)
        return meant(found[0], act.reference) if len(found) == 1 else None
