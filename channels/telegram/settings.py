"""The ``[telegram]`` table of the configuration, read strictly.

[telegram]
token_file = "telegram-token"   # 0600; or token_variable = "NAME" of a variable of the broker's environment
topics = "repository"           # in groups with topics, one for each repository or "session"; "none": none
digest_from = 5                 # from so many open requests on, those below high risk come as one list
webhook_url = ""                # https://…/hooks/telegram/update: be told instead of polling
api_url = "https://api.telegram.org"
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from askfirst.errors import ConfigError
from askfirst.secret import either_secret
from channels.table import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Topics = Literal["none", "repository", "session"]
TOKEN = re.compile(r"([0-9]{5,20}):[A-Za-z0-9_-]{20,100}", re.ASCII)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _Raw(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    token_file: str = ""
    token_variable: str = ""
    topics: Topics = "none"
    digest_from: int = Field(default=5, ge=1, le=1000)
    webhook_url: str = ""
    api_url: str = "https://api.telegram.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The table as it is used; see the module's docstring."""

    token: str = field(repr=False)
    topics: Topics
    digest_from: int
    webhook_url: str
    api_url: str

    @property
    def bot_id(self) -> int:
        """The bot's own id, the first part of its token."""
        return int(self.token.partition(":")[0])


def settings_of(table: Mapping[str, object], folder: Path) -> Settings:
    """The settings in this table.

    Raises:
        ConfigError: it cannot be used; the sentence names the key.
    """
    raw = read_table(_Raw, table, "telegram")
    where = "[telegram] (`askfirst telegram setup` writes it)"
    token = either_secret(folder, file=raw.token_file, variable=raw.token_variable, where=where, key="token")
    return Settings(
        token=checked_token(token),
        topics=raw.topics,
        digest_from=raw.digest_from,
        webhook_url=_checked_url(raw.webhook_url, "webhook_url"),
        api_url=_checked_url(raw.api_url, "api_url").rstrip("/"),
    )


def checked_token(token: str) -> str:
    """The token when it looks like one; it is never shown.

    Raises:
        ConfigError: it does not.
    """
    if not TOKEN.fullmatch(token):
        raise ConfigError(
            "this is no token of a Telegram bot; @BotFather gives one, like 123456789:AAE… (46 characters)"
        )
    return token


def _checked_url(url: str, name: str) -> str:
    if not url:
        return ""
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_safe or not parts.hostname:
        raise ConfigError(f"[telegram] {name} must be an https:// address")
    return url
