"""What the tools do and say, over a broker in memory."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from askfirst.sdk.steps import Reply, Send, drive
from askfirst.testing.memory import Act, MemoryBroker, answer, approve, deny
from mcp_server import calls
from mcp_server.caller import Caller, from_environment, from_meta
from mcp_server.tools import SCHEMAS, TOOLS

ME = Caller("claude-code", "session-1", "/srv/p", "model-1")
OTHER = Caller("claude-code", "session-2", "/srv/p")
PUSH = {"action": "push", "command": "git push --force", "reason": "rewrite"}
DEPLOY = {"action": "deploy", "arguments": {"to": "prod"}, "reason": "release"}


def told(broker: MemoryBroker, name: str, arguments: dict[str, Any], caller: Caller = ME) -> calls.Told:
    ticks: list[float] = []
    context = calls.Context(caller=caller, now_ms=broker.now_ms, progress=lambda seconds, _text: ticks.append(seconds))
    result = drive(calls.call(name, arguments, context), broker)
    assert ticks == sorted(set(ticks))
    return result


def result(broker: MemoryBroker, name: str, arguments: dict[str, Any], caller: Caller = ME) -> dict[str, Any]:
    found = told(broker, name, arguments, caller)
    assert found.structured is not None
    assert json.loads(found.text) == found.structured
    return found.structured


def test_an_approved_command_is_to_be_run_as_it_is_and_keeps_its_grant_for_the_hook() -> None:
    broker = MemoryBroker(approve("go", after_s=20))
    found = result(broker, "request_approval", PUSH)
    assert (found["status"], found["by"], found["comment"]) == ("approved", "local:ann", "go")
    assert "Run exactly this command" in found["next"]
    assert found["next"].endswith("git push --force")
    [request] = broker.requests
    assert request["grant"]["state"] == "issued"
    assert (request["host"], request["session"], request["tool"]) == ("claude-code", "session-1", "Bash")


def test_a_client_that_names_no_session_is_known_by_what_its_hook_has_seen() -> None:
    broker = MemoryBroker(approve())
    unknown = Caller("mcp", "folder-1", "/srv/p")
    broker.sighting = {"host": "gemini", "session": "session-9", "model": "", "cwd": "/srv/q"}
    assert result(broker, "request_approval", PUSH, unknown)["status"] == "approved"
    [request] = broker.requests
    assert (request["host"], request["session"]) == ("gemini", "session-9")
    assert [each.body["cwd"] for each in broker.sent if each.path == "/v1/requests" and each.body] == ["/srv/q"]
    broker.sighting = {"host": "", "session": "", "model": "", "cwd": ""}
    assert result(broker, "get_request", {"id": request["id"]}, unknown)["status"] == "refused"
    assert result(broker, "request_approval", PUSH, unknown)["status"] == "approved"
    assert broker.requests[1]["session"] == "folder-1"


def test_a_caller_that_names_its_session_is_not_looked_for() -> None:
    broker = MemoryBroker(approve())
    broker.sighting = {"host": "gemini", "session": "session-9", "model": "", "cwd": "/srv/q"}
    result(broker, "request_approval", PUSH)
    assert broker.requests[0]["session"] == "session-1"


def test_an_approved_action_is_handed_out_once() -> None:
    broker = MemoryBroker(approve())
    assert "Do exactly this, once" in result(broker, "request_approval", DEPLOY)["next"]
    assert broker.requests[0]["grant"]["state"] == "redeemed"
    request_id = broker.requests[0]["id"]
    assert result(broker, "get_request", {"id": request_id})["status"] == "used"
    assert result(broker, "request_approval", DEPLOY)["status"] == "approved"
    assert len(broker.requests) == 2


def test_nobody_decides_and_the_call_comes_back_before_hosts_distrust_it() -> None:
    broker = MemoryBroker(None)
    start_ms = broker.now_ms()
    found = result(broker, "request_approval", PUSH)
    assert broker.now_ms() - start_ms == 100_000
    assert found["status"] == "pending"
    assert "call get_request" in found["next"]
    assert found["retry_after_s"] > 0
    waits = [each for each in broker.sent if "/wait" in each.path]
    assert all(each.wait_s <= calls.SLICE_S for each in waits)


def test_the_same_call_joins_its_request_with_other_reasons_and_after_a_restart_of_the_client() -> None:
    broker = MemoryBroker(None)
    first = result(broker, "request_approval", PUSH | {"wait": False})
    again = result(broker, "request_approval", PUSH | {"wait": False, "reason": "said better", "timeout_s": 7})
    other = result(broker, "request_approval", PUSH | {"wait": False, "command": "git push --force origin"})
    assert first["id"] == again["id"] != other["id"]
    broker.review(first["id"], approve())
    assert result(broker, "get_request", {"id": first["id"], "wait_s": 100})["status"] == "approved"


def test_a_denial_answers_the_same_call_for_a_while_and_says_not_to_go_round_it() -> None:
    broker = MemoryBroker(deny("never on a Friday"))
    first, again = result(broker, "request_approval", PUSH), result(broker, "request_approval", PUSH)
    assert first["id"] == again["id"]
    assert first["next"] == (
        'Denied by local:ann. They say: "never on a Friday". Do not retry it and do not reach the same effect another '
        "way."
    )
    broker.advance(601)
    assert result(broker, "request_approval", PUSH)["id"] != first["id"]


def test_what_expired_or_was_withdrawn_is_asked_anew() -> None:
    broker = MemoryBroker(None)
    first = result(broker, "request_approval", PUSH | {"timeout_s": 30})
    assert first["status"] == "expired"
    assert "This is not a denial" in first["next"]
    second = result(broker, "request_approval", PUSH | {"wait": False})
    assert second["id"] != first["id"]
    assert result(broker, "cancel_request", {"id": second["id"]})["status"] == "cancelled"
    third = result(broker, "request_approval", PUSH | {"wait": False})
    assert third["id"] not in {first["id"], second["id"]}


def test_claims_go_with_the_request_and_are_bounded() -> None:
    broker = MemoryBroker(None)
    said = {"impact": "i", "rollback_plan": "r", "confidence": 0.4, "signals": ["s"], "context": "c", "risk": "high"}
    result(broker, "request_approval", PUSH | said | {"wait": False})
    assert broker.requests[0]["claim"] == {
        "reason": "rewrite",
        "impact": "i",
        "rollback_plan": "r",
        "confidence": 0.4,
        "signals": ["s", "action: push", "context: c", "risk: high"],
    }


def test_an_answer_comes_back_as_text_or_as_the_json_that_was_asked_for() -> None:
    broker = MemoryBroker(answer("left"), answer('{"n": 3}'), deny("ask later"))
    assert result(broker, "ask_human", {"question": "Where?", "options": ["left", "right"]})["answer"] == "left"
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    assert result(broker, "ask_human", {"question": "How many?", "schema": schema})["answer"] == {"n": 3}
    assert result(broker, "ask_human", {"question": "Why?"})["status"] == "denied"


def test_another_sessions_requests_are_neither_shown_nor_touched() -> None:
    broker = MemoryBroker(None)
    mine = result(broker, "request_approval", DEPLOY | {"wait": False})
    broker.review(mine["id"], approve())
    for name in ("get_request", "cancel_request", "amend_request"):
        found = told(broker, name, {"id": mine["id"]}, OTHER)
        assert found.is_error
        assert "belongs to another session" in found.text
    assert broker.requests[0]["grant"]["state"] == "issued"


def test_a_permission_prompt_waits_and_answers_in_the_hosts_shape() -> None:
    broker = MemoryBroker(approve(after_s=500), deny("no"), None)
    asked = {"tool_name": "Bash", "input": {"command": "make"}, "tool_use_id": "toolu_1"}
    allowed = told(broker, "permission_prompt", asked)
    assert allowed.structured is None
    assert json.loads(allowed.text) == {"behavior": "allow", "updatedInput": {"command": "make"}}
    assert broker.requests[0]["grant"]["state"] == "redeemed"
    denied = json.loads(told(broker, "permission_prompt", asked | {"tool_use_id": "toolu_2"}).text)
    assert (denied["behavior"], "Denied by local:ann" in denied["message"]) == ("deny", True)
    late = json.loads(told(broker, "permission_prompt", asked | {"tool_use_id": "toolu_3"}).text)
    assert (late["behavior"], "not a denial" in late["message"]) == ("deny", True)


def test_a_permission_that_another_call_took_first_is_not_told_as_an_approval() -> None:
    class Late(MemoryBroker):
        """Another call of the same prompt redeems just before this one."""

        def send(self, send: Send) -> Reply:
            if send.path.endswith("/redeem"):
                super().send(replace(send, body={**(send.body or {}), "attempt": "another-attempt"}))
            return super().send(send)

    asked = {"tool_name": "Bash", "input": {"command": "make"}, "tool_use_id": "toolu_1"}
    answered = json.loads(told(Late(approve()), "permission_prompt", asked).text)
    assert answered == {
        "behavior": "deny",
        "message": "This approval was used already. If it is needed once more, ask again.",
    }


def test_a_broker_that_is_away_is_no_denial_and_no_permission() -> None:
    broker = MemoryBroker(approve())
    broker.fail(1_000)
    found = told(broker, "request_approval", PUSH)
    assert found.is_error
    assert found.structured is not None
    assert found.structured["status"] == "unavailable"
    broker.fail(1_000)
    prompt = json.loads(told(broker, "permission_prompt", {"tool_name": "Bash", "input": {}}).text)
    assert prompt["behavior"] == "deny"


def test_a_broker_that_restarts_meanwhile_is_not_noticed() -> None:
    def restarting(_shown: object) -> Act:
        broker.fail(3)
        return approve(after_s=40)

    broker = MemoryBroker(restarting)
    assert result(broker, "request_approval", PUSH)["status"] == "approved"
    assert len(broker.requests) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("request_approval", {}, "action is missing"),
        ("request_approval", PUSH | {"comand": "x"}, "there is no argument 'comand'"),
        ("request_approval", PUSH | {"confidence": 2}, "confidence is 2, expected 0 to 1"),
        ("request_approval", PUSH | {"confidence": True}, "expected a number"),
        ("request_approval", PUSH | {"signals": ["a", 1]}, "signals[1] is 1, expected a string"),
        ("request_approval", PUSH | {"risk": "huge"}, "expected one of low, medium, high, critical"),
        ("request_approval", PUSH | {"arguments": []}, "expected an object"),
        ("get_request", {"id": "x", "wait_s": 1_000}, "expected 0 to 100"),
        ("get_request", {"id": ""}, "id has 0 characters"),
        ("get_request", {"id": "../healthz"}, "there is no request"),
    ],
)
def test_wrong_arguments_are_told_to_the_model(name: str, arguments: dict[str, Any], sentence: str) -> None:
    found = told(MemoryBroker(None), name, arguments)
    assert found.is_error
    assert sentence in found.text


def test_every_result_fits_the_schema_that_clients_were_told() -> None:
    from jsonschema import Draft202012Validator  # noqa: PLC0415  # comes with the mcp extra

    schema = next(each["outputSchema"] for each in TOOLS if each["name"] == "request_approval")
    check = Draft202012Validator(schema)
    broker = MemoryBroker(approve(), deny("no"), None)
    found = [
        result(broker, "request_approval", PUSH),
        result(broker, "request_approval", DEPLOY),
        result(broker, "request_approval", {"action": "x", "reason": "y"}),
    ]
    for each in found:
        check.validate(each)
    for each in TOOLS:
        Draft202012Validator.check_schema(each["inputSchema"])
    assert set(SCHEMAS) == {*calls._TOOLS, "permission_prompt"}


def test_descriptions_are_short_and_no_tool_needs_an_approval_to_ask() -> None:
    for each in TOOLS:
        assert len(str(each["description"])) < 400
        assert each["annotations"]["readOnlyHint"] is True  # type: ignore[index]  # a dict
    assert len(json.dumps(TOOLS)) < 13_000


def test_callers_are_known_by_their_hosts_session_or_by_their_folder() -> None:
    claude = from_environment({"CLAUDE_CODE_SESSION_ID": "s1", "CLAUDE_PROJECT_DIR": "/srv/p"})
    assert claude == Caller("claude-code", "s1", "/srv/p")
    codex = from_meta(claude, {"x-codex-turn-metadata": {"session_id": "c1", "model": "m"}})
    assert codex == Caller("codex", "c1", "/srv/p", "m")
    assert from_meta(claude, {"x-codex-turn-metadata": "junk"}) == claude
    one, other = from_environment({}), from_environment({})
    assert one == other
    assert one.session.startswith("folder-")
