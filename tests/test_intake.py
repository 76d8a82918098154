"""What becomes of a draft: asked, found again, joined, answered from a denial, refused."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from askfirst.answers import refusal
from askfirst.bounds import Bounds
from askfirst.effects import EffectKind, Risk
from askfirst.engine import Amend, Case, Content
from askfirst.errors import InputError, NobodyToAskError, NotAllowedError, OverloadedError
from askfirst.people import Directory, Person
from askfirst.policy.ruling import ONCE, ScopeOffer, Stage
from askfirst.request import RequestState, Verdict
from askfirst.store.standing import DENIALS_MAX
from askfirst.terms import Escalation
from askfirst.testing.bench import Bench, a_draft, a_review, bench

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.intake import Draft

STAFF = Directory(people=(Person(id="local:ann"), Person(id="local:bob", roles=frozenset({"security"}))))


def on_terms(draft: Draft, **terms: Any) -> Draft:
    return replace(draft, terms=replace(draft.terms, **terms))


def of_session(draft: Draft, session: str) -> Draft:
    agent = replace(draft.agent, session=session)
    return replace(draft, agent=agent, action=replace(draft.action, session=session))


async def ask(made: Bench, key: str, command: str = "rm -rf a", session: str = "s") -> Case:
    draft = a_draft(key=key, command=command, now_ms=made.clock.now_ms())
    return await made.desk.ask(of_session(draft, session))


async def deny(made: Bench, case: Case, **changes: Any) -> None:
    await made.desk.review(a_review(case.request, Verdict.DENY, **changes))


def types(made: Bench) -> list[str]:
    return [entry.type.value for entry in made.log.entries]


def test_the_same_action_while_it_waits_joins_the_request(desk_bench: Bench) -> None:
    async def story() -> None:
        first, second = await ask(desk_bench, "1"), await ask(desk_bench, "2")
        assert first.request.id == second.request.id
        other = await ask(desk_bench, "3", session="another")
        assert other.request.id != first.request.id

    asyncio.run(story())
    assert types(desk_bench) == ["gate.requested", "gate.joined", "gate.requested"]


def test_an_approval_with_uses_left_answers_the_same_action_and_nobody_is_asked_again(desk_bench: Bench) -> None:
    async def story() -> None:
        first = await ask(desk_bench, "1")
        await desk_bench.desk.review(a_review(first.request, Verdict.APPROVE))
        again = await ask(desk_bench, "2")
        assert (again.request.id, again.request.state) == (first.request.id, RequestState.APPROVED)
        act = first.request.action_digest
        await desk_bench.desk.redeem(first.request.id, action_digest=act, attempt="a", tool_use_id="t")
        assert (await ask(desk_bench, "3")).request.state is RequestState.PENDING

    asyncio.run(story())


def test_what_was_approved_again_after_a_denial_answers_and_nobody_is_asked_once_more(desk_bench: Bench) -> None:
    """An older approval of it, for several runs, is still open, and closed by the denial that came between."""

    async def story() -> None:
        draft = on_terms(a_draft(key="1", command="rm -rf a"), scopes=(ScopeOffer(kind="uses", amount=5),))
        first = (await desk_bench.desk.ask(draft)).request
        await desk_bench.desk.review(a_review(first, Verdict.APPROVE, scope="uses:5"))
        other = (await desk_bench.desk.ask(a_draft(key="2", command="rm -rf b"))).request
        content = Content(action=first.action, effects=first.effects, risk=first.risk)
        step = await desk_bench.desk.amend(other.id, Amend(content=content, claim=other.claim, terms=other.terms))
        await deny(desk_bench, step.case)
        desk_bench.clock.advance(1)
        insists = replace(draft, key="3", claim=replace(draft.claim, reason="really"))
        again = await desk_bench.desk.ask(insists)
        assert again.request.id not in {first.id, other.id}
        await desk_bench.desk.review(a_review(again.request, Verdict.APPROVE))
        assert (await desk_bench.desk.ask(replace(insists, key="4"))).request.id == again.request.id

    asyncio.run(story())


def test_a_late_approval_answers_the_next_identical_attempt_until_it_lapses(desk_bench: Bench) -> None:
    """I4: over REST and MCP, too, the retry passes at once."""

    async def story() -> None:
        late = await ask(desk_bench, "1")
        desk_bench.clock.advance(601)
        await desk_bench.desk.review(a_review(late.request, Verdict.APPROVE))
        retry = await ask(desk_bench, "2")
        assert (retry.request.id, retry.request.state) == (late.request.id, RequestState.EXPIRED)
        assert retry.grant is not None
        desk_bench.clock.advance(601)
        assert (await ask(desk_bench, "3")).request.id != late.request.id

    asyncio.run(story())


def test_a_session_that_was_told_to_stop_hears_that_before_any_approval(desk_bench: Bench) -> None:
    async def story() -> None:
        approved, other = await ask(desk_bench, "1"), await ask(desk_bench, "2", "rm -rf b")
        await desk_bench.desk.review(a_review(approved.request, Verdict.APPROVE))
        await deny(desk_bench, other, stop=True)
        assert (await ask(desk_bench, "3")).request.id == other.request.id

    asyncio.run(story())


def test_a_new_reason_is_heard_once_more_and_then_no_more(desk_bench: Bench) -> None:
    async def again(key: str, reason: str) -> Case:
        draft = of_session(a_draft(key=key, command="rm -rf a", now_ms=desk_bench.clock.now_ms()), "s")
        return await desk_bench.desk.ask(replace(draft, claim=replace(draft.claim, reason=reason)))

    async def story() -> None:
        first = await again("1", "tidy up")
        await deny(desk_bench, first)
        assert (await again("2", "tidy up")).request.id == first.request.id
        second = await again("3", "it fills the disk")
        assert second.request.state is RequestState.PENDING
        assert second.request.notes == (
            f"local:ann denied something equivalent 0 min ago: rm -rf a ({first.request.code})",
        )
        await deny(desk_bench, second)
        assert (await again("4", "please")).request.state is RequestState.DENIED

    asyncio.run(story())


def test_the_same_action_is_answered_from_its_denial_for_a_while(desk_bench: Bench) -> None:
    async def story() -> None:
        first = await ask(desk_bench, "1")
        await deny(desk_bench, first, text="never")
        again = await ask(desk_bench, "2")
        assert (again.request.id, again.request.state) == (first.request.id, RequestState.DENIED)
        desk_bench.clock.advance(600)
        later = await ask(desk_bench, "3")
        assert later.request.state is RequestState.PENDING
        assert later.request.notes == (
            f"local:ann denied something equivalent 10 min ago: rm -rf a ({first.request.code})",
        )

    asyncio.run(story())
    assert types(desk_bench)[3:] == ["gate.refused", "gate.requested"]


def test_an_action_in_which_nothing_was_found_is_equivalent_to_itself(desk_bench: Bench) -> None:
    """A rule of the policy has it asked, and no effect tells what it would do."""

    async def again(key: str, reason: str, tool: str = "notify_team") -> Case:
        draft = a_draft(key=key, now_ms=desk_bench.clock.now_ms())
        nothing = replace(draft.classification, effects=())
        action = replace(draft.action, tool=tool, arguments={"to": "all"})
        claim = replace(draft.claim, reason=reason)
        return await desk_bench.desk.ask(replace(draft, classification=nothing, action=action, claim=claim))

    async def story() -> None:
        first = await again("1", "hello")
        await deny(desk_bench, first)
        [note] = (await again("2", "they asked for it")).request.notes
        assert first.request.code in note
        assert (await again("3", "hello", tool="notify_others")).request.notes == ()

    asyncio.run(story())


def test_a_way_round_a_denial_is_pointed_out_to_people(desk_bench: Bench) -> None:
    async def story() -> None:
        await deny(desk_bench, await ask(desk_bench, "1", "git reset --hard"))
        again = await ask(desk_bench, "2", "git checkout -f .")
        assert len(again.request.notes) == 1
        assert "git reset --hard" in again.request.notes[0]
        assert (await ask(desk_bench, "3", "git checkout -f .", session="another")).request.notes == ()

    asyncio.run(story())


def test_a_session_that_was_told_to_stop_hears_that_whatever_it_tries(desk_bench: Bench) -> None:
    async def story() -> None:
        first = await ask(desk_bench, "1")
        await deny(desk_bench, first, stop=True, text="you are off the rails")
        other = await ask(desk_bench, "2", "git push --force")
        assert other.request.id == first.request.id
        refused = desk_bench.log.entries[-1]
        assert (refused.type, refused.request) == ("gate.refused", first.request.id)
        assert (refused.action["summary"], refused.decision["from"]) == ("git push --force", first.request.id)
        assert refused.action["act"] != first.request.action_digest
        assert (await ask(desk_bench, "3", session="another")).request.state is RequestState.PENDING
        desk_bench.clock.advance(1800)
        assert (await ask(desk_bench, "4", "git push --force")).request.state is RequestState.PENDING

    asyncio.run(story())


@pytest.mark.parametrize(("vouched", "wanted"), [(2, 3), (1, 2)])
def test_what_no_review_here_could_be_worth_is_refused_instead_of_left_to_expire(
    tmp_path: Path, vouched: int, wanted: int
) -> None:
    """I6: nobody's approval would count."""

    async def story(made: Bench) -> None:
        draft = on_terms(a_draft(now_ms=made.clock.now_ms()), assurance_min=wanted)
        with pytest.raises(NobodyToAskError) as caught:
            await made.desk.ask(draft)
        assert str(caught.value) == (
            f"the rule ask.high wants reviews of assurance {wanted}, and no channel here vouches for more than "
            f"{vouched}; set up one that does, or mend the rule's assurance"
        )
        assert (await made.desk.ask(on_terms(draft, assurance_min=vouched))).request.state is RequestState.PENDING
        question = replace(on_terms(draft, break_glass_s=900), question="which?", key="2")
        with pytest.raises(NobodyToAskError):
            await made.desk.ask(of_session(question, "q"))
        by_code = replace(on_terms(draft, break_glass_s=900), key="3")  # a code releases it whatever reviews are worth
        assert (await made.desk.ask(of_session(by_code, "c"))).request.state is RequestState.PENDING

    with bench(tmp_path / "askfirst.db", vouched_max=lambda: vouched) as made:
        asyncio.run(story(made))


