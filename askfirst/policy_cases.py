"""Case files: what a policy should make of commands, written down and run.

TOML; each case has a ``command`` (or ``tool`` and ``arguments``) and an ``expect``, and may name the ``rule`` that must
be among those found, a ``cwd`` and a ``note``::

    [[case]]
    command = "git push --force origin main"
    expect = "gate"                     # allow, gate or pass
    rule = "git.push-force"

    [[case]]
    command = "git push origin main"
    expect = "allow"
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from askfirst.call import ToolCall
from askfirst.effects import Outcome
from askfirst.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Self

    from askfirst.effects import Classification


class _RawCase(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    command: str | None = None
    tool: str | None = None
    arguments: dict[str, object] = Field(default_factory=dict)
    cwd: str = ""
    expect: Literal["allow", "gate", "pass"]
    rule: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.command is None) == (self.tool is None):
            raise ValueError("give either command or tool")
        return self


class _RawFile(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    case: list[_RawCase] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCase:
    """One call and what should become of it."""

    number: int
    call: ToolCall
    expect: Outcome
    rule: str
    note: str

    @property
    def title(self) -> str:
        """The command, or the tool's name."""
        return self.call.command or self.call.tool


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
        first = error.errors()[0]
        where = ".".join(str(part + 1 if isinstance(part, int) else part) for part in first["loc"])
        raise PolicyError(f"{path}: {where}: {first['msg']}") from error
    return [_case(number, each) for number, each in enumerate(raw.case, start=1)]


def run_cases(cases: list[PolicyCase], classify: Callable[[ToolCall], Classification]) -> list[CaseResult]:
    """Each case's result, in order."""
    results = []
    for case in cases:
        found = classify(case.call)
        results.append(CaseResult(case=case, found=found, wrong=_wrong(case, found)))
    return results


def _case(number: int, raw: _RawCase) -> PolicyCase:
    if raw.command is not None:
        call = ToolCall(tool="Bash", arguments={"command": raw.command}, cwd=raw.cwd)
    else:
        call = ToolCall(tool=raw.tool or "", arguments=raw.arguments, cwd=raw.cwd)
    return PolicyCase(number=number, call=call, expect=Outcome(raw.expect), rule=raw.rule, note=raw.note)


def _wrong(case: PolicyCase, found: Classification) -> str:
    rules = sorted({effect.rule for effect in found.effects})
    if found.outcome is not case.expect:
        return f"expected {case.expect.value}, got {found.outcome.value} ({', '.join(rules) or 'no rule'})"
    if case.rule and case.rule not in rules:
        return f"expected rule {case.rule}, got {', '.join(rules) or 'none'}"
    return ""
