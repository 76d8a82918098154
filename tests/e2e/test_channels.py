"""A real broker with a channel of one's own: the hook waits, a program gets the card and decides, also over a crash."""

from __future__ import annotations

import base64
import json
import queue
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

pytestmark = pytest.mark.slow
SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ...").decode()
CONFIG = """
[webhook.pager]
url = "{url}"
secret_file = "pager-secret"
[[people]]
id = "local:carol"
identities = ["webhook:pager/17"]
"""
POLICY = """
[routes]
default = ["webhook:pager"]
critical = ["webhook:pager"]
"""


class Program:
    """What somebody has written at the other end."""

    def __init__(self) -> None:
        self.messages: queue.Queue[dict[str, Any]] = queue.Queue()
        program = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                program.messages.put(Webhook(SECRET).verify(body, dict(self.headers)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/askfirst"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self, kind: str) -> dict[str, Any]:
        """The next message of this type."""
        while True:
            message = self.messages.get(timeout=30)
            if message["type"] == kind:
                data: dict[str, Any] = message["data"]
                return data

    def decide(self, broker: Any, card: Mapping[str, Any], verdict: str, *, person: str = "17", id_: str = "1") -> int:
        """Post a decision; the status."""
        base = json.loads(broker.paths.info.read_bytes())["web"]
        data = {
            "person": {"id": person},
            "verdict": verdict,
            "request": card["request_id"],
            "version": card["version"],
            "digest": card["action_digest"],
            "typed_code": card["action_digest"][:8],
        }
        body, now = json.dumps({"type": "decision", "data": data}), datetime.now(UTC)
        headers = {
            "webhook-id": id_,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(SECRET).sign(id_, now, body),
        }
        return httpx.post(f"{base}/hooks/webhook/pager", content=body, headers=headers).status_code

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def program(broker: Any) -> Iterator[Program]:
    """The program, and a broker that sends everything to it."""
    made = Program()
    folder: Path = broker.config.parent
    (folder / "pager-secret").touch(0o600)
    (folder / "pager-secret").write_text(SECRET)
    (folder / "policy.toml").write_text(POLICY)
    with broker.config.open("a", encoding="utf-8") as config:
        config.write(CONFIG.format(url=made.url))
    broker.start()
    yield made
    made.close()


def asked(broker: Any) -> dict[str, Any]:
    """What a program's call hears in the end."""
    made = broker.client.call("POST", "/v1/requests", json={"command": "git push --force origin main"})
    while made["state"] == "pending":
        made = broker.client.call("GET", f"/v1/requests/{made['id']}/wait", params={"timeout_s": 20})
    found: dict[str, Any] = made
    return found


def test_a_program_gets_the_card_decides_and_is_told(broker: Any, program: Program) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(asked, broker)
        card = program.next("request.created")["card"]
        assert card["command"] == "git push --force origin main"
        assert program.decide(broker, card, "approve", person="666", id_="stranger") == 204
        refused = program.next("decision.outcome")
        assert (refused["counted"], refused["is_stranger"]) == (False, True)
        assert program.decide(broker, card, "approve") == 204
        assert program.decide(broker, card, "approve") == 204
        assert waiting.result(30)["end"]["by"] == "local:carol"
        assert program.next("decision.outcome")["counted"]
        assert program.next("request.updated")["card"]["ended"].startswith("approved by local:carol via webhook")
    types = [entry["type"] for entry in broker.entries()]
    assert (types.count("review.cast"), types.count("channel.refused")) == (1, 1)


def test_a_decision_that_was_taken_in_survives_the_end_of_the_broker(broker: Any, program: Program) -> None:
    """I3: the program was told 204, and the broker is killed at that moment, ten times."""
    for number in range(10):
        command = {"command": f"git push --force origin branch-{number}"}
        request = broker.client.call("POST", "/v1/requests", json=command)
        card = program.next("request.created")["card"]
        assert card["request_id"] == request["id"]
        assert program.decide(broker, card, "deny", id_=f"evt-{number}") == 204
        broker.kill()
        broker.start()
        assert broker.ended(request)["end"]["by"] == "local:carol"
        while program.next("decision.outcome")["delivery"] != f"evt-{number}":
            pass
    assert [entry["type"] for entry in broker.entries()].count("review.cast") == 10
