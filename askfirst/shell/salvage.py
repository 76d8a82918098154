"""What the words and operators of a text tell when the parser gave up on it.

The result is a superset: every simple command that could run is there, pipes and redirections included; reserved
words and brackets are dropped, ``for`` still binds its variable. It is never taken as fully understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from askfirst.shell.syntax import Assignment, For, Node, Pipeline, Range, Redirection, Sequence, Simple
from askfirst.shell.words import tokens

if TYPE_CHECKING:
    from askfirst.shell.source import Source

_SEPARATORS = frozenset({"\n", ";", "&", "&&", "||", ";;", ";&", ";;&", "(", ")"})
_RESERVED = frozenset(
    {"if", "then", "elif", "else", "fi", "do", "done", "while", "until", "{", "}", "!", "time", "coproc", "esac", "[["},
)
_REDIRECT = re.compile(r"([0-9]*)(.+)")
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\[[^\]]*\])?(\+?)=")


@dataclass(slots=True)
class _Draft:
    """The pipeline that is being read."""

    stages: list[Node] = field(default_factory=list)
    words: list[Range] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    redirects: list[Redirection] = field(default_factory=list)

    def stage(self) -> None:
        """End the simple command."""
        if self.words or self.assignments or self.redirects:
            ranges = [*self.words, *(a.value for a in self.assignments), *(r.target for r in self.redirects)]
            span = (min(start for start, _ in ranges), max(end for _, end in ranges))
            self.stages.append(Simple(tuple(self.words), tuple(self.assignments), tuple(self.redirects), span))
        self.words, self.assignments, self.redirects = [], [], []


def salvage(source: Source, start: int, end: int) -> Sequence:
    """The simple commands in ``source.code[start:end]``, in order."""
    items: list[tuple[str, Node]] = []
    draft = _Draft()
    operator = ";"
    redirect: Redirection | None = None
    for kind, at, stop in tokens(source, start, end):
        text = source.code[at:stop]
        if kind == "word" and redirect:
            draft.redirects.append(Redirection(redirect.operator, redirect.fd, (at, stop)))
            redirect = None
        elif kind == "word":
            _word(draft, text, at, stop)
        elif text in _SEPARATORS:
            draft.stage()
            items += _flush(source, draft, operator)
            operator = text if text in {"&&", "||"} else ";"
        elif text in {"|", "|&"}:
            draft.stage()
        else:
            match = _REDIRECT.fullmatch(text)
            fd = int(match[1]) if match and match[1] and len(match[1]) < 4 else -1
            redirect = Redirection(match[2] if match else text, fd, (stop, stop))
    draft.stage()
    return Sequence(tuple(items + _flush(source, draft, operator)))


def _word(draft: _Draft, text: str, at: int, stop: int) -> None:
    match = _ASSIGNMENT.match(text)
    if not draft.words and text in _RESERVED:
        return
    if match and not draft.words:
        value = (at + match.end(), stop)
        element = (at, at + match.end()) if match[2] else None
        draft.assignments.append(Assignment(match[1], value, None, bool(match[3]), element))
    else:
        draft.words.append((at, stop))


def _flush(source: Source, draft: _Draft, operator: str) -> list[tuple[str, Node]]:
    """The finished pipeline as a statement; ``for x in a b`` as a loop without a body, which still binds ``x``."""
    stages, draft.stages = draft.stages, []
    if not stages:
        return []
    first = stages[0]
    words = first.words if isinstance(first, Simple) else ()
    texts = [source.code[start:end] for start, end in words[:3]]
    if texts[:1] in (["for"], ["select"]) and texts[2:] == ["in"]:
        return [(operator, For(texts[1], words[3:], Sequence(())))]
    return [(operator, stages[0] if len(stages) == 1 else Pipeline(tuple(stages)))]
