"""The webhook channel: the conformance suite over a program at the other end, and what its door refuses."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from askfirst.backing import Backing
from askfirst.clock import SystemClock
from askfirst.errors import ChannelError, ConfigError, StoreAwayError
from askfirst.inbound import Decision, Ignored, Linking, Outcome, Retraction, Undo
from askfirst.testing.channel_suite import Act, Failure, ListenerSuite
from channels.webhook import wire
from channels.webhook.channel import WebhookChannel, open_channel
from channels.webhook.config import hooks_of

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()


class Program:
    """What somebody has written at the other end: shows cards, sends decisions; signatures by the public library."""

    def __init__(self) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.told: list[str] = []
        self.failure: Failure = ""
        self.app = Starlette(routes=[Route("/askfirst", self.take, methods=["POST"])])

    async def take(self, request: Request) -> Response:
        body = await request.body()
        Webhook(SECRET).verify(body, dict(request.headers))
        match self.failure:
            case "away":
                return Response(status_code=500)
            case "slow_down":
                return Response(status_code=429, headers={"Retry-After": "7"})
            case "gone":
                return Response(status_code=410)
        message = json.loads(body)
        if message["type"] in {"request.created", "request.updated"}:
            self.messages[message["data"]["message"]] = message["data"]
        elif message["type"] == "decision.outcome":
            self.told.append(message["data"]["text"])
        return Response(status_code=204)


class PagerHarness:
    """The channel and the program."""

    def __init__(self, channel: WebhookChannel, program: Program) -> None:
        self.channel = channel
        self.program = program
        self.acts = 0

    def shown(self, message: str) -> str:
        return "\n".join(_texts(self.program.messages[message]["card"]))

    def offers(self, message: str) -> bool:
        return bool(self.program.messages[message]["is_open"])

    async def act(self, act: Act) -> Sequence[tuple[str, bytes]]:
        """Post it to the channel's door, signed."""
        self.acts += 1
        id_, body = f"evt_{self.acts}", json.dumps(said(act))
        taken = Taken()
        answer = await post(self.channel, taken, id_, body)
        assert answer.status_code == 204, answer.text
        return taken.deliveries

    def fail(self, failure: Failure) -> None:
        self.program.failure = failure

    def told(self) -> Sequence[str]:
        return self.program.told


class Taken:
    """A reception that only remembers."""

    def __init__(self) -> None:
        self.deliveries: list[tuple[str, bytes]] = []
        self.away: list[str] = []

    async def take(self, scheme: str, deliveries: Sequence[tuple[str, bytes]], *, cursor: str | None = None) -> None:
        assert (scheme, cursor) == ("webhook", None)
        self.deliveries += deliveries

    async def cursor(self, scheme: str) -> str:
        return ""

    async def turned_away(self, scheme: str, door: str, reason: str) -> None:
        self.away.append(f"{scheme} {door}: {reason}")


async def post(
    channel: WebhookChannel, reception: Any, id_: str, body: str, *, name: str = "pager", **changes: str
) -> httpx.Response:
    """Knock at the door as a program does; ``changes`` are of the headers."""
    now = datetime.now(UTC)
    headers = {
        "webhook-id": id_,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(SECRET).sign(id_, now, body),
        **{key.replace("_", "-"): value for key, value in changes.items()},
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(channel.app(reception))) as http:
        return await http.post(f"http://askfirst/{name}", content=body.encode(), headers=headers)


def said(act: Act) -> dict[str, Any]:
    data: dict[str, Any] = {"person": {"id": act.by.partition("/")[2], "name": "Ann"}, "message": act.message}
    if act.verdict is None:
        return {"type": "message", "data": {**data, "text": act.text}}
    card = act.card
    data |= {"request": card.request_id, "version": card.version, "digest": card.action_digest}
    data |= {"verdict": act.verdict.value, "text": act.text, "typed_code": act.typed_code}
    return {"type": "decision", "data": data}


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [str(value)]


class TestWebhook(ListenerSuite):
    scheme, recipient = "webhook", "webhook:pager"
    person, stranger = "webhook:pager/17", "webhook:pager/666"

    @asynccontextmanager
    async def open(self, backing: Backing) -> AsyncIterator[PagerHarness]:
        path = backing.folder / "secret"
        path.touch(0o600)
        path.write_text(SECRET)
        program = Program()
        table = {"pager": {"url": "http://127.0.0.1/askfirst", "secret_file": "secret"}}
        yield PagerHarness(
            open_channel(replace(backing, table=table, clock=SystemClock()), httpx.ASGITransport(program.app)), program
        )


