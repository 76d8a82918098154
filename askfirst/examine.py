"""What ``askfirst doctor`` sees on the disk and of the broker: findings about files, clock, store and channels."""

from __future__ import annotations

import contextlib
import pwd
import stat
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from askfirst.diagnosis import Finding, Grade
from askfirst.relay.remote import is_loopback
from askfirst.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from askfirst.paths import StatePaths

SKEW_MAX_S = 2.0
"""How far the broker's clock may be from ours, seconds."""
SAFE_SQLITE = (3, 51, 3)
"""Before it a WAL that two connections write at once can be corrupted (https://sqlite.org/wal.html#walresetbug)."""
_BYPASSED = "askfirst audit list --type gate.bypassed"
_FILES_MAX = 2000
_LISTEN = "0A"
_SECRETS = ("token", "secret", "password", "key")


def examined_files(paths: StatePaths, config: Path, *, own_uid: int) -> Iterator[Finding]:
    """Whether the state folder, the socket and the secrets are closed to everybody else."""
    open_files = [path for path in _all_files(paths) if _is_open(path)]
    if open_files:
        names = ", ".join(str(path) for path in open_files[:5])
        yield Finding(
            area="files",
            grade=Grade.FAIL,
            text=f"others can read or write {names}",
            fix=f"chmod -R go= {paths.root}",
        )
    else:
        yield Finding(area="files", grade=Grade.OK, text=f"{paths.root} is closed to other users")
    yield from _secrets(config, own_uid)


def examined_broker(found: Mapping[str, Any], version: str, *, now_ms: int, own_uid: int) -> Iterator[Finding]:
    """What the broker says of itself."""
    if found["version"] != version:
        text = f"the broker is of version {found['version']}, this is {version}"
        yield Finding(area="broker", grade=Grade.WARN, text=text, fix="askfirst stop")
    yield from _hooks(found["hooks"])
    if "remote" in found:
        yield from _elsewhere(found["remote"], now_ms=now_ms, own_uid=own_uid)
        return
    yield Finding(area="broker", grade=Grade.OK, text=f"it answers (pid {found['pid']}, user {_name(found['uid'])})")
    yield _clock(found["now_ms"], now_ms)
    yield _sqlite(str(found["sqlite"]))
    for text in found.get("bypasses", ()):
        yield Finding(area="gate", grade=Grade.WARN, text=visible(str(text)), fix=_BYPASSED)
    for text in found.get("contradictions", ()):  # a broker of an earlier release says nothing of them
        fix = "askfirst audit verify --witness VKEY --witness-url URL, and put the newest copy of the store back"
        yield Finding(area="log", grade=Grade.FAIL, text=str(text), fix=fix)
    for scheme, health in sorted(found["channels"].items()):
        grade = Grade.OK if health["ok"] else Grade.FAIL
        yield Finding(area=f"channel {scheme}", grade=grade, text=str(health["text"]))
    if found["uid"] == own_uid:
        text = "the broker runs as you do: an agent of yours can read its secrets and end it"
        yield Finding(area="broker", grade=Grade.NOTE, text=text, fix="sudo askfirst install --service")


def is_elsewhere(found: Mapping[str, Any], *, own_uid: int) -> bool:
    """Whether the broker that a diagnosis is about is out of the reach of whoever has this machine."""
    remote = found.get("remote")
    return remote is not None and bool(remote["self"]) and remote["is_tls"] and not _is_own(remote["url"], own_uid)


def _elsewhere(remote: Mapping[str, Any], *, now_ms: int, own_uid: int) -> Iterator[Finding]:
    """A broker on another machine, as the relay to it says."""
    url, known = remote["url"], remote["self"]
    if not known:
        yield Finding(area="broker", grade=Grade.FAIL, text=remote["problem"], fix=f"askfirst install --remote {url}")
        return
    yield Finding(area="broker", grade=Grade.OK, text=f"{url} answers and knows this machine as {known['machine']!r}")
    more = sorted(set(known["scopes"]) - {"ask"})
    if more:
        text = f"the token of this machine may do more than ask ({', '.join(more)}), and so may every agent here"
        yield Finding(area="broker", grade=Grade.FAIL, text=text, fix=f"askfirst install --remote {url}")
    if not remote["is_tls"]:
        text = f"{url} is not reached by TLS: whoever runs what listens there can read along and answer in its place"
        yield Finding(area="broker", grade=Grade.WARN, text=text, fix="askfirst install --remote https://…")
    elif _is_own(url, own_uid):
        text = f"what listens at {url} is a process of yours on this machine: an agent of yours could end or replace it"
        yield Finding(area="broker", grade=Grade.WARN, text=text, fix="run the broker on another machine")
    yield _clock(known["now_ms"], now_ms)
    for scheme, ok in sorted(known["channels"].items()):
        text = "is well, says the broker" if ok else "is down, says the broker"
        yield Finding(area=f"channel {scheme}", grade=Grade.OK if ok else Grade.FAIL, text=text)


