"""What the commands of ``askfirst policy`` do, and how they show it."""

from __future__ import annotations

import functools
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from askfirst.access import ASSURANCE_MAX
from askfirst.analyst import DiskAnalyst
from askfirst.assembly.owner import owner, people_of
from askfirst.call import ToolCall
from askfirst.circumstances import Circumstances
from askfirst.cli.output import console, print_json
from askfirst.cli.requests import RISK_STYLE
from askfirst.config import load_config
from askfirst.disk import Disk
from askfirst.errors import InputError, PolicyError
from askfirst.paths import config_file
from askfirst.people import Electorate
from askfirst.policy.backtest import EXAMPLES_MAX, backtest, past_call
from askfirst.policy.hidden import hidden_rules
from askfirst.policy.place import look_around
from askfirst.policy.question import Question
from askfirst.policy.routes import route_doubts
from askfirst.policy.ruler import Ruler
from askfirst.policy.ruling import Outcome
from askfirst.policy.slips import slips
from askfirst.policy.source import PROJECT_FILE, READY, check_file, open_source
from askfirst.policy.unstaffed import unstaffed_doubts
from askfirst.policy.unvouched import unvouched_doubts
from askfirst.policy_cases import load_cases, run_cases
from askfirst.request import Claim
from askfirst.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from askfirst.cli.policy import Schemes
    from askfirst.policy.backtest import Replayed, Report
    from askfirst.policy.layer import Loaded
    from askfirst.policy.policy import Policy
    from askfirst.policy.routes import RouteDoubt
    from askfirst.policy.ruling import Ruling, ScopeOffer, Stage

_STYLE = {Outcome.ALLOW: "bold green", Outcome.ASK: "bold yellow", Outcome.DENY: "bold red"}


def ruler_with(layer: Path | None) -> Ruler:
    """The policy in use here, or with this file as the person's.

    Raises:
        PolicyError: there is no such file, or it cannot be used: trying it would only show that everything is denied.
        ConfigError: the configuration cannot be used.
    """
    if layer is not None:
        check_file(layer, "user")
    return Ruler(open_source(load_config(config_file()), user=layer), Disk)


def question_about(text: str, *, tool: str, cwd: str, given: Circumstances) -> Question:
    """The question that such a call would be, made now where nothing else is given.

    Raises:
        InputError: the arguments are no JSON object.
    """
    try:
        arguments = {"command": text} if tool == "Bash" else json.loads(text)
    except ValueError as error:
        raise InputError(f"the arguments of {tool} are no JSON: {error}") from error
    if not isinstance(arguments, dict):
        raise InputError(f"the arguments of {tool} are no JSON object")
    call = ToolCall(tool=tool, arguments=arguments, cwd=cwd)
    return Question(
        call=call,
        classification=DiskAnalyst().classify(call),
        agent=given.asks,
        at=given.at or datetime.now(UTC),
        claim=Claim(confidence=given.confidence),
    )


def check(file: Path | None, kind: str, schemes: Schemes, *, as_json: bool) -> bool:
    """Say of each file whether it can be used, whom its routes cannot tell, and what is odd; whether all can be used.

    Raises:
        ConfigError: routes are named, and what is set up here cannot be read.
    """
    if file:
        problems, written = _problem_of(file, kind), [str(file)]
    else:
        loaded = _loaded_here()
        problems = {each.path or each.layer: each.problem for each in loaded}
        written = [each.path for each in loaded if each.layer in {"managed", "user", "project"}]
    readable = [Path(name) for name in written if not problems[name]]
    doubts = [each for name in readable for each in _doubts(name, schemes)]
    warnings = [each.text for each in doubts if not each.is_wrong]
    warnings += [each for name in readable for each in _warnings(name, schemes)]
    wrong = [each.text for each in doubts if each.is_wrong]
    is_good = not any(problems.values()) and not wrong
    if as_json:
        print_json({"ok": is_good, "files": problems, "routes": wrong, "warnings": warnings})
        return is_good
    for name, problem in problems.items():
        console.print(problem or f"{name} can be used", markup=False, soft_wrap=True)
    for each in (*wrong, *(f"warning: {each}" for each in warnings)):
        console.print(visible(each), markup=False, soft_wrap=True)
    return is_good


def _problem_of(file: Path, kind: str) -> dict[str, str]:
    try:
        check_file(file, kind or ("project" if file.name == PROJECT_FILE else "user"))
    except PolicyError as error:
        return {str(file): str(error)}
    return {str(file): ""}


def _loaded_here() -> Sequence[Loaded]:
    return _policy_in(str(Path.cwd())).loaded


def _policy_in(cwd: str) -> Policy:
    return ruler_with(None).policy_for(question_about("true", tool="Bash", cwd=cwd, given=Circumstances()))


