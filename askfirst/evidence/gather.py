"""Gathers evidence: every source that has something to say at once, each in a thread and within its own time.

* Nothing here decides. What a source could not find out is a gap, and raises the risk of the effects that it covers.
* An effect that no source covers is a gap, too: nobody looked, which is said and raises nothing.
* A source that hangs (a dead network mount blocks in the kernel) keeps its thread; there is a fixed number of these,
  and when all of them hang every further look is a gap.
"""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from askfirst.effects import Risk
from askfirst.evidence.eye import LIMIT_S, Eye, Found, Subject
from askfirst.evidence.values import Evidence, Gap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from askfirst.call import ToolCall
    from askfirst.effects import Classification, Effect
    from askfirst.evidence.eye import Source
    from askfirst.evidence.values import Exhibit

_THREADS: Final = 16
_GRACE_S: Final = 0.25
"""How long a source whose time is up has to come back with what it has."""
_GATED_FROM: Final = Risk.HIGH
_UNCOVERED_MAX: Final = 5
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The evidence on a call, and its classification with the risk that failed looks raise."""

    evidence: Evidence
    found: Classification


class Gatherer:
    """Asks the sources.

    Args:
        sources: in the order in which people shall read them.
        eye: makes what one source may look with.
        limit_s: how long one source may take, seconds.
    """

    def __init__(
        self, sources: Sequence[Source], *, eye: Callable[[float], Eye] = Eye, limit_s: float = LIMIT_S
    ) -> None:
        self._sources = tuple(sources)
        self._eye = eye
        self._limit_s = limit_s
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="evidence")

    async def gather(self, call: ToolCall, found: Classification, *, only_state: bool = False) -> Gathered:
        """What can be found out about a call.

        Args:
            call: it is about to run, or to be asked about.
            found: what the analysis says of it.
            only_state: ask those sources only whose findings a decision is bound to.
        """
        started = time.monotonic()
        subject = Subject(call=call, found=found)
        asked = [each for each in self._sources if (each.is_stateful or not only_state) and each.concerns(subject)]
        answers = await asyncio.gather(*(self._ask(source, subject) for source in asked))
        blind = [
            source
            for source, answer in zip(asked, answers, strict=True)
            if any(isinstance(each, Gap) and each.failed for each in answer.exhibits)
        ]
        exhibits: list[Exhibit] = [each for answer in answers for each in answer.exhibits]
        exhibits += [] if only_state else _uncovered(found, self._sources)
        evidence = Evidence(
            exhibits=tuple(exhibits),
            state={name: value for answer in answers for name, value in answer.state.items()},
            took_ms=int((time.monotonic() - started) * 1000),
        )
        return Gathered(evidence=evidence, found=_raised(found, blind))

    async def _ask(self, source: Source, subject: Subject) -> Found:
        """What one source says within its time; what it had found by then counts."""
        found = Found()
        eye = self._eye(self._limit_s)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, source.look, subject, eye, found)
        try:
            await asyncio.wait_for(asyncio.shield(work), self._limit_s + _GRACE_S)
        except TimeoutError:
            work.add_done_callback(_forget)
            return _cut_off(found, source.about, f"no answer within {self._limit_s:g} s")
        except Exception:  # noqa: BLE001  # one source must not cost the others, nor the request
            _log.exception("a source of evidence failed: %s", source.about)
            return _cut_off(found, source.about, "looking at it failed; the broker's log has the reason")
        return found


def stated(evidence: Evidence, found: Classification) -> Gathered:
    """Evidence that another machine has gathered of itself; a look that failed there raises every effect."""
    if not evidence.has_failed:
        return Gathered(evidence=evidence, found=found)
    effects = sorted(map(_graver, found.effects), key=lambda effect: -effect.risk)
    return Gathered(evidence=evidence, found=replace(found, effects=tuple(effects)))


def _forget(work: asyncio.Future[None]) -> None:
    """Fetch the result of a look that came too late, so that nobody complains about it."""
    if not work.cancelled():
        work.exception()


def _cut_off(found: Found, about: str, reason: str) -> Found:
    """A copy of what was found so far, which the thread cannot change any more, with the gap."""
    kept = Found(exhibits=list(found.exhibits), state=dict(found.state))
    kept.state[about] = "not known"
    kept.gap(about, reason)
    return kept


def _uncovered(found: Classification, sources: Sequence[Source]) -> list[Gap]:
    effects = [each for each in found.effects if each.risk >= _GATED_FROM]
    nobody = [each for each in effects if not any(source.covers(each) for source in sources)]
    about = list(dict.fromkeys(each.loss or each.rule for each in nobody))
    gaps = [Gap(about=each, reason="there is no way to look at it", failed=False) for each in about[:_UNCOVERED_MAX]]
    if len(about) > _UNCOVERED_MAX:
        more = f"{len(about) - _UNCOVERED_MAX} more effects"
        gaps.append(Gap(about=more, reason="there is no way to look at them", failed=False))
    return gaps


def _raised(found: Classification, blind: Sequence[Source]) -> Classification:
    """The effects that a failed look is about one step graver: not to know is never the better case."""
    if not blind:
        return found
    effects = [_graver(each) if any(source.covers(each) for source in blind) else each for each in found.effects]
    return replace(found, effects=tuple(sorted(effects, key=lambda effect: -effect.risk)))


def _graver(effect: Effect) -> Effect:
    """One step graver, where it would be asked about."""
    if effect.risk < _GATED_FROM:
        return effect
    risk = Risk(min(effect.risk + 1, Risk.CRITICAL))
    return replace(effect, risk=risk, facts=(*effect.facts, "it could not be looked at"))
