"""Each invariant of the engine is held by a test that cites it; each citation is of one that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from askfirst import engine

TESTS = Path(__file__).parent
CITATION = re.compile(r"\bI(10|[1-9])\b")


def declared() -> set[str]:
    """The ids that the engine's docstring lists."""
    return set(re.findall(r"^- (I\d+) ", engine.__doc__ or "", re.MULTILINE))


def citations() -> dict[str, list[str]]:
    """Invariant -> the tests whose docstring cites it."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for match in CITATION.finditer(ast.get_docstring(node) or ""):
                    found.setdefault(match[0], []).append(node.name)
    return found


def test_no_invariant_lacks_a_test_and_no_test_cites_one_that_is_not_there() -> None:
    assert declared() == {f"I{number}" for number in range(1, 11)}
    assert set(citations()) == declared()
