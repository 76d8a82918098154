"""Receipts: proof for one entry that it is in the log, to be kept and verified without the log (``.tlog-proof``).

A receipt is text; the entry's stored bytes go with it (https://c2sp.org/tlog-proof)::

    c2sp.org/tlog-proof@v1
    index 73894
    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
    B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=

    example.com/fancylog
    109482
    …
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audit import tree as merkle
from audit.note import Checkpoint, NoteError, Verifier, open_checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEADER: Final = "c2sp.org/tlog-proof@v1"
_MAX_HASHES: Final = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """An inclusion proof with the checkpoint that it leads to.

    Attributes:
        index: of the entry.
        proof: hashes, from the leaf's sibling upwards.
        checkpoint: the signed note.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint: str

    @property
    def text(self) -> str:
        """The receipt as it is kept in a file."""
        hashes = "".join(f"{base64.b64encode(one).decode()}\n" for one in self.proof)
        return f"{_HEADER}\nindex {self.index}\n{hashes}\n{self.checkpoint}"


def make_receipt(node: merkle.NodeReader, index: int, checkpoint: Checkpoint, signed: str) -> Receipt:
    """The receipt for an entry under a signed checkpoint; ValueError when the entry came after it."""
    proof = merkle.inclusion_proof(node, index, checkpoint.size)
    return Receipt(index=index, proof=tuple(proof), checkpoint=signed)


def parse_receipt(text: str) -> Receipt:
    """The receipt that a text is, nothing of it verified.

    Raises:
        NoteError: it is none.
    """
    head, blank, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if len(lines) > 1 and lines[1].startswith("extra "):
        del lines[1]  # outside the proof: nothing may be believed of it
    if not blank or len(lines) < 2 or lines[0] != _HEADER or len(lines) > _MAX_HASHES + 2:
        raise NoteError(f"this is no receipt, expected {_HEADER!r}, an index, hashes, an empty line and a checkpoint")
    number = lines[1].removeprefix("index ")
    if not (number.isascii() and number.isdigit() and len(number) < 20 and lines[1] == f"index {int(number)}"):
        raise NoteError(f"the receipt has the line {lines[1][:40]!r}, expected `index` and a number")
    try:
        proof = tuple(base64.b64decode(line, validate=True) for line in lines[2:])
    except (binascii.Error, ValueError) as error:
        raise NoteError("a hash of the receipt is no base64") from error
    if any(len(one) != merkle.HASH_BYTES for one in proof):
        raise NoteError(f"a hash of the receipt has not {merkle.HASH_BYTES} bytes")
    return Receipt(index=int(number), proof=proof, checkpoint=checkpoint)


def verify_receipt(
    receipt: Receipt, entry: bytes, log_keys: Iterable[Verifier], witnesses: Iterable[Verifier] = ()
) -> Checkpoint:
    """The checkpoint that shows that exactly these bytes are the entry at the receipt's index.

    Raises:
        NoteError: its checkpoint is not signed by the log, or the proof does not lead to it.
    """
    checkpoint = open_checkpoint(receipt.checkpoint, log_keys, witnesses)
    leaf = merkle.leaf_hash(entry)
    if not merkle.verify_inclusion(leaf, receipt.index, checkpoint.size, receipt.proof, checkpoint.root):
        raise NoteError(f"the entry is not entry {receipt.index} of the log with {checkpoint.size} entries")
    return checkpoint
