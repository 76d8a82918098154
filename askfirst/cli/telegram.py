"""``askfirst telegram setup``: a bot, its first reviewer and a route to them, in one go."""

from __future__ import annotations

import getpass
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, print_json, sentences, stderr
from askfirst.cli.people import approved
from askfirst.cli.telegram_files import TOKEN_FILE, with_recipients, with_table
from askfirst.errors import InputError, NotAllowedError
from askfirst.paths import config_file, policy_file, state_paths, write_private
from askfirst.secret import read_secret

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts
    from askfirst.client import Client

API_URL = "https://api.telegram.org"
_LOOK_S = 0.5


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the group."""
    group = typer.Typer(help="Decide from Telegram.", no_args_is_help=True)

    @group.command()
    def setup(
        *,
        token_file: Annotated[
            Path | None, typer.Option(help="File with the token that @BotFather gave; else it is asked for.")
        ] = None,
        person: Annotated[str, typer.Option(help="Who is linked.", show_default="you")] = "",
        recipient: Annotated[
            list[str] | None, typer.Option(help="Also told, e.g. telegram:-100123 (say /here in a group).")
        ] = None,
        topics: Annotated[str, typer.Option(help="In groups with topics: repository, session or none.")] = "none",
        webhook_url: Annotated[str, typer.Option(help="Be told at this https address instead of polling.")] = "",
        api_url: Annotated[str, typer.Option(help="A Bot API server of your own.")] = API_URL,
        timeout: Annotated[int, typer.Option(min=1, max=600, help="Seconds to wait for the person in Telegram.")] = 600,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Connect a bot, link a person to it by a one-time code, and send requests there. Waits for approval."""
        from askfirst.client import stop_broker  # noqa: PLC0415  # httpx: not for commands that only read files

        with sentences():
            paths = state_paths(state_dir)
            token = _token(token_file)
            name = parts.telegram_bot(token, api_url, webhook_url)
            stderr.print(f"@{name} is yours", markup=False)
            options = {"topics": (topics, "none"), "webhook_url": (webhook_url, ""), "api_url": (api_url, API_URL)}
            table = {key: value for key, (value, default) in options.items() if value != default}
            _configure(token, {"token_file": TOKEN_FILE, **table})
            stop_broker(paths)  # the next one opens the channel
            client = connected(paths)
            inbox = parts.login_link(paths) if sys.stderr.isatty() else ""
            identity = _linked(client, person or getpass.getuser(), name, timeout, inbox=inbox)
            recipients = [identity, *(recipient or [])]
            done = {"bot": name, "identity": identity, "recipients": recipients, "is_routed": _route(recipients)}
            _say(done, as_json=as_json)

    app.add_typer(group, name="telegram")


def _token(file: Path | None) -> str:
    if file is not None:
        return read_secret(file)
    token: str = typer.prompt("Token of the bot (from @BotFather; it is not shown)", hide_input=True, err=True)
    return token.strip()


def _configure(token: str, table: dict[str, object]) -> None:
    """The configuration names the token's file only once that is there."""
    path = config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    after = with_table(before, table, source=str(path))
    write_private(path.with_name(TOKEN_FILE), f"{token}\n".encode())
    if after != before:
        write_private(path, after.encode())


def _linked(client: Client, person: str, bot: str, timeout_s: int, *, inbox: str) -> str:
    """The identity in Telegram that somebody has, or now has.

    Raises:
        NotAllowedError: nobody approved it, or nobody opened the link in time.
    """
    person = person if ":" in person else f"local:{person}"
    if known := sorted(_identities(client, person)):
        stderr.print(
            f"{person} is {known[0]} already; open https://t.me/{bot} once and press Start",
            markup=False,
            soft_wrap=True,
        )
        return known[0]
    wanted = {"person": person, "scheme": "telegram"}
    asked = approved(client, client.call("POST", "/v1/people/links", json=wanted), inbox=inbox)
    code = client.call("POST", f"/v1/people/links/{asked['request']}", json={"claim": asked["claim"]})["code"]
    start = code.replace("-", "")
    stderr.print(
        f"Open https://t.me/{bot}?start={start} on the phone and press Start (or send the bot: /start {start})",
        markup=False,
        soft_wrap=True,
    )
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if new := sorted(_identities(client, person)):
            return new[0]
        time.sleep(_LOOK_S)
    raise NotAllowedError(
        f"nobody opened the link within {timeout_s} s; `askfirst channels check` says whether the bot is heard, "
        "then run this again"
    )


def _identities(client: Client, person: str) -> set[str]:
    people: list[dict[str, Any]] = client.call("GET", "/v1/people")["people"]
    found = next((each for each in people if each["person"] == person), None)
    if found is None:
        raise InputError(f"nobody is known as {person}; `askfirst people add` first", field="person")
    return {each["id"] for each in found["identities"] if each["id"].startswith("telegram:")}


def _route(recipients: list[str]) -> bool:
    """Whether requests go there from now on; a route that a person wrote is theirs to change."""
    path = policy_file()
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    after = with_recipients(before, recipients, source=str(path))
    if after is not None and after != before:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, after.encode())
    return after is not None


def _say(done: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    told = ", ".join(done["recipients"])
    if done["is_routed"]:
        console.print(f"linked; requests go to {told}", markup=False, soft_wrap=True)
    else:
        console.print(f"linked; add {told} to a route in {policy_file()}", markup=False, soft_wrap=True)
