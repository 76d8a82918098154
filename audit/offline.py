"""What ``askfirst audit`` does without a broker: it reads the store's file, and writes only where it is told to."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, TextIO

from askfirst.errors import InputError
from audit.anchor import anchor_git, anchor_timestamp, open_head, receipts_of
from audit.approvals import approvals_of
from audit.export import export
from audit.formats import APPROVAL_COLUMNS, FORMATS, approval_records
from audit.git_anchor import DEFAULT_REF
from audit.query import Filter, Record, find, scan, show
from audit.records import write_objects, write_records
from audit.source import connect
from audit.stats import stats_of
from audit.timeline import timeline_page
from audit.verify import verify_store
from audit.verify_range import verify_range

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from audit.report import Report

TABLES = ("csv", "approvals-csv")
"""Formats that are no JSON lines."""


class OfflineLog:
    """The log in one store."""

    def __init__(self, store: Path) -> None:
        self._store = store

    def verify(
        self,
        *,
        checkpoint: Path | None,
        seen: Sequence[str],
        receipts: Sequence[Path],
        vkeys: Sequence[str],
        witnesses: Sequence[str],
        witness_urls: Sequence[str],
        repositories: Sequence[str],
        timestamps: Sequence[Path],
        authorities: Path | None,
    ) -> Report:
        """Verify it; see ``audit.verify.verify_store``."""
        return verify_store(
            self._store,
            checkpoint=checkpoint,
            seen=seen,
            receipts=receipts,
            vkeys=vkeys,
            witnesses=witnesses,
            witness_urls=witness_urls,
            repositories=repositories,
            timestamps=timestamps,
            authorities=authorities,
        )

    def verify_range(self, first: int, last: int, *, vkeys: Sequence[str]) -> Report:
        """Verify some entries; see ``audit.verify_range``."""
        return verify_range(self._store, first, last, vkeys=vkeys)

    def find(self, wanted: Mapping[str, object], limit: int, *, after: int = -1) -> list[Record]:
        """The newest entries that are wanted, oldest first, of those behind the index ``after``.

        ``wanted`` holds members of ``audit.query.Filter``.
        """
        return find(self._store, _filter(wanted), limit=limit, after=after)

    def scan(self, wanted: Mapping[str, object]) -> Iterator[Record]:
        """All entries that are wanted, oldest first."""
        return scan(self._store, _filter(wanted))

    def show(self, index: int) -> Record:
        """One entry with its payloads."""
        return show(self._store, index)

    def stats(self, wanted: Mapping[str, object]) -> dict[str, object]:
        """Counts over the requests that the wanted entries are of."""
        return stats_of(approvals_of(self.scan(wanted))).as_object()

    def receipts(self, indexes: Sequence[int]) -> list[tuple[str, bytes]]:
        """The receipt for each of these entries, as a text, with the entry's stored bytes."""
        return [(receipt.text, entry) for receipt, entry in receipts_of(self._store, list(indexes))]

    def export(self, out: Path) -> int:
        """Write everything that a third party needs to verify it into a new folder; the number of entries."""
        return export(self._store, out)

    def write(self, form: str, wanted: Mapping[str, object], file: TextIO) -> int:
        """Write the wanted entries in one of ``formats()``; how many lines or rows that were."""
        if form == "csv":
            if any(wanted.values()):
                raise InputError("csv is the whole audit table and takes no filters; use approvals-csv", field="format")
            return write_records(self._store, file)
        if form == "approvals-csv":
            return write_objects(file, APPROVAL_COLUMNS, approval_records(self.scan(wanted)))
        if form not in FORMATS:
            raise InputError(f"no format {form!r}, expected one of {', '.join(self.formats())}", field="format")
        if form == "agentack":  # a trace is of one session; whatever has its name is no part of it
            wanted = {**wanted, "session": wanted.get("agent", ""), "agent": ""}
        count = 0
        for line in FORMATS[form](self.scan(wanted)):
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
            count += 1
        return count

    def formats(self) -> tuple[str, ...]:
        """What ``write`` can write."""
        return (*FORMATS, *TABLES)

    def page(self, wanted: Mapping[str, object], title: str) -> str:
        """The wanted entries as an HTML page."""
        origin, seen = self.head()
        return timeline_page(self.scan(wanted), title=title, seen=seen, origin=origin)

    def head(self) -> tuple[str, str]:
        """Name of the log, and its newest head as ``size:root``."""
        with closing(connect(self._store)) as connection:
            head = open_head(connection)
        return head.checkpoint.origin, head.checkpoint.seen

    def anchor_git(self, repository: Path, *, ref: str, remote: str) -> tuple[str, str]:
        """Commit the head to a git ref; the head and the commit's id."""
        return anchor_git(self._store, repository, ref=ref or DEFAULT_REF, remote=remote)

    def anchor_timestamp(self, folder: Path, url: str) -> tuple[str, Path]:
        """Have the head timestamped; the head and where the token is."""
        return anchor_timestamp(self._store, folder, url)


def _filter(wanted: Mapping[str, object]) -> Filter:
    return Filter(**wanted)  # type: ignore[arg-type]  # the command line's options have these names and types
