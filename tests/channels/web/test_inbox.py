"""The pages behind the login: what they show, and what comes of deciding."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from askfirst.audit_port import Actor
from askfirst.effects import Risk
from askfirst.engine import Case, Content
from askfirst.errors import StoreError
from askfirst.people import Directory, Person
from askfirst.policy.ruling import ScopeOffer, Stage
from askfirst.request import GrantState, RequestKind, RequestState, Verdict
from askfirst.store import records
from askfirst.testing.bench import a_draft, a_review
from askfirst.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from askfirst.request import Request
    from tests.channels.web.conftest import Page, Web

HOSTILE = (
    "echo '</pre><script>alert(1)</script>' \u202e \u0430 \x1b[2J {{ 7*7 }} &amp; \"q\"\n" + "x" * 5000 + " && rm -rf b"
)


def test_an_empty_inbox_is_friendly(web: Web) -> None:
    async def story() -> None:
        async with web.logged_in() as browser:
            answer = await browser.get("/")
        assert answer.status_code == 200
        assert "Nothing waits for you." in answer.text

    asyncio.run(story())


def test_the_list_shows_what_waits_above_what_has_ended(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        waits = await web.ask(key="a", command="git push --force")
        ended = await web.ask(key="b", command="git clean -fdx")
        await web.bench.desk.review(a_review(ended.request, Verdict.DENY))
        async with web.logged_in() as browser:
            shown = page((await browser.get("/")).text)
        links = [attributes["href"] for tag, attributes in shown.tags if tag == "a" and "requests" in str(attributes)]
        assert links == [f"/requests/{waits.request.id}", f"/requests/{ended.request.id}"]
        assert "1 waits for you" in shown.text
        assert "by local:ann via web" in shown.text

    asyncio.run(story())


def test_the_list_sends_the_beginning_of_a_huge_command(web: Web) -> None:
    async def story() -> None:
        await web.ask(command="x" * 250_000)
        async with web.logged_in() as browser:
            listed = (await browser.get("/")).text
        assert "x" * 600 in listed
        assert "x" * 601 not in listed

    asyncio.run(story())


def test_the_whole_command_is_on_the_page_exactly_and_harmless(web: Web, page: type[Page]) -> None:
    """I9: nothing is cut, hidden or reordered (P17)."""

    async def story() -> None:
        case = await web.ask(command=HOSTILE)
        async with web.logged_in() as browser:
            answer = await browser.get(f"/requests/{case.request.id}")
            listed = await browser.get("/")
        assert page(answer.text).pre[0] == visible(HOSTILE)
        for each in (answer, listed):
            assert "<script>alert" not in each.text
            assert not {"\u202e", "\x1b"} & set(each.text)

    asyncio.run(story())


def test_no_page_has_inline_scripts_styles_or_outside_assets(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        case = await web.ask(command=HOSTILE, risk=Risk.CRITICAL)
        async with web.logged_in() as browser:
            for path in ("/", f"/requests/{case.request.id}", "/nothing", web.link()):
                for tag, attributes in page((await browser.get(path)).text).tags:
                    assert tag != "style"
                    assert tag != "script" or attributes["src"] == "/static/inbox.js"
                    assert not [name for name in attributes if name == "style" or name.startswith("on")]
                    assert str(attributes.get("src") or attributes.get("href") or "/")[0] in "/#"

    asyncio.run(story())


def test_the_page_of_a_request_says_everything(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        case = await web.ask()
        async with web.logged_in() as browser:
            text = page((await browser.get(f"/requests/{case.request.id}")).text).text
        for part in (
            "high",
            "cannot be undone",
            "discards 1 changed file and 2 unpushed commits",
            "/srv/project on laptop",
            "claude-code model-1",
            "git.reset-hard",
            "git stash",
            "10 min left",
            "it expires and does not run",
            case.request.code,
            case.request.action_digest,
            "test · ask.high",
        ):
            assert part in text, part

    asyncio.run(story())


@pytest.mark.parametrize("verdict", [Verdict.APPROVE, Verdict.DENY])
def test_a_decision_reaches_the_desk_and_the_page_says_by_whom(web: Web, page: type[Page], verdict: Verdict) -> None:
    async def story() -> None:
        case = await web.ask()
        path = f"/requests/{case.request.id}"
        async with web.logged_in() as browser:
            form = await web.form(browser, case, verdict=verdict.value, comment="  because\r\nso  ")
            answer = await browser.post(path, data=form)
            assert (answer.status_code, answer.headers["location"]) == (303, path)
            shown = page((await browser.get(path)).text)
        ended = await web.bench.desk.case(case.request.id)
        assert ended.request.state.value.startswith(verdict.value[:3])
        [review] = ended.reviews
        assert (review.person, review.channel, review.assurance, review.text) == ("local:ann", "web", 1, "because\nso")
        assert "by local:ann via web" in shown.text

    asyncio.run(story())


def test_a_double_click_is_one_review(web: Web) -> None:
    async def story() -> None:
        case = await web.ask()
        async with web.logged_in() as browser:
            form = await web.form(browser, case, verdict="approve")
            path = f"/requests/{case.request.id}"
            answers = await asyncio.gather(*(browser.post(path, data=form) for _ in range(4)))
        assert [answer.status_code for answer in answers] == [303] * 4
        assert len((await web.bench.desk.case(case.request.id)).reviews) == 1

    asyncio.run(story())


def test_deny_on_a_page_from_the_history_is_not_taken_for_the_approve_before(web: Web) -> None:
    async def story() -> None:
        case = await web.ask()
        path = f"/requests/{case.request.id}"
        async with web.logged_in() as browser:
            form = await web.form(browser, case)
            assert (await browser.post(path, data={**form, "verdict": "approve"})).status_code == 303
            assert (await browser.post(path, data={**form, "verdict": "deny"})).status_code == 303
        ended = await web.bench.desk.case(case.request.id)
        assert ended.request.state is RequestState.DENIED

    asyncio.run(story())


def test_a_second_decision_changes_nothing_and_hears_who_was_first(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        case = await web.ask()
        path = f"/requests/{case.request.id}"
        async with web.logged_in("local:ann") as ann, web.logged_in("local:bob") as bob:
            forms = [await web.form(each, case) for each in (ann, bob)]
            assert (await ann.post(path, data={**forms[0], "verdict": "deny"})).status_code == 303
            late = await bob.post(path, data={**forms[1], "verdict": "approve"})
        assert late.status_code == 409
        assert "your decision did not count: already denied by local:ann via web" in page(late.text).text
        assert (await web.bench.desk.case(case.request.id)).request.state is RequestState.DENIED

    asyncio.run(story())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"digest": "0" * 64}, "made for another action"),
        ({"version": "2"}, "made for version 2, now it is 1"),
    ],
)
def test_a_decision_on_something_else_is_a_conflict(
    web: Web, page: type[Page], changes: dict[str, str], said: str
) -> None:
    async def story() -> None:
        case = await web.ask()
        async with web.logged_in() as browser:
            form = await web.form(browser, case, verdict="approve", **changes)
            answer = await browser.post(f"/requests/{case.request.id}", data=form)
        assert answer.status_code == 409
        shown = page(answer.text)
        assert said in shown.text
        assert shown.fields["digest"] == case.request.action_digest
        assert (await web.bench.desk.case(case.request.id)).request.state is RequestState.PENDING

    asyncio.run(story())


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({"csrf": "forged"}, 403, "not from your session"),
        ({"csrf": "é"}, 403, "not from your session"),
        ({"csrf": ""}, 403, "not from your session"),
        ({"verdict": ""}, 422, "press Approve or Deny"),
        ({"verdict": "yes"}, 422, "press Approve or Deny"),
        ({"verdict": "answer"}, 422, "the answer is empty"),
        ({"version": "one"}, 422, "'version' must be"),
        ({"version": "-1"}, 422, "'version' must be"),
        ({"version": "9" * 99}, 422, "'version' must be"),
        ({"digest": "xyz"}, 422, "'digest' must be"),
        ({"decision_id": "../1"}, 422, "'decision_id' must be"),
        ({"comment": "x" * 2001}, 422, "2,001 characters long"),
        ({"comment": "x" * 40_000}, 413, "too long"),
        ({str(each): "x" for each in range(20)}, 400, "cannot be read"),
    ],
)
def test_a_bad_form_gets_one_sentence_and_decides_nothing(
    web: Web, page: type[Page], changes: dict[str, str], status: int, said: str
) -> None:
    async def story() -> None:
        case = await web.ask()
        async with web.logged_in() as browser:
            form = await web.form(browser, case, verdict="approve")
            answer = await browser.post(f"/requests/{case.request.id}", data={**form, **changes})
        assert answer.status_code == status
        assert said in page(answer.text).text
        assert not (await web.bench.desk.case(case.request.id)).reviews

    asyncio.run(story())


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("text/plain", b"verdict=approve", 415),
        ("", b"verdict=approve", 415),
        ("application/x-www-form-urlencoded", b"comment=%ff", 400),
        ("application/x-www-form-urlencoded", b"\xff\xfe", 400),
        ("application/x-www-form-urlencoded", b"", 403),
    ],
)
def test_a_body_that_is_no_form_decides_nothing(web: Web, kind: str, body: bytes, status: int) -> None:
    async def story() -> None:
        case = await web.ask()
        async with web.logged_in() as browser:
            answer = await browser.post(f"/requests/{case.request.id}", content=body, headers={"content-type": kind})
        assert answer.status_code == status

    asyncio.run(story())


@pytest.mark.parametrize(
    ("typed", "status"),
    [("", 422), ("approve", 422), ("{short}0", 422), ("{short}", 303), (" {SHORT} ", 303), ("{whole}", 303)],
)
def test_a_critical_request_is_approved_only_with_its_code(web: Web, page: type[Page], typed: str, status: int) -> None:
    async def story() -> None:
        case = await web.ask(risk=Risk.CRITICAL)
        short = case.request.action_digest[:8]
        code = typed.format(short=short, SHORT=short.upper(), whole=case.request.code)
        async with web.logged_in() as browser:
            form = await web.form(browser, case, verdict="approve", comment="kept", code=code)
            answer = await browser.post(f"/requests/{case.request.id}", data=form)
        assert answer.status_code == status
        state = (await web.bench.desk.case(case.request.id)).request.state
        assert state is (RequestState.APPROVED if status == 303 else RequestState.PENDING)
        if status == 422:
            assert f"approving this takes the code {short}" in page(answer.text).text
            assert "kept</textarea>" in answer.text
            [entry] = [each for each in web.bench.log.entries if each.type == "review.rejected"]
            assert (entry.request, entry.actor.id) == (case.request.id, "local:ann")
            assert f"approving this takes the code {short}" in str(entry.decision["note"])

    asyncio.run(story())


def test_what_was_refused_by_another_way_in_counts_here_too(web: Web) -> None:
    async def story() -> None:
        case = await web.ask(risk=Risk.CRITICAL)
        by_api = Actor(type="human", id="local:ann", channel="api")
        for number in range(20):
            await web.refusals.note(case.request.id, by_api, f"the version is not {number}")
        async with web.logged_in() as browser:
            form = await web.form(browser, case, verdict="approve")
            assert (await browser.post(f"/requests/{case.request.id}", data=form)).status_code == 422
        rejected = [each for each in web.bench.log.entries if each.type == "review.rejected"]
        assert [each.actor.channel for each in rejected] == ["api"] * 20

    asyncio.run(story())


def test_denying_a_critical_request_takes_no_code(web: Web) -> None:
    async def story() -> None:
        case = await web.ask(risk=Risk.CRITICAL)
        async with web.logged_in() as browser:
            form = await web.form(browser, case, verdict="deny")
            assert (await browser.post(f"/requests/{case.request.id}", data=form)).status_code == 303

    asyncio.run(story())


def test_a_late_approval_is_offered_and_says_what_it_does(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        case = await web.ask()
        web.bench.clock.advance(700)
        await web.bench.desk.sweep()
        path = f"/requests/{case.request.id}"
        async with web.logged_in() as browser:
            shown = page((await browser.get(path)).text)
            assert "may run once when the agent tries it again" in shown.text
            form = {**shown.fields, "verdict": "approve"}
            assert (await browser.post(path, data=form)).status_code == 303
            assert "Approved late" in page((await browser.get(path)).text).text
        grant = (await web.bench.desk.case(case.request.id)).grant
        assert grant is not None
        assert grant.late

    asyncio.run(story())


def test_an_unused_approval_can_be_taken_back(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        case = await web.ask()
        await web.bench.desk.review(a_review(case.request, Verdict.APPROVE, person="local:bob"))
        path = f"/requests/{case.request.id}"
        async with web.logged_in() as browser:
            shown = page((await browser.get(path)).text)
            assert "Take it back" in shown.text
            await browser.post(path, data={**shown.fields, "verdict": "deny"})
            assert "Never ran: the approval was taken back" in page((await browser.get(path)).text).text
        grant = (await web.bench.desk.case(case.request.id)).grant
        assert grant is not None
        assert grant.state is GrantState.REVOKED

    asyncio.run(story())


def test_an_approval_that_is_all_passed_on_can_be_taken_back_while_that_may_run(web: Web, page: type[Page]) -> None:
    """A program may have asked ahead by it, and not have run that yet."""

    async def story() -> None:
        desk, offer = web.bench.desk, ScopeOffer(kind="uses", amount=1, pattern="rm -rf *")
        case = await web.ask(command="rm -rf a", terms={"scopes": (offer,)})
        await desk.review(a_review(case.request, Verdict.APPROVE, person="local:bob", scope="uses:1 rm -rf *"))
        like = a_draft(key="like", command="rm -rf b")
        ahead = await desk.covered(replace(like, terms=replace(like.terms, scopes=(offer,))))
        assert ahead is not None
        assert (await desk.case(case.request.id)).open_grant is None
        path = f"/requests/{case.request.id}"
        async with web.logged_in() as browser:
            shown = page((await browser.get(path)).text)
            assert "Take it back" in shown.text
            assert "What it lets through may still run" in shown.text
            await browser.post(path, data={**shown.fields, "verdict": "deny"})
            assert "Take it back" not in page((await browser.get(path)).text).text
        for each in (case, ahead):
            grant = (await desk.case(each.request.id)).grant
            assert grant is not None
            assert grant.state is GrantState.REVOKED

    asyncio.run(story())


def test_an_approval_that_is_all_passed_on_is_not_taken_back_once_its_time_is_over(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        desk, offer = web.bench.desk, ScopeOffer(kind="uses", amount=1, pattern="rm -rf *")
        case = await web.ask(command="rm -rf a", terms={"scopes": (offer,)})
        await desk.review(a_review(case.request, Verdict.APPROVE, scope="uses:1 rm -rf *"))
        like = a_draft(key="like", command="rm -rf b")
        await desk.covered(replace(like, terms=replace(like.terms, scopes=(offer,))))
        web.bench.clock.advance(2 * 86_400)
        async with web.logged_in() as browser:
            assert "Take it back" not in page((await browser.get(f"/requests/{case.request.id}")).text).text

    asyncio.run(story())


def test_what_a_stop_withdrew_says_by_whom(web: Web, page: type[Page]) -> None:
    """I10: it was not the agent."""

    async def story() -> None:
        waits, last = await web.ask(), await web.ask(key="last", command="git push --force")
        await web.bench.desk.review(a_review(last.request, Verdict.DENY, person="local:bob", stop=True))
        async with web.logged_in() as browser:
            shown = page((await browser.get(f"/requests/{waits.request.id}")).text).text
        assert "Cancelled by local:bob" in shown
        assert "the session was told to stop by local:bob" in shown
        assert "by the agent" not in shown

    asyncio.run(story())


@pytest.mark.parametrize(("outcome", "words"), [("ok", "Ran, ok"), ("failed", "Ran and failed")])
def test_the_page_tells_how_it_went(web: Web, page: type[Page], outcome: str, words: str) -> None:
    async def story() -> None:
        desk, case = web.bench.desk, await web.ask()
        digest = case.request.action_digest
        await desk.review(a_review(case.request, Verdict.APPROVE))
        await desk.redeem(case.request.id, action_digest=digest, attempt="a", tool_use_id="t")
        async with web.logged_in() as browser:
            path = f"/requests/{case.request.id}"
            assert "Released to the agent, no outcome yet" in page((await browser.get(path)).text).text
            await desk.executed(case.request.id, action_digest=digest, outcome=outcome, detail="exit 7")
            shown = page((await browser.get(path)).text)
        assert f"{words} (exit 7)" in shown.text
        assert "verdict" not in shown.fields

    asyncio.run(story())


def test_a_request_that_needs_more_assurance_offers_no_button_here(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        case = await web.ask(terms={"assurance_min": 3})
        async with web.logged_in() as browser:
            shown = page((await browser.get(f"/requests/{case.request.id}")).text)
        assert "needs assurance 3; the web inbox gives 1" in shown.text
        assert "decision_id" not in shown.fields

    asyncio.run(story())


@pytest.mark.parametrize("request_id", ["nobody", "x" * 500, "%00", "..%2f..", "é"])
def test_an_unknown_request_is_a_page_that_says_so(web: Web, request_id: str) -> None:
    async def story() -> None:
        async with web.logged_in() as browser:
            answer = await browser.get(f"/requests/{request_id}")
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")

    asyncio.run(story())


def test_a_store_that_fails_decides_nothing_and_says_so(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_args: object, **_kwargs: object) -> None:
        raise StoreError("the store cannot be written: disk full")

    async def story() -> None:
        case = await web.ask()
        async with web.logged_in() as browser:
            form = await web.form(browser, case, verdict="approve")
            monkeypatch.setattr(web.bench.desk, "review", full)
            answer = await browser.post(f"/requests/{case.request.id}", data=form)
        assert answer.status_code == 503
        assert "nothing was changed" in answer.text

    asyncio.run(story())


def test_a_question_is_answered_in_words_and_never_approved(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        asked = (await web.ask()).request
        question = replace(asked, id="01K0000000000000000000QUES", kind=RequestKind.QUESTION, question="Which <one>?")
        web.bench.writer.submit(lambda connection: records.insert(connection, Case(request=question), "q")).result()
        path = f"/requests/{question.id}"
        async with web.logged_in() as browser:
            shown = page((await browser.get(path)).text)
            assert shown.pre[0] == "Which <one>?"
            refused = await browser.post(path, data={**shown.fields, "verdict": "approve", "comment": "yes"})
            assert "a question takes answer or deny" in page(refused.text).text
            fields = page(refused.text).fields
            assert (await browser.post(path, data={**fields, "verdict": "answer", "comment": "b"})).status_code == 303
        ended = await web.bench.desk.case(question.id)
        assert (ended.request.state, ended.reviews[-1].text) == (RequestState.ANSWERED, "b")

    asyncio.run(story())


def test_a_quorum_says_how_far_it_is(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        case = await web.ask(terms={"stages": (Stage(approvals_needed=2, recipients=("web:inbox",)),)})
        path = f"/requests/{case.request.id}"
        async with web.logged_in("local:ann") as ann, web.logged_in("local:bob") as bob:
            for _ in range(2):
                answer = await ann.post(path, data=await web.form(ann, case, verdict="approve"))
            assert (answer.status_code, "counted before" in answer.text) == (409, True)
            assert "1 of 2 approvals" in page((await bob.get(path)).text).text
            await bob.post(path, data=await web.form(bob, case, verdict="approve"))
        assert (await web.bench.desk.case(case.request.id)).request.state is RequestState.APPROVED

    asyncio.run(story())


@pytest.mark.parametrize("state", list(RequestState))
def test_every_state_has_a_page_and_a_line(web: Web, state: RequestState) -> None:
    async def story() -> None:
        asked = (await web.ask()).request
        other = replace(asked, id="01K0000000000000000000STAT", state=state)
        web.bench.writer.submit(lambda connection: records.insert(connection, Case(request=other), "s")).result()
        async with web.logged_in() as browser:
            assert (await browser.get(f"/requests/{other.id}")).status_code == 200
            assert state.value in (await browser.get("/")).text or state is RequestState.PENDING

    asyncio.run(story())


async def press(web: Web, person: str, case: Case, verdict: str, **fields: str) -> httpx.Response:
    async with web.logged_in(person) as browser:
        form = await web.form(browser, case, verdict=verdict, **fields)
        return await browser.post(f"/requests/{case.request.id}", data=form)


STAFF = Directory(people=(Person(id="local:ann"), Person(id="local:bob")))
OFFERS = (ScopeOffer(kind="once"), ScopeOffer(kind="uses", amount=5))


class Shorter:
    """Analyses an edit: whatever it is, it does what was asked."""

    async def edited(self, request: Request, arguments: Mapping[str, object]) -> Content:
        action = replace(request.action, arguments=arguments)
        return Content(action=action, effects=request.effects, risk=request.risk)


@pytest.mark.parametrize(
    ("verdict", "fields", "came_of_it", "line"),
    [
        ("needs_info", {"comment": "which branch?"}, (303, "pending"), "local:ann asks: which branch?"),
        ("needs_info", {}, (422, "pending"), "write your question to the agent into the text field"),
        ("stop", {"comment": "enough"}, (303, "denied"), "local:ann said deny and told the session to stop via web"),
        ("delegate", {"to": "local:bob"}, (303, "pending"), "local:ann handed it to local:bob via web"),
        ("delegate", {"to": ""}, (422, "pending"), "choose to whom it goes"),
        ("delegate", {"to": "local:eve"}, (409, "pending"), "nobody is known as local:eve"),
        ("approve", {"scope": "uses:5"}, (303, "approved"), "May run up to 5 times"),
        ("approve", {"scope": "session"}, (409, "pending"), "its rule offers once, uses:5; not session"),
        ("approve", {"edit": "git reset --hard HEAD"}, (303, "approved"), "Edited by local:ann."),
        ("approve", {"edit": "git reset --hard HEAD~2"}, (303, "approved"), "May run once"),
    ],
)
def test_more_ways_to_decide(
    web: Web, page: type[Page], verdict: str, fields: dict[str, str], came_of_it: tuple[int, str], line: str
) -> None:
    web.bench.desk._people, web.bench.desk._editor = STAFF, Shorter()
    status, state = came_of_it

    async def story() -> None:
        case = await web.ask(terms={"scopes": OFFERS})
        answer = await press(web, "local:ann", case, verdict, **fields)
        assert answer.status_code == status
        async with web.logged_in() as browser:
            shown = answer.text if status != 303 else (await browser.get(f"/requests/{case.request.id}")).text
        assert line in page(shown).text
        assert (await web.bench.desk.case(case.request.id)).request.state.value == state

    asyncio.run(story())


def test_a_command_that_a_field_cannot_hold_faithfully_is_not_offered_for_editing(web: Web) -> None:
    async def story() -> None:
        for number, command in enumerate(("rm -rf a\u202e", "\nrm -rf a", "rm " + "é" * 6000)):
            case = await web.ask(key=f"{number}", command=command)
            async with web.logged_in() as browser:
                shown = (await browser.get(f"/requests/{case.request.id}")).text
            assert "Change the command" not in shown

    asyncio.run(story())


def test_a_question_with_choices_offers_these(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        draft = replace(a_draft(), question="left or right?", options=("left", "right"))
        case = await web.bench.desk.ask(draft)
        async with web.logged_in() as browser:
            shown = page((await browser.get(f"/requests/{case.request.id}")).text)
        assert [each["value"] for tag, each in shown.tags if each.get("type") == "radio"] == ["left", "right"]
        await press(web, "local:ann", case, "answer", comment="right")
        ended = (await web.bench.desk.case(case.request.id)).request.end
        assert ended is not None
        assert ended.text == "right"

    asyncio.run(story())


def test_sessions_are_shown_with_what_waits_of_each(web: Web, page: type[Page]) -> None:
    async def story() -> None:
        async with web.logged_in() as browser:
            assert "No agent has asked yet." in (await browser.get("/sessions")).text
            case = await web.ask(key="a", command=HOSTILE)
            shown = page((await browser.get("/sessions")).text)
        assert f"/requests/{case.request.id}" in [
            attributes.get("href") for tag, attributes in shown.tags if tag == "a"
        ]
        assert "claude-code session-" in " ".join(shown.text.split())
        assert "<script>alert" not in str([tag for tag, _ in shown.tags])
        assert "\\u{202E}" in shown.text

    asyncio.run(story())


def test_sessions_need_a_login(web: Web) -> None:
    async def story() -> None:
        async with web.browser() as browser:
            answer = await browser.get("/sessions")
        assert answer.status_code in {303, 401, 403}

    asyncio.run(story())
