"""The way into the web inbox of the broker that runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from askfirst.assembly.owner import owner
from askfirst.errors import BrokerUnavailableError
from askfirst.relay.remote import read_remote
from channels.web.logins import new_login_link

if TYPE_CHECKING:
    from askfirst.paths import StatePaths


def login_link(paths: StatePaths) -> str:
    """A one-time link to the web inbox of the running broker.

    Raises:
        BrokerUnavailableError: none is running.
    """
    if (remote := read_remote(paths)) is not None:
        raise BrokerUnavailableError(f"the broker is at {remote.url}; its inbox is opened there")
    try:
        info = json.loads(paths.info.read_bytes())
    except (OSError, ValueError) as error:
        raise BrokerUnavailableError(f"no broker is running on {paths.root}; run `askfirst serve`") from error
    return new_login_link(paths.root, info["web"], owner())
