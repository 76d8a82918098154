"""Conversations without input or output: generators that yield what is to be sent, and the two ways to run them.

The same conversation serves blocking and asynchronous programs, the MCP server and tests: each brings a ``Transport``.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from askfirst.errors import BrokerUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One call of REST ``/v1``.

    Attributes:
        path: with the query, e.g. ``/v1/requests/01J…/wait?timeout_s=100``.
        body: JSON object, None for none.
        key: idempotency key, ``""`` for none.
        wait_s: seconds that the broker may hold the call.
    """

    method: str
    path: str
    body: Mapping[str, object] | None = None
    key: str = ""
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Do nothing for so many seconds."""

    seconds: float


Reply = Mapping[str, Any]
Flow = Generator[Send | Pause, Reply, _T]
"""A conversation that ends in a ``_T``. A ``Pause`` is replied to with ``{}``."""

NOTHING: Reply = {}


class Transport(Protocol):
    """Carries calls to a broker.

    ``send`` returns the JSON object of the answer, and raises

    - ``BrokerUnavailableError`` where the same call may be sent again: nobody answers, or not now (429 and 502–504; of
      the broker's own answers those with ``Retry-After``);
    - another ``askfirst.errors.Error`` where it may not.
    """

    def send(self, send: Send) -> Reply:
        """The answer, blocking."""
        ...

    async def send_async(self, send: Send) -> Reply:
        """The same without blocking the event loop."""
        ...

    def pause(self, seconds: float) -> None:
        """Let time pass, blocking."""
        ...

    async def pause_async(self, seconds: float) -> None:
        """The same without blocking the event loop."""
        ...

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        ...


def drive(flow: Flow[_T], transport: Transport) -> _T:
    """Run a conversation to its end, blocking."""
    turn = _Turn(flow)
    while turn.step is not None:
        try:
            if isinstance(turn.step, Send):
                reply = transport.send(turn.step)
            else:
                transport.pause(turn.step.seconds)
                reply = NOTHING
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the conversation's to handle or to raise
            turn.fail(error)
        else:
            turn.go_on(reply)
    return turn.result()


async def drive_async(flow: Flow[_T], transport: Transport) -> _T:
    """Run a conversation to its end on an event loop."""
    turn = _Turn(flow)
    while turn.step is not None:
        try:
            if isinstance(turn.step, Send):
                reply = await transport.send_async(turn.step)
            else:
                await transport.pause_async(turn.step.seconds)
                reply = NOTHING
        except Exception as error:  # noqa: BLE001  # as above
            turn.fail(error)
        else:
            turn.go_on(reply)
    return turn.result()


@dataclass(slots=True)
class _Turn(Generic[_T]):
    """Where a conversation stands; ``step`` is None at its end."""

    flow: Flow[_T]
    step: Send | Pause | None = field(init=False)
    _results: list[_T] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self._move(lambda: next(self.flow))

    def go_on(self, reply: Reply) -> None:
        self._move(lambda: self.flow.send(reply))

    def fail(self, error: Exception) -> None:
        self._move(lambda: self.flow.throw(error))

    def result(self) -> _T:
        return self._results[0]

    def _move(self, move: Callable[[], Send | Pause]) -> None:
        try:
            self.step = move()
        except StopIteration as end:
            self.step = None
            self._results.append(end.value)


def persistently(send: Send, until_ms: int, now_ms: Callable[[], int]) -> Flow[Reply]:
    """Send until there is an answer; every call of ours is idempotent, so sending it again does no harm.

    Raises:
        BrokerUnavailableError: there was none until ``until_ms``, or there will be none so soon.
    """
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return (yield send)
        except BrokerUnavailableError as error:
            left_s = (until_ms - now_ms()) / 1000
            after_s = error.retry_after_s
            if left_s <= after_s:
                raise
        yield Pause(seconds=max(after_s, min(pause_s, max(left_s, FIRST_PAUSE_S))))
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
