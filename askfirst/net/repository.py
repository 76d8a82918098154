"""A repository as a value: refs, HEAD, index, the state files of merges and rebases, and what only the work tree holds.

- Files that equal what the index names are not copied: git holds them, and hidden refs hold the commits.
- Files that are changed, flagged (skip-worktree, assume-unchanged), converted on their way in (line ends, encodings,
  filters such as LFS), untracked or ignored are copied as they lie there, byte for byte. They go to the trash and not
  into objects of the repository, so that no push ever publishes them and no filter ever sees them.
- What only the index holds (staged content, stages of a conflict) goes to the trash as a pack.
- Hidden refs ``refs/askfirst/KEY/…`` hold every commit that a ref, HEAD, a stash entry or a state file names.

From: gitrepository-layout(5), git-update-index(1), gitattributes(5).
"""

from __future__ import annotations

import collections
import fnmatch
import os
import re
import stat
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from askfirst.errors import RescueError
from askfirst.net.folder import Folder
from askfirst.net.plumbing import Git, locate
from askfirst.net.pouch import in_words, opened
from askfirst.net.tree import Tree, take
from askfirst.shell.precious import is_precious, is_regenerable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from askfirst.net.pouch import Pouch

PINS: Final = "refs/askfirst/"
_LOCK_PATIENCE_S: Final = 5.0
_PINS_MAX: Final = 20_000
OWN: Final = (
    "MERGE_*", "AUTO_MERGE", "CHERRY_PICK_HEAD", "REVERT_HEAD", "REBASE_HEAD", "ORIG_HEAD", "FETCH_HEAD", "SQUASH_MSG",
    "BISECT_*", "rebase-merge", "rebase-apply", "sequencer", "logs", "config.worktree", "commondir", "gitdir", "locked",
    "HEAD",
)  # fmt: skip
LIST_ENTRIES: Final = ("ls-files", "-s", "-v", "-z")
SHARED: Final = ("config", "logs", "info", "shallow")
_CONVERTING: Final = ("text", "eol", "crlf", "ident", "filter", "working-tree-encoding")
_WITH_ATTRIBUTES: Final = f":(exclude,attr:{' '.join(f'!{each}' for each in _CONVERTING)})"
"""All but the files of which no such attribute is specified, gitglossary(7)."""
GITLINK: Final = "160000"
SYMLINK: Final = "120000"
_OBJECT_ID: Final = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b")
_STATE_MAX_BYTES: Final = 100_000
_BLOB_AT: Final = len("100644 blob ")