def test_a_stop_without_a_session_ends_that_request_alone(desk_bench: Bench) -> None:
    """Callers over REST need not name one: a stop for one of them says nothing about the others."""

    async def story() -> None:
        first = await ask(desk_bench, "1", session="")
        step = await desk_bench.desk.review(a_review(first.request, Verdict.DENY, stop=True))
        assert step.note == "denied; it has no session that could be stopped"
        other = await ask(desk_bench, "2", "git push --force", session="")
        assert (other.request.state, other.request.notes) == (RequestState.PENDING, ())
        same = await ask(desk_bench, "3", session="")
        assert same.request.id == first.request.id
        desk_bench.clock.advance(Bounds().denial_window_s)  # the stop's own window would be longer
        assert (await ask(desk_bench, "4", session="")).request.state is RequestState.PENDING

    asyncio.run(story())


def test_without_a_session_nobody_hears_of_what_was_denied_to_others(desk_bench: Bench) -> None:
    async def story() -> None:
        for number in range(DENIALS_MAX + 1):
            await deny(desk_bench, await ask(desk_bench, f"other {number}", f"rm -rf {number}", session=""))
        assert (await ask(desk_bench, "1", "rm -rf a/b", session="")).request.notes == ()
        assert (await ask(desk_bench, "2", "rm -rf 0", session="")).request.state is RequestState.DENIED

    asyncio.run(story())


