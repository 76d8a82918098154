"""Files and folders as values, and their content in a snapshot's folder.

An ``Item`` is what lay at one name; a ``Tree`` is several below one folder, with names that were empty. The content of
files lies in numbered files of the snapshot, so that no name of the agent's choosing is ever a path of ours. Mode,
times and, where we may, owner and extended attributes come back with the content. Of what is neither file, folder nor
link (sockets, pipes, devices) only a pipe comes back.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from askfirst.errors import RescueError
from askfirst.net.content import clone, copy_content

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from askfirst.net.folder import Folder

Kind = Literal["file", "folder", "link", "pipe", "other"]
PINS_FILE: Final = "pins"
"""In a pouch: a line for each repository with hidden refs, ``["/srv/p/.git", "refs/askfirst/…/"]``."""
_OBJECTS: Final = "objects"
_OBJECT_NAME_CHARS: Final = 38
_COMPARED_BYTES: Final = 1 << 20
_BLOCK_BYTES: Final = 512  # of st_blocks, whatever the file system's own blocks are


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What lay at one name.

    Attributes:
        name: relative to the tree's folder, ``""`` for the folder itself.
        size: of a file, bytes.
        target: where a link points.
        stored: name of its content in the snapshot, ``""`` where it has none.
        xattrs: extended attributes in the ``user`` namespace, values in hexadecimal.
        ctime_ns: when it was last changed in any way, which nobody can set: while it is the same, so is the content.
    """

    name: str
    kind: Kind
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    size: int = 0
    target: str = ""
    stored: str = ""
    xattrs: Mapping[str, str] = field(default_factory=dict)
    ctime_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Items below one folder.

    Attributes:
        root: the folder, absolute.
        tops: the names that were looked at, each with everything below it.
        items: what was there, folders before what is in them.
    """

    root: str
    tops: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()

    def by_name(self) -> dict[str, Item]:
        """The items by name."""
        return {item.name: item for item in self.items}


class Pouch:
    """Where the content of one snapshot's files goes: counts them, and ends beyond its limits.

    Args:
        folder: of the snapshot, ours; None: only count, for a forecast.
        device: that the snapshot would lie on, for a forecast.
        max_bytes: of content together.
        max_entries: files and folders.
        seconds: from now on.
    """

    def __init__(
        self, folder: str | None, *, max_bytes: int, max_entries: int, seconds: float, device: int = 0
    ) -> None:
        self._folder = folder
        self._device = device
        self._max_bytes = max_bytes
        self._max_entries = max_entries
        self._until = time.monotonic() + seconds
        self._count = 0
        self.size_bytes = 0
        self.entries = 0

    def count(self, size_bytes: int, *, entries: int = 1) -> None:
        """So much more is kept.

        Raises:
            RescueError: that is beyond a limit; the sentence says which.
        """
        self.entries += entries
        self.size_bytes += size_bytes
        if self.size_bytes > self._max_bytes:
            raise RescueError(f"it is more than the {in_words(self._max_bytes)} that a snapshot may hold")
        if self.entries > self._max_entries:
            raise RescueError(f"it is more than the {self._max_entries:,} files that a snapshot may hold")
        if time.monotonic() > self._until:
            raise RescueError("keeping it takes too long")

    @property
    def is_forecast(self) -> bool:
        """Whether nothing is kept, only counted."""
        return self._folder is None

    def left_bytes(self) -> int:
        """How much more fits."""
        return max(0, self._max_bytes - self.size_bytes)

    def keep(self, source: int) -> str:
        """Keep the content of an open file; its name here."""
        found = os.fstat(source)
        size = min(found.st_size, found.st_blocks * _BLOCK_BYTES)
        name = self._next()
        if self._folder is None:
            self.count(size, entries=0)
            return name
        with open(os.path.join(self._folder, name), "xb", opener=_private) as file:
            if not clone(source, file.fileno()):
                self.count(size, entries=0)
                copy_content(source, file.fileno())
        return name

    def keep_link(self, source: int, descriptor: int, last: str) -> str:
        """The same by a hard link, which is for what nobody writes in place; a copy where none can be made."""
        if self._folder is None:
            return self._next() if os.fstat(source).st_dev == self._device else self.keep(source)
        name = self._next()
        path = os.path.join(self._folder, name)
        try:
            os.link(last, path, src_dir_fd=descriptor, follow_symlinks=False)
        except OSError:
            return self.keep(source)
        found = os.stat(path)
        if os.path.samestat(found, os.fstat(source)):
            return name
        os.unlink(path)
        return self.keep(source)

    def keep_bytes(self, content: bytes) -> str:
        """Keep these bytes; their name here."""
        self.count(len(content), entries=0)
        name = self._next()
        if self._folder is not None:
            with open(os.path.join(self._folder, name), "xb", opener=_private) as file:
                file.write(content)
        return name

    def note_pins(self, git_dir: str, prefix: str) -> None:
        """Write down which hidden refs are about to be made, so that none is left behind whatever happens."""
        assert self._folder is not None
        with open(os.path.join(self._folder, PINS_FILE), "a", encoding="ascii", opener=_private) as file:
            file.write(json.dumps([git_dir, prefix]) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def path(self, name: str) -> str:
        """Where content lies that was kept here."""
        assert self._folder is not None  # a forecast keeps nothing
        return os.path.join(self._folder, name)

    def _next(self) -> str:
        self._count += 1
        return str(self._count)


def take(folder: Folder, tops: Iterable[str], pouch: Pouch, *, skips: frozenset[str] = frozenset()) -> Tree:
    """What lies at these names, with everything below, its content in the pouch.

    Args:
        folder: what the names are relative to.
        tops: names; what is not there is remembered as empty.
        pouch: for the content.
        skips: names to leave out, with what is below.

    Raises:
        RescueError: it cannot be read, or is more than a snapshot may hold.
    """
    wanted = tuple(dict.fromkeys(tops))
    items: list[Item] = []
    try:
        for top in wanted:
            items += _below(folder, top, pouch, skips)
    except OSError as error:
        raise RescueError(f"{error.filename or folder.path} cannot be read: {error.strerror or error}") from error
    return Tree(root=folder.path, tops=wanted, items=tuple(items))


def _below(folder: Folder, top: str, pouch: Pouch, skips: frozenset[str]) -> Iterator[Item]:
    pending = [top]
    while pending:
        name = pending.pop()
        if name in skips:
            continue
        found = folder.look(name)
        if found is None:
            continue
        item = _item(folder, name, found, pouch)
        yield item
        if item.kind == "folder":
            pending += [f"{name}/{each}" if name else each for each in reversed(folder.names(name))]


def _item(folder: Folder, name: str, found: os.stat_result, pouch: Pouch) -> Item:
    kind = kind_of(found.st_mode)
    size = found.st_size if kind == "file" else 0
    pouch.count(0)
    target = stored = ""
    xattrs: dict[str, str] = {}
    if kind == "link":
        with folder.beside(name) as (descriptor, last):
            target = os.readlink(last, dir_fd=descriptor)
    elif kind == "file":
        with folder.reading(name) as source:
            stored = _stored(folder, name, source, pouch)
            xattrs = _xattrs(source)
    return Item(
        name=name,
        kind=kind,
        mode=stat.S_IMODE(found.st_mode),
        uid=found.st_uid,
        gid=found.st_gid,
        mtime_ns=found.st_mtime_ns,
        size=size,
        target=target,
        stored=stored,
        xattrs=xattrs,
        ctime_ns=found.st_ctime_ns,
    )


def _stored(folder: Folder, name: str, source: int, pouch: Pouch) -> str:
    """A hard link of git's own objects, which are never written in place; else a copy."""
    found = os.fstat(source)
    steps = name.split("/")
    if _OBJECTS not in steps[:-1] or found.st_mode & 0o222 or len(steps[-1]) < _OBJECT_NAME_CHARS:
        return pouch.keep(source)
    with folder.beside(name) as (descriptor, last):
        return pouch.keep_link(source, descriptor, last)


