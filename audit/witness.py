"""A witness of logs: cosigns a log's heads as long as each continues the one before (https://c2sp.org/tlog-witness).

Rules kept here:
- What was cosigned last is on disk before anyone hears of it, and compared and replaced under one lock.
- A head is cosigned only if a known key of that log signed it and a consistency proof leads to it from the last one.
- A damaged memory of a log is an error and never a fresh start: whoever makes a witness forget may show it a fork.

The memory of a log is the note that was cosigned last, ``<SHA-256 of the origin>/checkpoint``: what monitors fetch. The
lock beside it says that there is one, so that a note which was deleted is missed.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.errors import LogError
from audit import tree as merkle
from audit.keys import write_file
from audit.note import ED25519, Checkpoint, NoteError, Signer, Verifier, cosign, open_note, parse_checkpoint, split_note

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

MAX_PROOF_HASHES: Final = 63
MAX_SUBMISSION_BYTES: Final = 128 << 10
"""A note and 63 hashes."""
_LOCK: Final = "lock"
_COSIGNED: Final = "cosigned\n"
SIZE_TYPE: Final = "text/x.tlog.size"
NOTE_TYPE: Final = "text/plain; charset=utf-8"


class WitnessRefusal(LogError):  # noqa: N818  # not an error of ours: the protocol's word for a submission
    """A submission is not cosigned.

    Attributes:
        status: HTTP status by tlog-witness.
        known_size: the size that the witness knows, for 409; else None.
    """

    def __init__(self, status: int, message: str, *, known_size: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.known_size = known_size


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a log hands in: the size it thinks the witness knows, a proof from there, and the signed head."""

    old: int
    proof: tuple[bytes, ...]
    note: str

    @property
    def body(self) -> bytes:
        """The submission on the wire."""
        hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in self.proof)
        return f"old {self.old}\n{hashes}\n{self.note}".encode()


def parse_submission(body: bytes) -> Submission:
    """The submission in the body of ``POST /add-checkpoint``.

    Raises:
        WitnessRefusal: 400, it is none.
    """
    try:
        head, blank, note = body.decode().partition("\n\n")
        first, *lines = head.split("\n")
        size = first.removeprefix("old ")
        proof = tuple(base64.b64decode(line, validate=True) for line in lines)
    except (UnicodeDecodeError, binascii.Error, ValueError) as error:
        raise WitnessRefusal(400, f"this is no submission: {error}") from None
    if not (blank and size.isascii() and size.isdigit() and len(size) < 20 and first == f"old {int(size)}"):
        raise WitnessRefusal(400, "expected `old`, a size, proof lines, an empty line and a checkpoint")
    submission = Submission(old=int(size), proof=proof, note=note)
    if len(proof) > MAX_PROOF_HASHES or any(len(one) != merkle.HASH_BYTES for one in proof) or submission.body != body:
        raise WitnessRefusal(400, f"expected at most {MAX_PROOF_HASHES} hashes in base64, one a line")
    return submission


