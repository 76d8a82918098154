"""The recipes of docs/recipes run, with people who approve and people who do not."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from askfirst import HumanLayer
from askfirst.testing.memory import MemoryBroker, approve, deny

RECIPE = Path(__file__).parents[2] / "docs" / "recipes" / "remote_coding_bot.py"
CHANNELS = {"default": "web:inbox", "critical": "web:inbox"}


def git(*arguments: str | Path) -> None:
    subprocess.run(["git", *arguments], check=True, capture_output=True)


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """A repository with one commit, to clone from."""
    made = tmp_path / "shop.git"
    git("init", "--quiet", "-b", "main", made)
    git("-C", made, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty", "-m", "first")
    return made


class Chat:
    """The bot of the recipe in a workspace of its own."""

    def __init__(self, folder: Path) -> None:
        spec = importlib.util.spec_from_file_location("remote_coding_bot", RECIPE)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        self.workspace = folder / "workspace"
        self.workspace.mkdir()
        self.deployed: list[tuple[str, str]] = []
        self.bot: Any = module.Bot(self.workspace, HumanLayer(contact_channels=CHANNELS), self._deploy)

    def _deploy(self, environment: str, commit: str) -> str:
        self.deployed.append((environment, commit))
        return "Deployed."


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    return Chat(tmp_path)


def test_a_forced_clone_over_work_asks_with_what_would_be_lost(chat: Chat, remote: Path) -> None:
    with MemoryBroker(deny("push it first"), approve()) as people:
        assert chat.bot.handle(f"/clone {remote}") == "Cloned shop."
        work = chat.workspace / "shop" / "work.txt"
        work.write_text("never committed")
        assert "/clone --force replaces it" in chat.bot.handle(f"/clone {remote}")
        assert people.requests == []

        refused = chat.bot.handle(f"/clone --force {remote}")
        assert "push it first" in refused
        assert work.exists()
        assert chat.bot.handle(f"/clone --force {remote}") == "Cloned shop."
        assert not work.exists()
    assert [each["tool"] for each in people.requests] == ["clone --force"] * 2
    assert "1 changed files" in people.requests[0]["claim"]["impact"]


def test_a_reset_asks_once_there_is_something_to_forget(chat: Chat) -> None:
    with MemoryBroker(approve()) as people:
        assert chat.bot.handle("/reset") == "There is nothing to reset."
        chat.bot.handle("hello")
        assert chat.bot.handle("/reset").startswith("Forgot 2 messages")
    assert people.requests[0]["claim"]["reason"] == "/reset was typed after 2 messages"


def test_production_asks_and_staging_does_not(chat: Chat) -> None:
    with MemoryBroker(deny("not on a Friday"), approve()) as people:
        assert chat.bot.handle("/deploy staging abc123") == "Deployed."
        assert people.requests == []
        assert "not on a Friday" in chat.bot.handle("/deploy production abc123")
        assert chat.bot.handle("/deploy production abc124") == "Deployed."
    assert chat.deployed == [("staging", "abc123"), ("production", "abc124")]


@pytest.mark.parametrize("text", ["", "/deploy", "/clone", "/clone --evil x", "/deploy 'a b", "rm -rf /"])
def test_what_it_does_not_know_does_nothing(chat: Chat, text: str) -> None:
    with MemoryBroker() as people:
        assert chat.bot.handle(text).startswith(("I know", "I cannot read that"))
    assert people.requests == []