def kind_of(mode: int) -> Kind:
    """What ``st_mode`` says."""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISLNK(mode):
        return "link"
    return "pipe" if stat.S_ISFIFO(mode) else "other"


def is_as_kept(folder: Folder, item: Item, found: os.stat_result | None, path: Callable[[str], str]) -> bool:
    """Whether what lies there now is what was kept. Times can be set, so a file that was touched is compared whole.

    Raises:
        OSError: it cannot be read.
    """
    if not _looks_as_kept(item, found) or found is None:
        return False
    if item.kind != "file" or found.st_ctime_ns == item.ctime_ns:
        return True
    with folder.reading(item.name) as now, open(path(item.stored), "rb") as then:
        return _are_equal(now, then.fileno())


def _are_equal(first: int, second: int) -> bool:
    at = 0
    while True:
        mine, other = os.pread(first, _COMPARED_BYTES, at), os.pread(second, _COMPARED_BYTES, at)
        if mine != other or not mine:
            return mine == other
        at += len(mine)


def _looks_as_kept(item: Item, found: os.stat_result | None) -> bool:
    if found is None or kind_of(found.st_mode) != item.kind:
        return False
    if item.kind == "link":
        return found.st_mtime_ns == item.mtime_ns and found.st_size == len(os.fsencode(item.target))
    is_same_mode = stat.S_IMODE(found.st_mode) == item.mode
    if item.kind != "file":
        return is_same_mode
    return is_same_mode and (found.st_size, found.st_mtime_ns) == (item.size, item.mtime_ns)


