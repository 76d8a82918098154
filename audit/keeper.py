"""What the broker does with its log beside appending: start and stop, erasing, keeping time limits, changing the key.

Every act is one transaction with its entry.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from askfirst.audit_port import SYSTEM, Actor, Entry, EntryType
from askfirst.errors import ConflictError, InputError, RequestNotFoundError
from askfirst.store import schema
from askfirst.store.erasure import scrub_request
from askfirst.store.reading import read
from audit.clock import wall_us
from audit.keys import KeyFileError
from audit.log import stored_vkeys
from audit.payloads import payloads_of
from audit.rotation import draft_key, settle_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from askfirst.audit_port import Value
    from askfirst.clock import Clock
    from askfirst.hook_notes import HookNote
    from askfirst.policy.layer import Loaded
    from askfirst.policy.source import LayerChange
    from askfirst.store.writer import Writer
    from audit.keys import Keys
    from audit.log import StoredLog


CONFIG_KEY: Final = "config.sha256"
RETAINED_KEY: Final = "log.retained"
HOOKS_KEY: Final = "hooks"
RETENTION_PAUSE_S: Final = 3600.0
_SCANNED: Final = 1000
_DAY_MS: Final = 86_400_000
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedHooks:
    """A host's settings file with our hooks in it.

    Attributes:
        host: registry name.
        settings: absolute path.
        installed: fingerprint of what was installed; ``""``: what is found next.
        seen: the same at the last look, ``""`` when nothing of ours was there.
    """

    host: str
    settings: str
    installed: str = ""
    seen: str = ""


class Keeper:
    """The log's keeper.

    Args:
        writer: all writes go through it.
        reader: a read-only engine of the same store.
        log: what the writer seals.
        keys: the broker's.
        clock: decides what is too old.
    """

    def __init__(self, *, writer: Writer, reader: sa.Engine, log: StoredLog, keys: Keys, clock: Clock) -> None:
        self._writer = writer
        self._reader = reader
        self._log = log
        self._keys = keys
        self._rotating = asyncio.Lock()
        self._clock = clock

    # -- the broker's life ----------------------------------------------------------------------------------------

    async def started(self, data: Mapping[str, Value], config_sha256: str, layers: Sequence[Loaded] = ()) -> None:
        """The broker runs; a configuration other than at the last start is an entry of its own.

        Args:
            data: what else is to be known of it.
            config_sha256: digest (hex) of its configuration.
            layers: of the policy that holds outside of projects; later changes are ``policy_changed``.
        """
        policy: list[Value] = [_layer(each) for each in layers]
        known: dict[str, Value] = {
            **data,
            "config_sha256": config_sha256,
            "grants_vkey": self._keys.grants.verifier.vkey,
            **({"layers": policy} if policy else {}),
        }

        def work(connection: sa.Connection) -> None:
            before = _meta(connection, CONFIG_KEY)
            entry = Entry(type=EntryType.BROKER_STARTED, data=known)
            self._log.append(connection, entry)
            if before is not None and before != config_sha256:
                change: dict[str, Value] = {"before": before, "after": config_sha256}
                self._log.append(connection, Entry(type=EntryType.CONFIG_CHANGED, data=change))
            if before != config_sha256:
                _set_meta(connection, CONFIG_KEY, config_sha256)

        await self._writer.write(work)

    async def stopped(self, data: Mapping[str, Value]) -> None:
        """The broker stops as it was told to; after a crash this entry is missing."""
        entry = Entry(type=EntryType.BROKER_STOPPED, data=data)
        await self._writer.write(lambda connection: self._log.append(connection, entry))

    def policy_changed(self, change: LayerChange) -> None:
        """A layer's file is another one than before; the first ruling by it comes after this. From any thread."""
        data: dict[str, Value] = {
            "layer": change.layer,
            "path": change.path,
            "before": change.before,
            "after": change.after,
            **({"problem": change.problem} if change.problem else {}),
        }
        entry = Entry(type=EntryType.POLICY_CHANGED, data=data)
        self._writer.submit(lambda connection: self._log.append(connection, entry))

    # -- hooks ----------------------------------------------------------------------------------------------------

    async def hook_changed(self, note: HookNote, person: str) -> None:
        """Our hooks were put into a host's settings file, which is watched from now on, or taken out of it."""
        kind = EntryType.HOOK_INSTALLED if note.is_installed else EntryType.HOOK_REMOVED
        data: dict[str, Value] = {"host": note.host, "settings": note.settings, "sha256": note.sha256}
        actor = Actor(type="human", id=person, channel="cli", assurance=0)
        watched = WatchedHooks(host=note.host, settings=note.settings, installed=note.ours, seen=note.ours)
        await self._writer.write(partial(self._watch, watched=watched, kind=kind, data=data, actor=actor))

    async def watched_hooks(self) -> dict[str, WatchedHooks]:
        """The files that have our hooks, or should."""
        return _hooks(await read(self._reader, lambda connection: _meta(connection, HOOKS_KEY)))

    async def check_hooks(self, fingerprint: Callable[[str, Path], str]) -> list[WatchedHooks]:
        """Say in which watched files our hooks have gone, changed or come back since the last look.

        Args:
            fingerprint: digest of what is ours in a host's file, ``""`` when nothing is.

        Returns:
            the files where they are not as they were installed, since this look.
        """
        touched = []
        for watched in (await self.watched_hooks()).values():
            seen = await asyncio.to_thread(fingerprint, watched.host, Path(watched.settings))
            now = replace(watched, seen=seen, installed=watched.installed or seen)
            if now == watched:
                continue
            kind = EntryType.HOOK_INSTALLED if seen == now.installed else EntryType.CONFIG_TAMPER
            kind = kind if seen else EntryType.HOOK_MISSING
            data: dict[str, Value] = {"host": now.host, "settings": now.settings}
            if kind is EntryType.CONFIG_TAMPER:
                data["problem"] = "our hooks are not as they were installed"
            await self._writer.write(partial(self._watch, watched=now, kind=kind, data=data, actor=SYSTEM))
            if kind is not EntryType.HOOK_INSTALLED:
                touched.append(now)
        return touched

    def _watch(
        self,
        connection: sa.Connection,
        watched: WatchedHooks,
        kind: EntryType,
        data: Mapping[str, Value],
        actor: Actor,
    ) -> None:
        """Note what became of our hooks in a file, and whether it is watched."""
        known = _hooks(_meta(connection, HOOKS_KEY))
        known.pop(watched.settings, None)
        if kind is not EntryType.HOOK_REMOVED:
            known[watched.settings] = watched
        _set_meta(connection, HOOKS_KEY, json.dumps([asdict(each) for each in known.values()]))
        self._log.append(connection, Entry(type=kind, actor=actor, data=data))

    # -- erasing --------------------------------------------------------------------------------------------------

    async def erase_request(self, request_id: str, actor: Actor, reason: str) -> list[str]:
        """Erase every payload of a request's entries, and its input from its row; the digests that were erased.

        Raises:
            RequestNotFoundError: there is no such request.
            ConflictError: it is still open.
        """
        digests = await read(self._reader, lambda connection: self._payloads_of_request(connection, request_id))

        def work(connection: sa.Connection) -> list[str]:
            scrub_request(connection, request_id)
            there = [one for one in digests if _is_there(connection, one)]
            for one in there:
                self._log.erase(connection, one, actor, request=request_id, reason=reason)
            if not there:  # the row alone was emptied, which is an erasure, too
                entry = Entry(type=EntryType.BLOB_ERASED, actor=actor, request=request_id, data={"reason": reason})
                self._log.append(connection, entry)
            return [one.hex() for one in there]

        return await self._writer.write(work)

    async def erase_payload(self, sha256: str, actor: Actor, reason: str) -> list[str]:
        """Erase the payload with this salted digest (hex).

        Raises:
            InputError: it is no digest.
            LogError: there is no such payload.
        """
        if not _DIGEST.match(sha256):
            raise InputError(f"{sha256[:80]!r} is no digest, expected 64 hexadecimal digits", field="payload")
        digest = bytes.fromhex(sha256)
        await self._writer.write(lambda connection: self._log.erase(connection, digest, actor, reason=reason))
        return [sha256]

    async def keep_limits(self, days: int) -> None:
        """Erase what is older than so many days, again and again; runs until cancelled."""
        while True:
            while await self.erase_old(days):
                pass
            await asyncio.sleep(RETENTION_PAUSE_S)

    async def erase_old(self, days: int) -> bool:
        """Erase the payloads of the next entries that are older; whether there may be more."""
        limit_us = (self._clock.now_ms() - days * _DAY_MS) * 1000
        found = await read(self._reader, lambda connection: _older(connection, limit_us))
        if found.end == found.start:
            return False

        def work(connection: sa.Connection) -> None:
            for request_id in found.requests:
                try:
                    scrub_request(connection, request_id)
                except (ConflictError, RequestNotFoundError):
                    continue  # open for longer than the limit: it is emptied by hand, or with its next entries
            self._log.erase_expired(connection, found.digests, days=days)
            _set_meta(connection, RETAINED_KEY, str(found.end))

        await self._writer.write(work)
        return True

    def _payloads_of_request(self, connection: sa.Connection, request_id: str) -> list[bytes]:
        """Digests in the entries of a request, by one pass over the log."""
        mark = f'"req":{json.dumps(request_id)}'.encode()
        audit = schema.audit.c
        digests = list[bytes]()
        for body in connection.execution_options(yield_per=_SCANNED).scalars(sa.select(audit.body).order_by(audit.seq)):
            if mark in body:
                digests += payloads_of(body)
        return digests

    # -- the key --------------------------------------------------------------------------------------------------

    async def rotate_key(self) -> tuple[str, str]:
        """Change the log's key; the old and the new vkey. Witnesses need both from now on.

        Raises:
            KeyFileError: the new key cannot be written, or not put in its place; the message says which key holds.
        """
        async with self._rotating:  # or one change would take the other's draft for one that never happened
            return await self._rotate()

    async def _rotate(self) -> tuple[str, str]:
        stored = await read(self._reader, stored_vkeys)
        self._keys = await asyncio.to_thread(settle_key, self._keys, stored[-1])  # a draft may be the key in charge
        old = self._keys.log.verifier.vkey
        draft = await asyncio.to_thread(draft_key, self._keys)
        await self._writer.write(lambda connection: self._log.rotate(connection, draft))
        self._keys = await asyncio.to_thread(settle_key, self._keys, draft.verifier.vkey)
        try:
            await asyncio.to_thread(self._keys.publish)
        except OSError as error:
            raise KeyFileError(
                f"the log's key is now {draft.verifier.vkey}, but {self._keys.folder / 'log.vkey'} does not say so: "
                f"{error.strerror}; make room, and the next start of the broker writes it"
            ) from error
        return old, draft.verifier.vkey


