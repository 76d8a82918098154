r"""The bytes of an entry: one line of canonical JSON (RFC 8785) that is stored, hashed and never written again.

    {"action":{"act":"5f…","tool":"Bash"},"actor":{"id":"telegram:12345","type":"human"},"boot":"0c5d…",
    "bt":183349201,"id":"01KB…","req":"01KA…","t":"2026-11-25T18:08:32.000000Z","type":"gate.decided","v":1}

Members, apart from those of ``askfirst.audit_port.Entry``: ``v`` is 1; ``id`` a ULID; ``t`` the wall clock, RFC 3339
in UTC with microseconds; ``bt`` microseconds since boot; ``boot`` the id of that boot; ``req`` the request.

Payloads that stand apart are replaced by ``{"len": bytes, "sha256": hexadecimal SHA-256 of salt and bytes}``.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from askfirst.audit_port import Private
from askfirst.canonical import canonical, plain_canonical
from askfirst.clock import ulid
from askfirst.errors import LogError
from audit.clock import Reading, rfc3339, wall_us

if TYPE_CHECKING:
    from askfirst.audit_port import Actor, Entry, Value

VERSION: Final = 1
MAX_ENTRY_BYTES: Final = 65_535
"""Entries in tiles carry a length of 16 bits. From: https://c2sp.org/tlog-tiles"""

MAX_PAYLOAD_BYTES: Final = 64 << 20
"""Largest payload that stands apart."""

SALT_BYTES: Final = 32
"""Of every payload: with another length bytes could be moved between salt and payload, and the digest would hold."""

