"""What the demo prints. All foreign text is made visible first, and none of it is taken for markup."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, assert_never

from rich.rule import Rule
from rich.text import Text

from askfirst.demo.script import AgentEvent, Call, Say, ToolResult
from askfirst.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console
    from rich.status import Status

    from askfirst.demo.parts import Shown

LABEL_WIDTH = 8
MAX_LINES = 12


class Screen:
    """The story as it happens, one labelled line at a time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None

    def title(self, text: str) -> None:
        """A heading."""
        self._console.print()
        self._console.print(Rule(Text(text, style="bold"), align="left", style="dim"))

    def line(self, label: str, text: str, style: str = "") -> None:
        """One thing that happened, by whom."""
        self._print(label, text.splitlines()[:MAX_LINES], style)

    def link(self, url: str) -> None:
        """The inbox's address, whole on one line so that it can be copied."""
        self.line("inbox", url, "bold cyan")

    def step(self, event: AgentEvent) -> None:
        """One step of the agent."""
        match event:
            case Say():
                self.line("agent", event.text, "italic")
            case Call():
                self.line("agent", f"$ {event.arguments.get('command', event.tool)}", "bold")
            case ToolResult():
                self.line("blocked" if event.is_error else "output", event.text, "red" if event.is_error else "")
            case _:
                assert_never(event)

    def shown(self, shown: Shown) -> None:
        """A command and all that it printed."""
        self.line("you", f"$ {shown.command}", "bold")
        self._print("", shown.output.rstrip().splitlines(), "")

    def _print(self, label: str, lines: Sequence[str], style: str) -> None:
        for number, line in enumerate(lines):
            head = Text(f"{'' if number else label:>{LABEL_WIDTH}}  ", style="dim")
            self._console.print(head.append(visible(line.rstrip()), style=style), soft_wrap=True)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """A spinner below the lines, while ``wait_for`` says what for."""
        with self._console.status("") as self._status:
            yield
        self._status = None

    def wait_for(self, what: str) -> None:
        """What is being waited for now."""
        if self._status is not None:
            self._status.update(Text(what))
