"""``askfirst init``: the first run, guided, or by options alone: agents, policy, a channel, a test request."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from askfirst.cli.install import show_diff
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import EXIT_NO, connected, fail, print_json, sentences, stderr
from askfirst.originals import keep
from askfirst.paths import policy_file, state_paths, write_private

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts
    from askfirst.paths import StatePaths

Ready = Literal["personal", "team", "strict", "ci"]
_SEEN = "It reached me"
_WAIT_S = 100


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the command."""

    @app.command()
    def init(
        *,
        host: Annotated[list[str] | None, typer.Option("--host", help="An agent; once for each.")] = None,
        policy: Annotated[Ready, typer.Option(help="The ready policy to start from.")] = "personal",
        telegram_token_file: Annotated[
            Path | None, typer.Option(help="Pair Telegram: a file with the token that @BotFather gave.")
        ] = None,
        telegram_api_url: Annotated[
            str, typer.Option(help="A Bot API server of your own.", show_default="Telegram's")
        ] = "",
        yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; do what the options say.")] = False,
        test: Annotated[bool, typer.Option("--test/--no-test", help="Send a test request at the end.")] = True,
        timeout: Annotated[int, typer.Option(min=0, max=3600, help="Seconds to wait for its answer.")] = 120,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Set Askfirst up: connect the agents, choose a policy, pair a channel, and try it out."""
        with sentences():
            paths = state_paths(state_dir)
            done: dict[str, Any] = {"connected": _connect(parts, paths, host, ask=not yes)}
            done["policy"] = _policy(policy)
            done["telegram"] = _telegram(telegram_token_file, telegram_api_url, paths, ask=not yes)
            done["test"] = _try_out(parts, paths, timeout) if test else ""
            if as_json:
                print_json(done)
            else:
                stderr.print("\nready; `askfirst doctor` proves the gate, `askfirst inbox --open` opens the inbox")


def _connect(parts: Parts, paths: StatePaths, hosts: list[str] | None, *, ask: bool) -> list[str]:
    found = hosts or list(parts.hosts_here(Path.cwd()))
    if not found:
        raise fail("no agent was found on this machine; name one with --host", EXIT_NO)
    connected_hosts = []
    for change in parts.changes(found, "user", Path.cwd(), paths):
        if change.is_needed:
            if ask:
                show_diff(change)
            if ask and not typer.confirm(f"Connect {change.title} so?", default=True, err=True):
                continue
            if not parts.fingerprint(change.host, change.path):
                keep(paths, change)
            change.write()
            change.note(paths, is_installed=True, ours=parts.fingerprint(change.host, change.path))
        stderr.print(f"{change.title} asks first", markup=False)
        connected_hosts.append(change.host)
    return connected_hosts


def _policy(name: str) -> str:
    """The person's policy; one that is there already is theirs, and stays."""
    path = policy_file()
    if path.exists():
        stderr.print(f"your policy stays: {path}", markup=False)
        return str(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_private(
        path, f'# docs/policy.md; `askfirst policy explain` shows what it decides\nextends = "{name}"\n'.encode()
    )
    stderr.print(f"the policy {name!r} holds; refine it in {path}", markup=False)
    return str(path)


def _telegram(token_file: Path | None, api_url: str, paths: StatePaths, *, ask: bool) -> bool:
    if token_file is None and not (ask and typer.confirm("Decide from Telegram, too?", default=False, err=True)):
        return False
    own = (sys.executable, "-I", "-m", "askfirst.entry", "telegram", "setup", "--state-dir", str(paths.root))
    told = () if token_file is None else ("--token-file", str(token_file.absolute()))
    where = ("--api-url", api_url) if api_url else ()
    if subprocess.run([*own, *told, *where], stdout=sys.stderr, check=False).returncode != 0:
        raise fail(
            "Telegram was not paired; what was set up before stays, and `askfirst telegram setup` tries again", EXIT_NO
        )
    return True


def _try_out(parts: Parts, paths: StatePaths, timeout_s: int) -> str:
    """Send a question to whoever the policy tells; its state after the wait."""
    asked = {
        "question": "Askfirst is set up. Did this reach you?",
        "options": [_SEEN],
        "session": "init",
    }
    with closing(connected(paths)) as client:
        request = client.call("POST", "/v1/requests", json=asked)
        if sys.stderr.isatty():
            stderr.print(
                f"a test request waits for you ({request['code']}): {parts.login_link(paths)}",
                markup=False,
                soft_wrap=True,
            )
        left_s = timeout_s
        while left_s > 0 and request["state"] == "pending":
            step_s = min(left_s, _WAIT_S)
            request = client.call("GET", f"/v1/requests/{request['id']}/wait", params={"timeout_s": step_s})
            left_s -= step_s
    state = str(request["state"])
    text = "it reached you" if state == "answered" else f"the test request is {state}; it stays in your inbox"
    stderr.print(text, markup=False)
    return state
