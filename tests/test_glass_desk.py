"""Break-glass over a real store: one code, one release, every use in the log and told to everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from askfirst.audit_port import Entry, EntryType
from askfirst.effects import Classification, EffectKind
from askfirst.errors import InputError, NotAllowedError, RequestNotFoundError
from askfirst.glass_desk import GlassDesk, Shown, Windows
from askfirst.intake import Draft
from askfirst.people import Identity, Person, Requester
from askfirst.request import GrantState, Request, RequestState, Verdict
from askfirst.roster import Roster
from askfirst.store import schema
from askfirst.testing.bench import Bench, a_draft, a_review, bench

ANN, BOB = Person(id="local:ann", identities=(Identity(id="fake:ann"),)), Person(id="local:bob")
KEY = b"k" * 32
REASON = "the channels are down and the shop loses orders"


@dataclass
class Town:
    """A desk, its break-glass, and what people were told."""

    bench: Bench
    roster: Roster
    glass: GlassDesk
    told: list[str]
    longest: list[int]

    async def code(self, person: str = "local:bob", days: int = 30) -> str:
        asked = await self.glass.ask_to_prepare(person, days=days)
        await self.bench.desk.review(a_review(asked.case.request, Verdict.APPROVE))
        return (await self.glass.prepared(asked.case.request.id, asked.claim))[1]

    async def ask(self, longest_s: int = 600, **changes: Any) -> Request:
        return (await self.bench.desk.ask(allowing(a_draft(**changes), longest_s))).request

    async def release(self, code: str, request: Request, **changes: Any) -> None:
        shown = Shown(request_id=request.id, version=request.version, action_digest=request.action_digest)
        await self.glass.release(code, replace(shown, **changes), reason=REASON, by="uid:1000")

    async def open(self, code: str, seconds: int = 300, session: str = "") -> None:
        await self.glass.open(code, seconds=seconds, session=session, reason=REASON, by="uid:1000")

    def entries(self, *kinds: EntryType) -> list[Entry]:
        return [entry for entry in self.bench.log.entries if entry.type in kinds]


def allowing(draft: Draft, longest_s: int) -> Draft:
    return replace(draft, terms=replace(draft.terms, break_glass_s=longest_s))


def town_of(made: Bench, *configured: Person, requester: Requester | None = None) -> Town:
    roster = Roster(configured=configured, requester=requester or Requester(), reader=made.reader)
    made.desk._people = roster
    told: list[str] = []
    longest = [900]

    async def tell(text: str, _key: str) -> None:
        told.append(text)

    glass = GlassDesk(
        desk=made.desk,
        roster=roster,
        writer=made.writer,
        reader=made.reader,
        audit=made.log,
        clock=made.clock,
        key=KEY,
        longest_s=lambda: longest[0],
        tell=tell,
    )
    made.desk._windows = Windows(KEY, made.clock)
    return Town(made, roster, glass, told, longest)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with bench(tmp_path / "askfirst.db") as made:
        yield town_of(made, ANN, BOB)


@pytest.fixture
def any_town(desk_bench: Bench) -> Town:
    """On SQLite and on PostgreSQL."""
    return town_of(desk_bench, ANN, BOB)


def run(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(story(), 10))  # type: ignore[arg-type]


def test_a_code_releases_one_request_once_and_the_log_says_who_why_what_and_until_when(any_town: Town) -> None:
    town = any_town

    async def story() -> None:
        desk, code = town.bench.desk, await town.code()
        request = await town.ask()
        await town.release(code, request)
        case = await desk.case(request.id)
        assert case.request.state is RequestState.APPROVED
        assert case.grant is not None
        step = await desk.redeem(request.id, action_digest=request.action_digest, attempt="a", tool_use_id="t")
        assert step.done
        other = await town.ask(key="key-2", command="git clean -fdx")
        with pytest.raises(NotAllowedError, match="does not work"):
            await town.release(code, other)
        assert (await desk.case(other.id)).request.state is RequestState.PENDING
        [used] = town.entries(EntryType.BREAK_GLASS_USED)
        assert (used.type, used.request, used.actor.id, used.actor.channel) == (
            "break_glass.used",
            request.id,
            "local:bob",
            "break-glass",
        )
        assert dict(used.decision) == {
            "break_glass": code[:6],
            "reason": REASON,
            "scope": "request",
            "expires_at_ms": case.grant.expires_at_ms,
        }
        linked = town.entries(EntryType.GATE_DECIDED, EntryType.GRANT_ISSUED, EntryType.GATE_RELEASED)
        assert [each.decision["break_glass"] for each in linked if each.request == request.id] == [code[:6]] * 3
        assert town.told == [
            f"local:bob has released request {request.code} with the break-glass code {code[:6]}: {REASON}"
        ]

    run(story)


def test_the_log_and_the_store_have_no_secret(town: Town) -> None:
    async def story() -> None:
        code = await town.code()
        with pytest.raises(NotAllowedError):
            await town.release(code[:-1] + ("0" if code[-1] != "0" else "1"), await town.ask())
        await town.open(code)
        secret = code[7:].replace("-", "")
        with town.bench.reader.connect() as connection:
            rows = [connection.execute(sa.select(table)).all() for table in schema.metadata.sorted_tables]
        said = repr(town.bench.log.entries) + repr(rows)
        assert code[:6] in said
        assert secret not in said.replace("-", "")

    run(story)


def test_a_window_releases_what_is_asked_while_it_is_open_and_nothing_before_or_after(any_town: Town) -> None:
    town = any_town

    async def story() -> None:
        before = await town.ask(key="before", command="git clean -fdx")
        code = await town.code()
        await town.open(code, seconds=300)
        during = await town.ask()
        assert (during.state, during.end and during.end.by) == (RequestState.APPROVED, "local:bob")
        assert (await town.bench.desk.case(before.id)).request.state is RequestState.PENDING
        retried = await town.ask(key="again", command="git clean -fdx")
        assert (retried.id, retried.state) == (before.id, RequestState.APPROVED)
        grant = (await town.bench.desk.case(during.id)).grant
        assert grant is not None
        assert grant.expires_at_ms <= town.bench.clock.now_ms() + 300_000
        [used] = town.entries(EntryType.BREAK_GLASS_USED)
        until_ms = town.bench.clock.now_ms() + 300_000
        assert dict(used.data) == {
            "break_glass": code[:6],
            "reason": REASON,
            "scope": "window",
            "expires_at_ms": until_ms,
        }
        decided = [
            each for each in town.entries(EntryType.GATE_DECIDED) if each.decision.get("break_glass") == code[:6]
        ]
        assert [each.request for each in decided] == [during.id, before.id]
        town.bench.clock.advance(300)
        after = await town.ask(key="after", command="git push --force")
        assert after.state is RequestState.PENDING

    run(story)


def test_a_grant_of_a_window_ends_with_it(town: Town) -> None:
    async def story() -> None:
        await town.open(await town.code(), seconds=60)
        request = await town.ask()
        town.bench.clock.advance(60)
        step = await town.bench.desk.redeem(
            request.id, action_digest=request.action_digest, attempt="a", tool_use_id="t"
        )
        assert not step.done

    run(story)


@pytest.mark.parametrize("by_clock", [False, True])
def test_a_window_closes_early_by_a_word_or_when_the_clock_goes_back(town: Town, by_clock: bool) -> None:
    async def story() -> None:
        code = await town.code()
        await town.open(code)
        if by_clock:
            town.bench.clock.advance(-1)
        else:
            await town.glass.revoke(code[:6].lower(), by="uid:1000")
            [entry] = town.entries(EntryType.BREAK_GLASS_REVOKED)
            assert (entry.type, entry.data["was"]) == ("break_glass.revoked", "window open")
        assert (await town.ask()).state is RequestState.PENDING

    run(story)


def test_a_window_for_one_session_releases_no_other(town: Town) -> None:
    async def story() -> None:
        await town.open(await town.code(), session="another")
        assert (await town.ask()).state is RequestState.PENDING

    run(story)


def test_a_rule_that_allows_shorter_windows_is_released_in_their_first_part_only(town: Town) -> None:
    async def story() -> None:
        await town.open(await town.code(), seconds=300)
        town.bench.clock.advance(59)
        assert (await town.ask(longest_s=60)).state is RequestState.APPROVED
        town.bench.clock.advance(1)
        assert (await town.ask(longest_s=60, key="2", command="git clean -fdx")).state is RequestState.PENDING

    run(story)


@pytest.mark.parametrize("by_window", [False, True])
def test_a_rule_without_break_glass_stays_closed_and_the_code_is_not_used_up(town: Town, by_window: bool) -> None:
    async def story() -> None:
        code = await town.code()
        if by_window:
            await town.open(code)
            assert (await town.ask(longest_s=0)).state is RequestState.PENDING
            return
        request = await town.ask(longest_s=0)
        with pytest.raises(NotAllowedError, match=r"the rule ask.high does not allow it"):
            await town.release(code, request)
        [refused] = town.entries(EntryType.BREAK_GLASS_REFUSED)
        assert (refused.type, refused.data["break_glass"]) == ("break_glass.refused", code[:6])
        await town.release(code, await town.ask(key="2", command="git clean -fdx"))

    run(story)


@pytest.mark.parametrize("by_window", [False, True])
def test_nothing_that_touches_the_gate_is_ever_released(town: Town, by_window: bool) -> None:
    """I1: else an agent could widen a short window for ever."""

    async def story() -> None:
        code = await town.code()
        draft = allowing(a_draft(command="askfirst people add eve"), 600)
        [effect] = draft.classification.effects
        touching = replace(draft.classification, effects=(replace(effect, kind=EffectKind.TAMPERS),))
        assert isinstance(touching, Classification)
        if by_window:
            await town.open(code)
        case = await town.bench.desk.ask(replace(draft, classification=touching))
        assert case.request.state is RequestState.PENDING
        if not by_window:
            with pytest.raises(NotAllowedError, match="touches the gate itself"):
                await town.release(code, case.request)

    run(story)


def test_whoever_asks_cannot_release_what_they_ask(town: Town) -> None:
    """I5: an agent works for somebody, and that somebody's code is no second pair of eyes."""
    town = town_of(town.bench, ANN, BOB, requester=Requester(hosts={"claude-code": ("local:bob",)}))

    async def story() -> None:
        code = await town.code()
        with pytest.raises(NotAllowedError, match="whoever asks cannot decide"):
            await town.release(code, await town.ask())
        await town.open(code)
        assert (await town.ask(key="2", command="git clean -fdx")).state is RequestState.PENDING

    run(story)


