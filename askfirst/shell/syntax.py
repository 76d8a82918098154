"""The syntax tree that the evaluator walks: statements over ranges of a prepared text.

Words stay ranges ``(start, end)`` into ``Source.code``; ``words.lex`` reads what is inside them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Range = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Redirection:
    """``operator`` with its target word; ``fd`` as written, -1 when implied by the operator."""

    operator: str
    fd: int
    target: Range


@dataclass(frozen=True, slots=True)
class Assignment:
    """``name=value``; ``elements`` for an array, ``append`` for ``+=``, ``element`` for the range of ``name[i]=``."""

    name: str
    value: Range
    elements: tuple[Range, ...] | None = None
    append: bool = False
    element: Range | None = None


@dataclass(frozen=True, slots=True)
class Simple:
    """A simple command."""

    words: tuple[Range, ...]
    assignments: tuple[Assignment, ...] = ()
    redirects: tuple[Redirection, ...] = ()
    span: Range = (0, 0)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages joined by ``|``."""

    stages: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Statements, each with the operator in front of it: ``;``, ``&&``, ``||``."""

    items: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class If:
    """Conditions and bodies in order; the condition of ``else`` is ``None``."""

    branches: tuple[tuple[Sequence | None, Sequence], ...]


@dataclass(frozen=True, slots=True)
class For:
    """``for name in values``; ``values`` is ``None`` for the positional parameters."""

    name: str
    values: tuple[Range, ...] | None
    body: Node


@dataclass(frozen=True, slots=True)
class While:
    """``while``, ``until`` and the C-style ``for``."""

    condition: Node
    body: Node


@dataclass(frozen=True, slots=True)
class Case:
    """``case subject in``; the patterns and the body of each arm."""

    subject: Range
    arms: tuple[tuple[tuple[Range, ...], Sequence], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """``{ … }``, or ``( … )`` when ``subshell``."""

    body: Sequence
    subshell: bool = False


@dataclass(frozen=True, slots=True)
class Define:
    """A definition; the body runs when the name is called."""

    name: str
    body: Node


@dataclass(frozen=True, slots=True)
class Redirected:
    """A compound statement with redirections."""

    body: Node
    redirects: tuple[Redirection, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """``[ … ]``, ``[[ … ]]``, ``(( … ))``: only the substitutions in it run."""

    range: Range


Node = Simple | Pipeline | Sequence | If | For | While | Case | Group | Define | Redirected | Test


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed range.

    Attributes:
        body: its statements.
        clean: the parser understood all of it; else ``body`` is what the words and operators alone tell.
        too_deep: nested beyond what is followed.
    """

    body: Sequence = field(default=Sequence(()))
    clean: bool = True
    too_deep: bool = False
