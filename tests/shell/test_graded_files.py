"""Deletes and overwrites graded by what lies there."""

from __future__ import annotations

import pytest

from askfirst.disk import Disk
from askfirst.effects import Risk
from askfirst.testing.repositories import commit, git, make_repository


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """A repository outside the temporary folders as the judge knows them."""
    monkeypatch.setattr("askfirst.shell.places._TEMP", ("/nowhere/tmp",))
    return make_repository(tmp_path / "repo")


@pytest.fixture
def ask(judge):
    def _ask(text, folder, **options):
        effects = judge(text, facts=Disk(budget_s=20, **options), cwd=str(folder))
        return max((effect.risk for effect in effects), default=Risk.LOW)

    return _ask


@pytest.mark.parametrize(
    ("path", "risk"),
    [
        ("a.txt", Risk.MEDIUM),
        ("src", Risk.MEDIUM),
        ("build", Risk.MEDIUM),
        ("absent", Risk.HIGH),
        ("data/cache.bin", Risk.MEDIUM),
        ("new.py", Risk.HIGH),
        ("newdir", Risk.HIGH),
        (".env", Risk.HIGH),
        ("data", Risk.HIGH),
        ("*.py", Risk.HIGH),
        ("*.txt", Risk.MEDIUM),
        ("*.none", Risk.HIGH),
        ("vendor", Risk.CRITICAL),
        (".", Risk.CRITICAL),
        ("../repo", Risk.CRITICAL),
        ("..", Risk.CRITICAL),
        ("link", Risk.HIGH),
        ("link/", Risk.CRITICAL),
        ("up/repo", Risk.CRITICAL),
    ],
)
def test_a_delete_is_graded_by_what_no_commit_holds(ask, repo, path, risk):
    for name in ("build/out", "data/cache.bin", "data/dev.db", "new.py", "newdir/x", ".env"):
        (repo / name).parent.mkdir(exist_ok=True)
        (repo / name).write_text("abc", encoding="utf-8")
    (repo / "vendor").mkdir()
    git(repo / "vendor", "init", "--quiet")
    commit(repo / "vendor", "own")
    (repo / "link").symlink_to(repo)
    (repo / "up").symlink_to(repo.parent)
    assert ask(f"rm -rf {path}", repo) is risk


def test_changes_to_a_tracked_file_are_lost(ask, repo):
    (repo / "a.txt").write_text("two\n", encoding="utf-8")
    assert ask("rm a.txt", repo) is Risk.HIGH
    assert ask("rm -r src", repo) is Risk.MEDIUM


def test_a_file_that_the_session_made_itself_is_free(ask, repo):
    (repo / "scratch.py").write_text("1", encoding="utf-8")
    assert ask("rm scratch.py", repo) is Risk.HIGH
    assert ask("rm scratch.py", repo, made_here=[str(repo / "scratch.py")]) is Risk.MEDIUM


def test_the_project_counts_not_the_folder_that_a_command_is_in(ask, repo):
    assert ask("cd src && rm -rf ../build", repo) is Risk.MEDIUM
    (repo.parent / "build").mkdir()
    assert ask("cd .. && rm -rf build", repo) is Risk.HIGH


def test_another_project_is_graded_by_its_own_repository(ask, repo):
    other = make_repository(repo.parent / "other")
    (other / "new.py").write_text("x", encoding="utf-8")
    assert ask("cd ../other && rm -rf src", repo) is Risk.MEDIUM
    assert ask("cd ../other && rm new.py", repo) is Risk.HIGH
    assert ask("rm -rf ../other/src", repo) is Risk.HIGH


def test_a_link_out_of_the_project_is_outside(ask, repo, tmp_path):
    (tmp_path / "outside/deep").mkdir(parents=True)
    (repo / "exit").symlink_to(tmp_path / "outside")
    assert ask("rm -rf exit/deep", repo) is Risk.HIGH
    assert ask("echo x > exit/file", repo) is Risk.MEDIUM
    (tmp_path / "outside/file").write_text("x", encoding="utf-8")
    assert ask("echo x > exit/file", repo) is Risk.HIGH


def test_what_is_not_there_now_is_judged_by_its_name(ask, repo):
    """The line itself, or another process, may put something there before the delete runs."""
    assert ask("rm -rf old", repo) is Risk.HIGH
    assert ask("mv src old && rm -rf old", repo) is Risk.HIGH
    assert ask("rm -rf dist", repo) is Risk.MEDIUM
    assert ask("rm -f absent.txt", repo) is Risk.MEDIUM


def test_new_content_is_ordinary_work_unless_the_old_one_is_precious(ask, repo):
    for name in ("new.py", ".env"):
        (repo / name).write_text("abc", encoding="utf-8")
    assert ask("echo x > a.txt", repo) is Risk.MEDIUM
    assert ask("echo x > new.py", repo) is Risk.MEDIUM
    assert ask("echo x > .env", repo) is Risk.HIGH
    assert ask("truncate -s 0 a.txt", repo) is Risk.MEDIUM
    assert ask("truncate -s 0 new.py", repo) is Risk.HIGH
    assert ask(": > absent", repo) is Risk.MEDIUM


def test_a_folder_that_is_not_on_this_machine_gives_no_facts(ask, tmp_path):
    assert ask("rm -rf src", tmp_path / "absent") is Risk.HIGH
    assert ask("rm -f notes.txt", tmp_path / "absent") is Risk.MEDIUM


def test_a_folder_that_is_the_same_by_the_disk_is_the_same(ask, repo, monkeypatch):
    """A case-insensitive file system, as a hard fact: both names have one inode."""
    (repo.parent / "REPO").symlink_to("repo")
    assert ask(f"rm -rf {repo.parent}/REPO/", repo) is Risk.CRITICAL
