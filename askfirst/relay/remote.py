"""Where the broker of this machine's agents is, when it is another machine: its address, and the token that may ask.

One file in the state folder, 0600, ``{"url": "https://ask.example.com", "token": "askfirst_…", "ca": "/etc/ca.pem"}``.
While it is there no broker is started here.
"""

from __future__ import annotations

import ipaddress
import json
import stat
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from askfirst.errors import ConfigError, InputError
from askfirst.paths import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.paths import StatePaths


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A broker elsewhere.

    Attributes:
        url: ``https://HOST[:PORT]``; ``http://`` for loopback only, e.g. the end of an ssh tunnel.
        token: one that may ask, and nothing else.
        ca: file with the certificates to trust instead of the system's, absolute; ``""``: the system's.
    """

    url: str
    token: str = field(repr=False)
    ca: str = ""

    def __post_init__(self) -> None:
        require_url(self.url)
        if not self.token.isascii() or not self.token.isprintable() or not self.token or " " in self.token:
            raise InputError("that is no token; the broker's owner makes one: askfirst tokens create NAME --scope ask")

    @property
    def is_tls(self) -> bool:
        """Whether nobody on the way can read along."""
        return self.url.startswith("https://")


def require_url(url: str) -> None:
    """Refuse a URL that is none of a broker, or would send the token in the clear.

    Raises:
        InputError: with what was expected.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise InputError(f"the broker's URL is {url!r}, expected https://HOST or https://HOST:PORT", field="url")
    if parts.username or parts.password:
        raise InputError("the broker's URL holds a password, expected https://HOST[:PORT] alone", field="url")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise InputError(f"{url} would send the token in the clear; use https (http is for loopback only)", field="url")


def is_loopback(host: str) -> bool:
    """Whether this name or address is this machine by itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_remote(paths: StatePaths) -> Remote | None:
    """The broker elsewhere; None where this machine's broker is its own.

    Raises:
        ConfigError: the file is there and cannot be used: it is never treated as if it were absent.
    """
    try:
        found = paths.remote.stat()
        text = paths.remote.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot read {paths.remote}: {error.strerror}") from error
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigError(f"{paths.remote} holds a token and is open to others; run `chmod 600 {paths.remote}`")
    try:
        return Remote(**json.loads(text))
    except (ValueError, TypeError, InputError) as error:
        raise ConfigError(f"{paths.remote} cannot be used ({error}); run `askfirst install --remote URL`") from error


def write_remote(paths: StatePaths, remote: Remote) -> None:
    """Keep it, in the one place."""
    write_private(paths.remote, json.dumps(asdict(remote)).encode())


def certificates(path: Path | None) -> str:
    """The file of certificates to trust, absolute; ``""`` for the system's.

    Raises:
        ConfigError: it cannot be read.
    """
    if path is None:
        return ""
    try:
        path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read the certificates in {path}: {error.strerror}") from error
    return str(path.absolute())
