"""What a delivery says: GitHub's own examples, and a few of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.errors import ChannelError
from askfirst.inbound import Decision, Ignored, Linking, Retraction, Undo
from channels.github.deliveries import EVENTS, envelope, says
from channels.github.place import conversation_of
from channels.grammar import command_of

ROOT = Path(__file__).resolve().parents[3]
CODE = "9F2C1A-1b2c3d4e"
CONVERSATION = conversation_of("acme/api#12")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


def examples() -> list[tuple[str, Any]]:
    """Every example payload with its event; missing is an error, never a skip."""
    lines = (ROOT / "tools/pins.env").read_text().splitlines()
    pins = dict(line.split("=") for line in lines if line and line[0] != "#")
    home = ROOT / f".cache/npm/webhook-examples-{pins['WEBHOOK_EXAMPLES']}/node_modules/@octokit/webhooks-examples"
    index = home / "api.github.com/index.json"
    if not index.exists():
        pytest.fail(f"{index} is missing: run `make test`, or once `python3 tools/install.py webhook-examples`")
    found = json.loads(index.read_text(encoding="utf-8"))
    return [(event["name"], payload) for event in found for payload in event["examples"]]


@pytest.mark.slow
def test_no_example_of_githubs_own_breaks_the_parser_or_counts_as_a_decision() -> None:
    all_of_them = examples()
    assert len(all_of_them) == 329
    for event, payload in all_of_them:
        for reviews in ("code", "off"):
            found = says(envelope(event, "delivery-1", payload), reviews=reviews)  # type: ignore[arg-type]  # one of three
            assert found, event
            assert all(isinstance(each, Ignored | Retraction) for each in found), (event, payload.get("action"))
    assert {event for event, _ in all_of_them} >= EVENTS


@pytest.mark.slow
def test_the_examples_of_comments_and_reviews_are_understood() -> None:
    """With the words of a decision in their place they are decisions, so the fields are those that GitHub sends."""
    heard = 0
    for event, payload in examples():
        part = {"issue_comment": "comment", "pull_request_review": "review"}.get(event)
        if part is None or payload["action"] not in {"created", "submitted"}:
            continue
        changed = {**payload, part: {**payload[part], "body": f"/approve {CODE}", "state": "approved"}}
        [decision] = says(envelope(event, "delivery-1", changed))
        assert isinstance(decision, Decision)
        assert decision.doubt == ""
        heard += 1
    assert heard >= 3


def comment(body: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": 998877,
        "node_id": "IC_1",
        "user": {"id": 583231, "login": "ann", "type": "User"},
        "body": body,
        "created_at": "2026-01-02T03:04:05Z",
        "updated_at": "2026-01-02T03:04:05Z",
        **changes,
    }


def polled(body: str, **changes: Any) -> tuple[Any, ...]:
    return says(envelope("polled.comment", "d", comment(body, **changes), CONVERSATION))


def test_a_command_is_what_it_says() -> None:
    [found] = polled(f"/deny {CODE} not now")
    assert isinstance(found, Decision)
    assert (found.delivery, found.origin.identity, found.origin.recipient) == (
        "comment:998877",
        "github:583231",
        "github:acme/api#12",
    )
    assert (found.reference.code, found.verdict.value, found.text, found.assurance) == (CODE, "deny", "not now", 1)
    [undo] = polled(f"/undo {CODE} 1")
    assert isinstance(undo, Undo)
    assert undo.turn == 1
    [link] = polled("/link ABCD-EFGH")
    assert isinstance(link, Linking)
    assert link.link_code == "ABCD-EFGH"
    [scoped] = polled(f"/approve {CODE} uses:5")
    assert (scoped.scope, scoped.text) == ("uses:5", "")


def test_what_a_look_finds_again_is_as_old_as_github_says() -> None:
    at = "2026-01-02T03:04:05Z"
    ann = {"id": 583231, "login": "ann", "type": "User"}
    review = {"id": 5, "user": ann, "body": f"/approve {CODE}", "state": "APPROVED", "submitted_at": at}
    for event, payload in (("polled.comment", comment(f"/approve {CODE}")), ("polled.review", review)):
        [decision] = says(envelope(event, "delivery-1", payload, CONVERSATION), reviews="code")
        assert isinstance(decision, Decision)
        assert decision.origin.at_ms == 1_767_323_045_000
    undated = {**review, "submitted_at": None}
    [decision] = says(envelope("polled.review", "delivery-1", undated, CONVERSATION), reviews="code")
    assert isinstance(decision, Decision)
    assert decision.origin.at_ms == 0


def test_an_edited_comment_takes_back_and_decides_nothing() -> None:
    back, again = polled(f"/approve {CODE}", updated_at="2026-01-02T03:05:05Z")
    assert isinstance(back, Retraction)
    assert back.retracted == "comment:998877"
    assert isinstance(again, Decision)
    assert "edited" in again.doubt
    assert again.delivery != back.retracted


@pytest.mark.parametrize("action", ["edited", "deleted"])
@pytest.mark.parametrize("earlier", [f"/approve {CODE}", "hello"])
def test_only_what_was_a_command_before_is_taken_back(action: str, earlier: str) -> None:
    payload = {
        "action": action,
        "issue": {"number": 12},
        "comment": comment("never mind" if action == "edited" else earlier),
        "changes": {"body": {"from": earlier}} if action == "edited" else {},
        "repository": {"full_name": "acme/api"},
        "sender": {"id": 1, "login": "bob", "type": "User"},
    }
    found = says(envelope("issue_comment", "d", payload))
    assert isinstance(found[0], Retraction if command_of(earlier) else Ignored)


BUTTON = {
    "action": "requested_action",
    "check_run": {"id": 5, "external_id": f"{'0' * 26}:2:{'a' * 64}:12", "head_sha": "b" * 40},
    "requested_action": {"identifier": "approve"},
    "repository": {"full_name": "acme/api"},
    "sender": {"id": 583231, "login": "ann", "type": "User"},
}


def test_a_press_names_request_version_and_digest_and_is_worth_more_than_words() -> None:
    [found] = says(envelope("check_run", "guid", BUTTON))
    assert isinstance(found, Decision)
    assert (found.assurance, found.verdict.value, found.reference.version) == (2, "approve", 2)
    assert found.origin.recipient == "github:acme/api#12"


@pytest.mark.parametrize(
    "changes",
    [
        {"action": "created"},
        {"action": "rerequested"},
        {"requested_action": {"identifier": "fix"}},
        {"requested_action": None},
        {"check_run": {"id": 5, "external_id": ""}},
        {"check_run": {"id": 5, "external_id": None}},
        {"check_run": {"id": 5, "external_id": "a:b:c:d"}},
        {"check_run": {"id": 5, "external_id": f"{'0' * 26}:2:{'a' * 64}:{'9' * 30}"}},
        {"repository": {"full_name": "../.."}},
    ],
)
def test_other_checks_are_no_business_of_ours(changes: dict[str, Any]) -> None:
    assert all(isinstance(each, Ignored) for each in says(envelope("check_run", "guid", {**BUTTON, **changes})))


@given(st.sampled_from(sorted(EVENTS | {"polled.comment", "polled.review", "polled.gone", "polled.reaction"})), JSON)
def test_nothing_breaks_the_parser_and_nonsense_decides_nothing(event: str, payload: Any) -> None:
    raw = json.dumps({"event": event, "delivery": "d", "conversation": "acme/api#1", "payload": payload}).encode()
    assert all(isinstance(each, Ignored | Retraction) for each in says(raw))


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"null", b"\xff", b'{"event": 1}', b"[" * 100_000])
def test_what_is_no_envelope_is_refused_for_good(raw: bytes) -> None:
    with pytest.raises(ChannelError) as caught:
        says(raw)
    assert caught.value.is_permanent
