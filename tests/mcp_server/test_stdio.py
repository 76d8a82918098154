"""The thin server: both eras, hostile input, waits side by side."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import askfirst
from askfirst.testing.memory import MemoryBroker, approve
from mcp_server import rpc
from mcp_server.stdio import LINE_MAX_BYTES, Server
from mcp_server.tools import TOOLS

MODERN = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}
SERVER_INFO = {"name": "askfirst", "title": "Askfirst", "version": askfirst.__version__}


class Wire:
    """A client's end: requests go in by a pipe, answers are read as they come."""

    def __init__(self, broker: MemoryBroker) -> None:
        ours_in, theirs_in = socket.socketpair()
        theirs_out, ours_out = socket.socketpair()
        self._sockets = (ours_in, theirs_in, theirs_out, ours_out)
        self._files = (
            ours_in.makefile("wb"),
            theirs_in.makefile("rb"),
            theirs_out.makefile("wb"),
            ours_out.makefile("rb"),
        )
        self._in, source, out, self._out = self._files
        server = Server(out, lambda: broker, {"CLAUDE_CODE_SESSION_ID": "s1"})
        self._thread = threading.Thread(target=server.serve, args=(source,), daemon=True)
        self._thread.start()

    def send(self, *messages: object) -> None:
        for each in messages:
            self._in.write(each if isinstance(each, bytes) else json.dumps(each).encode() + b"\n")
        self._in.flush()

    def next(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._out.readline())
        return found

    def close(self) -> None:
        self._sockets[0].shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        for each in (*self._files, *self._sockets):
            each.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire(MemoryBroker(approve(after_s=50)))
    yield made
    made.close()


def request(number: int, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_the_handshake_answers_the_clients_version(wire: Wire, version: str) -> None:
    wire.send(request(1, "initialize", protocolVersion=version, capabilities={}, clientInfo={}))
    found = wire.next()["result"]
    assert found["protocolVersion"] == version
    assert (found["serverInfo"], found["capabilities"]) == (SERVER_INFO, {"tools": {}})


def test_an_unknown_version_is_answered_with_our_newest(wire: Wire) -> None:
    wire.send(request(1, "initialize", protocolVersion="2099-01-01"))
    assert wire.next()["result"]["protocolVersion"] == "2025-11-25"


def test_handshake_and_modern_era_list_the_same_tools(wire: Wire) -> None:
    wire.send({"jsonrpc": "2.0", "method": "notifications/initialized"}, request(1, "tools/list"), request(2, "ping"))
    assert wire.next() == {"jsonrpc": "2.0", "id": 1, "result": {"tools": TOOLS}}
    assert wire.next() == {"jsonrpc": "2.0", "id": 2, "result": {}}
    wire.send(request(3, "server/discover", **MODERN), request(4, "tools/list", **MODERN))
    assert wire.next()["result"]["supportedVersions"] == ["2026-07-28"]
    assert wire.next()["result"] == {
        "tools": TOOLS,
        "ttlMs": 0,
        "cacheScope": "private",
        "resultType": "complete",
        "_meta": {"io.modelcontextprotocol/serverInfo": SERVER_INFO},
    }


def test_errors_have_the_codes_of_the_specification(wire: Wire) -> None:
    future = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2030-01-01"}}
    cases: list[tuple[object, int]] = [
        (b"{\n", -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "method": "tools/list"}\n', -32600),
        ([1], -32600),
        ({"id": 1, "method": "ping"}, -32600),
        ({"jsonrpc": "2.0", "id": True, "method": "ping"}, -32600),
        (request(1, "resources/list"), -32601),
        (request(1, "server/discover"), -32601),
        (request(1, "ping", **MODERN), -32601),
        (request(1, "tools/call", name="nothing"), -32602),
        (request(1, "tools/call", name="get_request", arguments=[]), -32602),
        (request(1, "tools/list", **future), -32022),
        (b"x" * (LINE_MAX_BYTES + 2) + b"\n", -32600),
    ]
    for message, code in cases:
        wire.send(message)
        assert wire.next()["error"]["code"] == code
    wire.send(request(9, "ping"))
    assert wire.next()["id"] == 9


def test_a_call_reports_rising_progress_and_then_its_result(wire: Wire) -> None:
    arguments = {"action": "push", "command": "git push --force", "reason": "r"}
    wire.send(request(1, "tools/call", name="request_approval", arguments=arguments, _meta={"progressToken": "t"}))
    told = []
    while "method" in (message := wire.next()):
        assert message["params"]["progressToken"] == "t"
        told.append(message["params"]["progress"])
    assert told == [15, 30, 45, 50]
    assert message["result"]["structuredContent"]["status"] == "approved"
    assert message["result"]["isError"] is False


def test_a_waiting_call_holds_up_no_other_and_a_cancelled_one_is_never_answered() -> None:
    waiting, go_on = threading.Event(), threading.Event()

    class Slow(MemoryBroker):
        def send(self, send: Any) -> Any:
            if "/wait" in send.path:
                waiting.set()
                go_on.wait(5)
            return super().send(send)

    wire = Wire(Slow(approve()))
    arguments = {"action": "x", "reason": "y"}
    wire.send(request(1, "tools/call", name="request_approval", arguments=arguments))
    assert waiting.wait(5)
    wire.send(request(2, "ping"))
    assert wire.next()["id"] == 2
    wire.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}, request(3, "ping"))
    assert wire.next()["id"] == 3
    go_on.set()
    wire.send(request(4, "ping"))
    assert wire.next()["id"] == 4
    wire.close()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["jsonrpc", "id", "method", "params", "_meta", "name", "arguments", "requestId"]), inner
            )
        ),
    )
)
def test_no_message_breaks_the_reader(message: Any) -> None:
    if isinstance(message, dict):
        message["jsonrpc"] = "2.0"
    found = rpc.read(message, "1")
    assert found is None or isinstance(found, rpc.Call | rpc.Cancelled) or {"result", "error"} & set(found)