NOBODY = [
    (
        {"stages": (Stage(reviewers=("role:nobody",), recipients=("web:inbox",)),)},
        (
            "the rule ask.high needs 1 of role:nobody, and 0 of these can decide here; "
            "add people to the configuration, or mend the rule"
        ),
    ),
    (
        {"stages": (Stage(approvals_needed=3, recipients=("web:inbox",)),)},
        (
            "the rule ask.high needs 3 of everybody who is known, and 2 of these can decide here; "
            "add people to the configuration, or mend the rule"
        ),
    ),
    (
        {
            "stages": (
                Stage(name="proposer", recipients=("web:inbox",)),
                Stage(name="confirmer", reviewers=("team:none",), recipients=("web:inbox",)),
            )
        },
        (
            "the rule ask.high needs 1 of team:none for its stage confirmer, and 0 of these can decide here; "
            "add people to the configuration, or mend the rule"
        ),
    ),
    (
        {
            "stages": (
                Stage(name="proposer"),
                Stage(name="confirmer"),
                Stage(name="owner", recipients=("web:inbox",)),
            )
        },
        (
            "the rule ask.high needs 3 different people over its stages, and 2 can decide here; "
            "add people to the configuration, or mend the rule"
        ),
    ),
    (
        {
            "stages": (
                Stage(name="proposer", reviewers=("local:ann",), recipients=("web:inbox",)),
                Stage(name="confirmer", reviewers=("local:ann",), recipients=("web:inbox",)),
            )
        },
        (
            "the rule ask.high needs 1 of local:ann and 1 of local:ann, all of them different people, and here are too "
            "few for all of that; add people to the configuration, or mend the rule"
        ),
    ),
    (
        {"stages": (Stage(recipients=("pager:5",)),)},
        (
            "the rule ask.high tells pager:5, and there is no such channel here (known: web); "
            "set the channel up, or mend the rule's route"
        ),
    ),
    (
        {"escalation": (Escalation(at_ms=0, reviewers=(), recipients=("pager:5",)),)},
        (
            "the rule ask.high tells pager:5, and there is no such channel here (known: web); "
            "set the channel up, or mend the rule's route"
        ),
    ),
]
"""Terms that nobody can meet, and the sentence that says so."""


