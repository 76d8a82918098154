"""The fake is GitHub to software that we did not write: gidgethub and PyGithub over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import github as pygithub
import httpx
import pytest
from gidgethub import sansio
from gidgethub.httpx import GitHubAPI

pytestmark = pytest.mark.slow


def test_gidgethub_reads_pages_writes_and_knows_a_webhook(served: Callable[..., Any], kit: Any) -> None:
    fake = served()
    token = fake.world.token("ann")
    for number in range(120):
        fake.world.comment("acme/api", 1, "reader", f"comment {number}")

    async def story() -> list[Any]:
        async with httpx.AsyncClient() as http:
            api = GitHubAPI(http, "tests", oauth_token=token, base_url=fake.url)
            assert (await api.getitem("/user"))["login"] == "ann"
            await api.post("/repos/acme/api/issues/1/comments", data={"body": "by gidgethub"})
            return [each async for each in api.getiter("/repos/acme/api/issues/1/comments")]

    found = asyncio.run(story())
    assert (len(found), found[-1]["body"]) == (121, "by gidgethub")
    headers, body = fake.world.events[-1]
    event = sansio.Event.from_http(headers, body, secret=kit.hook_secret.decode())
    assert (event.event, event.data["comment"]["body"]) == ("issue_comment", "by gidgethub")


def test_pygithub_does_what_people_do(served: Callable[..., Any]) -> None:
    fake = served()
    auth = pygithub.Auth.Token(fake.world.token("ann"))
    with pygithub.Github(auth=auth, base_url=fake.url, retry=None, seconds_between_requests=None) as client:
        repo = client.get_repo("acme/api")
        pull = repo.get_pulls(state="open", head="acme:clean-up")[0]
        made = pull.create_issue_comment("by PyGithub")
        made.edit("edited by PyGithub")
        assert [each.body for each in pull.get_issue_comments()] == ["edited by PyGithub"]
        assert made.user.login == "ann"
        review = pull.create_review(body="fine", event="APPROVE")
        assert (review.state, review.commit_id) == ("APPROVED", pull.head.sha)
        assert repo.get_collaborator_permission("reader") == "read"
        made.create_reaction("+1")
        assert [each.content for each in made.get_reactions()] == ["+1"]
        made.delete()
        with pytest.raises(pygithub.UnknownObjectException):
            repo.get_issue(1).get_comment(made.id)


def test_pygithub_is_refused_as_github_would(served: Callable[..., Any]) -> None:
    fake = served()
    auth = pygithub.Auth.Token(fake.world.token("dev"))
    with pygithub.Github(auth=auth, base_url=fake.url, retry=None, seconds_between_requests=None) as client:
        pull = client.get_repo("acme/api").get_pull(1)
        with pytest.raises(pygithub.GithubException, match="Can not approve your own pull request"):
            pull.create_review(event="APPROVE")
        with pytest.raises(pygithub.GithubException, match="too long"):
            pull.create_issue_comment("x" * 65_537)
    stranger = pygithub.Github(auth=pygithub.Auth.Token("none"), base_url=fake.url, retry=None)
    with stranger as client, pytest.raises(pygithub.BadCredentialsException):
        client.get_user().login  # noqa: B018  # it is looked up when it is read
