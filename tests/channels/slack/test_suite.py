"""The conformance suite of channels over the fake workspace."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from askfirst.request import Verdict
from askfirst.testing.channel_suite import ListenerSuite
from askfirst.testing.slack import APP_TOKEN, BOT_TOKEN, TEAM, FakeSlack
from channels.slack.api import Api
from channels.slack.blocks import shown
from channels.slack.channel import SlackChannel
from channels.slack.parse import delivery_id
from channels.slack.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from askfirst.backing import Backing
    from askfirst.testing.channel_suite import Act, Failure, Harness

ANN, STRANGER, CHANNEL = "U0ANN", "U0MALLORY", "C0APPROVALS"
_FAULTS = {"away": "away", "slow_down": "ratelimited", "gone": "is_archived", "": ""}
_VERBS = {Verdict.NEEDS_INFO: "ask"}


class SlackHarness:
    """People who press and write in the workspace."""

    def __init__(self, channel: SlackChannel, fake: FakeSlack) -> None:
        self.channel = channel
        self._fake = fake

    def shown(self, message: str) -> str:
        channel, ts = message.split("/")
        all_of_it = [self._fake.message(channel, ts), *self._fake.thread(channel, ts)]
        return "\n".join(shown(each["blocks"]) for each in all_of_it)

    def offers(self, message: str) -> bool:
        channel, ts = message.split("/")
        buttons = _buttons(self._fake.message(channel, ts))
        return any(each.startswith(("approve", "option")) for each in buttons)

    async def act(self, act: Act) -> Sequence[tuple[str, bytes]]:
        user = act.by.rpartition("/")[2]
        channel, ts = act.message.split("/")
        is_press = act.verdict in {Verdict.APPROVE, Verdict.DENY} and not (act.text or act.typed_code)
        name = f"{act.verdict.value}-0" if act.verdict else ""
        if act.verdict is None:
            envelope = self._fake.say(user, CHANNEL, act.text)
        elif is_press and name in _buttons(self._fake.message(channel, ts)):
            envelope = self._fake.press(user, channel, ts, name)
        elif act.verdict is Verdict.APPROVE and act.card.risk.label == "critical" and not act.typed_code:
            envelope = self._fake.say(user, CHANNEL, "approve it")
        else:
            verb = _VERBS.get(act.verdict, act.verdict.value)
            envelope = self._fake.say(user, CHANNEL, f"{verb} {act.card.code} {act.text}".strip())
        return [(delivery_id(envelope), json.dumps(envelope).encode())]

    def fail(self, failure: Failure) -> None:
        for method in ("chat.postMessage", "auth.test"):
            is_concerned = failure != "gone" or method == "chat.postMessage"
            self._fake.fail(method, _FAULTS[failure] if is_concerned else "")

    def told(self) -> Sequence[str]:
        return self._fake.whispers()


def _buttons(message: dict[str, Any]) -> list[str]:
    rows = [each for each in message["blocks"] if each["type"] == "actions"]
    return [each["action_id"] for row in rows for each in row["elements"]]


class TestSlack(ListenerSuite):
    scheme, recipient = "slack", "slack:#approvals"
    person, stranger = f"slack:{TEAM}/{ANN}", f"slack:{TEAM}/{STRANGER}"

    @asynccontextmanager
    async def open(self, backing: Backing) -> AsyncIterator[Harness]:
        with FakeSlack() as fake:
            settings = Settings(bot_token=BOT_TOKEN, app_token=APP_TOKEN, api_url=fake.url)
            yield SlackHarness(SlackChannel(backing, Api(settings)), fake)
