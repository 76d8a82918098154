"""What is shown is what runs, once; and what can go wrong on the way."""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

import askfirst
from askfirst import (
    AlreadyUsed,
    BrokerUnavailableError,
    Cancelled,
    Denied,
    HumanLayer,
    NotApproved,
    TimedOut,
    require_approval,
)
from askfirst.errors import ConflictError, InputError, NotAllowedError
from askfirst.testing.memory import Act, MemoryBroker, approve, approve_with, deny

ran: list[Any] = []


@pytest.fixture(autouse=True)
def _forget() -> None:
    ran.clear()


@require_approval
def pay(account: str, amount: int, *notes: str, currency: str = "EUR", **more: object) -> str:
    """Pay an invoice."""
    ran.append((account, amount, notes, currency, more))
    return f"paid {amount}"


def test_every_argument_is_shown_positional_ones_and_defaults_too() -> None:
    with MemoryBroker(approve()) as broker:
        assert pay("DE1", 5, "a", "b", reference="r7") == "paid 5"
    assert broker.requests[0]["arguments"] == {
        "account": "DE1",
        "amount": 5,
        "notes": ["a", "b"],
        "currency": "EUR",
        "more": {"reference": "r7"},
    }
    assert ran == [("DE1", 5, ("a", "b"), "EUR", {"reference": "r7"})]


def test_what_the_caller_changes_while_a_person_decides_does_not_run() -> None:
    order = {"lines": [{"item": "screw", "count": 1}]}

    @require_approval
    def send(order: dict[str, Any]) -> int:
        ran.append(order)
        return int(order["lines"][0]["count"])

    def tampering(shown: Mapping[str, Any]) -> Act:
        order["lines"][0]["count"] = 1_000
        assert shown["arguments"] == {"order": {"lines": [{"item": "screw", "count": 1}]}}
        return approve()

    with MemoryBroker(tampering):
        assert send(order) == 1
    assert ran == [{"lines": [{"item": "screw", "count": 1}]}]


def test_a_broker_that_is_away_while_a_person_decides_costs_nothing() -> None:
    def restarting(_shown: object) -> Act:
        broker.fail(7)
        return approve(after_s=150)

    with MemoryBroker(restarting) as broker:
        assert pay("DE1", 5) == "paid 5"
    assert len(broker.requests) == 1
    assert len(ran) == 1


@pytest.mark.parametrize("call", ["requests", "wait", "redeem", "outcome"])
def test_a_lost_answer_asks_nobody_twice_and_runs_nothing_twice(call: str) -> None:
    class Losing(MemoryBroker):
        def send(self, send: Any) -> Any:
            if call in send.path.split("?")[0].rsplit("/", 1) and not ran_out:
                ran_out.append(True)
                self.lose_answers()
            return super().send(send)

    ran_out: list[bool] = []
    with Losing(approve()) as broker:
        assert pay("DE1", 5) == "paid 5"
    assert (len(broker.requests), len(ran)) == (1, 1)
    assert broker.requests[0]["grant"]["state"] == "executed"


def test_a_broker_that_never_comes_back_is_an_error_and_nothing_runs() -> None:
    with MemoryBroker(approve()) as broker:
        broker.fail(1_000)
        with pytest.raises(BrokerUnavailableError, match="restarting"):
            pay("DE1", 5)
    assert ran == []


@pytest.mark.parametrize(
    ("reviewer", "kind"),
    [(deny("no"), Denied), (None, TimedOut), (approve(after_s=601), TimedOut)],
)
def test_without_an_approval_nothing_runs_and_the_reason_has_its_own_class(
    reviewer: Any, kind: type[NotApproved]
) -> None:
    with MemoryBroker(reviewer), pytest.raises(kind) as caught:
        pay("DE1", 5)
    assert bool(caught.value), "a false exception is taken for none by concurrent.futures and others"
    assert ran == []


