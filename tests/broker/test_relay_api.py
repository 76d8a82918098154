"""What hooks of other machines tell is bounded for each token: what is beyond does not run, in its host's own words."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from askfirst.alerts import Alerts
from askfirst.asking import Asking
from askfirst.broker.hook_route import HookRoute
from askfirst.broker.relay_api import RelayApi
from askfirst.config import parse_config
from askfirst.host import NoOpinion
from askfirst.host_events import HostEvents
from askfirst.testing.api import FixedAnalyst, api_client, bearer, issued
from askfirst.testing.ladder_policy import ConfiguredPolicy
from hooks.registry import HOSTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from askfirst.broker.access import Access
    from askfirst.broker.api import Routed
    from askfirst.gate import Attempt
    from askfirst.host import HookEvent, Verdict
    from askfirst.testing.bench import Bench

BY_TCP = ("127.0.0.1", 5555)
PASSED = "askfirst-hook/1 0 0 0\n"
TOO_MANY = "the hooks of laptop tell more than 3 calls and outcomes a minute; try again later"


class Permissive(HostEvents):
    """Has nothing against anything."""

    def __init__(self) -> None:
        """Nobody has to be asked."""

    async def answer(self, event: HookEvent, attempt: Attempt) -> Verdict:
        del event, attempt
        return NoOpinion()


def a_hook(name: str) -> dict[str, Any]:
    """What Claude Code sends."""
    about = {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "toolu_1", "tool_response": {}}
    event = {"session_id": "s", "cwd": "/", "permission_mode": "default", "hook_event_name": name, **about}
    return {"payload": json.dumps(event), "sight": {}}


async def told(http: httpx.AsyncClient, name: str, who: Mapping[str, str]) -> str:
    answer = await http.post("/v1/relay/claude-code", json=a_hook(name), headers={**who, "X-Askfirst-Wait-S": "5"})
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("PreToolUse", '{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"'),
        ("PermissionRequest", '{"hookEventName":"PermissionRequest","decision":{"behavior":"deny","message":"'),
        ("PostToolUse", "askfirst-hook/1 2 0 "),
        ("PostToolUseFailure", "askfirst-hook/1 2 0 "),
    ],
)
def test_the_hooks_of_one_token_tell_no_more_than_so_much_a_minute(desk_bench: Bench, name: str, form: str) -> None:
    def relay(access: Access) -> list[Routed]:
        ruler = ConfiguredPolicy(config=parse_config(b"", source="defaults"))
        asking = Asking(analyst=FixedAnalyst(), ruler=ruler, clock=desk_bench.clock)
        made = RelayApi(
            access,
            hooks=HookRoute(Permissive(), HOSTS),
            desk=desk_bench.desk,
            alerts=Alerts(desk=desk_bench.desk, asking=asking),
            clock=desk_bench.clock,
            standings={},
            hooks_per_minute=3,
        )
        return [made]

    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP, more=relay) as remote:
            mine, theirs = [bearer(await issued(ours, "ask", name=machine)) for machine in ("laptop", "ci")]
            for _ in range(3):
                assert await told(remote, name, mine) == PASSED
                assert await told(remote, "Stop", mine) == PASSED
            refused = await told(remote, name, mine)
            assert form in refused
            assert TOO_MANY in refused
            assert await told(remote, "Stop", mine) == PASSED  # which leaves no entry
            assert await told(remote, name, theirs) == PASSED
            desk_bench.clock.advance(20)
            assert await told(remote, name, mine) == PASSED
            assert TOO_MANY in await told(remote, name, mine)

    asyncio.run(asyncio.wait_for(story(), 10))
