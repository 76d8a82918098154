"""Git commands graded by what the repository would really lose."""

from __future__ import annotations

import pytest

from askfirst.disk import Disk
from askfirst.effects import Risk
from askfirst.git_environment import ELSEWHERE
from askfirst.testing.repositories import commit, git, make_pushed, make_repository


@pytest.fixture
def repo(tmp_path):
    return make_repository(tmp_path / "repo")


@pytest.fixture
def pushed(repo, tmp_path):
    return make_pushed(repo, tmp_path / "remote.git")


@pytest.fixture
def ask(judge):
    """The highest risk of a command in a folder, with facts from the disk."""

    def _ask(text, folder):
        effects = judge(text, facts=Disk(budget_s=20), cwd=str(folder))
        return max((effect.risk for effect in effects), default=Risk.LOW)

    return _ask


LOSES_CHANGES = [
    "git reset --hard",
    "git checkout -- .",
    "git checkout a.txt",
    "git checkout -f",
    "git restore .",
    "git restore --source=HEAD a.txt",
    "git switch --discard-changes main",
    "git rm -f a.txt",
    "git read-tree --reset -u HEAD",
    "git checkout-index -fa",
    "git -C . reset --hard",
    "cd src && git reset --hard",
    "git --git-dir=.git --work-tree=. reset --hard",
]


@pytest.mark.parametrize("text", LOSES_CHANGES)
def test_changed_files_are_a_loss_and_a_clean_tree_is_none(ask, repo, text):
    assert ask(text, repo) < Risk.HIGH
    (repo / "a.txt").write_text("two\n", encoding="utf-8")
    assert ask(text, repo) is Risk.HIGH


@pytest.mark.parametrize("name", [*sorted(ELSEWHERE), "GIT_CEILING_DIRECTORIES"])
def test_what_makes_git_look_elsewhere_leaves_the_loss_unknown(ask, repo, name):
    assert ask(f"{name}=/srv/other git reset --hard", repo) is Risk.HIGH
    assert ask("GIT_AUTHOR_NAME=/srv/other git reset --hard", repo) < Risk.HIGH


def test_only_changes_in_the_named_paths_count(ask, repo):
    (repo / "a.txt").write_text("two\n", encoding="utf-8")
    assert ask("git checkout -- src", repo) < Risk.HIGH
    assert ask("git restore src/b.py", repo) < Risk.HIGH
    assert ask("git checkout -- '*.txt'", repo) is Risk.HIGH


def test_staged_work_survives_a_restore_from_the_index_but_no_reset(ask, repo):
    (repo / "a.txt").write_text("two\n", encoding="utf-8")
    git(repo, "add", "a.txt")
    assert ask("git restore a.txt", repo) < Risk.HIGH
    assert ask("git restore --staged --worktree a.txt", repo) is Risk.HIGH
    assert ask("git checkout HEAD -- a.txt", repo) is Risk.HIGH
    assert ask("git reset --hard", repo) is Risk.HIGH


def test_a_reset_past_unpushed_commits_is_a_loss(ask, pushed):
    commit(pushed, "one")
    assert ask("git reset --hard HEAD~1", pushed) is Risk.HIGH
    git(pushed, "push", "--quiet")
    assert ask("git reset --hard HEAD~1", pushed) < Risk.HIGH
    assert ask("git reset --hard origin/main", pushed) < Risk.HIGH


def test_a_name_that_is_branch_and_no_file_is_switched_to(ask, repo):
    (repo / "a.txt").write_text("two\n", encoding="utf-8")
    git(repo, "branch", "topic")
    assert ask("git checkout topic", repo) < Risk.HIGH
    (repo / "Makefile").write_text("x", encoding="utf-8")
    git(repo, "add", "Makefile")
    (repo / "Makefile").write_text("y", encoding="utf-8")
    assert ask("git checkout Makefile", repo) is Risk.HIGH


def test_clean_is_graded_by_what_its_dry_run_lists(ask, repo):
    assert ask("git clean -fdx", repo) < Risk.HIGH
    (repo / "build").mkdir()
    (repo / "build/out").write_text("x", encoding="utf-8")
    assert ask("git clean -fdx", repo) < Risk.HIGH
    (repo / ".env").write_text("KEY=1", encoding="utf-8")
    assert ask("git clean -fd", repo) < Risk.HIGH
    assert ask("git clean -fdx", repo) is Risk.HIGH
    (repo / "new.py").write_text("x", encoding="utf-8")
    assert ask("git clean -fd", repo) is Risk.HIGH
    assert ask("git clean -fd src", repo) < Risk.HIGH