def _is_own(url: str, own_uid: int) -> bool:
    """Whether a loopback address is listened on by a process of this user. From: proc_net_tcp in the kernel's docs."""
    parts = urlsplit(url)
    if not is_loopback(parts.hostname or ""):
        return False
    port = f":{parts.port or 443:04X}"
    with contextlib.suppress(OSError):
        tables = [Path(each).read_text(encoding="ascii") for each in ("/proc/net/tcp", "/proc/net/tcp6")]
        rows = [line.split() for table in tables for line in table.splitlines()[1:]]
        return any(row[1].endswith(port) and row[3] == _LISTEN and int(row[7]) == own_uid for row in rows)
    return True  # nobody can tell, so it counts as ours


def _hooks(watched: Iterable[Mapping[str, str]]) -> Iterator[Finding]:
    for hooks in watched:
        if hooks["seen"] != hooks["installed"]:
            text = f"our hooks in {hooks['settings']} are {'changed' if hooks['seen'] else 'gone'}"
            fix = f"askfirst install --host {hooks['host']}"
            yield Finding(area=hooks["host"], grade=Grade.FAIL, text=text, fix=fix)


def _clock(broker_ms: int, now_ms: int) -> Finding:
    """How the broker's clock stands to ours."""
    skew_s = abs(broker_ms - now_ms) / 1000
    if skew_s > SKEW_MAX_S:
        text = f"the broker's clock is {skew_s:.0f} s off this machine's: deadlines are read wrongly"
        return Finding(area="clock", grade=Grade.WARN, text=text, fix="set the clock by NTP")
    if not _is_synchronised():
        text = "the clock is not known to be synchronised; witnesses and timestamps bound it"
        return Finding(area="clock", grade=Grade.NOTE, text=text)
    return Finding(area="clock", grade=Grade.OK, text="synchronised")


def _secrets(config: Path, own_uid: int) -> Iterator[Finding]:
    """Who can read the configuration and the files that it names, which hold a bot's token."""
    for path in _holders(config):
        try:
            found = path.stat()
        except OSError:
            continue  # the broker says that a secret is missing
        mode = stat.S_IMODE(found.st_mode)
        if mode & 0o077:
            who = "everybody" if mode & 0o007 else "its group"
            text = f"{path} holds a secret, and {who} can read it"
            yield Finding(area="files", grade=Grade.FAIL, text=text, fix=f"chmod 600 {path}")
        elif found.st_uid == own_uid:
            text = f"{path} holds a secret that your agents can read, since they run as you"
            yield Finding(area="files", grade=Grade.WARN, text=text, fix="sudo askfirst install --service")


def _holders(config: Path) -> list[Path]:
    """The files with secrets: the configuration, where one stands in it, and those that it names."""
    try:
        text = config.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    lines = (line.partition("#")[0].partition("=") for line in text.splitlines())
    said = [(key.strip().lower(), value.strip().strip("\"'")) for key, _, value in lines]
    secret = [(key, value) for key, value in said if value and any(word in key for word in _SECRETS)]
    named = {value: config.parent / value for key, value in secret if key.endswith(("_file", "key"))}
    files = [path for path in named.values() if path.is_file()]
    spoken = [value for key, value in secret if not key.endswith(("_file", "_variable"))]
    own = [config] if any(named.get(value) not in files for value in spoken) else []
    return list(dict.fromkeys([*own, *files]))


def _all_files(paths: StatePaths) -> list[Path]:
    """What others could reach: in a closed folder nothing."""
    folders = {paths.root} if paths.shared_socket is not None else {paths.root, paths.socket.parent}
    files = list(folders)
    for folder in folders:
        if _is_open(folder):
            files += islice(folder.rglob("*"), _FILES_MAX)
    return files


def _is_open(path: Path) -> bool:
    return bool(stat.S_IMODE(path.lstat().st_mode) & 0o077) and not path.is_symlink()


def _sqlite(version: str) -> Finding:
    number = tuple(int(part) for part in version.split(".") if part.isdigit())
    if number >= SAFE_SQLITE:
        return Finding(area="store", grade=Grade.OK, text=f"SQLite {version}")
    text = (
        f"SQLite {version} can corrupt a WAL that two connections write at once; the broker writes by one only, so let "
        "no other program write to its store"
    )
    return Finding(area="store", grade=Grade.NOTE, text=text)


def _is_synchronised() -> bool:
    """What the kernel says (adjtimex(2), STA_UNSYNC), as far as it can be read without a call of our own."""
    return any(Path(each).exists() for each in ("/run/systemd/timesync/synchronized", "/run/chrony/chronyd.pid"))


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def now_ms() -> int:
    """This machine's clock."""
    return time.time_ns() // 1_000_000
