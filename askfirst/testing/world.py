"""An agent whose commands really run, over a net that really keeps; and what a folder is, to the last bit."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.analyst import DiskAnalyst
from askfirst.call import ToolCall
from askfirst.clock import new_id
from askfirst.host import Agent
from askfirst.net.keeper import Keeper
from askfirst.net.trash import Trash
from askfirst.request import Request
from askfirst.rescue import Order, Rescue, Undoing
from askfirst.testing.bench import FakeClock, a_draft, a_request
from askfirst.testing.repositories import git
from askfirst.undo_config import UndoConfig

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from askfirst.effects import Effect


ENVIRON = {
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_EDITOR": "true",
    **{f"GIT_{r}_{p}": v for r in ("AUTHOR", "COMMITTER") for p, v in (("NAME", "Ada"), ("EMAIL", "ada@example.com"))},
}


def shell(command: str, cwd: Path, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    """What the host would do once the gate says yes."""
    return subprocess.run(
        ["bash", "-c", command],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **ENVIRON},
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=check,
        umask=0o022,
    )


@dataclass
class World:
    """A net, and an agent that runs commands under it."""

    keeper: Keeper
    clock: FakeClock
    analyst: DiskAnalyst = field(default_factory=DiskAnalyst)
    request: Request = field(default_factory=lambda: a_request(a_draft()))

    def caught(self, command: str, cwd: Path) -> Rescue:
        """What is kept before this command runs."""
        call = ToolCall(tool="Bash", arguments={"command": command}, cwd=str(cwd))
        found = self.analyst.classify(call)
        action = self.analyst.resolve(call, Agent(host="claude-code", session="s"))
        promise = asyncio.run(self.keeper.foresee(action, found.effects))
        made = a_request(a_draft(key=new_id()))
        self.request = Request(
            **{**{n: getattr(made, n) for n in made.__slots__}, "action": action, "promise": promise}
        )
        return asyncio.run(self.keeper.catch(self.request, action, found.effects))

    def effects(self, command: str, cwd: Path) -> tuple[Effect, ...]:
        """What the gate finds in this command."""
        return self.analyst.classify(ToolCall(tool="Bash", arguments={"command": command}, cwd=str(cwd))).effects

    def run(self, command: str, cwd: Path, *, reports: bool = True) -> Rescue:
        """Keep, run for real, and report."""
        rescue = self.caught(command, cwd)
        shell(command, cwd)
        if reports and rescue.snapshot:
            self.note(rescue.snapshot)
        return rescue

    def note(self, snapshot: str) -> None:
        """The host reports that the command has ended."""
        asyncio.run(self.keeper.ran(snapshot))

    def undo(self, snapshot: str, turn: int = 0) -> Undoing:
        """Put a snapshot back."""
        order = Order(request_id=self.request.id, snapshot=snapshot, turn=turn, by="local:ann", channel="web")
        done = asyncio.run(self.keeper.restore(order))
        asyncio.run(self.keeper.settled(order))
        return done

    def undo_if_changed(self, snapshot: str) -> None:
        """Put it back, unless the command has changed nothing."""
        if asyncio.run(self.keeper.preview(snapshot)).restores:
            self.undo(snapshot)


def files(folder: Path) -> dict[str, tuple[object, ...]]:
    """Every name below a folder with kind, mode, content, and the time of files; what git keeps for itself left out."""
    found: dict[str, tuple[object, ...]] = {}
    for path in _below(os.fsencode(folder)):
        there = os.lstat(path)
        name = os.fsdecode(os.path.relpath(path, os.fsencode(folder)))
        if stat.S_ISDIR(there.st_mode):
            found[name] = ("folder", oct(there.st_mode))
        elif stat.S_ISLNK(there.st_mode):
            found[name] = ("link", os.readlink(path))
        else:
            with open(path, "rb") as file:
                found[name] = ("file", oct(there.st_mode), there.st_mtime_ns, file.read())
    return found


def _below(folder: bytes) -> Iterator[bytes]:
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name == b".git":
            continue
        yield path
        if os.path.isdir(path) and not os.path.islink(path):
            yield from _below(path)


def repository(folder: Path) -> dict[str, object]:
    """Everything that a person can see of a repository: status, refs, index, stashes, settings, files."""
    bare = git(folder, "rev-parse", "--is-bare-repository") == "true"
    seen: dict[str, object] = {
        "refs": [r for r in git(folder, "for-each-ref").splitlines() if "refs/askfirst/" not in r],
        "head": (folder / git(folder, "rev-parse", "--git-path", "HEAD")).read_text(encoding="utf-8"),
        "config": git(folder, "config", "--local", "--list"),
    }
    if bare:
        return seen
    return seen | {
        "status": git(folder, "status", "--porcelain=v2", "--branch", "--show-stash", "-z", "--ignored"),
        "index": git(folder, "ls-files", "-s", "-v", "-z"),
        "stashes": git(folder, "stash", "list", "--format=%H %gs"),
        "files": files(folder),
    }


def make_world(folder: Path, config: UndoConfig | None = None) -> World:
    """A net whose state lies in ``folder/state``, with a clock that stands still until told otherwise."""
    state = folder / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    clock, config = FakeClock(), config or UndoConfig()
    return World(keeper=Keeper(Trash(state / "trash", config, clock), config, clock, state=str(state)), clock=clock)