class Witness:
    """One witness over a folder.

    Args:
        folder: where it remembers what it cosigned.
        signer: its key.
        logs: vkeys of the logs that it watches, read anew for each submission; several of one name are one log's.
        now_s: POSIX time, seconds.
    """

    def __init__(
        self,
        folder: Path,
        signer: Signer,
        logs: Callable[[], Iterable[Verifier]],
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._signer = signer
        self._logs = logs
        self._now_s = now_s

    @property
    def vkey(self) -> str:
        """What whoever relies on this witness needs to know of it."""
        return self._signer.cosigner.vkey

    def add_checkpoint(self, submission: Submission) -> str:
        """The cosignature line over the submitted head, which is remembered from here on.

        Raises:
            WitnessRefusal: it is not cosigned.
            LogError: what was cosigned last cannot be read or written.
        """
        checkpoint, log_note = self._open(submission.note)
        if submission.old > checkpoint.size:
            raise WitnessRefusal(400, f"old size {submission.old} is above the checkpoint's {checkpoint.size}")
        with self._locked(checkpoint.origin) as folder:
            known = self._known(folder, checkpoint.origin)
            _require_growth(known, checkpoint, submission)
            line = cosign(checkpoint.text, self._signer, int(self._now_s())).line
            try:
                write_file(folder / "checkpoint", log_note + line, 0o644, replace=True)
                (folder / _LOCK).write_text(_COSIGNED, encoding="ascii")
            except OSError as error:
                raise LogError(f"the witness cannot remember what it cosigns: {error.strerror}") from error
        return line

    def latest(self, origin_sha256: str) -> str | None:
        """The note that was cosigned last for the log whose origin has this hash; None when there is none.

        Raises:
            LogError: what was cosigned last cannot be read.
        """
        if len(origin_sha256) != 64 or not set(origin_sha256) <= set("0123456789abcdef"):
            return None
        remembered = self._remembered(self._folder / origin_sha256)
        return None if remembered is None else remembered[0]

    def _open(self, note: str) -> tuple[Checkpoint, str]:
        """The checkpoint, and the note with the signatures of the log's known keys alone."""
        logs = [key for key in self._logs() if key.kind == ED25519]
        try:
            text, signatures = split_note(note)
            claimed = parse_checkpoint(text)
        except NoteError as error:
            raise WitnessRefusal(400, str(error)) from None
        keys = [key for key in logs if key.name == claimed.origin]
        if not keys:
            raise WitnessRefusal(404, f"this witness does not watch {claimed.origin!r}")
        try:
            open_note(note, keys)
        except NoteError as error:
            raise WitnessRefusal(403, str(error)) from None
        ids = {(key.name, key.key_id) for key in keys}
        return claimed, f"{text}\n" + "".join(one.line for one in signatures if (one.name, one.key_id) in ids)

    @contextmanager
    def _locked(self, origin: str) -> Iterator[Path]:
        folder = self._folder / hashlib.sha256(origin.encode()).hexdigest()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise LogError(f"the witness cannot use {folder}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield folder
        finally:
            os.close(descriptor)

    def _known(self, folder: Path, origin: str) -> Checkpoint:
        """What was cosigned last, by our own signature on it; the empty tree when nothing was."""
        remembered = self._remembered(folder)
        if remembered is None:
            return Checkpoint(origin=origin, size=0, root=merkle.EMPTY_ROOT)
        _, known = remembered
        if known.origin != origin:
            raise LogError(f"{folder / 'checkpoint'} is of {known.origin!r}, expected {origin!r}; restore it")
        return known

    def _remembered(self, folder: Path) -> tuple[str, Checkpoint] | None:
        """The note of a log's folder with our signature on it, and what it says; None where nothing was cosigned."""
        path = folder / "checkpoint"
        try:
            note = path.read_text(encoding="utf-8")
            return note, parse_checkpoint(open_note(note, [self._signer.cosigner]).text)
        except FileNotFoundError:
            if _was_cosigned(folder):
                raise LogError(f"{path} is gone; restore it, or remove {folder} to begin anew with this log") from None
            return None
        except (OSError, UnicodeDecodeError, NoteError) as error:
            raise LogError(f"{path} is not what this witness cosigned last: {error}; restore it") from error


def _was_cosigned(folder: Path) -> bool:
    """Whether a head was ever cosigned here, though the note may be gone."""
    lock = folder / _LOCK
    return lock.exists() and lock.stat().st_size > 0


def _require_growth(known: Checkpoint, new: Checkpoint, submission: Submission) -> None:
    if submission.old != known.size:
        raise WitnessRefusal(
            409, f"this witness knows {known.size} entries, not {submission.old}", known_size=known.size
        )
    grows = merkle.verify_consistency(known.size, new.size, known.root, new.root, submission.proof)
    if new.size == 0:
        grows = grows and new.root == merkle.EMPTY_ROOT
    if not grows:
        raise WitnessRefusal(
            422, f"the tree of {new.size} entries does not continue the one of {known.size} that was cosigned"
        )
