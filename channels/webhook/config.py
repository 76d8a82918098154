"""The ``[webhook.NAME]`` tables of the configuration.

Example::

    [webhook.pager]                          # recipients: webhook:pager, or webhook:pager/anything
    url = "https://pager.example.com/askfirst"
    secret_file = "pager-secret"             # whsec_… ; a file that only the broker's user can read
    # secret_variable = "PAGER_SECRET"       # or a variable of the broker's environment
    assurance = 1                            # the most that a decision by it is worth: 0, 1 or 2
    timeout_s = 10
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from askfirst.errors import ConfigError
from askfirst.secret import either_secret
from channels.table import read_table
from channels.webhook.signing import Seal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class _Raw(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    url: str
    secret_file: str = ""
    secret_variable: str = ""
    assurance: Literal[0, 1, 2] = 1
    timeout_s: Annotated[float, Field(gt=0, le=60, strict=False)] = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HookConfig:
    """One program at the other end."""

    name: str
    url: str
    seal: Seal = field(repr=False)
    assurance: int
    timeout_s: float


def hooks_of(table: Mapping[str, object], folder: Path) -> dict[str, HookConfig]:
    """The programs in ``[webhook]``, by name; files are named from ``folder``.

    Raises:
        ConfigError: a table cannot be used; the sentence names the key, never a secret.
    """
    if not table:
        raise ConfigError("[webhook] has no tables; name the program at the other end: [webhook.NAME]")
    return {name: _hook(name, raw, folder) for name, raw in table.items()}


def _hook(name: str, raw: object, folder: Path) -> HookConfig:
    if not _NAME.fullmatch(name) or not isinstance(raw, dict):
        raise ConfigError(f"webhook.{name} is no table [webhook.NAME] with a name of small letters, digits and hyphens")
    where = f"webhook.{name}"
    read = read_table(_Raw, raw, where)
    _require_url(name, read.url)
    secret = either_secret(folder, file=read.secret_file, variable=read.secret_variable, where=where)
    return HookConfig(
        name=name, url=read.url, seal=Seal(secret, name), assurance=read.assurance, timeout_s=read.timeout_s
    )


def _require_url(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host = ""
    if not host or parts.username is not None:
        raise ConfigError(f"webhook.{name}.url is no URL without a password, e.g. https://pager.example.com/askfirst")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise ConfigError(f"webhook.{name}.url has to be https: commands would be sent in the clear")
