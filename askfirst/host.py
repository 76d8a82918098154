"""What the hooks of a host tell us and what we answer: the port between ``hooks/`` and the broker.

One adapter a host turns its payload into a ``HookEvent`` and our ``Verdict`` into the bytes and the exit code that
this host, and no other, understands. Both directions are pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.call import ToolCall


OURS = "askfirst"
"""The host of what the broker asks by itself, e.g. for a change of who decides; no caller may name itself so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """Who asks: the model's session in a host. All of it is the host's word.

    Attributes:
        host: registry name of the host, e.g. ``claude-code``.
        session: the host's session id.
        subagent: id of the subagent that makes the call, ``""`` for the main thread.
        model: as far as the host says, else ``""``.
        mode: the host's permission mode, e.g. ``default`` or ``bypassPermissions``.
        interactive: whether a person sits at the host's own prompt.
    """

    host: str
    session: str
    subagent: str = ""
    model: str = ""
    mode: str = ""
    interactive: bool = False

    @property
    def can_be_stopped(self) -> bool:
        """Whether its session can be told to stop: one that has a name, and is not the broker's own asking."""
        return bool(self.session) and self.host != OURS


@dataclass(frozen=True, slots=True, kw_only=True)
class BeforeTool:
    """The host is about to run a tool call and waits for us."""

    agent: Agent
    call: ToolCall
    tool_use_id: str
    justification: str = ""
    """What the agent says it is for: a claim."""
    can_rewrite: bool = False
    """Whether this host runs the arguments of an ``Allow`` in place of its own: only then is an edit released to it."""
    can_ask_here: bool = False
    """Whether ``AskHere`` makes this host show its own prompt, and tell us of it by ``PromptShown``."""
    runner_pid: int = 0
    """Process that resumes this run with this very call when it is answered by ``Defer``; 0: nobody would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterTool:
    """The host has run a tool call (``call`` is what really ran) and tells how it went."""

    agent: Agent
    call: ToolCall
    tool_use_id: str
    """``""`` where the host gives none: then the call is recognised by its arguments."""
    ok: bool | None
    """None where the host does not say."""
    detail: str = ""
    """First line of the failure, bounded."""
    duration_ms: int | None = None
    exit_code: int | None = None
    """Of a command, where the host tells."""
    can_ask_here: bool = False
    """As ``BeforeTool`` of the same call said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptShown:
    """The host asks its own person whether a call may run, and takes our answer if it comes first.

    Attributes:
        host_pid: process of the host, 0 when unknown: while it lives, a hook that ends was ended by the person's No.
    """

    agent: Agent
    call: ToolCall
    host_pid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HostQuestion:
    """One question that an agent puts to its person at the host's own prompt.

    Attributes:
        text: the question.
        options: answers to choose from; people may say something else.
        several: whether more than one may be chosen.
    """

    text: str
    options: tuple[str, ...] = ()
    several: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionsShown:
    """The host asks its own person these questions of the agent, and takes our answers if they come first."""

    agent: Agent
    call: ToolCall
    questions: tuple[HostQuestion, ...]
    host_pid: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted:
    """A session begins, or goes on after a break.

    Attributes:
        machine: where it runs, ``""``: on the broker's own.
    """

    agent: Agent
    machine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The agent has stopped and waits for its person.

    Attributes:
        can_wake: whether a ``Wake`` makes it go on, however much later it comes.
        said: the agent's last words, bounded: a claim.
        cwd: where it works, ``""`` where the host does not say.
        machine: where it runs, ``""``: on the broker's own.
    """

    agent: Agent
    can_wake: bool = False
    said: str = ""
    cwd: str = ""
    machine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """The host wants to tell its person something.

    Attributes:
        about: ``prompt``: it shows a prompt of its own; ``idle``: nobody has answered the agent for a while; ``other``.
        text: in its own words, bounded.
        cwd: where the agent works, ``""`` where the host does not say.
        machine: where it runs, ``""``: on the broker's own.
    """

    agent: Agent
    about: Literal["prompt", "idle", "other"]
    text: str
    cwd: str = ""
    machine: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChanged:
    """A settings file of the host was changed while a session runs; a ``Deny`` keeps the session on the old ones."""

    agent: Agent
    path: str


HookEvent = BeforeTool | AfterTool | PromptShown | QuestionsShown | SessionStarted | TurnEnded | Notice | ConfigChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class NoOpinion:
    """The gate has nothing to say; the host's own permission flow goes on."""

    tag: Literal["no-opinion"] = "no-opinion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """This very input may run once: it is handed back so that no other hook's rewrite runs instead."""

    arguments: Mapping[str, object]
    reason: str = ""
    tag: Literal["allow"] = "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """It must not run; ``reason`` is written for the model: what was lost, what to do instead, whether to retry."""

    reason: str
    tag: Literal["deny"] = "deny"


_MISPLACED = "askfirst: this host cannot be answered so; this is a bug of askfirst"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskHere:
    """The host's own prompt is shown, and whoever answers first decides: there, or on any channel."""

    reason: str
    tag: Literal["ask-here"] = "ask-here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Defer:
    """The run ends with this call undecided; whoever runs it resumes it with the same call."""

    reason: str = _MISPLACED
    tag: Literal["defer"] = "defer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The answers to ``QuestionsShown``, by the question's text."""

    answers: Mapping[str, str]
    reason: str = _MISPLACED
    tag: Literal["answered"] = "answered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Facts for the model, as a session starts."""

    reason: str
    tag: Literal["tell"] = "tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """The agent goes on, because of this."""

    reason: str
    tag: Literal["wake"] = "wake"


Verdict = NoOpinion | Allow | Deny | AskHere | Defer | Answered | Tell | Wake
"""An adapter is given only what its events say that the host can do; to any other it answers as to a deny."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookAnswer:
    """What the hook process does: write these bytes and exit with this code.

    Attributes:
        exit_code: 0, 2 to block, or 3 to wake the agent; the command line of an event that gates something makes 2 of
            every code but 0.
    """

    exit_code: int = 0
    stdout: bytes = b""
    stderr: bytes = b""

    def frame(self) -> bytes:
        """The answer on the wire between broker and hook.

        One line ``askfirst-hook/1 EXIT STDOUT_BYTES STDERR_BYTES``, then both texts. The client writes them and exits;
        a frame that is short, long or malformed is no answer.
        """
        head = f"askfirst-hook/1 {self.exit_code} {len(self.stdout)} {len(self.stderr)}\n"
        return head.encode("ascii") + self.stdout + self.stderr


class HostAdapter(Protocol):
    """One host's wire shapes."""

    name: str
    environment: tuple[str, ...]
    """Variables of the hook's environment that ``parse`` wants to see; the clients send no others."""

    def parse(self, payload: bytes, environ: Mapping[str, str]) -> HookEvent | None:
        """The event in this payload; None for an event that needs no answer from us.

        Args:
            payload: the bytes on the hook's standard input.
            environ: those variables of the hook's environment that the adapter names in ``environment``.

        Raises:
            InputError: it is not what this host sends; the caller answers with a deny.
        """
        ...

    def render(self, event: HookEvent | None, verdict: Verdict) -> HookAnswer:
        """The answer to ``event`` in this host's shape; ``event`` is None when the payload could not be read."""
        ...
