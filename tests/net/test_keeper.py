"""The net's promises: what it says beforehand, what it refuses, what it leaves alone, and how it ages."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from askfirst.errors import RescueError
from askfirst.request import Request
from askfirst.testing.repositories import commit, git, make_repository
from askfirst.testing.world import World, make_world, repository, shell
from askfirst.undo_config import RawUndo, UndoConfig, undo_config


@pytest.fixture
def app(tmp_path: Path) -> Path:
    folder = make_repository(tmp_path / "app")
    commit(folder, "second.txt")
    (folder / "a.txt").write_text("dirty\n", encoding="utf-8")
    (folder / "new.txt").write_text("new\n", encoding="utf-8")
    return folder


def promise(world: World, command: str, cwd: Path) -> tuple[bool, str]:
    world.caught(command, cwd)
    return world.request.promise.holds, world.request.promise.words


def test_the_card_says_what_will_be_kept_for_how_long_and_at_what_cost(world: World, app: Path) -> None:
    holds, words = promise(world, "git reset --hard HEAD~1", app)
    assert holds
    assert words.startswith("can be undone for 14 days: keeps every ref of app (1), its index and 2 files that git ")
    assert words.endswith(" kB")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("kubectl delete namespace prod", "no undo: nothing here takes back that it "),
        ("rm -rf $SOMEWHERE/x", "no undo: not kept: it deletes files at a path that is not known"),
        ("git status", ""),
        ("rm -rf /", "no undo: it touches Askfirst's own state, of which no snapshot can be made"),
    ],
)
def test_what_cannot_be_kept_is_said_plainly(world: World, app: Path, command: str, words: str) -> None:
    holds, said = promise(world, command, app)
    assert (holds, said.startswith(words), bool(said)) == (False, True, bool(words))


def test_what_is_kept_in_part_says_what_is_missing(world: World, app: Path) -> None:
    holds, words = promise(world, "git reset --hard HEAD~1; kubectl delete namespace prod", app)
    assert holds
    assert words.startswith("can be undone in part for 14 days: ")
    assert "; but nothing here takes back that it " in words


@pytest.mark.parametrize("config", [UndoConfig(snapshot_max_bytes=10_000)])
def test_over_the_limit_there_is_plainly_no_undo_and_what_people_approve_so_is_released(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/big").write_bytes(os.urandom(50_000))
    rescue = world.caught("rm -rf data", tmp_path)
    assert world.request.promise.words == "no undo: it is more than the 10.0 kB that a snapshot may hold"
    assert (rescue.snapshot, rescue.words) == ("", world.request.promise.words)
    assert world.keeper.trash.every() == []


@pytest.mark.parametrize("config", [UndoConfig(entries_max=10)])
def test_too_many_files_are_no_undo(world: World, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for number in range(20):
        (tmp_path / f"data/{number}").touch()
    assert promise(world, "rm -rf data", tmp_path) == (
        False,
        "no undo: it is more than the 10 files that a snapshot may hold",
    )


@pytest.mark.parametrize("config", [UndoConfig(ignored_max_bytes=5_000)])
def test_ignored_files_beyond_their_limit_are_left_out_by_name_but_precious_ones_are_kept(
    world: World, app: Path
) -> None:
    (app / ".gitignore").write_text("node_modules/\n.env\ndata/\n", encoding="utf-8")
    git(app, "commit", "--quiet", "-am", "ignore")
    (app / "node_modules/x").mkdir(parents=True)
    (app / "node_modules/x/big").write_bytes(os.urandom(100_000))
    (app / ".env").write_text("KEY=1", encoding="utf-8")
    rescue = world.caught("git clean -fdx", app)
    assert "; but not kept: node_modules (more than 5.0 kB, ignored by git)" in rescue.words
    shell("git clean -fdxq", app)
    world.note(rescue.snapshot)
    world.undo(rescue.snapshot)
    assert (app / ".env").read_text(encoding="utf-8") == "KEY=1"
    assert not (app / "node_modules").exists()


def test_a_promise_that_cannot_be_kept_holds_the_command_back(world: World, app: Path) -> None:
    world.caught("git reset --hard HEAD~1", app)
    request = world.request
    (app / "new.txt").unlink()
    os.mkfifo(app / "new.txt")
    (app / "unreadable").mkdir(mode=0o000)
    limited = make_world(app.parent, UndoConfig(snapshot_max_bytes=100))
    with pytest.raises(RescueError, match="more than the 100 bytes that a snapshot may hold"):
        caught_again(limited, request)
    assert limited.keeper.trash.every() != []  # what was kept before is still there
    (app / "unreadable").chmod(0o700)


def test_where_the_configuration_says_so_it_is_released_with_a_note(world: World, app: Path) -> None:
    world.caught("git reset --hard HEAD~1", app)
    limited = make_world(app.parent, undo_config(RawUndo(when_it_fails="release", snapshot_max_mb=1)))
    (app / "big").write_bytes(os.urandom(2_000_000))
    assert caught_again(limited, world.request) == (
        "",
        "no undo: it is more than the 1.0 MB that a snapshot may hold",
    )


def caught_again(world: World, request: Request) -> tuple[str, str]:
    effects = world.effects(request.action.command, Path(request.action.cwd))
    rescue = asyncio.run(world.keeper.catch(request, request.action, effects))
    return rescue.snapshot, rescue.words


def test_newer_work_elsewhere_is_left_alone_and_in_the_same_place_is_put_aside(world: World, app: Path) -> None:
    git(app, "branch", "topic")
    rescue = world.run("git reset --hard HEAD~1", app)
    (app / "a.txt").write_text("newer work in the same file\n", encoding="utf-8")
    (app / "elsewhere.txt").write_text("newer, untracked\n", encoding="utf-8")
    newer = commit(app, "src/b.py", "newer commit\n")
    other = git(app, "commit-tree", "-m", "on topic", "-p", "topic", "topic^{tree}")
    git(app, "update-ref", "refs/heads/topic", other)
    preview = asyncio.run(world.keeper.preview(rescue.snapshot))
    assert "changed since: main" in preview.puts_aside
    assert "changed since: a.txt" in preview.puts_aside
    done = world.undo(rescue.snapshot)
    assert (app / "a.txt").read_text(encoding="utf-8") == "dirty\n"
    assert (app / "elsewhere.txt").read_text(encoding="utf-8") == "newer, untracked\n"
    assert git(app, "rev-parse", "topic") == other
    world.undo(done.aside, turn=1)
    assert (app / "a.txt").read_text(encoding="utf-8") == "newer work in the same file\n"
    assert git(app, "rev-parse", "main") == newer


def test_what_cannot_be_put_aside_is_not_touched(world: World, app: Path, tmp_path: Path) -> None:
    rescue = world.run("git reset --hard HEAD~1", app)
    (app / "a.txt").write_bytes(os.urandom(50_000))
    seen = repository(app)
    small = make_world(tmp_path, UndoConfig(snapshot_max_bytes=20_000))
    small.request = world.request
    with pytest.raises(RescueError, match="nothing was changed: what is there now cannot be put aside first"):
        small.undo(rescue.snapshot)
    assert repository(app) == seen
    assert len(small.keeper.trash.every()) == 1


def test_an_index_that_another_git_holds_stops_an_undo_without_a_trace(world: World, app: Path) -> None:
    rescue = world.run("git reset --hard HEAD~1", app)
    seen = repository(app)
    (app / ".git/index.lock").touch()
    with pytest.raises(RescueError, match=r"index\.lock"):
        world.undo(rescue.snapshot)
    (app / ".git/index.lock").unlink()
    assert repository(app) == seen


def test_the_state_folder_is_never_kept_and_nothing_that_holds_it_is_promised(world: World, tmp_path: Path) -> None:
    holds, words = promise(world, "rm -rf state", tmp_path)
    assert (holds, words) == (False, "no undo: it touches Askfirst's own state, of which no snapshot can be made")
    app = make_repository(tmp_path / "state/app")
    assert promise(world, "git clean -fdx", app)[0]


def test_a_state_folder_inside_a_work_tree_is_left_out(tmp_path: Path) -> None:
    app = make_repository(tmp_path / "app")
    (app / "new.txt").write_text("new\n", encoding="utf-8")
    world = make_world(app)
    rescue = world.run("rm -f new.txt; git clean -fd -e state", app)
    world.undo(rescue.snapshot)
    assert (app / "new.txt").read_text(encoding="utf-8") == "new\n"
    [about, _] = world.keeper.trash.every()
    assert about.size_bytes < 10_000


def test_snapshots_end_with_their_time_and_the_oldest_make_room(tmp_path: Path) -> None:
    world = make_world(tmp_path, UndoConfig(total_max_bytes=120_000, keep_ms=1000_000))
    (tmp_path / "data").mkdir()
    made = []
    for number in range(4):
        (tmp_path / "data/f").write_bytes(os.urandom(50_000))
        made.append(world.run("rm -rf data/f", tmp_path).snapshot)
        world.clock.advance(number + 1)
    assert [about.id for about in world.keeper.trash.every()] == made[1:]  # room is made before the next one
    world.clock.advance(1000)
    assert [about.id for about in world.keeper.trash.age()] == made[1:]
    assert world.keeper.trash.every() == []


def test_hidden_refs_go_with_their_snapshot_and_only_they(world: World, app: Path) -> None:
    git(app, "update-ref", "refs/askfirst-of-another/tool", "HEAD")
    first = world.run("git reset --hard HEAD", app)
    second = world.run("git reset --hard HEAD", app)
    world.keeper.trash.purge(first.snapshot)
    kept = [name for name in git(app, "for-each-ref", "--format=%(refname)").splitlines() if "askfirst" in name]
    assert all(second.snapshot in name or name == "refs/askfirst-of-another/tool" for name in kept)
    assert len(kept) >= 2


def test_commits_survive_a_deleted_hidden_ref_and_a_prune_where_the_risk_is_critical(
    world: World, app: Path, tmp_path: Path
) -> None:
    git(tmp_path, "init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    git(app, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(app, "push", "--quiet", "origin", "main")
    lost = git(app, "rev-parse", "HEAD")
    rescue = world.run("git reset -q --hard HEAD~1; git push -q --force origin main", app)
    shell("git for-each-ref --format='delete %(refname)' refs/askfirst | git update-ref --stdin", app)
    shell("git reflog expire --expire=now --all; git gc -q --prune=now", app)
    world.undo(rescue.snapshot)
    assert git(app, "rev-parse", "main") == lost
    assert git(app, "fsck", "--strict") == ""


def test_a_link_that_an_agent_puts_in_the_way_leads_nowhere(world: World, app: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.py").write_text("not yours\n", encoding="utf-8")
    (app / "src/b.py").write_text("mine\n", encoding="utf-8")
    rescue = world.run("rm -rf src", app)
    (app / "src").symlink_to(outside)
    world.undo(rescue.snapshot)
    assert (outside / "b.py").read_text(encoding="utf-8") == "not yours\n"
    assert (app / "src/b.py").read_text(encoding="utf-8") == "mine\n"
    assert not (app / "src").is_symlink()


def test_a_file_whose_time_and_size_were_faked_is_put_back_all_the_same(world: World, tmp_path: Path) -> None:
    (tmp_path / "f").write_text("precious", encoding="utf-8")
    rescue = world.run("cp f g; printf 12345678 > f; touch -r g f; rm -f g", tmp_path)
    assert (tmp_path / "f").stat().st_size == 8
    world.undo(rescue.snapshot)
    assert (tmp_path / "f").read_text(encoding="utf-8") == "precious"


def test_a_repository_that_is_corrupt_is_said_to_be_unreadable(world: World, app: Path) -> None:
    (app / ".git/HEAD").write_text("nonsense\n", encoding="utf-8")
    holds, words = promise(world, "git reset --hard", app)
    assert not holds
    assert words.startswith(f"no undo: the repository at {app} cannot be read: ")


def test_a_path_that_no_system_takes_is_no_undo_and_no_crash(world: World, app: Path) -> None:
    world.caught("git status", app)
    action = replace(world.request.action, tool="Write", arguments={"file_path": "/tmp/a\0b", "content": "x"})
    assert asyncio.run(world.keeper.foresee(action, ())).words.startswith("no undo: ")


def test_folders_without_an_end_are_no_undo_and_no_crash(world: World, tmp_path: Path) -> None:
    shell("for i in {1..40}; do d=$(printf 'd%.0s' {1..200}); mkdir $d; cd $d; done", tmp_path)
    holds, words = promise(world, "rm -rf d*", tmp_path)
    assert holds
    rescue = world.run("rm -rf d*", tmp_path)
    world.undo(rescue.snapshot)
    assert world.keeper.trash.about(rescue.snapshot).entries == 40, words
    shell("rm -rf d*", tmp_path)


def test_empty_folders_alone_come_back(world: World, app: Path, tmp_path: Path) -> None:
    (app / "empty/deep").mkdir(parents=True)
    git(app, "checkout", "--quiet", "a.txt")
    (app / "new.txt").unlink()
    for command, cwd in (("git clean -fdq -e x", app), ("rm -rf app/empty", tmp_path)):
        rescue = world.run(command, cwd)
        assert not (app / "empty").exists()
        world.undo(rescue.snapshot)
        assert (app / "empty/deep").is_dir()


@pytest.mark.parametrize("name", ["", "../../etc", "x", "01J9F2" * 5, "/"])
def test_no_name_leads_out_of_the_trash(world: World, name: str) -> None:
    for act in (world.keeper.trash.about, world.keeper.trash.purge, world.keeper.trash.holding):
        with pytest.raises(RescueError, match="there is no snapshot"):
            act(name)


def test_two_snapshots_of_one_repository_at_once_do_not_disturb_each_other(world: World, app: Path) -> None:
    before = repository(app)
    world.caught("git reset --hard HEAD~1", app)
    request, effects = world.request, world.effects("git reset --hard HEAD~1", app)

    async def both() -> list[str]:
        made = await asyncio.gather(*(world.keeper.catch(request, request.action, effects) for _ in range(4)))
        return [each.snapshot for each in made]

    made = asyncio.run(both())
    assert len(set(made)) == 4
    shell("git reset -q --hard HEAD~1", app)
    world.undo(made[2])
    assert repository(app) == before


def test_outside_of_every_repository_no_git_is_started(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # no git is found there
    assert promise(world, "git push --force origin main", tmp_path) == (
        False,
        "no undo: what is overwritten on origin is not kept: it is not on this machine",
    )


@pytest.mark.parametrize("mark", [".git", "HEAD"])
def test_where_a_repository_may_be_git_is_asked(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / mark).touch()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    holds, words = promise(world, "git push --force origin main", inner)
    assert not holds
    assert words.startswith("no undo: git cannot be run in")


@pytest.mark.parametrize("name", ["plain", "two\nlines", "three\n\nlines\n"])
def test_a_repository_comes_back_whatever_its_folder_is_called(world: World, tmp_path: Path, name: str) -> None:
    folder = make_repository(tmp_path / name)
    (folder / "a.txt").write_text("dirty\n", encoding="utf-8")
    snapshot = world.run("git reset --hard", folder).snapshot
    world.undo(snapshot)
    assert (folder / "a.txt").read_text(encoding="utf-8") == "dirty\n"
