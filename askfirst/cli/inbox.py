"""``askfirst inbox``: the live list in the terminal, or the way into the web inbox."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, print_json, sentences
from askfirst.cli.requests import describe, table
from askfirst.client import Client
from askfirst.clock import new_id
from askfirst.errors import Error, InputError, NotAllowedError
from askfirst.paths import state_paths

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts
    from askfirst.paths import StatePaths

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
                _open(parts, paths)
            elif as_json:
                print_json(_pending(client))
            elif sys.stdin.isatty() and sys.stdout.isatty():
                _live(client)
            else:
                found = _pending(client)
                console.print(table(found) if found else "nothing waits for you")


def _open(parts: Parts, paths: StatePaths) -> None:
    """Open the browser; the link itself goes to a terminal only, where the gated agent does not read along."""
    if not sys.stdout.isatty():
        raise NotAllowedError("a login link is only shown on a terminal; run `askfirst inbox --open` in one")
    link = parts.login_link(paths)
    console.print(f"one-time link, valid for 10 minutes: {link}", soft_wrap=True, markup=False)
    webbrowser.open(link)


def _pending(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.call("GET", "/v1/requests", params={"state": "pending", "limit": 1000})[
        "requests"
    ]
    return found[::-1]


def _live(client: Client) -> None:
    """Redraw on every change, obey what is typed; ends with `quit`, Ctrl-C or the broker."""
    may_decide = client.call("GET", "/healthz")["terminal_decisions"]
    changed, tell = os.pipe()
    threading.Thread(target=_watch, args=(client, tell), daemon=True).start()
    session = _Session(client, may_decide=may_decide)
    try:
        session.draw()
        while True:
            ready, _, _ = select.select([sys.stdin, changed], [], [])
            if changed in ready and not os.read(changed, 4096):
                console.print("the broker has gone; run `askfirst inbox` again", style="red")
                return
            if sys.stdin in ready and not session.obey(sys.stdin.readline()):
                return
            session.draw()
    except KeyboardInterrupt:
        return


def _watch(client: Client, tell: int) -> None:
    with os.fdopen(tell, "wb", buffering=0) as pipe, contextlib.suppress(Error), client.events() as events:
        for _ in events:
            pipe.write(b".")


class _Session:
    """What one person sees and types."""

    def __init__(self, client: Client, *, may_decide: bool) -> None:
        self._client = client
        self._may_decide = may_decide
        self._shown: dict[str, dict[str, Any]] = {}

    def draw(self) -> None:
        """The list as it is now; decisions are bound to what was drawn."""
        found = _pending(self._client)
        self._shown = {each["code"].lower(): each for each in found}
        console.clear()
        console.print(table(found) if found else "nothing waits for you")
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
            self._command(*words)
        except Error as error:
            console.print(str(error), style="red", markup=False)
        except TypeError:
            console.print(_HELP, markup=False)
        console.input("[dim]return to go on[/]")
        return True

    def _command(self, verb: str, code: str, text: str = "") -> None:
        request = self._shown.get(code.lower())
        if request is None:
            raise InputError(f"no request {code!r} is shown; type its whole code")
        if verb == "show":
            for each in describe(request):
                console.print(each, markup=False, soft_wrap=True)
            return
        if verb not in {"approve", "deny"}:
            raise InputError(f"{verb!r} is no command; {_HELP}")
        step = self._client.call(
            "POST",
            f"/v1/requests/{request['id']}/reviews",
            json={
                "decision_id": new_id(),
                "version": request["version"],
                "action_digest": request["action_digest"],
                "verdict": verb,
                "text": text,
            },
        )
        console.print(step["note"], markup=False)
