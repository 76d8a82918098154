"""``askfirst mcp``: the MCP server that a host starts, thin: tools are listed before anything else is loaded.

A host may not offer tools that come late (Codex: not in the first turn), and loading the MCP SDK takes most of a
second. So this speaks the protocol itself, with the standard library, and hands every call to the broker, which it
starts when none runs. Its rules:

- One message a line, UTF-8, at most ``LINE_MAX_BYTES``; standard output carries nothing else.
- Every call runs in a thread of its own, at most ``CALLS_MAX`` at once, so that waits do not hold up others.
- The end of standard input ends the process at once: what was asked stays in the broker, and the same call finds it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Any, BinaryIO

import askfirst
from askfirst.unique_names import TwiceNamedError, read_json
from mcp_server import rpc
from mcp_server.keyboard import KEY, InputNeededError, Keyboard

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.sdk.steps import Flow, Transport
    from mcp_server.calls import Told
    from mcp_server.elicitation import Offer

LINE_MAX_BYTES = 4 * 1024 * 1024
CALLS_MAX = 64


class Server:
    """One client's server.

    Args:
        out: where messages go, a line each.
        connect: gives the way to the broker; called at the first tool call.
        environ: says which host started us.
    """

    def __init__(self, out: BinaryIO, connect: Callable[[], Transport], environ: dict[str, str]) -> None:
        self._out = out
        self._connect = connect
        self._environ = environ
        self._writing = threading.Lock()
        self._running = threading.BoundedSemaphore(CALLS_MAX)
        self._cancelled: set[str | int] = set()
        self._open: set[str | int] = set()
        self._keyboard = Keyboard(self._send)

    def serve(self, source: BinaryIO) -> None:
        """Answer until the input ends."""
        while line := source.readline(LINE_MAX_BYTES + 1):
            if len(line) > LINE_MAX_BYTES:
                while not line.endswith(b"\n") and (line := source.readline(LINE_MAX_BYTES)):
                    pass
                self._send(rpc.failure(None, rpc.INVALID_REQUEST, f"a message of more than {LINE_MAX_BYTES} bytes"))
            elif line.strip():
                self._receive(line)

    def _receive(self, line: bytes) -> None:
        try:
            message = read_json(line)
        except TwiceNamedError as error:
            self._send(rpc.failure(None, rpc.INVALID_REQUEST, f"the message {error}"))
            return
        except (ValueError, RecursionError) as error:
            self._send(rpc.failure(None, rpc.PARSE_ERROR, f"not JSON: {str(error)[:200]}"))
            return
        if (answered := self._keyboard.take(message)) is not None:
            threading.Thread(target=self._review, args=answered, daemon=True).start()
            return
        found = rpc.read(message, askfirst.__version__)
        if isinstance(found, rpc.Call):
            self._start(found)
        elif isinstance(found, rpc.Cancelled):
            self._cancelled |= {found.id} & self._open
        elif found is not None:
            self._send(found)

    def _start(self, call: rpc.Call) -> None:
        if not self._running.acquire(blocking=False):
            self._send(rpc.failure(call.id, rpc.INVALID_REQUEST, f"more than {CALLS_MAX} calls at once"))
            return
        self._open.add(call.id)
        threading.Thread(target=self._run, args=(call,), daemon=True).start()

    def _run(self, call: rpc.Call) -> None:
        try:
            answer = self._answer(call)
        except _AbandonedError:
            answer = {}  # its client has cancelled it, and is not answered
        except Exception as error:  # noqa: BLE001  # the outermost frame of the call: it is answered whatever happened
            text = f"askfirst broke: {type(error).__name__}: {error}"[:500]
            sys.stderr.write(f"{text}\n")
            answer = rpc.failure(call.id, -32603, text)
        finally:
            self._running.release()
        is_wanted = call.id not in self._cancelled
        self._cancelled.discard(call.id)
        self._open.discard(call.id)
        if is_wanted:
            self._send(answer)

    def _answer(self, call: rpc.Call) -> dict[str, Any]:
        from askfirst.sdk.steps import drive  # noqa: PLC0415  # the tools are listed before this is loaded
        from mcp_server import calls, tasks  # noqa: PLC0415
        from mcp_server.caller import from_environment, from_meta  # noqa: PLC0415

        transport = self._connect()
        context = calls.Context(
            caller=from_meta(from_environment(self._environ), call.meta),
            now_ms=transport.now_ms,
            progress=lambda seconds, text: self._progress(call, seconds, text),
            **self._keyboard.ways(call),
        )
        flow: Flow[Told | dict[str, Any]]
        if call.tool in rpc.TASK_METHODS:
            flow = tasks.serve(call.tool, call.arguments, context)
        else:
            run = tasks.call if call.is_modern and call.takes_tasks else calls.call
            flow = run(call.tool, call.arguments, context)
        try:
            told = drive(flow, transport)
        except InputNeededError as needed:
            return rpc.input_required(call, KEY, needed.params, needed.state, askfirst.__version__)
        except tasks.UnknownTaskError as error:
            return rpc.failure(call.id, rpc.INVALID_PARAMS, str(error))
        if isinstance(told, dict):
            return rpc.plain(call, told, askfirst.__version__)
        return rpc.told(call, told.result(), askfirst.__version__)

    def _review(self, asked: Offer, answer: object) -> None:
        """Hand in what the person at the keyboard has said; whoever waits for the request hears of it."""
        from askfirst.errors import Error  # noqa: PLC0415
        from askfirst.sdk.steps import drive  # noqa: PLC0415
        from mcp_server import calls  # noqa: PLC0415
        from mcp_server.caller import from_environment  # noqa: PLC0415

        transport = self._connect()
        caller = from_environment(self._environ)
        context = calls.Context(caller=caller, now_ms=transport.now_ms, progress=lambda _seconds, _text: None)
        try:
            drive(calls.answered(asked, answer, context), transport)
        except Error as error:
            sys.stderr.write(f"askfirst: an answer did not count: {error}\n")

    def _progress(self, call: rpc.Call, seconds: float, text: str) -> None:
        if call.id in self._cancelled:
            raise _AbandonedError
        if call.progress_token is not None:
            self._send(rpc.progress(call, seconds, text))

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps(message, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
        with self._writing:
            self._out.write(data)
            self._out.flush()


class _AbandonedError(Exception):
    """Nobody waits for this call any more."""


def main() -> None:
    """Serve this process's standard input and output; diagnostics go to standard error."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints by mistake must not break the protocol
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):  # the host has gone
        Server(out, _connect, dict(os.environ)).serve(sys.stdin.buffer)
    os._exit(0)  # threads that wait for a person are left; their requests are the broker's


def _connect() -> Transport:
    from askfirst.sdk.link import open_link  # noqa: PLC0415  # only a tool call needs it

    return open_link()
