"""What the demo is put together from; ``askfirst.entry`` and the tests hand in their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from askfirst.errors import Error

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from askfirst.demo.hook_protocol import HookCommands
    from askfirst.demo.script import Turn, Watch


class DemoError(Error):
    """The demo cannot go on; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A command that a person could have typed, and what it printed."""

    command: str
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A broker that runs.

    Attributes:
        link: opens the inbox in a browser; works once.
        hooks: the hook commands that a host has to run.
        environ: variables that the hooks need beside the host's own.
    """

    link: str
    hooks: HookCommands
    environ: Mapping[str, str]


class DemoBroker(Protocol):
    """A broker of the demo's own, on a state folder that goes away with it."""

    def start(self) -> Gate:
        """Start it and come back when it answers.

        Raises:
            DemoError: it does not.
        """
        ...

    def report(self) -> Sequence[Shown]:
        """The timeline and the verification of the log.

        Raises:
            DemoError: the log does not verify.
        """
        ...

    def stop(self) -> None:
        """Stop it and wait until it has gone; nothing happens when it does not run."""
        ...


class DemoAgent(Protocol):
    """Something that plays a script under the hooks."""

    @property
    def title(self) -> str:
        """What it is called on screen."""
        ...

    def play(self, turns: Sequence[Turn], watch: Watch, stop: threading.Event) -> None:
        """Play the script to its end, or until ``stop``.

        Raises:
            DemoError: it breaks off by itself.
        """
        ...


class Person(Protocol):
    """Somebody who decides."""

    decides: tuple[bool, ...] | None
    """What they will answer, True for approve; None when nobody knows."""

    def at_inbox(self, link: str, give_up: Callable[[str], None]) -> AbstractContextManager[None]:
        """Be there while the context is open; ``give_up(reason)`` tells that nobody will answer any more."""
        ...
