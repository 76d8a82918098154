"""Who may decide, and when enough have: stages one after the other, distinct people in all of them.

A person counts once over all stages, by whatever channel; whoever asks never counts, and neither does a program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.request import Verdict
from askfirst.seats import first_empty

if TYPE_CHECKING:
    from askfirst.engine.case import Case
    from askfirst.people import Electorate
    from askfirst.policy.ruling import Stage
    from askfirst.request import Request


def approvers(case: Case, stage: int | None = None) -> set[str]:
    """Whose approval stands for the newest version, in one stage or in all."""
    counted = case.counted()
    deniers = {each.person for each in counted if each.verdict is Verdict.DENY}
    return {
        each.person
        for each in counted
        if each.verdict is Verdict.APPROVE and stage in {None, each.stage} and each.person not in deniers
    }


def current_stage(case: Case) -> int:
    """Index of the first stage that still lacks approvals; the number of stages when none does."""
    stages = case.request.terms.stages
    lacking = (each for each, stage in enumerate(stages) if len(approvers(case, each)) < stage.approvals_needed)
    return next(lacking, len(stages))


def stage_at(request: Request, stage: int) -> Stage:
    """The stage with this index, the last one for any beyond."""
    return request.terms.stages[min(stage, len(request.terms.stages) - 1)]


def progress(case: Case) -> str:
    """How far it is, e.g. ``1 of 2 approvals`` or ``proposer 1 of 1, confirmer 0 of 1``; ``""`` where one decides."""
    stages = case.request.terms.stages
    counts = [(each.name, len(approvers(case, index)), each.approvals_needed) for index, each in enumerate(stages)]
    if len(counts) > 1:
        return ", ".join(f"{name or f'stage {index + 1}'} {n} of {m}" for index, (name, n, m) in enumerate(counts))
    _, given, needed = counts[0]
    return f"{given} of {needed} approvals" if needed > 1 else ""


def may_approve(case: Case, person: str, electorate: Electorate) -> str:
    """Why this person may not approve in the current stage, or ``""``."""
    request = case.request
    stage = current_stage(case)
    handed = [each for each in request.handovers if each.stage == stage and person in {each.by, each.to}]
    if handed and handed[-1].by == person:
        return f"you handed this to {handed[-1].to}"
    if handed and electorate.may(person, ()):
        return ""
    if _is_asked(request, stage, person, electorate):
        return ""
    name = stage_at(request, stage).name
    return f"{person} is not among the reviewers of {f'the {name} stage of ' if name else ''}this request"


def may_deny(case: Case, person: str, electorate: Electorate) -> str:
    """Why this person may not deny, or ``""``: whoever may approve in any stage may deny in every one."""
    request = case.request
    stages = range(len(request.terms.stages))
    if any(_is_asked(request, each, person, electorate) for each in stages):
        return ""
    if any(each.to == person for each in request.handovers) and electorate.may(person, ()):
        return ""
    return f"{person} is not among the reviewers of this request"


def can_still_pass(case: Case, electorate: Electorate) -> bool:
    """Whether enough people are left for the current stage, now that some have denied."""
    return _has_enough_left(case, current_stage(case), electorate, escalated=case.request.escalated)


def stranded(case: Case, electorate: Electorate) -> Stage | None:
    """The first stage that too few are left for, also after every escalation, as each person counts once; or None."""
    terms = case.request.terms
    seats: list[tuple[Stage, frozenset[str]]] = []
    for index in range(current_stage(case), len(terms.stages)):
        stage = terms.stages[index]
        if electorate.is_open and not stage.reviewers:
            continue
        left = _left(case, index, electorate, escalated=len(terms.escalation))
        seats += [(stage, left)] * (stage.approvals_needed - len(approvers(case, index)))
    empty = first_empty([left for _, left in seats])
    return None if empty is None else seats[empty][0]


def _has_enough_left(case: Case, stage: int, electorate: Electorate, *, escalated: int) -> bool:
    """Whether a stage can still get its approvals, with the reviewers of so many escalation steps."""
    rule = stage_at(case.request, stage)
    if electorate.is_open and not rule.reviewers:
        return True
    left = _left(case, stage, electorate, escalated=escalated)
    return len(approvers(case, stage)) + len(left) >= rule.approvals_needed


def _left(case: Case, stage: int, electorate: Electorate, *, escalated: int) -> frozenset[str]:
    """Who may approve in a stage and has said nothing yet, with the reviewers of so many escalation steps."""
    request = case.request
    rule = stage_at(request, stage)
    spent = {each.person for each in case.counted() if each.verdict in {Verdict.DENY, Verdict.APPROVE}}
    spent |= {each.by for each in request.handovers if each.stage == stage}
    left = set(electorate.named(rule.reviewers)) | {each.to for each in request.handovers if each.stage == stage}
    for step in request.terms.escalation[:escalated]:
        left |= electorate.named(step.reviewers) if step.reviewers else frozenset()
    return frozenset(left - spent)


def _is_asked(request: Request, stage: int, person: str, electorate: Electorate) -> bool:
    if electorate.may(person, stage_at(request, stage).reviewers):
        return True
    steps = request.terms.escalation[: request.escalated]
    return any(step.reviewers and electorate.may(person, step.reviewers) for step in steps)
