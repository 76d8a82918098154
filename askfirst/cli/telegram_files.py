"""What setting Telegram up writes into the configuration and the policy; pure. What a person wrote stays as it is."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

from askfirst.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOKEN_FILE = "telegram-token"  # noqa: S105  # the name of the file
INBOX = "web:inbox"


def with_table(content: str, table: Mapping[str, object], *, source: str, scheme: str = "telegram") -> str:
    """The configuration with this table of a channel; unchanged where it has the same.

    A table in it comes last, as TOML wants it.

    Raises:
        ConfigError: it has another one, or is no TOML.
    """
    found = _read(content, source).get(scheme)
    if found == dict(table):
        return content
    if found is not None:
        raise ConfigError(f"{source} has another [{scheme}] already; change it there, or take it out and try again")
    return f"{_ended(content)}{_lines(scheme, table)}"


def _lines(name: str, table: Mapping[str, object]) -> str:
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    own = "".join(f"{key} = {json.dumps(value)}\n" for key, value in plain.items())
    return f"[{name}]\n{own}" + "".join(_lines(f"{name}.{key}", value) for key, value in inner.items())


def with_recipients(content: str, recipients: Sequence[str], *, source: str) -> str | None:
    """The policy with these recipients on its default route; None where a person has to add them to a route of theirs.

    Raises:
        ConfigError: it is no TOML.
    """
    routes = _read(content, source).get("routes")
    if routes is None:
        return f"{_ended(content)}[routes]\ndefault = {json.dumps([INBOX, *recipients])}\n"
    told = routes.get("default", []) if isinstance(routes, dict) else []
    return content if set(recipients) <= set(told) else None


def _read(content: str, source: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source} is not TOML: {error}; mend it first") from error


def _ended(content: str) -> str:
    """With an empty line at its end, where it says anything."""
    return f"{content.rstrip()}\n\n" if content.strip() else ""