def _warnings(file: Path, schemes: Schemes) -> list[str]:
    known, _always = schemes()
    vouched_max = max((ASSURANCE_MAX, *(known.get(each, 0) for each in _set_up(schemes))))
    content, source = file.read_bytes(), str(file)
    weak = unvouched_doubts(content, source=source, vouched_max=vouched_max)
    lonely = unstaffed_doubts(content, source=source, known=_configured())
    return [*weak, *lonely, *hidden_rules(content, source=source), *slips(content, source=source)]


def _configured() -> Electorate:
    """Who may decide here by the configuration."""
    config = load_config(config_file())
    requesters = frozenset() if config.requester.may_decide else frozenset({owner()})
    return Electorate(people=people_of(config), requesters=requesters)


def _set_up(schemes: Schemes) -> set[str]:
    _known, always = schemes()
    return {*always, *load_config(config_file()).channels}


def _doubts(file: Path, schemes: Schemes) -> list[RouteDoubt]:
    known, _always = schemes()
    there = _set_up(schemes)
    return route_doubts(file.read_bytes(), source=str(file), known={*known, *there}, there=there)


def explain(text: str, question: Question, layer: Path | None, *, as_json: bool) -> bool:
    """Show the ruling on a question; whether the call would just run."""
    ruler = ruler_with(layer)
    ruling, policy = ruler.rule_on(question), ruler.policy_for(question)
    setters = ruler.setters(question) if ruling.outcome is Outcome.ASK else {}
    if as_json:
        print_json({"command": text, **_ruling_object(ruling), "set_by": setters, "layers": _layers(policy)})
        return ruling.outcome is Outcome.ALLOW
    console.print(visible(text), markup=False, soft_wrap=True)
    for effect in question.classification.effects:
        line = Text(f"  {effect.risk.label:<9}", style=RISK_STYLE[effect.risk.label])
        line.append(f"{visible(effect.loss)}  ({effect.rule}, {effect.kind.value})", style="default")
        console.print(line, soft_wrap=True)
    console.print(
        Text(f"{ruling.outcome.value}: {visible(ruling.reason)}", style=_STYLE[ruling.outcome]), soft_wrap=True
    )
    for told in _explained(ruling, setters):
        console.print(f"  {visible(told)}", markup=False, soft_wrap=True)
    return ruling.outcome is Outcome.ALLOW


def _explained(ruling: Ruling, setters: Mapping[str, str]) -> list[str]:
    lines = [f"decided by rule {ruling.rule} of the {ruling.policy} policy, at {ruling.risk.label} risk"]
    if ruling.band.name != "none":
        lines.append(ruling.band.effect)
    lines += [f"shadow rule {each}" for each in ruling.shadowed_by]
    if ruling.outcome is Outcome.ASK:
        lines += [_stage_line(each) for each in ruling.stages]
        lines.append(
            f"people have {ruling.approval_timeout_s} s, then {ruling.on_timeout}; "
            f"an approval is good for {ruling.grant_ttl_s} s, a late one for {ruling.late_grant_ttl_s} s"
        )
        lines.append(f"least assurance {ruling.assurance_min}; may be approved {_scopes(ruling.scopes)}")
        lines += [f"{term} is as rule {rule} has it" for term, rule in setters.items()]
    lines.append(f"all layers: {ruling.policy_digest[:16]}")
    return lines


def _stage_line(stage: Stage) -> str:
    who = ", ".join(stage.reviewers) or "anybody who is known"
    return f"{stage.name or 'asks'}: {stage.approvals_needed} of {who}, told by {', '.join(stage.recipients)}"


def _scopes(scopes: Sequence[ScopeOffer]) -> str:
    shown = (
        f"{each.kind}{f' {each.amount}' if each.amount else ''}{f' ({each.pattern})' * bool(each.pattern)}"
        for each in scopes
    )
    return ", ".join(shown)


def run_case_file(file: Path, layer: Path | None, *, as_json: bool) -> bool:
    """Run a file of cases; whether all came out as expected."""
    results = run_cases(load_cases(file), DiskAnalyst().classify, ruler_with(layer).rule_on)
    wrong = [each for each in results if each.wrong]
    if as_json:
        rows = [
            {"case": each.case.number, "title": each.case.title, "ok": not each.wrong, "wrong": each.wrong}
            for each in results
        ]
        print_json({"cases": rows, "failed": len(wrong)})
        return not wrong
    for each in wrong:
        console.print(f"case {each.case.number}: {visible(each.case.title)}", markup=False, soft_wrap=True)
        console.print(f"    {each.wrong}", style="red", markup=False, soft_wrap=True)
    console.print(f"{len(results) - len(wrong)} of {len(results)} cases as expected")
    return not wrong


