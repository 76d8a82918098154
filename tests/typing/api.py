"""Our public API as a reader's program uses it; read by mypy, pyright and ty, never run."""

from __future__ import annotations

import askfirst
from askfirst import Answer, Approval, Cancelled, Denied, HumanLayer, Refusal, TimedOut, human_as_tool, require_approval
from askfirst.testing.memory import MemoryBroker, approve, deny


@require_approval
def bare(user_id: str, count: int = 1) -> bool:
    return bool(user_id) and count > 0


@require_approval(contact_channel="slack:#approvals", timeout=3600, on_timeout="escalate", escalate_to="slack:#oncall")
async def routed(params: dict[str, int]) -> int:
    return params["n"]


class Shop:
    @require_approval(reason="the day is over", confidence=lambda at: 0.5 if at else 0.9, signals=["late"])
    def close(self, at: str) -> str:
        return at

    @classmethod
    @require_approval
    def found(cls, name: str) -> Shop:
        return cls()


@human_as_tool(contact_channel="slack:#support")
def guidance(question: str) -> str:
    raise NotImplementedError


layer = HumanLayer(api_key="key", contact_channels={"default": "slack:#dev"}, run_id="run-1")


@layer.require_approval
def layered(name: str) -> bytes:
    return name.encode()


@layer.human_as_tool(options=["a", "b"])
async def choice(question: str) -> str:
    raise NotImplementedError


def functions_keep_their_types() -> None:
    flag: bool = bare("u1", count=2)
    text: str = Shop().close("18:00")
    shop: Shop = Shop.found("x")
    answer: str = guidance("Where?")
    data: bytes = layered("n")
    print(flag, text, shop, answer, data)


async def coroutines_stay_coroutines() -> None:
    number: int = await routed({"n": 1})
    chosen: str = await choice("Which?")
    print(number, chosen)


def decisions_are_told_apart() -> str:
    decided = askfirst.request_approval("deploy", {"to": "prod"}, confidence=0.9)
    match decided:
        case Approval():
            return decided.by
        case Refusal(error=Denied() as denied):
            return denied.comment
        case Refusal(error=TimedOut() | Cancelled()):
            return str(decided)
        case _:
            return ""


def answers_are_told_apart() -> str:
    answered = askfirst.ask_human("How many?", options=["1", "2"])
    return answered.text if isinstance(answered, Answer) else str(answered)


def tests_use_a_broker_in_memory() -> None:
    with MemoryBroker(
        approve("fine"), deny("no"), lambda request: approve() if request["risk"] == "low" else None
    ) as it:
        bare("u1")
    print(it.requests[0]["state"])
