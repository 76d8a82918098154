"""What one analysis may cost. Beyond a limit the answer is an effect that asks, never silence."""

from __future__ import annotations

import time
from dataclasses import dataclass

MAX_COMMAND_CHARS = 262_144
MAX_CODE_CHARS = 131_072
"""Shell text without the bodies of here-documents, the part that must be parsed."""
MAX_SEPARATORS = 20_000
"""Characters of a text that may end a command; counted before a long text is parsed."""
MAX_SPECIAL = 20_000
"""Quotes, backslashes, dollars and the like in one text."""
MAX_OPEN = 2_000
"""Quotes, substitutions and parentheses that are open at once."""
MAX_WORDS = 4_096
"""Words of one command, and parts of one word."""
MAX_SCRIPT_DEPTH = 10
"""Texts inside texts (``bash -c 'bash -c …'``, functions, files) that are followed."""
MAX_FRAMES = 60
"""Statements inside statements, wrappers inside wrappers, all levels together; keeps the Python stack flat."""
MAX_STEPS = 4_000
"""Simple commands that are evaluated, all loops and values together."""
MAX_CPU_S = 0.03
"""Processor time for running a text in the mind, seconds; a guard behind the other limits."""
JUDGING = 1.4
"""Until this multiple of it the many commands of one text are judged."""
JUDGED_IN_ANY_CASE = 64
"""Commands that are judged however long it takes: looking at the disk may take long."""
MAX_REDIRECTS = 1024
"""Redirections of one command."""
MAX_SCRIPT_BYTES = 65_536
"""Script files up to this size are read and analysed."""


class LimitError(Exception):
    """The analysis would cost too much; ``reason`` says in words which limit was met."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def require_parsable(code: str) -> None:
    """Refuse a text that would take the parser too long; LimitError."""
    if len(code) > MAX_CODE_CHARS:
        raise LimitError(f"it has more than {MAX_CODE_CHARS} characters beside here-documents")
    if len(code) > MAX_SEPARATORS and sum(map(code.count, ";&|\n(<>")) > MAX_SEPARATORS:
        raise LimitError("it has too many commands")
    if len(code) > MAX_SEPARATORS and len(code.split()) > MAX_SEPARATORS:
        raise LimitError("it has too many words")


@dataclass(slots=True)
class Budget:
    """Counts what is left of one analysis."""

    steps: int = MAX_STEPS
    frames: int = MAX_FRAMES
    depth: int = MAX_SCRIPT_DEPTH
    deadline_s: float = 0.0
    judging_ends_s: float = 0.0

    def start(self, cpu_s: float) -> None:
        """Begin to count; ``cpu_s`` is the processor time allowed, seconds."""
        now = time.thread_time()
        self.deadline_s, self.judging_ends_s = now + cpu_s, now + cpu_s * JUDGING

    def may_judge(self, index: int) -> bool:
        """Whether there is time for the command at ``index``."""
        return index < JUDGED_IN_ANY_CASE or index % 16 != 0 or time.thread_time() < self.judging_ends_s

    def spend(self) -> None:
        """One more simple command; LimitError when there were too many."""
        self.steps -= 1
        if self.steps < 0:
            raise LimitError(f"it runs more than {MAX_STEPS} commands")
        if not self.steps % 16 and time.thread_time() > self.deadline_s:
            raise LimitError("it is too involved to be analysed in time")
