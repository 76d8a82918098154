"""What only a work tree holds, and which permissions it has: what git could not give back.

- Files that equal what the index names are not copied: git holds them.
- Files that are changed, flagged (skip-worktree, assume-unchanged), converted on their way in (line ends, encodings,
  filters such as LFS), untracked or ignored are copied as they lie there, byte for byte.

From: git-update-index(1), gitattributes(5).
"""

from __future__ import annotations

import collections
import os
import stat
from typing import TYPE_CHECKING, Final

from askfirst.net.folder import Folder
from askfirst.net.index import GITLINK, SYMLINK
from askfirst.net.pouch import in_words
from askfirst.net.tree import Tree, take
from askfirst.shell.precious import is_precious, is_regenerable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from askfirst.net.index import Entry
    from askfirst.net.plumbing import Git
    from askfirst.net.pouch import Pouch
    from askfirst.net.shot import Wish

_CONVERTING: Final = ("text", "eol", "crlf", "ident", "filter", "working-tree-encoding")
_WITH_ATTRIBUTES: Final = f":(exclude,attr:{' '.join(f'!{each}' for each in _CONVERTING)})"
"""All but the files of which no such attribute is specified, gitglossary(7)."""


def keep_work(
    git: Git, entries: list[Entry], pouch: Pouch, wish: Wish
) -> tuple[Tree, dict[str, str], dict[str, int], tuple[int, int, int]]:
    """What only the work tree holds: (kept, left out, unusual modes, usual modes)."""
    with Folder(git.work_tree) as folder:
        found = folder.look_at(each.name for each in entries if each.mode != GITLINK)
        changed = set(changed_names(git))
        flagged = {e.name for e in entries if not e.is_plain and found.get(e.name) is not None}
        converted = _converted(git, [e for e in entries if e.is_plain and e.name not in changed], found)
        loose = [name.rstrip("/") for name in git.fields("ls-files", "--others", "--directory", "-z")]
        left_out = _too_much(git, folder, loose, wish)
        left_out |= {
            os.path.relpath(each, git.work_tree): "" for each in wish.skips if each.startswith(f"{git.work_tree}/")
        }
        linked = [".git"] if os.path.isfile(os.path.join(git.work_tree, ".git")) else []
        tops = [*linked, *sorted(changed | flagged | converted), *(name for name in loose if name not in left_out)]
        kept = take(folder, tops, pouch, skips=frozenset(left_out))
        parents = {each.name.rpartition("/")[0] for each in entries}
        above = {each for parent in parents for each in lineage(parent)}
        modes, usual = _modes(entries, found, folder.look_at(sorted(above)))
    return kept, left_out, modes, usual


def changed_names(git: Git) -> list[str]:
    """Tracked names whose file is not what the index says, or is missing."""
    records = git.fields(
        "status", "--porcelain=v2", "-z", "--no-renames", "--untracked-files=no", "--ignore-submodules=all"
    )
    changed = []
    for record in records:
        parts = record.split(" ", 10 if record.startswith("u") else 8)
        if record.startswith("u") or (record.startswith("1") and parts[1][1] != "."):
            changed.append(parts[-1])
    return changed


def lineage(folder: str) -> list[str]:
    """A folder and those that it lies in, outermost first; none for ``""``."""
    steps = folder.split("/") if folder else []
    return ["/".join(steps[: number + 1]) for number in range(len(steps))]


def _converted(git: Git, entries: list[Entry], found: Mapping[str, os.stat_result | None]) -> set[str]:
    """Names of clean files whose bytes are not those of the object that the index names."""
    always = git.text("config", "--get", "core.autocrlf", codes=(0, 1)) not in {"", "false"}
    attributed = set(git.fields("ls-files", "-z", "--", _WITH_ATTRIBUTES))
    names = "".join(f"{each.name}\0" for each in entries if each.name in attributed)
    told = git.fields("check-attr", "-z", "--stdin", *_CONVERTING, stdin=os.fsencode(names)) if names else []
    triples = zip(told[::3], told[1::3], told[2::3], strict=False)
    set_ = {(name, attribute) for name, attribute, value in triples if value not in {"unspecified", "unset"}}
    filtered = {name for name, attribute in set_ if attribute == "filter"}
    suspects = {name for name, _ in set_} - filtered
    watched = [e for e in entries if e.mode != SYMLINK and (always or e.name in suspects)]
    sizes = _object_sizes(git, [each.object_id for each in watched])
    return filtered | {
        each.name
        for each in watched
        if (there := found.get(each.name)) is not None and there.st_size != sizes.get(each.object_id)
    }


def _object_sizes(git: Git, object_ids: list[str]) -> dict[str, int]:
    """Object id to its size in bytes, of those that are there."""
    asked = "".join(f"{each}\n" for each in dict.fromkeys(object_ids))
    if not asked:
        return {}
    lines = git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", "--buffer", stdin=asked.encode())
    pairs = (line.split(" ") for line in lines.decode().splitlines())
    return {name: int(size) for name, size in pairs if size.isdigit()}


def _modes(
    entries: list[Entry],
    found: Mapping[str, os.stat_result | None],
    above: Mapping[str, os.stat_result | None],
) -> tuple[dict[str, int], tuple[int, int, int]]:
    """Permissions that git does not know: (by name where unusual, the usual ones)."""
    plain: dict[str, int] = {}
    executable: dict[str, int] = {}
    for each in entries:
        there = found.get(each.name)
        if each.is_plain and there is not None and stat.S_ISREG(there.st_mode):
            (executable if each.mode == "100755" else plain)[each.name] = stat.S_IMODE(there.st_mode)
    folders = {name: stat.S_IMODE(there.st_mode) for name, there in above.items() if there is not None}
    groups = (plain, executable, folders)
    usual = (_most(plain.values(), 0o644), _most(executable.values(), 0o755), _most(folders.values(), 0o755))
    odd = {n: mode for group, common in zip(groups, usual, strict=True) for n, mode in group.items() if mode != common}
    return odd, usual


def _most(values: Iterable[int], default: int) -> int:
    common = collections.Counter(values).most_common(1)
    return common[0][0] if common else default


def _too_much(git: Git, folder: Folder, loose: list[str], wish: Wish) -> dict[str, str]:
    """Ignored names that are left out, each with a sentence: what tools rebuild goes first, what is precious stays."""
    if not loose:
        return {}
    listed = git.fields("ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z")
    ignored = [name.rstrip("/") for name in listed]
    sizes = {name: _size(folder, name, wish.ignored_max_bytes) for name in ignored}
    left = wish.ignored_max_bytes
    out: dict[str, str] = {}
    for name in sorted(ignored, key=lambda name: (_rank(name), sizes[name], name)):
        left -= sizes[name]
        if left < 0:
            more = "more than " if sizes[name] > wish.ignored_max_bytes else ""
            out[name] = f"{name} ({more}{in_words(min(sizes[name], wish.ignored_max_bytes))}, ignored by git)"
    return out


def _rank(name: str) -> int:
    last = name.rpartition("/")[2]
    return 0 if is_precious(last) else 2 if is_regenerable(last, certain=True) else 1


def _size(folder: Folder, top: str, enough: int) -> int:
    """Bytes below a name; it is not counted much further than ``enough``."""
    pending, size = [top], 0
    while pending and size <= enough:
        name = pending.pop()
        try:
            found = folder.look(name)
            if found is not None and stat.S_ISDIR(found.st_mode):
                pending += folder.paths(name)
            elif found is not None:
                size += min(found.st_size, found.st_blocks * 512)
        except OSError:
            return enough + 1
    return size
