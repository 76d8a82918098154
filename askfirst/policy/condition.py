"""CEL conditions, by the package ``common-expression-language`` (extra ``askfirst[cel]``), imported here only.

CEL has no loops and no side effects, and its ``matches`` is a linear regular expression. Nested comprehensions over
long lists can still take long, so lists handed in are short, expressions are, and project files may hold none at all
(docs/adr/0008-conditions.md).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from askfirst.errors import PolicyError
from askfirst.policy.matcher import Condition, Fit
from askfirst.policy.read import nearest

if TYPE_CHECKING:
    from askfirst.policy.question import Question
    from askfirst.policy.subject import Subject

NAMES: Final = (
    "tool command arguments effect rule risk target reversible paths branches repository project host agent session "
    "model mode confidence reason at"
).split()
"""What an expression may use; docs/policy.md says what each is."""
_BINDS = re.compile(r"\.(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,")
_LIST_MAX = 64
_DEPTH_MAX = 12
_TEXT_MAX = 20_000


def compile_condition(expression: str) -> Condition:
    """The condition in a CEL expression.

    Raises:
        PolicyError: the package is not installed, it is no CEL, or it uses a name that is not known.
    """
    try:
        import cel  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise PolicyError("match.condition needs the extra: install askfirst[cel], or do without conditions") from error
    try:
        program = cel.compile(expression)
        names = program.variables()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic of the parser is no Exception
        raise PolicyError(f"the condition is no CEL expression: {str(error)[:200]}") from error
    bound = set(_BINDS.findall(expression))
    unknown = next((name for name in names if name not in NAMES and name not in bound), None)
    if unknown is not None:
        raise PolicyError(f"the condition uses {unknown!r}, which is not known{nearest(unknown, NAMES)}")
    return _Cel(program)


class _Cel:
    """A compiled expression."""

    def __init__(self, program: Any) -> None:
        self._program = program

    def fits(self, subject: Subject, question: Question) -> Fit:
        """YES or NO; MAYBE for an error, or for a result that is no truth value."""
        try:
            result = self._program.execute(_facts(subject, question))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # noqa: BLE001  # e.g. a key that this call lacks, or a panic, which is no Exception
            return Fit.MAYBE
        if not isinstance(result, bool):
            return Fit.MAYBE
        return Fit.YES if result else Fit.NO


def _facts(subject: Subject, question: Question) -> dict[str, Any]:
    effect = subject.effect
    place, agent, claim = question.place, question.agent, question.claim
    return {
        "tool": _value(question.call.tool),
        "command": _value(subject.command),
        "arguments": _value(dict(question.call.arguments)),
        "effect": effect.kind.value if effect else "",
        "rule": effect.rule if effect else "",
        "risk": subject.risk.label,
        "target": _value(effect.target if effect else ""),
        "reversible": effect.reversible if effect else True,
        "paths": _value(list(subject.paths.known)),
        "branches": _value(list(subject.branches)),
        "repository": _value(place.repository),
        "project": _value(place.project),
        "host": _value(agent.host),
        "agent": _value(agent.subagent or "main"),
        "session": _value(agent.session),
        "model": _value(agent.model),
        "mode": _value(agent.mode),
        "confidence": claim.confidence,
        "reason": _value(claim.reason),
        "at": question.at,
    }


def _value(value: object, depth: int = 0) -> Any:
    """A JSON value as CEL takes it: bounded, and valid Unicode."""
    if isinstance(value, str):
        return value[:_TEXT_MAX].encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, (bool, int, float)) or value is None:
        return value
    if depth > _DEPTH_MAX:
        return None
    if isinstance(value, dict):
        return {_value(str(key)): _value(inner, depth + 1) for key, inner in list(value.items())[:_LIST_MAX]}
    if isinstance(value, (list, tuple)):
        return [_value(inner, depth + 1) for inner in value[:_LIST_MAX]]
    return None