@dataclass(frozen=True, slots=True)
class _Old:
    """Entries from ``start`` to before ``end`` are too old: their payloads, and the requests that they belong to."""

    start: int
    end: int
    digests: tuple[bytes, ...]
    requests: tuple[str, ...]


def _older(connection: sa.Connection, limit_us: int) -> _Old:
    start = int(_meta(connection, RETAINED_KEY) or 0)
    audit = schema.audit.c
    query = sa.select(audit.seq, audit.body).where(audit.seq >= start).order_by(audit.seq).limit(_SCANNED)
    end, digests, requests = start, list[bytes](), dict[str, None]()
    for seq, body in connection.execute(query):
        members = json.loads(body)
        if wall_us(members["t"]) >= limit_us:
            break
        end = seq + 1
        digests += payloads_of(body)
        if "req" in members:  # of any entry: one that was open when its first grew old ends with a later one
            requests[members["req"]] = None
    return _Old(start, end, tuple(digests), tuple(requests))


def _is_there(connection: sa.Connection, sha256: bytes) -> bool:
    return connection.scalar(sa.select(schema.blob.c.sha256).where(schema.blob.c.sha256 == sha256)) is not None


def _hooks(text: str | None) -> dict[str, WatchedHooks]:
    """By settings file; what an older release has written is known by its name only."""
    stored = json.loads(text or "[]")
    if isinstance(stored, dict):
        stored = [{"settings": path, "host": host} for path, (host, _) in stored.items()]
    return {each["settings"]: WatchedHooks(**each) for each in stored}


def _layer(loaded: Loaded) -> dict[str, Value]:
    problem = {"problem": loaded.problem} if loaded.problem else {}
    return {"layer": loaded.layer, "path": loaded.path, "sha256": loaded.digest, **problem}


def _meta(connection: sa.Connection, key: str) -> str | None:
    value: str | None = connection.scalar(sa.select(schema.meta.c.value).where(schema.meta.c.key == key))
    return value


def _set_meta(connection: sa.Connection, key: str, value: str) -> None:
    changed = connection.execute(sa.update(schema.meta).where(schema.meta.c.key == key).values(value=value))
    if changed.rowcount == 0:
        connection.execute(sa.insert(schema.meta).values(key=key, value=value))
