"""What setting Telegram up asks the service: whether the token is good, and whether the bot is free."""

from __future__ import annotations

import asyncio

from askfirst.errors import ConfigError
from channels.telegram.api import Api, TokenError
from channels.telegram.settings import checked_token


def bot_of(token: str, api_url: str, webhook_url: str) -> str:
    """The user name of a bot that may be used.

    Raises:
        ConfigError: this is no token, the service does not know it, or the bot has a webhook of another program.
        ChannelError: the service cannot be reached.
    """
    return asyncio.run(_bot_of(checked_token(token), api_url, webhook_url))


async def _bot_of(token: str, api_url: str, webhook_url: str) -> str:
    api = Api(token, api_url)
    try:
        _, name = await api.me()
        found = (await api.webhook()).url
    except TokenError as error:
        raise ConfigError("Telegram does not know this token; copy it from @BotFather again") from error
    finally:
        await api.close()
    if found and found != webhook_url:
        host = found.partition("://")[2].partition("/")[0]
        raise ConfigError(
            f"@{name} serves another program, which is told at {host}; nothing was changed. Make a bot of its own at "
            "@BotFather, or take that webhook away yourself"
        )
    return name
