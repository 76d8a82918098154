"""The snippets that people paste: as they are published, but for the name of the package."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from askfirst import Denied, TimedOut
from askfirst.testing.memory import MemoryBroker, answer, approve, deny

CORE = '''
from humanlayer import require_approval, human_as_tool

# Require human approval before execution
@require_approval(contact_channel="slack:#approvals")
def delete_user(user_id: str) -> bool:
    """Delete a user account permanently."""
    return db.delete_user(user_id)

# Human as a tool - agent can ask human for input
@human_as_tool(contact_channel="slack:#support")
def get_human_guidance(question: str) -> str:
    """Ask a human for guidance on a complex decision."""
    pass
'''

CONFIGURATION = """
from humanlayer import HumanLayer

hl = HumanLayer(
    api_key="your-api-key",
    contact_channels={
        "default": "slack:#dev-approvals",
        "critical": "slack:#critical-approvals",
        "async": "email:team@company.com"
    }
)
"""

EXPLAIN = '''
@require_approval
def execute_with_explanation(action: Action) -> Result:
    """
    Approval request includes:
    - Clear signal: "vendor mismatch" or "amount outlier"
    - Impact summary
    - Rollback plan
    - Confidence score
    """
    return execute(action)
'''

SENSITIVE = """
from humanlayer import require_approval

@require_approval(
    contact_channel="slack:#approvals",
    timeout=3600  # 1 hour timeout
)
async def sensitive_operation(params):
    return await execute(params)
"""

ON_TIMEOUT = """
@require_approval(
    timeout=3600,
    on_timeout="reject",  # or "escalate", "auto_approve"
    escalate_to="slack:#critical-approvals"
)
"""

GRADUATED = """
class GraduatedAutonomy:
    def __init__(self, agent_id: str):
        self.agent_id = agent_id
        self.trust_level = 0  # Start at zero trust

    async def execute(self, action: Action) -> Result:
        if self.trust_level < action.risk_threshold:
            # Requires human approval
            approval = await self.request_approval(action)
            if not approval:
                return Result.rejected()

        result = await self.agent.execute(action)

        # Track outcomes to adjust trust
        await self.record_outcome(action, result)

        return result

    async def record_outcome(self, action, result):
        if result.success:
            self.trust_level += 0.1
        else:
            self.trust_level -= 0.5  # Failures penalized heavily
