"""The fake as an HTTP server in a thread of its own, and as what a test holds in its hand."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, Self, TypeVar

import uvicorn

from askfirst.testing.telegram import people
from askfirst.testing.telegram.app import Api
from askfirst.testing.telegram.world import PRESS_RETENTION_S, Chat, Message, User, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN = "7000000001:AAFakeTokenForTestsOnly-0123456789abcde"  # noqa: S105  # of a bot that is not there
_T = TypeVar("_T")
BOUND_S = 10.0
"""No call of the fake takes longer, seconds."""


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class FakeTelegram:
    """A Bot API server on a loopback port while it is entered. Its methods may be called from any thread.

    Attributes:
        world: everything that it knows, to be touched by ``call`` only.

    Args:
        press_retention_s: how long presses wait, 150 in the real world.
        port: 0: any.
    """

    def __init__(
        self,
        *,
        token: str = TOKEN,
        username: str = "askfirst_test_bot",
        press_retention_s: float = PRESS_RETENTION_S,
        port: int = 0,
    ) -> None:
        self.token = token
        self._loop = asyncio.new_event_loop()
        self.world = World(token=token, username=username, press_retention_s=press_retention_s)
        self.api = Api(self.world)
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.listen(128)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        config = uvicorn.Config(
            self.api.app(), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def base_url(self) -> str:
        """What ``telegram.Bot`` takes as ``base_url``."""
        return f"{self.url}/bot"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end)
            self._thread.join(BOUND_S)

    # -- people -------------------------------------------------------------------------------------------------------

    def user(self, name: str, **options: Any) -> User:
        """A new person; see ``World.add_user``."""
        return self.call(lambda: self.world.add_user(name, **options))

    def group(self, title: str, *, forum: bool = False) -> Chat:
        """A new group with the bot in it."""
        return self.call(lambda: self.world.add_group(title, forum=forum))

    def press(self, user: User, message: Message, button: str, **options: Any) -> str:
        """See ``people.press``."""
        return self.call(lambda: people.press(self.world, user, message, button, **options))

    def say(self, user: User, chat: Chat | User, text: str, **options: Any) -> Message:
        """See ``people.say``; a user stands for their private chat."""
        return self.call(lambda: people.say(self.world, user, self.world.chats[chat.id], text, **options))

    def edit(self, message: Message, text: str) -> None:
        """See ``people.edit``."""
        self.call(lambda: people.edit(self.world, message, text))

    # -- what there is ------------------------------------------------------------------------------------------------

    def messages(self, chat_id: int, *, by_bot: bool = True) -> list[Message]:
        """Messages in a chat, oldest first; the bot's only, or all."""
        bot = self.world.bot.id

        def found() -> list[Message]:
            return [
                dict(message)
                for (where, _), message in sorted(self.world.messages.items())
                if where == chat_id and (not by_bot or message.get("from", {}).get("id") == bot)
            ]

        return self.call(found)

    def answers(self, query_id: str) -> list[dict[str, Any]]:
        """How the bot answered a press."""
        return self.call(lambda: list(self.world.queries[query_id].answers))

    def calls(self, method: str = "") -> list[tuple[str, dict[str, Any]]]:
        """Calls of the bot, oldest first."""
        return self.call(lambda: [each for each in self.world.calls if method in ("", each[0])])

    def file(self, file_id: str) -> bytes:
        """What a file holds."""
        return self.call(lambda: self.world.files[file_id][1])

    def queued(self) -> int:
        """Updates that the bot has not confirmed."""
        return self.call(lambda: len(self.world.waiting(0, 1000)))

    # -- trouble ------------------------------------------------------------------------------------------------------

    def raw(self, update: Any) -> int:
        """Queue an update as it is."""
        return self.call(lambda: self.world.tell_raw(update))

    def advance(self, seconds: float) -> None:
        """Let time pass on the server."""
        self.call(lambda: self.world.advance(seconds))

    def fail(self, method: str, kind: str, times: int = 1) -> None:
        """The next calls of a method go wrong: see ``Api.fault``."""
        self.call(lambda: self.world.faults.extend([(method, kind)] * times))

    def wait_for(self, method: str, times: int = 1) -> None:
        """Return once the bot has called this method so often; TimeoutError where it does not."""
        with self.api.called:
            if not self.api.called.wait_for(lambda: self._count(method) >= times, BOUND_S):
                raise TimeoutError(f"the bot has called {method} {self._count(method)} times, not {times}")

    def _count(self, method: str) -> int:
        return sum(name == method for name, _ in list(self.world.calls))

    def on_call(self, hook: Callable[[str], None] | None) -> None:
        """Called with the name of each method before it is carried out."""
        self.call(lambda: setattr(self.api, "on_call", hook))

    def call(self, work: Callable[[], _T]) -> _T:
        """Run this on the server's loop."""

        async def doing() -> _T:
            return work()

        if not self._thread.is_alive():
            return work()
        return asyncio.run_coroutine_threadsafe(doing(), self._loop).result(BOUND_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
            self._loop.run_until_complete(self._end_calls())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        delivering = asyncio.create_task(self.api.deliver())
        await self._server.serve(sockets=[self._listener])
        delivering.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await delivering
        self._listener.close()

    async def _end_calls(self) -> None:
        """Calls that the server left open, polls above all, end with it instead of lying about until they are found."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for each in left:
            each.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _end(self) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self.api.end_polls()
