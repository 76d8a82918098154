"""Hidden refs ``refs/askfirst/KEY/…``: they hold every commit that a ref, HEAD, a stash entry or a state file names."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from askfirst.errors import RescueError
from askfirst.net.plumbing import Git
from askfirst.net.pouch import opened

if TYPE_CHECKING:
    from askfirst.net.pouch import Pouch
    from askfirst.net.shot import Shot

PINS: Final = "refs/askfirst/"
_PINS_MAX: Final = 20_000
_OBJECT_ID: Final = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b")
_STATE_MAX_BYTES: Final = 100_000


def pin(git: Git, shot: Shot, pouch: Pouch) -> None:
    """Hold every commit that something of this repository names now."""
    wanted = {name.removeprefix("refs/"): object_id for name, object_id in shot.refs.items()}
    if not shot.head.startswith("ref: "):
        wanted["at/head"] = shot.head
    wanted |= {f"entry/{number}": each for number, each in enumerate(sorted(_named(shot, pouch)))}
    distinct: dict[str, str] = {}
    for name, object_id in wanted.items():
        distinct.setdefault(object_id, name)
    pouch.note_pins(git.git_dir, shot.pins)
    present = git.has(distinct)
    if len(present) > _PINS_MAX:
        raise RescueError(f"{len(present):,} refs are more than the {_PINS_MAX:,} that a snapshot may hold")
    lines = (f"update {shot.pins}{distinct[each]} {each}\n" for each in present)
    git.run("update-ref", "--stdin", "--no-deref", stdin=os.fsencode("".join(lines)))


def bundled(git: Git, shot: Shot, pouch: Pouch) -> Shot:
    """The same with a bundle of every commit that the hidden refs hold, unless it would be too large."""
    counts = dict(line.split(": ", 1) for line in git.text("count-objects", "-v").splitlines())
    size = (int(counts.get("size", "0")) + int(counts.get("size-pack", "0"))) * 1024
    if size > pouch.left_bytes() or not git.run("for-each-ref", "--count=1", shot.pins):
        return shot
    name = pouch.keep_bytes(b"")
    git.run("bundle", "create", "--quiet", pouch.path(name), f"--glob={shot.pins}*")
    pouch.count(os.path.getsize(pouch.path(name)), entries=0)
    return replace(shot, bundle=name)


def unpin(git_dir: str, prefix: str) -> None:
    """Let go of the hidden refs below a prefix; a repository that is gone has none."""
    if not os.path.isdir(git_dir):
        return
    git = Git(git_dir=git_dir)
    assert prefix.startswith(PINS)
    assert prefix != PINS
    names = git.run("for-each-ref", "--format=%(refname)", prefix).splitlines()
    git.run("update-ref", "--stdin", "--no-deref", stdin=b"".join(b"delete %s\n" % name for name in names))


def _named(shot: Shot, pouch: Pouch) -> set[str]:
    """Object ids in the state files, and in the stash's log."""
    found: set[str] = set()
    for tree in (shot.own, shot.shared):
        for item in tree.items:
            is_log = item.name.startswith("logs/")
            if item.stored and item.size <= _STATE_MAX_BYTES and (not is_log or item.name == "logs/refs/stash"):
                with opened(pouch.path, item.stored) as (source, start):
                    found |= set(_OBJECT_ID.findall(os.pread(source, item.size, start).decode("ascii", "replace")))
    return {each for each in found if each.strip("0")}
