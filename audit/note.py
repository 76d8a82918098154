"""Signed notes, checkpoints and cosignatures as C2SP defines them; pure functions over text and keys.

A checkpoint, the signed head of the tree, looks like this (https://c2sp.org/tlog-checkpoint)::

    example.com/behind-the-sofa
    20852163
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGz…

Rules kept here:
- Text counts only after a signature by a known key was verified; that is why ``open_note`` alone returns it.
- Signatures by unknown keys are ignored; one by a known key that fails condemns the whole note.
- Base64 has one spelling: what would decode to the same bytes but is written otherwise is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from askfirst.errors import LogError

if TYPE_CHECKING:
    from collections.abc import Iterable

ED25519: Final = 0x01
"""Signature type of a plain Ed25519 note signature. From: https://c2sp.org/signed-note"""
COSIGNATURE: Final = 0x04
"""Signature type of a timestamped Ed25519 cosignature. From: https://c2sp.org/tlog-cosignature"""

MAX_NOTE_BYTES: Final = 65_536
"""Room for 16 signatures of nearly 4 kB, the least that a verifier must accept."""
_MAX_SIZE: Final = 2**63 - 1
_MAX_TIMESTAMP: Final = 2**63 - 1
_KEY_BYTES: Final = 32
_SIGNATURE_BYTES: Final = 64


class NoteError(LogError):
    """A note, a checkpoint or a key cannot be read, or no signature on it counts."""


