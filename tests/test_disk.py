"""What the disk and git say about real repositories, and that looking changes nothing."""

from __future__ import annotations

import os
import pathlib

import pytest

from askfirst.disk import Disk
from askfirst.facts import UNKNOWN, Changes, GitPlace, Kind, Loss
from askfirst.git_reader import Deadline, GitReader
from askfirst.testing.repositories import commit, git, make_pushed, make_repository


@pytest.fixture
def repo(tmp_path):
    return make_repository(tmp_path / "repo")


@pytest.fixture
def pushed(repo, tmp_path):
    return make_pushed(repo, tmp_path / "remote.git")


def place(folder: pathlib.Path) -> GitPlace:
    return GitPlace(folder=str(folder))


def disk(**options) -> Disk:
    return Disk(budget_s=20, **options)


def test_a_clean_tree_has_no_changes(repo):
    assert disk().changes(place(repo)) == Changes()


def test_staged_unstaged_and_untracked_changes_are_told_apart(repo):
    (repo / "a.txt").write_text("two\n", encoding="utf-8")
    (repo / "src/b.py").write_text("b = 2\n", encoding="utf-8")
    git(repo, "add", "src/b.py")
    (repo / "new.txt").write_text("new\n", encoding="utf-8")
    assert disk().changes(place(repo)) == Changes(staged=("src/b.py",), unstaged=("a.txt",), untracked=("new.txt",))


def test_changes_are_asked_for_in_paths(repo):
    (repo / "a.txt").write_text("two\n", encoding="utf-8")
    assert disk().changes(place(repo), ("src",)) == Changes()
    assert disk().changes(place(repo), ("*.txt",)) == Changes(unstaged=("a.txt",))


def test_a_deleted_file_is_no_loss_of_a_checkout(repo):
    (repo / "a.txt").unlink()
    assert disk().changes(place(repo)) == Changes()


def test_a_file_that_left_the_index_but_not_the_disk_is_at_stake(repo):
    git(repo, "rm", "--quiet", "--cached", "a.txt")
    assert disk().changes(place(repo)) == Changes(staged=("a.txt",), untracked=("a.txt",))


@pytest.mark.parametrize(
    ("path", "loss"),
    [
        ("a.txt", Loss(files=1, size_bytes=4, tracked_clean=True, in_repository=True)),
        ("src", Loss(files=1, size_bytes=6, tracked_clean=True, in_repository=True)),
        ("build", Loss(files=1, size_bytes=4, ignored=("build",), in_repository=True)),
        ("build/out.bin", Loss(files=1, size_bytes=4, ignored=("build",), in_repository=True)),
        ("new", Loss(files=1, size_bytes=4, untracked=("new",), in_repository=True)),
        (".env", Loss(files=1, size_bytes=4, ignored=(".env",), precious=(".env",), in_repository=True)),
        ("data", Loss(files=1, size_bytes=4, ignored=("data",), precious=("data/dev.db",), in_repository=True)),
        ("absent", Loss()),
    ],
)
def test_the_loss_of_a_path_is_what_no_commit_holds(repo, path, loss):
    for name in ("build/out.bin", "new/file", ".env", "data/dev.db"):
        (repo / name).parent.mkdir(exist_ok=True)
        (repo / name).write_text("abc\n", encoding="utf-8")
    assert disk().loss(str(repo / path)) == loss


def test_a_changed_file_is_lost_and_a_staged_one_comes_back_from_the_index(repo):
    (repo / "a.txt").write_text("two\n", encoding="utf-8")
    (repo / "src/b.py").write_text("b = 2\n", encoding="utf-8")
    git(repo, "add", "src/b.py")
    assert disk().loss(str(repo)) != Loss()
    assert disk().loss(str(repo / "a.txt")).modified == ("a.txt",)
    assert disk().loss(str(repo / "src")).modified == ()


def test_a_file_that_the_session_made_is_known_as_its_own(repo):
    (repo / "scratch.py").write_text("1\n", encoding="utf-8")
    assert disk(made_here=[str(repo / "scratch.py")]).loss(str(repo / "scratch.py")).made_here


