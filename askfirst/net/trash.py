"""Snapshots on disk: one folder each below ``trash`` in the state folder, made whole or not at all.

``ID/about.json`` says what it is, ``ID/manifest.json`` what it holds, ``ID/after.json`` how things stood once the
action had run, ``ID/order.json`` that it is being put back, ``ID/data/N`` the contents, ``ID/data/pins`` which hidden
refs belong to it. While it is made the folder is called ``.making-ID``, while it goes ``.going-ID``: whatever bears
such a name at a start was cut off, and goes with its hidden refs.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Final, TypeVar

from askfirst.clock import new_id
from askfirst.errors import RescueError
from askfirst.net.manifest import (
    About,
    After,
    Holding,
    Journal,
    dump,
    load_about,
    load_after,
    load_holding,
    load_journal,
)
from askfirst.net.pins import unpin
from askfirst.net.pouch import PINS_FILE, Pouch
from askfirst.paths import write_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from askfirst.clock import Clock
    from askfirst.undo_config import UndoConfig

_ID: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}", re.ASCII)
_MAKING: Final = ".making-"
_GOING: Final = ".going-"
_SYNC_EACH_MAX: Final = 200
"""Contents up to this number are forced to disk one by one; beyond it everything is, once."""


_T = TypeVar("_T", About, Holding, After, Journal)


class Trash:
    """The snapshots of one broker.

    Args:
        root: the folder, made when it is missing.
        config: how much and how long.
        clock: dates them.
    """

    def __init__(self, root: Path, config: UndoConfig, clock: Clock) -> None:
        self.root = root
        self._config = config
        self._clock = clock
        root.mkdir(mode=0o700, exist_ok=True)

    def clear(self) -> int:
        """Take away what a crash has left half made or half gone; how many."""
        names = [name for name in os.listdir(self.root) if name.startswith((_MAKING, _GOING))]
        for name in names:
            _discard(str(self.root / name))
        return len(names)

    def make(
        self,
        build: Callable[[Pouch, str], tuple[Holding, str]],
        *,
        request_id: str,
        what: str = "",
        aside_of: str = "",
    ) -> About:
        """A new snapshot: ``build`` fills a pouch and says what it has taken, and in words.

        Raises:
            RescueError: it could not be made; nothing is left of it.
        """
        made_id = new_id()
        making = self.root / f"{_MAKING}{made_id}"
        started_ms = self._clock.now_ms()
        try:
            (making / "data").mkdir(mode=0o700, parents=True)
            pouch = self.pouch(str(making / "data"))
            holding, words = build(pouch, made_id)
            about = About(
                id=made_id,
                request_id=request_id,
                made_at_ms=started_ms,
                size_bytes=pouch.size_bytes,
                entries=pouch.entries,
                took_ms=max(0, self._clock.now_ms() - started_ms),
                aside_of=aside_of,
                what=what[:500],
                words=words,
            )
            write_private(making / "manifest.json", dump(holding))
            write_private(making / "about.json", dump(about))
            _sync(making / "data")
            making.rename(self.root / made_id)
            _sync_folder(self.root)
        except OSError as error:
            with contextlib.suppress(RescueError, OSError):
                _discard(str(making))
            raise RescueError(f"the trash cannot be written: {error.strerror or error}") from error
        except BaseException:
            _discard(str(making))
            raise
        return about

    def pouch(self, folder: str | None) -> Pouch:
        """A pouch within the limits; ``None`` only counts."""
        left = max(0, min(self._config.snapshot_max_bytes, self._config.total_max_bytes))
        device = os.stat(self.root).st_dev
        return Pouch(
            folder,
            max_bytes=left,
            max_entries=self._config.entries_max,
            seconds=self._config.time_s,
            device=device,
        )

    def every(self) -> list[About]:
        """All snapshots, oldest first; one that cannot be read is left out."""
        found = []
        for name in sorted(os.listdir(self.root)):
            if _ID.fullmatch(name):
                with contextlib.suppress(RescueError):
                    found.append(self._read(name, "about.json", load_about))
        return found

    def about(self, snapshot: str) -> About:
        """One snapshot in short; RescueError when it is not there."""
        return self._read(snapshot, "about.json", load_about)

    def holding(self, snapshot: str) -> Holding:
        """What it holds; RescueError when it is not there."""
        return self._read(snapshot, "manifest.json", load_holding)

    def after(self, snapshot: str) -> After | None:
        """How things stood after the action; None when nobody reported its end."""
        if not (self._folder(snapshot) / "after.json").exists():
            return None
        return self._read(snapshot, "after.json", load_after)

    def note_after(self, snapshot: str, after: After) -> None:
        """Remember how things stand now that the action has run."""
        write_private(self._folder(snapshot) / "after.json", dump(after))

    def journal(self, snapshot: str) -> Journal | None:
        """The order that is on its way, if one is."""
        if not (self._folder(snapshot) / "order.json").exists():
            return None
        return self._read(snapshot, "order.json", load_journal)

    def note_journal(self, journal: Journal) -> None:
        """Write the order down before anything is touched."""
        write_private(self._folder(journal.order.snapshot) / "order.json", dump(journal))
        _sync_folder(self._folder(journal.order.snapshot))

    def forget_journal(self, snapshot: str) -> None:
        """The order is carried out, or was given up before anything was touched."""
        (self._folder(snapshot) / "order.json").unlink(missing_ok=True)

    def journals(self) -> list[Journal]:
        """Orders that are on their way, oldest snapshot first."""
        names = (name for name in sorted(os.listdir(self.root)) if _ID.fullmatch(name))
        found = (self.journal(name) for name in names)
        return [each for each in found if each is not None]

    def content(self, snapshot: str) -> Callable[[str], str]:
        """Where kept content lies, by its name."""
        data = str(self._folder(snapshot) / "data")
        return lambda name: os.path.join(data, name)

    def purge(self, snapshot: str) -> bool:
        """Take a snapshot away for good, with its hidden refs; whether there was one."""
        folder = self._folder(snapshot)
        going = self.root / f"{_GOING}{snapshot}"
        try:
            folder.rename(going)
        except FileNotFoundError:
            return False
        _discard(str(going))
        return True

    def age(self) -> list[About]:
        """Purge what is too old, and the oldest while all together are too large; what went."""
        kept = self.every()
        limit_ms = self._clock.now_ms() - self._config.keep_ms
        size = sum(each.size_bytes for each in kept)
        gone = []
        for each in kept:
            is_over = size > self._config.total_max_bytes and each is not kept[-1]
            if (each.made_at_ms < limit_ms or is_over) and self.journal(each.id) is None:
                self.purge(each.id)
                size -= each.size_bytes
                gone.append(each)
        return gone

    def _folder(self, snapshot: str) -> Path:
        if not _ID.fullmatch(snapshot):
            raise RescueError(f"there is no snapshot {snapshot[:40]!r}")
        return self.root / snapshot

    def _read(self, snapshot: str, name: str, load: Callable[[bytes], _T]) -> _T:
        path = self._folder(snapshot) / name
        try:
            return load(path.read_bytes())
        except FileNotFoundError:
            raise RescueError(
                "what was kept is no longer there: it was purged, was too old, or another machine has it"
            ) from None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise RescueError(f"what was kept cannot be read ({path}): {error}") from error


def _discard(folder: str) -> None:
    """Delete the hidden refs of a snapshot, then its folder."""
    with (
        contextlib.suppress(FileNotFoundError),
        open(os.path.join(folder, "data", PINS_FILE), encoding="ascii") as file,
    ):
        for line in file:
            if line.endswith("\n"):
                unpin(*json.loads(line))
    shutil.rmtree(folder, ignore_errors=True)


def _sync(data: Path) -> None:
    names = os.listdir(data)
    if len(names) > _SYNC_EACH_MAX:
        os.sync()
        return
    for name in names:
        descriptor = os.open(data / name, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    _sync_folder(data)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