def backtested(entries: Sequence[Mapping[str, Any]], layer: Path | None) -> Report:
    """Try the policy on calls of the log."""
    analyst, ruler = DiskAnalyst(), ruler_with(layer)
    place_of = functools.cache(lambda cwd: look_around(os.path.realpath(cwd) if cwd else "", Disk()))
    calls = [past_call(each, analyst.classify, place_of) for each in entries]
    return backtest(calls, ruler.policy_for)


def show_report(report: Report, *, as_json: bool) -> None:
    """Show what a policy would have done: what people denied and it lets pass comes first."""
    if as_json:
        print_json(_report_object(report))
        return
    console.print(f"{report.total} calls tried{_untried(report)}", soft_wrap=True)
    _show_calls("lets pass what a person denied", report.false_allows, "bold red")
    _show_calls("stops what passed, or denies what a person approved", report.newly_stopped, "yellow")
    _show_calls("lets pass what a person approved (prompts saved)", report.saved, "green")
    for ended, outcomes in sorted(report.counts.items()):
        shown = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        console.print(f"{ended:<10} {shown}", markup=False)


def _untried(report: Report) -> str:
    why = (
        (report.erased, "had their arguments erased"),
        (report.never_kept, "never had them whole in the log: they were answered from an earlier request, or are long"),
    )
    told = " and ".join(f"{count} {words}" for count, words in why if count)
    return f", {report.unread} not: {told}" if told else ""


def _show_calls(title: str, calls: Sequence[Replayed], style: str) -> None:
    console.print(Text(f"{len(calls)} x {title}", style=style if calls else "dim"))
    for each in calls[:EXAMPLES_MAX]:
        told = f"    {each.past.at}  {visible(each.past.title)}  [{each.ruling.policy}: {each.ruling.rule}]"
        console.print(told.replace("\n", "⏎"), markup=False, soft_wrap=True)


def _report_object(report: Report) -> dict[str, Any]:
    def some(calls: Sequence[Replayed]) -> dict[str, Any]:
        examples = [
            {
                "at": each.past.at,
                "call": each.past.title,
                "outcome": each.ruling.outcome.value,
                "rule": each.ruling.rule,
            }
            for each in calls[:EXAMPLES_MAX]
        ]
        return {"count": len(calls), "examples": examples}

    return {
        "calls": report.total,
        "unread": report.unread,
        "erased": report.erased,
        "false_allow_on_human_denied": some(report.false_allows),
        "newly_stopped": some(report.newly_stopped),
        "prompts_saved": some(report.saved),
        "counts": {ended: dict(outcomes) for ended, outcomes in report.counts.items()},
    }


def list_layers(cwd: str, *, as_json: bool) -> None:
    """Show the layers in use for a folder, and the ready policies."""
    policy = _policy_in(cwd)
    if as_json:
        print_json({"sha256": policy.digest, "layers": _layers(policy), "ready": list(READY)})
        return
    for each in policy.loaded:
        console.print(f"{each.layer:<9} {each.digest[:12]:<13} {each.path}", markup=False, soft_wrap=True)
        if each.problem:
            console.print(f"    {each.problem}", style="red", markup=False, soft_wrap=True)
    console.print(f"all       {policy.digest[:12]}", markup=False)
    console.print(f"ready policies for `extends`: {', '.join(READY)}", style="dim", markup=False)


def _layers(policy: Policy) -> list[dict[str, str]]:
    return [
        {"layer": each.layer, "path": each.path, "sha256": each.digest, "problem": each.problem}
        for each in policy.loaded
    ]


def _ruling_object(ruling: Ruling) -> dict[str, Any]:
    return {
        "outcome": ruling.outcome.value,
        "policy": ruling.policy,
        "rule": ruling.rule,
        "reason": ruling.reason,
        "risk": ruling.risk.label,
        "policy_sha256": ruling.policy_digest,
        "stages": [
            {
                "name": each.name,
                "approvals": each.approvals_needed,
                "reviewers": list(each.reviewers),
                "recipients": list(each.recipients),
            }
            for each in ruling.stages
        ],
        "deny_ends": ruling.deny_ends,
        "assurance": ruling.assurance_min,
        "approval_timeout_s": ruling.approval_timeout_s,
        "grant_ttl_s": ruling.grant_ttl_s,
        "late_grant_ttl_s": ruling.late_grant_ttl_s,
        "on_timeout": ruling.on_timeout,
        "reminders_s": list(ruling.reminders_s),
        "scopes": [{"kind": each.kind, "amount": each.amount, "pattern": each.pattern} for each in ruling.scopes],
        "confidence": {"value": ruling.band.confidence, "band": ruling.band.name, "effect": ruling.band.effect},
        "witness": ruling.witness_required,
        "break_glass_s": ruling.break_glass_s,
        "shadowed_by": list(ruling.shadowed_by),
    }