def test_a_link_is_lost_without_what_it_points_to(repo, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("x", encoding="utf-8")
    (repo / "link").symlink_to(tmp_path / "precious")
    loss = disk().loss(str(repo / "link"))
    assert (loss.files, loss.untracked) == (1, ("link",))


def test_without_a_repository_everything_is_untracked(tmp_path):
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/x").write_text("x", encoding="utf-8")
    assert disk().loss(str(tmp_path / "plain")) == Loss(files=1, size_bytes=1, untracked=("plain",))


@pytest.mark.parametrize(
    "name",
    ["with space", "new\nline", 'quo"te', "tab\there", b"caf\xe9".decode("utf-8", "surrogateescape"), "-rf", "ünï"],
)
def test_odd_names_are_read_as_they_are(repo, name):
    (repo / name).write_text("x", encoding="utf-8")
    (repo / "a.txt").write_text("two\n", encoding="utf-8")
    assert disk().changes(place(repo)).untracked == (name,)
    assert disk().loss(str(repo / name)).untracked == (name,)
    assert disk().cleanable(place(repo), (), ()) == (str(repo / name),)


def test_a_nested_repository_with_commits_of_its_own_is_named(repo):
    nested = repo / "vendor/lib"
    nested.mkdir(parents=True)
    git(nested, "init", "--quiet")
    commit(nested, "x")
    assert disk().loss(str(repo / "vendor")).repositories == (str(nested),)


def test_a_clone_that_is_pushed_in_full_holds_nothing_of_its_own(repo, pushed, tmp_path):
    git(tmp_path, "clone", "--quiet", str(tmp_path / "remote.git"), str(repo / "vendor"))
    assert disk().loss(str(repo / "vendor")).repositories == ()
    commit(repo / "vendor", "local")
    assert disk().loss(str(repo / "vendor")).repositories == (str(repo / "vendor"),)


def test_a_linked_work_tree_counts_by_its_uncommitted_work(repo):
    git(repo, "worktree", "add", "--quiet", str(repo / ".worktrees/topic"))
    assert disk().loss(str(repo / ".worktrees")).repositories == ()
    (repo / ".worktrees/topic/a.txt").write_text("two\n", encoding="utf-8")
    assert disk().loss(str(repo / ".worktrees")).repositories == (str(repo / ".worktrees/topic"),)


def test_a_bare_repository_is_one_too(repo):
    git(repo, "init", "--quiet", "--bare", "mirror.git")
    assert disk().loss(str(repo / "mirror.git")).repositories == (str(repo / "mirror.git"),)


def test_a_submodule_is_not_looked_into_but_its_work_is_seen(repo, pushed, tmp_path):
    git(repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(tmp_path / "remote.git"), "sub")
    git(repo, "commit", "--quiet", "-m", "sub")
    assert disk().loss(str(repo / "sub")).repositories == ()
    (repo / "sub/a.txt").write_text("two\n", encoding="utf-8")
    assert disk().loss(str(repo / "sub")).repositories == (str(repo / "sub"),)


def test_a_repository_is_described(pushed):
    found = disk().repository(place(pushed / "src"))
    assert found.root == str(pushed)
    assert found.head == git(pushed, "rev-parse", "HEAD")
    assert (found.branch, found.default_branch, found.upstream, found.stashes) == (
        "main",
        "main",
        "refs/remotes/origin/main",
        0,
    )


def test_a_detached_head_has_no_branch_and_stashes_are_counted(repo):
    (repo / "a.txt").write_text("two\n", encoding="utf-8")
    git(repo, "stash")
    git(repo, "checkout", "--quiet", "--detach")
    found = disk().repository(place(repo))
    assert (found.branch, found.stashes) == ("", 1)


def test_a_repository_without_commits_has_no_head(tmp_path):
    git(tmp_path, "init", "--quiet", "--initial-branch=main", str(tmp_path / "empty"))
    found = disk().repository(place(tmp_path / "empty"))
    assert (found.head, found.branch) == ("", "main")


def test_a_bare_repository_has_no_root(pushed, tmp_path):
    found = disk().repository(place(tmp_path / "remote.git"))
    assert (found.root, found.branch) == ("", "main")


@pytest.mark.parametrize("name", ["plain", "two\nlines", "three\n\nlines"])
def test_a_repository_is_known_whatever_its_folder_is_called(tmp_path, name):
    folder = make_repository(tmp_path / name)
    found = disk().repository(place(folder))
    assert (found.root, found.git_dir) == (str(folder), f"{folder}/.git")


def test_the_folder_of_git_itself_has_no_root(repo):
    found = disk().repository(place(repo / ".git" / "refs"))
    assert (found.root, found.git_dir) == ("", f"{repo}/.git")


def test_no_repository_and_a_broken_one_are_different_answers(tmp_path):
    assert disk().repository(place(tmp_path)) is None
    (tmp_path / "broken/.git").mkdir(parents=True)
    assert disk().repository(place(tmp_path / "broken")) is UNKNOWN
    assert disk().repository(place(tmp_path / "absent")) is UNKNOWN


def test_git_dir_and_work_tree_of_the_call_count(repo, tmp_path):
    found = disk().repository(GitPlace(folder=str(tmp_path), git_dir=str(repo / ".git"), work_tree=str(repo)))
    assert found.root == str(repo)


def test_commits_that_only_one_branch_holds_are_counted(repo):
    git(repo, "checkout", "--quiet", "-b", "topic")
    commit(repo, "one")
    tip = commit(repo, "two")
    git(repo, "checkout", "--quiet", "main")
    found = disk().dropped(place(repo), "refs/heads/topic")
    assert (found.count, found.tip) == (2, tip)
    git(repo, "tag", "keep", "topic~1")
    assert disk().dropped(place(repo), "refs/heads/topic").count == 1


def test_a_branch_that_is_pushed_or_merged_holds_nothing_alone(pushed):
    git(pushed, "branch", "topic")
    assert disk().dropped(place(pushed), "refs/heads/topic").count == 0
    assert disk().dropped(place(pushed), "refs/heads/main", new="HEAD~0").count == 0


def test_moving_a_branch_back_drops_what_is_not_pushed(pushed):
    commit(pushed, "one")
    assert disk().dropped(place(pushed), "refs/heads/main", new="HEAD~1").count == 1
    git(pushed, "push", "--quiet")
    assert disk().dropped(place(pushed), "refs/heads/main", new="HEAD~1").count == 0


def test_a_forced_push_drops_what_only_the_remote_branch_holds(pushed):
    commit(pushed, "one")
    git(pushed, "push", "--quiet")
    git(pushed, "reset", "--quiet", "--hard", "HEAD~1")
    assert disk().dropped(place(pushed), "refs/remotes/origin/main", new="HEAD").count == 1


def test_a_stash_does_not_hold_commits(repo):
    git(repo, "checkout", "--quiet", "-b", "topic")
    commit(repo, "one")
    (repo / "a.txt").write_text("two\n", encoding="utf-8")
    git(repo, "stash")
    git(repo, "checkout", "--quiet", "main")
    assert disk().dropped(place(repo), "refs/heads/topic").count == 1


@pytest.mark.parametrize("ref", ["refs/heads/absent", "--all", "", "refs/heads/x\0y"])
def test_a_ref_that_does_not_resolve_is_unknown(repo, ref):
    assert disk().dropped(place(repo), ref) is UNKNOWN


def test_clean_lists_what_its_options_say(repo):
    for name in ("build/out.bin", "new/file", "loose.txt"):
        (repo / name).parent.mkdir(exist_ok=True)
        (repo / name).write_text("abc\n", encoding="utf-8")
    assert disk().cleanable(place(repo), (), ()) == (str(repo / "loose.txt"),)
    assert disk().cleanable(place(repo), ("-d",), ()) == (str(repo / "loose.txt"), str(repo / "new"))
    assert disk().cleanable(place(repo), ("-d", "-X"), ()) == (str(repo / "build"),)
    assert disk().cleanable(place(repo), ("-d", "-e=new"), ()) == (str(repo / "loose.txt"),)


def test_settings_are_read_and_absent_ones_are_none(repo):
    git(repo, "config", "alias.co", "checkout -f")
    assert disk().setting(place(repo), "alias.co") == "checkout -f"
    assert disk().setting(place(repo), "alias.absent") is None
    assert disk().setting(place(repo), "not a key") is None


def test_paths_are_told_apart(tmp_path):
    (tmp_path / "file").write_text("abc", encoding="utf-8")
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    kinds = {
        name: disk().path(str(tmp_path / name)).kind for name in ("file", "empty", "link", "pipe", "absent", "file/x")
    }
    assert list(kinds.values()) == [Kind.FILE, Kind.FILE, Kind.LINK, Kind.OTHER, Kind.MISSING, Kind.MISSING]
    assert disk().path("/dev/null").kind is Kind.DEVICE
    assert disk().path(str(tmp_path / "link")).real == str(tmp_path / "file")
    assert disk().path(str(tmp_path / "empty")).empty
    assert disk().path("/").mount
    assert disk().path("a\0b") is UNKNOWN


def test_holding_is_decided_by_the_disk(tmp_path):
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a")
    assert disk().holds(str(tmp_path / "a"), str(tmp_path / "a/b"))
    assert disk().holds(str(tmp_path / "link"), str(tmp_path / "a/b"))
    assert disk().holds(str(tmp_path / "a"), str(tmp_path / "link/b/absent"))
    assert disk().holds(str(tmp_path / "a/b"), str(tmp_path / "a")) is False
    assert disk().holds(str(tmp_path / "absent"), str(tmp_path)) is UNKNOWN


def test_a_project_is_the_work_tree_but_never_the_home(repo, tmp_path, monkeypatch):
    assert disk().project(str(repo / "src")) == str(repo)
    assert disk().project(str(tmp_path)) == str(tmp_path)
    assert disk(environ={"HOME": str(repo), "PATH": os.environ["PATH"]}).project(str(repo / "src")) == str(repo / "src")
    assert disk().project(str(tmp_path / "absent")) is UNKNOWN


def test_globs_are_expanded_within_a_limit(repo):
    assert disk().expand_glob(str(repo / "*.txt"), 5) == (str(repo / "a.txt"),)
    assert disk().expand_glob(str(repo / "*"), 1) is UNKNOWN
    assert disk().expand_glob(str(repo / "*.none"), 5) == ()


def test_scripts_are_read_when_small_and_regular(tmp_path):
    (tmp_path / "run.sh").write_bytes(b"rm -rf /\n")
    os.mkfifo(tmp_path / "pipe")
    assert disk().read_script(str(tmp_path / "run.sh"), 100) == b"rm -rf /\n"
    assert disk().read_script(str(tmp_path / "run.sh"), 3) is UNKNOWN
    assert disk().read_script(str(tmp_path / "pipe"), 100) is None
    assert disk().read_script(str(tmp_path / "absent"), 100) is None
    assert disk().read_script(str(tmp_path), 100) is None


def ask_everything(folder: pathlib.Path) -> None:
    asked = disk()
    here = place(folder)
    asked.repository(here)
    asked.changes(here)
    asked.cleanable(here, ("-d", "-x"), ())
    asked.dropped(here, "refs/heads/main")
    asked.setting(here, "user.name")
    for name in ("", "a.txt", "src", "absent"):
        asked.loss(str(folder / name))


def snapshot(folder: pathlib.Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_mode, path.read_bytes() if path.is_file() else b"")
        for path in sorted(folder.rglob("*"))
    }