@pytest.mark.parametrize(
    ("session", "scope", "reached"),
    [
        ("", "uses:3", ["token:1"]),
        ("", "", ["token:1", "uid:1001", ""]),  # what may run once runs once, whoever asks
        ("s", "uses:3", ["token:1", "uid:1001", ""]),
    ],
)
def test_several_uses_that_no_session_holds_together_are_for_whoever_asked(
    desk_bench: Bench, session: str, scope: str, reached: list[str]
) -> None:
    scopes = (ONCE, ScopeOffer(kind="uses", amount=3))

    def by(caller: str, key: str) -> Draft:
        draft = on_terms(a_draft(key=key), scopes=scopes)
        return replace(of_session(draft, session), caller=caller)

    async def story() -> list[str]:
        asked = (await desk_bench.desk.ask(by("token:1", "1"))).request
        await desk_bench.desk.review(a_review(asked, Verdict.APPROVE, scope=scope))
        callers = ("token:1", "uid:1001", "")
        found = [await desk_bench.desk.ask(by(each, f"{each} again")) for each in callers]
        return [each for each, case in zip(callers, found, strict=True) if case.request.id == asked.id]

    assert asyncio.run(story()) == reached


@pytest.mark.parametrize(("terms", "sentence"), NOBODY)
def test_nobody_to_ask_is_a_refusal_with_the_reason_and_the_fix(
    tmp_path: Path, terms: dict[str, Any], sentence: str
) -> None:
    """I6: an empty list of reviewers, an unknown channel (P12)."""
    with bench(tmp_path / "store.db", people=STAFF) as made:
        with pytest.raises(NobodyToAskError) as caught:
            asyncio.run(made.desk.ask(on_terms(a_draft(), **terms)))
        assert str(caught.value) == sentence
        assert asyncio.run(made.desk.requests()) == []


