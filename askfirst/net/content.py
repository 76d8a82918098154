"""The bytes of one file: shared with the original where the file system clones, else copied with its holes.

A clone (``FICLONE``, Btrfs, XFS, bcachefs) costs nothing and is separate from then on: a write to one side copies the
blocks it touches. A hard link is not: whoever writes into the file in place writes into both. So a link is made only
of what nobody ever writes in place, git's objects, which are made under another name and renamed; and size and time
are compared when it is put back.

From: ioctl_ficlonerange(2), copy_file_range(2), lseek(2) for ``SEEK_DATA``.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys

_FICLONE = 0x40049409
"""``_IOW(0x94, 9, int)``, linux/fs.h."""
_CHUNK_BYTES = 1 << 24
PLAIN_MAX_BYTES = 1 << 16
"""Up to this size to copy is cheaper than to clone or to look for holes."""
_CANNOT_CLONE = {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM, errno.EBADF}


def copy_content(source: int, target: int, start: int, size: int) -> None:
    """Fill the empty file ``target`` with a part of ``source``.

    Args:
        source: open for reading.
        target: open for writing.
        start: where the part begins.
        size: its bytes; what the source has no more of is a hole.

    Raises:
        OSError: reading or writing failed.
    """
    if size <= PLAIN_MAX_BYTES:
        write_all(target, os.pread(source, size, start))
        os.ftruncate(target, size)
        return
    if not start and os.fstat(source).st_size == size and clone(source, target):
        return
    os.ftruncate(target, size)
    at, end = start, start + size
    while at < end:
        first, last = _data(source, at, end)
        if first >= end:
            break
        _copy_range(source, target, first, last, start)
        at = last


def clone(source: int, target: int) -> bool:
    """Share the content where the file system can; whether it could."""
    if sys.platform != "linux":
        return False
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno in _CANNOT_CLONE:
            return False
        raise
    return True


def _data(descriptor: int, at: int, size: int) -> tuple[int, int]:
    """The next part of the file that is no hole: (start, end); (size, size) when only a hole follows."""
    try:
        start = os.lseek(descriptor, at, os.SEEK_DATA)
    except OSError as error:
        if error.errno == errno.ENXIO:
            return size, size
        return at, size
    return start, min(size, os.lseek(descriptor, start, os.SEEK_HOLE))


def _copy_range(source: int, target: int, start: int, end: int, base: int) -> None:
    at = start
    while at < end:
        chunk = os.pread(source, min(_CHUNK_BYTES, end - at), at)
        if not chunk:
            return  # it was cut shorter under our hands
        os.lseek(target, at - base, os.SEEK_SET)
        write_all(target, chunk)
        at += len(chunk)


def write_all(target: int, content: bytes) -> None:
    """Write to the end: the system may take less at once."""
    view = memoryview(content)
    while view:
        view = view[os.write(target, view) :]
