"""Grants over a real store: signed, verified, listed, revoked; and every message hears of it."""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from askfirst.engine import Amend, Content
from askfirst.grant_token import CONTEXT, is_genuine
from askfirst.policy.ruling import ScopeOffer, Stage
from askfirst.request import Grant, GrantState, RequestState, Verdict, dump
from askfirst.store import outbox
from askfirst.store.standing import DENIALS_MAX
from askfirst.testing.bench import Bench, FakeSigner, a_draft, a_review

if TYPE_CHECKING:
    from askfirst.engine import Case
    from askfirst.intake import Draft


async def approved(made: Bench, key: str = "1") -> Case:
    case = await made.desk.ask(a_draft(key=key, command=f"rm -rf {key}"))
    return (await made.desk.review(a_review(case.request, Verdict.APPROVE))).case


async def redeemed(made: Bench, case: Case, attempt: str = "attempt-1") -> bool:
    digest = case.request.action_digest
    step = await made.desk.redeem(case.request.id, action_digest=digest, attempt=attempt, tool_use_id="t")
    return step.done


def test_a_token_says_who_allowed_what_until_when_and_where_the_log_stood(desk_bench: Bench) -> None:
    case = asyncio.run(approved(desk_bench))
    assert case.grant is not None
    body, _, signature = case.grant.token.partition(".")
    raw = base64.urlsafe_b64decode(body + "==")
    told = json.loads(raw)
    assert len(base64.urlsafe_b64decode(told.pop("n"))) == 12
    assert told == {
        "v": 1,
        "typ": "grant",
        "req": case.request.id,
        "act": case.request.action_digest,
        "by": [{"ch": "web", "sub": "local:ann"}],
        "nbf": case.grant.issued_at_ms // 1000,
        "exp": case.grant.expires_at_ms // 1000,
        "max": 1,
        "log": {"i": 3, "size": 1, "root": "00" * 32},
    }
    assert FakeSigner().is_ours(CONTEXT + raw, base64.urlsafe_b64decode(signature + "=="))
    assert desk_bench.log.entries[3].type == "grant.issued"


@pytest.mark.parametrize(
    "forged",
    [
        {"token": ""},
        {"token": "e30.e30"},
        {"token": "no.token!"},
        {"action_digest": "f" * 64},
        {"expires_at_ms": 2_000_000_000_000},
        {"uses_max": 100},
        {"pattern": "rm *"},
        {"request_id": "another"},
    ],
)
def test_a_grant_that_was_changed_beside_us_is_no_longer_genuine(desk_bench: Bench, forged: dict[str, object]) -> None:
    """I2: the grant is our signature over this very action, or nothing."""
    case = asyncio.run(approved(desk_bench))
    assert case.grant is not None
    assert is_genuine(case.grant, FakeSigner())
    assert not is_genuine(replace(case.grant, **forged), FakeSigner())  # type: ignore[arg-type]


@pytest.mark.parametrize("store_url", [""])  # looks into the file
def test_a_grant_that_somebody_wrote_into_the_store_opens_nothing(desk_bench: Bench) -> None:
    async def story() -> None:
        case = await desk_bench.desk.ask(a_draft())
        desk_bench.clock.advance(601)
        await desk_bench.desk.sweep()
        grant = Grant(
            id="forged",
            request_id=case.request.id,
            action_digest=case.request.action_digest,
            state=GrantState.ISSUED,
            issued_at_ms=desk_bench.clock.now_ms(),
            expires_at_ms=desk_bench.clock.now_ms() + 60_000,
            token="e30.e30",
        )
        desk_bench.writer.submit(
            lambda connection: connection.exec_driver_sql(
                "insert into grant_ (id, request_id, action_digest, state, expires_at_ms, body) values (?,?,?,?,?,?)",
                (grant.id, grant.request_id, grant.action_digest, "issued", grant.expires_at_ms, dump(grant)),
            )
        ).result()
        assert not await redeemed(desk_bench, case)
        assert not await redeemed(desk_bench, case, "attempt-2")

    asyncio.run(story())
    last = desk_bench.log.entries[-1]
    assert (last.type, last.decision["reason"]) == (
        "grant.revoked",
        "the grant's signature does not verify: the store was changed from outside",
    )