@pytest.mark.parametrize(("terms", "sentence"), NOBODY)
def test_no_version_is_made_that_nobody_could_decide_on(tmp_path: Path, terms: dict[str, Any], sentence: str) -> None:
    """I6: what was asked before goes on waiting, on its own terms."""
    with bench(tmp_path / "store.db", people=STAFF) as made:
        asked = asyncio.run(ask(made, "1")).request
        action = replace(asked.action, arguments={"command": "rm -rf a/b"})
        content = Content(action=action, effects=asked.effects, risk=asked.risk)
        amend = Amend(content=content, claim=asked.claim, terms=replace(asked.terms, **terms))
        with pytest.raises(NobodyToAskError) as caught:
            asyncio.run(made.desk.amend(asked.id, amend))
        assert str(caught.value) == sentence
        assert asyncio.run(made.desk.case(asked.id)).request == asked


def test_what_may_wait_is_bounded_for_a_session_and_for_a_host(tmp_path: Path) -> None:
    async def story(made: Bench) -> None:
        first = await ask(made, "1", "rm 1", "s1")
        await ask(made, "2", "rm 2", "s1")
        with pytest.raises(OverloadedError, match="2 requests of this session wait for people already"):
            await ask(made, "3", "rm 3", "s1")
        await ask(made, "4", "rm 2", "s1")  # joins: nothing more waits
        third = await ask(made, "5", "rm 1", "s2")
        with pytest.raises(OverloadedError, match="3 requests of claude-code wait"):
            await ask(made, "6", "rm 1", "s3")
        await deny(made, first)
        await ask(made, "7", "rm 3", "s1")
        newer = replace(a_draft(key="8", command="rm 4"), supersedes=third.request.id)  # as many wait as before
        assert (await made.desk.ask(of_session(newer, "s2"))).request.supersedes == third.request.id

    with bench(tmp_path / "store.db", bounds=Bounds(pending_per_session=2, pending_per_host=3)) as made:
        asyncio.run(story(made))


def test_a_newer_request_takes_the_place_of_an_older_one_of_its_session(desk_bench: Bench) -> None:
    async def story() -> None:
        old = await ask(desk_bench, "1", "rm -rf a")
        waiter = asyncio.create_task(desk_bench.desk.wait(old.request.id, 5))
        await asyncio.sleep(0)
        draft = replace(a_draft(key="2", command="rm -rf b"), supersedes=old.request.id)
        new = await desk_bench.desk.ask(of_session(draft, "s"))
        ended = await waiter
        assert ended.request.state is RequestState.SUPERSEDED
        assert ended.request.end is not None
        assert ended.request.end.text == f"replaced by {new.request.code}"
        assert new.request.supersedes == old.request.id

    asyncio.run(story())


def test_nobody_replaces_the_request_of_another_session(desk_bench: Bench) -> None:
    """I1: only its requester may end a request."""

    async def story() -> None:
        old = await ask(desk_bench, "1", session="s1")
        draft = replace(a_draft(key="2"), supersedes=old.request.id)
        with pytest.raises(NotAllowedError, match="only be replaced by the session that made it"):
            await desk_bench.desk.ask(of_session(draft, "s2"))
        assert (await desk_bench.desk.case(old.request.id)).request.state is RequestState.PENDING

    asyncio.run(story())


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ("{", "the schema is no JSON"),
        ('{"type": "nonsense"}', "the schema is none: 'nonsense' is not valid under any of the given schemas"),
        ('{"type": "string", "pattern": "(a+)+$"}', "the schema's 'pattern' is not taken"),
        ('{"$ref": "https://example.org/s"}', "the schema's '$ref' is not taken"),
        ('{"items": {"properties": {"a": {"pattern": "x"}}}}', "the schema's 'pattern' is not taken"),
        (json.dumps({"enum": [0] * 1_999}), "the schema has 2001 values, 2000 are accepted"),
    ],
)
def test_a_schema_that_cannot_be_checked_in_bounded_time_is_refused(
    desk_bench: Bench, schema: str, sentence: str
) -> None:
    draft = replace(a_draft(), question="which?", answer_schema=schema)
    with pytest.raises(InputError) as caught:
        asyncio.run(desk_bench.desk.ask(draft))
    assert str(caught.value).startswith(sentence)


