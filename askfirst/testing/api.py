"""REST ``/v1`` over a test's desk, without a process or a socket: every call is said to change the same three files."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx

from askfirst.asking import Asking
from askfirst.broker.access import Access, token_consent
from askfirst.broker.api import Api
from askfirst.config import parse_config
from askfirst.effects import Classification, Effect, EffectKind, Outcome, Risk
from askfirst.people import Requester
from askfirst.refusals import Refusals
from askfirst.request import Action
from askfirst.roster import Roster
from askfirst.testing.ladder_policy import ConfiguredPolicy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from fastapi import FastAPI

    from askfirst.asking import Analyst, Ruler
    from askfirst.broker.api import Routed
    from askfirst.call import ToolCall
    from askfirst.host import Agent
    from askfirst.testing.bench import Bench

TOKEN = "secret-token"  # noqa: S105  # a test's
OURS = (f"uid:{os.getuid()}", 0)
"""The peer of a connection over the unix socket, by the broker's own user."""


class FixedAnalyst:
    """Finds the same effect in every call, at the HEAD that it is told."""

    head = ""

    async def look(self, call: ToolCall) -> Classification:
        """The classification."""
        found = Effect(
            rule="git.reset-hard",
            kind=EffectKind.DISCARDS_CHANGES,
            risk=Risk.HIGH,
            reversible=False,
            target=".",
            loss="discards 3 changed files",
            command=call.command,
        )
        return Classification(outcome=Outcome.GATE, effects=(found,), expanded="git reset --hard HEAD~2")

    def resolve(self, call: ToolCall, agent: Agent, scripts: object = ()) -> Action:
        """The action, nothing looked up."""
        del scripts
        return Action(
            tool=call.tool,
            arguments=call.acting_arguments,
            cwd=call.cwd,
            host=agent.host,
            session=agent.session,
            head=self.head,
            machine=call.machine,
        )


def api(
    made: Bench,
    *,
    terminal_decisions: bool = False,
    figures: Callable[[], Awaitable[bytes]] | None = None,
    more: Callable[[Access], Sequence[Routed]] = lambda _access: (),
    analyst: Analyst | None = None,
    ruler: Ruler | None = None,
    **options: Any,
) -> FastAPI:
    """The API over this desk; ``options`` are more of ``Access``'s arguments."""
    roster = Roster(configured=(), requester=Requester(), reader=made.reader)
    access = Access(
        writer=made.writer,
        reader=made.reader,
        audit=made.log,
        clock=made.clock,
        consent=token_consent(made.desk, roster, made.clock),
        own_token=TOKEN,
        **options,
    )
    asking = Asking(
        analyst=analyst or FixedAnalyst(),
        ruler=ruler or ConfiguredPolicy(config=parse_config(b"", source="defaults")),
        clock=made.clock,
    )
    made.desk._editor = asking  # noqa: SLF001  # the bench made the desk without one
    return Api(
        desk=made.desk,
        undos=made.undos,
        hub=made.hub,
        asking=asking,
        terminal_decisions=lambda: terminal_decisions,
        reviewer="local:ann",
        figures=figures,
        access=access,
        refusals=Refusals(made.desk, made.clock),
        more=more(access),
    ).app()


@asynccontextmanager
async def api_client(
    made: Bench, peer: tuple[str, int] = OURS, *, raises: bool = True, **options: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of ``api(made, **options)`` that comes from this peer; ``raises``: a bug is raised, not answered."""
    transport = httpx.ASGITransport(api(made, **options), client=peer, raise_app_exceptions=raises)
    async with httpx.AsyncClient(transport=transport, base_url="http://askfirst") as http:
        yield http


async def issued(http: httpx.AsyncClient, *scopes: str, name: str = "ci", **more: object) -> dict[str, Any]:
    """A token that was issued to this client, as the API answers it; ``name`` is the machine that it is for."""
    answer = await http.post("/v1/tokens", json={"name": name, "scopes": scopes, **more})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def bearer(token: dict[str, Any]) -> dict[str, str]:
    """The headers of a caller with this token."""
    return {"authorization": f"Bearer {token['token']}"}
