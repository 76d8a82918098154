"""Outgoing webhooks: everything that was asked for, in order, signed, over failures and restarts."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook

from askfirst.broker.notify import Notifier
from askfirst.config import parse_config
from askfirst.errors import ConfigError
from askfirst.notify_config import Endpoint, endpoints
from askfirst.request import Verdict
from askfirst.testing.bench import a_draft, a_review
from audit.testing import Broker

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(tmp_path / "state")
    yield made
    made.stop()


class Receiver:
    """A program on loopback that takes webhooks, or answers otherwise as often as it is told."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.url = ""
        self.changed = asyncio.Condition()

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.taken]

    @property
    def ids(self) -> list[str]:
        """Of what was taken; after a stop in the middle the last one may come again."""
        return list(dict.fromkeys(headers["webhook-id"] for headers, _ in self.taken))

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: len(self.ids) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
                body = await reader.readexactly(int(headers["content-length"]))
                status = self.answers.pop(0) if self.answers else 204
                if status == 204:
                    self.taken.append((headers, body))
                    async with self.changed:
                        self.changed.notify_all()
                writer.write(f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\nlocation: /other\r\n\r\n".encode())
                await writer.drain()
        writer.close()


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    async with server:
        yield made
        server.close()


@asynccontextmanager
async def told(broker: Broker, url: str, *events: str) -> AsyncIterator[None]:
    endpoint = Endpoint(name="ops", url=url, secret=SECRET, events=events or ("gate.*", "grant.*"))
    notifier = Notifier(
        endpoint=endpoint,
        desk=broker.desk,
        writer=broker.writer,
        reader=broker.reader,
        clock=broker.clock,
        idle_s=0.01,
        pause_first_s=0.01,
    )
    await notifier.begin()
    task = asyncio.create_task(notifier.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def asked_and_denied(broker: Broker, key: str) -> str:
    case = await broker.desk.ask(a_draft(key=key, command=f"rm {key}"))
    await broker.desk.review(a_review(case.request, Verdict.DENY, decision_id=f"decision-{key}"))
    return case.request.id


def test_changes_are_told_in_order_signed_and_with_the_request(broker: Broker) -> None:
    async def story() -> tuple[str, Receiver]:
        await asked_and_denied(broker, "before")
        async with receiver() as ops, told(broker, ops.url):
            request_id = await asked_and_denied(broker, "one")
            await ops.until(2)
        return request_id, ops

    request_id, ops = asyncio.run(story())
    assert ops.types == ["gate.requested", "gate.decided"]
    messages: list[dict[str, Any]] = []
    for headers, body in ops.taken:
        signed_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        assert signed_at.timestamp() == broker.clock.now_ms() // 1000
        signature = Webhook(SECRET).sign(headers["webhook-id"], signed_at, body.decode())
        assert headers["webhook-signature"] == signature
        messages.append(json.loads(body))
    assert [each["data"]["request"]["id"] for each in messages] == [request_id] * 2
    assert messages[1]["data"]["request"]["state"] == "denied"
    assert messages[1]["data"]["entry"]["decision"]["verdict"] == "denied"


def test_a_receiver_that_fails_is_told_again_until_it_takes_it_and_the_log_says_so_once(broker: Broker) -> None:
    async def story() -> Receiver:
        async with receiver() as ops, told(broker, ops.url):
            ops.answers = [500, 302, 404]
            await asked_and_denied(broker, "one")
            await ops.until(2)
        return ops

    assert asyncio.run(story()).types == ["gate.requested", "gate.decided"]
    failures = broker.entries("channel.failed")
    assert [each["data"]["recipient"] for each in failures] == ["notify:ops"]
    assert failures[0]["data"]["cause"] == "it answered 500"


def test_what_happens_while_nobody_tells_is_told_after_a_restart(broker: Broker) -> None:
    async def story() -> list[str]:
        async with receiver() as ops:
            async with told(broker, ops.url):
                await asked_and_denied(broker, "one")
                await ops.until(2)
            await asked_and_denied(broker, "two")
            async with told(broker, ops.url):
                await ops.until(4)
                await asked_and_denied(broker, "three")
                await ops.until(6)
            return ops.ids

    ids = asyncio.run(story())
    assert len(ids) == 6
    assert sorted(ids, key=lambda each: int(each.removeprefix("log_"))) == ids


def test_only_what_was_asked_for_is_told(broker: Broker) -> None:
    async def story() -> list[str]:
        async with receiver() as ops, told(broker, ops.url, "gate.decided"):
            await asked_and_denied(broker, "one")
            await asked_and_denied(broker, "two")
            await ops.until(2)
            return ops.types

    assert asyncio.run(story()) == ["gate.decided", "gate.decided"]


TABLE = '[[notify]]\nname = "ops"\nurl = "https://ops.example.com/x"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (TABLE, "either secret_file or secret_variable"),
        (TABLE + 'secret_file = "ops.secret"\nsecret_variable = "OPS"\n', "either secret_file or secret_variable"),
        (TABLE + 'secret_file = "open.secret"\n', "open to other users"),
        (TABLE + 'secret_file = "short.secret"\n', "no `whsec_`"),
        (TABLE + 'secret_file = "missing.secret"\n', "cannot read the secret"),
        ((TABLE + 'secret_file = "ops.secret"\n') * 2, "two [[notify]] tables"),
        (TABLE + 'events = ["everything"]\n', "events"),
        (TABLE.replace("https://ops", "ftp://ops"), "url"),
        (TABLE + "secrets = 1\n", "did you mean 'secret_file'"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    for name, content, mode in (
        ("ops.secret", SECRET, 0o600),
        ("open.secret", SECRET, 0o644),
        ("short.secret", "whsec_abc", 0o600),
    ):
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(mode)
    with pytest.raises(ConfigError) as caught:
        endpoints(list(parse_config(text.encode(), source=str(tmp_path / "config.toml")).notify), tmp_path)
    assert complaint in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_table_is_read_with_its_secret(tmp_path: Path) -> None:
    (tmp_path / "ops.secret").write_text(SECRET + "\n")
    (tmp_path / "ops.secret").chmod(0o600)
    config = parse_config((TABLE + 'secret_file = "ops.secret"\n').encode(), source=str(tmp_path / "config.toml"))
    [endpoint] = endpoints(list(config.notify), config.folder)
    assert endpoint.secret == SECRET
    assert endpoint.wants("gate.decided")
    assert not endpoint.wants("channel.failed")
    assert SECRET not in repr(endpoint)