LONG = json.dumps({"items": {"enum": list(range(998))}})
NUMBER = '{"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "required": ["n"]}'


@pytest.mark.parametrize(
    ("question", "answer", "note"),
    [
        ({"options": ("left", "right")}, "left", ""),
        ({"options": ("left", "right")}, "up", "choose one of: left, right"),
        ({"answer_schema": NUMBER}, '{"n": 5}', ""),
        ({"answer_schema": NUMBER}, '{"n": 0}', "the answer does not fit: n: 0 is less than the minimum of 1"),
        ({"answer_schema": NUMBER}, "five", "the answer must be JSON as its schema says"),
        ({"answer_schema": '{"type": "number", "minimum": 1}'}, "NaN", "the answer must be JSON as its schema says"),
        ({"answer_schema": '{"type": "number", "minimum": 1}'}, "1e999", "the answer must be JSON as its schema says"),
        ({"answer_schema": '{"type": "number", "minimum": 1}'}, "1e9", ""),
        ({"answer_schema": LONG}, json.dumps([997] * 48), ""),
        (
            {"answer_schema": LONG},
            json.dumps([997] * 50),
            "the answer has 51 values; with a schema of this size, 49 can be checked",
        ),
        ({"answer_schema": LONG}, "[" * 5_000, "the answer must be JSON as its schema says"),
        ({}, "whatever you like", ""),
        ({}, "  ", "the answer is empty"),
    ],
)
def test_an_answer_is_one_of_the_choices_or_fits_the_schema(
    desk_bench: Bench, question: dict[str, Any], answer: str, note: str
) -> None:
    """I7: an answer answers a question; it approves nothing."""

    async def story() -> None:
        case = await desk_bench.desk.ask(replace(a_draft(), question="which?", **question))
        step = await desk_bench.desk.review(a_review(case.request, Verdict.ANSWER, text=answer))
        assert (step.done, step.note) == ((False, note) if note else (True, "answered"))
        assert step.case.grant is None

    asyncio.run(story())


def test_words_are_never_an_approval(desk_bench: Bench) -> None:
    """I7: only the offered verdict approves, whatever is written beside it (P15)."""

    async def story() -> None:
        case = await ask(desk_bench, "1")
        for verdict in (Verdict.ANSWER, Verdict.NEEDS_INFO):
            step = await desk_bench.desk.review(
                a_review(case.request, verdict, text="yes, approved, go ahead", decision_id=f"d-{verdict}")
            )
            assert step.case.request.state is RequestState.PENDING

    asyncio.run(story())


def test_no_deadline_approves_what_was_denied_before(desk_bench: Bench) -> None:
    """Silence is no consent to what somebody has refused; the harmless twin is approved by it."""

    def low(key: str, command: str, reason: str = "") -> Draft:
        draft = on_terms(a_draft(key=key, command=command, now_ms=desk_bench.clock.now_ms()), on_timeout="approve")
        found = draft.classification
        effects = tuple(replace(each, risk=Risk.LOW, target=command) for each in found.effects)
        found = replace(found, effects=effects)
        return replace(draft, classification=found, claim=replace(draft.claim, reason=reason))

    async def story() -> list[RequestState]:
        first = await desk_bench.desk.ask(low("1", "rm a"))
        await deny(desk_bench, first)
        again = await desk_bench.desk.ask(low("2", "rm a", "it is in the way"))
        other = await desk_bench.desk.ask(low("3", "rm b"))
        turned = await desk_bench.desk.ask(low("4", "rm c"))
        content = Content(action=again.request.action, effects=again.request.effects, risk=Risk.LOW)
        amend = Amend(content=content, claim=turned.request.claim, terms=turned.request.terms)
        step = await desk_bench.desk.amend(turned.request.id, amend)
        assert "denied something equivalent" in step.case.request.notes[0]
        desk_bench.clock.advance(601)
        await desk_bench.desk.sweep()
        cases = [await desk_bench.desk.case(each.request.id) for each in (again, other, turned)]
        return [each.request.state for each in cases]

    assert asyncio.run(story()) == [RequestState.EXPIRED, RequestState.APPROVED, RequestState.EXPIRED]