def test_open_grants_are_listed_and_a_revoked_one_opens_nothing(desk_bench: Bench) -> None:
    async def story() -> None:
        first, second = await approved(desk_bench, "1"), await approved(desk_bench, "2")
        listed = [each.request.id for each in await desk_bench.desk.grants()]
        assert sorted(listed) == sorted([first.request.id, second.request.id])
        step = await desk_bench.desk.revoke(first.request.id, by="local:ann", channel="terminal", reason="oops")
        assert step.done
        assert [each.request.id for each in await desk_bench.desk.grants()] == [second.request.id]
        assert not await redeemed(desk_bench, first)
        assert await redeemed(desk_bench, second)

    asyncio.run(story())


def test_earlier_versions_are_kept_and_the_edited_action_leads_to_its_grant(desk_bench: Bench) -> None:
    async def story() -> None:
        case = await desk_bench.desk.ask(a_draft(command="rm -rf a"))
        asked = case.request
        action = replace(asked.action, arguments={"command": "rm -rf a/b"})
        content = Content(action=action, effects=asked.effects, risk=asked.risk)
        claim = replace(asked.claim, reason="only that")
        await desk_bench.desk.amend(asked.id, Amend(content=content, claim=claim, terms=asked.terms))
        case = await desk_bench.desk.case(asked.id)
        assert [each.version for each in (*case.earlier, case.request)] == [1, 2]
        await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))
        for digest in (asked.action_digest, action.digest()):
            assert [each.request.id for each in await desk_bench.desk.granted(digest)] == [asked.id]
        assert await desk_bench.desk.granted("f" * 64) == []

    asyncio.run(story())


@pytest.mark.parametrize("store_url", [""])  # looks into the file
def test_every_message_is_edited_when_the_request_ends_anywhere(desk_bench: Bench) -> None:
    """I10: also those of a later stage, of a reminder, of an escalation (P05)."""
    stages = (Stage(name="proposer", recipients=("web:a",)), Stage(name="confirmer", recipients=("web:b",)))

    async def story() -> dict[str, int]:
        draft = a_draft()
        now_ms = desk_bench.clock.now_ms()
        terms = replace(draft.terms, stages=stages, reminders_at_ms=(now_ms + 60_000,))
        case = await desk_bench.desk.ask(replace(draft, terms=terms))
        await desk_bench.desk.review(a_review(case.request, Verdict.APPROVE))
        desk_bench.clock.advance(60)
        await desk_bench.desk.sweep()
        messages = owed(desk_bench, outbox.SEND)
        assert messages == ["web:a", "web:b", "web:b"]
        before = len(owed(desk_bench, outbox.UPDATE))
        await desk_bench.desk.review(a_review(case.request, Verdict.DENY, person="local:bob"))
        assert owed(desk_bench, outbox.UPDATE)[before:] == messages
        return {}

    asyncio.run(story())


def owed(made: Bench, kind: str) -> list[str]:
    with closing(sqlite3.connect(f"file:{made.path}?mode=ro", uri=True)) as database:
        rows = database.execute("select recipient from outbox where kind = ? order by id", (kind,))
        return [recipient for (recipient,) in rows]


def test_quiet_hours_hold_the_first_message_and_a_decision_drops_it(desk_bench: Bench) -> None:
    async def story() -> None:
        for number, decided in (("1", False), ("2", True)):
            draft = a_draft(key=number, command=f"rm {number}")
            opens_at_ms = desk_bench.clock.now_ms() + 3_600_000
            case = await desk_bench.desk.ask(replace(draft, terms=replace(draft.terms, opens_at_ms=opens_at_ms)))
            if decided:
                await desk_bench.desk.review(a_review(case.request, Verdict.DENY))
        with desk_bench.reader.connect() as connection:
            assert outbox.due(connection, "web", desk_bench.clock.now_ms(), 10) == []
            later = outbox.due(connection, "web", desk_bench.clock.now_ms() + 3_600_000, 10)
            assert [each.request_id for each in later if each.kind == outbox.SEND] != []
            assert len([each for each in later if each.kind == outbox.SEND]) == 1

    asyncio.run(story())


def test_a_waiter_hears_of_a_decision_that_came_first(desk_bench: Bench) -> None:
    """I3: register the waiter, then read the state (P04)."""

    async def story() -> RequestState:
        case = await approved(desk_bench)
        return (await desk_bench.desk.wait(case.request.id, 5)).request.state

    assert asyncio.run(story()) is RequestState.APPROVED


def test_a_waiter_is_told_when_it_is_the_agents_turn(desk_bench: Bench) -> None:
    async def story() -> None:
        case = await desk_bench.desk.ask(a_draft())
        waiter = asyncio.create_task(desk_bench.desk.wait(case.request.id, 5))
        await desk_bench.desk.review(a_review(case.request, Verdict.NEEDS_INFO, text="why?"))
        told = await waiter
        assert told.asked_back is not None
        assert told.request.state is RequestState.PENDING

    asyncio.run(story())


