"""Verifies a log, offline, from what is stored, without the key that signs it.

Every leaf is computed from the stored bytes of its entry. The root over them must be the one that the log signed, and
the one of every anchor that is given: an older checkpoint, ``size:root`` from a message, a receipt, a cosignature.

What each proves:
- The stored head, with the key beside it: no one without the log key changed anything. It proves nothing against
  whoever has that key, or puts back an older copy of everything.
- A key that is handed in: the log is that key's, not one that was put in its place.
- An anchor: the log still begins with exactly the entries that it had then. That holds against the key's owner, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from askfirst.errors import LogError
from audit.entry import salted_digest
from audit.note import (
    COSIGNATURE,
    ED25519,
    Checkpoint,
    NoteError,
    Verifier,
    open_checkpoint,
    parse_vkey,
    split_note,
)
from audit.receipt import Receipt, parse_receipt, verify_receipt
from audit.scan import Problem, Scan, scan_entries, time_of
from audit.source import Source, open_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NO_PIN: Final = "the key was taken from beside the log; give the vkey that you know to rule out another log"
_NO_ANCHOR: Final = (
    "nothing from outside was compared: whoever holds the log key could have rewritten the log, and an older copy of "
    "everything would verify; give a checkpoint, a receipt or size:root from a message"
)
_SEEN = re.compile(r"(0|[1-9][0-9]{0,18}):([0-9a-f]{16,64})\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What verifying found.

    Attributes:
        path: what was verified.
        origin: whose log it says it is.
        size: entries that are there.
        root: Merkle tree hash over them, hexadecimal.
        problems: what is wrong, gravest cause first; empty when the log verifies.
        proofs: what was shown, one sentence each.
        limits: what was not, and what would show it.
    """

    path: str
    origin: str = ""
    size: int = 0
    root: str = ""
    problems: tuple[Problem, ...] = ()
    proofs: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anchor:
    """A head that the log must have had, as far as it is known: at ``size`` the root begins with ``root``."""

    size: int
    root: bytes
    label: str


def verify_store(  # each is another kind of evidence, all optional
    path: Path,
    *,
    checkpoint: Path | None = None,
    seen: Sequence[str] = (),
    receipts: Sequence[Path] = (),
    vkeys: Sequence[str] = (),
    witnesses: Sequence[str] = (),
) -> Report:
    """Verify the log in a store or an export.

    Args:
        path: the store's file, an export's folder or file.
        checkpoint: file with a signed checkpoint of this log that was kept elsewhere.
        seen: heads from messages, e.g. ``1024:9f3a52c0417be6d8``.
        receipts: ``.tlog-proof`` files.
        vkeys: the log's keys as the verifier knows them; without, those beside the log are used.
        witnesses: vkeys of witnesses whose cosignatures count.

    Returns:
        What was found. A log that cannot be read is a report with a problem, never an exception.
    """
    try:
        with open_source(path) as source:
            return _Verification(path, source, vkeys, witnesses).run(checkpoint, seen, receipts)
    except LogError as error:
        return Report(path=str(path), problems=(Problem(code="unreadable", message=str(error)),))


