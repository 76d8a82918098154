"""What has to hold at GitHub, at the moment of the decision, for a comment, a review or a press to count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

APPROVE = "/approve {code}"


def test_of_six_comments_only_the_one_that_a_person_wrote_as_it_stands_counts(tell: Callable[..., None]) -> None:
    """The set of cases that every bot which trusts login and pattern gets wrong (facts of channels, 3.4)."""

    async def story(office: Any) -> None:
        world = office.github.world
        old = office.say("ann", "I will look at this tomorrow.")
        request = await office.ask()
        world.edit("acme/api", old.id, "dev", f"/approve {request.code}")
        office.say("reader", f"/approve {request.code}")
        office.say("ann", f"> /approve {request.code}")
        office.say("ann", "/approve 000000-00000000")
        await office.look()
        assert await office.state(request) == "pending"
        assert await office.notes(request) == [
            "your comment was edited, and only what is written at once counts: write a new one",
            "you have read permission here, and deciding takes write",
        ]
        office.say("bob", f"/approve {request.code}")
        await office.look()
        assert await office.state(request) == "approved"
        counted = [each for each in (await office.case(request)).reviews if each.counted]
        assert [(each.person, each.assurance) for each in counted] == [("local:bob", 1)]

    tell(story)


def hidden(office: Any, code: str) -> None:
    office.github.world.hide("acme/api", office.say("ann", f"/approve {code}").id)


def demoted(office: Any, code: str) -> None:
    office.say("ann", f"/approve {code}")
    office.github.world.grant("acme/api", "ann", "triage")


def renamed(office: Any, code: str) -> None:
    """Ann's login belongs to somebody else by the time we look."""
    office.say("ann", f"/approve {code}")
    office.github.world.rename("ann", "ann-was-here")
    office.github.world.account("ann", 999_999)
    office.github.world.grant("acme/api", "ann", "admin")
    office.github.world.find("acme/api").comments[
        max(office.github.world.find("acme/api").comments)
    ].user = office.github.world.accounts["ann"]


def pushed(office: Any, code: str) -> None:
    office.say("ann", f"/approve {code}")
    office.github.world.push("acme/api", 1)


def altered_before(office: Any, code: str) -> None:
    """The card was harmless when ann decided."""
    card = office.cards()[-1]
    office.github.world.edit("acme/api", card.id, "dev", card.body.replace("--hard", "--soft"))
    office.say("ann", f"/approve {code}")


def altered_and_put_back(office: Any, code: str) -> None:
    card = office.cards()[-1]
    body = card.body
    office.github.world.edit("acme/api", card.id, "dev", body.replace("--hard", "--soft"))
    office.say("ann", f"/approve {code}")
    office.github.world.edit("acme/api", card.id, "dev", body)


def card_deleted(office: Any, code: str) -> None:
    office.github.world.delete("acme/api", office.cards()[-1].id, "dev")
    office.say("ann", f"/approve {code}")


def in_another_conversation(office: Any, code: str) -> None:
    office.say("ann", f"/approve {code}", number=2)


DOUBTS = [
    (lambda office, code: office.say("dev", f"/approve {code}"), "the author of the pull request is whose agent asks"),
    (lambda office, code: office.github.world.comment("acme/api", 1, "ann", f"/approve {code}", app=7), "by an app"),
    (
        lambda office, code: office.github.world.comment("acme/api", 1, "ann", f"/approve {code}", by_mail=True),
        "e-mail",
    ),
    (lambda office, code: office.say("ann", f"/approve {code} if the tests pass"), "no text behind the code"),
    (hidden, "hidden by a moderator"),
    (demoted, "you have triage permission here, and deciding takes write"),
    (pushed, "new commits since this was asked"),
    (altered_before, "our message"),
    (altered_and_put_back, "somebody had altered our message"),
    (card_deleted, "written before our message"),
]


@pytest.mark.parametrize(("act", "doubt"), DOUBTS)
def test_what_does_not_hold_is_recorded_answered_and_counts_for_nothing(
    tell: Callable[..., None], act: Callable[[Any, str], Any], doubt: str
) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        act(office, request.code)
        await office.look()
        assert await office.state(request) == "pending"
        [note] = await office.notes(request)
        assert doubt in note
        assert doubt.replace("`", "") in office.replies()[-1].replace("`", "")
        office.say("bob", f"/deny {request.code} no")
        await office.look()
        assert await office.state(request) == "denied"

    tell(story)


@pytest.mark.parametrize("act", [renamed, in_another_conversation])
def test_what_is_not_from_a_known_person_in_this_conversation_is_not_even_a_review(
    tell: Callable[..., None], act: Callable[[Any, str], Any]
) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        act(office, request.code)
        await office.look()
        assert (await office.state(request), (await office.case(request)).reviews) == ("pending", ())

    tell(story)