def two_programs(folder: Path) -> WebhookChannel:
    (folder / "secret").touch(0o600)
    (folder / "secret").write_text(SECRET)
    one = {"url": "https://pager.example.com/a", "secret_file": "secret"}
    return WebhookChannel(hooks_of({"pager": one, "bot": {**one, "assurance": 2}}, folder), SystemClock())


DECISION = {"type": "decision", "data": {"person": {"id": "17"}, "verdict": "approve", "code": "0AB1CD-0123abcd"}}


def knock(channel: WebhookChannel, reception: Any, **changes: str) -> httpx.Response:
    return asyncio.run(post(channel, reception, "evt_1", json.dumps(DECISION), **changes))


def test_a_signed_decision_is_stored_before_the_program_hears_of_it(tmp_path: Path) -> None:
    channel, taken = two_programs(tmp_path), Taken()
    assert knock(channel, taken).status_code == 204
    [(id_, raw)] = taken.deliveries
    assert id_ == "pager/evt_1"
    [decision] = channel.parse(raw)
    assert isinstance(decision, Decision)
    assert (decision.origin.identity, decision.delivery) == ("webhook:pager/17", "pager/evt_1")


def stale(minutes: float) -> dict[str, str]:
    """Headers that were true some time ago."""
    then = datetime.now(UTC) - timedelta(minutes=minutes)
    signature = Webhook(SECRET).sign("evt_1", then, json.dumps(DECISION))
    return {"webhook_timestamp": str(int(then.timestamp())), "webhook_signature": signature}


FORGED: list[Mapping[str, str]] = [
    stale(5.1),
    stale(-60),
    {"webhook_id": "evt_2"},
    {"webhook_timestamp": "nan"},
    {"webhook_timestamp": "1e400"},
    {"webhook_timestamp": "9" * 400},
    {"webhook_timestamp": "-1"},
    {"webhook_timestamp": ""},
    {"webhook_signature": ""},
    {"webhook_signature": "v1"},
    {"webhook_signature": "v1,"},
    {"webhook_signature": "v1,%%%"},
    {"webhook_signature": "v1,a,b"},
    {"webhook_signature": "v1a,AAAA"},
    {"webhook_signature": "v1,AAAA v1,BBBB"},
]


@pytest.mark.parametrize("changes", FORGED)
def test_what_is_not_signed_now_is_refused_before_it_is_stored(tmp_path: Path, changes: dict[str, str]) -> None:
    taken = Taken()
    assert knock(two_programs(tmp_path), taken, **changes).status_code == 401
    assert taken.deliveries == []
    assert taken.away == ["webhook webhook:pager: the signature does not verify, or is older than five minutes"]


def test_other_doors_other_ways_and_too_much_are_refused(tmp_path: Path) -> None:
    channel, taken = two_programs(tmp_path), Taken()
    assert knock(channel, taken, name="nobody").status_code == 404
    long = asyncio.run(post(channel, taken, "evt_1", "x" * (wire.BODY_MAX_BYTES + 1)))
    assert long.status_code == 413

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(channel.app(taken))) as http:
            return await http.get("http://askfirst/pager")

    assert asyncio.run(get()).status_code == 405
    assert taken.deliveries == []


def test_a_program_is_asked_to_send_again_what_could_not_be_stored(tmp_path: Path) -> None:
    class Away(Taken):
        async def take(self, *_: Any, **__: Any) -> None:
            raise StoreAwayError("away")

    assert knock(two_programs(tmp_path), Away()).status_code == 503


def test_a_program_is_worth_what_its_table_says_whatever_it_says_itself(tmp_path: Path) -> None:
    channel = two_programs(tmp_path)
    for hook, worth in (("pager", 1), ("bot", 2)):
        said_ = {**DECISION, "data": {**DECISION["data"], "assurance": 3}}  # type: ignore[dict-item]
        [inbound] = channel.parse(wire.kept(hook, "evt_1", json.dumps(said_).encode()))
        vetted = asyncio.run(channel.vet(inbound))
        assert isinstance(vetted, Decision)
        assert vetted.assurance == worth


