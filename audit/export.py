"""Exports a log so that others can keep and verify it without us: a folder of plain files, or one stream.

Stored bytes go out as they are, with the signed head over exactly those entries. Payloads that stand apart stay behind.
A log that does not verify is exported all the same, as evidence; verify the export like any log.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from typing import TYPE_CHECKING, BinaryIO

from askfirst.errors import InputError
from audit.keys import public_pem
from audit.note import NoteError, parse_vkey, split_note
from audit.source import CHECKPOINT_FILE, ENTRIES_FILE, FORMAT, VKEY_FILE, Source, open_source

if TYPE_CHECKING:
    from pathlib import Path


def export(path: Path, out: Path) -> int:
    """Write the log into a new folder and return the number of entries.

    The folder holds ``entries.jsonl``, ``checkpoint`` (with the cosignatures over it), ``log.vkey`` and ``log.pem``
    (for openssl).

    Raises:
        InputError: the folder exists already.
        LogError: the log cannot be read.
    """
    with open_source(path) as source:
        try:
            out.mkdir(parents=True)
        except FileExistsError:
            raise InputError(f"{out} exists already, expected a new folder", field="out") from None
        try:
            return _write_folder(source, out)
        except BaseException:
            shutil.rmtree(out)  # half of a log, e.g. on a full disk, would look like one that was cut
            raise


def _write_folder(source: Source, out: Path) -> int:
    (out / CHECKPOINT_FILE).write_text(_checkpoint(source), encoding="utf-8", newline="\n")
    (out / VKEY_FILE).write_text("".join(f"{key}\n" for key in source.vkeys), encoding="utf-8", newline="\n")
    if pem := _pem(source):
        (out / "log.pem").write_text(pem, encoding="ascii", newline="\n")
    with (out / ENTRIES_FILE).open("wb") as file:
        return _write_entries(source, file)


def export_stream(path: Path, file: BinaryIO) -> int:
    """Write the log into one binary stream, a header line first, and return the number of entries.

    Raises:
        LogError: the log cannot be read.
    """
    with open_source(path) as source:
        header = {"checkpoint": _checkpoint(source), "format": FORMAT, "vkeys": source.vkeys}
        file.write(json.dumps(header, sort_keys=True, separators=(",", ":")).encode() + b"\n")
        return _write_entries(source, file)


def _write_entries(source: Source, file: BinaryIO) -> int:
    count = 0
    for rows in source.rows():
        file.writelines(body + b"\n" for _, _, body in rows)
        count += len(rows)
    return count


def _checkpoint(source: Source) -> str:
    """The signed head with the cosignatures that were given for it."""
    return source.checkpoint + "".join(
        f"{one.line.strip()}\n" for one in source.cosignatures if one.size == source.size and source.checkpoint
    )


def _pem(source: Source) -> str:
    """The log's keys for openssl, which uses the first one: that of the head's first signature; ``""`` without keys."""
    try:
        keys = [parse_vkey(line) for line in source.vkeys]
    except NoteError:
        return ""
    first = b""
    with contextlib.suppress(NoteError):  # a head that cannot be read is exported as evidence
        first = split_note(source.checkpoint)[1][0].key_id
    return "".join(map(public_pem, sorted(keys, key=lambda key: key.key_id != first)))
