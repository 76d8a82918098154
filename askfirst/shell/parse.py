"""From prepared text to the syntax tree: tree-sitter-bash 0.25.1, with its quirks put right.

- A redirection behind a list or pipeline belongs to its last command.
- A redirection takes all words that follow it as targets: only the first one is.
- Node ranges are trusted for structure and word boundaries only; ``words`` reads the insides.
- A tree with errors is not trusted at all: ``salvage`` reads the words and operators in order.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import tree_sitter_bash
from tree_sitter import Language, Parser

from askfirst.shell.salvage import salvage
from askfirst.shell.syntax import (
    Assignment,
    Case,
    Define,
    For,
    Group,
    If,
    Node,
    Pipeline,
    Redirected,
    Redirection,
    Sequence,
    Simple,
    Test,
    Tree,
    While,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tree_sitter import Node as Raw

    from askfirst.shell.source import Source

MAX_NESTING = 30
"""Levels of compound statements that are followed; real scripts stay under 15."""

_LANGUAGE = Language(tree_sitter_bash.language())
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_ASSIGNS = frozenset({"variable_assignment", "variable_assignments"})
_SKIPPED = frozenset({"comment", "heredoc_body", "heredoc_end"})
_REDIRECTS = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})


class _TooDeepError(Exception):
    """Compound statements are nested beyond ``MAX_NESTING``."""


class _UnknownError(Exception):
    """A node that the grammar should not put here."""


def parse(source: Source, start: int, end: int) -> Tree:
    """The statements in ``source.code[start:end]``."""
    code = source.code[start:end]
    if not code.isascii():
        code = _NOT_ASCII.sub("x", code)  # one byte a character: byte offsets are character offsets
    # a parser of its own for each text: it holds state, and analyses run in several threads
    root = Parser(_LANGUAGE).parse(code.replace("\0", " ").encode()).root_node
    if root.has_error:
        return Tree(salvage(source, start, end), clean=False)
    try:
        return Tree(_Converter(source, start).sequence(root.children, 0))
    except _TooDeepError:
        return Tree(salvage(source, start, end), clean=False, too_deep=True)
    except _UnknownError:
        return Tree(salvage(source, start, end), clean=False)


class _Converter:
    """Turns tree-sitter nodes into ours; ``base`` is where the parsed range begins in the source."""

    def __init__(self, source: Source, base: int) -> None:
        self.code = source.code
        self.base = base

    def sequence(self, children: Iterable[Raw], depth: int) -> Sequence:
        """Statements in a row, anonymous separators in between."""
        if depth > MAX_NESTING:
            raise _TooDeepError
        statements = (child for child in children if child.is_named and child.type not in _SKIPPED)
        return Sequence(tuple((";", self.statement(child, depth)) for child in statements))

    def statement(self, raw: Raw, depth: int) -> Node:
        """One statement."""
        handler = _HANDLERS.get(raw.type)
        if handler is None:
            raise _UnknownError(raw.type)
        return handler(self, raw, depth)

    def range(self, raw: Raw) -> tuple[int, int]:
        """Where the node stands in the source."""
        return raw.start_byte + self.base, raw.end_byte + self.base

    def command(self, raw: Raw, _: int) -> Node:
        words: list[tuple[int, int]] = []
        assignments: list[Assignment] = []
        redirects: list[Redirection] = []
        for child in raw.children:
            kind = child.type
            if kind in _ASSIGNS:
                assigned = self.assignments(child)
                if words and (assigned[0].elements is None or raw.type != "declaration_command"):
                    words.append(self.range(child))
                else:
                    assignments += assigned
            elif kind in _REDIRECTS:
                redirection, more = self.redirection(child)
                redirects.append(redirection)
                words += more
            elif kind not in _SKIPPED:
                words.append(self.range(child))
        return Simple(self.joined(words), tuple(assignments), tuple(redirects), self.range(raw))

    def joined(self, words: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
        """Words that touch each other are one (``a#b``, ``x=(`` …)."""
        out: list[tuple[int, int]] = []
        for start, end in words:
            if out and out[-1][1] == start:
                out[-1] = (out[-1][0], end)
            else:
                out.append((start, end))
        return tuple(out)

    def assignments(self, raw: Raw) -> list[Assignment]:
        if raw.type == "variable_assignments":
            return [one for child in raw.children for one in self.assignments(child)]
        name = raw.child_by_field_name("name")
        value = raw.child_by_field_name("value")
        if name is None:
            raise _UnknownError(raw.type)
        start, end = self.range(name)
        text = self.code[start:end]
        append = self.code.startswith("+=", end)
        span = (end + 1 + append, raw.end_byte + self.base)
        element = (start, end) if name.type == "subscript" else None
        elements = None
        if value is not None and value.type == "array":
            elements = tuple(
                self.range(child) for child in value.children if child.is_named and child.type != "comment"
            )
        return [Assignment(text.partition("[")[0], span, elements, append, element)]

    def redirection(self, raw: Raw) -> tuple[Redirection, list[tuple[int, int]]]:
        """A redirection and the words that only seem to belong to it."""
        operator, fd, targets = "", -1, []
        for child in raw.children:
            if child.type == "file_descriptor":
                text = (child.text or b"").decode("ascii", "replace")
                fd = int(text) if text.isdecimal() and len(text) < 4 else -1
            elif not child.is_named and not operator:
                operator = child.type
            elif child.type not in _SKIPPED:
                targets.append(self.range(child))
        words = list(self.joined(targets))
        if not words:
            end = raw.end_byte + self.base
            words = [(end, end)]
        return Redirection(operator, fd, words[0]), words[1:]

    def redirected(self, raw: Raw, depth: int) -> Node:
        body: Node = Simple((), span=self.range(raw))
        redirects: list[Redirection] = []
        words: list[tuple[int, int]] = []
        for child in raw.children:
            if child.type in _REDIRECTS:
                redirection, more = self.redirection(child)
                redirects.append(redirection)
                words += more
            elif child.is_named and child.type not in _SKIPPED:
                body = self.statement(child, depth)
        return attach(body, tuple(redirects), tuple(words))

    def pipeline(self, raw: Raw, depth: int) -> Node:
        stages = [self.statement(child, depth) for child in raw.children if child.is_named]
        flat = [stage for one in stages for stage in (one.stages if isinstance(one, Pipeline) else (one,))]
        return Pipeline(tuple(flat))

    def list(self, raw: Raw, depth: int) -> Node:
        items: list[tuple[str, Node]] = []
        while raw.type == "list":
            left, operator, right = raw.children[0], raw.children[1], raw.children[-1]
            items.append((operator.type, self.statement(right, depth)))
            raw = left
        items.append((";", self.statement(raw, depth)))
        return Sequence(tuple(reversed(items)))

    def negated(self, raw: Raw, depth: int) -> Node:
        return self.statement(raw.children[-1], depth)

    def group(self, raw: Raw, depth: int) -> Node:
        if raw.children and raw.children[0].type == "((":
            return Test(self.range(raw))
        return Group(self.sequence(raw.children, depth + 1), subshell=raw.type == "subshell")

    def if_(self, raw: Raw, depth: int) -> Node:
        branches: list[tuple[Sequence | None, Sequence]] = []
        condition: list[Raw] = []
        body: list[Raw] = []
        into = condition
        for child in raw.children:
            if child.type == "then":
                into = body
            elif child.type == "elif_clause":
                inner = self.if_(child, depth)
                branches += inner.branches if isinstance(inner, If) else ()
            elif child.type == "else_clause":
                branches.append((None, self.sequence(child.children, depth + 1)))
            else:
                into.append(child)
        head = (self.sequence(condition, depth + 1), self.sequence(body, depth + 1))
        return If((head, *branches))

    def for_(self, raw: Raw, depth: int) -> Node:
        variable = raw.child_by_field_name("variable")
        body = raw.child_by_field_name("body")
        if variable is None or body is None:
            raise _UnknownError(raw.type)
        start, end = self.range(variable)
        listed = any(child.type == "in" for child in raw.children)
        values = tuple(self.range(child) for child in raw.children_by_field_name("value")) if listed else None
        return For(self.code[start:end], values, self.body(body, depth))

    def body(self, raw: Raw, depth: int) -> Node:
        return self.sequence(raw.children, depth + 1)

    def c_for(self, raw: Raw, depth: int) -> Node:
        body = raw.child_by_field_name("body")
        if body is None:
            raise _UnknownError(raw.type)
        start = raw.start_byte + self.base
        return While(Test((start, body.start_byte + self.base)), self.body(body, depth))

    def while_(self, raw: Raw, depth: int) -> Node:
        body = raw.child_by_field_name("body")
        if body is None:
            raise _UnknownError(raw.type)
        condition = self.sequence(raw.children_by_field_name("condition"), depth + 1)
        return While(condition, self.body(body, depth))

    def case(self, raw: Raw, depth: int) -> Node:
        subject = raw.child_by_field_name("value")
        if subject is None:
            raise _UnknownError(raw.type)
        arms = []
        for item in raw.children:
            if item.type != "case_item":
                continue
            closing = next((i for i, child in enumerate(item.children) if child.type == ")"), len(item.children))
            patterns = self.joined([self.range(child) for child in item.children[:closing] if child.is_named])
            arms.append((patterns, self.sequence(item.children[closing:], depth + 1)))
        return Case(self.range(subject), tuple(arms))

    def function(self, raw: Raw, depth: int) -> Node:
        name = raw.child_by_field_name("name")
        body = raw.child_by_field_name("body")
        if name is None or body is None:
            raise _UnknownError(raw.type)
        start, end = self.range(name)
        return Define(self.code[start:end], self.statement(body, depth + 1))

    def test(self, raw: Raw, _: int) -> Node:
        return Test(self.range(raw))

    def assigned(self, raw: Raw, _: int) -> Node:
        return Simple((), tuple(self.assignments(raw)), span=self.range(raw))


def attach(node: Node, redirects: tuple[Redirection, ...], words: tuple[tuple[int, int], ...] = ()) -> Node:
    """``node`` with redirections that stand behind it; they belong to its last command."""
    match node:
        case Simple():
            return replace(node, redirects=node.redirects + redirects, words=node.words + words)
        case Pipeline(stages) if stages:
            return Pipeline((*stages[:-1], attach(stages[-1], redirects, words)))
        case Sequence(items) if items:
            operator, last = items[-1]
            return Sequence((*items[:-1], (operator, attach(last, redirects, words))))
        case _:
            return Redirected(node, redirects)


_HANDLERS: dict[str, Callable[[_Converter, Raw, int], Node]] = {
    "command": _Converter.command,
    "declaration_command": _Converter.command,
    "unset_command": _Converter.command,
    "variable_assignment": _Converter.assigned,
    "variable_assignments": _Converter.assigned,
    "redirected_statement": _Converter.redirected,
    "pipeline": _Converter.pipeline,
    "list": _Converter.list,
    "negated_command": _Converter.negated,
    "subshell": _Converter.group,
    "compound_statement": _Converter.group,
    "if_statement": _Converter.if_,
    "for_statement": _Converter.for_,
    "c_style_for_statement": _Converter.c_for,
    "while_statement": _Converter.while_,
    "case_statement": _Converter.case,
    "function_definition": _Converter.function,
    "test_command": _Converter.test,
}
