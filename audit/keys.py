"""The two private keys of a broker, in its state folder: one signs the log, one signs grants.

Rules kept here:
- A key file is created complete or not at all, 0600, and never replaced; of two brokers that start at once both end up
  with the same key.
- A key that others could have read or put there is refused.
- The public half is written beside it (``log.vkey``) only when the log is founded. From then on a missing private key
  or a missing log is an error and never a reason to begin anew.

The private form is that of golang.org/x/mod/sumdb/note: ``PRIVATE+KEY+name+key id+base64(0x01 || seed)``.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from askfirst.errors import LogError
from audit.note import ED25519, NoteError, Signer, parse_vkey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from audit.note import Verifier

LOG: Final = "log"
GRANTS: Final = "grants"

_PREFIX: Final = "PRIVATE+KEY+"
_MAX_FILE_BYTES: Final = 4096


class KeyFileError(LogError):
    """A key file is missing, damaged or open to others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of one broker.

    Attributes:
        log: signs checkpoints; its name is the log's origin.
        grants: signs grants.
        folder: where they lie.
        is_founded: whether a log was founded with them.
    """

    log: Signer
    grants: Signer
    folder: Path
    is_founded: bool

    def publish(self) -> None:
        """Write the public halves beside the private ones: the log is founded, which is committed. May be repeated.

        Keys that the log had before stay in ``log.vkey``: what they signed must go on verifying.

        Raises:
            KeyFileError: ``log.vkey`` holds something else than keys.
        """
        write_file(self.folder / f"{GRANTS}.vkey", f"{self.grants.verifier.vkey}\n", 0o644, replace=True)
        path, vkey = self.folder / f"{LOG}.vkey", self.log.verifier.vkey
        known = _published(path)
        if vkey not in known:
            write_file(path, "".join(f"{line}\n" for line in [*known, vkey]), 0o644, replace=True)


def _published(path: Path) -> list[str]:
    """The vkeys in this file; none when there is no file."""
    try:
        return [parse_vkey(line).vkey for line in path.read_text(encoding="utf-8").split()]
    except FileNotFoundError:
        return []
    except (UnicodeDecodeError, NoteError) as error:
        raise KeyFileError(f"{path} does not hold the log's keys: {error}; restore it from a backup") from error


def open_keys(folder: Path) -> Keys:
    """The keys in this state folder, made when there are none yet.

    Raises:
        KeyFileError: a key cannot be used, or is gone.
    """
    require_folder(folder)
    log = open_key(folder, LOG, f"askfirst.local/log/{secrets.token_hex(8)}")
    grants = open_key(folder, GRANTS, f"{log.name}/grants")
    return Keys(log=log, grants=grants, folder=folder, is_founded=(folder / f"{LOG}.vkey").exists())


def public_pem(verifier: Verifier) -> str:
    """The key as ``openssl pkeyutl -verify -pubin -inkey`` reads it."""
    key = Ed25519PublicKey.from_public_bytes(verifier.public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def require_folder(folder: Path) -> None:
    """Make a folder for keys, or check that nobody else can put any there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_private(folder, folder.stat(), stat.S_ISDIR, "folder", 0o022)


def open_key(folder: Path, kind: str, name: str) -> Signer:
    """The key in ``<kind>.key``; a new one of this name when there is none, and none was ever published.

    Raises:
        KeyFileError: it cannot be used, or is gone.
    """
    path = folder / f"{kind}.key"
    with contextlib.suppress(FileNotFoundError):
        return load_key(path)
    if (folder / f"{kind}.vkey").exists():
        raise KeyFileError(f"{path} is gone while {kind}.vkey is there; restore it from a backup of the state folder")
    signer = Signer(name=name, key=Ed25519PrivateKey.generate())
    with contextlib.suppress(FileExistsError):  # another broker was faster: its key is the one
        write_file(path, f"{private_text(signer)}\n", 0o600, replace=False)
    return load_key(path)


def private_text(signer: Signer) -> str:
    """What a key file holds."""
    seed = base64.b64encode(bytes([ED25519]) + signer.key.private_bytes_raw()).decode()
    return f"{_PREFIX}{signer.name}+{signer.verifier.key_id.hex()}+{seed}"


def load_key(path: Path) -> Signer:
    """The key in this file.

    Raises:
        FileNotFoundError: there is none.
        KeyFileError: it cannot be used.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyFileError(f"{path} cannot be opened: {error.strerror}; expected a plain file") from error
    with os.fdopen(descriptor, "rb") as file:
        _require_private(path, os.fstat(descriptor), stat.S_ISREG, "file", 0o077)
        return _parse(path, file.read(_MAX_FILE_BYTES))


def _parse(path: Path, content: bytes) -> Signer:
    """The key in a file's content; messages never show any of it."""
    signer = None
    with contextlib.suppress(ValueError, NoteError):
        name, _, encoded = content.decode().strip().removeprefix(_PREFIX).split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        signer = Signer(name=name, key=Ed25519PrivateKey.from_private_bytes(raw[1:]))
    if signer is None or private_text(signer) != content.decode().strip():
        raise KeyFileError(f"{path} holds no private key; restore it from a backup of the state folder")
    return signer


def _require_private(
    path: Path, status: os.stat_result, is_kind: Callable[[int], bool], kind: str, forbidden: int
) -> None:
    if not is_kind(status.st_mode):
        raise KeyFileError(f"{path} is no plain {kind}")
    if status.st_uid != os.geteuid():
        raise KeyFileError(f"{path} belongs to uid {status.st_uid}, expected {os.geteuid()}; another user put it there")
    mode = stat.S_IMODE(status.st_mode)
    if mode & forbidden:
        advice = f"run `chmod {mode & ~forbidden:04o} {path}`, or move it away if others may have read it"
        raise KeyFileError(f"{path} is open to others (mode {mode:04o}); {advice}")


def write_file(path: Path, content: str | bytes, mode: int, *, replace: bool) -> None:
    """Write a file that is there whole or not at all, and on disk when this returns; FileExistsError unless replace."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(descriptor)
        if replace:
            draft.replace(path)
        else:
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Have the folder's names on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
