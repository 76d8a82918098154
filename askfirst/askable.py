"""Why something cannot be asked: it is refused at once, with the reason and the fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.engine.answer import OPTIONS_MAX, schema_problem

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from askfirst.people import Electorate
    from askfirst.terms import Terms


def unusable_question(question: str, options: Sequence[str], answer_schema: str) -> str:
    """Why no answer to this question could be checked, or ``""``."""
    if question and not question.strip():
        return "the question has no words"
    if len(options) > OPTIONS_MAX:
        return f"a question may offer {OPTIONS_MAX} options, this one has {len(options)}"
    if len({" ".join(each.split()) for each in options}) < len(options):
        return "two options are the same; an answer could not tell them apart"
    if options and answer_schema:
        return "give either options or a schema"
    return schema_problem(answer_schema)


def unreachable(terms: Terms, schemes: Collection[str]) -> str:
    """Why people cannot be told on these terms, or ``""`` (I6)."""
    recipients = [each for stage in terms.stages for each in stage.recipients]
    recipients += [each for step in terms.escalation for each in step.recipients]
    unknown = next((each for each in recipients if each.partition(":")[0] not in schemes), None)
    if unknown is None:
        return ""
    known = ", ".join(sorted(schemes))
    return (
        f"the rule {terms.rule} tells {unknown}, and there is no such channel here (known: {known}); set the channel "
        "up, or mend the rule's route"
    )


def nobody_for(terms: Terms, electorate: Electorate) -> str:
    """Why not enough people could decide on these terms, or ``""`` (I6)."""
    for stage in terms.stages:
        if not electorate.has_enough(stage.reviewers, stage.approvals_needed):
            who = ", ".join(stage.reviewers) or "everybody who is known"
            found = len(electorate.named(stage.reviewers))
            name = f" for its stage {stage.name}" if stage.name else ""
            return (
                f"the rule {terms.rule} needs {stage.approvals_needed} of {who}{name}, and {found} of these can "
                "decide here; add people to the configuration, or mend the rule"
            )
    if not electorate.has_enough((), terms.approvals_needed):  # nobody counts twice, not even by a handover
        return (
            f"the rule {terms.rule} needs {terms.approvals_needed} different people over its stages, and "
            f"{len(electorate.named(()))} can decide here; add people to the configuration, or mend the rule"
        )
    if not electorate.has_different((each.reviewers, each.approvals_needed) for each in terms.stages):
        who = " and ".join(
            f"{each.approvals_needed} of {', '.join(each.reviewers) or 'everybody'}" for each in terms.stages
        )
        return (
            f"the rule {terms.rule} needs {who}, all of them different people, and here are too few for all of that; "
            "add people to the configuration, or mend the rule"
        )
    return ""


def unvouched(terms: Terms, vouched_max: int, *, is_question: bool) -> str:
    """Why no review could be worth enough, so that it could only expire, or ``""`` (I6).

    What a break-glass code may release can wait for that one, whatever reviews are worth.
    """
    if terms.assurance_min <= vouched_max or (terms.break_glass_s and not is_question):
        return ""
    return (
        f"the rule {terms.rule} wants reviews of assurance {terms.assurance_min}, and no channel here vouches for more "
        f"than {vouched_max}; set up one that does, or mend the rule's assurance"
    )