class _Verification:
    """One run over one source."""

    def __init__(self, path: Path, source: Source, vkeys: Sequence[str], witnesses: Sequence[str]) -> None:
        self.path, self.source, self.is_pinned = path, source, bool(vkeys)
        self.problems, self.proofs, self.anchors = list[Problem](), list[str](), list[_Anchor]()
        self.keys = self._parse_keys(vkeys or source.vkeys, ED25519)
        self.witnesses = self._parse_keys(witnesses, COSIGNATURE)
        self.head: Checkpoint | None = None

    def run(self, checkpoint: Path | None, seen: Sequence[str], receipts: Sequence[Path]) -> Report:
        """Collect the anchors, read everything once, compare."""
        self._check_head()
        if checkpoint:
            self._add_checkpoint(checkpoint)
        for text in seen:
            self._add_seen(text)
        opened = self._open_receipts(receipts)
        sizes = {anchor.size for anchor in self.anchors} | {one.size for one in self.source.cosignatures}
        scan = scan_entries(self.source, sizes, frozenset(receipt.index for _, receipt in opened))
        self._check_anchors(scan)
        self._check_size(scan)
        for file, receipt in opened:
            self._check_receipt(file, receipt, scan)
        self._check_cosignatures(scan)
        self._check_payloads()
        return self._report(scan)

    def _parse_keys(self, lines: Iterable[str], kind: int) -> list[Verifier]:
        keys = list[Verifier]()
        for line in lines:
            try:
                keys.append(parse_vkey(line))
            except NoteError as error:
                self._problem("key", str(error))
        if wrong := [key.name for key in keys if key.kind != kind]:
            self._problem("key", f"{wrong[0]!r} is a key of another kind, expected type {kind:#04x}")
        return [key for key in keys if key.kind == kind]

    def _problem(self, code: str, message: str, index: int | None = None, time: str = "") -> None:
        self.problems.append(Problem(code=code, message=message, index=index, time=time))

    def _read(self, path: Path) -> str:
        try:
            with path.open("rb") as file:
                return file.read(1 << 20).decode()
        except (OSError, UnicodeError) as error:
            self._problem("anchor", f"{path} cannot be read: {error}")
            return ""

    def _check_head(self) -> None:
        if not self.keys:
            self._problem("key", "there is no key to verify with: log.vkey is missing; give the log's vkey")
        if not self.source.checkpoint:
            self._problem("head", "the signed tree head is missing: whatever is there is no log that was signed")
            return
        try:
            self.head = head = open_checkpoint(self.source.checkpoint, self.keys, self.witnesses)
        except NoteError as error:
            self._problem("head", f"the stored tree head is not signed by this log: {error}")
            return
        self.anchors.append(_Anchor(size=head.size, root=head.root, label="the signed tree head"))
        if self.source.size not in {None, head.size}:
            self._problem("head", f"the head of {head.size} entries is stored as one of {self.source.size}")
        if self.source.origin not in {"", head.origin}:
            self._problem("head", f"the store is that of {self.source.origin!r}, its head that of {head.origin!r}")

    def _add_checkpoint(self, path: Path) -> None:
        text = self._read(path)
        if not text:
            return
        try:
            found = open_checkpoint(text, self.keys, self.witnesses)
        except NoteError as error:
            self._problem("anchor", f"{path}: {error}")
            return
        if self.head and found.origin != self.head.origin:
            self._problem("anchor", f"{path} is a checkpoint of {found.origin!r}, this log is {self.head.origin!r}")
        self.anchors.append(_Anchor(size=found.size, root=found.root, label=f"the checkpoint in {path}"))

    def _open_receipts(self, paths: Sequence[Path]) -> list[tuple[Path, Receipt]]:
        opened = list[tuple[Path, Receipt]]()
        for path in paths:
            try:
                opened.append((path, parse_receipt(self._read(path))))
            except NoteError as error:
                self._problem("anchor", f"{path}: {error}")
        return opened

    def _add_seen(self, text: str) -> None:
        if not (match := _SEEN.match(text)) or len(match[2]) % 2:
            self._problem("anchor", f"{text[:100]!r} is no head, expected size:root with 16 to 64 hexadecimal digits")
            return
        self.anchors.append(_Anchor(size=int(match[1]), root=bytes.fromhex(match[2]), label=f"the head {text}"))

    def _check_size(self, scan: Scan) -> None:
        size = scan.tree.size
        if self.head and size > self.head.size:
            self._problem(
                "unsigned", f"{size} entries are there, {self.head.size} are signed", self.head.size, scan.time
            )
        if self.source.size == size and self.source.frontier != b"".join(scan.tree.frontier):
            self._problem("head", "the stored frontier is not that of the entries", size, scan.time)

    def _check_anchors(self, scan: Scan) -> None:
        """Compare each anchor; of what does not fit, say from which entry on."""
        good = [one.size for one in self.anchors if scan.roots.get(one.size, b"").startswith(one.root)]
        for anchor in self.anchors:
            size, present = anchor.size, scan.tree.size
            if anchor.size in good and scan.roots[size].startswith(anchor.root):
                self.proofs.append(f"the first {size} entries are exactly those of {anchor.label}")
            elif size > present:
                message = (
                    f"{anchor.label} has {size} entries, {present} are present: the last {size - present} are gone"
                )
                self._problem("dropped", message, present, scan.time)
            else:
                since = max((one for one in good if one < size), default=0)
                message = f"the root over the first {size} entries differs from {anchor.label}: they were rewritten"
                self._problem("rewritten", message, since, time_of(scan.bodies.get(since, b"")))

    def _check_receipt(self, path: Path, receipt: Receipt, scan: Scan) -> None:
        body = scan.bodies.get(receipt.index)
        if body is None:
            message = f"{path} is for entry {receipt.index}, {scan.tree.size} entries are present"
            self._problem("dropped", message, scan.tree.size, scan.time)
            return
        try:
            checkpoint = verify_receipt(receipt, body, self.keys, self.witnesses)
        except NoteError as error:
            self._problem("anchor", f"{path}: {error}", receipt.index, time_of(body))
            return
        self.proofs.append(f"entry {receipt.index} is the one that {path} was given for, at {checkpoint.size} entries")

    def _check_cosignatures(self, scan: Scan) -> None:
        """Each stored cosignature by a known witness, over the root that the entries really have at its size."""
        known = {(key.name, key.key_id): key for key in self.witnesses}
        for one in self.source.cosignatures:
            try:
                _, (signature,) = split_note(f"text\n\n{one.line.strip()}\n")
            except (NoteError, ValueError):
                continue
            key, root = known.get((signature.name, signature.key_id)), scan.roots.get(one.size)
            if key is None or self.head is None:
                continue
            text = Checkpoint(origin=self.head.origin, size=one.size, root=root or b"").text
            if root is None:
                self._problem("dropped", f"{key.name} has witnessed {one.size} entries, {scan.tree.size} are present")
            elif key.accepts(text, signature.value):
                self.proofs.append(f"{key.name} has witnessed the first {one.size} entries")
            else:
                self._problem("rewritten", f"{key.name} has witnessed another tree of {one.size} entries")

    def _check_payloads(self) -> None:
        """Each payload that stands apart, against its digest; one that is gone may have been erased."""
        for sha256, salt, payload in self.source.payloads():
            if salted_digest(salt, payload) != sha256:
                self._problem("payload", f"the payload {sha256.hex()} was changed")

    def _report(self, scan: Scan) -> Report:
        problems = sorted([*scan.problems, *self.problems], key=lambda problem: problem.code != "unreadable")
        origin = self.head.origin if self.head else self.source.origin
        limits: tuple[str, ...] = () if self.is_pinned else (_NO_PIN,)
        if len(self.proofs) <= 1:  # the stored head alone
            limits += (_NO_ANCHOR,)
        return Report(
            path=str(self.path),
            origin=origin,
            size=scan.tree.size,
            root=scan.tree.root().hex(),
            problems=tuple(problems),
            proofs=tuple(self.proofs),
            limits=limits,
        )
