"""From raw policies to layers: every key is resolved here, once, and nothing optional is left behind."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from askfirst.effects import EffectKind, Risk
from askfirst.errors import PolicyError
from askfirst.policy.bounds import Bounds
from askfirst.policy.layer import General, Layer, Rule, Thresholds, Verdict
from askfirst.policy.matcher import Matcher, Week
from askfirst.policy.read import nearest, settings_of
from askfirst.policy.ruling import ONCE, UNLIMITED_S, EscalationStep, Outcome, QuietHours, ScopeOffer, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from askfirst.policy.matcher import Condition
    from askfirst.policy.raw import RawMatch, RawPolicy, RawRule, RawStage, RawTerms, RawTime

_DAYS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
_ROUTES = ("default", "critical", "async")
"""Names that may be used without being defined: they fall back to ``default``."""
COMPLETE = Bounds(
    stages=(Stage(),),
    deny_ends=True,
    approval_timeout_s=600,
    grant_ttl_s=120,
    late_grant_ttl_s=600,
    on_timeout="reject",
    scopes=(ONCE,),
)
"""Where terms start that must be complete; a file refines them."""
NEUTRAL = Bounds()
"""Where limits start; see ``Bounds``."""

Named = tuple[str, "RawPolicy"]
"""A raw policy with the name of its layer."""


class Builder:
    """Builds layers from raw policies; holds what they have in common.

    Args:
        routes: name -> recipients; ``default`` is there.
        protected: globs of protected branches.
        compile_condition: makes a condition of a CEL expression; raises PolicyError when it cannot.
        kept: name -> recipients who hear of what takes that route, wherever another layer sends it.
    """

    def __init__(
        self,
        *,
        routes: Mapping[str, tuple[str, ...]],
        protected: tuple[str, ...],
        compile_condition: Callable[[str], Condition],
        kept: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self._routes = routes
        self._kept = kept or {}
        self._protected = protected
        self._compile = compile_condition

    def layer(self, name: str, raws: Sequence[Named], start: Bounds) -> Layer:
        """One layer made of several files.

        Args:
            name: of the layer.
            raws: from the weakest to the strongest: the rules of the strongest are tried first.
            start: ``COMPLETE`` for a base, ``NEUTRAL`` for a ceiling.

        Raises:
            PolicyError: a route is unknown, or a condition cannot be compiled.
        """
        rungs = {risk: _overlaid(getattr(raw.risk, risk.label) for _, raw in raws) for risk in Risk}
        unknown = _overlaid(raw.unknown for _, raw in raws)
        rules = [self._rule(own, rule, rungs, start) for own, raw in reversed(raws) for rule in raw.rule]
        return Layer(
            name=name,
            rules=tuple(rules),
            ladder={risk: self._verdict(rungs[risk], start, f"risk.{risk.label}") for risk in Risk},
            unknown=self._verdict(unknown, start, "unknown"),
            confidence=_thresholds([raw for _, raw in raws]),
        )

    def _rule(self, layer: str, raw: RawRule, rungs: Mapping[Risk, dict[str, Any]], start: Bounds) -> Rule:
        own = settings_of(raw)
        said = raw.would if raw.outcome == "shadow" else raw.outcome
        given = {**own, "outcome": said} if said else own
        where = f"rule {raw.name!r}"
        return Rule(
            layer=layer,
            name=raw.name,
            match=self._matcher_at(raw.match, where),
            unless=(self._matcher_at(raw.unless, where),) if raw.unless else (),
            reason=raw.reason,
            is_shadow=raw.outcome == "shadow",
            would=Outcome(said or "ask"),
            regrade=dict.fromkeys(Risk, Risk.of(raw.risk)) if raw.risk else {},
            verdicts={risk: self._verdict(_over(rungs[risk], given), start, where) for risk in Risk},
            lifts_grave=_lifts_grave(raw, start),
            low_confidence=Outcome(raw.low_confidence or "ask"),
        )

    def _verdict(self, given: Mapping[str, Any], start: Bounds, where: str) -> Verdict:
        bounds = self._bounds(given, start, where)
        if start is COMPLETE and bounds.on_timeout == "escalate" and not bounds.escalation:
            raise PolicyError(f"{where}: on_timeout = 'escalate' needs escalation steps, there are none")
        return Verdict(outcome=Outcome(given.get("outcome", "allow")), bounds=bounds)

    def _bounds(self, given: Mapping[str, Any], start: Bounds, where: str) -> Bounds:
        def told(route: str | None) -> tuple[str, ...]:
            return self._recipients(route or given.get("route") or "default", where)

        scopes = tuple(ScopeOffer(kind=s.kind, amount=s.amount, pattern=s.pattern) for s in given.get("scopes", ()))
        return Bounds(
            stages=_stages(given, start, told),
            told=self._kept.get(given.get("route", ""), ()),
            deny_ends=given.get("deny_ends", start.deny_ends),
            assurance_min=given.get("assurance", start.assurance_min),
            approval_timeout_s=given.get("approval_timeout_s", start.approval_timeout_s),
            wished_timeout_max_s=given.get("approval_timeout_s", UNLIMITED_S) if start is NEUTRAL else UNLIMITED_S,
            grant_ttl_s=given.get("grant_ttl_s", start.grant_ttl_s),
            late_grant_ttl_s=given.get("late_grant_ttl_s", start.late_grant_ttl_s),
            on_timeout=given.get("on_timeout", start.on_timeout),
            reminders_s=tuple(given.get("reminders_s", start.reminders_s)),
            escalation=tuple(
                EscalationStep(after_s=step.after_s, reviewers=tuple(step.reviewers or ()), recipients=told(step.route))
                for step in given.get("escalation", ())
            ),
            scopes=tuple(dict.fromkeys((ONCE, *scopes))) if scopes else start.scopes,
            witness_required=given.get("witness", start.witness_required),
            break_glass_s=given.get("break_glass_s", start.break_glass_s),
        )

    def _recipients(self, route: str, where: str) -> tuple[str, ...]:
        if route in self._routes:
            return self._routes[route]
        if route in _ROUTES:
            return self._routes["default"]
        raise PolicyError(f"{where}: no route {route!r}{nearest(route, sorted({*self._routes, *_ROUTES}))}")

    def _matcher_at(self, raw: RawMatch, where: str) -> Matcher:
        try:
            return self._matcher(raw)
        except PolicyError as error:  # of its condition, which does not know whose it is
            raise PolicyError(f"{where}: {error}") from error

    def _matcher(self, raw: RawMatch) -> Matcher:
        return Matcher(
            effects=frozenset(EffectKind(each) for each in _many(raw.effect)),
            rules=_many(raw.rule),
            risks=frozenset(Risk.of(each) for each in _many(raw.risk)),
            tools=_many(raw.tool),
            commands=_many(raw.command),
            paths=tuple(_anchored(each) for each in _many(raw.path)),
            inside=frozenset(() if raw.inside_project is None else (raw.inside_project,)),
            repositories=_many(raw.repository),
            branches=_many(raw.branch),
            branch_is=raw.branch_is or "",
            protected=self._protected,
            hosts=_many(raw.host),
            agents=_many(raw.agent),
            sessions=_many(raw.session),
            models=_many(raw.model),
            times=tuple(_week(each) for each in _many(raw.time)),
            confidence_below=raw.confidence_below or 0.0,
            conditions=(self._compile(raw.condition),) if raw.condition else (),
        )


def _lifts_grave(raw: RawRule, start: Bounds) -> bool:
    """Whether a rule may let pass high and critical: it names what, or it is a limit, which lets nothing pass."""
    is_limit = start is NEUTRAL and raw.outcome != "allow"
    return is_limit or bool({"effect", "rule", "risk"} & raw.match.model_fields_set)


def merged_routes(raws: Sequence[RawPolicy], fixed: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    """Name -> recipients; later files replace, but those of ``fixed`` (managed) are always told as well."""
    routes: dict[str, list[str]] = {}
    for raw in raws:
        routes |= raw.routes
    return {name: tuple(dict.fromkeys([*fixed.get(name, ()), *recipients])) for name, recipients in routes.items()}


def protected_of(raws: Sequence[RawPolicy]) -> tuple[str, ...]:
    """Globs of protected branches: the last file that names any, or none, says which."""
    named = (raw.branches.protected for raw in reversed(raws) if raw.branches.protected is not None)
    return tuple(next(named, ()))


def general_of(
    raws: Sequence[RawPolicy], managed: Sequence[RawPolicy], routes: Mapping[str, tuple[str, ...]]
) -> General:
    """What belongs to no rule; managed files can switch terminal decisions and break-glass off for everybody."""
    terminal = False
    glass_s = 0
    for raw in raws:
        terminal = raw.terminal_decisions if raw.terminal_decisions is not None else terminal
        glass_s = raw.break_glass_s if raw.break_glass_s is not None else glass_s
    forbidden = any(raw.terminal_decisions is False for raw in managed)
    return General(
        protected=protected_of(raws),
        quiet_hours=_quiet_hours(raws),
        managed_quiet_hours=_quiet_hours(managed),
        managed_recipients=frozenset(each for raw in managed for to in raw.routes.values() for each in to),
        terminal_decisions=terminal and not forbidden,
        break_glass_s=min([glass_s, *(raw.break_glass_s for raw in managed if raw.break_glass_s is not None)]),
        recipients=tuple(dict.fromkeys(each for recipients in routes.values() for each in recipients)),
    )


def _quiet_hours(raws: Sequence[RawPolicy]) -> QuietHours | None:
    hours = next((raw.quiet_hours for raw in reversed(raws) if raw.quiet_hours is not None), None)
    if hours is None:
        return None
    risks = tuple(Risk.of(each) for each in hours.risks)
    return QuietHours(start=hours.start, end=hours.end, timezone=hours.timezone, risks=risks)


def _overlaid(terms: Iterable[RawTerms]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for each in terms:
        given = _over(given, settings_of(each))
    return given


def _over(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of both, the upper ones first; the two ways to say how many approve replace each other."""
    if "stages" in upper:
        lower = {key: value for key, value in lower.items() if key not in {"approvals", "reviewers"}}
    elif {"approvals", "reviewers"} & set(upper):
        lower = {key: value for key, value in lower.items() if key != "stages"}
    return {**lower, **upper}


