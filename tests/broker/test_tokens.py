"""Tokens of the API: what each scope opens, who hands them out, and what the log says."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from askfirst.access import NEEDS_APPROVAL, TOOL
from askfirst.bounds import Bounds
from askfirst.broker.access import PREFIX
from askfirst.canonical import sha256_hex
from askfirst.request import RequestState, Verdict
from askfirst.testing.api import OURS, api_client, bearer, issued
from askfirst.testing.bench import Bench, a_draft, a_review, bench

BY_TCP = ("127.0.0.1", 5555)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 10))  # type: ignore[arg-type]


async def issued_by_approval(made: Bench, http: httpx.AsyncClient, *scopes: str) -> dict[str, Any]:
    """A token with these scopes, approved by a person where it has to be."""
    if NEEDS_APPROVAL.isdisjoint(scopes):
        return await issued(http, *scopes)
    wanted = {"name": "ci", "scopes": scopes, "person": "local:ann" if "decide" in scopes else "", "days": 7}
    asked = (await http.post("/v1/tokens/asked", json=wanted)).json()
    await approve(made, asked["request"])
    return dict((await http.post(f"/v1/tokens/issued/{asked['request']}", json={"claim": asked["claim"]})).json())


async def approve(made: Bench, request_id: str) -> None:
    case = await made.desk.case(request_id)
    assert (await made.desk.review(a_review(case.request, Verdict.APPROVE))).done


def test_what_one_token_lets_wait_is_bounded_and_the_brokers_own_user_is_not(tmp_path: Path) -> None:
    async def story(made: Bench) -> None:
        async with api_client(made) as ours, api_client(made, BY_TCP) as remote:
            headers = bearer(await issued(ours, "ask"))
            asked = [
                await remote.post("/v1/requests", json={"command": f"ls {n}", "host": f"h{n}"}, headers=headers)
                for n in range(3)
            ]
            own = await ours.post("/v1/requests", json={"command": "ls 4"})
        assert [each.status_code for each in (*asked, own)] == [201, 201, 503, 201]
        assert asked[2].headers["retry-after"] == "30"
        assert asked[2].json()["detail"].startswith("2 requests of token:")

    with bench(tmp_path / "askfirst.db", bounds=Bounds(pending_per_caller=2)) as made:
        run(lambda: story(made))


def test_a_token_that_asks_is_issued_at_once_and_is_in_the_log(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            token = await issued(ours, "ask")
            assert token["token"].startswith(PREFIX)
            assert (await remote.post("/v1/requests", json={"command": "ls"})).status_code == 401
            made = await remote.post("/v1/requests", json={"command": "ls"}, headers=bearer(token))
            assert made.status_code == 201
            listed = (await ours.get("/v1/tokens")).json()["tokens"]
        assert [each["id"] for each in listed] == [token["id"]]
        assert "token" not in listed[0]
        [entry] = [each for each in desk_bench.log.entries if each.type == "token.issued"]
        assert entry.data["scopes"] == ["ask"]
        with closing(sqlite3.connect(desk_bench.path)) as store:
            dump = "\n".join(store.iterdump())
        assert token["token"] not in dump

    run(story)


@pytest.mark.parametrize(
    ("scope", "open_to_it"),
    [
        ("ask", {"create", "get", "cancel"}),
        ("read", {"get", "list", "grants"}),
    ],
)
def test_a_scope_opens_its_routes_and_no_others(desk_bench: Bench, scope: str, open_to_it: set[str]) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            token, asking = bearer(await issued(ours, scope)), bearer(await issued(ours, "ask"))
            made = (await remote.post("/v1/requests", json={"command": "ls"}, headers=asking)).json()
            one = f"/v1/requests/{made['id']}"
            review = {
                "decision_id": "decision-1",
                "version": 1,
                "action_digest": made["action_digest"],
                "verdict": "approve",
            }
            calls = {
                "get": ("GET", one, None),
                "list": ("GET", "/v1/requests", None),
                "grants": ("GET", "/v1/grants", None),
                "review": ("POST", f"{one}/reviews", review),
                "tokens": ("GET", "/v1/tokens", None),
                "issue": ("POST", "/v1/tokens", {"name": "x", "scopes": ["ask"]}),
                "create": ("POST", "/v1/requests", {"command": "ls"}),
                "cancel": ("POST", f"{one}/cancel", {}),
            }
            found = set()
            for name, (method, path, body) in calls.items():
                answer = await remote.request(method, path, json=body, headers=token)
                assert answer.status_code in {200, 201, 403}, (name, answer.text)
                if answer.status_code != 403:
                    found.add(name)
        assert found == open_to_it

    run(story)


def test_a_token_that_decides_takes_a_persons_approval_of_exactly_this_token(desk_bench: Bench) -> None:
    wanted = {"name": "dashboard", "scopes": ["decide"], "person": "local:ann", "assurance": 1, "days": 7}

    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            assert (await ours.post("/v1/tokens", json=wanted)).status_code == 403
            asked = (await ours.post("/v1/tokens/asked", json=wanted)).json()
            path, claim = f"/v1/tokens/issued/{asked['request']}", {"claim": asked["claim"]}
            assert (await ours.post(path, json=claim)).status_code == 403
            await approve(desk_bench, asked["request"])
            token = (await ours.post(path, json=claim)).json()
            assert [token[name] for name in ("name", "scopes", "person")] == ["dashboard", ["decide"], "local:ann"]
            assert (await ours.post(path, json=claim)).status_code == 403

            made = (await ours.post("/v1/requests", json={"command": "rm -r build"})).json()
            review = {
                "decision_id": "decision-1",
                "version": 1,
                "action_digest": made["action_digest"],
                "verdict": "approve",
            }
            step = await remote.post(f"/v1/requests/{made['id']}/reviews", json=review, headers=bearer(token))
        assert step.json()["done"], step.text
        [cast] = step.json()["request"]["reviews"]
        assert (cast["person"], cast["channel"]) == ("local:ann", "api")

    run(story)


def test_a_token_does_not_decide_on_what_was_asked_with_it(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            both = bearer(await issued_by_approval(desk_bench, ours, "ask", "decide"))
            other = bearer(await issued_by_approval(desk_bench, ours, "decide"))
            made = (await remote.post("/v1/requests", json={"command": "rm -r build"}, headers=both)).json()
            review = {"version": 1, "action_digest": made["action_digest"], "verdict": "approve"}
            steps = [
                (
                    await remote.post(
                        f"/v1/requests/{made['id']}/reviews", json={"decision_id": name, **review}, headers=who
                    )
                ).json()
                for name, who in (("by its own", both), ("by another", other))
            ]
        assert [(each["done"], each["note"]) for each in steps] == [
            (False, "whoever asks cannot decide"),
            (True, "approved"),
        ]

    run(story)


@pytest.mark.parametrize("how", ["amend", "join"])
def test_a_token_does_not_decide_on_what_it_has_made_of_another_tokens_request(desk_bench: Bench, how: str) -> None:
    """Both are of one machine, so that it may amend or join what that one has asked."""

    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            asks = bearer(await issued(ours, "ask"))
            both = bearer(await issued_by_approval(desk_bench, ours, "ask", "decide"))
            body = {"command": "ls"}
            made = (await remote.post("/v1/requests", json=body, headers=asks)).json()
            if how == "amend":
                path = f"/v1/requests/{made['id']}/amend"
                answer = await remote.post(path, json={"command": "rm -r build"}, headers=both)
                made = answer.json()["request"]
            else:
                assert (await remote.post("/v1/requests", json=body, headers=both)).json()["id"] == made["id"]
            review = {"decision_id": "its-own-word", "version": made["version"], "action_digest": made["action_digest"]}
            path = f"/v1/requests/{made['id']}/reviews"
            answer = await remote.post(path, json={**review, "verdict": "approve"}, headers=both)
            assert answer.status_code == 200, answer.text
            step = answer.json()
        assert (step["done"], step["note"]) == (False, "whoever asks cannot decide")

    run(story)


def test_a_token_does_not_decide_on_what_the_hooks_of_its_machine_asked(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            both = bearer(await issued_by_approval(desk_bench, ours, "ask", "decide"))
            hooked = a_draft()
            case = await desk_bench.desk.ask(replace(hooked, action=replace(hooked.action, machine="ci")))
            review = {"version": 1, "action_digest": case.request.action_digest, "verdict": "approve"}
            path = f"/v1/requests/{case.request.id}/reviews"
            answer = await remote.post(path, json={"decision_id": "by its own", **review}, headers=both)
        assert answer.status_code == 200, answer.text
        step = answer.json()
        assert not step["done"]
        assert step["note"] == "whoever asks cannot decide"

    run(story)


def test_deny_and_stop_of_a_token_ends_that_request_alone(desk_bench: Bench) -> None:
    async def story() -> None:
        wanted = {"name": "dashboard", "scopes": ["decide"], "person": "local:ann"}
        async with api_client(desk_bench) as ours:
            asked = (await ours.post("/v1/tokens/asked", json=wanted)).json()
            case = await desk_bench.desk.case(asked["request"])
            step = await desk_bench.desk.review(a_review(case.request, Verdict.DENY, stop=True))
            assert step.note == "denied; it has no session that could be stopped"
            again = await ours.post("/v1/tokens/asked", json=wanted)
        assert (await desk_bench.desk.case(again.json()["request"])).request.state is RequestState.PENDING

    run(story)


def test_nobody_but_who_asked_for_a_token_that_decides_is_handed_it(desk_bench: Bench) -> None:
    """An agent of the same user sees the request and its approval, too."""
    wanted = {"name": "dashboard", "scopes": ["decide"], "person": "local:ann"}

    async def story() -> None:
        async with api_client(desk_bench) as ours:
            asked = (await ours.post("/v1/tokens/asked", json=wanted)).json()
            await approve(desk_bench, asked["request"])
            shown = (await ours.get(f"/v1/requests/{asked['request']}")).json()
            path = f"/v1/tokens/issued/{asked['request']}"
            for guess in ("guess", shown["arguments"]["claim_sha256"], shown["action_digest"]):
                assert (await ours.post(path, json={"claim": guess})).status_code == 403
            both = await asyncio.gather(*(ours.post(path, json={"claim": asked["claim"]}) for _ in range(2)))
        assert sorted(each.status_code for each in both) == [201, 403]

    run(story)


def test_a_request_that_an_agent_has_worded_itself_issues_no_token(desk_bench: Bench) -> None:
    """Whatever lets it pass, a break-glass window or a rule: no person has approved a token."""

    async def story() -> None:
        async with api_client(desk_bench) as ours:
            said = {"name": "ci", "scopes": ["admin"], "person": "", "assurance": 0, "days": 9}
            arguments = {**said, "claim_sha256": sha256_hex(b"mine")}
            asked = (await ours.post("/v1/requests", json={"tool": TOOL, "arguments": arguments})).json()
            await approve(desk_bench, asked["id"])
            answer = await ours.post(f"/v1/tokens/issued/{asked['id']}", json={"claim": "mine"})
        assert (answer.status_code, answer.json()["detail"]) == (403, "this request is about something else")

    run(story)


def test_no_break_glass_code_and_no_deadline_issues_a_token(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours:
            asked = (await ours.post("/v1/tokens/asked", json={"name": "ci", "scopes": ["admin"]})).json()
        terms = (await desk_bench.desk.case(asked["request"])).request.terms
        assert (terms.break_glass_s, terms.on_timeout, terms.assurance_min) == (0, "reject", 1)

    run(story)


def test_that_a_token_which_may_not_decide_has_tried_to_is_in_the_log(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            token = await issued(ours, "read")
            made = (await ours.post("/v1/requests", json={"command": "git reset --hard HEAD~2"})).json()
            review = {"decision_id": "1", "version": 1, "action_digest": made["action_digest"], "verdict": "approve"}
            path = f"/v1/requests/{made['id']}/reviews"
            assert (await remote.post(path, json=review)).status_code == 401  # nobody whom we know
            assert (await remote.post(path, json=review, headers=bearer(token))).status_code == 403
        [entry] = [each for each in desk_bench.log.entries if each.type == "review.rejected"]
        assert (entry.request, entry.actor.id) == (made["id"], f"token:{token['id']}")
        assert str(entry.decision["note"]).startswith("this needs the scope")

    run(story)


def test_a_revoked_token_opens_nothing(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            token = await issued(ours, "read")
            assert (await remote.get("/v1/requests", headers=bearer(token))).status_code == 200
            assert (await ours.post(f"/v1/tokens/{token['id']}/revoke")).status_code == 200
            assert (await remote.get("/v1/requests", headers=bearer(token))).status_code == 401
            assert (await ours.post(f"/v1/tokens/{token['id']}/revoke")).status_code == 404
        assert "token.revoked" in [each.type for each in desk_bench.log.entries]

    run(story)


def test_a_token_ends_with_its_days(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            token = await issued(ours, "read", days=1)
            desk_bench.clock.advance(86_399)
            assert (await remote.get("/v1/requests", headers=bearer(token))).status_code == 200
            desk_bench.clock.advance(1)
            assert (await remote.get("/v1/requests", headers=bearer(token))).status_code == 401

    run(story)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x", "scopes": []}, 422),
        ({"name": "x", "scopes": ["root"]}, 422),
        ({"name": "x", "scopes": ["ask"], "person": "local:ann"}, 422),
        ({"name": "x", "scopes": ["decide"]}, 422),
        ({"name": "x", "scopes": ["ask"], "days": 0}, 422),
        ({"name": "x", "scopes": ["ask"], "days": 90, "more": 1}, 422),
        ({"name": "x", "scopes": ["admin"]}, 403),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(desk_bench: Bench, body: dict[str, object], status: int) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours:
            answer = await ours.post("/v1/tokens", json=body)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"

    run(story)


def test_one_token_makes_so_many_requests_a_minute(desk_bench: Bench) -> None:
    async def story() -> None:
        async with (
            api_client(desk_bench) as ours,
            api_client(desk_bench, BY_TCP, creates_per_minute=3) as remote,
        ):
            token = bearer(await issued(ours, "ask"))
            made = [
                await remote.post("/v1/requests", json={"command": f"ls {number}"}, headers=token)
                for number in range(4)
            ]
            assert [each.status_code for each in made] == [201, 201, 201, 429]
            assert int(made[-1].headers["retry-after"]) > 0
            desk_bench.clock.advance(60)
            answer = await remote.post("/v1/requests", json={"command": "ls 5"}, headers=token)
        assert answer.status_code == 201

    run(story)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/tokens", None),
        ("POST", "/v1/tokens", {"name": "x", "scopes": ["read"]}),
        ("POST", "/v1/tokens/asked", {"name": "x", "scopes": ["admin"]}),
        ("POST", "/v1/tokens/issued/x", {"claim": "x"}),
        ("POST", "/v1/tokens/x/revoke", None),
    ],
)
def test_another_user_of_this_machine_asks_and_hands_out_nothing(
    desk_bench: Bench, method: str, path: str, body: object
) -> None:
    """Where the broker is a user of its own, this is the user that agents run as."""

    async def story() -> None:
        async with api_client(desk_bench, ("uid:4242", 0)) as theirs:
            assert (await theirs.post("/v1/requests", json={"command": "ls"})).status_code == 201
            answer = await theirs.request(method, path, json=body)
        assert answer.status_code == 403
        assert "the broker's own user" in answer.json()["detail"]

    run(story)


OTHER = ("uid:4242", 0)


@pytest.mark.parametrize(
    ("peer", "scope", "open_to_it"),
    [
        (OURS, "ask", {"create"}),
        (OURS, "read", {"list"}),
        (OURS, "admin", {"tokens"}),
        (OURS, "decide", set[str]()),
        (OTHER, "ask", {"create"}),
        (OTHER, "read", set[str]()),
        (OTHER, "admin", set[str]()),
    ],
)
def test_on_the_unix_socket_a_token_narrows_what_its_user_may_do_and_never_widens_it(
    desk_bench: Bench, monkeypatch: pytest.MonkeyPatch, peer: tuple[str, int], scope: str, open_to_it: set[str]
) -> None:
    monkeypatch.setattr("askfirst.broker.peer.has_terminal", lambda _request: True)

    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, peer, terminal_decisions=True) as socket:
            token = bearer(await issued_by_approval(desk_bench, ours, scope))
            made = (await ours.post("/v1/requests", json={"command": "rm -r build"})).json()
            one = f"/v1/requests/{made['id']}"
            review = {
                "decision_id": "decision-1",
                "version": 1,
                "action_digest": made["action_digest"],
                "verdict": "approve",
            }
            calls = {
                "create": ("POST", "/v1/requests", {"command": "ls"}),
                "list": ("GET", "/v1/requests", None),
                "tokens": ("GET", "/v1/tokens", None),
                "review": ("POST", f"{one}/reviews", review),
                "undo": ("POST", f"{one}/undo", {}),
            }
            answers = {
                name: await socket.request(method, path, json=body, headers=token)
                for name, (method, path, body) in calls.items()
            }
        assert {name for name, each in answers.items() if each.status_code != 403} == open_to_it
        assert (await desk_bench.desk.case(made["id"])).request.state is RequestState.PENDING

    run(story)


@pytest.mark.parametrize("peer", [OURS, OTHER])
@pytest.mark.parametrize("shown", ["Bearer askfirst_unknown", "Bearer ", "Basic cm9vdDo=", ""])
def test_on_the_unix_socket_a_token_that_opens_nothing_is_no_leave_to_come_without(
    desk_bench: Bench, peer: tuple[str, int], shown: str
) -> None:
    async def story() -> None:
        async with api_client(desk_bench, peer) as socket:
            answer = await socket.post("/v1/requests", json={"command": "ls"}, headers={"authorization": shown})
        assert answer.status_code == 401

    run(story)


def test_on_the_unix_socket_a_revoked_token_opens_nothing(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours:
            token = await issued(ours, "read")
            assert (await ours.get("/v1/requests", headers=bearer(token))).status_code == 200
            assert (await ours.post(f"/v1/tokens/{token['id']}/revoke")).status_code == 200
            assert (await ours.get("/v1/requests", headers=bearer(token))).status_code == 401
            assert (await ours.get("/v1/requests")).status_code == 200

    run(story)


def test_a_token_that_reads_or_decides_sees_the_requests_of_all_machines_and_uses_none(desk_bench: Bench) -> None:
    async def story() -> None:
        async with api_client(desk_bench) as ours, api_client(desk_bench, BY_TCP) as remote:
            mine = bearer(await issued(ours, "ask", name="laptop"))
            reader = bearer(await issued(ours, "ask", "read", name="dashboard"))
            decider = bearer(await issued_by_approval(desk_bench, ours, "decide"))
            made = (await remote.post("/v1/requests", json={"command": "ls"}, headers=mine)).json()
            one = f"/v1/requests/{made['id']}"
            seen = [(await remote.get(one, headers=headers)).status_code for headers in (reader, decider)]
            assert seen == [200, 200]
            assert (await remote.post(f"{one}/cancel", json={}, headers=reader)).status_code == 404
            assert (await ours.post(f"{one}/cancel", json={})).json()["done"]

    run(story)