def test_a_withdrawn_request_is_cancelled() -> None:
    def withdrawing(shown: Mapping[str, Any]) -> None:
        from askfirst.sdk.steps import Send  # noqa: PLC0415

        broker.send(Send(method="POST", path=f"/v1/requests/{shown['id']}/cancel", body={}))

    with MemoryBroker(withdrawing) as broker, pytest.raises(Cancelled):
        pay("DE1", 5)
    assert ran == []


def test_an_exception_of_the_function_is_the_callers_and_recorded_as_failed() -> None:
    class BrokeError(Exception):
        pass

    @require_approval
    def breaking() -> None:
        raise BrokeError("secret detail")

    with MemoryBroker(approve()) as broker, pytest.raises(BrokeError, match="secret detail"):
        breaking()
    assert broker.requests[0]["grant"] | {"expires_at_ms": 0} == {
        "state": "executed",
        "expires_at_ms": 0,
        "outcome": "failed",
        "detail": "BrokeError",
    }


def test_an_outcome_that_cannot_be_reported_hides_no_result(caplog: pytest.LogCaptureFixture) -> None:
    @require_approval
    def breaking_the_broker() -> str:
        broker.fail(100)
        return "done"

    with MemoryBroker(approve()) as broker:
        assert breaking_the_broker() == "done"
    assert "could not be reported" in caplog.text


def test_an_approval_of_other_arguments_runs_nothing_and_says_which() -> None:
    with MemoryBroker(approve_with({"account": "DE1", "amount": 4}, "four at most")), pytest.raises(Denied) as caught:
        pay("DE1", 5)
    assert caught.value.changed_arguments == {"account": "DE1", "amount": 4}
    assert ran == []


def test_a_deny_that_overtakes_the_approval_wins() -> None:
    class Overtaken(MemoryBroker):
        def send(self, send: Any) -> Any:
            if send.path.endswith("/redeem"):
                kept = self._kept[send.path.split("/")[3]]
                kept.shown["grant"]["state"] = "revoked"
            return super().send(send)

    with Overtaken(approve()), pytest.raises(Denied, match="taken back"):
        HumanLayer(run_id="r").require_approval(pay.__wrapped__)("DE1", 5)  # type: ignore[attr-defined]  # functools.wraps sets it
    assert ran == []


# -- resuming ---------------------------------------------------------------------------------------------------------


def test_a_run_that_crashed_while_waiting_joins_its_request_again() -> None:
    class CrashError(Exception):
        pass

    def crashing(_shown: object) -> None:
        raise CrashError

    with MemoryBroker(crashing) as broker:
        with pytest.raises(CrashError):
            HumanLayer(run_id="run-1").require_approval(pay.__wrapped__)("DE1", 5)  # type: ignore[attr-defined]
        broker.review(broker.requests[0]["id"], approve())
        assert HumanLayer(run_id="run-1").require_approval(pay.__wrapped__)("DE1", 5) == "paid 5"  # type: ignore[attr-defined]
    assert (len(broker.requests), len(ran)) == (1, 1)


def test_what_a_run_has_executed_before_it_crashed_is_not_executed_again() -> None:
    with MemoryBroker(approve()) as broker:
        for _ in range(2):  # the second call of one run is another one
            HumanLayer(run_id="run-1").require_approval(pay.__wrapped__)
        first = HumanLayer(run_id="run-1").require_approval(pay.__wrapped__)  # type: ignore[attr-defined]
        assert (first("DE1", 5), first("DE1", 5)) == ("paid 5", "paid 5")
        again = HumanLayer(run_id="run-1").require_approval(pay.__wrapped__)  # type: ignore[attr-defined]
        with pytest.raises(AlreadyUsed) as caught:
            again("DE1", 5)
    assert caught.value.outcome == "ok"
    assert (len(broker.requests), len(ran)) == (2, 2)


def test_an_idempotency_key_from_the_arguments_finds_the_request_again_and_no_other_action() -> None:
    layer = HumanLayer()

    @layer.require_approval(idempotency_key=lambda invoice: f"invoice-{invoice}")
    def settle(invoice: int, amount: int) -> int:
        ran.append(invoice)
        return amount

    with MemoryBroker(approve()) as broker:
        assert settle(7, 100) == 100
        with pytest.raises(AlreadyUsed):
            settle(7, 100)
        with pytest.raises(ConflictError):
            settle(7, 999)
        assert settle(8, 1) == 1
    assert (len(broker.requests), ran) == (2, [7, 8])


