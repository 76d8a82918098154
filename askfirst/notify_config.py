"""The ``[[notify]]`` tables of the configuration file: programs that are told of every change.

Example::

    [[notify]]
    name = "ops"
    url = "https://ops.example.com/askfirst"
    secret_file = "ops.secret"         # `whsec_` and base64, mode 0600; or secret_variable = "NAME"
    events = ["gate.*", "grant.*"]     # types of the log's entries; this is the default, with question.* and hook.*
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from askfirst.errors import ConfigError
from askfirst.secret import either_secret

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

DEFAULT_EVENTS = ("gate.*", "grant.*", "question.*", "hook.*")


class RawNotify(BaseModel):
    """One table as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")
    url: str = Field(pattern=r"^https?://[^\s]+$", max_length=2000)
    secret_file: str = ""
    secret_variable: str = Field(default="", pattern=r"^[A-Z0-9_]*$")
    events: list[Annotated[str, Field(pattern=r"^[a-z_]+\.([a-z_]+|\*)$")]] = Field(
        default_factory=lambda: list(DEFAULT_EVENTS), min_length=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A program that is told.

    Attributes:
        name: of its cursor, its lease and its failures in the log.
        secret: signs what it is told.
        events: patterns of types.
    """

    name: str
    url: str
    secret: str = field(repr=False)
    events: tuple[str, ...]

    def wants(self, entry_type: str) -> bool:
        """Whether it is told of entries of this type."""
        return any(fnmatchcase(entry_type, each) for each in self.events)


def endpoints(raw: Sequence[RawNotify], folder: Path) -> tuple[Endpoint, ...]:
    """The tables for the program, their secrets read; a relative path starts at ``folder``.

    Raises:
        ConfigError: two have the same name, or a secret cannot be used.
    """
    names = [each.name for each in raw]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"two [[notify]] tables are named {twice!r}")
    return tuple(_endpoint(each, folder) for each in raw)


def _endpoint(raw: RawNotify, folder: Path) -> Endpoint:
    where = f"[[notify]] {raw.name}"
    secret = either_secret(folder, file=raw.secret_file, variable=raw.secret_variable, where=where)
    if not re.fullmatch(r"whsec_[A-Za-z0-9+/]{32,}={0,2}", secret):
        raise ConfigError(
            f"{where}: the secret is no `whsec_` with 24 bytes or more in base64; "
            "make one with: echo whsec_$(openssl rand -base64 32)"
        )
    return Endpoint(name=raw.name, url=raw.url, secret=secret, events=tuple(raw.events))