PATTERN = "rm -rf *"
OFFERS = (
    ScopeOffer(kind="once"),
    ScopeOffer(kind="session", pattern=PATTERN),
    ScopeOffer(kind="uses", amount=2, pattern=PATTERN),
)


def a_similar(key: str, command: str, **terms: object) -> Draft:
    draft = a_draft(key=key, command=command)
    return replace(draft, terms=replace(draft.terms, scopes=OFFERS, **terms))  # type: ignore[arg-type]


async def approved_for_the_session(made: Bench, scope: str = "session") -> Case:
    case = await made.desk.ask(a_similar("1", "rm -rf build"))
    review = replace(a_review(case.request, Verdict.APPROVE), scope=f"{scope} {PATTERN}")
    return (await made.desk.review(review)).case


def test_an_approval_for_commands_like_it_answers_a_later_request_of_its_own(desk_bench: Bench) -> None:
    """Nobody is asked or written to again, and what is redeemed is that very action, once."""

    async def story() -> None:
        first = await approved_for_the_session(desk_bench)
        later = await desk_bench.desk.covered(a_similar("2", "rm -rf dist"))
        assert later is not None
        assert (later.request.state, later.request.id != first.request.id) == (RequestState.APPROVED, True)
        assert later.grant is not None
        assert is_genuine(later.grant, FakeSigner())
        assert [await redeemed(desk_bench, later, attempt) for attempt in ("attempt-1", "attempt-2")] == [True, False]
        assert (await desk_bench.desk.covered(a_similar("2", "rm -rf dist"))) is not None
        first = await desk_bench.desk.case(first.request.id)
        assert first.grant is not None
        assert first.grant.passed_on == (later.request.id,)

    asyncio.run(story())
    with desk_bench.reader.connect() as connection:
        told = connection.exec_driver_sql("select distinct request_id from outbox where kind = 'send'").all()
    assert len(told) == 1


def test_a_key_that_is_known_is_the_same_request_and_no_further_use(desk_bench: Bench) -> None:
    async def story() -> None:
        first = await approved_for_the_session(desk_bench)
        ones = [await desk_bench.desk.covered(a_similar("2", "rm -rf dist")) for _ in range(3)]
        assert len({each.request.id for each in ones if each is not None}) == 1
        grant = (await desk_bench.desk.case(first.request.id)).grant
        assert grant is not None
        assert len(grant.passed_on) == 1

    asyncio.run(story())


@pytest.mark.parametrize(
    ("command", "terms"),
    [
        ("git clean -fdx", {}),
        ("rm -rf dist && rm -rf /", {}),
        ("rm -rf dist", {"rule": "releases"}),
        ("rm -rf dist", {"scopes": (ScopeOffer(kind="once"),)}),
    ],
)
def test_what_it_does_not_reach_has_to_be_asked(desk_bench: Bench, command: str, terms: dict[str, object]) -> None:
    async def story() -> None:
        await approved_for_the_session(desk_bench)
        draft = a_similar("2", command)
        draft = replace(draft, terms=replace(draft.terms, **terms))  # type: ignore[arg-type]
        assert await desk_bench.desk.covered(draft) is None

    asyncio.run(story())


def test_a_session_that_was_told_to_stop_is_not_answered_by_an_earlier_approval(desk_bench: Bench) -> None:
    async def story() -> None:
        await approved_for_the_session(desk_bench)
        other = await desk_bench.desk.ask(a_draft(key="9", command="git push --force"))
        await desk_bench.desk.review(replace(a_review(other.request, Verdict.DENY), stop=True))
        answer = await desk_bench.desk.covered(a_similar("2", "rm -rf dist"))
        assert answer is not None
        assert answer.request.state is RequestState.DENIED

    asyncio.run(story())


def test_what_was_denied_since_is_asked_and_not_answered_by_an_approval_that_reaches_it(desk_bench: Bench) -> None:
    """I5: also where the agent comes with a reason that it had not given."""

    async def story() -> None:
        waiting = await desk_bench.desk.ask(a_similar("0", "rm -rf dist"))
        desk_bench.clock.advance(1)
        await approved_for_the_session(desk_bench)
        desk_bench.clock.advance(1)
        await desk_bench.desk.review(a_review(waiting.request, Verdict.DENY))
        insists = a_similar("2", "rm -rf dist")
        assert await desk_bench.desk.covered(replace(insists, claim=replace(insists.claim, reason="really"))) is None
        assert (await desk_bench.desk.covered(a_similar("3", "rm -rf out"))) is not None

    asyncio.run(story())


