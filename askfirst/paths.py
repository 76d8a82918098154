"""Where Askfirst keeps its state: one folder, 0700, everything in it 0600.

The folder is ``$ASKFIRST_STATE_DIR`` or the platform's state folder (XDG base directory specification on Linux).
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from askfirst.errors import ConfigError

_SOCKET_PATH_MAX = 100
"""Bytes of a unix socket's path that every system takes (108 on Linux, 104 on macOS, with the final NUL)."""


@dataclass(frozen=True, slots=True)
class StatePaths:
    """The files below one state folder."""

    root: Path
    shared_socket: Path | None = None
    """Where other users of this machine reach the broker, too, in place of a socket of our own."""
    is_relayed: bool = False
    """Whether it is about to be said that the broker is on another machine; see ``remote``."""

    @property
    def store(self) -> Path:
        """The SQLite database."""
        return self.root / "askfirst.db"

    @property
    def socket(self) -> Path:
        """The broker's unix socket; in a short folder elsewhere when the state folder's path is too long for one.

        Elsewhere is not ``$TMPDIR``: that may be as long, and differs between the agent's session and the person's.
        """
        if self.shared_socket is not None:
            return self.shared_socket
        inside = self.root / "broker.sock"
        if len(os.fsencode(inside)) <= _SOCKET_PATH_MAX:
            return inside
        name = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]
        return Path("/tmp") / f"askfirst-{os.getuid()}" / f"{name}.sock"  # noqa: S108  # checked to be ours alone

    @property
    def lock(self) -> Path:
        """Held by the running broker."""
        return self.root / "broker.lock"

    @property
    def start_lock(self) -> Path:
        """Held by the client that is starting a broker; the hook's clients know it by the socket's folder."""
        return self.socket.with_name("start.lock")

    @property
    def info(self) -> Path:
        """What the running broker says of itself: pid, version, address of the web inbox."""
        return self.root / "broker.json"

    @property
    def log(self) -> Path:
        """What a broker in the background writes."""
        return self.root / "broker.log"

    @property
    def logins(self) -> Path:
        """One-time logins of the web inbox."""
        return self.root / "logins"

    @property
    def hook_notes(self) -> Path:
        """What was done to hosts' settings, waiting for the broker to log it."""
        return self.root / "hook-notes"

    @property
    def trash(self) -> Path:
        """What was kept before approved commands ran."""
        return self.root / "trash"

    @property
    def remote(self) -> Path:
        """Where the broker is, when it is on another machine, with the token for it."""
        return self.root / "remote.json"

    @property
    def watched(self) -> Path:
        """The settings files that a relay watches, with what it has reported of them."""
        return self.root / "watched.json"

    @property
    def originals(self) -> Path:
        """Agents' settings files as they were before our hooks came in."""
        return self.root / "originals"

    @property
    def api_token(self) -> Path:
        """The bearer token of the API on TCP."""
        return self.root / "api-token"


SERVICE_STATE = Path("/var/lib/askfirst")
SERVICE_SOCKET = Path("/run/askfirst/broker.sock")
"""Of the broker that runs as a user of its own (``askfirst install --service``)."""


def service_paths(socket: Path = SERVICE_SOCKET) -> StatePaths:
    """How this user reaches the machine's broker: its socket; the state folder is not theirs."""
    return StatePaths(SERVICE_STATE, socket)


def state_paths(root: Path | None = None, *, shared_socket: Path | None = None) -> StatePaths:
    """The state folder, created when it is missing.

    Raises:
        ConfigError: it, or the socket's folder, cannot be used or is not ours alone.
    """
    if root is None:
        named = os.environ.get("ASKFIRST_STATE_DIR")
        root = Path(named) if named else Path(platformdirs.user_state_dir("askfirst"))
    paths = StatePaths(root.absolute(), shared_socket)
    _private(paths.root)
    if shared_socket is None:
        _private(paths.socket.parent)
    return paths


def config_file() -> Path:
    """The user's configuration: ``$ASKFIRST_CONFIG`` or ``config.toml`` in the platform's configuration folder."""
    named = os.environ.get("ASKFIRST_CONFIG")
    return Path(named) if named else Path(platformdirs.user_config_dir("askfirst")) / "config.toml"


def policy_file() -> Path:
    """The user's policy: ``$ASKFIRST_POLICY`` or ``policy.toml`` beside the configuration."""
    named = os.environ.get("ASKFIRST_POLICY")
    return Path(named) if named else config_file().with_name("policy.toml")


def write_private(path: Path, content: bytes) -> None:
    """Replace a file atomically, readable by its owner only; a crash leaves the old or the new content."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _private(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.stat(follow_symlinks=True)
    except OSError as error:
        raise ConfigError(
            f"{folder} cannot be the state folder: {error.strerror}; choose another with ASKFIRST_STATE_DIR"
        ) from error
    if found.st_uid != os.getuid():
        raise ConfigError(f"{folder} belongs to uid {found.st_uid}, not to you; choose another with ASKFIRST_STATE_DIR")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise ConfigError(
            f"{folder} is open to others; name a folder of its own with ASKFIRST_STATE_DIR, "
            f"or run `chmod 700 {folder}` if this is one"
        )
