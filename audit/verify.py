"""Verifies a log from what is stored, without the key that signs it; offline, but for witnesses that are asked.

Every leaf is computed from the stored bytes of its entry. The root over them must be the one that the log signed, and
the one of every anchor that is given: an older checkpoint, ``size:root`` from a message, a receipt, a cosignature.

What each proves:
- The stored head, with the key beside it: no one without the log key changed anything. It proves nothing against
  whoever has that key, or puts back an older copy of everything.
- A key that is handed in: the log is that key's, not one that was put in its place.
- The old key's word for a new one (``audit.succession``): what came after is the same log's, for whom knows the old key
  only, and whoever has only the new one did not rewrite what was before it.
- An anchor: the log still begins with exactly the entries that it had then. That holds against the key's owner, too.

In a store the payloads that stand apart are compared with what the entries say (``audit.payloads``): what is proved of
the entries is proved of them.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.audit_port import parse_seen
from askfirst.errors import Error, InputError, LogError
from audit.clock import rfc3339
from audit.git_anchor import DEFAULT_REF, read_checkpoints
from audit.monitor import newest_checkpoint
from audit.note import (
    COSIGNATURE,
    ED25519,
    Checkpoint,
    NoteError,
    Signature,
    Verifier,
    open_checkpoint,
    open_note,
    parse_checkpoint,
    parse_vkey,
    split_note,
)
from audit.receipt import Receipt, parse_receipt, verify_receipt
from audit.report import Report, limits_of, meanings_of
from audit.scan import MAX_PROBLEMS, Problem, Scan, scan_entries, time_of
from audit.source import Source, open_source
from audit.succession import follow
from audit.timestamp import verify_timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anchor:
    """A head that the log must have had, as far as it is known: at ``size`` the root begins with ``root``.

    Attributes:
        label: where it comes from, for people.
        kind: of evidence (``audit.report``).
        cosigned: witness and POSIX time of each cosignature that was verified on it.
    """

    size: int
    root: bytes
    label: str
    kind: str
    cosigned: tuple[tuple[str, int], ...] = ()


def verify_store(  # each is another kind of evidence, all optional
    path: Path,
    *,
    checkpoint: Path | None = None,
    seen: Sequence[str] = (),
    receipts: Sequence[Path] = (),
    vkeys: Sequence[str] = (),
    witnesses: Sequence[str] = (),
    witness_urls: Sequence[str] = (),
    repositories: Sequence[str] = (),
    timestamps: Sequence[Path] = (),
    authorities: Path | None = None,
) -> Report:
    """Verify the log in a store or an export.

    Args:
        path: the store's file, an export's folder or file.
        checkpoint: file with a signed checkpoint of this log that was kept elsewhere.
        seen: heads from messages, e.g. ``1024:9f3a52c0417be6d8``.
        receipts: ``.tlog-proof`` files.
        vkeys: the log's keys as the verifier knows them; without, those beside the log are used.
        witnesses: vkeys of witnesses whose cosignatures count, and must be there.
        witness_urls: where witnesses answer: what one of ``witnesses`` cosigned last is asked of it now.
        repositories: git repositories with a ref of checkpoints, ``PATH`` or ``PATH@refs/…``.
        timestamps: ``.tsr`` files, each with its ``.checkpoint`` beside it.
        authorities: PEM file with the certificates that are trusted for timestamps.

    Returns:
        What was found. A log that cannot be read is a report with a problem, never an exception.
    """
    try:
        with open_source(path) as source:
            verification = _Verification(path, source, vkeys, witnesses)
            verification.check_head()
            verification.check_succession()
            for url in witness_urls:
                verification.add_newest(url)
            for repository in repositories:
                verification.add_repository(repository)
            for token in timestamps:
                verification.add_timestamp(token, authorities)
            return verification.run(checkpoint, seen, receipts)
    except LogError as error:
        return Report(path=str(path), problems=(Problem(code="unreadable", message=str(error)),))


class _Verification:
    """One run over one source."""

    def __init__(self, path: Path, source: Source, vkeys: Sequence[str], witnesses: Sequence[str]) -> None:
        self.path, self.source, self.is_pinned = path, source, bool(vkeys)
        self.problems, self.proofs, self.anchors = list[Problem](), list[str](), list[_Anchor]()
        self.unsigned = list[tuple[str, str]]()
        self.kinds = dict[str, None]()
        self.cosigned = dict[str, str]()
        self.good = list[int]()
        self.succession = follow(source.changes(), self._parse_keys(vkeys or source.vkeys, ED25519))
        self.keys = self.succession.keys
        self.witnesses = self._parse_keys(witnesses, COSIGNATURE)
        self.head: Checkpoint | None = None

    def check_succession(self) -> None:
        """Take the last head of each key that gave its place to another for an anchor."""
        for change in self.succession.followed:
            assert change.head is not None  # or nothing would have been followed
            label = f"the old key's last head, by whose word the key was changed at entry {change.index}"
            self.anchors.append(_Anchor(size=change.head.size, root=change.head.root, label=label, kind="succession"))
        if self.succession.fault:
            time = time_of(self.succession.fault_body)
            self._problem("key", self.succession.fault, self.succession.fault_index, time)

    def add_newest(self, url: str) -> None:
        """Take what a witness cosigned last for an anchor; it must be one that counts."""
        if self.head is None:
            return  # which is a problem already, and without it nobody knows whose log to ask for
        try:
            note = newest_checkpoint(url, self.head.origin)
            opened = open_note(note, self.witnesses)
        except LogError as error:
            self._problem("witness", f"the newest cosignature of the witness at {url}: {error}")
            return
        name, at_s = opened.cosigned_at_s[0]
        self._add_note(note, f"the checkpoint that {name} cosigned last, at {_moment(at_s)} ({url})", "newest")

    def add_repository(self, text: str) -> None:
        """Take every checkpoint of a git ref for an anchor."""
        path, _, ref = text.partition("@refs/")
        try:
            found = read_checkpoints(Path(path), f"refs/{ref}" if ref else DEFAULT_REF)
        except Error as error:
            self._problem("anchor", str(error))
            return
        if not found:
            self._problem("anchor", f"{path} holds no checkpoint of this log")
        for commit, note in found:
            self._add_note(note, f"the checkpoint in {path} at {commit[:12]}", "git")

    def add_timestamp(self, token: Path, authorities: Path | None) -> None:
        """Take a timestamped checkpoint for an anchor."""
        checkpoint = token.with_suffix(".checkpoint")
        note = self._read(checkpoint)
        if authorities is None:
            self._problem("anchor", f"{token} cannot be verified without the authority's certificate; give it")
        elif note:
            try:
                at = verify_timestamp(token, note.encode(), authorities)
            except Error as error:
                self._problem("anchor", str(error))
            else:
                self._add_note(note, f"the checkpoint that was timestamped at {at.isoformat()} ({token})", "timestamp")

    def run(self, checkpoint: Path | None, seen: Sequence[str], receipts: Sequence[Path]) -> Report:
        """Collect the anchors, read everything once, compare."""
        if checkpoint:
            self._add_checkpoint(checkpoint)
        for text in seen:
            self._add_seen(text)
        opened = self._open_receipts(receipts)
        sizes = {anchor.size for anchor in self.anchors} | {one.size for one in self.source.cosignatures}
        scan = scan_entries(self.source, sizes, frozenset(receipt.index for _, receipt in opened))
        self._check_anchors(scan)
        self._check_size(scan)
        self._check_unsigned(scan)
        for file, receipt in opened:
            self._check_receipt(file, receipt, scan)
        self._check_cosignatures(scan)
        self._check_payloads(scan)
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

    def check_head(self) -> None:
        """Open the stored head; everything else is compared with it."""
        if not self.keys:
            self._problem("key", "there is no key to verify with: log.vkey is missing; give the log's vkey")
        if not self.source.checkpoint:
            self._problem("head", "the signed tree head is missing: whatever is there is no log that was signed")
            return
        try:
            self.head = head = open_checkpoint(self.source.checkpoint, self.keys, self.witnesses)
        except NoteError as error:
            self._problem("head", f"the stored tree head is not signed by this log: {error}")
            self.unsigned.append(("the stored tree head", self.source.checkpoint))
            return
        self._add_anchor(head, self.source.checkpoint, "the signed tree head", "head")
        if self.succession.retired_at(head.size).issuperset(open_note(self.source.checkpoint, self.keys).verified):
            self._problem(
                "head", f"the head of {head.size} entries is signed by a key that was changed before it alone"
            )
        if self.source.size not in {None, head.size}:
            self._problem("head", f"the head of {head.size} entries is stored as one of {self.source.size}")
        if self.source.origin not in {"", head.origin}:
            self._problem("head", f"the store is that of {self.source.origin!r}, its head that of {head.origin!r}")

    def _add_checkpoint(self, path: Path) -> None:
        text = self._read(path)
        if text:
            self._add_note(text, f"the checkpoint in {path}", "checkpoint")

    def _add_note(self, text: str, label: str, kind: str) -> None:
        try:
            found = open_checkpoint(text, self.keys, self.witnesses)
        except NoteError as error:
            self._problem("anchor", f"{label}: {error}")
            self.unsigned.append((label, text))
            return
        if self.head and found.origin != self.head.origin:
            self._problem("anchor", f"{label} is one of {found.origin!r}, this log is {self.head.origin!r}")
        self._add_anchor(found, text, label, kind)

    def _add_anchor(self, found: Checkpoint, note: str, label: str, kind: str) -> None:
        """A note that was opened already, with what its witnesses say on it."""
        cosigned = open_note(note, [*self.keys, *self.witnesses]).cosigned_at_s
        self.anchors.append(_Anchor(size=found.size, root=found.root, label=label, kind=kind, cosigned=cosigned))

    def _open_receipts(self, paths: Sequence[Path]) -> list[tuple[Path, Receipt]]:
        opened = list[tuple[Path, Receipt]]()
        for path in paths:
            try:
                receipt = parse_receipt(self._read(path))
            except NoteError as error:
                self._problem("anchor", f"{path}: {error}")
                continue
            opened.append((path, receipt))
            with contextlib.suppress(NoteError):  # which the receipt's own check will tell
                head = open_checkpoint(receipt.checkpoint, self.keys, self.witnesses)
                self._add_anchor(head, receipt.checkpoint, f"the checkpoint in {path}", "checkpoint")
        return opened

    def _add_seen(self, text: str) -> None:
        try:
            size, root = parse_seen(text)
        except InputError as error:
            self._problem("anchor", str(error))
            return
        self.anchors.append(_Anchor(size=size, root=root, label=f"the head {text}", kind="seen"))

    def _check_size(self, scan: Scan) -> None:
        size = scan.tree.size
        if self.head and size > self.head.size:
            self._problem(
                "unsigned", f"{size} entries are there, {self.head.size} are signed", self.head.size, scan.time
            )
        if self.source.size == size and self.source.frontier != b"".join(scan.tree.frontier):
            self._problem("head", "the stored frontier is not that of the entries", size, scan.time)

    def _check_unsigned(self, scan: Scan) -> None:
        """Say where a head that no known key signed is of entries that are gone: a change of the key may be among them.

        Nothing is believed of such a head, which is a problem already.
        """
        present = scan.tree.size
        for label, note in self.unsigned:
            with contextlib.suppress(NoteError):  # then it is no head of anything
                size = parse_checkpoint(split_note(note)[0]).size
                if size > present:
                    message = (
                        f"{label} says {size} entries, {present} are present: the last {size - present} are gone, "
                        "and a change of the log's key may be among them"
                    )
                    self._problem("dropped", message, present, scan.time)

    def _check_anchors(self, scan: Scan) -> None:
        """Compare each anchor; of what does not fit, say from which entry on."""
        self.good = [one.size for one in self.anchors if scan.roots.get(one.size, b"").startswith(one.root)]
        for anchor in self.anchors:
            size, present = anchor.size, scan.tree.size
            if anchor.size in self.good and scan.roots[size].startswith(anchor.root):
                self._proof(anchor.kind, f"the first {size} entries are exactly those of {anchor.label}")
                self.cosigned.update((name, _cosigned(name, size, at_s)) for name, at_s in anchor.cosigned)
            elif size > present:
                message = (
                    f"{anchor.label} has {size} entries, {present} are present: the last {size - present} are gone"
                )
                self._problem("dropped", message, present, scan.time)
            else:
                message = f"the root over the first {size} entries differs from {anchor.label}: they were rewritten"
                self._rewritten(message, size, scan)

    def _rewritten(self, message: str, size: int, scan: Scan) -> None:
        """Note that the first ``size`` entries were rewritten, from the last good anchor on."""
        since = max((one for one in self.good if one < size), default=0)
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
        self._proof(
            "receipt", f"entry {receipt.index} is the one that {path} was given for, at {checkpoint.size} entries"
        )

    def _check_cosignatures(self, scan: Scan) -> None:
        """Each stored cosignature by a known witness, over the root that the entries really have at its size."""
        known = {(key.name, key.key_id): key for key in self.witnesses}
        newest = self.cosigned
        for one in sorted(self.source.cosignatures, key=lambda one: one.size):
            try:
                _, (signature,) = split_note(f"text\n\n{one.line.strip()}\n")
            except (NoteError, ValueError):
                continue
            key = known.get((signature.name, signature.key_id))
            if key is not None and self.head is not None:
                newest[key.name] = self._check_cosignature(key, signature, one.size, scan) or newest.get(key.name, "")
        for key in self.witnesses:
            if key.name not in newest:
                self._problem(
                    "witness", f"no cosignature of {key.name} is stored: it never saw this log, or they were deleted"
                )
        for proof in filter(None, newest.values()):
            self._proof("witness", proof)

    def _check_cosignature(self, key: Verifier, signature: Signature, size: int, scan: Scan) -> str:
        """What it proves, ``""`` when it does not fit the entries."""
        assert self.head is not None  # looked at by the caller
        root = scan.roots.get(size)
        if root is None:
            present = scan.tree.size
            message = (
                f"{key.name} has witnessed {size} entries, {present} are present: the last {size - present} are gone"
            )
            self._problem("dropped", message, present, scan.time)
            return ""
        if not key.accepts(Checkpoint(origin=self.head.origin, size=size, root=root).text, signature.value):
            message = f"{key.name} has witnessed another tree of {size} entries: they were rewritten"
            self._rewritten(message, size, scan)
            return ""
        self.good.append(size)
        return _cosigned(key.name, size, int.from_bytes(signature.value[:8], "big"))

    def _proof(self, kind: str, text: str) -> None:
        self.proofs.append(text)
        self.kinds[kind] = None

    def _check_payloads(self, scan: Scan) -> None:
        """What stands apart is exactly what the entries refer to and do not say to be erased."""
        if self.source.payloads is None:
            return
        try:
            misfits = scan.references.compare(self.source.payloads())
        except LogError as error:  # which must not hide what else was found
            self._problem("unreadable", f"the payloads: {error}")
            return
        told = misfits[:MAX_PROBLEMS]
        times = self._times_of({one.index for one in told if one.index is not None})
        for one in told:
            self._problem("payload", one.message, one.index, times.get(one.index, ""))
        if more := len(misfits) - len(told):
            self._problem("payload", f"more payloads that do not fit the entries: {more}")
        if scan.references.owners and not misfits:
            erased = len(scan.references.owners) - scan.references.standing
            text = f"payloads that stand apart: {scan.references.standing}, exactly those that entries refer to"
            self.proofs.append(text + (f"; erased, as entries say: {erased}" if erased else ""))

    def _times_of(self, indexes: set[int]) -> dict[int | None, str]:
        """When these entries were made; the log is read anew for it, so only where something is wrong."""
        rows = (row for batch in self.source.rows() for row in batch) if indexes else ()
        return {index: time_of(body) for index, _, body in rows if index in indexes}

    def _report(self, scan: Scan) -> Report:
        problems = sorted([*scan.problems, *self.problems], key=lambda problem: problem.code != "unreadable")
        origin = self.head.origin if self.head else self.source.origin
        if self.is_pinned and "head" in self.kinds:
            self.kinds["key"] = None
        limits = limits_of(
            self.kinds,
            is_pinned=self.is_pinned,
            wordless=self.succession.wordless,
            has_payloads=self.source.payloads is not None,
            knows_newest=any(one.cosigned for one in self.anchors if one.kind != "head"),
        )
        return Report(
            path=str(self.path),
            origin=origin,
            size=scan.tree.size,
            root=scan.tree.root().hex(),
            problems=tuple(problems),
            proofs=tuple(self.proofs),
            meanings=meanings_of(self.kinds),
            limits=limits,
        )


def _cosigned(name: str, size: int, at_s: int) -> str:
    """What a cosignature shows."""
    return f"{name} has witnessed the first {size} entries at {_moment(at_s)}"


def _moment(at_s: int) -> str:
    """A POSIX time for people; a witness may write any, which need not be one that a calendar knows."""
    try:
        return rfc3339(at_s * 1_000_000)
    except LogError:
        return f"{at_s} s after 1970"
