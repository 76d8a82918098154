"""REST /v1 over a real desk: shapes, errors as problems, and who may do what."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from askfirst.audit_port import Actor, EntryType
from askfirst.call import ToolCall
from askfirst.config import parse_config
from askfirst.effects import Classification, Outcome
from askfirst.engine import Case
from askfirst.engine.reviews import REFUSED_OF_PERSON_MAX
from askfirst.errors import Error, StoreAwayError, WitnessError
from askfirst.policy.question import Question
from askfirst.policy.ruling import Ruling
from askfirst.request import Request, Verdict
from askfirst.testing.api import OURS, TOKEN, FixedAnalyst, api, api_client
from askfirst.testing.bench import Bench, a_draft, a_review
from askfirst.testing.ladder_policy import ConfiguredPolicy

BY_TCP = ("127.0.0.1", 5555)
STRANGER = ("uid:4242", 0)
BY_TCP = ("127.0.0.1", 5555)


class NamedAnalyst(FixedAnalyst):
    """Knows that searching is harmless."""

    async def look(self, call: ToolCall) -> Classification:
        if call.tool == "search":
            return Classification(outcome=Outcome.PASS, effects=(), expanded="")
        return await super().look(call)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 10))  # type: ignore[arg-type]


async def create(http: httpx.AsyncClient, key: str = "", command: str = "git reset --hard HEAD~2") -> dict[str, Any]:
    headers = {"idempotency-key": key} if key else {}
    answer = await http.post("/v1/requests", json={"command": command, "cwd": "/srv/p"}, headers=headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def test_a_created_request_shows_what_would_run_and_why_it_waits(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            again = (await http.get(f"/v1/requests/{made['id']}")).json()
        assert made == again
        assert (made["state"], made["risk"], made["command"], made["tool"]) == (
            "pending",
            "high",
            "git reset --hard HEAD~2",
            "Bash",
        )
        assert made["effects"][0]["loss"] == "discards 3 changed files"

    run(story)


def test_the_same_idempotency_key_is_the_same_request_and_another_action_under_it_a_conflict(
    desk_bench: Bench,
) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            first, second = await create(http, "key-1"), await create(http, "key-1")
            other = await http.post("/v1/requests", json={"command": "rm -rf x"}, headers={"idempotency-key": "key-1"})
        assert first["id"] == second["id"]
        assert other.status_code == 409
        assert first["id"] in other.json()["detail"]

    run(story)


def test_a_retry_finds_its_request_that_was_amended_or_edited_meanwhile(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http, "key-1")
            amended = await http.post(f"/v1/requests/{made['id']}/amend", json={"command": "git reset --hard HEAD~1"})
            assert amended.json()["done"]
            assert (await create(http, "key-1"))["version"] == 2
            case = await desk_bench.desk.case(made["id"])
            edit = {"command": "git reset --hard HEAD"}
            assert (await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE, edit=edit))).done
            again = await create(http, "key-1")
        assert (again["id"], again["state"], again["command"]) == (made["id"], "approved", "git reset --hard HEAD")
        assert again["changed_by"] == "local:ann"

    run(story)


async def edited_to(made: Bench, request_id: str, command: str) -> None:
    case = await made.desk.case(request_id)
    assert (await made.desk.review(a_review(case.request, Verdict.APPROVE, edit={"command": command}))).done


def test_what_was_approved_with_an_edit_and_is_asked_again_is_answered_with_what_was_approved(
    desk_bench: Bench,
) -> None:
    """The caller sees who changed it into what, and uses the approval under that digest (I2)."""

    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            await edited_to(desk_bench, made["id"], "git reset --hard HEAD")
            again = await create(http)
            assert (again["id"], again["state"]) == (made["id"], "approved")
            assert (again["command"], again["changed_by"]) == ("git reset --hard HEAD", "local:ann")
            use = [
                {"action_digest": each["action_digest"], "attempt": f"attempt-{number}"}
                for number, each in enumerate((made, again))
            ]
            path = f"/v1/requests/{made['id']}/redeem"
            assert [(await http.post(path, json=each)).json()["done"] for each in use] == [False, True]
            anew = await create(http)
        assert (anew["state"], anew["command"], anew["changed_by"]) == ("pending", made["command"], "")

    run(story)


def test_an_agent_s_own_amendment_that_was_approved_is_no_answer_to_what_it_asked_before(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            amend = {"command": "git reset --hard HEAD"}
            assert (await http.post(f"/v1/requests/{made['id']}/amend", json=amend)).json()["done"]
            case = await desk_bench.desk.case(made["id"])
            assert (await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))).done
            again = await create(http)
        assert again["state"] == "pending"
        assert again["id"] != made["id"]

    run(story)


@pytest.mark.parametrize("denied", ["git reset --hard HEAD~2", "git reset --hard HEAD"])
def test_an_edit_that_was_approved_is_no_answer_once_either_command_is_denied(desk_bench: Bench, denied: str) -> None:
    """I5."""

    async def story() -> None:
        async with api_client(desk_bench) as http:
            waits = await create(http, command=denied) if denied.endswith("HEAD") else None
            made = await create(http)
            await edited_to(desk_bench, made["id"], "git reset --hard HEAD")
            if waits is None:  # asked anew by a hook, to which the edit is no answer
                asked = (await desk_bench.desk.case(made["id"])).earlier[0]
                draft = replace(a_draft(key="hook"), action=asked.action, agent=asked.agent)
                waits = {"id": (await desk_bench.desk.ask(draft)).request.id}
                assert waits["id"] != made["id"]
            desk_bench.clock.advance(1)
            case = await desk_bench.desk.case(waits["id"])
            await desk_bench.desk.review(a_review(case.request, Verdict.DENY))
            again = await create(http)
        assert again["id"] != made["id"]
        assert again["state"] == ("pending" if denied.endswith("HEAD") else "denied")

    run(story)


def test_a_wait_ends_with_the_decision(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            waiting = asyncio.create_task(http.get(f"/v1/requests/{made['id']}/wait", params={"timeout_s": 5}))
            case = await desk_bench.desk.case(made["id"])
            await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))
            ended = (await waiting).json()
        assert (ended["state"], ended["end"]["by"], ended["grant"]["state"]) == ("approved", "local:ann", "issued")

    run(story)


def test_a_wait_ends_with_its_client(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
        path = f"/v1/requests/{made['id']}/wait"
        coming = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            return coming.pop() if coming else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            del message

        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": [], "client": OURS}
        await api(desk_bench)({**scope, "raw_path": path.encode(), "scheme": "http", "server": None}, receive, send)
        while desk_bench.hub.has_waiter(made["id"]):  # noqa: ASYNC110  # it ends once its look at the store does
            await asyncio.sleep(0.01)

    run(story)


def test_a_wait_that_is_over_shows_the_request_as_it_is(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            answer = await http.get(f"/v1/requests/{made['id']}/wait", params={"timeout_s": 0})
        assert answer.json()["state"] == "pending"

    run(story)


def test_a_grant_is_redeemed_once(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            case = await desk_bench.desk.case(made["id"])
            await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))
            path, act = f"/v1/requests/{made['id']}/redeem", made["action_digest"]
            answers = [
                (await http.post(path, json={"action_digest": act, "attempt": attempt})).json()["done"]
                for attempt in ("attempt-1", "attempt-1", "attempt-2")
            ]
        assert answers == [True, True, False]

    run(story)


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [
        (WitnessError("0 of 1 witnesses cosigned 7 entries: w cannot be reached"), None),  # each try is one more entry
        (StoreAwayError("the database is away"), "1"),
    ],
)
def test_a_release_that_cannot_be_made_now_says_why_and_when_to_try_again(
    desk_bench: Bench, error: Error, retry_after: str | None
) -> None:
    async def unseen(_request: Request) -> None:
        raise error

    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            case = await desk_bench.desk.case(made["id"])
            await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))
            path = f"/v1/requests/{made['id']}/redeem"
            use = {"action_digest": made["action_digest"], "attempt": "attempt-1"}
            desk_bench.desk._before_release = unseen
            answer = await http.post(path, json=use)
            assert (answer.status_code, answer.json()["detail"]) == (503, str(error))
            assert answer.headers.get("retry-after") == retry_after
            desk_bench.desk._before_release = None
            assert (await http.post(path, json=use)).json()["done"]

    run(story)


def test_pages_go_back_in_time(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = [(await create(http, command=f"rm -rf {number}"))["id"] for number in range(3)]
            first = (await http.get("/v1/requests", params={"limit": 2})).json()
            rest = (await http.get("/v1/requests", params={"limit": 2, "before": first["next_before"]})).json()
        assert [each["id"] for each in first["requests"] + rest["requests"]] == sorted(made, reverse=True)
        assert rest["next_before"] is None

    run(story)


def test_the_requester_withdraws(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            first = (await http.post(f"/v1/requests/{made['id']}/cancel", json={"reason": "no need"})).json()
            second = (await http.post(f"/v1/requests/{made['id']}/cancel", json={})).json()
        assert (first["done"], first["request"]["state"]) == (True, "cancelled")
        assert (second["done"], second["note"]) == (False, "the request is cancelled by agent")

    run(story)


def review_of(made: dict[str, Any]) -> dict[str, Any]:
    return {
        "decision_id": "decision-1",
        "version": made["version"],
        "action_digest": made["action_digest"],
        "verdict": "approve",
    }


def test_nobody_decides_by_the_api_unless_the_policy_says_so(desk_bench: Bench) -> None:
    """I1: being local is no authority."""

    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            answer = await http.post(f"/v1/requests/{made['id']}/reviews", json=review_of(made))
            again = await http.post(f"/v1/requests/{made['id']}/reviews", json=review_of(made))
        assert answer.status_code == 403
        assert again.status_code == answer.status_code
        assert "terminal_decisions" in answer.json()["detail"]
        [entry] = [each for each in desk_bench.log.entries if each.type == "review.rejected"]
        assert (entry.request, entry.actor) == (made["id"], Actor(type="agent", id=OURS[0], channel="api"))
        assert str(entry.decision["note"]).startswith("decisions from this machine's terminal are switched off")
        assert [request.state.value for request in await desk_bench.desk.pending()] == ["pending"]

    run(story)


def test_a_review_of_a_version_that_no_request_can_have_is_malformed(desk_bench: Bench) -> None:
    """The log holds no whole number beyond 2^53: one that came so far was answered as a fault of the broker."""

    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            review = {**review_of(made), "version": 2**70}
            answer = await http.post(f"/v1/requests/{made['id']}/reviews", json=review)
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith("version: input should be less than or equal to 1000000")

    run(story)


def test_tries_to_decide_are_written_down_only_so_often(desk_bench: Bench) -> None:
    """An agent that asks and then tries to approve it itself does not grow the log as it likes."""

    async def story() -> None:
        async with api_client(desk_bench) as http:
            for number in range(25):
                made = await create(http, command=f"git reset --hard HEAD~{number + 1}")
                await http.post(f"/v1/requests/{made['id']}/reviews", json=review_of(made))
            await http.post("/v1/requests/01M8BM76QMH5P76FR3PK5DDG01/reviews", json=review_of(made))
        assert sum(each.type == "review.rejected" for each in desk_bench.log.entries) == 20

    run(story)


def test_a_process_without_a_terminal_decides_nothing_even_then(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench, terminal_decisions=True) as http:
            made = await create(http)
            answer = await http.post(f"/v1/requests/{made['id']}/reviews", json=review_of(made))
        assert answer.status_code == 403
        assert "terminal" in answer.json()["detail"]

    run(story)


@pytest.mark.parametrize(
    ("peer", "headers", "status"),
    [
        (OURS, {}, 200),
        (("uid:0", 0), {}, 200),
        (STRANGER, {}, 403),  # another user of this machine may ask, and read nothing
        (BY_TCP, {}, 401),
        (BY_TCP, {"authorization": "Bearer wrong"}, 401),
        (BY_TCP, {"authorization": f"Basic {TOKEN}"}, 401),
        (BY_TCP, {"authorization": f"Bearer {TOKEN}"}, 200),
    ],
)
def test_who_may_use_the_api(desk_bench: Bench, peer: tuple[str, int], headers: dict[str, str], status: int) -> None:
    async def story() -> None:
        async with api_client(desk_bench, peer) as http:
            answer = await http.get("/v1/requests", headers=headers)
        assert answer.status_code == status

    run(story)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "give either `command` or `tool`"),
        ({"command": "ls", "tool": "Bash"}, "give either `command` or `tool`"),
        ({"command": "ls", "arguments": {"a": 1}}, "`arguments` goes with `tool`, not with `command`"),
        ({"command": "ls", "comand": 1}, "comand: extra inputs are not permitted (found 1)"),
        ({"command": ""}, "command: string should have at least 1 character (found '')"),
        ({"command": 5}, "command: input should be a valid string (found 5)"),
        (
            {"command": "ls", "claim": {"confidence": 2}},
            "claim.confidence: input should be less than or equal to 1 (found 2)",
        ),
    ],
)
def test_what_cannot_be_used_gets_one_sentence(desk_bench: Bench, body: dict[str, Any], detail: str) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            answer = await http.post("/v1/requests", json=body)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"] == detail
        assert await desk_bench.desk.requests() == []

    run(story)


@pytest.mark.parametrize("host", ["askfirst", " AskFirst "])
@pytest.mark.parametrize("path", ["/v1/requests", "/v1/actions?host={host}&session=tokens"])
def test_no_caller_takes_the_name_by_which_the_broker_asks(desk_bench: Bench, path: str, host: str) -> None:
    """Else they fill the session in which changes of who decides are asked, or have it told to stop."""
    body = {"action": "deploy"} if "actions" in path else {"command": "ls", "host": host, "session": "tokens"}

    async def story() -> None:
        async with api_client(desk_bench) as http:
            answer = await http.post(path.format(host=host), json=body)
        assert answer.status_code == 422
        said = f"host: the host 'askfirst' is the broker's own; name the program that asks (found {host!r})"
        assert answer.json()["detail"] == said

    run(story)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/requests", {"command": "ls", "session": "a\0b"}),
        ("/v1/requests", {"command": "ls", "host": "a\0b"}),
        ("/v1/requests", {"command": "ls", "supersedes": "a\0b"}),
        ("/v1/requests", {"command": "ls", "route": {"recipients": ["web:a\0b"]}}),
        ("/v1/requests", {"command": "ls", "route": {"recipients": ["web:\0"]}}),
        ("/v1/actions?session=%00", {"action": "deploy"}),
        ("/v1/actions?host=%00", {"action": "deploy"}),
        ("/v1/tokens", {"name": "a\0b", "scopes": ["ask"]}),
        ("/v1/tokens/asked", {"name": "ci", "scopes": ["decide"], "person": "local:\0"}),
    ],
)
def test_a_name_with_a_nul_is_malformed_on_every_database(
    desk_bench: Bench, path: str, body: dict[str, object]
) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            answer = await http.post(path, json=body)
        assert answer.status_code == 422
        assert "match pattern" in answer.json()["detail"]

    run(story)


def test_a_nul_in_an_id_is_not_there_and_in_a_text_no_matter_on_every_database(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            assert (await http.get("/v1/requests?before=%00")).status_code == 422
            assert (await http.get("/v1/requests/%00")).status_code == 404
            assert (await http.post("/v1/tokens/%00/revoke")).status_code == 404
            body = {"tool": "notify", "arguments": {"text": "a\0b"}, "claim": {"reason": "a\0b"}}
            made = (await http.post("/v1/requests", json=body)).json()
        assert (made["arguments"], made["claim"]["reason"]) == ({"text": "a\0b"}, "a\0b")

    run(story)


@pytest.mark.parametrize(
    "path", ["/v1/requests/nobody", "/v1/requests/nobody/wait?timeout_s=0", "/v1/requests/nobody/events", "/v1/nothing"]
)
def test_what_is_not_there_is_a_404_problem(desk_bench: Bench, path: str) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            answer = await http.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")

    run(story)


def test_health_and_the_description_need_no_token(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench, BY_TCP) as http:
            health = (await http.get("/healthz")).json()
            description = (await http.get("/v1/openapi.json")).json()
        assert (health["status"], health["pending"]) == ("ok", 0)
        assert description["openapi"].startswith("3.1")
        assert {"/v1/requests", "/v1/requests/{request_id}/wait", "/v1/events"} <= set(description["paths"])

    run(story)


def test_the_events_of_a_request_begin_with_its_state_and_end_with_it(
    desk_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, looked = desk_bench.desk.case, list[Case]()

    async def looking(request_id: str) -> Case:
        looked.append(await look(request_id))
        return looked[-1]

    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            case = await look(made["id"])
            monkeypatch.setattr(desk_bench.desk, "case", looking)
            reading = asyncio.create_task(http.get(f"/v1/requests/{made['id']}/events"))
            async with asyncio.timeout(5):
                while len(looked) < 2:  # whether it is there, and as what it is there
                    await asyncio.to_thread(lambda: None)
            assert desk_bench.hub.following
            await desk_bench.desk.review(a_review(case.request, Verdict.DENY))
            answer = await reading
        states = [json.loads(line[6:])["state"] for line in answer.text.splitlines() if line.startswith("data: ")]
        assert states == ["pending", "denied"]
        assert answer.headers["content-type"].startswith("text/event-stream")

    run(story)


def test_an_amended_request_is_a_new_version_and_old_decisions_do_not_count_for_it(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            path = f"/v1/requests/{made['id']}"
            case = await desk_bench.desk.case(made["id"])
            await desk_bench.desk.review(a_review(case.request, Verdict.NEEDS_INFO, text="why two?"))
            asked = (await http.get(path)).json()
            body = {"command": "git reset --hard HEAD~1", "claim": {"reason": "one is enough"}}
            amended = (await http.post(f"{path}/amend", json=body)).json()
            again = (await http.post(f"{path}/amend", json=body)).json()
        assert (asked["state"], asked["asked_back"]) == ("pending", "why two?")
        assert (amended["done"], amended["note"]) == (True, "version 2 is before the reviewers")
        request = amended["request"]
        assert (request["version"], request["command"], request["asked_back"], request["changed_by"]) == (
            2,
            "git reset --hard HEAD~1",
            "",
            "agent",
        )
        assert (again["done"], again["note"][:19]) == (False, "nothing was changed")
        late = await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))
        assert late.note == "made for version 1, now it is 2"

    run(story)


@pytest.mark.parametrize(
    ("asked", "amended", "detail"),
    [
        (
            {"question": "left or right?"},
            {"arguments": {"question": "up or down?"}},
            "a question is asked as it stands; amend its claim, or withdraw it and ask anew",
        ),
        (
            {"command": "git reset --hard HEAD~2"},
            {"command": "git reset --hard HEAD~1", "arguments": {"command": "git reset --hard HEAD~9"}},
            "give either `command` or `arguments`",
        ),
    ],
)
def test_people_are_never_shown_another_text_than_the_one_that_was_amended(
    desk_bench: Bench, asked: dict[str, Any], amended: dict[str, Any], detail: str
) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = (await http.post("/v1/requests", json=asked)).json()
            answer = await http.post(f"/v1/requests/{made['id']}/amend", json=amended)
            told_more = {"claim": {"reason": "because"}}
            done = (await http.post(f"/v1/requests/{made['id']}/amend", json=told_more)).json()
        assert (answer.status_code, answer.json()["detail"]) == (422, detail)
        assert (done["done"], done["request"]["version"]) == (True, 2)

    run(story)


def test_a_decision_id_is_one_review_of_one_person_on_one_request(
    desk_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("askfirst.broker.peer.has_terminal", lambda _request: True)

    async def story() -> None:
        async with api_client(desk_bench, terminal_decisions=True) as http:
            made, other = await create(http), await create(http, command="git clean -fdx")
            path = f"/v1/requests/{made['id']}/reviews"
            first, again = [(await http.post(path, json=review_of(made))).json() for _ in range(2)]
            deny = await http.post(path, json={**review_of(made), "verdict": "deny"})
            elsewhere = (await http.post(f"/v1/requests/{other['id']}/reviews", json=review_of(other))).json()
            renewed = {**review_of(made), "decision_id": "decision-2", "verdict": "deny"}
            denied = (await http.post(path, json=renewed)).json()
        assert [each["done"] for each in (first, again, elsewhere)] == [True, True, True]
        assert (deny.status_code, deny.json()["detail"]) == (
            409,
            "this decision id belongs to another review of yours (approve); give this one its own",
        )
        assert denied["request"]["state"] == "denied"

    run(story)


@pytest.mark.parametrize("edit", [None, {"command": "git reset --hard HEAD"}])
@pytest.mark.parametrize(
    ("other", "status"),
    [
        ({}, 200),
        ({"scope": "session"}, 409),
        ({"edit": {"command": "git reset --hard HEAD~1"}}, 409),
        ({"version": 7}, 409),
    ],
)
def test_who_wants_more_under_the_same_decision_id_does_not_hear_that_it_is_done(
    desk_bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    edit: dict[str, object] | None,
    other: dict[str, object],
    status: int,
) -> None:
    monkeypatch.setattr("askfirst.broker.peer.has_terminal", lambda _request: True)

    async def story() -> None:
        async with api_client(desk_bench, terminal_decisions=True) as http:
            made = await create(http)
            path = f"/v1/requests/{made['id']}/reviews"
            said = {**review_of(made), "edit": edit}
            first = await http.post(path, json=said)
            again = await http.post(path, json={**said, **other})
        assert (first.status_code, first.json()["done"], again.status_code) == (200, True, status)

    run(story)


def test_an_approval_with_edits_is_another_than_one_of_what_was_asked(
    desk_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("askfirst.broker.peer.has_terminal", lambda _request: True)

    async def story() -> None:
        async with api_client(desk_bench, terminal_decisions=True) as http:
            made = await create(http)
            path = f"/v1/requests/{made['id']}/reviews"
            edited = await http.post(path, json={**review_of(made), "edit": {"command": "git reset --hard HEAD"}})
            plain = await http.post(path, json=review_of(made))
        assert (edited.status_code, plain.status_code) == (200, 409)

    run(story)


def test_a_review_that_is_not_kept_any_more_is_answered_all_the_same(
    desk_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("askfirst.broker.peer.has_terminal", lambda _request: True)

    async def story() -> None:
        async with api_client(desk_bench, terminal_decisions=True) as http:
            made = await create(http)
            path = f"/v1/requests/{made['id']}/reviews"
            for n in range(REFUSED_OF_PERSON_MAX + 1):
                said = {**review_of(made), "decision_id": f"decision-{n}", "version": 2}
                answer = await http.post(path, json=said)
            approved = await http.post(path, json={**review_of(made), "decision_id": "decision-good"})
        assert (answer.status_code, answer.json()["done"]) == (200, False)
        assert answer.json()["note"].startswith("made for version 2, now it is 1; so many reviews did not count")
        assert approved.json()["request"]["state"] == "approved"

    run(story)


def test_a_bug_is_a_problem_document_too(desk_bench: Bench) -> None:
    class BrokenAnalyst(FixedAnalyst):
        async def look(self, call: ToolCall) -> Classification:
            raise LookupError(call.command)

    async def story() -> None:
        async with api_client(desk_bench, raises=False, analyst=BrokenAnalyst()) as http:
            answer = await http.post("/v1/requests", json={"command": "of no concern to callers"})
        assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
        assert answer.json()["detail"] == "the broker has failed at this (LookupError); its log says where"

    run(story)


def test_what_was_not_asked_cannot_be_amended_in(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            answer = await http.post(f"/v1/requests/{made['id']}/amend", json={"arguments": {"sudo": True}})
        assert (answer.status_code, answer.json()["detail"]) == (
            422,
            "'sudo' is no argument of what was asked; known: command",
        )

    run(story)


@pytest.mark.parametrize("command", [5, None, ["ls"], {"of": "what"}])
def test_a_command_stays_text_in_every_version(desk_bench: Bench, command: object) -> None:
    """A command that nobody can read was graded as harmless, and approved."""

    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            answer = await http.post(f"/v1/requests/{made['id']}/amend", json={"arguments": {"command": command}})
        assert (answer.status_code, answer.json()["detail"]) == (422, "the command is no text")

    run(story)


class UnderACeiling(ConfiguredPolicy):
    """A policy of which a managed file says that people have a quarter of an hour at most."""

    def rule_on(self, question: Question) -> Ruling:
        return replace(super().rule_on(question), wished_timeout_max_s=900)


@pytest.mark.parametrize("store_url", [""])
def test_a_deadline_is_wished_for_up_to_what_a_ceiling_allows(desk_bench: Bench) -> None:
    async def waits_s(http: httpx.AsyncClient, timeout_s: int) -> float:
        route = {"timeout_s": timeout_s}
        made = (await http.post("/v1/requests", json={"command": f"rm {timeout_s}", "route": route})).json()
        return (made["approval_expires_at_ms"] - made["created_at_ms"]) / 1000

    async def story() -> None:
        policy = UnderACeiling(config=parse_config(b"", source="defaults"))
        async with api_client(desk_bench, ruler=policy) as http:
            assert [await waits_s(http, each) for each in (300, 3_600)] == [300, 900]
        async with api_client(desk_bench) as http:
            assert await waits_s(http, 7_200) == 7_200

    run(story)


def test_a_question_is_asked_with_its_choices_and_answered(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            body = {"question": "left or right?", "options": ["left", "right"]}
            made = (await http.post("/v1/requests", json=body)).json()
            case = await desk_bench.desk.case(made["id"])
            await desk_bench.desk.review(a_review(case.request, Verdict.ANSWER, text="left"))
            ended = (await http.get(f"/v1/requests/{made['id']}")).json()
        assert (made["kind"], made["options"]) == ("question", ["left", "right"])
        assert (ended["state"], ended["end"]["text"], ended["grant"]) == ("answered", "left", None)

    run(story)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"question": "q", "command": "ls"}, "a `question` goes without `command`, `tool` and `arguments`"),
        ({"command": "ls", "options": ["a"]}, "`options` and `answer_schema` go with `question`"),
        ({"question": "q", "options": ["a", "a"]}, "two options are the same; an answer could not tell them apart"),
        ({"question": "q", "options": ["a", "a "]}, "two options are the same; an answer could not tell them apart"),
        ({"question": " \n"}, "the question has no words"),
        ({"question": "q", "options": ["a"], "answer_schema": {}}, "give either options or a schema"),
        ({"question": "q", "answer_schema": {"pattern": "x"}}, "the schema's 'pattern' is not taken"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(desk_bench: Bench, body: dict[str, Any], detail: str) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            answer = await http.post("/v1/requests", json=body)
        assert answer.status_code == 422
        assert answer.json()["detail"].startswith(detail)

    run(story)


def test_a_request_that_takes_the_place_of_another_ends_it(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            old = await create(http)
            body = {"command": "git reset --hard HEAD~1", "cwd": "/srv/p", "supersedes": old["id"]}
            new = (await http.post("/v1/requests", json=body)).json()
            ended = (await http.get(f"/v1/requests/{old['id']}")).json()
        assert (ended["state"], ended["end"]["text"]) == ("superseded", f"replaced by {new['code']}")
        assert new["supersedes"] == old["id"]

    run(story)


def test_open_grants_are_listed_with_what_they_open_and_can_be_revoked(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            made = await create(http)
            case = await desk_bench.desk.case(made["id"])
            await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))
            [grant] = (await http.get("/v1/grants")).json()["grants"]
            path = f"/v1/grants/{grant['request']}/revoke"
            first, second = [(await http.post(path, json={"reason": "oops"})).json() for _ in range(2)]
            left = (await http.get("/v1/grants")).json()["grants"]
        assert (grant["command"], grant["scope"], grant["uses"], grant["uses_max"]) == (
            "git reset --hard HEAD~2",
            "once",
            0,
            1,
        )
        assert [first["done"], second["done"], left] == [True, False, []]
        [entry] = [each for each in desk_bench.log.entries if each.type == EntryType.GRANT_REVOKED]
        assert (entry.actor.channel, entry.actor.assurance) == ("terminal", 0)  # an agent can do this, too

    run(story)


def test_the_terminal_may_edit_ask_back_and_stop_where_the_policy_lets_it_decide(
    desk_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("askfirst.broker.peer.has_terminal", lambda _request: True)

    async def story() -> None:
        async with api_client(desk_bench, terminal_decisions=True) as http:
            made = await create(http)
            path = f"/v1/requests/{made['id']}/reviews"
            asked = {**review_of(made), "decision_id": "decision-2", "verdict": "needs_info", "text": "why?"}
            assert (await http.post(path, json=asked)).json()["request"]["asked_back"] == "why?"
            edit = {**review_of(made), "edit": {"command": "git reset --hard HEAD"}}
            done = (await http.post(path, json=edit)).json()
            other = await create(http, command="git clean -fdx")
            stop = {**review_of(other), "decision_id": "decision-3", "verdict": "deny", "stop": True}
            stopped = (await http.post(f"/v1/requests/{other['id']}/reviews", json=stop)).json()
        assert (done["request"]["state"], done["request"]["version"]) == ("approved", 2)
        assert done["request"]["command"] == "git reset --hard HEAD"
        assert stopped["request"]["end"]["stop"] is True

    run(story)


@pytest.mark.parametrize("is_announced", [True, False])
def test_a_body_that_is_too_long_is_refused_before_it_is_read(desk_bench: Bench, is_announced: bool) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"command": "'
        for _ in range(33):
            yield b"x" * 65_536
        pytest.fail("the whole body was read")

    body = b'{"command": "' + b"x" * 2_200_000 + b'"}' if is_announced else pieces()

    async def story() -> None:
        async with api_client(desk_bench) as http:
            answer = await http.post("/v1/requests", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"

    run(story)


@pytest.mark.parametrize(
    ("body", "decision"),
    [
        ({"action": "search", "confidence": 0.99}, "allow"),
        ({"action": "search", "confidence": 0.99, "requiresApproval": True}, "ask"),
        ({"action": "Bash", "context": {"command": "git reset --hard"}, "requiresApproval": False}, "ask"),
    ],
)
def test_an_action_is_allowed_or_asked_about_whatever_the_agent_says_of_it(
    desk_bench: Bench, body: dict[str, object], decision: str
) -> None:
    async def story() -> None:
        async with api_client(desk_bench, analyst=NamedAnalyst()) as http:
            answer = await http.post("/v1/actions?session=s1&host=bot", json=body)
            assert answer.status_code == 200, answer.text
            told = answer.json()
            assert told["decision"] == decision
            assert (told["request"] is not None) == (decision == "ask")
            if decision == "ask":
                assert told["request"]["session"] == "s1"
                assert answer.headers["location"] == f"/v1/requests/{told['request']['id']}"

    run(story)


@pytest.mark.parametrize(
    "body",
    [{}, {"action": ""}, {"action": "x", "confidence": "0.9"}, {"action": "x", "requires_approval": True}, []],
    ids=["nothing", "no action", "confidence as text", "another spelling", "a list"],
)
def test_an_action_of_another_form_is_refused(desk_bench: Bench, body: object) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as http:
            answer = await http.post("/v1/actions", json=body)
        assert answer.status_code == 422

    run(story)


def test_an_approval_of_what_has_changed_is_written_down_once_however_often_it_is_tried(desk_bench: Bench) -> None:
    """Nobody grows the log by trying, nor by what another machine says that it sees."""
    analyst = FixedAnalyst()

    async def story() -> None:
        async with api_client(desk_bench, analyst=analyst) as http:
            made = await create(http)
            case = await desk_bench.desk.case(made["id"])
            await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))
            for number in range(3):
                analyst.head = f"{number + 2}" * 40
                use = {"action_digest": made["action_digest"], "attempt": f"attempt-{number}"}
                assert not (await http.post(f"/v1/requests/{made['id']}/redeem", json=use)).json()["done"]

    run(story)
    assert [entry.type for entry in desk_bench.log.entries].count("gate.refused") == 1


def test_what_an_approval_rests_on_is_looked_up_again_when_it_is_used(desk_bench: Bench) -> None:
    """I2: over REST, too, HEAD and scripts must be those that people saw."""
    analyst = FixedAnalyst()

    async def story() -> None:
        async with api_client(desk_bench, analyst=analyst) as http:

            async def approved() -> tuple[str, dict[str, str]]:
                made = await create(http)
                case = await desk_bench.desk.case(made["id"])
                await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))
                use = {"action_digest": made["action_digest"], "attempt": "attempt-1"}
                return f"/v1/requests/{made['id']}/redeem", use

            path, use = await approved()
            analyst.head = "2" * 40
            moved = (await http.post(path, json=use)).json()
            assert (moved["done"], moved["request"]["grant"]["state"]) == (False, "issued")
            found = "HEAD is at 222222222222 now, it was at no commit"
            assert moved["note"] == f"not what was approved: {found}; ask again for what it is now"

            path, use = await approved()
            assert (await http.post(path, json=use)).json()["done"]
            analyst.head = "3" * 40  # it has run, and its answer was lost
            assert (await http.post(path, json=use)).json()["done"]

    run(story)
    refused = [entry for entry in desk_bench.log.entries if entry.type == "gate.refused"]
    assert ["HEAD is at 222222222222" in str(entry.decision["reason"]) for entry in refused] == [True]