@pytest.mark.parametrize(
    ("denied", "state"),
    [
        ("touch 'a'", RequestState.EXPIRED),
        ("touch  ./a", RequestState.EXPIRED),
        ("touch b", RequestState.APPROVED),
        ("touch 'a b'", RequestState.APPROVED),
    ],
)
@pytest.mark.parametrize("first", ["asked", "denied"])
def test_no_deadline_approves_what_is_denied_in_other_words_where_nothing_was_found_in_it(
    desk_bench: Bench, denied: str, state: RequestState, first: str
) -> None:
    async def ask(command: str) -> Case:
        draft = on_terms(a_draft(key=command, command=command, now_ms=desk_bench.clock.now_ms()), on_timeout="approve")
        found = replace(draft.classification, effects=())
        return await desk_bench.desk.ask(replace(draft, classification=found, risk=Risk.LOW))

    async def story() -> Case:
        waiting = await ask("touch a") if first == "asked" else None
        await desk_bench.desk.review(a_review((await ask(denied)).request, Verdict.DENY))
        waiting = waiting or await ask("touch a")
        desk_bench.clock.advance(601)
        await desk_bench.desk.sweep()
        return await desk_bench.desk.case(waiting.request.id)

    case = asyncio.run(story())
    assert case.request.state is state
    said = " ".join([*case.request.notes, case.request.end.text if case.request.end is not None else ""])
    assert ("denied something equivalent" in said) is (state is RequestState.EXPIRED)


@pytest.mark.parametrize(
    ("verdict", "denied", "state"),
    [
        (Verdict.DENY, "rm -rf b/c", RequestState.EXPIRED),
        (Verdict.DENY, "rm -rf d", RequestState.APPROVED),
        (Verdict.APPROVE, "rm -rf b/c", RequestState.APPROVED),
    ],
)
@pytest.mark.parametrize("how", ["swept", "asked"])
def test_no_deadline_approves_what_waits_while_it_is_denied_in_another_way(
    desk_bench: Bench, verdict: Verdict, denied: str, state: RequestState, how: str
) -> None:
    """It is a timeout and no denial, and says why; also where nobody has swept before somebody acts on it."""

    def low(key: str, command: str, target: str) -> Draft:
        draft = on_terms(a_draft(key=key, command=command, now_ms=desk_bench.clock.now_ms()), on_timeout="approve")
        found = draft.classification
        effects = tuple(
            replace(each, kind=EffectKind.DELETES_FILES, risk=Risk.LOW, target=target) for each in found.effects
        )
        return replace(draft, classification=replace(found, effects=effects))

    async def story() -> Case:
        waiting = await desk_bench.desk.ask(low("1", "rm -rf b", "b"))
        other = await desk_bench.desk.ask(low("2", denied, denied.removeprefix("rm -rf ")))
        await desk_bench.desk.review(a_review(other.request, verdict))
        desk_bench.clock.advance(601)
        if how == "swept":
            await desk_bench.desk.sweep()
        else:
            await desk_bench.desk.cancel(waiting.request.id, "")
        return await desk_bench.desk.case(waiting.request.id)

    case = asyncio.run(story())
    end = case.request.end
    assert end is not None
    assert (case.request.state, end.by) == (state, "deadline")
    [entry] = [each for each in desk_bench.log.entries if each.type == "gate.timeout"]
    if state is RequestState.EXPIRED:
        assert end.text.startswith(
            f"its deadline does not approve it any more: local:ann denied something equivalent 10 min ago: {denied} ("
        )
        assert entry.decision["reason"] == end.text
        assert f"nobody decided in time, and {end.text} (request" in refusal(case)
    else:
        assert (end.text, "reason" in entry.decision) == ("", False)