def test_looking_changes_nothing(pushed):
    os.utime(pushed / "a.txt", (1, 1))  # the index would be refreshed if git were allowed to
    before = snapshot(pushed.parent)
    ask_everything(pushed)
    assert snapshot(pushed.parent) == before


def test_looking_runs_nothing_of_the_repository(repo, tmp_path):
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n", encoding="utf-8")
    trap.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "core.pager",
        "diff.external",
    ):
        git(repo, "config", key, str(trap))
    git(repo, "config", "filter.evil=x.y.clean", str(trap))
    git(repo, "config", "alias.status", f"!{trap}")
    hooks = repo / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
        (hooks / name).write_bytes(trap.read_bytes())
        (hooks / name).chmod(0o755)
    (repo / ".git/info").mkdir(exist_ok=True)
    (repo / ".git/info/attributes").write_text("*.txt filter=evil\n*.py filter=evil=x.y\n", encoding="utf-8")
    os.utime(repo / "a.txt", (1, 1))
    os.utime(repo / "src/b.py", (1, 1))
    ask_everything(repo)
    assert not (tmp_path / "sprung").exists()


def test_our_own_environment_does_not_steer_git(repo, tmp_path, monkeypatch):
    git(tmp_path, "init", "--quiet", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other/.git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "absent"))
    assert disk().repository(place(repo)).root == str(repo)


def test_when_the_time_is_up_nothing_is_known(repo):
    late = Disk(budget_s=0)
    assert late.path(str(repo)) is UNKNOWN
    assert late.loss(str(repo / "a.txt")) is UNKNOWN
    assert late.repository(place(repo)) is UNKNOWN
    assert late.changes(place(repo)) is UNKNOWN
    assert late.dropped(place(repo), "refs/heads/main") is UNKNOWN
    assert late.setting(place(repo), "user.name") is UNKNOWN
    assert late.cleanable(place(repo), (), ()) is UNKNOWN


def test_a_git_that_hangs_is_ended_at_the_deadline(tmp_path):
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin/git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    slow.chmod(0o755)
    reader = GitReader(Deadline(0.2), {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    assert reader.run(place(tmp_path), "status") is UNKNOWN


def test_a_flood_of_output_is_no_answer(tmp_path):
    (tmp_path / "bin").mkdir()
    loud = tmp_path / "bin/git"
    loud.write_text("#!/bin/sh\nexec yes\n", encoding="utf-8")
    loud.chmod(0o755)
    reader = GitReader(Deadline(20), {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    assert reader.run(place(tmp_path), "status") is UNKNOWN
