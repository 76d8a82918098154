"""``askfirst github setup``: a credential is tried out, the configuration written, a reviewer linked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, print_json, sentences, stderr
from askfirst.cli.people import approved
from askfirst.cli.telegram_files import with_recipients, with_table
from askfirst.errors import ConfigError, NotAllowedError
from askfirst.paths import config_file, policy_file, state_paths, write_private
from askfirst.secret import read_secret
from askfirst.visible import visible

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts
    from askfirst.client import Client

API_URL = "https://api.github.com"
TOKEN_FILE = "github-token"  # noqa: S105  # the name of the file
KEY_FILE = "github-app.pem"
PULL = "github:pr"
_LOOK_S = 1.0


def add(app: typer.Typer, parts: Parts) -> None:
    """Register the group."""
    group = typer.Typer(help="Decide on GitHub.", no_args_is_help=True)

    @group.command()
    def setup(
        *,
        token_file: Annotated[
            Path | None, typer.Option(help="File with a token of the account that writes for Askfirst.")
        ] = None,
        app_id: Annotated[int, typer.Option(help="Id of a GitHub App, instead of a token.")] = 0,
        key_file: Annotated[Path | None, typer.Option(help="File with the App's private key (PEM).")] = None,
        api_url: Annotated[str, typer.Option(help="Enterprise: https://HOST/api/v3.")] = API_URL,
        issue: Annotated[str, typer.Option(help="Where to ask without a pull request, e.g. acme/ops#12.")] = "",
        folder: Annotated[Path, typer.Option(help="A checkout whose pull request is looked for.")] = Path(),
        login: Annotated[str, typer.Option(help="Who is to decide: their name on GitHub.")] = "",
        person: Annotated[str, typer.Option(help="Link them to this person of Askfirst, by a code.")] = "",
        check: Annotated[bool, typer.Option("--check", help="Only look, write nothing.")] = False,
        timeout: Annotated[int, typer.Option(min=1, max=3600, help="Seconds to wait for the person.")] = 600,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Try a credential out, write the configuration, and link a person. Linking waits for approval."""
        from askfirst.client import stop_broker  # noqa: PLC0415  # httpx: not for commands that only read files

        with sentences():
            secret = _secret(token_file, app_id, key_file)
            table = _table(app_id, api_url, issue)
            found = parts.github_look(table, secret, {"folder": str(folder.resolve()), "issue": issue, "login": login})
            _report(found, as_json=as_json and check)
            if not all(each["ok"] for each in found):
                raise ConfigError("not everything is well; mend it and run this again, nothing was written")
            if check:
                return
            paths = state_paths(state_dir)
            done = {"written": str(_configure(secret, table)), "is_routed": _route([PULL]), "identity": ""}
            stop_broker(paths)  # the next one opens the channel
            if person:
                done["identity"] = _linked(connected(paths), person, issue, timeout)
            _say(done, as_json=as_json)

    app.add_typer(group, name="github")


def _secret(token_file: Path | None, app_id: int, key_file: Path | None) -> str:
    if bool(app_id) != (key_file is not None) or bool(app_id) == (token_file is not None):
        raise ConfigError("give --token-file, or --app-id with --key-file")
    file = key_file if key_file is not None else token_file
    assert file is not None  # one of the two is there
    return read_secret(file)


def _table(app_id: int, api_url: str, issue: str) -> dict[str, object]:
    who: dict[str, object] = {"app": {"id": app_id, "key_file": KEY_FILE}} if app_id else {"token_file": TOKEN_FILE}
    more = {
        name: value for name, value, plain in (("api_url", api_url, API_URL), ("issue", issue, "")) if value != plain
    }
    return {**more, **who}


def _report(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    for each in found:
        mark = "ok" if each["ok"] else "!!"
        stderr.print(f"{mark}  {each['name']}: {visible(each['text'])}", markup=False, soft_wrap=True)


def _configure(secret: str, table: dict[str, object]) -> Path:
    """The configuration names the secret's file only once that is there."""
    path = config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    after = with_table(before, table, source=str(path), scheme="github")
    write_private(path.with_name(KEY_FILE if "app" in table else TOKEN_FILE), f"{secret}\n".encode())
    if after != before:
        write_private(path, after.encode())
    return path


def _route(recipients: list[str]) -> bool:
    """Whether requests go there from now on; a route that a person wrote is theirs to change."""
    path = policy_file()
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    after = with_recipients(before, recipients, source=str(path))
    if after is not None and after != before:
        write_private(path, after.encode())
    return after is not None


def _linked(client: Client, person: str, issue: str, timeout_s: int) -> str:
    """The identity on GitHub that somebody now has.

    Raises:
        NotAllowedError: nobody approved it, or nobody wrote the code in time.
    """
    person = person if ":" in person else f"local:{person}"
    known = _identities(client, person)
    asked = approved(client, client.call("POST", "/v1/people/links", json={"person": person, "scheme": "github"}))
    code = client.call("POST", f"/v1/people/links/{asked['request']}", json={"claim": asked["claim"]})["code"]
    where = issue or "a pull request with an open request"
    stderr.print(f"{person} writes this comment in {where}:  /link {code}", markup=False, soft_wrap=True)
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        if new := sorted(_identities(client, person) - known):
            return new[0]
        time.sleep(_LOOK_S)
    raise NotAllowedError(f"nobody wrote the code within {timeout_s} s; run this again")


def _identities(client: Client, person: str) -> set[str]:
    people: list[dict[str, Any]] = client.call("GET", "/v1/people")["people"]
    found = next((each for each in people if each["person"] == person), None)
    if found is None:
        raise NotAllowedError(f"nobody is known as {person}; `askfirst people add` first")
    return {each["id"] for each in found["identities"] if each["id"].startswith("github:")}


def _say(done: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(done)
        return
    linked = f"{done['identity']} is linked; " if done["identity"] else ""
    where = f"requests go to {PULL}" if done["is_routed"] else f"add {PULL} to a route in {policy_file()}"
    console.print(f"wrote {done['written']}; {linked}{where}", markup=False, soft_wrap=True)
