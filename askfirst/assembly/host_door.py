"""What meets the agents' hosts: their events, their settings files, and whether they go round the gate."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst import workspace
from askfirst.alerts import Alerts
from askfirst.alive import is_alive
from askfirst.assembly.owner import owner
from askfirst.audit_port import Entry, EntryType
from askfirst.bypasses import Bypasses
from askfirst.gate import Gate
from askfirst.hook_notes import waiting_notes
from askfirst.host_events import AtThisMachine, HostEvents, HostWaits
from askfirst.host_prompts import HostPrompts
from askfirst.notices import Notices
from askfirst.settings_watch import SettingsWatch
from askfirst.sightings import Sightings
from askfirst.silence import Silence, words
from askfirst.wakes import Wakes
from audit.redact import redacted
from hooks import install
from hooks.deeds import deeds_of
from hooks.setup import Places

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from askfirst.asking import Asking
    from askfirst.clock import Clock
    from askfirst.desk import Desk
    from askfirst.host import BeforeTool
    from askfirst.host_config import HostsConfig
    from askfirst.hub import Hub
    from askfirst.paths import StatePaths
    from askfirst.people import People
    from askfirst.tally import Tally
    from audit.keeper import Keeper

_HOOKS_PAUSE_S = 10.0
"""How often hosts' settings files are looked at, seconds."""


class HostDoor:
    """Answers hosts, and looks after our hooks in them.

    Args:
        config: how hosts can wait, and what people are told of them.
        paths: where installers leave their notes.
        desk: where requests are made.
        hub: who waits in this process.
        asking: looks at calls.
        people: who may decide.
        keeper: which hooks are installed.
        tally: counts what passed.
        clock: for what was seen when.
        terminal_decisions: whether the policy lets this machine's terminal decide, now.

    Attributes:
        here: whoever sits at this machine.
        alerts: what the gate itself tells people.
        sightings: which hosts were heard of.
        bypasses: what ran unapproved.
        events: answers what hosts tell.
    """

    def __init__(
        self,
        *,
        config: HostsConfig,
        paths: StatePaths,
        desk: Desk,
        hub: Hub,
        asking: Asking,
        people: People,
        keeper: Keeper,
        tally: Tally,
        clock: Clock,
        terminal_decisions: Callable[[], bool],
    ) -> None:
        self._config = config
        self._paths = paths
        self._desk = desk
        self._hub = hub
        self._asking = asking
        self._keeper = keeper
        self._tally = tally
        self.here = AtThisMachine(person=owner(), people=people, terminal_decisions=terminal_decisions)
        self.alerts = Alerts(desk=desk, asking=asking)
        self._notices = Notices(alerts=self.alerts, desk=desk, config=config, clock=clock, redact=redacted)
        self.sightings = Sightings(clock)
        places = Places(home=Path.home(), project=Path("/"))
        self._silence = Silence(lambda host, since_ms: deeds_of(host, since_ms, places), clock)
        self.bypasses = Bypasses(desk=desk, alerts=self.alerts)
        self.events = self._events()

    def workers(self) -> list[Callable[[], Awaitable[None]]]:
        """What runs beside the listeners."""
        return [self._watch_hooks, self._notices.run]

    def _events(self) -> HostEvents:
        wakes = Wakes(desk=self._desk, hub=self._hub)
        prompts = HostPrompts(
            desk=self._desk,
            asking=self._asking,
            here=self.here,
            config=self._config,
            is_alive=is_alive,
            bypasses=self.bypasses,
        )
        waits = HostWaits(here=self.here, config=self._config, prompts=prompts, wakes=wakes, bypasses=self.bypasses)
        gate = Gate(
            desk=self._desk,
            asking=self._asking,
            passed=self._tally.passed,
            head_of=workspace.head_of,
            waits=waits,
            seen=self._seen,
        )
        settings = SettingsWatch(inspector=install, watched=self._fingerprints, desk=self._desk, alerts=self.alerts)
        return HostEvents(gate=gate, prompts=prompts, wakes=wakes, settings=settings, notices=self._notices)

    def _seen(self, event: BeforeTool) -> None:
        self.sightings.note(event)
        self._silence.heard(event)

    async def _fingerprints(self) -> dict[str, str]:
        return {path: each.installed for path, each in (await self._keeper.watched_hooks()).items()}

    async def _watch_hooks(self) -> None:
        while True:
            for note in await asyncio.to_thread(waiting_notes, self._paths):
                await self._keeper.hook_changed(note, owner())
                await asyncio.to_thread(note.path.unlink, missing_ok=True)
            for touched in await self._keeper.check_hooks(install.fingerprint):
                await self.alerts.tell(
                    f"Our hooks in {touched.settings} ({touched.host}) are "
                    f"{'not as they were installed' if touched.seen else 'gone'}: agents may run what they like. "
                    "`askfirst doctor` says how it stands.",
                    key=f"{touched.settings} {touched.seen}",
                )
            hosts = {each.host for each in (await self._keeper.watched_hooks()).values()}
            for deed in await asyncio.to_thread(self._silence.look, hosts):
                await self._desk.note(Entry(type=EntryType.HOOK_SILENT, data=asdict(deed)))
                await self.alerts.tell(f"The gate is silent: {words(deed)}", key=f"silent {deed.host} {deed.session}")
            await asyncio.sleep(_HOOKS_PAUSE_S)