def put(folder: Folder, item: Item, content: str) -> None:
    """Put one item back in place of whatever is there.

    Args:
        folder: what its name is relative to.
        item: what to make.
        content: where its bytes lie, for a file.

    Raises:
        RescueError: the content is no longer what was kept.
        OSError: it could not be written.
    """
    match item.kind:
        case "folder":
            with folder.inside(item.name, makes=True) as descriptor:
                os.fchmod(descriptor, stat.S_IMODE(os.fstat(descriptor).st_mode) | 0o700)
        case "link":
            folder.link(item.name, item.target)
            with folder.beside(item.name) as (descriptor, last):
                times = (item.mtime_ns, item.mtime_ns)
                os.utime(last, ns=times, dir_fd=descriptor, follow_symlinks=False)
        case "file":
            _put_file(folder, item, content)
        case "pipe":
            folder.remove(item.name)
            with folder.beside(item.name, makes=True) as (descriptor, last):
                os.mkfifo(last, item.mode, dir_fd=descriptor)
                os.utime(last, ns=(item.mtime_ns, item.mtime_ns), dir_fd=descriptor, follow_symlinks=False)
        case _:
            return


def _put_file(folder: Folder, item: Item, content: str) -> None:
    source = os.open(content, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(source)
        if found.st_size != item.size or (found.st_nlink > 1 and found.st_mtime_ns != item.mtime_ns):
            raise RescueError(f"what was kept of {item.name} was changed since; it is left out")
        with folder.replacing(item.name) as target:
            copy_content(source, target)
            for name, value in item.xattrs.items():
                with contextlib.suppress(OSError):
                    os.setxattr(target, name, bytes.fromhex(value))
            _own(target, item)
            os.fchmod(target, item.mode)
            os.utime(target, ns=(item.mtime_ns, item.mtime_ns))
    finally:
        os.close(source)


def finish_folder(folder: Folder, item: Item) -> None:
    """Give a folder the mode and time it had, once what is in it has been put back."""
    with folder.inside(item.name) as descriptor:
        _own(descriptor, item)
        os.fchmod(descriptor, item.mode)
        os.utime(descriptor, ns=(item.mtime_ns, item.mtime_ns))


def _own(descriptor: int, item: Item) -> None:
    """The owner it had, where we may say so."""
    found = os.fstat(descriptor)
    if (found.st_uid, found.st_gid) != (item.uid, item.gid):
        with contextlib.suppress(OSError):
            os.fchown(descriptor, item.uid, item.gid)


def _xattrs(descriptor: int) -> dict[str, str]:
    if not hasattr(os, "listxattr"):
        return {}
    try:
        names = [name for name in os.listxattr(descriptor) if name.startswith("user.")]
        return {name: os.getxattr(descriptor, name).hex() for name in names}
    except OSError:
        return {}


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def in_words(size_bytes: int) -> str:
    """A size for people, e.g. ``1.2 MB``."""
    size = float(size_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
