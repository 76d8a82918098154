"""``askfirst audit export|timeline|receipt``: the log for others, from the store's file."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from askfirst.cli.audit import log_of
from askfirst.cli.audit_options import Agent, Decision, Person, RequestId, Rule, Since, Store, Types, Until, wanted
from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import console, print_json, sentences, stderr
from askfirst.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.cli.parts import LogReader, Parts

_FORMATS = "jsonl, ocsf, otel, agentack, approvals (JSON lines), csv, approvals-csv"
_FIND_MAX = 1_000_000


def add(group: typer.Typer, parts: Parts) -> None:
    """Register the commands."""
    _add_export(group, parts)
    _add_timeline(group, parts)
    _add_receipt(group, parts)


def _add_export(group: typer.Typer, parts: Parts) -> None:
    @group.command()
    def export(
        out: Annotated[Path, typer.Argument(help="A folder or file that does not exist yet; - for standard output.")],
        *,
        form: Annotated[
            str, typer.Option("--format", help=f"A format for others: {_FORMATS}; else a verifiable folder.")
        ] = "",
        person: Person = "",
        agent: Agent = "",
        rule: Rule = "",
        decision: Decision = "",
        request: RequestId = "",
        types: Types = None,
        since: Since = "",
        until: Until = "",
        store: Store = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Write the log to a folder that a third party can verify without us, or entries in another format."""
        with sentences():
            log = log_of(parts, store, state_dir)
            filters = wanted(person, agent, rule, decision, request, types, since, until)
            if not form and filters:
                raise InputError("a verifiable export is of the whole log; filters go with --format", field="format")
            with stderr.status("exporting"):
                count = _write(log, form, filters, out) if form else log.export(out)
            if as_json and str(out) != "-":
                print_json({"entries": count, "path": str(out), "format": form or "folder"})
            elif str(out) != "-":
                console.print(f"{count} {'lines' if form else 'entries'} in {out}", markup=False)


def _write(log: LogReader, form: str, filters: dict[str, object], out: Path) -> int:
    if str(out) == "-":
        return log.write(form, filters, sys.stdout)
    with _new_file(out) as file:
        return log.write(form, filters, file)


def _add_timeline(group: typer.Typer, parts: Parts) -> None:
    @group.command()
    def timeline(
        out: Annotated[Path, typer.Argument(help="An HTML file that does not exist yet.")],
        *,
        session: Annotated[str, typer.Option(help="Only this session of an agent.")] = "",
        since: Since = "",
        until: Until = "",
        store: Store = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Write a page that shows who asked for what and who decided how fast; it needs nothing but itself."""
        with sentences():
            filters = wanted("", "", "", "", "", None, since, until) | ({"session": session} if session else {})
            title = f"Askfirst session {session}" if session else "Askfirst log"
            page = log_of(parts, store, state_dir).page(filters, title)
            with _new_file(out) as file:
                file.write(page)
            if as_json:
                print_json({"path": str(out)})
            else:
                console.print(f"written to {out}", markup=False)


def _add_receipt(group: typer.Typer, parts: Parts) -> None:
    @group.command()
    def receipt(
        index: Annotated[int | None, typer.Argument(min=0, help="Index of an entry.", show_default=False)] = None,
        request: RequestId = "",
        out: Annotated[
            Path | None, typer.Option(help="A folder for entry-N.tlog-proof and entry-N.json, the entry's bytes.")
        ] = None,
        store: Store = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """Proof that an entry, or each entry of a request, is in the log.

        Who has both the receipt and the entry's bytes can verify it without the log; without --out or --json the
        receipt alone is printed.
        """
        with sentences():
            log = log_of(parts, store, state_dir)
            indexes = _indexes(log, index, request)
            made = list(zip(indexes, log.receipts(indexes), strict=True))
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
                for at, (text, entry) in made:
                    _write_receipt(out / f"entry-{at}", text, entry)
            if as_json:
                print_json([{"index": at, "receipt": text, "entry": entry.decode()} for at, (text, entry) in made])
            elif out is not None:
                console.print(f"receipts in {out}, each with its entry: {len(made)}", markup=False)
            else:
                sys.stdout.write("\n".join(text for _, (text, _) in made))


def _write_receipt(path: Path, text: str, entry: bytes) -> None:
    """Both files or, when one is there already, none: a receipt proves nothing to who has not the entry's bytes."""
    with _new_file(path.with_suffix(".tlog-proof")) as proof, _new_file(path.with_suffix(".json")) as file:
        proof.write(text)
        file.write(entry.decode())


def _indexes(log: LogReader, index: int | None, request: str) -> list[int]:
    if (index is None) == (not request):
        raise InputError("give either an index or --request", field="index")
    if index is not None:
        return [index]
    found = log.find(wanted("", "", "", "", request, None, "", ""), _FIND_MAX)
    if not found:
        raise InputError(f"the log holds no entry of request {request!r}", field="request")
    return [int(entry["index"]) for entry in found]


@contextmanager
def _new_file(path: Path) -> Iterator[TextIO]:
    """A new file that is gone again when it could not be written whole: half of it, on a full disk, would look whole.

    Raises:
        InputError: it exists already, or cannot be made.
    """
    try:
        file = path.open("x", encoding="utf-8", newline="")
    except FileExistsError:
        raise InputError(f"{path} exists already, expected a new file", field="out") from None
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}", field="out") from error
    try:
        with file:
            yield file
    except BaseException:
        path.unlink()
        raise
