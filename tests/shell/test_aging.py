"""Answers of the disk that an earlier command of the line has made old."""

from __future__ import annotations

import pytest

from askfirst.facts import UNKNOWN, Changes, Commits, GitPlace, Kind, Loss, NoFacts, PathFacts, Repository
from askfirst.shell.aging import Aging

HERE = GitPlace(folder="/p")
REPOSITORY = Repository(root="/p", git_dir="/p/.git", head="1", branch="main", upstream="refs/remotes/origin/main")


class NothingToLose(NoFacts):
    """A clean repository in which nothing lies at any path."""

    def path(self, path):
        return PathFacts(kind=Kind.MISSING, real=path)

    def loss(self, path):
        return Loss(files=1) if path == "/p/full" else Loss()

    def expand_glob(self, pattern, limit):
        return ()

    def repository(self, place):
        return REPOSITORY

    def changes(self, place, paths=()):
        return Changes(unstaged=("x",)) if paths == ("x",) else Changes()

    def cleanable(self, place, options, paths):
        return ()

    def commit(self, place, revision):
        return "1"

    def dropped(self, place, ref, *, new=""):
        return Commits()


@pytest.fixture
def after(make_command):
    def _after(*texts):
        aging = Aging(NothingToLose())
        for text in texts:
            aging.ran(make_command(text))
        return aging

    return _after


@pytest.mark.parametrize("text", ["ls", "git status", "git add -A", "git push", "git fetch", "make", "cd src", "rm x"])
def test_answers_stand_after_what_moves_nothing(after, text):
    aged = after(text)
    assert aged.loss("/p/x") == Loss()
    assert aged.changes(HERE) == Changes()
    assert aged.dropped(HERE, "refs/heads/main", new="HEAD") == Commits()
    assert aged.repository(HERE) == REPOSITORY


@pytest.mark.parametrize(
    "text", ["mv a b", "git mv a b", "rsync -a --remove-source-files a b", "tar --remove-files -cf a b"]
)
def test_where_nothing_lay_something_may_lie(after, text):
    aged = after("ls", text)
    assert aged.loss("/p/x") is UNKNOWN
    assert aged.path("/p/x") is UNKNOWN
    assert aged.expand_glob("/p/*", 5) is UNKNOWN
    assert aged.loss("/p/full") == Loss(files=1)


@pytest.mark.parametrize(
    "text",
    [
        "git stash pop",
        "git commit -m x",
        "git rebase main",
        "git reset HEAD~1",
        "git pull",
        "git $x",
        "git checkout -B x",
    ],
)
def test_refs_and_the_work_tree_may_be_others(after, text):
    aged = after(text)
    assert aged.changes(HERE) is UNKNOWN
    assert aged.changes(HERE, ("x",)) == Changes(unstaged=("x",))
    assert aged.cleanable(HERE, (), ()) is UNKNOWN
    assert aged.commit(HERE, "refs/heads/x") is UNKNOWN
    assert aged.dropped(HERE, "refs/heads/x") is UNKNOWN
    assert (aged.repository(HERE).branch, aged.repository(HERE).upstream) == ("", "")


def test_a_switch_moves_head_and_nothing_else(after):
    aged = after("git checkout topic")
    assert aged.repository(HERE).branch == ""
    assert aged.dropped(HERE, "refs/heads/x") == Commits()
    assert aged.dropped(HERE, "HEAD") is UNKNOWN
    assert aged.dropped(HERE, "refs/heads/x", new="HEAD~1") is UNKNOWN
    assert aged.changes(HERE) == Changes()
