"""Which payloads stand apart from the entries, and whether those that are stored are exactly these.

An entry is hashed with the salted digest of each of its payloads, and so is the entry that says that one was erased.
What is stored apart is in no hash: it is compared with what the entries say.
"""

from __future__ import annotations

import json
import re
from binascii import unhexlify
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from askfirst.audit_port import EntryType
from audit.entry import SALT_BYTES, salted_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

# What ``audit.entry`` writes in the place of a payload. No text can look like it: in JSON its quotes have backslashes.
_REFERENCE: Final = re.compile(rb'\{"len":\d+,"sha256":"([0-9a-f]{64})"\}')
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")
_MARK: Final = b'"sha256":'
_ERASED: Final = f'"{EntryType.BLOB_ERASED}"'.encode()


def payloads_of(body: bytes) -> list[bytes]:
    """The salted digests of the payloads that the entry with these bytes refers to, in order."""
    return list(map(unhexlify, _REFERENCE.findall(body)))


def erased_by(body: bytes) -> list[bytes]:
    """The salted digests of the payloads that were erased as the entry with these bytes says."""
    try:
        members = json.loads(body)
        found = members["data"]["sha256"] if members["type"] == EntryType.BLOB_ERASED else []
    except (ValueError, TypeError, KeyError, RecursionError):  # another entry, one without payloads, or none at all
        return []
    digests = found if isinstance(found, list) else [found]
    return [unhexlify(one) for one in digests if isinstance(one, str) and _DIGEST.match(one)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """A payload that is not as the entries say.

    Attributes:
        fault: what is wrong with it.
        digest: its salted digest.
        index: of the entry since which it may be so; None where none tells.
        owner: index of the entry that refers to it; None where none does.
    """

    fault: Literal["changed", "gone", "planted", "returned"]
    digest: bytes
    index: int | None
    owner: int | None

    @property
    def message(self) -> str:
        """One sentence."""
        name = f"the payload {self.digest.hex()}"
        match self.fault:
            case "changed":
                return f"{name} was changed; it belongs to entry {self.owner}"
            case "gone":
                return f"{name} of entry {self.owner} is gone, and no entry says that it was erased"
            case "planted":
                return f"{name} was put there; no entry refers to it"
            case "returned":
                return f"{name} of entry {self.owner} is there, though entry {self.index} says that it was erased"


@dataclass(frozen=True, slots=True)
class References:
    """What all entries say of payloads.

    Attributes:
        owners: salted digest -> index of the entry that refers to the payload.
        erased: salted digest -> index of the entry that says that the payload was erased.
    """

    owners: dict[bytes, int] = field(default_factory=dict)
    erased: dict[bytes, int] = field(default_factory=dict)

    def read(self, rows: Iterable[tuple[int, object, bytes]]) -> None:
        """Take in what these entries say, given as index, something and stored bytes."""
        for index, body in [(index, body) for index, _, body in rows if _MARK in body]:
            for digest in _REFERENCE.findall(body):
                self.owners.setdefault(unhexlify(digest), index)
            if _ERASED in body:
                self.erased.update((digest, index) for digest in erased_by(body))

    @property
    def standing(self) -> int:
        """How many payloads should be stored."""
        return len(self.owners.keys() - self.erased.keys())

    def compare(self, stored: Iterable[tuple[bytes, bytes, bytes | None]]) -> list[Misfit]:
        """What is wrong with the payloads that are stored as digest, salt and bytes; oldest entry first, then others.

        Each is read and hashed, but for those without bytes: they are larger than any that was logged, so not whole.
        """
        missing = self.owners.keys() - self.erased.keys()
        misfits = list[Misfit]()
        for digest, salt, payload in stored:
            is_whole = payload is not None and len(salt) == SALT_BYTES and salted_digest(salt, payload) == digest
            if not is_whole or digest not in missing:
                misfits.append(self._misfit(digest))
            missing.discard(digest)
        for digest in missing:
            owner = self.owners[digest]
            misfits.append(Misfit(fault="gone", digest=digest, index=owner, owner=owner))
        return sorted(misfits, key=lambda one: (one.index is None, one.index or 0, one.digest))

    def _misfit(self, digest: bytes) -> Misfit:
        """What is wrong with a payload that is there and is not, as it is, one that should be."""
        owner = self.owners.get(digest)
        if owner is None:
            return Misfit(fault="planted", digest=digest, index=None, owner=None)
        if (erased := self.erased.get(digest)) is not None:
            return Misfit(fault="returned", digest=digest, index=erased, owner=owner)
        return Misfit(fault="changed", digest=digest, index=owner, owner=owner)
