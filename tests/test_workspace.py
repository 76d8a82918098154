"""Where an action would run: the commit at HEAD, read from the files of ``.git``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from askfirst.testing.repositories import commit, git, make_repository
from askfirst.workspace import head_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = make_repository(tmp_path / "app")
    commit(folder, "second.txt")
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("switch", "--detach", "HEAD~1"),
        ("pack-refs", "--all"),
        ("tag", "-a", "-m", "a tag of the same name", "main", "HEAD~1"),
        ("symbolic-ref", "refs/heads/other", "refs/heads/main"),
    ],
)
def test_head_is_what_git_says_and_no_git_is_started(
    app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    git(app, *command)
    expected = git(app, "rev-parse", "HEAD").strip()
    monkeypatch.setenv("PATH", str(tmp_path))  # no git is found there
    assert head_of(str(app)) == expected
    assert head_of(str(app / "src")) == expected


def test_a_linked_work_tree_has_a_head_of_its_own(app: Path, tmp_path: Path) -> None:
    git(app, "worktree", "add", "--detach", str(tmp_path / "linked"), "HEAD~1")
    assert head_of(str(tmp_path / "linked")) == git(app, "rev-parse", "HEAD~1").strip()


def test_a_commit_that_is_gone_is_named_all_the_same(app: Path) -> None:
    oid = git(app, "rev-parse", "HEAD").strip()
    (app / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    assert head_of(str(app)) == oid


def test_without_a_repository_or_a_commit_there_is_no_head(app: Path, tmp_path: Path) -> None:
    git(app, "switch", "--orphan", "new")
    assert head_of(str(app)) == ""
    assert head_of(str(tmp_path)) == ""
    assert head_of("") == ""