def test_what_has_changed_since_it_was_shown_is_not_released(town: Town) -> None:
    """I2: the person has seen another action."""

    async def story() -> None:
        code, request = await town.code(), await town.ask()
        for changed in ({"version": 2}, {"action_digest": "0" * 64}):
            with pytest.raises(NotAllowedError, match="look at it again"):
                await town.release(code, request, **changed)
        await town.release(code, request)

    run(story)


def test_a_deny_that_comes_before_it_runs_takes_the_release_back(town: Town) -> None:
    """I5: deny beats approve until the grant is redeemed."""

    async def story() -> None:
        request = await town.ask()
        await town.release(await town.code(), request)
        await town.bench.desk.review(a_review(request, Verdict.DENY))
        case = await town.bench.desk.case(request.id)
        assert (case.request.state, case.grant and case.grant.state) == (RequestState.DENIED, GrantState.REVOKED)

    run(story)


@pytest.mark.parametrize("how", ["denied", "expired", "cancelled"])
def test_what_has_ended_is_not_opened_again(town: Town, how: str) -> None:
    """I4: a deadline or a deny that came first stands, and the code is as it was."""

    async def story() -> None:
        code, request = await town.code(), await town.ask()
        if how == "denied":
            await town.bench.desk.review(a_review(request, Verdict.DENY))
        elif how == "cancelled":
            await town.bench.desk.cancel(request.id, "no need")
        else:
            town.bench.clock.advance(600)
        with pytest.raises(NotAllowedError, match=how):
            await town.release(code, request)
        assert [each.state(town.bench.clock.now_ms()) for each in await town.glass.codes()] == ["unused"]

    run(story)


