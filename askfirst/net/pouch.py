"""Where the content of one snapshot's files goes: numbered files, so that no name of an agent's choosing is ours.

Small contents lie one after another in one file: to make, force to disk and delete a file for each of them costs more
than to copy them. What is kept is named ``7``, a file of its own, or ``small+4096``, where it begins in the common one.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING, Final

from askfirst.errors import RescueError
from askfirst.net.content import PLAIN_MAX_BYTES, clone, copy_content, write_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PINS_FILE: Final = "pins"
"""A line for each repository with hidden refs, ``["/srv/p/.git", "refs/askfirst/…/"]``."""
_SMALL_FILE: Final = "small"
_AT: Final = "+"
_BLOCK_BYTES: Final = 512  # of st_blocks, whatever the file system's own blocks are


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
        self._small_bytes = 0
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

    def keep(self, source: int, *, apart: bool = False) -> tuple[str, int]:
        """Keep the content of an open file: (its name here, bytes), in a file of its own with ``apart``.

        The file may be written to meanwhile: the bytes that are kept are counted, not those that it had.
        """
        found = os.fstat(source)
        size = min(found.st_size, found.st_blocks * _BLOCK_BYTES)
        if self._folder is None:
            self.count(size, entries=0)
            return self._next(), found.st_size
        if found.st_size <= PLAIN_MAX_BYTES and not apart:
            content = os.pread(source, PLAIN_MAX_BYTES, 0)
            self.count(len(content), entries=0)
            return self._append(content), len(content)
        name = self._next()
        with open(os.path.join(self._folder, name), "xb", opener=_private) as file:
            if not clone(source, file.fileno()):
                self.count(size, entries=0)
                copy_content(source, file.fileno(), 0, found.st_size)
            return name, os.fstat(file.fileno()).st_size

    def _append(self, content: bytes) -> str:
        name = f"{_SMALL_FILE}{_AT}{self._small_bytes}"
        self._small_bytes += len(content)
        assert self._folder is not None
        opened_ = os.open(
            os.path.join(self._folder, _SMALL_FILE), os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            write_all(opened_, content)
        finally:
            os.close(opened_)
        return name

    def keep_link(self, source: int, descriptor: int, last: str) -> tuple[str, int]:
        """The same by a hard link, which is for what nobody writes in place; a copy where none can be made."""
        found = os.fstat(source)
        if self._folder is None:
            return (self._next(), found.st_size) if found.st_dev == self._device else self.keep(source)
        name = self._next()
        path = os.path.join(self._folder, name)
        try:
            os.link(last, path, src_dir_fd=descriptor, follow_symlinks=False)
        except OSError:
            return self.keep(source)
        if os.path.samestat(os.stat(path), found):
            return name, found.st_size
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
        """Where a file of this pouch lies."""
        assert self._folder is not None  # a forecast keeps nothing
        return os.path.join(self._folder, name)

    def _next(self) -> str:
        self._count += 1
        return str(self._count)


@contextlib.contextmanager
def opened(path: Callable[[str], str], stored: str) -> Iterator[tuple[int, int]]:
    """What was kept under a name, for reading: (descriptor, where it begins in that file).

    Args:
        path: where the files of the pouch lie, by their names.
        stored: as ``Pouch.keep`` has named it.
    """
    name, _, start = stored.partition(_AT)
    descriptor = os.open(path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield descriptor, int(start or 0)
    finally:
        os.close(descriptor)


def is_shared(stored: str) -> bool:
    """Whether it lies with others in one file."""
    return _AT in stored


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
