"""A real PostgreSQL server for tests, from the system's packages, on a unix socket in a folder of its own."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEBIAN = Path("/usr/lib/postgresql")
_SETTINGS = ("listen_addresses=", "max_connections=60", "shared_buffers=32MB", "jit=off", "log_min_messages=fatal")
START_TIMEOUT_S = 60


def binaries() -> Path:
    """The folder with ``initdb`` and ``pg_ctl``, the newest version's.

    Raises:
        FileNotFoundError: there is none; the tests never skip for it.
    """
    found = sorted(_DEBIAN.glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    if (path := shutil.which("pg_ctl")) and Path(path).with_name("initdb").exists():
        return Path(path).parent
    raise FileNotFoundError("PostgreSQL's server was not found; run `python3 tools/install.py postgresql`")


class Server:
    """One server; ``url`` names its databases, which tests make with ``create``."""

    def __init__(self, folder: Path, *, is_durable: bool) -> None:
        self._folder = folder
        self._bin = binaries()
        self._user = _server_user()
        self._settings = (*_SETTINGS, f"unix_socket_directories={folder}", *(() if is_durable else ("fsync=off",)))
        self._made = 0

    def init(self) -> None:
        """Make the cluster."""
        if self._user is not None:
            os.chown(self._folder, pwd.getpwnam(self._user).pw_uid, pwd.getpwnam(self._user).pw_gid)
        self._run("initdb", "-D", str(self._data), "-U", "askfirst", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")

    def start(self) -> None:
        """Start, or start again after a crash; returns once it accepts connections."""
        options = " ".join(f"-c {each}" for each in self._settings)
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", str(self._data), "-l", log, "-w", "-t", str(START_TIMEOUT_S), "-o", options, "start")

    def kill(self) -> None:
        """End it as a crash would: all its processes at once, without a checkpoint; the next start recovers."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")

    def stop(self) -> None:
        """End it for good, if it still runs."""
        if (self._data / "postmaster.pid").exists():
            self.kill()

    def url(self, database: str) -> str:
        """The URL of one of its databases."""
        return f"postgresql://askfirst@/{database}?host={self._folder}"

    def create(self) -> str:
        """A new empty database; its URL."""
        self._made += 1
        url = self.url(f"t{self._made}")
        self.create_again(url)
        return url

    def create_again(self, url: str) -> None:
        """A new empty database in place of one that was dropped."""
        self._administer(f"create database {_name(url)}")

    def drop(self, url: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._administer(f"drop database if exists {_name(url)} with (force)")

    def _administer(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._bin / program, *arguments],
            check=True,
            cwd=self._folder,
            user=self._user,
            group=None if self._user is None else pwd.getpwnam(self._user).pw_gid,
            extra_groups=None if self._user is None else [],
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


@contextmanager
def server(*, is_durable: bool = False) -> Iterator[Server]:
    """A running server, gone at the end; not durable against power cuts unless asked, which tests rarely need."""
    # Not below $TMPDIR: the path of a unix socket must be short.
    with tempfile.TemporaryDirectory(prefix="askfirst-pg-", dir="/tmp", ignore_cleanup_errors=True) as name:
        made = Server(Path(name), is_durable=is_durable)
        made.init()
        made.start()
        try:
            yield made
        finally:
            made.stop()


def _server_user() -> str | None:
    """PostgreSQL refuses to run as root: then as whom."""
    if os.geteuid() != 0:
        return None
    known = {each.pw_name for each in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _name(url: str) -> str:
    return url.partition("@/")[2].partition("?")[0]