def test_two_at_once_with_one_code_release_one(any_town: Town) -> None:
    town = any_town

    async def story() -> None:
        code = await town.code()
        one, other = await town.ask(), await town.ask(key="2", command="git clean -fdx")
        done = await asyncio.gather(
            town.release(code, one), town.release(code, other), town.open(code), return_exceptions=True
        )
        assert [type(each) for each in done].count(type(None)) == 1
        assert len(town.entries(EntryType.BREAK_GLASS_USED)) == 1

    run(story)


@pytest.mark.parametrize("how", ["revoked", "expired", "left"])
def test_a_code_that_was_taken_back_has_expired_or_whose_person_has_left_opens_nothing(town: Town, how: str) -> None:
    async def story() -> None:
        code = await town.code(days=1)
        if how == "revoked":
            await town.glass.revoke(code[:6], by="uid:1000")
        elif how == "expired":
            town.bench.clock.advance(86_400)
        else:
            town.bench.desk._people = town.glass._roster = Roster(
                configured=(ANN,), requester=Requester(), reader=town.bench.reader
            )
        request = (await town.bench.desk.ask(allowing(a_draft(now_ms=town.bench.clock.now_ms()), 600))).request
        for act in (town.release(code, request), town.open(code)):
            with pytest.raises(NotAllowedError):
                await act
        assert (await town.bench.desk.case(request.id)).request.state is RequestState.PENDING
        assert len(town.entries(EntryType.BREAK_GLASS_REFUSED)) == 2

    run(story)


def test_wrong_codes_are_written_down_and_after_five_its_owner_has_to_wait(town: Town) -> None:
    async def story() -> None:
        code, request = await town.code(), await town.ask()
        wrong = f"{code[:7]}00000-00000-00000-00000"
        for _ in range(5):
            with pytest.raises(NotAllowedError, match="does not work"):
                await town.release(wrong, request)
        for typed in (wrong, code):
            with pytest.raises(NotAllowedError, match="too many wrong codes; try again in 13 min"):
                await town.release(typed, request)
        with pytest.raises(NotAllowedError, match="too many wrong codes"):
            await town.open(code)
        assert len(town.entries(EntryType.BREAK_GLASS_REFUSED)) == 5
        another = await town.code()
        await town.release(another, request)

    run(story)


