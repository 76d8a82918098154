"""The thin client: limits that are waited out, answers that got lost, pages, redirects, credentials that stay home."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from askfirst.errors import ChannelError, ConfigError
from askfirst.testing.bench import FakeClock
from channels.github import wire
from channels.github.client import GitHub, GithubError
from channels.github.config import GithubConfig, github_config_of


def run(story: Any) -> None:
    asyncio.run(story)


LIMITS = [
    ((403, {"retry-after": "30"}, "You have exceeded a secondary rate limit."), 30),
    ((429, {"retry-after": "30"}, "Too many requests"), 30),
    ((403, {}, "You have exceeded a secondary rate limit and have been temporarily blocked."), 60),
    ((429, {}, "Slow down"), 60),
    ((403, {"retry-after": "999999"}, "secondary rate limit"), 3600),
]


@pytest.mark.parametrize(("limit", "wait_s"), LIMITS)
def test_a_limit_is_waited_out_without_another_word(
    kit: Any, github: Any, clock: Any, tmp_path: Path, limit: Any, wait_s: int
) -> None:
    async def story() -> None:
        client = kit.client(github, kit.config(tmp_path, github), clock)
        github.world.limit = limit
        for _ in range(2):
            with pytest.raises(GithubError) as caught:
                await client.whoami()
            assert caught.value.retry_after_s == wait_s
        assert len(github.world.calls) == 1
        github.world.limit = None
        clock.advance(wait_s)
        assert (await client.whoami()).login == "asker"
        await client.close()

    run(story())


def test_the_primary_limit_is_waited_out_to_its_reset(kit: Any, github: Any, clock: Any, tmp_path: Path) -> None:
    async def story() -> None:
        client = kit.client(github, kit.config(tmp_path, github), clock)
        reset = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(clock.now_ms() // 1000 + 120)}
        github.world.limit = (403, reset, "API rate limit exceeded")
        with pytest.raises(GithubError) as caught:
            await client.whoami()
        assert caught.value.retry_after_s == 120
        await client.close()

    run(story())


def test_a_plain_refusal_is_none_of_these(kit: Any, github: Any, clock: Any, tmp_path: Path) -> None:
    async def story() -> None:
        client = kit.client(github, kit.config(tmp_path, github), clock)
        github.world.limit = (403, {}, "Resource not accessible by personal access token")
        with pytest.raises(GithubError, match="the credential may not do this") as caught:
            await client.whoami()
        assert caught.value.retry_after_s == 0
        await client.close()

    run(story())


def test_what_an_error_says_is_short_and_visible() -> None:
    async def story() -> None:
        def answer(_request: httpx.Request) -> httpx.Response:
            return httpx.Response(422, json={"message": "no\u202e" + "x" * 10_000, "errors": [{"message": "\x1b[2K"}]})

        client = over(answer)
        with pytest.raises(GithubError) as caught:
            await client.tell("repos/a/b/issues/1/comments", {})
        assert len(str(caught.value)) < 500
        assert "\\u{202E}" in str(caught.value)
        await client.close()

    run(story())


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"id": "x"}),
        httpx.Response(500),
        httpx.Response(301, headers={"location": "https://evil.example/user"}),
        httpx.Response(301, headers={"location": "http://github.test/user"}),
        httpx.Response(301, headers={"location": "/user"}),
        httpx.Response(302),
    ],
)
def test_an_answer_that_makes_no_sense_is_an_error_of_the_channel(answer: httpx.Response) -> None:
    async def story() -> None:
        seen: list[str] = []

        def respond(request: httpx.Request) -> httpx.Response:
            seen.append(str(request.url))
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

        client = over(respond)
        with pytest.raises(ChannelError):
            await client.whoami()
        assert all(each.startswith("https://github.test/") for each in seen)
        assert len(seen) < 10
        await client.close()

    run(story())


def test_a_page_on_another_server_is_not_asked_for() -> None:
    async def story() -> None:
        def respond(_request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, json=[], headers={"link": '<https://evil.example/2>; rel="next"'})

        client = over(respond)
        with pytest.raises(GithubError, match="another server"):
            await client.pages(wire.Comment, "repos/a/b/issues/1/comments")
        await client.close()

    run(story())


def over(respond: Callable[[httpx.Request], httpx.Response]) -> GitHub:
    async def at_once(_seconds: float) -> None:
        return

    config = GithubConfig(api_url="https://github.test", hosts=frozenset({"github.test"}), token="t")
    return GitHub(config, FakeClock(), transport=httpx.MockTransport(respond), pause=at_once)


def test_a_lost_answer_doubles_no_message(tell: Callable[..., None]) -> None:
    """The comment was posted, and we never heard so; it is found by its marker."""

    async def story(office: Any) -> None:
        office.github.world.lose = 2
        request = await office.ask()
        await office.retry()
        assert len(failures(office)) == 2
        assert len(office.cards()) == 1
        assert await office.decides(request, lambda: office.say("ann", f"/approve {request.code}"))

    tell(story)


def test_a_long_command_whose_parts_got_lost_half_way_is_posted_once(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        office.github.world.lose = 1
        request = await office.ask("echo " + "x" * 150_000)
        await office.retry()
        assert len(office.cards()) == 1
        assert len(office.comments()) == 4
        part = office.comments()[1]
        office.github.world.edit("acme/api", part.id, "dev", part.body.replace("xxx", "yyy", 1))
        office.say("ann", f"/approve {request.code}")
        await office.look()
        assert "altered" in (await office.notes(request))[0]

    tell(story)


def failures(office: Any) -> list[Any]:
    return [each.data for each in office.bench.log.entries if each.type.value == "channel.failed"]


def test_a_renamed_repository_is_found_by_its_old_name(kit: Any, github: Any, clock: Any, tmp_path: Path) -> None:
    async def story() -> None:
        client = kit.client(github, kit.config(tmp_path, github), clock)
        github.world.move("acme/api", "acme/service")
        found = await client.get(wire.RepositoryAnswer, "repos/acme/api")
        assert found.full_name == "acme/service"
        with pytest.raises(GithubError, match="moved"):
            await client.tell("repos/acme/api/issues/1/comments", {"body": "x"})
        await client.close()

    run(story())


def test_an_enterprise_server_has_its_graphql_elsewhere(kit: Any, clock: Any, tmp_path: Path) -> None:
    async def story() -> None:
        github = kit.github(clock, prefix="/api/v3")
        client = kit.client(github, kit.config(tmp_path, github), clock)
        comment = github.world.comment("acme/api", 1, "ann", "hello")
        data = await client.graphql(
            "acme/api", "query($id: ID!) { node(id: $id) { lastEditedAt } }", {"id": comment.node_id}
        )
        assert data == {"node": {"lastEditedAt": None}}
        with pytest.raises(GithubError, match="Could not resolve"):
            await client.graphql("acme/api", "query($id: ID!) { node(id: $id) { lastEditedAt } }", {"id": "x"})
        await client.close()
        github.close()

    run(story())


# -- configuration --------------------------------------------------------------------------------------------------

TABLES = [
    ({}, "give either token_file or"),
    ({"token_file": "token", "app": {"id": 1, "key_file": "token"}}, "give either token_file or"),
    ({"token_file": "missing"}, "cannot read"),
    ({"token_file": "token", "tokn": 1}, r"github\.tokn"),
    ({"token_file": "token", "permission": "read"}, r"github\.permission"),
    ({"token_file": "token", "api_url": "http://github.example"}, "has to be https"),
    ({"token_file": "token", "api_url": "https://user:pw@github.example"}, "no URL"),
    ({"token_file": "token", "api_url": "https://[::1"}, "no URL"),
    ({"token_file": "token", "issue": "acme/api"}, r"github\.issue"),
    ({"token_file": "token", "teams": ["acme"]}, r"github\.teams"),
    ({"token_file": "token", "poll_s": 0}, r"github\.poll_s"),
]


@pytest.mark.parametrize(("table", "problem"), TABLES)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, table: dict[str, Any], problem: str) -> None:
    (tmp_path / "token").write_text("ghp_x")
    (tmp_path / "token").chmod(0o600)
    with pytest.raises(ConfigError, match=problem):
        github_config_of(table, tmp_path)


def test_a_token_that_others_can_read_is_refused_and_none_is_ever_printed(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("ghp_secret")
    token.chmod(0o640)
    with pytest.raises(ConfigError, match="chmod 600"):
        github_config_of({"token_file": "token"}, tmp_path)
    token.chmod(0o600)
    assert "ghp_secret" not in repr(github_config_of({"token_file": "token"}, tmp_path))
