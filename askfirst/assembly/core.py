"""What every listener of one broker shares, each part handed what it needs."""

from __future__ import annotations

import asyncio
import importlib
import socket
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

import askfirst
from askfirst import second_reader
from askfirst.access import ASSURANCE_MAX, AccessScope
from askfirst.analyst import DiskAnalyst
from askfirst.asking import Asking
from askfirst.assembly.founding import open_stored_log, open_witnesses
from askfirst.assembly.host_door import HostDoor
from askfirst.assembly.owner import owner, people_of
from askfirst.audit_port import SYSTEM
from askfirst.backing import Backing, StoredMemory, StoredMessages, channel_key
from askfirst.broker.access import Access, token_consent
from askfirst.broker.api import Api
from askfirst.broker.break_glass_api import BreakGlassApi
from askfirst.broker.channels_api import ChannelsApi
from askfirst.broker.diagnosis_api import DiagnosisRoute
from askfirst.broker.notify import Notifier
from askfirst.broker.people_api import PeopleApi
from askfirst.broker.preview_api import PreviewApi
from askfirst.broker.relay_api import RelayApi
from askfirst.broker.server import exit_for_failed_store
from askfirst.broker.sightings_api import SightingsApi
from askfirst.broker.trash_api import TrashApi, purged_entry
from askfirst.broker.web import names_of
from askfirst.clock import SystemClock
from askfirst.desk import Desk
from askfirst.disk import Disk
from askfirst.engine.case import BREAK_GLASS
from askfirst.errors import ConfigError
from askfirst.evidence.gather import Gatherer
from askfirst.evidence.sources import sources
from askfirst.glass_desk import GlassDesk, Windows
from askfirst.hub import Hub
from askfirst.link_code import LinkDesk
from askfirst.net.keeper import Keeper as NetKeeper
from askfirst.net.trash import Trash
from askfirst.notify_config import endpoints
from askfirst.operations import Operations
from askfirst.policy.ruler import Ruler
from askfirst.policy.source import open_source
from askfirst.refusals import Refusals
from askfirst.registrar import Registrar
from askfirst.restoring import Restoring
from askfirst.roster import Roster
from askfirst.store.leases import Leases
from askfirst.store.open import open_store
from askfirst.store.writer import Writer
from askfirst.switchboard import Switchboard
from askfirst.tally import Tally
from askfirst.terms import INBOX
from askfirst.undo_desk import UndoDesk
from audit.grants import GrantKey
from audit.keeper import Keeper
from audit.redact import redact_value, redacted
from channels.registry import open_channels
from channels.web.app import web_inbox
from channels.web.logins import Logins
from channels.web.sessions import Sessions
from mcp_server.http import McpEndpoint, OwnApi

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from fastapi import FastAPI
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Scope

    from askfirst.broker.figures import Figures
    from askfirst.broker.hook_route import HookRoute
    from askfirst.config import Config
    from askfirst.engine import Case
    from askfirst.net.manifest import About
    from askfirst.notify_config import Endpoint
    from askfirst.paths import StatePaths
    from askfirst.ports import Channel
    from askfirst.request import Request
    from askfirst.store.open import Store
    from audit.keys import Keys
    from audit.log import StoredLog


