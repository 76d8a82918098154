"""Every destructive command, approved, run for real, and undone: what is there is what was there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from askfirst.testing.repositories import commit, git, make_pushed, make_repository
from askfirst.testing.world import World, files, repository, shell

pytestmark = pytest.mark.slow


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A repository in the middle of work: staged, dirty, untracked, ignored, odd names, two branches, two stashes."""
    folder = make_pushed(make_repository(tmp_path / "app"), tmp_path / "remote.git")
    commit(folder, "second.txt")
    git(folder, "branch", "topic")
    commit(folder, "third.txt")
    (folder / "run.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "run.sh").chmod(0o755)
    (folder / "src/odd\nname \xff.txt").write_text("odd", encoding="utf-8")
    (folder / os.fsdecode(b"latin-\xe4.txt")).write_text("not utf-8", encoding="utf-8")
    (folder / "link").symlink_to("a.txt")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "odd ones")
    for number in (1, 2):
        (folder / "a.txt").write_text(f"stash {number}\n", encoding="utf-8")
        git(folder, "stash", "push", "--quiet", "-m", f"work {number}")
    (folder / "a.txt").write_text("dirty\n", encoding="utf-8")
    (folder / "src/b.py").write_text("staged\n", encoding="utf-8")
    git(folder, "add", "src/b.py")
    (folder / "src/b.py").write_text("staged, then dirty\n", encoding="utf-8")
    (folder / "second.txt").unlink()
    (folder / "new.txt").write_text("untracked\n", encoding="utf-8")
    (folder / "notes").mkdir(mode=0o750)
    (folder / "notes/idea.md").write_text("idea\n", encoding="utf-8")
    (folder / "notes/secret").write_text("s\n", encoding="utf-8")
    (folder / "notes/secret").chmod(0o600)
    (folder / "empty/deep").mkdir(parents=True)
    (folder / ".env").write_text("KEY=1\n", encoding="utf-8")
    (folder / "build").mkdir()
    (folder / "build/out.o").write_bytes(bytes(1000))
    os.utime(folder / "notes/idea.md", (1_600_000_000, 1_600_000_000))
    return folder


COMMANDS = {
    "reset": "git reset --hard HEAD~2",
    "reset to another branch": "git reset --hard origin/main",
    "checkout by force": "git checkout -f topic",
    "checkout of everything": "git checkout -- .",
    "checkout of a file": "git checkout HEAD -- src/b.py a.txt",
    "switch by force": "git switch --discard-changes topic",
    "restore": "git restore --staged --worktree .",
    "clean": "git clean -fd",
    "clean with ignored files": "git clean -fdx",
    "branch deleted": "git branch -D topic",
    "stash dropped": "git stash drop",
    "stashes cleared": "git stash clear",
    "history rewritten": "git stash -q && git filter-branch -f --msg-filter 'cat; echo more' HEAD",
    "ref deleted": "git update-ref -d refs/heads/topic",
    "reflog and objects pruned": "git stash clear; git reflog expire --expire=now --all; git gc -q --prune=now",
    "index read anew": "git read-tree --reset -u HEAD~1",
    "folder removed": "rm -rf src notes",
    "files removed": "rm -f a.txt new.txt .env link",
    "pattern removed": "rm -rf *.txt",
    "found and deleted": "find . -name '*.txt' -delete",
    "everything removed": "rm -rf * .[!.]*",
    "history removed": "rm -rf .git",
    "file emptied": "truncate -s 0 new.txt a.txt",
    "file overwritten": ": > new.txt; cp /dev/null .env",
    "moved over": "mv -f new.txt .env",
    "shredded": "shred -u new.txt",
    "several": "git stash clear; rm -rf notes; git reset --hard HEAD~1; git clean -fdx",
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS.keys())
@pytest.mark.parametrize("reports", [True, False], ids=["reported", "unreported"])
def test_what_a_command_destroys_comes_back(world: World, app: Path, command: str, reports: bool) -> None:
    before = repository(app)
    rescue = world.caught(command, app)
    assert rescue.snapshot, rescue.words
    shell(command, app)
    if reports:
        world.note(rescue.snapshot)
    assert repository_or_none(app) != before
    world.undo(rescue.snapshot)
    if not reports:  # nobody knows then that the command made it
        shell("git for-each-ref --format='delete %(refname)' refs/original | git update-ref --stdin", app)
    assert repository(app) == before
    assert git(app, "fsck", "--connectivity-only") == ""


