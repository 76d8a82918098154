"""CEL conditions, by the package ``common-expression-language`` (extra ``askfirst[cel]``), imported here only.

CEL has no loops and no side effects, and its ``matches`` is a linear regular expression. Nested comprehensions over
long lists can still take long, so expressions are short and nest three deep, and project files may hold none at all
(docs/adr/0008-conditions.md). What an expression uses of a call is handed in whole or not at all: an agent chooses how
long its lists are, and what stands behind the part that was read would pass unseen.
"""

from __future__ import annotations

import re
from datetime import datetime
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
_ARGUMENT = re.compile(r"\barguments\b(?:\s*\.\s*([A-Za-z_]\w*))?")
_TEXTS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
_NESTED_MAX = 3
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
    if _nesting(expression) > _NESTED_MAX:
        raise PolicyError(
            f"the condition goes through lists within lists more than {_NESTED_MAX} deep; say it with fewer"
        )
    return _Cel(program, frozenset(names), _arguments_in(expression))


def _arguments_in(expression: str) -> frozenset[str] | None:
    """Names of the arguments that an expression can see; None for all of them."""
    used = _ARGUMENT.findall(expression)
    return None if "" in used else frozenset(used)


def _nesting(expression: str) -> int:
    """How many comprehensions stand within one another at most."""
    plain = _TEXTS.sub("''", expression)
    starts = {match.start() + match.group().index("(") for match in _BINDS.finditer(plain)}
    deepest, is_binding = 0, list[bool]()
    for at, sign in enumerate(plain):
        if sign == "(":
            is_binding.append(at in starts)
            deepest = max(deepest, sum(is_binding))
        elif sign == ")" and is_binding:
            is_binding.pop()
    return deepest


class _Cel:
    """A compiled expression."""

    def __init__(self, program: Any, names: frozenset[str], arguments: frozenset[str] | None) -> None:
        self._program = program
        self._names = names
        self._arguments = arguments

    def fits(self, subject: Subject, question: Question) -> Fit:
        """YES or NO; MAYBE for an error, a result that is no truth value, or a call too large to be handed in."""
        try:
            facts = _facts(subject, question, self._arguments)
            result = self._program.execute({name: _value(facts[name]) for name in self._names if name in facts})
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # noqa: BLE001  # e.g. a key that this call lacks, or a panic, which is no Exception
            return Fit.MAYBE
        if not isinstance(result, bool):
            return Fit.MAYBE
        return Fit.YES if result else Fit.NO


def _facts(subject: Subject, question: Question, arguments: frozenset[str] | None) -> dict[str, object]:
    effect = subject.effect
    place, agent, claim = question.place, question.agent, question.claim
    given = question.call.arguments
    return {
        "tool": question.call.tool,
        "command": subject.command,
        "arguments": {key: given[key] for key in given if arguments is None or key in arguments},
        "effect": effect.kind.value if effect else "",
        "rule": effect.rule if effect else "",
        "risk": subject.risk.label,
        "target": effect.target if effect else "",
        "reversible": effect.reversible if effect else True,
        "paths": list(subject.paths.known),
        "branches": list(subject.branches),
        "repository": place.repository,
        "project": place.project,
        "host": agent.host,
        "agent": agent.subagent or "main",
        "session": agent.session,
        "model": agent.model,
        "mode": agent.mode,
        "confidence": claim.confidence,
        "reason": claim.reason,
        "at": question.at,
    }


def _value(value: object, depth: int = 0) -> Any:
    """A JSON value (or a moment) as CEL takes it: valid Unicode, and whole.

    Raises:
        ValueError: it is too large, or nothing that CEL knows.
    """
    if isinstance(value, (str, dict, list, tuple)):
        if len(value) > (_TEXT_MAX if isinstance(value, str) else _LIST_MAX) or depth > _DEPTH_MAX:
            raise ValueError("too large for a condition")
        if isinstance(value, str):
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        if isinstance(value, dict):
            return {_value(str(key)): _value(inner, depth + 1) for key, inner in value.items()}
        return [_value(inner, depth + 1) for inner in value]
    if value is None or isinstance(value, (bool, int, float, datetime)):
        return value
    raise ValueError(f"{type(value).__name__} is nothing that a condition sees")
