"""Files below a folder, reached step by step from its descriptor, so that no symbolic link on the way leads elsewhere.

The agent may write in these folders while we read and write there. A path that is opened as a whole could go through
a link that it has just put in the place of a folder: what we read would be another user's file, what we restore would
land there. Every step here is ``openat`` with ``O_NOFOLLOW``.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Folder:
    """An open folder; names below it are relative, with ``/``, bytes that are no UTF-8 as surrogate escapes.

    Raises:
        OSError: it is not there, or is no folder.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._last: tuple[str, int] | None = None  # most names come folder by folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._forget()
        os.close(self._descriptor)

    def _forget(self) -> None:
        """Let go of the folder that was used last: it may be about to go, or to be replaced."""
        if self._last is not None:
            os.close(self._last[1])
            self._last = None

    @contextlib.contextmanager
    def inside(self, name: str, *, makes: bool = False) -> Iterator[int]:
        """A descriptor of a folder below; ``makes``: it and those on the way are made, and what is in the way goes."""
        current = os.dup(self._descriptor)
        try:
            for step in _steps(name):
                below = _opened(current, step, makes=makes)
                os.close(current)
                current = below
            yield current
        finally:
            os.close(current)

    @contextlib.contextmanager
    def beside(self, name: str, *, makes: bool = False) -> Iterator[tuple[int, str]]:
        """A descriptor of the folder that something lies in, and its last name."""
        *folders, last = _steps(name)
        above = "/".join(folders)
        if self._last is None or self._last[0] != above:
            with self.inside(above, makes=makes) as descriptor:
                kept = os.dup(descriptor)
            self._forget()
            self._last = (above, kept)
        yield self._last[1], last

    def look(self, name: str) -> os.stat_result | None:
        """What lies there, a link as itself; None where nothing does."""
        if not name:
            return os.fstat(self._descriptor)
        try:
            with self.beside(name) as (descriptor, last):
                return os.stat(last, dir_fd=descriptor, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if _is_link_in_the_way(error):
                return None
            raise

    def look_at(self, names: Iterable[str]) -> dict[str, os.stat_result | None]:
        """The same for many names, folder by folder."""
        below: dict[str, list[tuple[str, str]]] = {}
        found: dict[str, os.stat_result | None] = {}
        for name in names:
            above, _, last = name.rpartition("/")
            below.setdefault(above, []).append((name, last or "."))
            found[name] = None
        for above, group in below.items():
            try:
                with self.inside(above) as descriptor:
                    found |= {name: _stat(last, descriptor) for name, last in group}
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                if not _is_link_in_the_way(error):
                    raise
        return found

    def names(self, name: str) -> list[str]:
        """The names in a folder below, sorted."""
        with self.inside(name) as descriptor:
            return sorted(os.listdir(descriptor))

    def paths(self, name: str) -> list[str]:
        """The same as names below this folder."""
        return [f"{name}/{each}" if name else each for each in self.names(name)]

    @contextlib.contextmanager
    def reading(self, name: str) -> Iterator[int]:
        """A descriptor of a regular file, for reading; opening never waits.

        Raises:
            OSError: it is none, or cannot be read.
        """
        with self.beside(name) as (descriptor, last):
            opened = os.open(last, _FILE, dir_fd=descriptor)
        try:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise OSError(f"{name} is no regular file")
            yield opened
        finally:
            os.close(opened)

    @contextlib.contextmanager
    def replacing(self, name: str) -> Iterator[int]:
        """A descriptor of a new file that takes this place at the end, whole; on an error nothing has changed.

        What a crash leaves of it has a name that the next try takes again.
        """
        with self.beside(name, makes=True) as (descriptor, last):
            fresh = f".askfirst-{hashlib.sha256(os.fsencode(last)).hexdigest()[:16]}"
            opened = _made(fresh, descriptor)
            try:
                yield opened
                try:
                    os.replace(fresh, last, src_dir_fd=descriptor, dst_dir_fd=descriptor)
                except IsADirectoryError:
                    _clear(descriptor, last)
                    os.replace(fresh, last, src_dir_fd=descriptor, dst_dir_fd=descriptor)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(fresh, dir_fd=descriptor)
                raise
            finally:
                os.close(opened)

    @contextlib.contextmanager
    def writing(self, name: str) -> Iterator[int]:
        """A descriptor of the regular file that is there, emptied; what a crash cuts off has to be done again."""
        with self.beside(name) as (descriptor, last):
            opened = os.open(last, _FILE | os.O_RDWR, dir_fd=descriptor)
        try:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise OSError(f"{name} is no regular file")
            os.ftruncate(opened, 0)
            yield opened
        finally:
            os.close(opened)

    def link(self, name: str, target: str) -> None:
        """Make a symbolic link; what is there goes."""
        self._forget()
        with self.beside(name, makes=True) as (descriptor, last):
            _clear(descriptor, last)
            os.symlink(target, last, dir_fd=descriptor)

    def remove(self, name: str) -> None:
        """Take away what is there, with everything below it; nothing there is fine."""
        self._forget()
        with contextlib.suppress(FileNotFoundError, NotADirectoryError), self.beside(name) as (descriptor, last):
            _clear(descriptor, last)

    def remove_empty(self, name: str) -> None:
        """Take away a folder if it is empty, and those above it that this leaves empty, up to the top."""
        self._forget()
        steps = _steps(name)
        while steps:
            try:
                with self.beside("/".join(steps)) as (descriptor, last):
                    os.rmdir(last, dir_fd=descriptor)
            except OSError:
                return
            steps.pop()


def _steps(name: str) -> list[str]:
    steps = [step for step in name.split("/") if step and step != "."]
    if ".." in steps:
        raise OSError(f"{name!r} leads out of its folder")
    return steps


def _opened(descriptor: int, step: str, *, makes: bool) -> int:
    try:
        return os.open(step, _FOLDER, dir_fd=descriptor)
    except OSError as error:
        if not makes or not (isinstance(error, FileNotFoundError | NotADirectoryError) or _is_link_in_the_way(error)):
            raise
    _clear(descriptor, step)
    os.mkdir(step, 0o777, dir_fd=descriptor)
    return os.open(step, _FOLDER, dir_fd=descriptor)


def _stat(last: str, descriptor: int) -> os.stat_result | None:
    try:
        return os.stat(last, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _is_link_in_the_way(error: OSError) -> bool:
    return error.errno == errno.ELOOP


def _made(name: str, descriptor: int) -> int:
    """A new file; one that a crash has left goes."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        return os.open(name, flags, 0o600, dir_fd=descriptor)
    except FileExistsError:
        os.unlink(name, dir_fd=descriptor)
        return os.open(name, flags, 0o600, dir_fd=descriptor)


def _clear(descriptor: int, name: str) -> None:
    """Take away what has this name."""
    try:
        found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(found.st_mode):
        os.unlink(name, dir_fd=descriptor)
        return
    opened = os.open(name, _FOLDER, dir_fd=descriptor)
    try:
        if stat.S_IMODE(found.st_mode) & 0o700 != 0o700:
            os.fchmod(opened, 0o700)
        for below in os.listdir(opened):
            _clear(opened, below)
    finally:
        os.close(opened)
    os.rmdir(name, dir_fd=descriptor)