def repository_or_none(folder: Path) -> dict[str, object] | None:
    return repository(folder) if (folder / ".git").exists() else None


@pytest.mark.parametrize("command", [COMMANDS["several"], COMMANDS["checkout by force"], COMMANDS["folder removed"]])
def test_an_undo_is_undone_and_redone(world: World, app: Path, command: str) -> None:
    before = repository(app)
    rescue = world.run(command, app)
    after = repository(app)
    first = world.undo(rescue.snapshot)
    assert repository(app) == before
    second = world.undo(first.aside, turn=1)
    assert without_times(repository(app)) == without_times(after)
    world.undo(second.aside, turn=2)
    assert repository(app) == before


def without_times(seen: dict[str, object]) -> dict[str, object]:
    """Files that git wrote come back with another time."""
    found = seen["files"]
    assert isinstance(found, dict)
    return seen | {
        "files": {name: (*each[:2], *each[3:]) if each[0] == "file" else each for name, each in found.items()}
    }


def conflict(app: Path) -> None:
    shell(
        "git stash -q; git checkout -q topic; echo x > third.txt; git add .; git commit -qm x; git merge main || true",
        app,
    )
    (app / "third.txt").write_text("half resolved\n", encoding="utf-8")


def detached(app: Path) -> None:
    shell("git checkout -q --detach", app)


def rebasing(app: Path) -> None:
    shell(
        "git stash -q; git checkout -q topic; echo x > third.txt; git add .; git commit -qm x; git rebase main || true",
        app,
    )


def sparse(app: Path) -> None:
    shell("git stash -q -u; git sparse-checkout set --no-cone '/src/' '/a.txt'; echo d >> a.txt", app)


def flagged(app: Path) -> None:
    shell("git update-index --assume-unchanged third.txt; echo hidden > third.txt", app)


def split(app: Path) -> None:
    shell("git update-index --split-index; echo more >> src/b.py; git add src/b.py", app)


def converted(app: Path) -> None:
    (app / ".gitattributes").write_text("crlf.txt text eol=crlf\n", encoding="utf-8")
    (app / "crlf.txt").write_bytes(b"a\r\nb\r\n")
    shell("git add .; git commit -qm crlf", app)
    (app / "crlf.txt").write_bytes(b"a\nb\n")
    shell("git add crlf.txt", app)


def filtered(app: Path) -> None:
    shell("git config filter.rot.clean 'tr a-z n-za-m'; git config filter.rot.smudge 'tr a-z n-za-m'", app)
    shell("echo '*.rot filter=rot' > .gitattributes; echo hello > x.rot; git add .; git commit -qm rot", app)


def unborn(app: Path) -> None:
    shell("git checkout -q --orphan fresh; git rm -rqf --cached .", app)