class Core:
    """What every listener of one broker shares."""

    def __init__(  # what open() has opened
        self, *, config: Config, store: Store, log: StoredLog, keys: Keys, paths: StatePaths
    ) -> None:
        self._paths = paths
        self._url = store.url
        self._config = config
        self._reader = reader = store.reader
        self._log = log
        self._clock = SystemClock()
        self._first = log.head.size
        self._leases = Leases(store.url)
        self._endpoints = endpoints(config.notify, config.folder)
        self._counted: Figures | None = None
        self._hub = Hub()
        self.analyst = DiskAnalyst()
        self._writer = Writer(store.engine, log, on_failure=exit_for_failed_store)
        self._policy = open_source(config)
        gatherer = Gatherer(sources(config.evidence), limit_s=config.evidence.limit_s)
        self._asking = Asking(
            analyst=self.analyst, gatherer=gatherer, ruler=Ruler(self._policy, Disk), clock=self._clock
        )
        self._witnesses = open_witnesses(config, log, reader, self._writer, self._tell)
        self.keeper = Keeper(writer=self._writer, reader=reader, log=log, keys=keys, clock=self._clock)
        self._policy.on_change(self.keeper.policy_changed)
        self.tally = Tally(
            writer=self._writer,
            audit=log,
            clock=self._clock,
            redact=redact_value,
            keeps_calls=config.audit.passed_calls,
        )
        self._roster = Roster(
            configured=people_of(config), requester=replace(config.requester, people=(owner(),)), reader=reader
        )
        self._channels: dict[str, Channel] = {}
        trash = Trash(paths.trash, config.undo, self._clock)
        self._net = NetKeeper(trash, config.undo, self._clock, state=str(paths.root), purged=self._purged)
        self._signer = signer = GrantKey(keys.grants)
        glass_key = channel_key(signer, BREAK_GLASS)
        self.desk = self._desk(signer, glass_key)
        self._undos = UndoDesk(desk=self.desk, people=self._roster, net=self._net)
        self._refusals = Refusals(self.desk, self._clock)
        self._channels.update(open_channels(config.channels, partial(self._backing, signer)))
        self.switchboard = self._switchboard()
        self._hub.on_change = self.switchboard.wake
        self._registrar = Registrar(
            desk=self.desk, roster=self._roster, writer=self._writer, audit=log, clock=self._clock
        )
        self._glass = self._glass_desk(glass_key)
        self.hosts = self._host_door()

    def _desk(self, signer: GrantKey, glass_key: bytes) -> Desk:
        return Desk(
            writer=self._writer,
            reader=self._reader,
            audit=self._log,
            hub=self._hub,
            clock=self._clock,
            signer=signer,
            people=self._roster,
            editor=self._asking,
            inspector=self._asking,
            schemes=self._channels.keys(),
            vouched_max=lambda: max((ASSURANCE_MAX, *(each.caps.assurance for each in self._channels.values()))),
            bounds=self._config.bounds,
            before_release=self._require_witnesses,
            windows=Windows(glass_key, self._clock),
            net=self._net,
        )

    def _switchboard(self) -> Switchboard:
        return Switchboard(
            channels=self._channels,
            desk=self.desk,
            people=self._roster,
            writer=self._writer,
            reader=self._reader,
            audit=self._log,
            clock=self._clock,
            leases=self._leases,
            linker=LinkDesk(roster=self._roster, writer=self._writer, audit=self._log, clock=self._clock),
            undos=self._undos,
            machine=socket.gethostname(),
        )

    def _glass_desk(self, key: bytes) -> GlassDesk:
        return GlassDesk(
            desk=self.desk,
            roster=self._roster,
            writer=self._writer,
            reader=self._reader,
            audit=self._log,
            clock=self._clock,
            key=key,
            longest_s=lambda: self._policy.current().general.break_glass_s,
            tell=self._tell_everybody,
        )

    def _host_door(self) -> HostDoor:
        return HostDoor(
            config=self._config.hosts,
            paths=self._paths,
            desk=self.desk,
            hub=self._hub,
            asking=self._asking,
            people=self._roster,
            keeper=self.keeper,
            tally=self.tally,
            clock=self._clock,
            terminal_decisions=lambda: self._policy.current().general.terminal_decisions,
        )

    def diagnosis(self) -> DiagnosisRoute:
        """What only the broker knows of itself."""

        async def watched() -> list[dict[str, str]]:
            return [asdict(each) for each in (await self.keeper.watched_hooks()).values()]

        return DiagnosisRoute(
            channels=lambda: self._channels,
            clock=self._clock,
            watched=watched,
            bypasses=lambda: self.hosts.bypasses.recent,
            contradictions=lambda: () if self._witnesses is None else self._witnesses.contradictions,
        )

    @classmethod
    def open(cls, paths: StatePaths, config: Config) -> Core:
        """Open the store and its log."""
        store = open_store(paths.store, config.store_url)
        log, keys = open_stored_log(paths, store.engine)
        return cls(config=config, store=store, log=log, keys=keys, paths=paths)

    def _purged(self, about: About) -> None:
        """A snapshot was too old, or in the way of newer ones; called in a thread."""
        self.desk.note_soon(purged_entry(about, SYSTEM))

    def workers(self) -> list[Callable[[], Awaitable[None]]]:
        """What runs beside the listeners."""
        workers: list[Callable[[], Awaitable[None]]] = [
            self.desk.keep_time,
            self._undos.finish,
            self._net.keep_limits,
            *self.switchboard.workers(),
            self._roster.keep_fresh,
            self.tally.run,
            *self.hosts.workers(),
        ]
        workers += [partial(self._notify, each) for each in self._endpoints]
        if self._witnesses is not None:
            workers.append(self._witnesses.run)
        if self._url is not None:
            from askfirst.store.follow import Follower  # noqa: PLC0415  # needs psycopg, an extra

            workers.append(Follower(url=self._url, reader=self._reader, hub=self._hub).run)
        if key := second_reader.key_of(self._config.second_reader):
            workers.append(self._second_reader(key).run)
        if days := self._config.audit.retention_days:
            workers.append(partial(self.keeper.keep_limits, days))
        return workers

    def _second_reader(self, api_key: str) -> second_reader.SecondReader:
        return second_reader.SecondReader(
            desk=self.desk,
            hub=self._hub,
            clock=self._clock,
            config=self._config.second_reader,
            api_key=api_key,
            redact=redacted,
        )

    def _backing(self, signer: GrantKey, scheme: str, table: Mapping[str, object]) -> Backing:
        """What a channel stands on."""
        return Backing(
            scheme=scheme,
            table=table,
            folder=self._config.folder,
            machine=socket.gethostname(),
            key=channel_key(signer, scheme),
            clock=self._clock,
            requests=self.desk,
            messages=StoredMessages(scheme, writer=self._writer, reader=self._reader, clock=self._clock),
            memory=StoredMemory(scheme, writer=self._writer, reader=self._reader),
            log=lambda: self._log.head.seen,
            operations=Operations(self.desk, self._asking),
        )

    async def _tell(self, text: str, key: str) -> None:
        """Tell the people that the policy names."""
        await self.hosts.alerts.tell(text, key=key)

    async def _tell_everybody(self, text: str, key: str) -> None:
        """Tell whomever any route tells, and all people, on the channels that exist."""
        wanted = [*self._policy.current().general.recipients, *INBOX]
        wanted += [each for person in self._roster.people for each in person.recipients]
        recipients = tuple(dict.fromkeys(each for each in wanted if each.partition(":")[0] in self._channels))
        await self.hosts.alerts.tell(text, key=key, recipients=recipients)

    async def _require_witnesses(self, request: Request) -> None:
        """Before an action of a risk that asks for it is released, others have seen that it was decided."""
        limit = self._config.audit.witness_from
        is_asked = request.terms.witness_required or (limit is not None and request.risk >= limit)
        if is_asked and self._witnesses is not None:
            await self._witnesses.cosign(self._log.head.size)
        elif request.terms.witness_required:
            raise ConfigError(f"the rule {request.terms.rule} asks for a witness, and none is configured under [audit]")

    async def _notify(self, endpoint: Endpoint) -> None:
        notifier = Notifier(
            endpoint=endpoint,
            desk=self.desk,
            writer=self._writer,
            reader=self._reader,
            clock=self._clock,
        )
        await self._leases.run(f"notify {endpoint.name}", notifier.run)

    async def _figures(self) -> bytes:
        """What ``/metrics`` answers."""
        if self._counted is None:
            figures = await asyncio.to_thread(importlib.import_module, "askfirst.broker.figures")
            self._counted = figures.Figures(reader=self._reader, hub=self._hub, clock=self._clock, first=self._first)
        return await self._counted.text()

    def access(self, own_token: str) -> Access:
        """Who may call the API."""
        return Access(
            writer=self._writer,
            reader=self._reader,
            audit=self._log,
            clock=self._clock,
            consent=token_consent(self.desk, self._roster, self._clock),
            own_token=own_token,
        )

    def api(self, access: Access, *, hooks: HookRoute, inbox: str) -> FastAPI:
        """REST ``/v1``."""
        return Api(
            desk=self.desk,
            undos=self._undos,
            hub=self._hub,
            asking=self._asking,
            terminal_decisions=self.hosts.here.terminal_decisions,
            reviewer=self.hosts.here.person,
            access=access,
            refusals=self._refusals,
            figures=self._figures,
            more=(
                PeopleApi(access, self._registrar, self._roster),
                BreakGlassApi(access, self._glass, self._clock),
                SightingsApi(access, self.hosts.sightings),
                TrashApi(
                    access=access, desk=self.desk, trash=self._net.trash, config=self._config.undo, person=owner()
                ),
                ChannelsApi(
                    access,
                    channels=self._channels,
                    heartbeat=self.switchboard.heartbeat,
                    desk=self.desk,
                    clock=self._clock,
                ),
                RelayApi(
                    access,
                    hooks=hooks,
                    desk=self.desk,
                    alerts=self.hosts.alerts,
                    clock=self._clock,
                    standings=self.switchboard.heartbeat.standings,
                ),
                PreviewApi(access, desk=self.desk, clock=self._clock, page=_preview_page),
            ),
            log=lambda: self._log.head.seen,
            inbox=inbox,
            terminal_undo=self._config.undo.terminal,
        ).app()

    def mcp(self, api: ASGIApp, access: Access, listener: socket.socket) -> McpEndpoint:
        """MCP over HTTP, for whoever shows a token that may ask."""

        async def is_allowed(scope: Scope) -> bool:
            caller = await access.caller(HTTPConnection(scope))
            return caller is not None and AccessScope.ASK in caller.scopes

        return McpEndpoint(
            transport_for=OwnApi(api, self._clock.now_ms).called_by,
            is_allowed=is_allowed,
            hosts=names_of(listener),
        )

    def inbox(self, paths: StatePaths, listener: socket.socket) -> Starlette:
        """The web inbox, answering to the names of its own listener only."""
        return web_inbox(
            self.desk,
            self._undos,
            Logins(paths.root, self._clock),
            Sessions(writer=self._writer, reader=self._reader, clock=self._clock),
            refusals=self._refusals,
            hosts=names_of(listener),
            machine=socket.gethostname(),
            clock=self._clock,
            log=lambda: self._log.head.seen,
        )

    async def settled(self) -> None:
        """Make a store sound that was put back from a backup; before anybody is served."""
        restoring = Restoring(
            writer=self._writer,
            reader=self._reader,
            audit=self._log,
            hub=self._hub,
            clock=self._clock,
            signer=self._signer,
        )
        await restoring.settle()

    async def started(self) -> None:
        """Write down that the broker runs, and by which layers of policy."""
        policy = await asyncio.to_thread(self._policy.current)
        data = {"version": askfirst.__version__, "policy_sha256": policy.digest}
        await self.keeper.started(data, self._config.digest, policy.loaded)

    async def stopped(self) -> None:
        """Write what is left, and finish."""
        await self.tally.flush()
        await self.keeper.stopped({"version": askfirst.__version__})
        if self._witnesses is not None:
            await self._witnesses.close()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        """Finish what is being written; the writer goes last, so that SQLite folds its WAL into the database."""
        self._reader.dispose()
        self._writer.close()


def _preview_page(case: Case, now_ms: int) -> str:
    from channels.preview import preview_page  # noqa: PLC0415  # only where somebody wants to look

    return preview_page(case, now_ms)
