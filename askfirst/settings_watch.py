"""Watches hosts' settings files: what takes our hooks away, or switches hooks off, is written down and told.

``look`` compares each watched file with what was installed; ``changed`` answers a host that is about to take a changed
file up, and keeps it on the settings that have the gate.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from askfirst.audit_port import Entry, EntryType
from askfirst.host import Deny, NoOpinion

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from askfirst.alerts import Alerts
    from askfirst.audit_port import Value
    from askfirst.desk import Desk
    from askfirst.host import ConfigChanged, Verdict


class Inspector(Protocol):
    """Reads hosts' settings files; ``hooks.install`` has it."""

    def fingerprint(self, host: str, path: Path) -> str:
        """Digest of what is ours in a settings file, ``""`` when nothing is or it cannot be read."""
        ...

    def obstacles(self, host: str, path: Path) -> tuple[str, ...]:
        """What in a settings file keeps the host from running our hooks, as sentences."""
        ...


class SettingsWatch:
    """Looks after settings files.

    Args:
        inspector: reads them.
        watched: the files that have our hooks, each with the fingerprint of what was installed.
        desk: writes entries.
        alerts: tells people.
    """

    def __init__(
        self,
        *,
        inspector: Inspector,
        watched: Callable[[], Awaitable[Mapping[str, str]]],
        desk: Desk,
        alerts: Alerts,
    ) -> None:
        self._inspector = inspector
        self._watched = watched
        self._desk = desk
        self._alerts = alerts

    async def changed(self, event: ConfigChanged) -> Verdict:
        """A deny where the changed file would leave the gate out."""
        installed = (await self._watched()).get(event.path)
        problems = await asyncio.to_thread(self._problems, event.agent.host, Path(event.path), installed)
        if not problems or not event.path:
            return NoOpinion()
        await self.tampered(event.agent.host, event.path, problems[0], session=event.agent.session)
        return Deny(reason=f"askfirst: this session stays on its settings: {problems[0]}; a person has to change them")

    async def tampered(self, host: str, path: str, problem: str, *, session: str = "") -> None:
        """Write down and tell what was done to a settings file."""
        data: dict[str, Value] = {"host": host, "settings": path, "problem": problem}
        if session:
            data["session"] = session
        await self._desk.note(Entry(type=EntryType.CONFIG_TAMPER, data=data))
        await self._alerts.tell(
            f"The gate of {host} was touched: {problem}. Look at {path}, and run `askfirst doctor`.",
            key=f"{path} {problem}",
        )

    def _problems(self, host: str, path: Path, installed: str | None) -> tuple[str, ...]:
        obstacles = self._inspector.obstacles(host, path)
        if installed is None or self._inspector.fingerprint(host, path) == installed:
            return obstacles
        return (*obstacles, f"our hooks in {path} are not as they were installed")
