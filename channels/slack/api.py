"""The service, by slack_sdk; its errors as ours. The one module that imports the SDK."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from askfirst.errors import ChannelError, ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from channels.slack.blocks import Block
    from channels.slack.settings import Settings

try:
    import aiohttp
    from slack_sdk.errors import SlackApiError, SlackClientError
    from slack_sdk.socket_mode.aiohttp import SocketModeClient
    from slack_sdk.socket_mode.response import SocketModeResponse
    from slack_sdk.web.async_client import AsyncWebClient
except ModuleNotFoundError as error:  # an extra
    raise ConfigError("[slack] needs the extra: install askfirst[slack]") from error

if TYPE_CHECKING:
    from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

_GONE = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "user_not_found",
        "user_disabled",
        "cannot_dm_bot",
        "restricted_action",
        "invalid_blocks",
        "msg_too_long",
    }
)
"""What trying again does not mend. From: https://docs.slack.dev/reference/methods/chat.postMessage#errors"""
_NO_MESSAGE = frozenset({"message_not_found", "cant_update_message"})
_TIMEOUT_S = 20


class Api:
    """What the channel needs of the service."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._web = AsyncWebClient(token=settings.bot_token, base_url=settings.api_url, timeout=_TIMEOUT_S)

    async def me(self) -> str:
        """The workspace and name that the token belongs to."""
        found = await self._call("auth.test")
        return f"{found.get('user', '')} in {found.get('team', '')}"

    async def post(self, channel: str, text: str, blocks: Sequence[Block], *, thread: str = "") -> tuple[str, str]:
        """Send a message; channel id and timestamp, which name it."""
        found = await self._call(
            "chat.postMessage",
            channel=channel,
            text=text,
            blocks=list(blocks),
            mrkdwn=False,
            parse="none",
            unfurl_links=False,
            unfurl_media=False,
            **({"thread_ts": thread} if thread else {}),
        )
        return str(found["channel"]), str(found["ts"])

    async def update(self, channel: str, ts: str, text: str, blocks: Sequence[Block]) -> None:
        """Change a message; one that a person deleted stays deleted."""
        await self._call("chat.update", channel=channel, ts=ts, text=text, blocks=list(blocks), parse="none")

    async def whisper(self, channel: str, user: str, text: str, *, thread: str = "") -> None:
        """Tell one person, where they are."""
        more = {"thread_ts": thread} if thread else {}
        await self._call("chat.postEphemeral", channel=channel, user=user, text=text, parse="none", **more)

    async def listen(self, take: Callable[[dict[str, Any]], Awaitable[None]], stopped: Awaitable[None]) -> None:
        """Hear envelopes until ``stopped``; one is confirmed only when ``take`` has returned, else it comes again."""

        async def hear(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
            await take({"type": request.type, "envelope_id": request.envelope_id, "payload": request.payload})
            await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))

        client = SocketModeClient(
            app_token=self._settings.app_token,
            web_client=AsyncWebClient(base_url=self._settings.api_url, timeout=_TIMEOUT_S),
        )
        client.socket_mode_request_listeners.append(hear)
        try:
            await client.connect()  # type: ignore[no-untyped-call]  # the SDK's
            await stopped
        except (SlackApiError, SlackClientError, aiohttp.ClientError, OSError) as error:
            raise ChannelError(f"Slack's socket cannot be opened: {_words(error)}") from error
        finally:
            await client.close()  # type: ignore[no-untyped-call]

    async def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        try:
            found = await self._web.api_call(method, json=arguments)
        except SlackApiError as error:
            name = str(error.response.get("error", ""))
            if name in _NO_MESSAGE:
                return {}
            pause = error.response.headers.get("Retry-After", "0") if name == "ratelimited" else "0"
            raise ChannelError(
                f"Slack refused {method}: {name}", retry_after_s=float(pause), is_permanent=name in _GONE
            ) from error
        except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError, json.JSONDecodeError) as error:
            raise ChannelError(f"Slack cannot be reached: {_words(error)}") from error
        data = found.data
        return data if isinstance(data, dict) else {}


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]
