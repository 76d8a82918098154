"""The ``[slack]`` table of the configuration, read strictly.

Example::

    [slack]
    bot_token_file = "slack-bot-token"   # xoxb-…, 0600; or bot_token_variable = "NAME" of the broker's environment
    app_token_file = "slack-app-token"   # xapp-…, for Socket Mode; or app_token_variable
    api_url = "https://slack.com/api/"
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from askfirst.errors import ConfigError
from askfirst.secret import either_secret
from channels.table import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _Raw(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    bot_token_file: str = ""
    bot_token_variable: str = ""
    app_token_file: str = ""
    app_token_variable: str = ""
    api_url: str = "https://slack.com/api/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The table as it is used; see the module's docstring."""

    bot_token: str = field(repr=False)
    app_token: str = field(repr=False)
    api_url: str


def settings_of(table: Mapping[str, object], folder: Path) -> Settings:
    """The settings in this table; files are named from ``folder``.

    Raises:
        ConfigError: it cannot be used; the sentence names the key, never a secret.
    """
    raw = read_table(_Raw, table, "slack")
    parts = urlsplit(raw.api_url)
    if not parts.hostname or not (parts.scheme == "https" or parts.hostname in _LOOPBACK):
        raise ConfigError("[slack] api_url must be an https:// address")
    return Settings(
        bot_token=_token("bot", "xoxb-", raw.bot_token_file, raw.bot_token_variable, folder),
        app_token=_token("app", "xapp-", raw.app_token_file, raw.app_token_variable, folder),
        api_url=raw.api_url.rstrip("/") + "/",
    )


def _token(name: str, prefix: str, file: str, variable: str, folder: Path) -> str:
    token = either_secret(folder, file=file, variable=variable, where="[slack]", key=f"{name}_token")
    if not token.startswith(prefix):
        raise ConfigError(
            f"[slack] the {name} token does not begin with {prefix}; see docs/slack.md for which is which"
        )
    return token