@pytest.mark.parametrize("told", ["rm  -rf dist", "rm -rf 'dist'", "rm -rf ./dist/", "rm -rf dist"])
def test_what_was_denied_since_does_not_pass_in_other_words(desk_bench: Bench, told: str) -> None:
    """I5: a space more is another action; so is the same one at another HEAD."""

    async def story() -> None:
        waiting = await desk_bench.desk.ask(a_similar("0", "rm -rf dist"))
        desk_bench.clock.advance(1)
        first = await approved_for_the_session(desk_bench)
        ahead = await desk_bench.desk.covered(at_another_head(a_similar("4", told)))
        assert ahead is not None
        desk_bench.clock.advance(1)
        await desk_bench.desk.review(a_review(waiting.request, Verdict.DENY))
        tried = at_another_head(a_similar("2", told))
        content = Content(action=tried.action, effects=tried.classification.effects, risk=first.request.risk)
        step = await desk_bench.desk.redeem(
            first.request.id,
            action_digest=tried.action.digest(),
            attempt="a",
            tool_use_id="t",
            content=content,
            terms=tried.terms,
        )
        note = f"people have denied the same in other words ({waiting.request.code}); ask anew"
        assert (step.done, step.note) == (False, note)
        assert await desk_bench.desk.covered(tried) is None
        act = ahead.request.action_digest
        step = await desk_bench.desk.redeem(ahead.request.id, action_digest=act, attempt="b", tool_use_id="")
        assert (step.done, step.note) == (False, note)
        assert (await desk_bench.desk.covered(a_similar("3", "rm -rf out"))) is not None

    asyncio.run(story())


def at_another_head(draft: Draft) -> Draft:
    return replace(draft, action=replace(draft.action, head="f" * 40))


def test_an_approval_for_several_runs_ends_where_the_same_action_is_denied(desk_bench: Bench) -> None:
    """I5: another request was amended into it, and denied."""

    async def story() -> None:
        draft = a_draft(key="1", command="rm -rf a")
        draft = replace(draft, terms=replace(draft.terms, scopes=(ScopeOffer(kind="uses", amount=5),)))
        first = (await desk_bench.desk.ask(draft)).request
        other = (await desk_bench.desk.ask(a_draft(key="2", command="rm -rf b"))).request
        case = (await desk_bench.desk.review(a_review(first, Verdict.APPROVE, scope="uses:5"))).case
        assert await redeemed(desk_bench, case)
        content = Content(action=first.action, effects=first.effects, risk=first.risk)
        step = await desk_bench.desk.amend(other.id, Amend(content=content, claim=other.claim, terms=other.terms))
        await desk_bench.desk.review(a_review(step.case.request, Verdict.DENY))
        assert not await redeemed(desk_bench, case, "attempt-2")
        assert await redeemed(desk_bench, case)  # what was released before hears the same again

    asyncio.run(story())


@pytest.mark.parametrize("how", ["revoked", "denied"])
@pytest.mark.parametrize("scope", ["session", "uses:2"], ids=["has uses left", "is used up"])
def test_an_approval_that_is_taken_back_opens_nothing_that_it_was_passed_on_to(
    desk_bench: Bench, scope: str, how: str
) -> None:
    """I5: a program may have asked ahead; what it was told is approved has not run yet."""

    async def story() -> None:
        first = await approved_for_the_session(desk_bench, scope)
        ran = await desk_bench.desk.covered(a_similar("2", "rm -rf dist"))
        ahead = await desk_bench.desk.covered(a_similar("3", "rm -rf out"))
        assert ran is not None
        assert ahead is not None
        assert await redeemed(desk_bench, ran)
        if how == "revoked":
            await desk_bench.desk.revoke(first.request.id, by="local:ann", channel="web")
        else:
            step = await desk_bench.desk.review(a_review(first.request, Verdict.DENY))
            assert step.note.startswith("took the approval back after 2 uses")
        assert (await desk_bench.desk.case(first.request.id)).request.state is RequestState.APPROVED
        step = await desk_bench.desk.redeem(
            ahead.request.id, action_digest=ahead.request.action_digest, attempt="a", tool_use_id=""
        )
        assert (step.done, step.note) == (
            False,
            "the grant is revoked: the approval that it was passed on from has been taken back; ask anew",
        )
        assert await desk_bench.desk.grants() == []
        assert await redeemed(desk_bench, ran)  # what has run hears the same again
        assert (await desk_bench.desk.ask(a_similar("4", "rm -rf out"))).request.state is RequestState.PENDING
        revoked = [each for each in desk_bench.log.entries if each.type == "grant.revoked"]
        assert [(each.request, each.actor.id) for each in revoked] == [
            (first.request.id, "local:ann"),
            (ahead.request.id, "gate"),
        ]

    asyncio.run(story())


