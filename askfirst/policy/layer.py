"""A policy file as the program uses it: complete, with nothing optional left.

A layer is used in two ways. As the *base* its terms are complete and decide; as a *ceiling* they are limits whose
neutral values limit nothing. Managed files are both, project files ceilings only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.policy.bounds import Bounds
from askfirst.policy.matcher import Matcher  # noqa: TC001
from askfirst.policy.ruling import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from askfirst.effects import Risk
    from askfirst.policy.ruling import QuietHours, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule or a rung of the ladder says: as a base complete, as a ceiling limits."""

    outcome: Outcome = Outcome.ALLOW
    bounds: Bounds = field(default_factory=Bounds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    Attributes:
        layer: name of the layer that it stands in, e.g. ``user`` or ``team``.
        name: unique in its file.
        match: which calls.
        unless: the exceptions.
        reason: a sentence, ``""`` when the author wrote none.
        is_shadow: it decides nothing; ``would`` is what it would do.
        would: only for a shadow rule.
        regrade: risk as found -> risk as the rule sees it; empty when it leaves the risk as it is.
        verdicts: what it says, by the regraded risk.
        lifts_grave: it names what it lets pass (effect, rule or risk), so that it may let pass high and critical;
            always so where it lets nothing pass.
        low_confidence: what low confidence does where this rule decided.
    """

    layer: str
    name: str
    match: Matcher
    unless: tuple[Matcher, ...]
    reason: str
    is_shadow: bool
    would: Outcome
    regrade: Mapping[Risk, Risk]
    verdicts: Mapping[Risk, Verdict]
    lifts_grave: bool
    low_confidence: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Bands of the agent's own confidence; as a ceiling, the higher thresholds count.

    Attributes:
        high_above: above it nothing changes.
        low_below: below it confidence is low.
        low: what low confidence does.
    """

    high_above: float = 0.0
    low_below: float = 0.0
    low: Outcome = Outcome.ASK


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """Rules and ladder of one layer, or of several merged into the base.

    Attributes:
        name: ``built-in``, ``config``, ``managed``, ``user``, ``project``, or ``base`` for the merged one.
        rules: in the order in which they are tried.
        ladder: what happens at each risk when no rule matches.
        unknown: what happens in addition to what is not understood.
        confidence: its thresholds.
    """

    name: str
    rules: tuple[Rule, ...]
    ladder: Mapping[Risk, Verdict]
    unknown: Verdict
    confidence: Thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A layer's file as it was read.

    Attributes:
        layer: its name.
        path: where it lies; ``""`` for what comes with the program.
        digest: SHA-256 (hex) of its bytes; ``""`` when it could not be read.
        problem: why it cannot be used, a sentence; ``""`` when it can.
    """

    layer: str
    path: str
    digest: str
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class General:
    """What belongs to a policy as a whole and to no rule.

    Attributes:
        protected: globs of protected branches.
        quiet_hours: those of the strongest file that has any; None when there are none.
        managed_quiet_hours: those of the managed files alone.
        managed_recipients: whom the routes of managed files name.
        terminal_decisions: whether a terminal on this machine may decide (I1).
        break_glass_s: seconds, the longest break-glass window; 0: there is no break-glass.
        recipients: everybody whom any route tells.
    """

    protected: tuple[str, ...]
    quiet_hours: QuietHours | None
    managed_quiet_hours: QuietHours | None = None
    managed_recipients: frozenset[str] = frozenset()
    terminal_decisions: bool
    break_glass_s: int = 0
    recipients: tuple[str, ...] = ()

    def quiet_hours_for(self, stages: Iterable[Stage]) -> QuietHours | None:
        """The hours that hold back messages about these: what managed routes tell, only managed hours may delay."""
        is_managed = any(not self.managed_recipients.isdisjoint(each.recipients) for each in stages)
        return self.managed_quiet_hours if is_managed else self.quiet_hours