def _stages(
    given: Mapping[str, Any], start: Bounds, told: Callable[[str | None], tuple[str, ...]]
) -> tuple[Stage, ...]:
    raws: list[RawStage] = given.get("stages", [])
    if raws:
        return tuple(
            Stage(
                name=raw.name,
                approvals_needed=raw.approvals,
                reviewers=tuple(raw.reviewers or ()),
                recipients=told(raw.route),
            )
            for raw in raws
        )
    if start is not COMPLETE and not {"approvals", "reviewers"} & set(given):
        return ()
    reviewers = tuple(given.get("reviewers", ()))
    return (Stage(approvals_needed=given.get("approvals", 1), reviewers=reviewers, recipients=told(None)),)


def _thresholds(raws: Sequence[RawPolicy]) -> Thresholds:
    given: dict[str, Any] = {}
    for raw in raws:
        given |= settings_of(raw.confidence)
    return Thresholds(
        high_above=given.get("high_above", 0.0),
        low_below=given.get("low_below", 0.0),
        low=Outcome(given.get("low", "ask")),
    )


def _many(value: Any) -> tuple[Any, ...]:
    """One value or a list of them, as a tuple."""
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list) else (value,)


def _anchored(path: str) -> str:
    """``~`` is the person's home; anything else without a leading slash stays relative to the project."""
    if path == "~" or path.startswith("~/"):
        return str(Path.home()) + path[1:]
    return path.removeprefix("./")


def _week(raw: RawTime) -> Week:
    start, _, end = raw.hours.partition("-")
    return Week(
        days=frozenset(_DAYS[day] for day in raw.days),
        start_min=_minutes(start),
        end_min=_minutes(end),
        timezone=raw.timezone,
    )


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)