def test_a_branch_is_graded_in_the_repository_that_is_meant(ask, repo, tmp_path):
    git(repo, "checkout", "--quiet", "-b", "wip")
    commit(repo, "one")
    git(repo, "checkout", "--quiet", "main")
    assert ask("git -C repo branch -D wip", tmp_path) is Risk.HIGH
    git(repo, "merge", "--quiet", "wip")
    assert ask("git -C repo branch -D wip", tmp_path) < Risk.HIGH
    assert ask("git branch -D wip", tmp_path) is Risk.HIGH


def test_a_ref_that_does_not_exist_may_have_come_into_being(ask, repo):
    assert ask("git branch -D absent", repo) is Risk.HIGH
    assert ask("git tag -d absent", repo) is Risk.HIGH


def test_moving_a_branch_or_tag_to_where_nothing_is_lost_is_free(ask, repo):
    git(repo, "tag", "v1")
    git(repo, "branch", "topic")
    for text in (
        "git tag -f v1",
        "git branch -f topic",
        "git checkout -B topic",
        "git tag -d v1",
        "git branch -M fresh",
    ):
        assert ask(text, repo) < Risk.HIGH
    git(repo, "checkout", "--quiet", "topic")
    commit(repo, "one")
    git(repo, "checkout", "--quiet", "main")
    for text in ("git branch -f topic", "git checkout -B topic", "git switch -C topic main", "git branch -M topic"):
        assert ask(text, repo) is Risk.HIGH


def test_a_lease_that_loses_nothing_is_free_and_a_plain_force_never(ask, pushed):
    git(pushed, "checkout", "--quiet", "-b", "topic")
    commit(pushed, "one")
    git(pushed, "push", "--quiet", "-u", "origin", "topic")
    commit(pushed, "two")
    assert ask("git push --force-with-lease", pushed) < Risk.HIGH
    assert ask("git push --force-with-lease origin topic", pushed) < Risk.HIGH
    assert ask("git push --force", pushed) is Risk.HIGH
    assert ask("git push --force --force-with-lease", pushed) is Risk.HIGH
    git(pushed, "commit", "--quiet", "--amend", "-m", "again")
    assert ask("git push --force-with-lease", pushed) < Risk.HIGH
    git(pushed, "reset", "--quiet", "--hard", "HEAD~2")
    assert ask("git push --force-with-lease", pushed) is Risk.HIGH


def test_the_remotes_default_branch_is_shared(ask, pushed):
    assert ask("git push --force", pushed) is Risk.CRITICAL
    git(pushed, "push", "--quiet", "origin", "main:trunk2")
    git(pushed, "fetch", "--quiet")
    git(pushed, "remote", "set-head", "origin", "trunk2")
    assert ask("git push --force origin trunk2", pushed) is Risk.CRITICAL


def test_an_amend_of_a_pushed_commit_is_recorded(judge, pushed):
    effects = judge("git commit --amend --no-edit", facts=Disk(budget_s=20), cwd=str(pushed))
    assert [effect.rule for effect in effects] == ["git.rewrite-pushed"]


AGED = [
    "git stash pop && git reset --hard",
    "git commit --amend --no-edit && git push --force-with-lease",
    "git reset --soft HEAD~1; git push --force-with-lease origin topic",
    "git checkout topic && git reset --hard HEAD~1",
    "git rebase main && git branch -D topic",
]


@pytest.mark.parametrize("text", AGED)
def test_what_an_earlier_command_changed_is_not_known(ask, pushed, text):
    git(pushed, "branch", "topic")
    git(pushed, "push", "--quiet", "origin", "topic")
    assert ask(text.rpartition("&&")[2].rpartition(";")[2].strip(), pushed) < Risk.HIGH or "HEAD~1" in text
    assert ask(text, pushed) >= Risk.HIGH


def test_a_way_back_is_named(judge, repo):
    git(repo, "checkout", "--quiet", "-b", "wip")
    tip = commit(repo, "one")
    git(repo, "checkout", "--quiet", "main")
    (effect,) = judge("git branch -D wip", facts=Disk(budget_s=20), cwd=str(repo))
    assert effect.reversible
    assert effect.facts == (f"way back until the next gc: {tip[:12]}",)
    assert effect.loss == "deletes the branch wip and 1 commit that only wip holds"
