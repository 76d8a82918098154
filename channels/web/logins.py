"""One-time login links: whoever can write into the state folder can let one browser in, once.

- The link's token is 256 random bits; only its SHA-256 is on disk, as the name of a file (0600) that names the person.
- Looking at a link uses nothing up (browsers and chat programs fetch links ahead); using it removes the file, and
  ``unlink`` succeeds for one caller only.
- Links are made by the command line on the person's terminal, never by the API.

What this cannot do (DESIGN §10, T0): a program that runs under the broker's own uid can write such a file itself. The
link keeps the gated agent's tool calls, its MCP client and its web pages out, not a hostile process of the same user.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.canonical import sha256_hex
from askfirst.clock import SystemClock
from askfirst.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.clock import Clock

LINK_LIFE_MS = 10 * 60 * 1000
"""How long a link may be used, milliseconds."""

_FOLDER = "logins"
_MAX_BYTES = 4096
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # 32 bytes, base64url without padding
_PERSON = re.compile(r"[a-z]{1,32}:[^\s\x00-\x1f\x7f]{1,128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a link gives: the right to act as ``person`` until ``expires_at_ms``."""

    person: str
    expires_at_ms: int


def new_login_link(state_dir: Path, base_url: str, person: str, *, clock: Clock | None = None) -> str:
    """Make a link that logs one browser in, once, within ten minutes.

    Args:
        state_dir: the broker's state folder.
        base_url: where the inbox answers, e.g. ``http://askfirst.localhost:4747``. A host name of its own is safer than
            ``localhost``: cookies ignore ports, so a browser sends them to every other server on the same host name.
        person: ``local:`` and the user's name.
        clock: for tests.

    Returns:
        the link; show it to the person and to nobody else.

    Raises:
        InputError: ``person`` is no name of the form ``scheme:name``.
        OSError: the folder cannot be written.
    """
    if not _PERSON.fullmatch(person):
        raise InputError(f"not a person: {person!r}; expected for example 'local:ann'", field="person")
    now_ms = (clock or SystemClock()).now_ms()
    folder = state_dir / _FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    _forget_expired(folder, now_ms)
    token = secrets.token_urlsafe(32)
    body = json.dumps({"person": person, "expires_at_ms": now_ms + LINK_LIFE_MS})
    descriptor = os.open(_path(folder, token), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(body)
    return f"{base_url.rstrip('/')}/login/{token}"


class Logins:
    """The links of one state folder, as the inbox sees them."""

    def __init__(self, state_dir: Path, clock: Clock) -> None:
        self._folder = state_dir / _FOLDER
        self._clock = clock

    def peek(self, token: str) -> Login | None:
        """What the link would give; None when it is used, expired, malformed or was never made."""
        if not _TOKEN.fullmatch(token):
            return None
        login = _read(_path(self._folder, token))
        if login is None or self._clock.now_ms() >= login.expires_at_ms:
            return None
        return login

    def consume(self, token: str) -> Login | None:
        """Use the link up; None for everybody but the first."""
        login = self.peek(token)
        if login is None:
            return None
        try:
            _path(self._folder, token).unlink()
        except FileNotFoundError:
            return None  # somebody else was faster
        return login


def _path(folder: Path, token: str) -> Path:
    return folder / f"{sha256_hex(token.encode('ascii'))}.json"


def _read(path: Path) -> Login | None:
    """The login in this file; None unless it is a private, regular file of our own that says exactly what we write."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            return None
        return _parse(file.read(_MAX_BYTES + 1))


def _parse(body: bytes) -> Login | None:
    try:
        found = json.loads(body) if len(body) <= _MAX_BYTES else None
    except ValueError:
        return None
    match found:
        case {"person": str(person), "expires_at_ms": int(expires_at_ms)} if _PERSON.fullmatch(person):
            return Login(person=person, expires_at_ms=expires_at_ms)
        case _:
            return None


def _forget_expired(folder: Path, now_ms: int) -> None:
    """Remove links that nobody can use any more, also those that were half written."""
    for path in folder.glob("*.json"):
        login = _read(path)
        if login is None or now_ms >= login.expires_at_ms:
            with suppress(OSError):
                path.unlink()
