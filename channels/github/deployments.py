"""Deployments that wait for us: a custom deployment protection rule of a GitHub App.

GitHub tells that a job waits for its environment; that becomes a request like any other, decided on whatever channels
its rule names. What was decided is told to GitHub by the outbox: the deployment itself is one of the recipients.

From: https://docs.github.com/en/actions (Creating custom deployment protection rules)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.call import ToolCall
from askfirst.errors import ChannelError
from askfirst.request import RequestState
from channels.github import wire
from channels.github.client import GithubError
from channels.github.place import Deployment, repository_of
from channels.github.render import when

if TYPE_CHECKING:
    from askfirst.backing import Operations
    from askfirst.card import Card
    from channels.github.client import GitHub

TOOL = "deploy_environment"
"""What such a request is about, for rules: its arguments are the names of ``Waiting.facts``."""
HOST = "github-actions"
COMMENT_MAX = 140
_OVER = frozenset({404, 422})
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


class Deployments:
    """Asks about deployments, and tells GitHub what became of it; None for the operations: it is not asked about."""

    def __init__(self, github: GitHub, operations: Operations | None) -> None:
        self._github = github
        self._operations = operations

    async def heard(self, payload: object) -> bool:
        """Take an event; whether it is asked about. Returns when the request is on disk.

        Raises:
            ChannelError: it names no run that waits.
            Error: it cannot be asked; the deployment waits on.
        """
        waiting = waiting_of(payload) if self._operations is not None else None
        if waiting is None or self._operations is None:
            return False
        deployment = waiting.deployment
        call = ToolCall(tool=TOOL, arguments=dict(waiting.facts), cwd="", session=f"run {deployment.run_id}")
        why = await self._operations.ask(call, by=HOST, key=deployment.recipient, recipient=deployment.recipient)
        if why:
            await self._stop(deployment, why)
        return True

    async def show(self, card: Card, deployment: Deployment) -> str:
        """Tell GitHub how the request stands; its end lets the deployment go on or stops it.

        The permission is used up first, so that a deny which comes in between wins (I5).

        Raises:
            ChannelError: it could not be told now.
        """
        if card.state is RequestState.PENDING:
            await self._judge(deployment, _said(card), "")
        elif card.state is RequestState.APPROVED:
            await self._go_on(card, deployment)
        else:
            await self._stop(deployment, _said(card))
        return deployment.recipient.partition(":")[2]

    async def _go_on(self, card: Card, deployment: Deployment) -> None:
        if self._operations is None:
            raise ChannelError("deployments are not asked about any more ([github.app] deployments)")
        may_go_on, why = await self._operations.release(card.request_id)
        if may_go_on:
            await self._judge(deployment, _said(card), "approved")
            await self._operations.released(card.request_id)
        elif why:
            await self._stop(deployment, why)

    async def _stop(self, deployment: Deployment, said: str) -> None:
        """What GitHub does not take any more is over there."""
        try:
            await self._judge(deployment, said, "rejected")
        except GithubError as error:
            if error.status not in _OVER:
                raise

    async def _judge(self, deployment: Deployment, said: str, state: str) -> None:
        body = {"environment_name": deployment.environment, "comment": said[:COMMENT_MAX]}
        path = f"{deployment.repository.path}/actions/runs/{deployment.run_id}/deployment_protection_rule"
        await self._github.tell(path, {**body, "state": state} if state else body)


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
    return card.ended or f"{card.code} waits for a person until {when(card.deadline_ms)}"
