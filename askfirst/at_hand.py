"""Facts that cost microseconds: whether the few paths of a command are there. Whatever else is asked is only noted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.disk import Disk
from askfirst.facts import UNKNOWN

if TYPE_CHECKING:
    from askfirst.facts import Changes, Commits, GitPlace, Loss, PathFacts, Repository, Unknown

PATHS_MAX = 8


class AtHand:
    """Answers where things are; ``asked`` says that an answer was needed that takes a real look.

    An analysis with ``asked`` set rests on "unknown" somewhere and must be made again with the disk.
    """

    def __init__(self) -> None:
        self.asked = False
        self._disk = Disk()
        self._paths = 0

    def home(self) -> str | Unknown:
        """The home folder."""
        return self._disk.home()

    def project(self, cwd: str) -> str | Unknown:
        """The project folder: a few looks upwards."""
        return self._disk.project(cwd)

    def path(self, path: str) -> PathFacts | Unknown:
        """What lies there, for the first few paths."""
        self._paths += 1
        if self._paths > PATHS_MAX:
            return self._unknown()
        return self._disk.path(path)

    def holds(self, outer: str, inner: str) -> bool | Unknown:
        """Noted."""
        return self._unknown()

    def loss(self, path: str) -> Loss | Unknown:
        """Noted."""
        return self._unknown()

    def expand_glob(self, pattern: str, limit: int) -> tuple[str, ...] | Unknown:
        """Noted."""
        return self._unknown()

    def read_script(self, path: str, max_bytes: int) -> bytes | Unknown | None:
        """Noted."""
        return self._unknown()

    def repository(self, place: GitPlace) -> Repository | Unknown | None:
        """Noted."""
        return self._unknown()

    def changes(self, place: GitPlace, paths: tuple[str, ...] = ()) -> Changes | Unknown:
        """Noted."""
        return self._unknown()

    def cleanable(self, place: GitPlace, options: tuple[str, ...], paths: tuple[str, ...]) -> tuple[str, ...] | Unknown:
        """Noted."""
        return self._unknown()

    def commit(self, place: GitPlace, revision: str) -> str | Unknown | None:
        """Noted."""
        return self._unknown()

    def dropped(self, place: GitPlace, ref: str, *, new: str = "") -> Commits | Unknown:
        """Noted."""
        return self._unknown()

    def setting(self, place: GitPlace, key: str) -> str | Unknown | None:
        """Noted."""
        return self._unknown()

    def _unknown(self) -> Unknown:
        self.asked = True
        return UNKNOWN
