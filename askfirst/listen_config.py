"""``[listen]``: where agents on other machines reach this broker.

Example::

    [listen]
    address = "0.0.0.0:7434"       # "": other machines do not reach it
    certificate = "tls/chain.pem"  # names are relative to the configuration's folder
    key = "tls/key.pem"            # 0600

Nothing but the API is served there, and only to whoever shows a token.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from askfirst.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


class RawListen(BaseModel):
    """The table as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    address: str = Field(default="", pattern=r"^$|^[^\s/]+:\d{1,5}$")
    certificate: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenConfig:
    """Where and as whom to listen.

    Attributes:
        host: an address of this machine, or 0.0.0.0 or :: for all.
        port: 0: any free one.
        certificate: file with the chain, PEM.
        key: file with its private key, PEM.
    """

    host: str
    port: int
    certificate: Path
    key: Path


def listen_config(raw: RawListen, folder: Path) -> ListenConfig | None:
    """The table as the program uses it; None where other machines are not served.

    Raises:
        ConfigError: it says where, and not as whom.
    """
    if not raw.address:
        return None
    host, _, port = raw.address.rpartition(":")
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        raise ConfigError(f"listen.address is {raw.address!r}, expected an IP address and a port") from None
    if not raw.certificate or not raw.key:
        raise ConfigError("[listen] needs `certificate` and `key`: agents' machines are served by TLS only")
    return ListenConfig(
        host=host.strip("[]"), port=int(port), certificate=folder / raw.certificate, key=folder / raw.key
    )