def test_a_code_that_somebody_writes_into_the_store_opens_nothing(town: Town) -> None:
    """A14: neither another person's name on a code, nor a used one made fresh, nor a window by its row alone."""

    async def story() -> None:
        code = await town.code()

        async def write(**values: object) -> None:
            change = schema.break_glass.update().values(**values)
            await town.bench.writer.write(lambda connection: connection.execute(change))

        request, now_ms = await town.ask(), town.bench.clock.now_ms()
        await write(person="local:ann")
        with pytest.raises(NotAllowedError, match="does not work"):
            await town.release(code, request)
        await write(person="local:bob", used_at_ms=now_ms, until_ms=now_ms + 300_000)
        assert (await town.ask(key="2", command="git clean -fdx")).state is RequestState.PENDING
        await write(used_at_ms=None, until_ms=0)
        await town.release(code, request)
        await write(used_at_ms=None)
        with pytest.raises(NotAllowedError, match="does not work"):
            await town.release(code, await town.ask(key="3", command="git push -f"))

    run(story)


def test_nobody_gets_a_code_without_a_persons_approval(town: Town) -> None:
    """I1: not by asking, not by assurance 0, not with another's claim, not for a stranger."""

    async def story() -> None:
        asked = await town.glass.ask_to_prepare("local:bob", days=30)
        request = asked.case.request
        with pytest.raises(NotAllowedError, match="not approved"):
            await town.glass.prepared(request.id, asked.claim)
        await town.bench.desk.review(a_review(request, Verdict.APPROVE, assurance=0, decision_id="weak"))
        with pytest.raises(NotAllowedError, match="not approved"):
            await town.glass.prepared(request.id, asked.claim)
        await town.bench.desk.review(a_review(request, Verdict.APPROVE))
        with pytest.raises(NotAllowedError, match="only whoever asked"):
            await town.glass.prepared(request.id, "guess")
        code, _ = await town.glass.prepared(request.id, asked.claim)
        with pytest.raises(NotAllowedError):
            await town.glass.prepared(request.id, asked.claim)
        [entry] = town.entries(EntryType.BREAK_GLASS_PREPARED)
        assert (entry.type, entry.request, entry.data["break_glass"]) == ("break_glass.prepared", request.id, code.id)
        with pytest.raises(InputError, match="nobody is known"):
            await town.glass.ask_to_prepare("local:eve", days=30)
        with pytest.raises(RequestNotFoundError):
            await town.glass.revoke("NOSUCH", by="uid:1000")

    run(story)


def test_an_open_window_lets_no_code_be_made(town: Town) -> None:
    async def story() -> None:
        await town.open(await town.code())
        asked = await town.glass.ask_to_prepare("local:bob", days=30)
        assert asked.case.request.state is RequestState.PENDING

    run(story)


def test_where_the_policy_has_no_break_glass_there_is_none(town: Town) -> None:
    """Also for codes that were made while it had."""

    async def story() -> None:
        code, request = await town.code(), await town.ask()
        with pytest.raises(NotAllowedError, match="900 s at most, not 901 s"):
            await town.open(code, seconds=901)
        town.longest[0] = 0
        for act in (
            town.release(code, request),
            town.open(code),
            town.glass.ask_to_prepare("local:bob", days=1),
        ):
            with pytest.raises(NotAllowedError, match="no break-glass here"):
                await act

    run(story)


def test_a_window_outlives_its_broker(town: Town) -> None:
    """The next one honours it, and one with another key does not."""

    async def story() -> None:
        await town.open(await town.code())
        town.bench.desk._windows = Windows(b"x" * 32, town.bench.clock)
        assert (await town.ask()).state is RequestState.PENDING
        town.bench.desk._windows = Windows(KEY, town.bench.clock)
        assert (await town.ask(key="2", command="git clean -fdx")).state is RequestState.APPROVED

    run(story)


def test_a_window_does_not_release_what_was_denied(any_town: Town) -> None:
    """A new reason has people asked once more; the window overrides no deny, of this very action."""
    town = any_town

    async def story() -> None:
        desk, code = town.bench.desk, await town.code()
        request = await town.ask()
        await desk.review(a_review(request, Verdict.DENY))
        await town.open(code)
        draft = allowing(a_draft(key="again"), 600)
        draft = replace(draft, claim=replace(draft.claim, reason="it is urgent"))
        assert (await desk.ask(draft)).request.state is RequestState.PENDING
        assert (await desk.ask(replace(draft, key="joins"))).request.state is RequestState.PENDING
        assert (await town.ask(key="other", command="git push")).state is RequestState.APPROVED

    run(story)