def test_the_process_lists_its_tools_before_anything_of_the_server_is_loaded() -> None:
    code = (
        "import sys; from mcp_server import stdio, rpc;"
        "rpc.read({'jsonrpc': '2.0', 'id': 1, 'method': 'tools/list'}, '1');"
        "print(sorted({name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    foreign = set(json.loads(done.stdout.replace("'", '"')))
    assert {each for each in foreign if not each.startswith(("_", "sitecustom"))} == {"askfirst", "mcp_server"}


def test_the_end_of_input_ends_the_process_and_nothing_else_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-m", "askfirst.entry", "mcp"],
        input=json.dumps(request(1, "ping")).encode() + b"\n",
        capture_output=True,
        timeout=30,
        check=True,
    )
    assert json.loads(done.stdout) == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert io.BytesIO(done.stdout).readlines() == [done.stdout]


TASKS = {"_meta": {**MODERN["_meta"], "io.modelcontextprotocol/clientCapabilities": {"extensions": {rpc.TASKS: {}}}}}
ASK = {"name": "request_approval", "arguments": {"action": "deploy", "reason": "because"}}


def test_a_client_that_takes_tasks_gets_one_and_its_result_later(wire: Wire) -> None:
    wire.send(request(1, "tools/call", **ASK, **TASKS))
    made = wire.next()["result"]
    assert (made["resultType"], made["status"]) == ("task", "working")
    assert made["ttlMs"] > 0
    assert "result" not in made
    wire.send(request(2, "tasks/get", taskId=made["taskId"], **TASKS))
    assert wire.next()["result"]["status"] == "working"
    wire.send(request(3, "tools/call", name="get_request", arguments={"id": made["taskId"], "wait_s": 100}, **MODERN))
    assert wire.next()["result"]["structuredContent"]["status"] == "approved"
    wire.send(request(4, "tasks/get", taskId=made["taskId"], **TASKS))
    ended = wire.next()["result"]
    assert (ended["resultType"], ended["status"], ended["taskId"]) == ("complete", "completed", made["taskId"])
    assert ended["result"]["content"][0]["type"] == "text"
    assert ended["result"]["isError"] is False


def test_a_task_is_cancelled_and_an_update_changes_nothing(wire: Wire) -> None:
    wire.send(request(1, "tools/call", **ASK, **TASKS))
    task = wire.next()["result"]["taskId"]
    wire.send(request(2, "tasks/update", taskId=task, inputResponses={"x": {}}, **TASKS))
    assert wire.next()["result"]["resultType"] == "complete"
    for number in (3, 4):
        wire.send(request(number, "tasks/cancel", taskId=task, **TASKS))
        assert wire.next()["result"]["resultType"] == "complete"
    wire.send(request(5, "tasks/get", taskId=task, **TASKS))
    assert wire.next()["result"]["status"] == "cancelled"


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("tasks/get", {"taskId": "nobody", **TASKS}, -32602),
        ("tasks/cancel", {**TASKS}, -32602),
        ("tasks/get", {"taskId": "nobody", **MODERN}, -32021),
        ("tasks/get", {"taskId": "nobody"}, -32601),
        ("tasks/list", {**TASKS}, -32601),
    ],
    ids=["unknown", "no id", "not declared", "earlier era", "no such method"],
)
def test_tasks_that_are_not_there_or_not_for_this_client(
    wire: Wire, method: str, params: dict[str, Any], code: int
) -> None:
    wire.send(request(1, method, **params))
    assert wire.next()["error"]["code"] == code


def test_a_call_that_does_not_wait_makes_no_task(wire: Wire) -> None:
    arguments = {**ASK["arguments"], "wait": False}
    wire.send(request(1, "tools/call", name=ASK["name"], arguments=arguments, **TASKS))
    found = wire.next()["result"]
    assert (found["resultType"], found["structuredContent"]["status"]) == ("complete", "pending")
