"""Watches this machine's agents' settings for a broker elsewhere, which writes down and tells what was touched.

What has our hooks is kept in the state folder. A change is kept as seen only after the broker has taken the report, so
that one it could not be told of is told when it is back.
"""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from askfirst.audit_port import EntryType
from askfirst.errors import ConfigError, Error
from askfirst.hook_notes import HookNote, waiting_notes
from askfirst.host import Deny, NoOpinion
from askfirst.paths import write_private
from askfirst.silence import words

if TYPE_CHECKING:
    from askfirst.host import ConfigChanged, Verdict
    from askfirst.paths import StatePaths
    from askfirst.settings_watch import Inspector
    from askfirst.silence import Silence

PAUSE_S = 10.0
_NOT_AS_INSTALLED = "our hooks are not as they were installed"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was done to one agent's gate on this machine.

    Attributes:
        kind: of the entry that it becomes.
        problem: what is wrong; ``""``: nothing.
    """

    kind: EntryType
    host: str
    settings: str
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A settings file: fingerprints of what was installed, and of what was there at the last look that was reported."""

    host: str
    settings: str
    installed: str
    seen: str


class Reporter(Protocol):
    """Tells the broker."""

    async def __call__(self, report: Report) -> None:
        """Returns when the broker has written it down.

        Raises:
            Error: it could not be told.
        """
        ...


class RelayWatch:
    """Looks after settings files.

    Args:
        paths: the state folder.
        inspector: reads settings files.
        report: tells the broker.
        silence: finds agents that work while their hooks say nothing.
    """

    def __init__(self, paths: StatePaths, inspector: Inspector, report: Reporter, silence: Silence) -> None:
        self._silence = silence
        self._paths = paths
        self._inspector = inspector
        self._report = report

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            try:
                await self.look()
            except Error as error:
                _log.warning("the broker could not be told how the hooks stand: %s", error)
            await asyncio.sleep(PAUSE_S)

    async def look(self) -> None:
        """Report what was installed, removed or touched since the last report.

        Raises:
            Error: the broker could not be told.
        """
        for note in await asyncio.to_thread(waiting_notes, self._paths):
            await self._take(note)
        for each in self.watched():
            seen = await asyncio.to_thread(self._inspector.fingerprint, each.host, Path(each.settings))
            now = replace(each, seen=seen)
            if now != each:
                await self._report(_report_on(now))
                self._keep(now)
        for deed in await asyncio.to_thread(self._silence.look, {each.host for each in self.watched()}):
            report = Report(kind=EntryType.HOOK_SILENT, host=deed.host, settings=deed.path, problem=words(deed))
            await self._report(report)

    def watched(self) -> list[Watched]:
        """The files that have our hooks, or should.

        Raises:
            ConfigError: what is known of them cannot be read.
        """
        try:
            return [Watched(**each) for each in json.loads(self._paths.watched.read_bytes())]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(f"{self._paths.watched} cannot be read: {error}; remove it and install again") from error

    async def changed(self, event: ConfigChanged) -> Verdict:
        """Whether a session may take a changed settings file up: not one that leaves the gate out."""
        path, host = Path(event.path), event.agent.host
        problems = await asyncio.to_thread(self._problems, host, path)
        if not event.path or not problems:
            return NoOpinion()
        try:
            await self._report(
                Report(kind=EntryType.CONFIG_TAMPER, host=host, settings=event.path, problem=problems[0])
            )
        except Error as error:
            _log.warning("the broker could not be told of %s: %s", event.path, error)
        return Deny(reason=f"askfirst: this session stays on its settings: {problems[0]}; a person has to change them")

    def _problems(self, host: str, path: Path) -> tuple[str, ...]:
        obstacles = self._inspector.obstacles(host, path)
        known = next((each for each in self.watched() if each.settings == str(path)), None)
        if known is None or self._inspector.fingerprint(host, path) == known.installed:
            return obstacles
        return (*obstacles, f"{_NOT_AS_INSTALLED} in {path}")

    async def _take(self, note: HookNote) -> None:
        """Report a note and forget it."""
        kind = EntryType.HOOK_INSTALLED if note.is_installed else EntryType.HOOK_REMOVED
        await self._report(Report(kind=kind, host=note.host, settings=note.settings))
        now = Watched(host=note.host, settings=note.settings, installed=note.ours, seen=note.ours)
        self._keep(now, is_gone=not note.is_installed)
        await asyncio.to_thread(note.path.unlink, missing_ok=True)

    def _keep(self, now: Watched, *, is_gone: bool = False) -> None:
        others = [each for each in self.watched() if each.settings != now.settings]
        kept = others if is_gone else [*others, now]
        write_private(self._paths.watched, json.dumps([asdict(each) for each in kept]).encode())


def _report_on(now: Watched) -> Report:
    if now.seen == now.installed:
        return Report(kind=EntryType.HOOK_INSTALLED, host=now.host, settings=now.settings)
    if not now.seen:
        return Report(kind=EntryType.HOOK_MISSING, host=now.host, settings=now.settings, problem="our hooks are gone")
    return Report(kind=EntryType.CONFIG_TAMPER, host=now.host, settings=now.settings, problem=_NOT_AS_INSTALLED)
