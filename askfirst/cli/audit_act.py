"""``askfirst audit anchor|erase|rotate-key``: show the log's head to others, erase payloads, change its key."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from askfirst.cli.audit import log_of
from askfirst.cli.audit_options import RequestId, Store
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import connected, console, print_json, sentences, stderr
from askfirst.cli.requests import find
from askfirst.errors import InputError
from askfirst.paths import state_paths

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts


def add(group: typer.Typer, parts: Parts) -> None:
    """Register the commands."""
    _add_anchor(group, parts)
    _add_erase(group)
    _add_rotate(group)


def _add_anchor(group: typer.Typer, parts: Parts) -> None:
    @group.command()
    def anchor(
        *,
        git: Annotated[Path | None, typer.Option(help="A git repository that gets a commit on --ref.")] = None,
        ref: Annotated[str, typer.Option(help="The ref.", show_default="refs/askfirst/log")] = "",
        remote: Annotated[str, typer.Option(help="A remote of it that the ref is pushed to, never by force.")] = "",
        authority: Annotated[str, typer.Option(metavar="URL", help="An RFC 3161 timestamp authority.")] = "",
        out: Annotated[
            Path | None, typer.Option(help="Where tokens are kept.", show_default="anchors in the state folder")
        ] = None,
        store: Store = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Show the signed head to others: a git ref, a timestamp authority. Run it daily, or after what matters."""
        with sentences():
            if git is None and not authority:
                raise InputError("give --git, --authority, or both", field="git")
            log = log_of(parts, store, state_dir)
            made: dict[str, Any] = {}
            with stderr.status("anchoring"):
                if git is not None:
                    made["head"], made["commit"] = log.anchor_git(git, ref=ref, remote=remote)
                if authority:
                    folder = out or state_paths(state_dir).root / "anchors"
                    made["head"], token = log.anchor_timestamp(folder, authority)
                    made["timestamp"] = str(token)
            if as_json:
                print_json(made)
                return
            console.print(f"log {made['head']}", markup=False)
            for name in ("commit", "timestamp"):
                if name in made:
                    console.print(f"{name} {made[name]}", markup=False, soft_wrap=True)


def _add_erase(group: typer.Typer) -> None:
    @group.command()
    def erase(
        reason: Annotated[str, typer.Option(help="Why; it is logged.")],
        request: RequestId = "",
        payload: Annotated[str, typer.Option(help="Digest of one payload, from `audit show`.")] = "",
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Erase the input of a request, or one payload, for good. The entries stay, and the log goes on verifying."""
        with sentences(), closing(connected(state_paths(state_dir))) as client:
            if bool(request) == bool(payload):
                raise InputError("give either --request or --payload", field="request")
            body = {"reason": reason, "payload": payload}
            if request:
                body = {"reason": reason, "request": str(find(client, request)["id"])}
            done = client.call("POST", "/v1/log/erase", json=body)
            if as_json:
                print_json(done)
            else:
                console.print(f"{len(done['erased'])} payloads erased", markup=False)


def _add_rotate(group: typer.Typer) -> None:
    @group.command("rotate-key")
    def rotate_key(state_dir: StateDir = None, as_json: AsJson = False) -> None:
        """Give the log a new key. Whoever verifies or witnesses it needs both from now on."""
        with sentences(), closing(connected(state_paths(state_dir))) as client:
            done = client.call("POST", "/v1/log/rotate-key")
            if as_json:
                print_json(done)
                return
            console.print(f"old {done['old']}\nnew {done['new']}", markup=False, soft_wrap=True)
            console.print("hand the new key to your witnesses (`askfirst witness watch`) and verifiers", markup=False)
