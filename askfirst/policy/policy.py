"""The policy: from a question to a ruling, without looking at anything else.

In order, for every part of the call (``subject``):

1. The base decides: the first rule that matches (the user's, then managed ones), else the rung of its risk.
2. Ceilings tighten it, and can do nothing else: managed first, then the project's.

The strictest part is the ruling on the call. Then the requester's own word is weighed: its claim, its confidence and
its wish for a person can only make the ruling stricter, because the ruling without them is always joined in.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from askfirst.effects import Risk
from askfirst.policy.bounds import Bounds, bounds_of, settled_deadline, settled_scopes, stricter, tightened
from askfirst.policy.confidence import band_of
from askfirst.policy.matcher import Fit
from askfirst.policy.ruling import Band, Outcome, Ruling
from askfirst.policy.subject import SUBJECTS_MAX, subjects_of
from askfirst.request import Claim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.policy.layer import General, Layer, Loaded, Rule, Verdict
    from askfirst.policy.matcher import Matcher
    from askfirst.policy.question import Question
    from askfirst.policy.subject import Subject

BUILT_IN = "built-in"
_SAID = {Outcome.ALLOW: "lets pass", Outcome.ASK: "asks a person about", Outcome.DENY: "denies"}
_WHAT = {Outcome.ALLOW: "allowed", Outcome.ASK: "asked about", Outcome.DENY: "denied"}
_UNKNOWN = "unknown"
_TERMS = (
    "deny_ends",
    "assurance_min",
    "approval_timeout_s",
    "grant_ttl_s",
    "late_grant_ttl_s",
    "on_timeout",
    "witness_required",
    "break_glass_s",
)
"""Terms of which it can be told who has set them: the ruling's is one that some rule has said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All layers that hold for one call.

    Attributes:
        base: the layers that decide, merged.
        ceilings: the layers that tighten, in order.
        general: what belongs to no rule.
        loaded: every file that was read, with its digest.
        digest: SHA-256 (hex) over the names and digests of all of them.
    """

    base: Layer
    ceilings: tuple[Layer, ...]
    general: General
    loaded: tuple[Loaded, ...]
    digest: str

    @property
    def asks_repository(self) -> bool:
        """Whether a rule asks for the repository or a branch, which takes a look at git's files."""
        return any(each.repositories or each.branches or each.branch_is or each.conditions for each in self._matchers())

    @property
    def asks_paths(self) -> bool:
        """Whether a rule asks where a path lies."""
        return any(each.paths or each.inside or each.conditions for each in self._matchers())

    def _matchers(self) -> Iterator[Matcher]:
        for layer in (self.base, *self.ceilings):
            for rule in layer.rules:
                yield from (rule.match, *rule.unless)

    def rule_on(self, question: Question) -> Ruling:
        """What happens to this call, and on which terms."""
        problem = next((each for each in self.loaded if each.problem), None)
        if problem is not None:
            return self._refusal(problem, question)
        silent = replace(question, claim=Claim(), requires_approval=False)
        notes = _Notes()
        parts = self._parts(silent, notes)
        if question.claim != silent.claim:
            parts += self._parts(question, notes)
        band, wanted = band_of(question.claim.confidence, (self.base, *self.ceilings), notes.low_confidence)
        if question.requires_approval and wanted is Outcome.ALLOW:
            wanted = Outcome.ASK
        ruling = self._joined(parts, band, wanted)
        quiet_hours = self.general.quiet_hours_for(ruling.stages)
        return replace(ruling, quiet_hours=quiet_hours, band=band, shadowed_by=tuple(dict.fromkeys(notes.shadows)))

    def setters(self, question: Question) -> dict[str, str]:
        """Of a ruling's terms those that another rule has set than the one that it names, with that rule.

        A rule may make stricter what another one decides: a ceiling, or one of several that fit.
        """
        ruling, notes = self.rule_on(question), _Notes()
        self._parts(replace(question, claim=Claim(), requires_approval=False), notes)
        self._parts(question, notes)
        found = {}
        for term in _TERMS:
            value = getattr(ruling, term)
            same = [each for each in notes.said if getattr(each.verdict.bounds, term) == value]
            if same and (ruling.policy, ruling.rule) not in {(each.layer, each.name) for each in same}:
                asked = next((each for each in same if each.verdict.outcome is not Outcome.ALLOW), same[0])
                found[term] = f"{asked.name} of the {asked.layer} policy"
        return found

    def _joined(self, parts: list[Ruling], band: Band, wanted: Outcome) -> Ruling:
        """The ruling on all parts together, at least what the requester's word calls for."""
        freest = functools.reduce(stricter, parts)
        if wanted.strictness <= freest.outcome.strictness and freest.outcome is not Outcome.ASK:
            return freest
        lifted = [tightened(each, Bounds(), outcome=wanted) for each in parts]
        ruling = functools.reduce(stricter, lifted)
        if ruling.outcome is freest.outcome:
            return replace(ruling, policy=freest.policy, rule=freest.rule, reason=freest.reason)
        if wanted.strictness > Outcome.ALLOW.strictness and band.effect and band.name != "high":
            return replace(ruling, rule=f"confidence.{band.name}", reason=band.effect)
        return replace(ruling, rule="requester", reason="the requester asks for approval")

    def _parts(self, question: Question, notes: _Notes) -> list[Ruling]:
        subjects = subjects_of(question)
        parts = [self._on(each, question, notes) for each in subjects[:SUBJECTS_MAX]]
        if len(subjects) > SUBJECTS_MAX:
            reason = f"it has more than {SUBJECTS_MAX} parts, too many to judge one by one"
            parts.append(replace(parts[0], outcome=Outcome.ASK, rule="limits", reason=reason))
        return parts

    def _on(self, subject: Subject, question: Question, notes: _Notes) -> Ruling:
        says = _says(self.base, subject.risk, subject, question, notes)
        ruling = functools.reduce(stricter, (self._based(each, subject) for each in says))
        for ceiling in self.ceilings:
            for said in _says(ceiling, max(subject.risk, ruling.risk), subject, question, notes):
                ruling = self._limited(ruling, said, subject)
        if ruling.on_timeout == "approve" and subject.risk >= Risk.HIGH:  # a rule may have graded it down
            return replace(ruling, on_timeout="reject")
        return ruling

    def _based(self, said: _Said, subject: Subject) -> Ruling:
        bounds = said.verdict.bounds
        return Ruling(
            outcome=said.verdict.outcome,
            policy=said.layer,
            policy_digest=self.digest,
            rule=said.name,
            reason=said.reason(subject),
            risk=said.risk,
            stages=bounds.stages,
            deny_ends=bounds.deny_ends,
            assurance_min=bounds.assurance_min,
            approval_timeout_s=bounds.approval_timeout_s,
            grant_ttl_s=bounds.grant_ttl_s,
            late_grant_ttl_s=bounds.late_grant_ttl_s,
            on_timeout=settled_deadline(bounds.on_timeout, said.risk, bounds.escalation),
            reminders_s=bounds.reminders_s,
            escalation=bounds.escalation,
            scopes=settled_scopes(bounds.scopes, said.risk),
            witness_required=bounds.witness_required,
            break_glass_s=min(bounds.break_glass_s, self.general.break_glass_s),
        )

    def _limited(self, ruling: Ruling, said: _Said, subject: Subject) -> Ruling:
        """The ruling under what a ceiling says; a call that it raises is asked about as its new risk is."""
        tighter = ruling
        if said.regraded > ruling.risk:
            rung = _Said(layer=said.layer, name=said.name, risk=said.regraded, verdict=self.base.ladder[said.regraded])
            raised = self._based(rung, subject)
            tighter = tightened(ruling, bounds_of(raised), outcome=raised.outcome, risk=raised.risk)
        tighter = tightened(tighter, said.verdict.bounds, outcome=said.verdict.outcome)
        if (tighter.outcome, tighter.risk) == (ruling.outcome, ruling.risk):
            return tighter
        return replace(tighter, policy=said.layer, rule=said.name, reason=said.reason(subject, tighter.outcome))

    def _refusal(self, problem: Loaded, question: Question) -> Ruling:
        """What an unreadable layer would govern is denied, never decided as if the layer were not there."""
        return Ruling(
            outcome=Outcome.DENY,
            policy=problem.layer,
            policy_digest=self.digest,
            rule="unreadable",
            reason=f"the {problem.layer} policy cannot be used, so nothing that it governs may run: {problem.problem}; "
            "a person has to mend the file, then the same call can be made again",
            risk=question.classification.risk,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a layer says about one part of a call.

    Attributes:
        layer: in whose name.
        name: of the rule or rung.
        risk: as it sees it.
        rule: the rule it comes from; none for a rung.
    """

    layer: str
    name: str
    risk: Risk
    verdict: Verdict
    rule: tuple[Rule, ...] = ()

    @property
    def regraded(self) -> Risk:
        """The risk that the rule gives it in so many words, else low."""
        return self.risk if self.rule and self.rule[0].regrade else Risk.LOW

    def reason(self, subject: Subject, outcome: Outcome | None = None) -> str:
        """The rule's own words, else what it does and why."""
        if self.rule and self.rule[0].reason:
            return self.rule[0].reason
        outcome = outcome or self.verdict.outcome
        if self.rule:
            return f"rule {self.name!r} of the {self.layer} policy {_SAID[outcome]} this"
        lost = f"{subject.effect.loss}: " if subject.effect else ""
        if self.name == _UNKNOWN:
            return f"{lost}not everything in it is understood, and that is {_WHAT[outcome]}"
        return f"{lost}{self.risk.label} risk is {_WHAT[outcome]}"


@dataclass(slots=True)
class _Notes:
    """What is gathered on the way, over all parts of a call.

    Attributes:
        shadows: shadow rules that matched, and what they would do.
        low_confidence: what the rules that counted say about low confidence, the strictest.
        said: all that counted.
    """

    shadows: list[str] = field(default_factory=list)
    low_confidence: Outcome = Outcome.ASK
    said: list[_Said] = field(default_factory=list)


def _says(layer: Layer, risk: Risk, subject: Subject, question: Question, notes: _Notes) -> list[_Said]:
    """What counts of a layer, noted."""
    said = list(_said(layer, risk, subject, question, notes))
    notes.said += said
    return said


def _said(layer: Layer, risk: Risk, subject: Subject, question: Question, notes: _Notes) -> Iterator[_Said]:
    """What counts of a layer: the first rule that fits for sure, and before it those that may fit; else the rungs."""
    for rule in layer.rules:
        fit = _fit(rule, subject, question)
        if fit is Fit.NO:
            continue
        if rule.is_shadow:
            notes.shadows.append(f"{rule.name} would {rule.would.value}")
            continue
        seen = rule.regrade.get(risk, risk)
        verdict = rule.verdicts[seen]
        if verdict.outcome is Outcome.ALLOW and not rule.lifts_grave and subject.risk >= Risk.HIGH:
            continue
        if rule.low_confidence is Outcome.DENY:
            notes.low_confidence = Outcome.DENY
        yield _Said(layer=rule.layer, name=rule.name, risk=seen, verdict=verdict, rule=(rule,))
        if fit is Fit.YES:
            return
    yield _Said(layer=layer.name, name=f"risk.{risk.label}", risk=risk, verdict=layer.ladder[risk])
    if not subject.is_understood:
        yield _Said(layer=layer.name, name=_UNKNOWN, risk=risk, verdict=layer.unknown)


def _fit(rule: Rule, subject: Subject, question: Question) -> Fit:
    fit = rule.match.fits(subject, question)
    for exception in rule.unless if fit is not Fit.NO else ():
        excepted = exception.fits(subject, question)
        if excepted is Fit.YES:
            return Fit.NO
        if excepted is Fit.MAYBE:
            fit = Fit.MAYBE
    return fit
