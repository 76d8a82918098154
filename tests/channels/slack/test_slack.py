"""Slack beside the suite: what must not count, Socket Mode, the SDK of others against the fake."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from askfirst.card import card_of
from askfirst.engine import Case
from askfirst.errors import ChannelError, ConfigError
from askfirst.inbound import Decision, Ignored, Instruction, Linking
from askfirst.request import Verdict
from askfirst.testing.bench import OneCase, a_draft, a_request
from askfirst.testing.slack import APP_TOKEN, BOT_TOKEN, TEAM, FakeSlack
from channels.slack.api import Api
from channels.slack.channel import SlackChannel
from channels.slack.controls import Sealer, control_of
from channels.slack.parse import parse_envelope
from channels.slack.preview import preview_html
from channels.slack.render import message_of
from channels.slack.settings import Settings, settings_of
from channels.slack.vetting import NOT_OURS, Vetting

ANN, CHANNEL = "U0ANN", "C0APPROVALS"
SEALER = Sealer(b"k" * 32)


def run(story: Callable[[], Any]) -> Any:
    return asyncio.run(asyncio.wait_for(story(), 20))


def a_case(**changes: Any) -> Case:
    return Case(request=replace(a_request(a_draft()), **changes))


async def pressed(fake: FakeSlack, case: Case, change: Callable[[dict[str, Any]], None] | None = None) -> Decision:
    """Ann presses Approve on the message about this case, whose envelope somebody may change."""
    message = message_of(card_of(case), SEALER)
    web = AsyncWebClient(BOT_TOKEN, base_url=fake.url)
    sent = await web.chat_postMessage(channel="#approvals", text=message.text, blocks=list(message.blocks))
    envelope = copy.deepcopy(fake.press(ANN, CHANNEL, str(sent["ts"]), "approve-0"))
    if change is not None:
        change(envelope["payload"])
    [inbound] = parse_envelope(json.dumps(envelope).encode())
    assert isinstance(inbound, Decision)
    return await Vetting(SEALER, OneCase(case)).decision(inbound)


def another_text(payload: dict[str, Any]) -> None:
    payload["message"]["blocks"][1]["elements"][0]["elements"][0]["text"] = "ls"


def another_request(payload: dict[str, Any]) -> None:
    action = payload["actions"][0]
    action["value"] = action["value"].replace(".1.approve.", ".2.approve.")


def as_the_service_writes_it(payload: dict[str, Any]) -> None:
    """Emoji become short names, and blocks get ids."""
    for block in payload["message"]["blocks"]:
        block["block_id"] = "x"
    title = payload["message"]["blocks"][0]["text"]
    title["text"] = title["text"].replace("🟠", ":large_orange_circle:")


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        (None, ""),
        (as_the_service_writes_it, ""),
        (another_text, NOT_OURS),
        (another_request, NOT_OURS),
    ],
)
def test_a_press_counts_only_under_the_text_that_was_sent(
    change: Callable[[dict[str, Any]], None] | None, doubt: str
) -> None:
    async def story() -> Decision:
        with FakeSlack() as fake:
            return await pressed(fake, a_case(), change)

    decision = run(story)
    assert (decision.doubt, decision.verdict) == (doubt, Verdict.APPROVE)
    assert decision.origin.identity == f"slack:{TEAM}/{ANN}"


def test_a_button_of_another_installation_is_not_ours() -> None:
    card = card_of(a_case())
    control = control_of(Sealer(b"x" * 32).value(card, "approve", "text"))
    assert control is not None
    assert not SEALER.is_ours(control, card, "text")


def said(text: str, **more: Any) -> Sequence[Any]:
    event = {"type": "message", "user": ANN, "channel": CHANNEL, "text": text, "ts": "1.000100", "team": TEAM, **more}
    payload = {"team_id": TEAM, "event_id": "Ev1", "event": event}
    return parse_envelope(json.dumps({"type": "events_api", "envelope_id": "e", "payload": payload}).encode())


CODE = a_case().request.code


@pytest.mark.parametrize(
    ("text", "more", "kind"),
    [
        ("approve CODE", {}, Decision),
        ("<@U0BOT> /approve code", {}, Decision),
        ("deny CODE because &lt;so&gt;", {}, Decision),
        ("approve CODE uses:5", {}, Decision),
        ("approve CODE but not on Friday", {}, Instruction),
        ("answer CODE", {}, Instruction),
        ("please approve CODE", {}, Ignored),
        ("> approve CODE", {}, Ignored),
        ("approve", {}, Ignored),
        ("yes, approved!", {}, Ignored),
        ("approve CODE", {"bot_id": "B1"}, Ignored),
        ("approve CODE", {"subtype": "message_changed"}, Ignored),
        ("approve CODE", {"user": ""}, Ignored),
        ("approve CODE", {"user": "U0ANN/../U0BOB"}, Ignored),
        ("link abcd-1234", {}, Linking),
        ("hello", {"channel_type": "im"}, Instruction),
    ],
)
def test_only_whole_messages_of_a_verb_and_the_code_decide(text: str, more: dict[str, Any], kind: type) -> None:
    [inbound] = said(text.replace("CODE", CODE).replace("code", CODE.lower()), **more)
    assert type(inbound) is kind


def test_words_are_read_as_they_were_typed() -> None:
    [inbound] = said(f"deny {CODE} use &lt;stash&gt; &amp; go")
    assert isinstance(inbound, Decision)
    assert inbound.text == "use <stash> & go"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.sampled_from(["interactive", "events_api", "slash_commands", "x"]),
    st.dictionaries(st.sampled_from(["type", "event", "actions", "user", "channel", "container", "message"]), _JSON),
)
def test_no_envelope_breaks_the_parser(kind: str, payload: dict[str, Any]) -> None:
    [inbound] = parse_envelope(json.dumps({"type": kind, "envelope_id": "e", "payload": payload}).encode())
    assert isinstance(inbound, Ignored)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"null", b"[" * 100_000, b'{"payload": 1}'])
def test_what_is_no_envelope_is_set_apart(raw: bytes) -> None:
    with pytest.raises(ChannelError):
        parse_envelope(raw)


class Desk:
    """Keeps what it is handed; fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.taken: list[str] = []
        self.changed = asyncio.Event()

    async def take(self, scheme: str, deliveries: Sequence[tuple[str, bytes]], *, cursor: str | None = None) -> None:
        del scheme, cursor
        if self.failures:
            self.failures -= 1
            raise ChannelError("the store is full")
        self.taken += [id_ for id_, _ in deliveries]
        self.changed.set()

    async def cursor(self, _scheme: str) -> str:
        return ""

    async def turned_away(self, scheme: str, door: str, reason: str) -> None:
        raise AssertionError((scheme, door, reason))


