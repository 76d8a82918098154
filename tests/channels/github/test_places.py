"""Names of places, remotes of every spelling, and the pull request of the branch that the agent works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import git
import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.errors import ChannelError
from askfirst.testing.bench import a_draft
from channels.github.checkout import checkout_of
from channels.github.marker import Marker, is_unaltered, key_of, read_marker, signed
from channels.github.place import conversation_of, deployment_of, message_of, remote_of

HOSTS = frozenset({"github.com"})


@pytest.mark.parametrize("text", ["acme/api#12", "github:acme/api#12", "github:a-b/c.d_e#1"])
def test_a_conversation_has_one_name(text: str) -> None:
    assert conversation_of(text).recipient == f"github:{text.removeprefix('github:')}"


@pytest.mark.parametrize(
    "text",
    ["", "acme/api", "acme/api#0", "acme/api#x", "acme/../x#1", "acme/..#1", "-acme/api#1", "acme/api#1/2", "a/b#1\n"],
)
def test_what_is_no_conversation_is_refused(text: str) -> None:
    with pytest.raises(ChannelError):
        conversation_of(text)


def test_messages_and_deployments_have_names_that_are_read_back() -> None:
    assert str(message_of("acme/api#12/998877")) == "acme/api#12/998877"
    found = deployment_of("github:acme/api/runs/987@production eu")
    assert found is not None
    assert found.recipient == "github:acme/api/runs/987@production eu"
    assert deployment_of("github:acme/api#12") is None
    with pytest.raises(ChannelError):
        message_of("acme/api#12")


REMOTES = [
    ("https://github.com/acme/api.git", ("github.com", "acme/api")),
    ("https://user:ghp_secret@github.com/acme/api", ("github.com", "acme/api")),
    ("https://GitHub.com/acme/api/", ("github.com", "acme/api")),
    ("git@github.com:acme/api.git", ("github.com", "acme/api")),
    ("ssh://git@github.com/acme/api.git", ("github.com", "acme/api")),
    ("ssh://git@ssh.github.com:443/acme/api.git", ("ssh.github.com", "acme/api")),
    ("git://github.com/acme/api", ("github.com", "acme/api")),
    ("https://ghe.corp:8443/acme/api.git", ("ghe.corp", "acme/api")),
    ("/srv/git/api.git", None),
    ("../api", None),
    ("file:///srv/api.git", None),
    ("https://github.com/acme", None),
    ("https://github.com/acme/api/more", None),
    ("https://[::1/acme/api", None),
    ("ext::sh -c 'x' acme/api", None),
]


@pytest.mark.parametrize(("url", "expected"), REMOTES)
def test_a_remote_names_host_and_repository_and_no_credential(url: str, expected: tuple[str, str] | None) -> None:
    found = remote_of(url)
    assert (None if found is None else (found[0], str(found[1]))) == expected


def a_checkout(folder: Path, url: str = "git@github.com:acme/api.git", branch: str = "clean-up") -> git.Repo:
    repo = git.Repo.init(folder, initial_branch="main")
    with repo.config_writer() as config:
        config.set_value("user", "name", "Dev")
        config.set_value("user", "email", "dev@example.com")
    repo.index.commit("first")
    repo.create_remote("origin", url)
    repo.git.checkout("-q", "-b", branch)
    return repo


def test_a_checkout_is_read_from_a_folder_below_it(tmp_path: Path) -> None:
    with a_checkout(tmp_path) as repo:
        (tmp_path / "src").mkdir()
        found = checkout_of(str(tmp_path / "src"), HOSTS)
        assert (str(found.repository), found.branch, found.head) == ("acme/api", "clean-up", repo.head.commit.hexsha)
        with repo.config_writer() as config:
            config.set_value('branch "clean-up"', "merge", "refs/heads/other-name")
        assert checkout_of(str(tmp_path), HOSTS).pushed_to == "other-name"
        repo.git.checkout("-q", "--detach")
        assert checkout_of(str(tmp_path), HOSTS).branch == ""


def test_nothing_that_the_agent_wrote_into_the_configuration_is_run(tmp_path: Path) -> None:
    with a_checkout(tmp_path) as repo:
        mark = tmp_path / "ran"
        with repo.config_writer() as config:
            config.set_value("core", "fsmonitor", f"touch {mark}")
            config.set_value("core", "sshCommand", f"touch {mark}")
            config.set_value("alias", "remote", f"!touch {mark}")
        checkout_of(str(tmp_path), HOSTS)
        assert not mark.exists()


@pytest.mark.parametrize(
    ("folder", "problem"), [("", "no folder"), ("/nowhere", "no git repository"), ("bare", "only on gitlab.com")]
)
def test_where_there_is_no_pull_request_the_next_recipient_is_told(tmp_path: Path, folder: str, problem: str) -> None:
    if folder == "bare":
        a_checkout(tmp_path, "https://gitlab.com/acme/api").close()
        folder = str(tmp_path)
    with pytest.raises(ChannelError, match=problem) as caught:
        checkout_of(folder, HOSTS)
    assert caught.value.is_permanent


def in_folder(folder: Path) -> dict[str, Any]:
    return {"action": replace(a_draft().action, cwd=str(folder))}


def test_a_request_is_shown_on_the_pull_request_of_the_branch(tell: Callable[..., None], tmp_path: Path) -> None:
    async def story(office: Any) -> None:
        a_checkout(tmp_path / "work", f"{office.github.url}/acme/api.git").close()
        request = await office.ask(recipient="github:pr", **in_folder(tmp_path / "work"))
        assert len(office.cards(1)) == 1
        assert await office.decides(request, lambda: office.say("ann", f"/approve {request.code}"))

    tell(story)


def test_without_a_pull_request_the_configured_issue_is_asked(tell: Callable[..., None], tmp_path: Path) -> None:
    async def story(office: Any) -> None:
        a_checkout(tmp_path / "work", f"{office.github.url}/acme/api.git", branch="no-pull-request").close()
        request = await office.ask(recipient="github:pr", **in_folder(tmp_path / "work"))
        assert (len(office.cards(1)), len(office.cards(2))) == (0, 1)
        assert await office.decides(request, lambda: office.say("ann", f"/approve {request.code}", number=2))

    tell(story, issue="acme/api#2")


def test_a_repository_that_is_not_listed_is_not_written_to(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        await office.ask()
        assert office.comments() == []

    tell(story, repositories=["acme/ops", "acme/web-*"])


def test_what_the_agent_has_and_the_pull_request_has_not_is_said(tell: Callable[..., None]) -> None:
    async def story(office: Any) -> None:
        await office.ask(action=replace(a_draft().action, head="f" * 40))
        assert "which is not the head of this pull request" in office.cards()[-1].body

    tell(story)


MARKER = Marker(req="01K000000000000000009F2C1A", rev=2, digest="a" * 64, key=key_of("k"), head="b" * 40)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r")))
def test_a_marker_is_read_back_and_its_text_cannot_be_changed(text: str) -> None:
    body = signed(MARKER, text, b"secret")
    assert read_marker(body) == MARKER
    assert is_unaltered(body, b"secret")
    assert is_unaltered(body.replace("\n", "\r\n") + "\n", b"secret")
    assert not is_unaltered(body, b"another secret")
    assert not is_unaltered(f"{body}x", b"secret")


@pytest.mark.parametrize("field", ["req=01K000000000000000009F2C1B", "rev=3", "head=-", "part=1/2", "whole=0"])
def test_no_field_of_a_marker_can_be_changed(field: str) -> None:
    body = signed(MARKER, "text", b"secret")
    name = field.partition("=")[0]
    old = next(each for each in body.split() if each.startswith(f"{name}="))
    assert not is_unaltered(body.replace(old, field), b"secret")
