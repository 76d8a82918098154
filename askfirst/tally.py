"""What the log says of calls that needed nobody: gathered here, written by the broker in batches.

Taking note of a call is an append to a list on the event loop; digests, redaction and the transaction come later, so a
hook pays nothing for it. A crash loses at most the last batch: these calls were harmless, and nothing waits for them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.audit_port import Actor, Entry, EntryType, Private
from askfirst.canonical import digest
from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import sqlalchemy as sa

    from askfirst.audit_port import AuditLog, Value
    from askfirst.clock import Clock
    from askfirst.effects import Classification
    from askfirst.host import BeforeTool
    from askfirst.store.writer import Writer

BATCH_MAX: Final = 256
"""So many calls are written at once."""
PAUSE_S: Final = 5.0
"""The longest that a call waits to be written, seconds."""
HEARTBEAT_S: Final = 600.0
"""How often the number of hook calls is written, seconds; the first call of each host is, with the next batch."""
WAITING_MAX: Final = 8192
"""Calls beyond these are counted, not kept: a flood must not fill the memory."""
_KINDS_PER_ENTRY: Final = 64
_TEXT_CHARS: Final = 100
_INPUT_CHARS: Final = 4096
_LOOKED_AT_CHARS: Final = _INPUT_CHARS + 16_384
"""A secret that begins in what is kept is recognised if it is no longer than that (``audit.redact.LONGEST_CHARS``)."""
_RULES_MAX: Final = 8
_CUT: Final = re.compile(r" … \(\d+ characters\)\Z")
"""The end of a text that was cut."""

_GATE: Final = Actor(type="policy", id="gate")


@dataclass(frozen=True, slots=True)
class _Passed:
    """One call that needed nobody."""

    at_ms: int
    event: BeforeTool
    found: Classification


@dataclass(frozen=True, slots=True)
class _Kind:
    """Calls that are alike: what is said of them, their input, and when each came."""

    described: Mapping[str, Value]
    kept: Mapping[str, object]
    at_ms: list[int]


class Tally:
    """Counts and keeps what is to be written.

    Args:
        writer: writes the batches.
        audit: the log.
        clock: when a call came.
        redact: takes secrets out of a value; nothing of a harmless call has to be kept exactly.
        keeps_calls: whether calls are logged, or only counted for the heartbeat.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        audit: AuditLog,
        clock: Clock,
        redact: Callable[[Value], Value],
        keeps_calls: bool = True,
    ) -> None:
        self._writer = writer
        self._audit = audit
        self._clock = clock
        self._redact = redact
        self._keeps_calls = keeps_calls
        self._passed = list[_Passed]()
        self._dropped = 0
        self._calls = Counter[str]()
        self._known = set[str]()
        self._full = asyncio.Event()
        self._beat_at_ms = clock.now_ms()

    def passed(self, event: BeforeTool, found: Classification) -> None:
        """A call needed nobody."""
        if not self._keeps_calls:
            return
        if len(self._passed) >= WAITING_MAX:
            self._dropped += 1
            return
        self._passed.append(_Passed(self._clock.now_ms(), event, found))
        if len(self._passed) >= BATCH_MAX:
            self._full.set()

    def called(self, host: str) -> None:
        """A hook of this host has called."""
        self._calls[host] += 1

    async def run(self) -> None:
        """Write a batch when it is full or old enough; runs until cancelled."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), PAUSE_S)
            self._full.clear()
            await self.flush()

    async def flush(self) -> None:
        """Write what has come so far."""
        batch, self._passed = self._passed, []
        dropped, self._dropped = self._dropped, 0
        beat = self._beat()
        if batch or dropped or beat:
            entries = await asyncio.to_thread(lambda: [*self._entries(batch, dropped), *beat])
            await self._writer.write(lambda connection: self._append(connection, entries))

    def _append(self, connection: sa.Connection, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._audit.append(connection, entry)

    def _beat(self) -> list[Entry]:
        """The heartbeat, when it is due or a host calls for the first time."""
        now_ms = self._clock.now_ms()
        is_due = now_ms - self._beat_at_ms >= HEARTBEAT_S * 1000
        if not self._calls or not (is_due or self._calls.keys() - self._known):
            return []
        calls: dict[str, Value] = dict(sorted(self._calls.items()))
        data: dict[str, Value] = {"calls": calls, "since_ms": self._beat_at_ms}
        self._known |= self._calls.keys()
        self._calls.clear()
        self._beat_at_ms = now_ms
        return [Entry(type=EntryType.HOOK_HEARTBEAT, data=data)]

    def _entries(self, batch: Sequence[_Passed], dropped: int) -> Iterator[Entry]:
        """One entry a session, several when it made many different calls."""
        sessions = dict[tuple[str, str], list[_Passed]]()
        for one in batch:
            sessions.setdefault((one.event.agent.host, one.event.agent.session), []).append(one)
        for (host, session), calls in sessions.items():
            kinds: dict[str, _Kind] = {}
            for one in calls:
                members, kept = self._described(one), self._input(one)
                key = json.dumps([_digest(kept), members["outcome"], members["rules"]])
                kinds.setdefault(key, _Kind(members, kept, [])).at_ms.append(one.at_ms)
            every = list(kinds.values())
            for start in range(0, len(every), _KINDS_PER_ENTRY):
                yield self._entry(host, session, every[start : start + _KINDS_PER_ENTRY])
        if dropped:
            yield Entry(type=EntryType.GATE_PASSED, actor=_GATE, data={"count": dropped, "not_kept": True})

    def _entry(self, host: str, session: str, kinds: Sequence[_Kind]) -> Entry:
        calls: list[Value] = [{**kind.described, "n": len(kind.at_ms)} for kind in kinds]
        times = [at_ms for kind in kinds for at_ms in kind.at_ms]
        inputs = [kind.kept for kind in kinds]
        data: dict[str, Value] = {
            "count": len(times),
            "from_ms": min(times),
            "to_ms": max(times),
            "calls": calls,
            "inputs": Private.text(json.dumps(inputs, ensure_ascii=False)),
        }
        agent: dict[str, Value] = {"name": host, "session": session}
        return Entry(type=EntryType.GATE_PASSED, actor=_GATE, agent=agent, data=data)

    def _described(self, one: _Passed) -> dict[str, Value]:
        """What stays when the input is erased: no digest of it, which would let whoever guesses it be sure."""
        call, found = one.event.call, one.found
        return {
            "tool": call.tool[:_TEXT_CHARS],
            "summary": str(self._redact(call.command[:_LOOKED_AT_CHARS]))[:_TEXT_CHARS],
            "outcome": found.outcome.value,
            "rules": tuple(sorted({effect.rule for effect in found.effects}))[:_RULES_MAX],
        }

    def _input(self, one: _Passed) -> dict[str, object]:
        """What a rule can be tried on later: the call without its secrets, long texts cut."""
        call = one.event.call
        arguments = {str(name): self._kept(_json(value)) for name, value in call.acting_arguments.items()}
        return {"tool": call.tool, "arguments": arguments, "cwd": call.cwd}

    def _kept(self, value: Value) -> object:
        text = _text(value)
        if len(text) <= _INPUT_CHARS:
            return self._redact(value)
        return f"{_text(self._redact(_beginning(value)))[:_INPUT_CHARS]} … ({len(text)} characters)"


def is_cut(text: str) -> bool:
    """Whether a text of an input was longer than is kept, so that nobody can tell what the rest was."""
    return _CUT.search(text) is not None


def _json(value: object) -> Value:
    """The value, of which only texts and containers of JSON matter."""
    return value if isinstance(value, str | int | float | list | dict) or value is None else str(value)


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _beginning(value: Value) -> Value:
    """The value with no more of each text than can bear on what is kept: all else is not searched for secrets."""
    if isinstance(value, str):
        return value[:_LOOKED_AT_CHARS]
    if isinstance(value, list):
        return [_beginning(each) for each in value[:_INPUT_CHARS]]
    if isinstance(value, dict):
        return {name: _beginning(each) for name, each in value.items()}
    return value


def _digest(value: object) -> str:
    try:
        return digest(value)
    except InputError:  # a host sent what is no JSON in our sense; the call itself was harmless and is still counted
        return ""