def test_an_altered_message_is_mended_and_a_new_comment_then_counts(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        altered_before(office, request.code)
        await office.look()
        assert "--hard" in office.cards()[-1].body
        assert await office.state(request) == "pending"
        office.bench.clock.advance(2)
        assert await office.decides(request, lambda: office.say("ann", f"/approve {request.code}"))

    tell(story)


def test_a_deleted_message_is_posted_again_once(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        office.github.world.delete("acme/api", office.cards()[-1].id, "dev")
        for _ in range(3):
            await office.look()
        assert len(office.cards()) == 1
        assert await office.decides(request, lambda: office.say("ann", f"/approve {request.code}"))
        assert "APPROVED" in office.cards()[-1].body

    tell(story)


def test_a_deny_counts_whatever_became_of_the_message_and_the_head(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        office.github.world.push("acme/api", 1)
        office.github.world.delete("acme/api", office.cards()[-1].id, "dev")
        office.say("ann", f"/deny {request.code} these commits are new")
        await office.look()
        assert await office.state(request) == "denied"

    tell(story)


def test_the_account_that_writes_for_us_decides_nothing(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        office.say("asker", f"/approve {request.code}")
        await office.look()
        assert await office.state(request) == "pending"

    tell(story)


def test_the_author_may_decide_where_that_is_said_and_the_decision_is_worth_nothing_more(
    tell: Callable[..., None],
) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        assert await office.decides(request, lambda: office.say("dev", f"/approve {request.code}"))
        assert (await office.case(request)).reviews[-1].assurance == 0

    tell(story, author_may_decide=True)


REVIEWS = [
    ("APPROVE", APPROVE, "", True),
    ("APPROVE", "", "", False),
    ("APPROVE", "looks good", "", False),
    ("APPROVE", APPROVE, "0" * 40, False),
    ("COMMENT", APPROVE, "", False),
    ("REQUEST_CHANGES", APPROVE, "", False),
]


@pytest.mark.parametrize(("event", "body", "commit", "counts"), REVIEWS)
def test_a_review_approves_by_its_state_its_code_and_its_commit(
    tell: Callable[..., None], event: str, body: str, commit: str, counts: bool
) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        text = body.format(code=request.code)
        review = office.github.world.review
        assert await office.decides(request, lambda: review("acme/api", 1, "ann", event, text, commit)) is counts

    tell(story)


def test_requested_changes_with_the_code_deny(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        office.github.world.review("acme/api", 1, "ann", "REQUEST_CHANGES", f"Not like this, see {request.code}.")
        await office.look()
        assert await office.state(request) == "denied"

    tell(story)


def test_an_approving_review_alone_decides_only_where_that_is_switched_on_and_one_request_waits(
    tell: Callable[..., None],
) -> None:
    async def story(office: Any) -> None:
        office.github.world.review("acme/api", 1, "ann", "APPROVE")
        office.bench.clock.advance(60)
        request = await office.ask()
        await office.look()
        assert await office.state(request) == "pending"
        other = await office.ask("rm -rf build")
        assert not await office.decides(request, lambda: office.github.world.review("acme/api", 1, "bob", "APPROVE"))
        assert "several requests wait here" in office.replies()[-1]
        await office.bench.desk.cancel(other.id, "not needed")
        await office.deliver()
        done = await office.decides(request, lambda: office.github.world.review("acme/api", 1, "ann", "APPROVE"))
        assert done

    tell(story, reviews="alone")


@pytest.mark.parametrize(("teams", "counts"), [({"acme/sre": {"bob"}}, False), ({"acme/sre": {"ann"}}, True)])
def test_a_reviewer_is_in_one_of_the_teams(tell: Callable[..., None], teams: dict[str, set[str]], counts: bool) -> None:
    async def story(office: Any) -> None:
        office.github.world.teams = teams
        request = await office.ask()
        assert await office.decides(request, lambda: office.say("ann", f"/approve {request.code}")) is counts

    tell(story, teams=["acme/sre"])


OWNERS = [
    ("* @ann\n", ["src/a.py"], True),
    ("* @ann\n/infra/ @bob\n", ["src/a.py", "infra/main.tf"], False),
    ("* @acme/sre\n", ["src/a.py"], True),
    ("/infra/ @ann\n", ["src/a.py"], False),
    (None, ["src/a.py"], False),
]


@pytest.mark.parametrize(("rules", "files", "counts"), OWNERS)
def test_a_reviewer_owns_every_changed_file_by_the_base_branch(
    tell: Callable[..., None], rules: str | None, files: list[str], counts: bool
) -> None:
    async def story(office: Any) -> None:
        repo = office.github.world.find("acme/api")
        repo.threads[1].files = files
        office.github.world.team("acme/sre", "ann")
        if rules is not None:
            repo.contents[".github/CODEOWNERS"] = rules
        request = await office.ask()
        assert await office.decides(request, lambda: office.say("ann", f"/approve {request.code}")) is counts

    tell(story, codeowners=True)


@pytest.mark.parametrize(("role", "counts"), [("write", False), ("maintain", True), ("admin", True)])
def test_the_least_permission_is_the_configurations(tell: Callable[..., None], role: str, counts: bool) -> None:
    async def story(office: Any) -> None:
        office.github.world.grant("acme/api", "ann", role)
        request = await office.ask()
        assert await office.decides(request, lambda: office.say("ann", f"/approve {request.code}")) is counts

    tell(story, permission="maintain")


def test_a_thumb_decides_only_where_that_is_switched_on(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        office.github.world.react("acme/api", office.cards()[-1].id, "ann", "+1")
        await office.look()
        assert await office.state(request) == "pending"

    tell(story)


def test_a_thumb_is_worth_nothing_more_than_a_thumb(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        office.github.world.grant("acme/api", "ann", "write")
        request = await office.ask()
        react = lambda login: office.github.world.react("acme/api", office.cards()[-1].id, login, "+1")  # noqa: E731
        assert not await office.decides(request, lambda: react("reader"))
        assert await office.decides(request, lambda: react("ann"))
        assert (await office.case(request)).reviews[-1].assurance == 0

    tell(story, reactions=True)


def test_where_github_cannot_be_asked_nothing_counts_until_it_can(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        request = await office.ask()
        office.say("ann", f"/approve {request.code}")
        office.bench.clock.advance(61)
        await office.channel.look(office.reception)
        office.github.world.away = True
        await office.handle()
        assert (await office.state(request), (await office.case(request)).reviews) == ("pending", ())
        office.github.world.away = False
        office.bench.clock.advance(5)
        await office.handle()
        assert await office.state(request) == "approved"

    tell(story)