"""

NAMES = "from askfirst import require_approval\nfrom dataclasses import dataclass\n"


def pasted(snippet: str, **names: Any) -> dict[str, Any]:
    """The names that a snippet defines."""
    made: dict[str, Any] = dict(names)
    exec(snippet.replace("from humanlayer import", "from askfirst import"), made)  # noqa: S102  # our own texts above
    return made


class Database:
    def __init__(self) -> None:
        self.deleted: list[str] = []

    def delete_user(self, user_id: str) -> bool:
        self.deleted.append(user_id)
        return True


def test_core_decorators_ask_on_their_channels_and_run_once() -> None:
    db = Database()
    names = pasted(CORE, db=db)
    with MemoryBroker(approve(), answer("Ask Bob.")) as broker:
        assert names["delete_user"]("u1") is True
        assert names["get_human_guidance"]("Which region?") == "Ask Bob."
    assert db.deleted == ["u1"]
    first, second = broker.requests
    assert (first["tool"], first["arguments"], first["recipients"]) == (
        "delete_user",
        {"user_id": "u1"},
        ["slack:#approvals"],
    )
    assert first["claim"]["reason"] == "Delete a user account permanently."
    assert (first["grant"]["state"], first["grant"]["outcome"]) == ("executed", "ok")
    assert (second["question"], second["recipients"]) == ("Which region?", ["slack:#support"])


def test_the_configuration_routes_by_name() -> None:
    hl = pasted(CONFIGURATION)["hl"]

    @hl.require_approval
    def small() -> str:
        return "done"

    @hl.require_approval(contact_channel="critical")
    def large() -> str:
        return "done"

    @hl.human_as_tool(contact_channel="async")
    def ask(question: str) -> str: ...

    with MemoryBroker(approve(), approve(), answer("yes")) as broker:
        assert (small(), large(), ask("Now?")) == ("done", "done", "yes")
    assert [each["recipients"] for each in broker.requests] == [
        ["slack:#dev-approvals"],
        ["slack:#critical-approvals"],
        ["email:team@company.com"],
    ]


def test_an_action_that_explains_itself_is_shown_with_its_explanation() -> None:
    action = pasted(
        NAMES
        + "@dataclass\nclass Action:\n    name: str\n    impact: str\n    rollback_plan: str\n    confidence: float\n"
        + "    signals: list[str]\nResult = str\n"
        + "execute = lambda action: 'paid ' + action.name\n"
        + EXPLAIN
    )
    told = action["Action"](
        name="invoice 7",
        impact="pays 4,000 EUR",
        rollback_plan="recall the transfer within a day",
        confidence=0.72,
        signals=["vendor mismatch"],
    )
    with MemoryBroker(approve()) as broker:
        assert action["execute_with_explanation"](told) == "paid invoice 7"
    claim = broker.requests[0]["claim"]
    assert (claim["impact"], claim["rollback_plan"], claim["confidence"], claim["signals"]) == (
        "pays 4,000 EUR",
        "recall the transfer within a day",
        0.72,
        ["vendor mismatch"],
    )


def test_an_asynchronous_operation_waits_an_hour_for_its_channel() -> None:
    async def execute(params: dict[str, int]) -> int:
        return params["n"] + 1

    operation = pasted(SENSITIVE, execute=execute)["sensitive_operation"]
    with MemoryBroker(approve(after_s=3_500)) as broker:
        assert asyncio.run(operation({"n": 1})) == 2
    request = broker.requests[0]
    assert request["approval_expires_at_ms"] - request["created_at_ms"] == 3_600_000


@pytest.mark.parametrize("on_timeout", ["reject", "escalate", "auto_approve"])
def test_the_deadline_does_what_the_snippet_says(on_timeout: str) -> None:
    snippet = NAMES + ON_TIMEOUT.replace('"reject",', f'"{on_timeout}",') + "def deploy():\n    return 'deployed'\n"
    deploy = pasted(snippet)["deploy"]
    with MemoryBroker(approve(after_s=5_000), may_auto_approve=True) as broker:
        if on_timeout == "reject":
            with pytest.raises(TimedOut, match="this is not a denial"):
                deploy()
            return
        assert deploy() == "deployed"
    request = broker.requests[0]
    assert request["end"]["by"] == {"escalate": "local:ann", "auto_approve": "deadline"}[on_timeout]
    assert request["recipients"] == (["slack:#critical-approvals"] if on_timeout == "escalate" else [])


def test_graduated_autonomy_rejects_what_a_person_denied_and_runs_what_they_approved() -> None:
    names = pasted(
        "from dataclasses import dataclass\nfrom askfirst import request_approval_async\n"
        "@dataclass\nclass Action:\n    name: str\n    risk_threshold: float = 1.0\n"
        "@dataclass\nclass Result:\n    success: bool\n"
        "    @classmethod\n    def rejected(cls):\n        return 'rejected'\n" + GRADUATED
    )

    class Agent:
        async def execute(self, action: Any) -> Any:
            return names["Result"](success=True)

    class Layered(names["GraduatedAutonomy"]):  # type: ignore[misc]  # made from a text
        agent = Agent()

        async def request_approval(self, action: Any) -> Any:
            return await names["request_approval_async"](action.name, {"by": self.agent_id})

    layered = Layered("agent-1")
    with MemoryBroker(deny("not today"), approve()):
        assert asyncio.run(layered.execute(names["Action"]("drop"))) == "rejected"
        assert asyncio.run(layered.execute(names["Action"]("keep"))).success
    assert layered.trust_level == pytest.approx(0.1)


def test_a_denial_reaches_a_model_in_words_it_can_act_on() -> None:
    delete_user = pasted(CORE, db=Database())["delete_user"]
    with MemoryBroker(deny("the account has an active subscription")), pytest.raises(Denied) as caught:
        delete_user("u1")
    assert str(caught.value) == (
        "Denied: `delete_user` was denied by local:ann (request 000000-"
        f'{caught.value.code[-8:]}). They say: "the account has an active subscription". '
        "Do not retry it and do not reach the same effect another way."
    )