def test_a_program_that_was_taken_out_of_the_configuration_decides_nothing(tmp_path: Path) -> None:
    channel = two_programs(tmp_path)
    [inbound] = channel.parse(wire.kept("former", "evt_1", json.dumps(DECISION).encode()))
    with pytest.raises(ChannelError, match=r"no \[webhook\.former\] in the configuration; known: bot, pager") as caught:
        asyncio.run(channel.vet(inbound))
    assert caught.value.is_permanent


def parsed(kind: str, **data: Any) -> Any:
    body = {"type": kind, "data": {"person": {"id": "17"}, **data}}
    [inbound] = wire.parse(wire.kept("pager", "evt_1", json.dumps(body).encode()), "webhook")
    return inbound


def test_each_type_of_message_is_what_it_says() -> None:
    assert isinstance(parsed("decision", verdict="deny", code="0AB1CD-0123abcd"), Decision)
    assert isinstance(parsed("undo", code="0AB1CD-0123abcd", turn=1), Undo)
    assert parsed("link", link_code="ABC") == Linking(
        delivery="pager/evt_1", origin=parsed("undo").origin, link_code="ABC"
    )
    assert parsed("retraction", retracts="evt_0").retracted == "pager/evt_0"
    assert isinstance(parsed("retraction", retracts="evt_0"), Retraction)
    for ignored in (
        parsed("decision"),
        parsed("retraction"),
        parsed("link"),
        parsed("request.created", card={}),
        parsed("decision", verdict="perhaps"),
        parsed("decision", verdict="approve", person={"id": "a b"}),
        parsed("decision", verdict="approve", version="1"),
        parsed("decision", verdict="approve", text="x" * 20_000),
    ):
        assert isinstance(ignored, Ignored)


def test_a_recipient_of_another_program_is_not_taken_at_its_word() -> None:
    assert parsed("undo", recipient="webhook:bot/room").origin.recipient == "webhook:pager"
    assert parsed("undo", recipient="webhook:pager/room").origin.recipient == "webhook:pager/room"


def test_our_own_messages_sent_back_to_us_are_no_decisions() -> None:
    """One secret signs both ways."""
    for body in (wire.ping(0), wire.told("evt_1", OUTCOME, 0)):
        assert isinstance(wire.parse(wire.kept("pager", "m1", body.encode()), "webhook")[0], Ignored)


OUTCOME = Outcome(counted=True, text="approved")
GOOD = {"url": "https://pager.example.com/a", "secret_file": "secret"}


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({}, r"\[webhook\] has no tables"),
        ({"url": "https://x"}, "webhook.url is no table"),
        ({"Pager": GOOD}, "webhook.Pager is no table"),
        ({"pager": {**GOOD, "urls": ""}}, "webhook.pager.urls: extra inputs are not permitted"),
        ({"pager": {**GOOD, "url": "http://pager.example.com/a"}}, "has to be https"),
        ({"pager": {**GOOD, "url": "https://u:p@pager.example.com/"}}, "is no URL without a password"),
        ({"pager": {**GOOD, "url": "https://["}}, "is no URL"),
        ({"pager": {**GOOD, "assurance": 3}}, "webhook.pager.assurance"),
        ({"pager": {"url": GOOD["url"]}}, "give either secret_file or secret_variable"),
        ({"pager": {**GOOD, "secret_variable": "X"}}, "give either secret_file or secret_variable"),
        ({"pager": {**GOOD, "secret_file": "none"}}, "cannot read the secret"),
        ({"pager": {**GOOD, "secret_file": "weak"}}, "is no whsec_… of at least 24 bytes"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused_with_a_sentence(
    tmp_path: Path, table: dict[str, Any], sentence: str
) -> None:
    for name, content in (("secret", SECRET), ("weak", "whsec_AAAA")):
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_text(content)
    with pytest.raises(ConfigError, match=sentence) as caught:
        hooks_of(table, tmp_path)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("retry", ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "９"])
def test_a_pause_that_is_no_number_of_seconds_counts_for_nothing(tmp_path: Path, retry: str) -> None:
    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(503, headers=[(b"retry-after", retry.encode())])

    hooks = two_programs(tmp_path)._hooks
    channel = WebhookChannel(hooks, SystemClock(), httpx.MockTransport(answer))
    health = asyncio.run(channel.check())
    assert (health.ok, health.text) == (False, "webhook.pager answered 503; webhook.bot answered 503")
