"""What the scripted model needs of an API, and what the APIs share."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from askfirst.demo.script import ToolResult, Turn

USAGE_TOKENS = 1
"""What every answer says that it has cost, tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The body of a response."""

    data: bytes
    type: str


class Api(Protocol):
    """One API of models, as far as an agent uses it."""

    def takes(self, path: str) -> bool:
        """Whether a POST to this path, without its query, asks for a message."""
        ...

    def is_agent(self, body: Mapping[str, object]) -> bool:
        """Whether this is the agent's own turn, and not a side job."""
        ...

    def history(self, body: Mapping[str, object]) -> object:
        """What makes two requests the same one, a JSON value."""
        ...

    def told(self, body: Mapping[str, object]) -> Iterator[ToolResult]:
        """The tool results in a request, oldest first; what has another shape is passed over."""
        ...

    def answer(self, path: str, body: Mapping[str, object], turn: Turn, number: int) -> Content:
        """The turn as this API puts it.

        Args:
            path: with the query.
            body: the request.
            turn: what to say and call.
            number: of the request, for ids.
        """
        ...


def objects(value: object) -> Iterator[Mapping[str, object]]:
    """The objects of a JSON list."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def as_json(value: Mapping[str, object]) -> Content:
    """A JSON response."""
    return Content(data=json.dumps(value).encode(), type="application/json")


def as_events(events: Iterable[Mapping[str, object]], *, named: bool = False, end: str = "") -> Content:
    """Server-sent events, one an object.

    Args:
        events: in order.
        named: whether each has its ``type`` as the event's name too.
        end: a last line of data, e.g. ``[DONE]``.
    """
    lines = [(f"event: {each['type']}\n" if named else "") + f"data: {json.dumps(each)}\n\n" for each in events]
    if end:
        lines.append(f"data: {end}\n\n")
    return Content(data="".join(lines).encode(), type="text/event-stream")