@dataclass(frozen=True, kw_only=True)
class Verifier:
    """A public key with the name that it signs under.

    Attributes:
        name: key name, for a log its origin.
        kind: signature type, ``ED25519`` or ``COSIGNATURE``.
        public: the raw Ed25519 key, 32 bytes.
    """

    name: str
    kind: int
    public: bytes

    def __post_init__(self) -> None:
        require_key_name(self.name)
        if self.kind not in {ED25519, COSIGNATURE} or len(self.public) != _KEY_BYTES:
            raise NoteError(
                f"key {self.name!r} is of type {self.kind:#04x} with {len(self.public)} bytes, expected Ed25519 "
                f"({ED25519:#04x} or {COSIGNATURE:#04x}) with {_KEY_BYTES} bytes"
            )

    @cached_property
    def key_id(self) -> bytes:
        """The first four bytes of SHA-256(name, newline, type, public key)."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as one line of text: name, key id and key, joined by ``+``."""
        return f"{self.name}+{self.key_id.hex()}+{_encode(bytes([self.kind]) + self.public)}"

    def accepts(self, text: str, signature: bytes) -> bool:
        """Whether the signature (without its key id) is this key's over the note text."""
        message = text.encode()
        if self.kind == COSIGNATURE:
            timestamp, signature = int.from_bytes(signature[:8], "big"), signature[8:]
            if timestamp > _MAX_TIMESTAMP:
                return False
            message = _cosigned(text, timestamp)
        if len(signature) != _SIGNATURE_BYTES:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):  # ValueError: the 32 bytes are no point
            return False
        return True


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A private key with the name that it signs under; its text form never shows the key."""

    name: str
    key: Ed25519PrivateKey

    @cached_property
    def verifier(self) -> Verifier:
        """The public half, for plain note signatures."""
        return Verifier(name=self.name, kind=ED25519, public=self.key.public_key().public_bytes_raw())

    @property
    def cosigner(self) -> Verifier:
        """The public half, for cosignatures."""
        return Verifier(name=self.name, kind=COSIGNATURE, public=self.key.public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature line of a note: a name, a four-byte key id, and whatever the key's type signs with."""

    name: str
    key_id: bytes
    value: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"— {self.name} {_encode(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A note whose text may be believed, and the keys whose signatures were verified (first occurrence each)."""

    text: str
    verified: tuple[Verifier, ...]
    cosigned_at_s: tuple[tuple[str, int], ...] = ()
    """Witness name and POSIX time, for each verified cosignature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The head of a log: who says so, the number of entries, and the root over them.

    Attributes:
        origin: the log's identity, which is also the name of its key.
        size: number of entries, >= 0.
        root: 32 bytes.
        extensions: further lines, which we never write.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that is signed."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, _encode(self.root), *self.extensions))

    @property
    def seen(self) -> str:
        """Size and the first 16 hex digits of the root, e.g. ``1024:9f3a52c0417be6d8``: what messages print."""
        return f"{self.size}:{self.root[:8].hex()}"


def require_key_name(name: str) -> str:
    """The name, if C2SP allows it as a key name; NoteError otherwise."""
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        raise NoteError(f"{name!r} is no key name: expected text without spaces, control characters and plus signs")
    return name


def parse_vkey(line: str) -> Verifier:
    """The key that a vkey line describes, e.g. ``example.com/log+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq…``.

    Raises:
        NoteError: it is no vkey, its key id does not fit, or its type is not one of ours.
    """
    parts = line.strip().split("+", 2)  # the base64 part may hold plus signs
    if len(parts) != 3:
        raise NoteError(f"{line.strip()[:80]!r} is no vkey, expected name+hexadecimal key id+base64 key")
    name, key_id, encoded = parts
    key = _decode(encoded, f"the key of vkey {name!r}")
    verifier = Verifier(name=name, kind=key[0] if key else 0, public=key[1:])
    if verifier.key_id.hex() != key_id:
        raise NoteError(f"vkey {name!r} has the key id {key_id[:16]!r}, its key has {verifier.key_id.hex()!r}")
    return verifier


def sign(text: str, *signers: Signer) -> str:
    """The note with one signature line a signer; the text ends in a newline."""
    lines = (
        Signature(name=one.name, key_id=one.verifier.key_id, value=one.key.sign(text.encode())).line for one in signers
    )
    return f"{text}\n{''.join(lines)}"


def cosign(text: str, witness: Signer, timestamp_s: int) -> Signature:
    """The witness's cosignature/v1 over a checkpoint's text, at a POSIX time in seconds."""
    value = timestamp_s.to_bytes(8, "big") + witness.key.sign(_cosigned(text, timestamp_s))
    return Signature(name=witness.name, key_id=witness.cosigner.key_id, value=value)


def _cosigned(text: str, timestamp_s: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp_s}\n{text}".encode()


def split_note(note: str) -> tuple[str, tuple[Signature, ...]]:
    """Text and signature lines of a note, none of it believed yet.

    Raises:
        NoteError: it is no signed note.
    """
    if len(note) > MAX_NOTE_BYTES or len(note.encode(errors="replace")) > MAX_NOTE_BYTES:
        raise NoteError(f"the note is longer than {MAX_NOTE_BYTES} bytes")
    if any((character < " " and character != "\n") or "\ud800" <= character <= "\udfff" for character in note):
        raise NoteError("the note holds control characters, or is no valid Unicode")
    text, blank, block = note.rpartition("\n\n")
    if not blank or not block.endswith("\n"):
        raise NoteError("this is no signed note: expected text, an empty line and signature lines, each ended")
    return f"{text}\n", tuple(map(_parse_signature, block[:-1].split("\n")))


def _parse_signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "—":
        raise NoteError(f"{line[:80]!r} is no signature line, expected an em dash, a name and a signature")
    blob = _decode(parts[2], f"the signature of {parts[1]!r}")
    if len(blob) < 5:
        raise NoteError(f"the signature of {parts[1]!r} is too short")
    return Signature(name=require_key_name(parts[1]), key_id=blob[:4], value=blob[4:])


def open_note(note: str, known: Iterable[Verifier]) -> Opened:
    """The note's text, once a known key has signed it and no known key's signature fails.

    Raises:
        NoteError: it is no signed note, no known key signed it, or a signature by a known key is wrong.
    """
    text, signatures = split_note(note)
    keys = {(key.name, key.key_id): key for key in known}
    verified, cosigned = dict[Verifier, None](), list[tuple[str, int]]()
    for signature in signatures:
        key = keys.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not key.accepts(text, signature.value):
            raise NoteError(f"the signature of {key.name!r} (key {key.key_id.hex()}) does not fit the note")
        if key.kind == COSIGNATURE and key not in verified:
            cosigned.append((key.name, int.from_bytes(signature.value[:8], "big")))
        verified[key] = None
    if not verified:
        signers = ", ".join(f"{one.name!r} (key {one.key_id.hex()})" for one in signatures[:4])
        expected = ", ".join(f"{key.name!r} (key {key.key_id.hex()})" for key in keys.values()) or "no key at all"
        raise NoteError(f"no known key signed the note: found {signers}, expected {expected}")
    return Opened(text=text, verified=tuple(verified), cosigned_at_s=tuple(cosigned))


def parse_checkpoint(text: str) -> Checkpoint:
    """The checkpoint that a note's text is.

    Raises:
        NoteError: it is none.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise NoteError("this is no checkpoint: expected three or more lines with text in each")
    origin, size, root, *extensions = lines[:-1]
    if not (size.isascii() and size.isdigit() and len(size) <= 19 and str(int(size)) == size) or int(size) > _MAX_SIZE:
        raise NoteError(f"the checkpoint's size is {size[:40]!r}, expected a number without leading zeros")
    root_hash = _decode(root, "the checkpoint's root")
    if len(root_hash) != hashlib.sha256().digest_size:
        raise NoteError(f"the checkpoint's root has {len(root_hash)} bytes, expected 32")
    return Checkpoint(origin=origin, size=int(size), root=root_hash, extensions=tuple(extensions))


def open_checkpoint(note: str, log_keys: Iterable[Verifier], witnesses: Iterable[Verifier] = ()) -> Checkpoint:
    """The checkpoint in a note that a key of its own log signed.

    Raises:
        NoteError: it is no signed checkpoint, or no log key of that origin signed it. A witness alone does not do.
    """
    opened = open_note(note, [*log_keys, *witnesses])
    checkpoint = parse_checkpoint(opened.text)
    if not any(key.kind == ED25519 and key.name == checkpoint.origin for key in opened.verified):
        raise NoteError(f"the checkpoint of {checkpoint.origin!r} is not signed by a key of that name")
    return checkpoint


def _encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decode(text: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NoteError(f"{what} is no base64") from None
    if _encode(raw) != text:
        raise NoteError(f"{what} is base64 with stray bits at its end")
    return raw
