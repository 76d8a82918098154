"""The state of a request at a commit: a commit status, or as a GitHub App a check run with buttons.

Nothing rests on a status: whoever may push can set one. The buttons of a check run decide, see ``deliveries``.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.errors import ChannelError
from askfirst.request import RequestState
from channels.github import wire
from channels.github.deliveries import BUTTONS

if TYPE_CHECKING:
    from askfirst.card import Card
    from channels.github.client import GitHub
    from channels.github.config import GithubConfig
    from channels.github.place import Conversation

DESCRIPTION_MAX = 140
"""Characters of a status's description; longer ones are refused with 422."""
_STATUSES = {RequestState.PENDING: "pending", RequestState.APPROVED: "success", RequestState.ANSWERED: "success"}
_CONCLUSIONS = {
    RequestState.PENDING: "action_required",
    RequestState.APPROVED: "success",
    RequestState.ANSWERED: "success",
    RequestState.DENIED: "failure",
    RequestState.EXPIRED: "timed_out",
    RequestState.CANCELLED: "cancelled",
    RequestState.SUPERSEDED: "neutral",
}
_REMEMBERED_MAX = 1000
_log = logging.getLogger(__name__)


class States:
    """Shows states; that one cannot be shown holds up nothing."""

    def __init__(self, github: GitHub, config: GithubConfig) -> None:
        self._github = github
        self._config = config
        self._runs: dict[tuple[str, int], int] = {}

    async def show(self, card: Card, conversation: Conversation, head: str) -> None:
        """Show how the request stands, at this commit."""
        if not head or not self._config.statuses:
            return
        try:
            if self._config.app is None:
                await self._status(card, conversation, head)
            else:
                await self._check_run(card, conversation, head)
        except ChannelError as error:
            _log.warning("the state of %s cannot be shown at its commit: %s", card.code, error)

    async def _status(self, card: Card, conversation: Conversation, head: str) -> None:
        state = _STATUSES.get(card.state, "failure" if card.state is RequestState.DENIED else "error")
        body = {"state": state, "context": f"askfirst/{card.code}", "description": _short(card)}
        await self._github.tell(f"{conversation.repository.path}/statuses/{head}", body)

    async def _check_run(self, card: Card, conversation: Conversation, head: str) -> None:
        path = f"{conversation.repository.path}/check-runs"
        run_id = await self._known_run(card, conversation, head)
        body = _run_of(card, conversation)
        if run_id:
            await self._github.patch(wire.Created, f"{path}/{run_id}", body)
            return
        made = await self._github.post(wire.Created, path, {**body, "head_sha": head})
        self._remember(card, made.id)

    async def _known_run(self, card: Card, conversation: Conversation, head: str) -> int:
        """Ours for this version, 0 where none was made; buttons of an older version stay what they are: stale."""
        if run_id := self._runs.get((card.request_id, card.version)):
            return run_id
        path = f"{conversation.repository.path}/commits/{head}/check-runs"
        found = await self._github.get(wire.CheckRuns, path, {"check_name": _name(card), "per_page": "100"})
        own_app = self._config.app.id if self._config.app else 0
        wanted = external_id_of(card, conversation)
        mine = [
            each.id for each in found.check_runs if each.app and each.app.id == own_app and each.external_id == wanted
        ]
        if mine:
            self._remember(card, mine[0])
        return mine[0] if mine else 0

    def _remember(self, card: Card, run_id: int) -> None:
        self._runs[card.request_id, card.version] = run_id
        while len(self._runs) > _REMEMBERED_MAX:
            del self._runs[next(iter(self._runs))]


def external_id_of(card: Card, conversation: Conversation) -> str:
    """What a check run of ours is about, as ``deliveries`` reads it."""
    return f"{card.request_id}:{card.version}:{card.action_digest}:{conversation.number}"


def _run_of(card: Card, conversation: Conversation) -> dict[str, object]:
    title = _short(card)
    summary = f"Read the whole request in the conversation of #{conversation.number}: its code is `{card.code}`."
    return {
        "name": _name(card),
        "external_id": external_id_of(card, conversation),
        "status": "completed",
        "conclusion": _CONCLUSIONS.get(card.state, "neutral"),
        "output": {"title": title, "summary": summary},
        "actions": _buttons(card),
    }


def _buttons(card: Card) -> list[dict[str, str]]:
    """A press is enough for all but the gravest requests, which take the code; questions take words."""
    if card.state is not RequestState.PENDING or card.kind == "question":
        return []
    offered = [each for each in BUTTONS if each != "approve" or card.risk is not Risk.CRITICAL]
    return [
        {"label": BUTTONS[each], "description": f"{BUTTONS[each]} {card.code}", "identifier": each} for each in offered
    ]


def _name(card: Card) -> str:
    return f"Askfirst {card.code}"


def _short(card: Card) -> str:
    text = card.ended or card.headline
    return text if len(text) <= DESCRIPTION_MAX else f"{text[: DESCRIPTION_MAX - 1]}…"
