"""The witness over HTTP: ``POST /add-checkpoint`` for logs, ``GET /<SHA-256 of the origin>/checkpoint`` for monitors.

A folder holds everything: ``witness.key`` (0600), ``witness.vkey``, ``logs`` (a vkey a line: which logs it watches) and
one folder for each log that it has cosigned.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from typing import TYPE_CHECKING, Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from askfirst.errors import InputError, LogError
from askfirst.http_body import bounded_body
from audit.keys import open_key, require_folder, write_file
from audit.note import ED25519, NoteError, parse_vkey, require_key_name
from audit.witness import MAX_SUBMISSION_BYTES, NOTE_TYPE, SIZE_TYPE, Witness, WitnessRefusal, parse_submission

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from starlette.requests import Request

    from audit.note import Verifier

LOGS_FILE: Final = "logs"
_KEY: Final = "witness"
_log = logging.getLogger(__name__)


def open_witness(folder: Path, name: str = "") -> Witness:
    """The witness of this folder, with a new key when there is none yet.

    Args:
        folder: its state.
        name: of a new key, e.g. ``witness.example/1``; ``""``: a random one. A key that exists keeps its name.

    Raises:
        KeyFileError: the key cannot be used.
        InputError: the key that exists has another name.
    """
    require_folder(folder)
    signer = open_key(folder, _KEY, require_key_name(name or f"askfirst.local/witness/{secrets.token_hex(8)}"))
    if name and signer.name != name:
        raise InputError(f"the key in {folder} is named {signer.name!r}, expected {name!r}", field="name")
    write_file(folder / f"{_KEY}.vkey", f"{signer.cosigner.vkey}\n", 0o644, replace=True)
    return Witness(folder, signer, lambda: read_logs(folder))


def read_logs(folder: Path) -> list[Verifier]:
    """The keys of the logs that this witness watches.

    Raises:
        LogError: the file holds something else.
    """
    try:
        lines = (folder / LOGS_FILE).read_text(encoding="utf-8").splitlines()
        return [parse_vkey(line) for line in lines if line.strip() and not line.startswith("#")]
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, NoteError) as error:
        raise LogError(f"{folder / LOGS_FILE} cannot be read: {error}") from error


def watch_logs(folder: Path, vkeys: Sequence[str]) -> list[Verifier]:
    """Watch these logs, too; all that are watched then.

    Raises:
        NoteError: a line is no vkey of a log.
    """
    require_folder(folder)
    known = read_logs(folder)
    for vkey in vkeys:
        key = parse_vkey(vkey)
        if key.kind != ED25519:
            raise NoteError(f"{key.name!r} has a key of type {key.kind:#04x}, expected a log's ({ED25519:#04x})")
        if key not in known:
            known.append(key)
    write_file(folder / LOGS_FILE, "".join(f"{key.vkey}\n" for key in known), 0o644, replace=True)
    return known


def witness_app(witness: Witness) -> Starlette:
    """The witness as an ASGI application; mount it anywhere."""

    async def add_checkpoint(request: Request) -> Response:
        try:
            submission = parse_submission(await _body(request))
            line = await run_in_threadpool(witness.add_checkpoint, submission)
        except WitnessRefusal as refusal:
            _log.warning("refused with %d: %s", refusal.status, refusal)
            if refusal.known_size is not None:
                # A header, since Starlette adds a charset to a media type, and logs compare the type as a whole.
                return Response(f"{refusal.known_size}\n", refusal.status, headers={"content-type": SIZE_TYPE})
            return PlainTextResponse(f"{refusal}\n", refusal.status)
        except LogError:
            _log.exception("nothing can be cosigned")
            return PlainTextResponse("the witness cannot cosign now\n", 500)
        return Response(line, media_type=NOTE_TYPE)

    async def checkpoint(request: Request) -> Response:
        try:
            note = await run_in_threadpool(witness.latest, request.path_params["origin_sha256"])
        except LogError:
            _log.exception("what was cosigned last cannot be shown")
            return PlainTextResponse("the witness cannot show what it cosigned last\n", 500)
        if note is None:
            return PlainTextResponse("this witness has cosigned no such log\n", 404)
        return Response(note, media_type=NOTE_TYPE, headers={"cache-control": "no-store"})

    async def vkey(_request: Request) -> Response:
        return PlainTextResponse(f"{witness.vkey}\n")

    return Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/{origin_sha256}/checkpoint", checkpoint, methods=["GET"]),
            Route("/vkey", vkey, methods=["GET"]),
        ]
    )


async def _body(request: Request) -> bytes:
    body = await bounded_body(request, MAX_SUBMISSION_BYTES)
    if body is None:
        raise WitnessRefusal(400, f"more than {MAX_SUBMISSION_BYTES} bytes")
    return body


class WitnessFolder:
    """A witness as the command line uses it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def vkey(self, name: str) -> str:
        """Its public key, made when there is none; ``name`` is as in ``open_witness``."""
        return open_witness(self._folder, name).vkey

    def watch(self, vkeys: Sequence[str]) -> list[str]:
        """Watch these logs, too; the vkeys of all."""
        return [key.vkey for key in watch_logs(self._folder, vkeys)]

    def serve(self, *, name: str, host: str, port: int) -> int:
        """Serve until interrupted; the exit code."""
        app = witness_app(open_witness(self._folder, name))
        config = uvicorn.Config(app, host=host, port=port, log_level="warning", lifespan="off", server_header=False)
        with contextlib.suppress(KeyboardInterrupt):
            uvicorn.Server(config).run()
        return 0