class Entry(NamedTuple):
    """One entry of an index; there may be a hundred thousand, which a frozen dataclass takes four times as long for."""

    tag: str
    mode: str
    object_id: str
    stage: str
    name: str

    @property
    def is_plain(self) -> bool:
        """Whether the work tree is expected to hold just this."""
        return self.tag in {"H", "C", "R"} and self.stage == "0" and self.mode != GITLINK


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """A repository as it was.

    Attributes:
        git_dir: of the work tree.
        common_dir: that all its work trees share.
        work_tree: ``""`` for a bare one, and where only refs were to be kept.
        head: what HEAD held: ``ref: refs/heads/main``, or a commit id.
        refs: name to object id, hidden ones left out.
        symbolic: name to the name it points to.
        index: name of its copy in the pouch, ``""`` where there was none.
        own: state files of this work tree.
        shared: state files of all.
        work: what only the work tree held.
        modes: permissions of files and folders that git holds, where they are not ``usual_modes``.
        usual_modes: of plain files, of executable ones, and of folders.
        left_out: names below the work tree that were not kept, each with words for people; ``""``: our own state.
        objects: name of a pack with what nothing but the index refers to, ``""`` for none.
        bundle: name of a bundle with every commit, ``""`` for none.
        pins: the prefix of its hidden refs, ``""`` for none.
        submodules: repositories in it, as they were.
    """

    git_dir: str
    common_dir: str
    work_tree: str
    head: str
    refs: Mapping[str, str]
    symbolic: Mapping[str, str] = field(default_factory=dict)
    index: str = ""
    own: Tree
    shared: Tree
    work: Tree
    modes: Mapping[str, int] = field(default_factory=dict)
    usual_modes: tuple[int, int, int] = (0o644, 0o755, 0o755)
    left_out: Mapping[str, str] = field(default_factory=dict)
    objects: str = ""
    bundle: str = ""
    pins: str = ""
    submodules: tuple[Shot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How a repository is to be kept.

    Attributes:
        key: of its hidden refs.
        ignored_max_bytes: what ignored files may add.
        prunes: keep what nothing refers to as well.
        bundles: keep every commit out of the repository as well.
        refs_only: leave the work tree alone: it is the far end of a push.
        skips: absolute paths that are never kept: our own.
    """

    key: str
    ignored_max_bytes: int
    prunes: bool = False
    bundles: bool = False
    refs_only: bool = False
    skips: frozenset[str] = frozenset()


def shoot(git: Git, pouch: Pouch, wish: Wish) -> Shot:
    """The repository as it is now; its hidden refs are made, unless this is a forecast.

    Raises:
        RescueError: it cannot be read, is in use, or is more than a snapshot may hold.
    """
    common = git.text("rev-parse", "--path-format=absolute", "--git-common-dir")
    if not pouch.is_forecast:
        _await_lock(git)
    refs, symbolic = read_refs(git)
    head = read_head(git)
    own = _state(git.git_dir, own_patterns(git.git_dir, common), pouch)
    shared = _state(common, SHARED, pouch)
    work_tree = "" if wish.refs_only else git.work_tree
    index, entries = _index(git, pouch) if work_tree else ("", [])
    kept, left_out, modes, usual = _work(git, entries, pouch, wish) if work_tree else (Tree(root=""), {}, {}, (0, 0, 0))
    subs = tuple(shoot(each, pouch, wish) for each in submodules(work_tree, entries))
    shot = Shot(
        git_dir=git.git_dir,
        common_dir=common,
        work_tree=work_tree,
        head=head,
        refs=refs,
        symbolic=symbolic,
        index=index,
        own=own,
        shared=shared,
        work=kept,
        modes=modes,
        usual_modes=usual,
        left_out=left_out,
        pins="" if pouch.is_forecast else f"{PINS}{wish.key}/",
        submodules=subs,
        objects=_objects(git, entries, pouch, prunes=wish.prunes) if not pouch.is_forecast else "",
    )
    if pouch.is_forecast:
        return shot
    _pin(git, shot, pouch)
    return _bundled(git, shot, pouch) if wish.bundles else shot


def _await_lock(git: Git) -> None:
    """Let a git that holds the index finish.

    Raises:
        RescueError: it does not.
    """
    lock = os.path.join(git.git_dir, "index.lock")
    until = time.monotonic() + _LOCK_PATIENCE_S
    while os.path.lexists(lock):
        if time.monotonic() > until:
            raise RescueError(f"another git process holds {lock}; if none runs, remove that file")
        time.sleep(0.05)


def read_refs(git: Git) -> tuple[dict[str, str], dict[str, str]]:
    """Every ref but the hidden ones: (name to object id, name to the ref it points to)."""
    lines = git.run("for-each-ref", "--format=%(objectname) %(refname) %(symref)").splitlines()
    parts = [os.fsdecode(line).split(" ") for line in lines]
    found = [(name, oid, symref) for oid, name, symref in parts if not name.startswith(PINS)]
    return {name: oid for name, oid, symref in found if not symref}, {n: symref for n, _, symref in found if symref}


def read_head(git: Git) -> str:
    """What HEAD holds: ``ref: refs/heads/main``, or a commit id."""
    branch = git.text("symbolic-ref", "--quiet", "HEAD", codes=(0, 1))
    return f"ref: {branch}" if branch else git.text("rev-parse", "--verify", "HEAD")


def state_names(root: str, patterns: Iterable[str]) -> list[str]:
    """The state files that are there now."""
    try:
        names = os.listdir(root)
    except FileNotFoundError:
        return []
    return sorted(name for name in names if any(fnmatch.fnmatchcase(name, each) for each in patterns))


def own_patterns(git_dir: str, common_dir: str) -> tuple[str, ...]:
    """Names of the state files of one work tree: the main one's logs are those of all."""
    return tuple(each for each in OWN if each != "logs") if git_dir == common_dir else OWN


def _state(root: str, patterns: tuple[str, ...], pouch: Pouch) -> Tree:
    with Folder(root) as folder:
        return take(folder, state_names(root, patterns), pouch)


def read_entries(git: Git) -> list[Entry]:
    """The entries of the index."""
    entries = []
    for line in git.fields(*LIST_ENTRIES):
        head, _, name = line.partition("\t")
        tag, mode, object_id, stage = head.split(" ")
        entries.append(Entry(tag, mode, object_id, stage, name))
    return entries


def _index(git: Git, pouch: Pouch) -> tuple[str, list[Entry]]:
    """The name of a copy of the index, whole in itself, and its entries."""
    try:
        with Folder(git.git_dir) as folder, folder.reading("index") as source:
            stored, _ = pouch.keep(source, apart=True)
    except FileNotFoundError:
        return "", read_entries(git)
    except OSError as error:
        raise RescueError(f"the index of {git.git_dir} cannot be read: {error.strerror or error}") from error
    if pouch.is_forecast:
        return stored, read_entries(git)
    copy = replace(git, index=pouch.path(stored))
    if any(name.startswith("sharedindex.") for name in os.listdir(git.git_dir)):
        copy.run("update-index", "--no-split-index")
    return stored, read_entries(copy)


def _work(
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
    sizes = object_sizes(git, [each.object_id for each in watched])
    return filtered | {
        each.name
        for each in watched
        if (there := found.get(each.name)) is not None and there.st_size != sizes.get(each.object_id)
    }


def object_sizes(git: Git, object_ids: list[str]) -> dict[str, int]:
    """Object id to its size in bytes, of those that are there."""
    asked = "".join(f"{each}\n" for each in dict.fromkeys(object_ids))
    if not asked:
        return {}
    lines = git.run("cat-file", "--batch-check=%(objectname) %(objectsize)", "--buffer", stdin=asked.encode())
    pairs = (line.split(" ") for line in lines.decode().splitlines())
    return {name: int(size) for name, size in pairs if size.isdigit()}


def lineage(folder: str) -> list[str]:
    """A folder and those that it lies in, outermost first; none for ``""``."""
    steps = folder.split("/") if folder else []
    return ["/".join(steps[: number + 1]) for number in range(len(steps))]


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


def submodules(work_tree: str, entries: list[Entry]) -> list[Git]:
    """Repositories that are checked out at the gitlinks of an index."""
    found = []
    for path in (os.path.join(work_tree, each.name) for each in entries if each.mode == GITLINK):
        if os.path.lexists(os.path.join(path, ".git")):
            git = locate(path)
            if git is not None and os.path.realpath(git.work_tree) == os.path.realpath(path):
                found.append(git)
    return found


def _objects(git: Git, entries: list[Entry], pouch: Pouch, *, prunes: bool) -> str:
    """The name of a pack with what only the index refers to, and with ``prunes`` what nothing does."""
    wanted = _staged(git, entries) if entries else set()
    if prunes:
        wanted |= _unreachable(git)
    if not wanted:
        return ""
    names = "".join(f"{each}\n" for each in sorted(git.has(sorted(wanted))))
    return pouch.keep_bytes(git.run("pack-objects", "--stdout", "-q", stdin=names.encode()))


def _staged(git: Git, entries: list[Entry]) -> set[str]:
    """Blobs of the index that HEAD's tree does not have at their place."""
    blobs = {each.name: each.object_id for each in entries if each.mode != GITLINK}
    everything = {each.object_id for each in entries if each.mode != GITLINK}
    tip = git.text("rev-parse", "--verify", "--quiet", "HEAD^{tree}", codes=(0, 1))
    if not tip:
        return everything
    lines = (line.partition("\t") for line in git.fields("ls-tree", "-r", "-z", tip))
    held = {blob for meta, _, name in lines if blobs.get(name) == (blob := meta[_BLOB_AT:])}
    return everything - held


def _unreachable(git: Git) -> set[str]:
    """Everything that no ref leads to."""
    every = git.run("cat-file", "--batch-all-objects", "--batch-check=%(objectname)", "--unordered").decode()
    return set(every.split()) - set(git.run("rev-list", "--objects", "--no-object-names", "--all").decode().split())


def _pin(git: Git, shot: Shot, pouch: Pouch) -> None:
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


def _bundled(git: Git, shot: Shot, pouch: Pouch) -> Shot:
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
