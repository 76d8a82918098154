"""Whether those whom a policy file's routes name can be told: by a channel that exists, and that is set up here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.policy.read import nearest, read_policy

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteDoubt:
    """Why a recipient of a route would not be told.

    Attributes:
        text: a sentence with file, line and what to do.
        is_wrong: no machine has such a channel; else it is not set up on this one.
    """

    text: str
    is_wrong: bool


def route_doubts(content: bytes, *, source: str, known: Collection[str], there: Collection[str]) -> list[RouteDoubt]:
    """What is doubtful about the routes of a policy file, in its order.

    Args:
        content: of the file.
        source: its name, for the sentences.
        known: channels that are installed.
        there: those of them that are set up here.

    Raises:
        PolicyError: the file cannot be used at all.
    """
    text = content.decode("utf-8", "replace")
    found = []
    for route, recipients in read_policy(content, source=source).routes.items():
        for recipient in recipients:
            scheme = recipient.partition(":")[0]
            if scheme in there:
                continue
            where = f"{source}{_line_of(recipient, text)}: the route {route!r} tells {recipient}, and "
            if scheme in known:
                why = f"[{scheme}] is not set up in config.toml here: the broker would deny what it should ask about"
            else:
                why = f"there is no channel {scheme!r}{nearest(scheme, sorted(known))}"
            found.append(RouteDoubt(text=where + why, is_wrong=scheme not in known))
    return found


def _line_of(recipient: str, text: str) -> str:
    """``:LINE`` where it stands in quotes, ``""`` where it is written in another way."""
    quoted = (f'"{recipient}"', f"'{recipient}'")
    lines = enumerate(text.splitlines(), start=1)
    return next((f":{number}" for number, line in lines if any(each in line for each in quoted)), "")
