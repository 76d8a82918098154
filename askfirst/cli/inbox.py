"""``askfirst inbox``: the live list in the terminal, or the way into the web inbox."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import threading
import webbrowser
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, print_json, sentences
from askfirst.cli.requests import describe, is_listed_whole, only, table
from askfirst.clock import SystemClock, new_id
from askfirst.errors import Error, InputError, NotAllowedError
from askfirst.paths import state_paths

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.cli.parts import Parts
    from askfirst.client import Client
    from askfirst.paths import StatePaths

_LISTED_MAX = 50
"""Rows of the live list; thousands would scroll away what a person is about to read."""
_HELP = "show CODE · approve CODE · deny CODE [reason] · quit"


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the command."""

    @app.command()
    def inbox(
        open_browser: Annotated[bool, typer.Option("--open", help="Open the web inbox with a one-time link.")] = False,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """What waits for a person, live; decide here where the policy allows it, or in the web inbox."""
        with sentences():
            paths = state_paths(state_dir)
            client = connected(paths)
            if open_browser:
                _open(parts, paths, as_json=as_json)
            elif as_json:
                print_json(_pending(client, 1000))
            elif sys.stdin.isatty() and sys.stdout.isatty():
                _live(client)
            else:
                _show_list(_pending(client, 1000))


def _open(parts: Parts, paths: StatePaths, *, as_json: bool) -> None:
    """Open the browser; the link itself goes to a terminal only, where the gated agent does not read along."""
    if not sys.stdout.isatty():
        raise NotAllowedError("a login link is only shown on a terminal; run `askfirst inbox --open` in one")
    link = parts.login_link(paths)
    if as_json:
        print_json({"link": link})
    else:
        console.print(f"one-time link, valid for 10 minutes: {link}", soft_wrap=True, markup=False)
    webbrowser.open(link)


def _pending(client: Client, limit: int) -> list[dict[str, Any]]:
    """The newest pending requests, oldest first."""
    found: list[dict[str, Any]] = client.call("GET", "/v1/requests", params={"state": "pending", "limit": limit})[
        "requests"
    ]
    return found[::-1]


def _show_list(found: list[dict[str, Any]]) -> None:
    console.print(table(found, now_ms=SystemClock().now_ms()) if found else "nothing waits for you")


def _live(client: Client) -> None:
    """Redraw on every change, obey what is typed; ends with `quit`, Ctrl-C, Ctrl-D or the broker."""
    may_decide = client.call("GET", "/healthz")["terminal_decisions"]
    changed, tell = os.pipe()
    threading.Thread(target=_watch, args=(client, tell), daemon=True).start()
    session = Session(client, may_decide=may_decide, read_line=_typed)
    try:
        session.draw()
        while True:
            ready, _, _ = select.select([sys.stdin, changed], [], [])
            if changed in ready:
                if not os.read(changed, 4096):
                    console.print("the broker has gone; run `askfirst inbox` again", style="red")
                    return
                termios.tcflush(sys.stdin, termios.TCIFLUSH)  # what is half typed goes with the screen it was typed on
            elif not session.obey(_typed()):
                return
            session.draw()
    except KeyboardInterrupt:
        return


def _typed() -> str:
    """One line from the terminal, ``""`` at its end; unbuffered, so that ``select`` sees the next one."""
    return os.read(sys.stdin.fileno(), 65_536).decode("utf-8", "replace")


def _watch(client: Client, tell: int) -> None:
    with os.fdopen(tell, "wb", buffering=0) as pipe, contextlib.suppress(Error), client.events() as events:
        for _ in events:
            pipe.write(b".")


class Session:
    """What one person sees and types."""

    def __init__(self, client: Client, *, may_decide: bool, read_line: Callable[[], str]) -> None:
        self._client = client
        self._may_decide = may_decide
        self._read_line = read_line
        self._listed: dict[str, dict[str, Any]] = {}
        self._earlier: dict[str, dict[str, Any]] = {}
        """What was listed before, too: a deny takes an approval back that was not used yet."""
        self._seen_whole: set[str] = set()

    def draw(self) -> None:
        """The list as it is now; decisions are bound to what was drawn."""
        found = _pending(self._client, _LISTED_MAX)
        self._listed = {each["code"].lower(): each for each in found}
        self._earlier |= self._listed
        console.clear()
        _show_list(found)
        if len(found) == _LISTED_MAX:
            console.print(f"these are the newest {_LISTED_MAX}; the web inbox shows all", style="yellow")
        hint = _HELP if self._may_decide else "show CODE · quit   (decide in the web inbox: askfirst inbox --open)"
        console.print(f"\n{hint}", style="dim", markup=False)

    def obey(self, line: str) -> bool:
        """Carry out one typed line; False ends the session."""
        words = line.split(maxsplit=2)
        if not line or (words and words[0] in {"quit", "q", "exit"}):
            return False
        if not words:
            return True
        try:
            self._command(*(*words, "", "")[:3])
        except Error as error:
            console.print(str(error), style="red", markup=False)
        console.print("return to go on", style="dim")
        return bool(self._read_line())

    def _command(self, verb: str, code: str, text: str) -> None:
        if verb not in {"show", "approve", "deny"}:
            raise InputError(f"{verb!r} is no command; {_HELP}")
        if not code:
            raise InputError(f"{verb} which? type its code, e.g. {verb} 7XQ2KD-395ac29f")
        if verb != "approve":
            request = only((self._listed if verb == "show" else self._earlier).values(), code)
        elif (listed := self._listed.get(code.lower())) is not None:
            request = listed
        else:
            raise InputError(f"no request {code!r} is shown; to approve type its whole code")
        if verb == "show":
            self._show(request)
        else:
            self._decide(request, verb, text)

    def _show(self, request: dict[str, Any]) -> None:
        for each in describe(request):
            console.print(each, markup=False, soft_wrap=True)
        self._seen_whole.add(request["code"])

    def _decide(self, request: dict[str, Any], verb: str, text: str) -> None:
        if verb == "approve" and not (is_listed_whole(request) or request["code"] in self._seen_whole):
            raise InputError(f"the list shows the beginning only; read it whole first: show {request['code']}")
        step = self._client.call(
            "POST",
            f"/v1/requests/{request['id']}/reviews",
            json={
                "decision_id": new_id(),
                "version": request["version"],
                "action_digest": request["action_digest"],
                "verdict": verb,
                "text": text.strip(),
            },
        )
        console.print(step["note"], markup=False)