@pytest.mark.parametrize("key", [lambda invoice: f"invoice-{invoice}", lambda **said: f"invoice-{said['invoice']}"])
def test_an_idempotency_key_sees_what_a_function_takes_by_any_name(key: Callable[..., str]) -> None:
    @HumanLayer().require_approval(idempotency_key=key)
    def settle(**details: int) -> int:
        return details["amount"]

    with MemoryBroker(approve()) as broker:
        assert settle(invoice=7, amount=100) == 100
        with pytest.raises(AlreadyUsed):
            settle(invoice=7, amount=100)
    assert len(broker.requests) == 1


def test_two_threads_that_want_the_same_get_one_approval_each() -> None:
    results: list[str] = []
    with MemoryBroker(approve()) as broker:
        threads = [threading.Thread(target=lambda: results.append(pay("DE1", 5))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
    assert len(results) == len(ran) == len(broker.requests) == 8


def test_an_approval_that_somebody_else_used_is_asked_for_anew() -> None:
    class Joining(MemoryBroker):
        """As the real broker does: a pending request about the same action is joined."""

        used = False

        def send(self, send: Any) -> Any:
            if send.path.endswith("/redeem") and not self.used:
                self.used = True
                other = {**(send.body or {}), "attempt": "somebody-else"}
                super().send(type(send)(method="POST", path=send.path, body=other))
            return super().send(send)

    with Joining(approve()) as broker:
        assert pay("DE1", 5) == "paid 5"
    assert [each["grant"]["state"] for each in broker.requests] == ["redeemed", "executed"]
    assert len(ran) == 1


# -- kinds of functions -----------------------------------------------------------------------------------------------


class Shop:
    def __init__(self) -> None:
        self.closed = False

    @require_approval(reason="the day is over")
    def close(self, at: str) -> str:
        self.closed = True
        return at

    @require_approval
    async def aclose(self, at: str) -> str:
        self.closed = True
        return at

    @classmethod
    @require_approval
    def found(cls, name: str) -> str:
        return f"{cls.__name__} {name}"

    @staticmethod
    @require_approval
    def open(name: str) -> str:
        return name


def test_methods_keep_their_object_and_show_only_their_arguments() -> None:
    shop = Shop()
    with MemoryBroker(approve()) as broker:
        assert (shop.close("18:00"), Shop.found("x"), Shop.open("y")) == ("18:00", "Shop x", "y")
        assert asyncio.run(shop.aclose("19:00")) == "19:00"
    assert shop.closed
    assert [(each["tool"], each["arguments"].get("at")) for each in broker.requests] == [
        ("Shop.close", "18:00"),
        ("Shop.found", None),
        ("Shop.open", None),
        ("Shop.aclose", "19:00"),
    ]
    assert broker.requests[0]["arguments"]["self"] == {"$object": f"{__name__}.Shop"}


def test_a_gated_function_looks_like_itself_to_frameworks() -> None:
    assert pay.__name__ == "pay"
    assert pay.__doc__ == "Pay an invoice."
    assert list(inspect.signature(pay).parameters) == ["account", "amount", "notes", "currency", "more"]
    assert inspect.iscoroutinefunction(Shop.aclose)


def test_generators_and_what_is_no_function_are_refused_with_a_sentence() -> None:
    def generator() -> Iterator[int]:
        yield 1

    async def asynchronous_generator() -> Any:
        yield 1

    for each in (generator, asynchronous_generator):
        with pytest.raises(TypeError, match="its body would run piece by piece"):
            require_approval(each)
    with pytest.raises(TypeError, match="takes a function"):
        require_approval(Shop)
    with pytest.raises(TypeError, match="takes a function"):
        require_approval(staticmethod(len))


def test_an_asynchronous_call_that_is_cancelled_leaves_its_request_to_be_joined() -> None:
    started = asyncio.Event()

    class Slow(MemoryBroker):
        async def send_async(self, send: Any) -> Any:
            if send.path.count("wait"):
                started.set()
                await asyncio.Event().wait()
            return self.send(send)

    @require_approval
    async def never() -> None:
        ran.append("ran")

    async def story() -> None:
        task = asyncio.create_task(never())
        await asyncio.wait_for(started.wait(), 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with Slow(approve()) as broker:
        asyncio.run(story())
    assert broker.requests[0]["state"] == "pending"
    assert ran == []


# -- wrong use --------------------------------------------------------------------------------------------------------


def test_unknown_keywords_are_errors() -> None:
    with pytest.raises(TypeError, match="contact_chanel"):
        require_approval(contact_chanel="slack:#x")  # type: ignore[call-overload]  # what is tested
    with pytest.raises(TypeError, match="contact_chanels"):
        HumanLayer(contact_chanels={})  # type: ignore[call-arg]  # what is tested
    with pytest.raises(TypeError, match="missing a required argument: 'amount'"):
        pay("DE1", amonut=5)  # type: ignore[call-arg]  # what is tested


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"contact_channel": "critcal"}, "did you mean 'critical'"),
        ({"contact_channel": "nowhere"}, "known names: critical"),
        ({"timeout": 0}, "expected 1 to"),
        ({"on_timeout": "approve"}, "expected reject, escalate, auto_approve"),
        ({"on_timeout": "escalate"}, "needs escalate_to"),
    ],
)
def test_settings_that_cannot_be_are_refused_at_once(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        HumanLayer(contact_channels={"critical": "slack:#x"}).require_approval(**wrong)


def test_a_channel_that_the_broker_does_not_have_is_refused_with_the_fix() -> None:
    @require_approval(contact_channel="slack:#x")
    def gated() -> None:
        ran.append("ran")

    with MemoryBroker(approve(), schemes={"web"}), pytest.raises(InputError, match="there is no channel for slack:#x"):
        gated()
    assert ran == []


def test_a_deadline_does_not_approve_unless_a_rule_lets_it() -> None:
    @require_approval(on_timeout="auto_approve")
    def gated() -> None:
        ran.append("ran")

    with MemoryBroker(None), pytest.raises(NotAllowedError):
        gated()
    assert ran == []


@pytest.mark.parametrize("confidence", [1.5, -0.1, "high", True])
def test_a_confidence_is_a_share(confidence: Any) -> None:
    gated = require_approval(confidence=confidence)(pay.__wrapped__)  # type: ignore[attr-defined]
    with MemoryBroker(approve()), pytest.raises(InputError, match="from 0 to 1"):
        gated("DE1", 5)


def test_explanations_may_depend_on_the_arguments() -> None:
    @require_approval(
        reason=lambda amount: f"{amount} EUR are due",
        impact="money leaves",
        rollback_plan="recall it",
        confidence=lambda **values: 0.5 if values["amount"] > 10 else 0.99,
        signals=["amount outlier"],
    )
    def transfer(account: str, amount: int) -> None:
        """Transfer money."""

    with MemoryBroker(approve()) as broker:
        transfer("DE1", 5)
    assert broker.requests[0]["claim"] == {
        "reason": "5 EUR are due",
        "impact": "money leaves",
        "rollback_plan": "recall it",
        "confidence": 0.99,
        "signals": ["amount outlier"],
    }


def test_results_are_true_or_false() -> None:
    with MemoryBroker(approve("go"), deny("no"), None):
        yes = askfirst.request_approval("deploy", {"when": dt.date(2026, 11, 25)}, reason="release day")
        no = askfirst.request_approval("deploy")
        late = askfirst.request_approval("deploy")
    assert yes
    assert isinstance(yes, askfirst.Approval)
    assert (yes.by, yes.comment) == ("local:ann", "go")
    assert not no
    assert isinstance(no, askfirst.Refusal)
    assert isinstance(no.error, Denied)
    assert str(no).startswith("Denied: `deploy` was denied")
    assert not late
    assert isinstance(late, askfirst.Refusal)
    assert isinstance(late.error, TimedOut)
