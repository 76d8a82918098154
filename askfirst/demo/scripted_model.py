"""A model's server on loopback that plays a list of turns and records every request, in the API of whoever asks.

It stands where the model is, so that a real agent program can be driven without an account: each answer is the next
turn of the script, and the request after it shows what the model was told. Standard library only. Its rules:

- Only a request that offers tools to a large model is the agent's own turn. Whatever else a client asks on the side
  (titles, quota probes, summaries) gets a short text and uses up nothing.
- A request repeated word for word is a retry and gets the turn that it got before.
- After the last turn every answer is a text that says so, and ``is_overrun`` tells the test.
- It listens on 127.0.0.1 alone, and reads at most ``MAX_REQUEST_BYTES`` a request.
"""

from __future__ import annotations

import hashlib
import json
import sys
import threading
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self, cast

from askfirst.demo.apis.anthropic_messages import USAGE, AnthropicMessages
from askfirst.demo.apis.gemini import Gemini
from askfirst.demo.apis.openai_chat import OpenAiChat
from askfirst.demo.apis.openai_responses import OpenAiResponses
from askfirst.demo.script import Say, ToolResult, Turn

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from askfirst.demo.apis.api import Api

APIS: tuple[Api, ...] = (AnthropicMessages(), OpenAiResponses(), OpenAiChat(), Gemini())

MAX_REQUEST_BYTES = 32 * 1024 * 1024
"""As the real API allows. From: https://docs.anthropic.com/en/api/errors (request_too_large)."""

SIDE_ANSWER: Turn = (Say(text="Scripted"),)
OVERRUN: Turn = (Say(text="The script is over."),)
STOP_WAIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRequest:
    """One request as it came in; credentials are not kept.

    Attributes:
        method: e.g. ``POST``.
        path: with the query, e.g. ``/v1/messages?beta=true``.
        body: the JSON object that was sent, empty when there was none.
        turn: index of the turn it was answered with, None for a side request or after the last turn.
    """

    method: str
    path: str
    body: Mapping[str, object]
    turn: int | None


class ScriptedModel:
    """The server; use it as a context manager.

    Attributes:
        url: what a client takes as its base URL, e.g. ``http://127.0.0.1:40001``.
    """

    def __init__(self, turns: Sequence[Turn]) -> None:
        self._turns = tuple(turns)
        self._lock = threading.Lock()
        self._requests: list[RecordedRequest] = []
        self._turn_by_digest: dict[bytes, int] = {}
        self._is_overrun = False
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="scripted-model")
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(STOP_WAIT_S)

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """Everything that was asked so far, in order of arrival."""
        with self._lock:
            return tuple(self._requests)

    @property
    def is_overrun(self) -> bool:
        """Whether the agent asked for more turns than the script has."""
        with self._lock:
            return self._is_overrun

    def results(self) -> tuple[ToolResult, ...]:
        """What the model was told about its calls, each once, in order of arrival."""
        found: dict[str, ToolResult] = {}
        for request in self.requests:
            api = _api_of(request.path)
            if request.turn is not None and api is not None:
                found.update((result.id, result) for result in api.told(request.body) if result.id not in found)
        return tuple(found.values())

    def answer(self, method: str, path: str, body: Mapping[str, object], api: Api) -> Turn:
        """Record a request for a message and choose its turn."""
        with self._lock:
            is_agent = api.is_agent(body)
            turn = self._choose(api.history(body)) if is_agent else None
            self._requests.append(RecordedRequest(method=method, path=path, body=body, turn=turn))
            if turn is not None:
                return self._turns[turn]
            return OVERRUN if is_agent else SIDE_ANSWER

    def record(self, method: str, path: str, body: Mapping[str, object]) -> None:
        """Record a request that is answered without the script."""
        with self._lock:
            self._requests.append(RecordedRequest(method=method, path=path, body=body, turn=None))

    def _choose(self, history: object) -> int | None:
        key = hashlib.sha256(json.dumps(history).encode()).digest()
        turn = self._turn_by_digest.setdefault(key, len(self._turn_by_digest))
        if turn < len(self._turns):
            return turn
        self._is_overrun = True
        return None


def _api_of(path: str) -> Api | None:
    """The API in which a message is asked for at this path."""
    return next((api for api in APIS if api.takes(path.partition("?")[0])), None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, model: ScriptedModel) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = model

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no news; anything else is a bug and shown."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(cast("socket.socket", request), client_address)


class _Handler(BaseHTTPRequestHandler):
    """Speaks HTTP; what is answered is the model's matter."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    """Seconds without a byte after which a connection is dropped."""

    @property
    def _model(self) -> ScriptedModel:
        return cast("_Server", self.server).model

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Stay silent: ``requests`` is the log."""

    def do_HEAD(self) -> None:
        """Clients ask for the root to see whether anybody is there."""
        self._model.record("HEAD", self.path, {})
        self._send(b"", "application/json")

    def do_GET(self) -> None:
        """Lists of models and the like: there is nothing."""
        self._model.record("GET", self.path, {})
        self._send_json({"data": [], "has_more": False})

    def do_POST(self) -> None:
        """A message, its token count, or something that this server does not have."""
        body = self._body()
        if body is None:
            return
        path = self.path.partition("?")[0]
        api = _api_of(path)
        if api is not None:
            turn = self._model.answer("POST", self.path, body, api)
            content = api.answer(self.path, body, turn, len(self._model.requests))
            self._send(content.data, content.type)
            return
        self._model.record("POST", self.path, body)
        if path == "/v1/messages/count_tokens":
            self._send_json({"input_tokens": USAGE["input_tokens"]})
            return
        self._refuse(HTTPStatus.NOT_FOUND, "not_found_error", f"nothing at {path}, expected /v1/messages")

    def _body(self) -> Mapping[str, object] | None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MAX_REQUEST_BYTES:
            self.close_connection = True
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_too_large", f"length {length[:20]!r}")
            return None
        try:
            body: object = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            self._refuse(HTTPStatus.BAD_REQUEST, "invalid_request_error", f"not JSON: {error}")
            return None
        if not isinstance(body, dict):
            self._refuse(HTTPStatus.BAD_REQUEST, "invalid_request_error", "expected a JSON object")
            return None
        return body

    def _refuse(self, status: HTTPStatus, kind: str, reason: str) -> None:
        self._send_json({"type": "error", "error": {"type": kind, "message": reason}}, status)

    def _send_json(self, value: Mapping[str, object], status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(json.dumps(value).encode(), "application/json", status)

    def _send(self, content: bytes, content_type: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
