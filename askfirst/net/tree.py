"""Files and folders as values, and their content in a snapshot's folder.

An ``Item`` is what lay at one name; a ``Tree`` is several below one folder, with names that were empty. The content of
files lies in a pouch. Mode, times and, where we may, owner and extended attributes come back with the content. Of what
is neither file, folder nor link (sockets, pipes, devices) only a pipe comes back.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from askfirst.errors import RescueError
from askfirst.net.content import copy_content
from askfirst.net.pouch import is_shared, opened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from askfirst.net.folder import Folder
    from askfirst.net.pouch import Pouch

Kind = Literal["file", "folder", "link", "pipe", "other"]
_OBJECTS: Final = "objects"
_OBJECT_NAME_CHARS: Final = 38
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"""Only what writes fails with these: what is read is not at fault."""
_COMPARED_BYTES: Final = 1 << 20


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
        inode: its number: a file that is still the same one, under several names, is written in place.
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
    inode: int = 0


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
        if error.errno in _FULL:
            raise RescueError(f"the trash cannot be written: {error.strerror}") from error
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
            pending += reversed(folder.paths(name))


def _item(folder: Folder, name: str, found: os.stat_result, pouch: Pouch) -> Item:
    kind = kind_of(found.st_mode)
    size = 0
    pouch.count(0)
    target = stored = ""
    xattrs: dict[str, str] = {}
    if kind == "link":
        with folder.beside(name) as (descriptor, last):
            target = os.readlink(last, dir_fd=descriptor)
    elif kind == "file":
        with folder.reading(name) as source:
            stored, size = _stored(folder, name, source, pouch)
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
        inode=found.st_ino,
    )


def _stored(folder: Folder, name: str, source: int, pouch: Pouch) -> tuple[str, int]:
    """(Name, bytes) of what is kept: of git's own objects, which are never written in place, a link, else a copy."""
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
    with folder.reading(item.name) as now, opened(path, item.stored) as (then, start):
        return _are_equal(now, then, start, item.size)


def _are_equal(now: int, then: int, start: int, size: int) -> bool:
    at = 0
    while at < size:
        some = min(_COMPARED_BYTES, size - at)
        mine = os.pread(now, some, at)
        if not mine or mine != os.pread(then, len(mine), start + at):
            return False
        at += len(mine)
    return not os.pread(now, 1, size)


def _looks_as_kept(item: Item, found: os.stat_result | None) -> bool:
    if found is None or kind_of(found.st_mode) != item.kind:
        return False
    if item.kind == "link":
        return found.st_mtime_ns == item.mtime_ns and found.st_size == len(os.fsencode(item.target))
    is_same_mode = stat.S_IMODE(found.st_mode) == item.mode
    if item.kind != "file":
        return is_same_mode
    return is_same_mode and (found.st_size, found.st_mtime_ns) == (item.size, item.mtime_ns)


def put(folder: Folder, item: Item, path: Callable[[str], str]) -> None:
    """Put one item back in place of whatever is there.

    Args:
        folder: what its name is relative to.
        item: what to make.
        path: where kept content lies.

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
            _put_file(folder, item, path)
        case "pipe":
            folder.remove(item.name)
            with folder.beside(item.name, makes=True) as (descriptor, last):
                os.mkfifo(last, item.mode, dir_fd=descriptor)
                os.utime(last, ns=(item.mtime_ns, item.mtime_ns), dir_fd=descriptor, follow_symlinks=False)
        case _:
            return


def _put_file(folder: Folder, item: Item, path: Callable[[str], str]) -> None:
    with opened(path, item.stored) as (source, start):
        found = os.fstat(source)
        is_whole = found.st_size >= start + item.size if is_shared(item.stored) else found.st_size == item.size
        if not is_whole or (found.st_nlink > 1 and found.st_mtime_ns != item.mtime_ns):
            raise RescueError(f"what was kept of {item.name} was changed since; it is left out")
        place = folder.writing if _is_linked(folder, item, found) else folder.replacing
        with place(item.name) as target:
            copy_content(source, target, start, item.size)
            for name, value in item.xattrs.items():
                with contextlib.suppress(OSError):
                    os.setxattr(target, name, bytes.fromhex(value))
            _own(target, item)
            os.fchmod(target, item.mode)
            os.utime(target, ns=(item.mtime_ns, item.mtime_ns))


def _is_linked(folder: Folder, item: Item, kept: os.stat_result) -> bool:
    """Whether the same file is there under other names, too, which a new file in its place would leave spoilt.

    Not where one of these names is our own copy, a link to one of git's objects: it would be spoilt with it.
    """
    now = folder.look(item.name)
    if now is None or not stat.S_ISREG(now.st_mode) or now.st_nlink < 2 or not now.st_mode & stat.S_IWUSR:
        return False
    return now.st_ino == item.inode and not os.path.samestat(now, kept)


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
