"""Whether DELETE, UPDATE and MERGE touch every row: the part of the SQL analysis that asks sqlglot.

sqlglot takes some 0.3 s to import, so that happens with the first statement that needs it; parsing one then takes a
few tenths of a millisecond. Long or deeply nested statements and those that it cannot parse are judged by tokens.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlglot.expressions import Expr

    from askfirst.shell.sql_lexer import Statement

_MAX_TOKENS = 400
_MAX_NESTING = 30


class RowChange(NamedTuple):
    """A change of rows in ``table``; ``every_row`` when nothing bounds it."""

    table: str
    every_row: bool


def row_changes(part: Statement, dialect: str) -> list[RowChange]:
    """The changes that the statement makes, at least those that stand at its head."""
    parsed = parsed_of(part, dialect)
    if parsed is None:
        return list(by_tokens(part))
    from sqlglot import exp  # noqa: PLC0415  # 0.3 s, see the module docstring

    if parsed.find(exp.Delete, exp.Update, exp.Merge) is None:
        return list(by_tokens(part))
    return [
        RowChange(_table(node), not isinstance(node, exp.Merge) and _is_unbounded(node))
        for node in parsed.find_all(exp.Delete, exp.Update, exp.Merge)
    ]


def warm_up() -> None:
    """Import sqlglot and its common dialects now: some 0.4 s that a broker spends at its start, not in a gate."""
    from askfirst.shell.sql_lexer import statements  # noqa: PLC0415  # only here

    for dialect in ("", "postgres", "mysql", "sqlite"):
        for part in statements("DELETE FROM t WHERE a = 1", dialect):
            row_changes(part, dialect)


def parsed_of(part: Statement, dialect: str) -> Expr | None:
    """The statement as sqlglot reads it; None where it is too large for that, or not understood."""
    if len(part.tokens) > _MAX_TOKENS or sum(token.text == "(" for token in part.tokens) > _MAX_NESTING:
        return None
    import sqlglot  # noqa: PLC0415  # 0.3 s, see the module docstring

    logging.getLogger("sqlglot").disabled = True  # it warns about every statement that it keeps as text
    try:
        return sqlglot.parse_one(part.text, dialect=dialect or None)
    except (sqlglot.errors.SqlglotError, RecursionError, ValueError, AttributeError, IndexError):
        return None


def _table(node: Expr) -> str:
    from sqlglot import exp  # noqa: PLC0415

    table = node.this if isinstance(node.this, exp.Table) else node.find(exp.Table)
    if table is None:
        return "?"
    return ".".join(part.name for part in table.parts)[:100]


def _is_unbounded(node: Expr) -> bool:
    where = node.args.get("where")
    if where is None:
        return True
    from sqlglot.optimizer.simplify import simplify  # noqa: PLC0415

    try:
        condition = simplify(where.this.copy())
    except (RecursionError, ValueError, AttributeError, TypeError):
        condition = where.this
    return _is_always_true(condition)


def _is_always_true(condition: Expr) -> bool:
    from sqlglot import exp  # noqa: PLC0415

    condition = condition.unnest()
    if isinstance(condition, exp.Boolean):
        return bool(condition.this)
    if isinstance(condition, exp.Literal):
        return bool(condition.is_string) or condition.name.strip("0.") != ""
    if isinstance(condition, exp.EQ):
        return bool(condition.left == condition.right)
    if isinstance(condition, exp.Like):
        pattern = str(condition.expression.name)
        return pattern != "" and pattern.strip("%") == ""
    if isinstance(condition, exp.Or):
        return any(_is_always_true(side) for side in (condition.left, condition.right)) or _are_opposites(condition)
    return False


def _are_opposites(condition: Expr) -> bool:
    """``x IS NULL OR x IS NOT NULL``, ``x OR NOT x``."""
    from sqlglot import exp  # noqa: PLC0415

    sides = [condition.args["this"].unnest(), condition.args["expression"].unnest()]
    if all(isinstance(side, exp.Is) for side in sides):
        same = sides[0].this == sides[1].this and sides[0].args["expression"] == sides[1].args["expression"]
        if same and bool(sides[0].args.get("negate")) != bool(sides[1].args.get("negate")):
            return True
    negated = [side.this for side in sides if isinstance(side, exp.Not)]
    return any(inner == side for inner in negated for side in sides)


def by_tokens(part: Statement) -> Iterator[RowChange]:
    """The changes that the statement makes, without sqlglot."""
    words = part.words
    for index, word in enumerate(words):
        if word not in {"DELETE", "UPDATE"} or (index and words[index - 1] in {"FOR", "ON", "THEN", "KEY"}):
            continue
        offset = 2 if index + 1 < len(words) and words[index + 1] == "FROM" else 1
        table = part.tokens[index + offset].text if index + offset < len(words) else "?"
        rest = part.tokens[index:]
        where = next((i for i, token in enumerate(rest) if token.upper == "WHERE"), None)
        yield RowChange(table, where is None or _tokens_always_true([t.text.upper() for t in rest[where + 1 :]]))


def is_unbounded(part: Statement) -> bool:
    """Whether a statement that is read by its tokens has no WHERE, or one that is always true."""
    words = [token.text.upper() for token in part.tokens]
    return "WHERE" not in words or _tokens_always_true(words[words.index("WHERE") + 1 :])


def _tokens_always_true(condition: list[str]) -> bool:
    shape = [text for text in condition if text not in {"(", ")"}]
    if shape in (["1"], ["TRUE"]) or (len(shape) == 3 and shape[1] == "=" and shape[0] == shape[2]):
        return True
    return len(shape) > 3 and shape[-4] == "OR" and shape[-2] == "=" and shape[-3] == shape[-1]