_APART_CHARS: Final = 1024
"""Texts longer than this stand apart when the entry would be too large with them."""
_MAX_DEPTH: Final = 32
_MAX_INT: Final = 2**53 - 1  # RFC 8785 §3.2.2.3
# Writes what RFC 8785 asks for as long as there are no floats and all names are ASCII; a property test holds that.
_to_json = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False, check_circular=False
).encode
_MEMBERS: Final = ("agent", "action", "decision", "links", "data")
_values = attrgetter(*_MEMBERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A payload that stands apart: its salted digest (32 bytes), the salt and the bytes."""

    sha256: bytes
    salt: bytes
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """An entry as it is stored, and what stands apart from it."""

    body: bytes
    blobs: tuple[Blob, ...] = ()


def encode(entry: Entry, reading: Reading) -> Encoded:
    """The stored form of an entry at this time.

    Long texts, and those that are no valid Unicode, are set apart when it cannot be stored with them.

    Raises:
        LogError: it is no JSON, or too large even so.
    """
    blobs: list[Blob] = []
    members = _members(entry, reading, blobs)
    body = plain_canonical(members, _MAX_DEPTH)
    if body is not None and len(body) <= MAX_ENTRY_BYTES:
        return Encoded(body=body, blobs=tuple(blobs))
    encoded = _write(members, blobs, sets_apart=False)
    if encoded is None or len(encoded.body) > MAX_ENTRY_BYTES:
        encoded = _write(members, blobs, sets_apart=True)
    if encoded is None:
        raise LogError(f"a name in the {entry.type} entry is no valid Unicode")
    if len(encoded.body) > MAX_ENTRY_BYTES:
        raise LogError(
            f"the {entry.type} entry has {len(encoded.body)} bytes, expected at most {MAX_ENTRY_BYTES}; "
            "hand large payloads over as Private"
        )
    return encoded


def _members(entry: Entry, reading: Reading, blobs: list[Blob]) -> dict[str, Value]:
    """The members; payloads are looked for where they usually stand, right below one, and set apart."""
    members: dict[str, Value] = {
        "v": VERSION,
        "id": ulid(reading.wall_us // 1000),
        "type": entry.type.value,
        "t": rfc3339(reading.wall_us),
        "boot": reading.boot,
        "bt": reading.boot_us,
        "actor": _actor(entry.actor),
    }
    if entry.request:
        members["req"] = entry.request
    value: Mapping[str, Value]
    for name, value in zip(_MEMBERS, _values(entry), strict=True):
        if value:
            members[name] = _set_apart(value, blobs) if Private in map(type, value.values()) else value
    return members


def _set_apart(value: Mapping[str, Value], blobs: list[Blob]) -> dict[str, Value]:
    return {name: _apart(item, blobs) if type(item) is Private else item for name, item in value.items()}


def _actor(actor: Actor) -> dict[str, Value]:
    members: dict[str, Value] = {"type": actor.type, "id": actor.id}
    if actor.channel:
        members["channel"] = actor.channel
    if actor.assurance is not None:
        members["assurance"] = actor.assurance
    return members


def _write(members: dict[str, Value], blobs: list[Blob], *, sets_apart: bool) -> Encoded | None:
    """The encoded members, with those payloads and what else stands apart; None when a text is no valid Unicode."""
    writer = _Writer(blobs, sets_apart=sets_apart)
    plain = writer.plain(members, 0)
    try:
        body = _to_json(plain).encode()
    except UnicodeEncodeError:
        return None
    except ValueError as error:
        raise LogError(f"an entry is no JSON: {error}") from error
    return Encoded(body=canonical(plain) if writer.is_odd else body, blobs=tuple(writer.blobs))


class _Writer:
    """Turns the values of one entry into plain JSON values, and collects what stands apart.

    Attributes:
        blobs: what stands apart.
        is_odd: whether there is something that only the full RFC 8785 writer spells correctly.
    """

    def __init__(self, blobs: list[Blob], *, sets_apart: bool) -> None:
        self.blobs = blobs.copy()
        self.is_odd = False
        self._sets_apart = sets_apart

    def plain(self, value: Value, depth: int) -> object:
        """The value with payloads replaced by their digests."""
        if isinstance(value, str):
            return self._text(value) if self._sets_apart else value
        if isinstance(value, int):
            if not -_MAX_INT <= value <= _MAX_INT:
                raise LogError(f"an entry holds the number {value}, expected at most {_MAX_INT}")
            return value
        if value is None or isinstance(value, float):
            self.is_odd = self.is_odd or value is not None
            return value
        if isinstance(value, Private):
            return _apart(value, self.blobs)
        return self._container(value, depth)

    def _container(self, value: Mapping[str, Value] | Sequence[Value], depth: int) -> object:
        if depth == _MAX_DEPTH:
            raise LogError(f"an entry is nested more than {_MAX_DEPTH} deep")
        if isinstance(value, Mapping):
            return {self._name(name): self.plain(item, depth + 1) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.plain(item, depth + 1) for item in value]
        raise LogError(f"an entry holds a {type(value).__name__}, which is no JSON")

    def _name(self, name: object) -> str:
        if not isinstance(name, str):
            raise LogError(f"an entry holds a member named {name!r}, expected text")
        if not name.isascii():
            self.is_odd = True
        return name

    def _text(self, text: str) -> object:
        if len(text) > _APART_CHARS or any("\ud800" <= character <= "\udfff" for character in text):
            return _apart(Private.text(text), self.blobs)
        return text


def _apart(private: Private, blobs: list[Blob]) -> dict[str, Value]:
    """What stands in the entry for a payload, which is added to the blobs."""
    if len(private.payload) > MAX_PAYLOAD_BYTES:
        raise LogError(f"a payload has {len(private.payload)} bytes, expected at most {MAX_PAYLOAD_BYTES}")
    salt = secrets.token_bytes(SALT_BYTES)
    blob = Blob(sha256=salted_digest(salt, private.payload), salt=salt, payload=private.payload)
    blobs.append(blob)
    return {"len": len(private.payload), "sha256": blob.sha256.hex()}


def salted_digest(salt: bytes, payload: bytes) -> bytes:
    """What an entry holds of a payload that stands apart; the salt keeps short ones from being guessed."""
    return hashlib.sha256(salt + payload).digest()


def reading_of(body: bytes) -> Reading:
    """When the entry with this body was made.

    Raises:
        LogError: the body is no entry of ours.
    """
    try:
        members = json.loads(body)
        return Reading(wall_us=wall_us(members["t"]), boot_us=int(members["bt"]), boot=str(members["boot"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise LogError(f"an entry cannot be read: {error!r}") from error
