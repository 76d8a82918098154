"""Who is at the other end of a connection, and what they may do.

On the unix socket the kernel says (``SO_PEERCRED`` on Linux, ``LOCAL_PEERCRED`` on macOS): our own uid may ask, read
and cancel. On TCP a bearer token says, and on the socket, too, for whoever shows one: that program wants to be no more
than its token. Nobody decides by being local (I1): a review through the API needs the policy's word, and a terminal at
the other end.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from askfirst.errors import NotAllowedError

if TYPE_CHECKING:
    import asyncio

    from starlette.requests import HTTPConnection

_LOCAL_PEERCRED = 1  # <sys/un.h> on macOS
_SOL_LOCAL = 0
RUNNER_MARK = {b"askfirst.entry", b"run"}
"""Arguments by which the runner's process is known."""
_DEPTH_MAX = 64


class PeerProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which also notes the peer of a unix socket: ``scope["client"]`` is ``("uid:N", pid)``."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # its base says Any
        """Note the peer before the first byte is read."""
        super().connection_made(transport)
        peer = transport.get_extra_info("socket")
        if peer is not None and peer.family == socket.AF_UNIX:
            uid, pid = peer_credentials(peer)
            self.client = (f"uid:{uid}", pid)


def peer_credentials(connection: Any) -> tuple[int, int]:
    """Uid and pid of the peer of a connected unix socket; pid 0 where the system does not tell."""
    if sys.platform == "linux":
        size = struct.calcsize("3i")
        pid, uid, _gid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        return uid, pid
    # struct xucred { u_int cr_version; uid_t cr_uid; short cr_ngroups; gid_t cr_groups[16]; }
    raw = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 76)
    return struct.unpack_from("I", raw, 4)[0], 0


def is_owner_uid(uid: str) -> bool:
    """Whether ``uid:N`` is the user that the broker runs as, or root."""
    return uid in {f"uid:{os.getuid()}", "uid:0"}


def is_local_user(connection: HTTPConnection) -> bool:
    """Whether the peer came by the unix socket as the user that the broker runs as, or as root, and shows no token."""
    return is_owner_uid(peer_uid(connection)) and not shows_token(connection)


def shows_token(connection: HTTPConnection) -> bool:
    """Whether the peer says who it is by ``Authorization``; a wrong one counts, it is no leave to be taken for more."""
    return "authorization" in connection.headers


def peer_uid(connection: HTTPConnection) -> str:
    """``uid:N`` of the peer of the unix socket, ``""`` on any other connection."""
    client = connection.scope.get("client")
    return client[0] if client is not None and str(client[0]).startswith("uid:") else ""


def bears(connection: HTTPConnection, token: str) -> bool:
    """Whether the peer shows this bearer token."""
    scheme, _, shown = connection.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())


def is_run_by(connection: HTTPConnection, runner_pid: int) -> bool:
    """Whether the peer descends from this process, and that is our runner (``askfirst run``).

    What a hook says of it comes from an environment that the agent's settings can change; the process tree does not.
    """
    client = connection.scope.get("client")
    pid = client[1] if client is not None else 0
    with contextlib.suppress(OSError, IndexError, ValueError):
        if not set(Path(f"/proc/{runner_pid}/cmdline").read_bytes().split(b"\0")) >= RUNNER_MARK:
            return False
        for _ in range(_DEPTH_MAX):
            if pid == runner_pid:
                return True
            pid = int(_after_name(pid)[1])  # field 4, ppid
    return False


def has_terminal(connection: HTTPConnection) -> bool:
    """Whether the process at the other end of the unix socket has a controlling terminal, as a person's shell does.

    An agent of the same user can open a terminal of its own, so this counts as assurance 0, never more.
    """
    client = connection.scope.get("client")
    if client is None or not client[1]:
        return sys.platform != "linux" and is_local_user(connection)
    with contextlib.suppress(OSError, IndexError, ValueError):
        return int(_after_name(client[1])[4]) != 0  # field 7, tty_nr
    return False


def require_terminal(connection: HTTPConnection, instead: str) -> None:
    """Let only a local process with a terminal go on.

    Args:
        connection: whose peer is looked at.
        instead: what a person should run in a terminal.

    Raises:
        NotAllowedError: it has none.
    """
    if not (is_local_user(connection) and has_terminal(connection)):
        raise NotAllowedError(f"only a process with a terminal may decide here; run `{instead}` in one")


def _after_name(pid: int) -> list[str]:
    """Fields of ``/proc/PID/stat`` from the third on; the name before them may hold anything. From: proc(5)."""
    stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    return stat.rpartition(")")[2].split()
