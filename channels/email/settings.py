"""The ``[email]`` table of the configuration, read strictly.

Example::

    [email]
    address = "askfirst@example.com"       # replies go to askfirst+TAG@example.com
    smtp_url = "smtps://mail.example.com"  # or smtp://…, by STARTTLS; plain on loopback only
    imap_url = "imaps://mail.example.com"  # or imap://…, the same
    user = "askfirst@example.com"          # the address, unless told otherwise
    password_file = "email-password"       # 0600; or password_variable = "NAME" of the broker's environment
    folder = "INBOX"
    authserv_id = "mx.example.com"         # whose Authentication-Results say that a sender is genuine; none: no mail is
    ca_file = ""                           # authorities to trust instead of the system's
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from askfirst.errors import ConfigError
from askfirst.secret import either_secret
from channels.email.address import address_of
from channels.table import read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Tls = Literal["implicit", "starttls", "none"]
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"smtps": 465, "smtp": 587, "imaps": 993, "imap": 143}


class _Raw(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    address: str
    smtp_url: str
    imap_url: str
    user: str = ""
    password_file: str = ""
    password_variable: str = ""
    folder: str = "INBOX"
    authserv_id: str = ""
    ca_file: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where a server is, and how it is spoken to."""

    host: str
    port: int
    tls: Tls


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The table as it is used; see the module's docstring.

    Attributes:
        address: of this installation, lower case, without a tag.
        authserv_id: lower case, ``""`` for none.
        tls: what TLS connections trust.
    """

    address: str
    smtp: Server
    imap: Server
    user: str
    password: str = field(repr=False)
    folder: str
    authserv_id: str
    tls: ssl.SSLContext


def settings_of(table: Mapping[str, object], folder: Path) -> Settings:
    """The settings in this table; files are named from ``folder``.

    Raises:
        ConfigError: it cannot be used; the sentence names the key, never a secret.
    """
    raw = read_table(_Raw, table, "email")
    address = address_of(raw.address)
    if address is None or "+" in address:
        raise ConfigError(f"[email] address must be one address without a tag, such as a@example.com: {raw.address!r}")
    return Settings(
        address=address,
        smtp=_server("smtp_url", raw.smtp_url, "smtp"),
        imap=_server("imap_url", raw.imap_url, "imap"),
        user=raw.user or address,
        password=either_secret(
            folder, file=raw.password_file, variable=raw.password_variable, where="[email]", key="password"
        ),
        folder=raw.folder,
        authserv_id=raw.authserv_id.lower(),
        tls=_tls(folder, raw.ca_file),
    )


def _server(key: str, url: str, scheme: str) -> Server:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"[email] {key}: {error}") from error
    if parts.scheme not in {scheme, f"{scheme}s"} or not host or parts.username or parts.path.strip("/"):
        raise ConfigError(f"[email] {key} must be {scheme}s://host or {scheme}://host (by STARTTLS), found {url!r}")
    tls: Tls = "implicit" if parts.scheme.endswith("s") else "none" if host in _LOOPBACK else "starttls"
    return Server(host=host, port=port or _PORTS[parts.scheme], tls=tls)


def _tls(folder: Path, ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(folder / ca_file) if ca_file else None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"[email] cannot trust what is in ca_file {ca_file}: {error}") from error
