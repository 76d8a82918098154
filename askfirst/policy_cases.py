"""Case files: what a policy should make of calls, written down and run.

TOML; each case has a ``command`` (or ``tool`` and ``arguments``), and says what it expects of the analysis
(``expect``), of the ruling (``outcome`` and the keys after it), or of both::

    [[case]]
    command = "git push --force origin main"
    expect = "gate"                     # the analysis: allow, gate or pass
    rule = "git.push-force"             # among the analysis' rules
    outcome = "deny"                    # the ruling: allow, ask or deny
    decided_by = "protected-history"    # the policy's rule, or e.g. "risk.high"
    risk = "critical"
    approvals = 2

    [[case]]
    command = "npm publish"
    outcome = "ask"
    branch = "main"                     # circumstances: branch, repository, cwd, and those of `Circumstances`
    confidence = 0.8
    at = 2026-11-25T22:00:00+01:00
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from askfirst.call import ToolCall
from askfirst.circumstances import Circumstances
from askfirst.effects import Outcome
from askfirst.errors import PolicyError
from askfirst.misfit import misfit
from askfirst.policy.question import Place, Question
from askfirst.policy.read import nearest
from askfirst.request import Claim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import Self

    from askfirst.effects import Classification
    from askfirst.host import Agent
    from askfirst.policy.ruling import Ruling

_NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""When a case is asked that gives no time: a Monday, so that a case file means the same every day."""


class _RawCase(Circumstances):
    command: str | None = None
    tool: str | None = None
    arguments: dict[str, object] = Field(default_factory=dict)
    cwd: str = ""
    expect: Literal["allow", "gate", "pass", ""] = ""
    rule: str = ""
    outcome: Literal["allow", "ask", "deny", ""] = ""
    decided_by: str = ""
    risk: Literal["low", "medium", "high", "critical", ""] = ""
    approvals: int = 0
    branch: str = ""
    default_branch: str = ""
    repository: str = ""
    session: str = "case"
    requires_approval: bool = False
    note: str = ""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.command is None) == (self.tool is None):
            raise ValueError("give either command or tool")
        if not (self.expect or self.outcome or self.decided_by):
            raise ValueError("give expect (of the analysis), or outcome or decided_by (of the ruling)")
        return self


class _RawFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    case: list[_RawCase] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a case expects; ``""`` and 0 where it does not care."""

    found: str = ""
    rule: str = ""
    outcome: str = ""
    decided_by: str = ""
    risk: str = ""
    approvals: int = 0

    @property
    def asks_policy(self) -> bool:
        """Whether a ruling is needed to judge the case."""
        return bool(self.outcome or self.decided_by or self.risk or self.approvals)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCase:
    """One call and what should become of it."""

    number: int
    call: ToolCall
    expected: Expected
    note: str
    agent: Agent
    place: Place
    claim: Claim
    requires_approval: bool
    at: datetime

    @property
    def title(self) -> str:
        """The command, or the tool's name."""
        return self.call.command or self.call.tool

    def question(self, found: Classification) -> Question:
        """What the policy is asked about it."""
        return Question(
            call=self.call,
            classification=found,
            agent=self.agent,
            at=self.at,
            place=self.place,
            claim=self.claim,
            requires_approval=self.requires_approval,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """What became of one case; ``wrong`` is a sentence, ``""`` when it is as expected."""

    case: PolicyCase
    found: Classification
    wrong: str


def load_cases(path: Path) -> list[PolicyCase]:
    """The cases in a file, in order.

    Raises:
        PolicyError: it cannot be read, or a case is not as the module docstring says; the message names it.
    """
    try:
        raw = _RawFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise PolicyError(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{path} is no case file: {error}") from error
    except ValidationError as error:
        errors = error.errors()
        first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
        where = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = tuple((_RawCase if len(first["loc"]) > 1 else _RawFile).model_fields)
            raise PolicyError(f"{path}: unknown key {where!r}{nearest(str(first['loc'][-1]), known)}") from error
        raise PolicyError(f"{path}: {where}: {misfit(first)}") from error
    return [_case(number, each) for number, each in enumerate(raw.case, start=1)]


def run_cases(
    cases: list[PolicyCase],
    classify: Callable[[ToolCall], Classification],
    rule_on: Callable[[Question], Ruling] | None = None,
) -> list[CaseResult]:
    """Each case's result, in order.

    Args:
        cases: to be tried.
        classify: the analysis.
        rule_on: the policy; without one only what cases expect of the analysis is checked.
    """
    results = []
    for case in cases:
        found = classify(case.call)
        faults = list(_faults_of_analysis(case.expected, found))
        if rule_on is not None and case.expected.asks_policy:
            faults += _faults_of_ruling(case.expected, rule_on(case.question(found)))
        results.append(CaseResult(case=case, found=found, wrong="; ".join(faults)))
    return results


def _case(number: int, raw: _RawCase) -> PolicyCase:
    if raw.command is not None:
        call = ToolCall(tool="Bash", arguments={"command": raw.command}, cwd=raw.cwd)
    else:
        call = ToolCall(tool=raw.tool or "", arguments=raw.arguments, cwd=raw.cwd)
    return PolicyCase(
        number=number,
        call=call,
        expected=Expected(
            found=raw.expect,
            rule=raw.rule,
            outcome=raw.outcome,
            decided_by=raw.decided_by,
            risk=raw.risk,
            approvals=raw.approvals,
        ),
        note=raw.note,
        agent=raw.asks,
        place=Place(project=raw.cwd, repository=raw.repository, branch=raw.branch, default_branch=raw.default_branch),
        claim=Claim(confidence=raw.confidence),
        requires_approval=raw.requires_approval,
        at=raw.at or _NOON,
    )


def _faults_of_analysis(expected: Expected, found: Classification) -> Iterator[str]:
    rules = sorted({effect.rule for effect in found.effects})
    if expected.found and found.outcome is not Outcome(expected.found):
        yield f"expected {expected.found}, got {found.outcome.value} ({', '.join(rules) or 'no rule'})"
    elif expected.rule and expected.rule not in rules:
        yield f"expected rule {expected.rule}, got {', '.join(rules) or 'none'}"


def _faults_of_ruling(expected: Expected, ruling: Ruling) -> Iterator[str]:
    got = {
        "outcome": (expected.outcome, ruling.outcome.value),
        "decided_by": (expected.decided_by, ruling.rule),
        "risk": (expected.risk, ruling.risk.label),
        "approvals": (expected.approvals, ruling.approvals_needed),
    }
    for name, (wanted, found) in got.items():
        if wanted and wanted != found:
            yield f"expected {name} {wanted}, got {found} (rule {ruling.rule} of the {ruling.policy} policy)"