STATES: dict[str, Callable[[Path], None]] = {
    each.__name__: each for each in (conflict, detached, rebasing, sparse, flagged, split, converted, filtered, unborn)
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
@pytest.mark.parametrize(
    "command", ["git reset --hard HEAD~1", "git checkout -f main", "git clean -fdx", "rm -rf src *.txt"]
)
def test_a_repository_in_any_state_comes_back(
    world: World, app: Path, state: Callable[[Path], None], command: str
) -> None:
    state(app)
    before = repository(app)
    rescue = world.caught(command, app)
    assert rescue.snapshot, rescue.words
    shell(command, app, check=False)
    world.note(rescue.snapshot)
    world.undo_if_changed(rescue.snapshot)
    assert repository(app) == before


def test_no_filter_and_no_hook_of_the_repository_is_ever_run(world: World, app: Path) -> None:
    trap = app.parent / "trap"
    for name in ("reference-transaction", "post-checkout", "post-index-change"):
        hook = app / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\necho {name} >> {trap}\n", encoding="utf-8")
        hook.chmod(0o755)
    for name in ("clean", "smudge", "process"):
        git(app, "config", f"filter.bad.{name}", f"sh -c 'echo {name} >> {trap}; cat'")
    git(app, "config", "core.fsmonitor", f"sh -c 'echo fsmonitor >> {trap}'")
    (app / ".gitattributes").write_text("* filter=bad\n", encoding="utf-8")
    rescue = world.caught("git reset --hard HEAD~1", app)
    for path in app.iterdir():
        if path.is_file() and path.name != ".gitattributes":
            path.unlink()
    world.undo(rescue.snapshot)
    assert not trap.exists()


def test_a_force_push_to_a_remote_on_this_machine_is_taken_back(world: World, app: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shell(
        f"git clone -q {tmp_path}/remote.git {other}; cd {other}; echo o > o; git add o; git commit -qm o; git push -q",
        tmp_path,
    )
    remote = tmp_path / "remote.git"
    before = (repository(remote), repository(app))
    rescue = world.run("git push --force origin HEAD:main", app)
    assert repository(remote) != before[0]
    world.undo(rescue.snapshot)
    assert (repository(remote), repository(app)) == before


def test_a_removed_work_tree_comes_back(world: World, app: Path, tmp_path: Path) -> None:
    tree = tmp_path / "wt"
    git(app, "worktree", "add", "--quiet", str(tree), "topic")
    (tree / "a.txt").write_text("work in the tree\n", encoding="utf-8")
    (tree / "new").write_text("new\n", encoding="utf-8")
    (tree / "staged").write_text("staged\n", encoding="utf-8")
    git(tree, "add", "staged")
    before = repository(tree)
    main, listed = repository(app), git(app, "worktree", "list")
    rescue = world.run(f"git worktree remove --force {tree}", app)
    assert not tree.exists()
    done = world.undo(rescue.snapshot)
    assert repository(tree) == before
    assert (repository(app), git(app, "worktree", "list")) == (main, listed)
    world.undo(done.aside, turn=1)
    assert not tree.exists()


def test_a_submodule_comes_back_with_its_work(world: World, app: Path, tmp_path: Path) -> None:
    lib = make_repository(tmp_path / "lib")
    shell(f"git -c protocol.file.allow=always submodule --quiet add {lib} vendor; git commit -qm sub", app)
    (app / "vendor/a.txt").write_text("work in the submodule\n", encoding="utf-8")
    (app / "vendor/new").write_text("new\n", encoding="utf-8")
    commit(app / "vendor", "own.txt")
    before = (repository(app), repository(app / "vendor"))
    command = "git reset --hard HEAD~1; cd vendor; git reset --hard HEAD~1; git clean -fdx"
    rescue = world.run(command, app)
    world.undo(rescue.snapshot)
    assert (repository(app), repository(app / "vendor")) == before


def test_a_deinitialised_submodule_comes_back(world: World, app: Path, tmp_path: Path) -> None:
    lib = make_repository(tmp_path / "lib")
    shell(f"git -c protocol.file.allow=always submodule --quiet add {lib} vendor; git commit -qm sub", app)
    (app / "vendor/a.txt").write_text("work in the submodule\n", encoding="utf-8")
    before = (repository(app), repository(app / "vendor"))
    rescue = world.run("git submodule --quiet deinit --force vendor", app)
    world.undo(rescue.snapshot)
    assert (repository(app), repository(app / "vendor")) == before


def test_a_deleted_submodule_comes_back_goes_and_comes_back(world: World, app: Path, tmp_path: Path) -> None:
    lib = make_repository(tmp_path / "lib")
    shell(f"git -c protocol.file.allow=always submodule --quiet add {lib} vendor; git commit -qm sub", app)
    (app / "vendor/a.txt").write_text("work in the submodule\n", encoding="utf-8")
    commit(app / "vendor", "own.txt")
    before = (repository(app), repository(app / "vendor"))
    rescue = world.run("git submodule --quiet deinit --force vendor; git reset --hard HEAD~1; rm -rf vendor", app)
    gone = world.undo(rescue.snapshot)
    assert (repository(app), repository(app / "vendor")) == before
    back = world.undo(gone.aside, turn=1)
    assert not (app / "vendor").exists()
    world.undo(back.aside, turn=2)
    assert (repository(app), repository(app / "vendor")) == before


@pytest.mark.parametrize(
    "command",
    ["> data/db", "truncate -s 0 data/db", "rm data/db", "mv -f data/other data/db", "ln -f data/other data/db"],
)
def test_a_file_with_several_names_comes_back_under_each(world: World, tmp_path: Path, command: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "db").write_text("rows\n", encoding="utf-8")
    os.link(data / "db", data / "second name")
    (data / "other").write_text("other\n", encoding="utf-8")
    before = looks(data)
    rescue = world.run(command, tmp_path)
    world.undo(rescue.snapshot)
    assert looks(data) == before


def test_files_outside_any_repository_come_back(world: World, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "deep/er").mkdir(parents=True)
    (data / "deep/er/x.db").write_bytes(os.urandom(5000))
    (data / "deep/er/x.db").chmod(0o640)
    (data / "empty").mkdir(mode=0o700)
    (data / "link").symlink_to("/nowhere")
    with (data / "sparse").open("wb") as file:
        file.truncate(2_000_000_000)
    os.mkfifo(data / "pipe")
    (data / "read-only").mkdir()
    (data / "read-only/f").write_text("x", encoding="utf-8")
    (data / "read-only").chmod(0o555)
    before = looks(data)
    rescue = world.run(f"chmod -R u+w {data}; rm -rf {data}", tmp_path)
    assert not data.exists()
    world.undo(rescue.snapshot)
    assert looks(data) == before
    assert (data / "sparse").stat().st_blocks < 100


def looks(folder: Path) -> dict[str, tuple[int, int, int]]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_mode, path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
    }


def test_a_clone_over_a_folder_is_taken_back(world: World, app: Path, tmp_path: Path) -> None:
    target = tmp_path / "docs"
    target.mkdir()
    (target / "mine.txt").write_text("mine", encoding="utf-8")
    before = files(target)
    rescue = world.run(f"rm -rf docs && git clone -q {tmp_path}/remote.git docs", tmp_path)
    assert (target / ".git").exists()
    world.undo(rescue.snapshot)
    assert files(target) == before
    assert not (target / ".git").exists()


def test_a_whole_repository_with_everything_in_it_comes_back(world: World, app: Path) -> None:
    before = repository(app)
    rescue = world.run(f"rm -rf {app}", app.parent)
    assert not app.exists()
    world.undo(rescue.snapshot)
    assert repository(app) == before
    assert git(app, "fsck", "--strict") == ""


def test_a_bare_repository_comes_back(world: World, app: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    before = repository(remote)
    rescue = world.run("git branch -D main; git gc -q --prune=now", remote)
    assert repository(remote) != before
    world.undo(rescue.snapshot)
    assert repository(remote) == before


def test_what_a_link_points_to_comes_back_when_it_is_written_through(world: World, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("precious", encoding="utf-8")
    (tmp_path / "way").symlink_to("real")
    rescue = world.run("truncate -s 0 way", tmp_path)
    assert (tmp_path / "real").read_text() == ""
    world.undo(rescue.snapshot)
    assert (tmp_path / "real").read_text() == "precious"
    assert (tmp_path / "way").is_symlink()
