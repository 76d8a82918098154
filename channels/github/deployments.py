"""Deployments that wait for us: a custom deployment protection rule of a GitHub App.

GitHub tells that a job waits for its environment; that becomes a request like any other, decided on whatever channels
its rule names. What was decided is told to GitHub by the outbox: the deployment itself is one of the recipients.

From: https://docs.github.com/en/actions (Creating custom deployment protection rules)
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.errors import ChannelError
from askfirst.request import RequestState
from channels.github import wire
from channels.github.place import Deployment, repository_of
from channels.github.render import when

if TYPE_CHECKING:
    from askfirst.card import Card
    from channels.github.client import GitHub

COMMENT_MAX = 140
_RUN = re.compile(r"/actions/runs/(?P<run>[1-9][0-9]{0,18})/deployment_protection_rule\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A deployment that waits, for people to judge.

    Attributes:
        facts: what GitHub says about it, as (name, value).
        by: login of whoever started it.
    """

    deployment: Deployment
    facts: tuple[tuple[str, str], ...]
    by: str


Ask = Callable[[Waiting], Awaitable[None]]
"""Makes the request; returns when it is on disk. The same deployment again is the same request."""


class Deployments:
    """Asks about deployments, and tells GitHub what became of it."""

    def __init__(self, github: GitHub, ask: Ask | None) -> None:
        self._github = github
        self._ask = ask

    async def heard(self, payload: object) -> bool:
        """Take an event; whether it is asked about. Returns when the request is on disk.

        Raises:
            ChannelError: it names no run that waits.
        """
        if self._ask is None:
            return False
        waiting = waiting_of(payload)
        if waiting is None:
            return False
        await self._ask(waiting)
        return True

    async def show(self, card: Card, deployment: Deployment) -> str:
        """Tell GitHub how the request stands; its end lets the deployment go on or stops it.

        Raises:
            ChannelError: it could not be told now.
        """
        body: dict[str, object] = {"environment_name": deployment.environment, "comment": _said(card)}
        if card.state is not RequestState.PENDING:
            is_approved = card.state is RequestState.APPROVED
            body["state"] = "approved" if is_approved else "rejected"
        path = f"{deployment.repository.path}/actions/runs/{deployment.run_id}/deployment_protection_rule"
        await self._github.tell(path, body)
        return deployment.recipient.partition(":")[2]


def waiting_of(payload: object) -> Waiting | None:
    """The deployment that an event is about, None where it asks for nothing.

    Raises:
        ChannelError: it cannot be read.
    """
    event = wire.read(wire.DeploymentEvent, payload)
    if event.action != "requested":
        return None
    repository, run = repository_of(event.repository.full_name), _RUN.search(event.deployment_callback_url)
    if repository is None or run is None:
        raise ChannelError("the deployment names no repository or no run", is_permanent=True)
    deployment = Deployment(repository=repository, run_id=int(run["run"]), environment=event.environment)
    told = event.deployment or wire.DeploymentFacts()
    facts = {
        "repository": str(repository),
        "environment": event.environment,
        "commit": told.sha,
        "ref": told.ref,
        "task": told.task,
        "event": event.event or "",
        "description": told.description or "",
    }
    return Waiting(
        deployment=deployment,
        facts=tuple((name, value[:500]) for name, value in facts.items() if value),
        by=told.creator.login if told.creator else event.sender.login,
    )


def _said(card: Card) -> str:
    text = card.ended or f"{card.code} waits for a person until {when(card.deadline_ms)}"
    return text[:COMMENT_MAX]