def test_whoever_follows_changes_hears_of_what_was_taken_back_with_an_approval(desk_bench: Bench) -> None:
    async def story() -> None:
        first = await approved_for_the_session(desk_bench)
        ahead = await desk_bench.desk.covered(a_similar("2", "rm -rf dist"))
        other = await approved(desk_bench, "other")
        assert ahead is not None
        with desk_bench.hub.subscriber() as changes:
            await desk_bench.desk.revoke(first.request.id, by="local:ann", channel="web")
            heard = [changes.get_nowait() for _ in range(changes.qsize())]
        assert [(each.request.id, each.grant and each.grant.state) for each in heard] == [
            (first.request.id, GrantState.REVOKED),
            (ahead.request.id, GrantState.REVOKED),
        ]
        assert [each.request.id for each in await desk_bench.desk.grants()] == [other.request.id]

    asyncio.run(story())


def test_a_program_redeems_nothing_for_a_session_that_was_told_to_stop(desk_bench: Bench) -> None:
    """I5: approved, but not run; another session goes on."""

    async def story() -> None:
        stopped = await approved(desk_bench, "1")
        draft = a_draft(key="2", command="rm -rf 1")
        agent = replace(draft.agent, session="another")
        draft = replace(draft, agent=agent, action=replace(draft.action, session="another"))
        other = await desk_bench.desk.ask(draft)
        await desk_bench.desk.review(a_review(other.request, Verdict.APPROVE))
        last = await desk_bench.desk.ask(a_draft(key="3", command="git push --force"))
        await desk_bench.desk.review(a_review(last.request, Verdict.DENY, stop=True))
        steps = [
            await desk_bench.desk.redeem(
                each.request.id, action_digest=each.request.action_digest, attempt="a", tool_use_id=""
            )
            for each in (stopped, other)
        ]
        assert [each.done for each in steps] == [False, True]
        assert steps[0].note == f"its session was told to stop (request {last.request.code})"

    asyncio.run(story())


def test_a_stop_holds_however_much_else_is_denied_after_it(desk_bench: Bench) -> None:
    """I5: whoever tells a session to stop may go on to deny all that it has asked, and had approved."""

    async def story() -> None:
        desk = desk_bench.desk
        kept = await approved(desk_bench, "kept")
        others = [await approved(desk_bench, f"approved-{number}") for number in range(8)]
        others += [await approved(desk_bench, f"{number}") for number in range(DENIALS_MAX - 1)]
        last = await desk.ask(a_draft(key="last", command="git push --force"))
        await desk.review(a_review(last.request, Verdict.DENY, stop=True))
        desk_bench.clock.advance(1)
        for each in others:
            assert (await desk.review(a_review(each.request, Verdict.DENY))).done
        act = kept.request.action_digest
        step = await desk.redeem(kept.request.id, action_digest=act, attempt="a", tool_use_id="")
        assert (step.done, step.note) == (False, f"its session was told to stop (request {last.request.code})")
        assert (await desk.ask(a_draft(key="new", command="rm -rf new"))).request.id == last.request.id

    asyncio.run(story())


def test_silence_after_a_stop_lets_nothing_run(desk_bench: Bench) -> None:
    """I5: a hook waits for it, and nobody has decided to let it go on."""

    async def story() -> None:
        draft = a_draft(key="1", command="touch a")
        found = replace(draft.classification, effects=())
        draft = replace(draft, classification=found, terms=replace(draft.terms, on_timeout="approve"))
        waiting = await desk_bench.desk.ask(draft)
        desk_bench.clock.advance(601)  # nobody has looked yet
        now_ms = desk_bench.clock.now_ms()
        last = await desk_bench.desk.ask(a_draft(key="2", command="git push --force", now_ms=now_ms))
        await desk_bench.desk.review(a_review(last.request, Verdict.DENY, stop=True))
        case = await desk_bench.desk.case(waiting.request.id)
        assert case.request.state is RequestState.APPROVED
        assert not await redeemed(desk_bench, case)

    asyncio.run(story())
