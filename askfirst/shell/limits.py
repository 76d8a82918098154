"""What one analysis may cost. Beyond a limit the answer is an effect that asks, never silence."""

from __future__ import annotations

import time
from dataclasses import dataclass

MAX_COMMAND_CHARS = 262_144
MAX_SCRIPT_DEPTH = 10
"""Texts inside texts (``bash -c 'bash -c …'``, functions, files) that are followed."""
MAX_FRAMES = 60
"""Statements inside statements, wrappers inside wrappers, all levels together; keeps the Python stack flat."""
MAX_STEPS = 5_000
"""Simple commands that are evaluated, all loops and values together."""
MAX_CPU_S = 0.25
"""Processor time of the pure part, seconds; a guard behind the step limit for inputs that nobody thought of."""
MAX_SCRIPT_BYTES = 65_536
"""Script files up to this size are read and analysed."""


class LimitError(Exception):
    """The analysis would cost too much; ``reason`` says in words which limit was met."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class Budget:
    """Counts what is left of one analysis."""

    steps: int = MAX_STEPS
    frames: int = MAX_FRAMES
    depth: int = MAX_SCRIPT_DEPTH
    deadline_s: float = 0.0

    def start(self, cpu_s: float) -> None:
        """Begin to count; ``cpu_s`` is the processor time allowed, seconds."""
        self.deadline_s = time.thread_time() + cpu_s

    def spend(self) -> None:
        """One more simple command; LimitError when there were too many."""
        self.steps -= 1
        if self.steps < 0:
            raise LimitError(f"it runs more than {MAX_STEPS} commands")
        if not self.steps % 64 and time.thread_time() > self.deadline_s:
            raise LimitError("it is too involved to be analysed in time")
