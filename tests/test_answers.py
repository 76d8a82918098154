"""What agents are told: each text says which of its kinds it is, in its first word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from askfirst import answers
from askfirst.call import ToolCall
from askfirst.effects import Risk
from askfirst.engine import Case
from askfirst.policy.ruling import Outcome, Ruling
from askfirst.request import End, RequestState, Review, Verdict
from askfirst.testing.bench import a_draft, a_request

CALL = ToolCall(tool="Bash", arguments={"command": "git push --force"})
RULING = Ruling(
    outcome=Outcome.DENY, policy="user", policy_digest="0" * 64, rule="no-force", reason="never", risk=Risk.HIGH
)


def case(state: RequestState, *, stop: bool = False) -> Case:
    end = None if state is RequestState.PENDING else End(at_ms=0, by="local:ann", channel="web", text="no", stop=stop)
    return Case(request=replace(a_request(a_draft()), state=state, end=end))


def asked_back() -> Case:
    pending = case(RequestState.PENDING)
    review = Review(
        decision_id="d",
        request_id=pending.request.id,
        version=1,
        action_digest=pending.request.action_digest,
        person="local:ann",
        channel="web",
        verdict=Verdict.NEEDS_INFO,
        text="why?",
        assurance=1,
        at_ms=0,
        counted=True,
    )
    return replace(pending, reviews=(review,))


TEXTS = {
    "denied": ("Denied", answers.refusal(case(RequestState.DENIED))),
    "told to stop": ("Denied", answers.refusal(case(RequestState.DENIED, stop=True), CALL, "f" * 64)),
    "denied by the policy": ("Denied", answers.by_policy(CALL, RULING)),
    "nobody to ask": ("Denied", answers.nobody_to_ask(CALL, "there is no channel")),
    "expired": ("Expired", answers.refusal(case(RequestState.EXPIRED))),
    "pending": ("Pending", answers.refusal(case(RequestState.PENDING))),
    "asked back": ("Pending", answers.refusal(asked_back())),
    "withdrawn": ("Withdrawn", answers.refusal(case(RequestState.CANCELLED))),
    "withdrawn by a stop": ("Withdrawn", answers.refusal(case(RequestState.CANCELLED, stop=True))),
    "replaced": ("Replaced", answers.refusal(case(RequestState.SUPERSEDED))),
    "used": ("Used", answers.refusal(case(RequestState.APPROVED))),
    "unavailable": ("Unavailable", answers.unavailable("the store is full")),
}


@pytest.mark.parametrize(("word", "text"), TEXTS.values(), ids=TEXTS)
def test_the_first_word_says_what_it_is_and_only_denials_are_called_so(word: str, text: str) -> None:
    """I4: a timeout is not a denial, and neither is a wait or a gate that does not work (P22, P24)."""
    assert text.startswith(f"{word}: ")
    if word != "Denied":
        assert "denied" not in text.lower()
    if word in {"Expired", "Unavailable"}:
        assert "not a denial" in text


def test_every_state_has_a_text() -> None:
    for state in RequestState:
        assert answers.refusal(case(state)).endswith((".", '".'))


@pytest.mark.parametrize(("_word", "text"), TEXTS.values(), ids=TEXTS)
def test_no_text_is_a_command_or_claims_authority(_word: str, text: str) -> None:
    assert "approved by" not in text.lower()
    assert "you may run" not in text.lower()


@pytest.mark.parametrize(("timeout_s", "until"), [(600, "08:10 UTC)"), (86_400 * 20, "08:00 UTC on 4 Feb)")])
def test_a_deadline_on_another_day_is_told_with_its_day(timeout_s: int, until: str) -> None:
    pending = case(RequestState.PENDING)
    at_ms = pending.request.created_at_ms + timeout_s * 1000
    terms = replace(pending.request.terms, approval_expires_at_ms=at_ms)
    text = answers.refusal(replace(pending, request=replace(pending.request, terms=terms)))
    assert f"open until {until}" in text