def test_an_envelope_is_confirmed_only_when_it_is_kept() -> None:
    async def story() -> tuple[list[str], int]:
        with FakeSlack() as fake:
            settings = Settings(bot_token=BOT_TOKEN, app_token=APP_TOKEN, api_url=fake.url)
            desk = Desk(failures=1)
            channel = SlackChannel.__new__(SlackChannel)
            channel._api = Api(settings)
            running = asyncio.create_task(channel.run(desk))
            try:
                await asyncio.to_thread(fake.say, ANN, CHANNEL, f"approve {CODE}")
                while fake.unconfirmed() == 1 and not desk.taken:
                    await asyncio.to_thread(fake.say, ANN, CHANNEL, "anything makes it send again")
                await desk.changed.wait()
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            return desk.taken, fake.unconfirmed()

    taken, _ = run(story)
    assert taken


def test_the_fake_serves_the_services_own_framework() -> None:
    """slack_bolt, which knows nothing of us: posts, refusals, a press and a message over Socket Mode."""

    async def story() -> list[str]:
        heard: list[str] = []
        went, done = asyncio.Event(), asyncio.Event()
        with FakeSlack() as fake:
            web = AsyncWebClient(BOT_TOKEN, base_url=fake.url)
            app = AsyncApp(client=web, request_verification_enabled=False)

            @app.action("go-1")
            async def pressed(ack: Any, body: dict[str, Any]) -> None:
                await ack()
                heard.append(body["user"]["id"])
                went.set()

            @app.event("message")
            async def message(event: dict[str, Any]) -> None:
                heard.append(event["text"])
                done.set()

            handler = AsyncSocketModeHandler(app, APP_TOKEN, web_client=AsyncWebClient(base_url=fake.url))
            await handler.connect_async()
            button = {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "go-1", "value": "v"}
            row = {"type": "actions", "elements": [button]}
            sent = await web.chat_postMessage(channel="#approvals", text="t", blocks=[row])
            await asyncio.to_thread(fake.press, ANN, CHANNEL, str(sent["ts"]), "go-1")
            await went.wait()
            while await asyncio.to_thread(fake.unconfirmed):
                pass
            await asyncio.to_thread(fake.say, ANN, CHANNEL, "a < b")
            await done.wait()
            for bad in ({"channel": "#nowhere"}, {"channel": "#approvals", "blocks": [row] * 51}):
                with pytest.raises(SlackApiError, match=r"channel_not_found|invalid_blocks"):
                    await web.chat_postMessage(**{"text": "t", **bad})
            await handler.close_async()
        return heard

    assert run(story) == [ANN, "a &lt; b"]


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({}, "either bot_token_file or bot_token_variable"),
        ({"bot_token_file": "bot", "app_token_file": "bot"}, "the app token does not begin with xapp-"),
        ({"bot_token_file": "bot", "app_token_file": "open"}, "open to other users"),
        ({"bot_token_file": "bot", "app_token_file": "app", "api_url": "http://evil.example"}, "https://"),
        ({"token": "xoxb-1"}, "token"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, table: dict[str, object], complaint: str) -> None:
    for name, content, mode in (("bot", BOT_TOKEN, 0o600), ("app", APP_TOKEN, 0o600), ("open", APP_TOKEN, 0o644)):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(mode)
    with pytest.raises(ConfigError) as caught:
        settings_of(table, tmp_path)
    assert complaint in str(caught.value)
    assert "xoxb-1" not in str(caught.value).replace("begin with", "")


def test_a_preview_shows_hostile_text_as_text() -> None:
    card = card_of(a_case(action=replace(a_case().request.action, arguments={"command": "<script>x</script> & rm"})))
    page = preview_html(message_of(card, SEALER))
    assert "<script>" not in page
    assert "&lt;script&gt;x&lt;/script&gt; &amp; rm" in page
