"""Evidence in words for people: signals, the impact, sections to read and the way back. Pure.

The words are raw: whoever shows them passes them through ``visible`` first.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, assert_never

from askfirst.evidence.values import Commits, Deployment, Files, Gap, Plan, Refs, Script, Statements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from askfirst.evidence.values import Commit, Evidence, Exhibit, Ref, Statement
    from askfirst.rescue import Promise

_ID_CHARS = 12
_STANDINGS = {
    "modified": "with uncommitted changes",
    "staged": "staged only",
    "untracked": "untracked",
    "ignored": "ignored by git",
    "tracked": "held by git",
    "unversioned": "outside any repository",
}


class Mark(enum.StrEnum):
    """How a signal bears on the decision."""

    GOOD = "✓"
    WARN = "⚠"
    OPEN = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One line that speaks for or against, or says what is not known."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Details to a signal: one line a thing; ``more`` counts those that are not listed; ``text`` is shown as it is."""

    title: str
    rows: tuple[str, ...] = ()
    more: int = 0
    text: str = ""


def signals_of(evidence: Evidence) -> tuple[Signal, ...]:
    """What speaks for and against, warnings first."""
    found = [signal for exhibit in evidence.exhibits for signal in _signals(exhibit)]
    order = [Mark.WARN, Mark.OPEN, Mark.GOOD]
    return tuple(sorted(dict.fromkeys(found), key=lambda signal: order.index(signal.mark)))


def _signals(exhibit: Exhibit) -> Iterator[Signal]:
    match exhibit:
        case Commits():
            yield from _commit_signals(exhibit)
        case Files():
            yield from _file_signals(exhibit)
        case Refs():
            yield from _ref_signals(exhibit)
        case Statements():
            yield from _sql_signals(exhibit)
        case Plan():
            mark = Mark.GOOD if exhibit.destroys == 0 else Mark.WARN
            yield Signal(mark=mark, text=exhibit.summary or f"{exhibit.command} says what it would do")
        case Script():
            yield Signal(mark=Mark.WARN, text=f"runs the script {exhibit.path} ({size(exhibit.size_bytes)})")
        case Deployment():
            yield from _deployment_signals(exhibit)
        case Gap():
            yield Signal(mark=Mark.OPEN, text=_gap(exhibit))
        case _ as never:
            assert_never(never)


def _commit_signals(found: Commits) -> Iterator[Signal]:
    many = _count(found.count, "commit", more=found.more)
    if found.is_stash and found.count:
        yield Signal(mark=Mark.WARN, text=f"{_entries(found.count)} would be dropped; they are nowhere else")
        return
    if not found.count:
        yield Signal(mark=Mark.GOOD, text=f"no commit of {found.where} is lost: other refs hold them all")
        return
    fates = {
        "lost": f"{many} of {found.where} would be held by nothing",
        "rewritten": f"{many} of {found.where} would be replaced by rewritten copies",
        "overwritten": f"{many} of {found.where} would be gone there",
        "pruned": f"{many} of {found.where} would be deleted beyond recovery",
    }
    yield Signal(mark=Mark.WARN, text=fates[found.fate])
    if found.unpushed and found.fate != "overwritten":
        yield Signal(mark=Mark.WARN, text=f"{found.unpushed} of them never pushed")
    elif found.fate == "rewritten":
        yield Signal(mark=Mark.WARN, text="they are pushed already: others may have built on them")
    elif found.fate == "lost" and not found.more:
        yield Signal(mark=Mark.GOOD, text="all of them are on a remote, as last fetched")


def _file_signals(found: Files) -> Iterator[Signal]:
    if not found.count:
        yield Signal(mark=Mark.GOOD, text=f"no file in {found.where} would be {found.act}")
        return
    content = {"deleted": "", "overwritten": "the content of ", "discarded": "uncommitted work in "}[found.act]
    many = f"{content}{_count(found.count, 'file', more=found.more)} ({size(found.size_bytes)})"
    mark = Mark.WARN if found.only_copies or found.more else Mark.GOOD
    yield Signal(mark=mark, text=f"{many} in {found.where} would be {found.act}")
    if found.only_copies:
        more = " or more" if found.more else ""
        lost = f"{found.only_copies}{more} of them {'is' if found.only_copies == 1 else 'are'} in no commit"
        yield Signal(mark=Mark.WARN, text=f"{lost} ({size(found.only_copy_bytes)})")
    elif not found.more:
        yield Signal(mark=Mark.GOOD, text="git holds the content of all of them, or tools rebuild them")
    if found.outside:
        yield Signal(mark=Mark.WARN, text=f"{_count(found.outside, 'file')} outside the project")
    if found.repositories:
        yield Signal(mark=Mark.WARN, text=f"whole repositories: {', '.join(found.repositories)}")


def _ref_signals(found: Refs) -> Iterator[Signal]:
    for ref in found.refs:
        if ref.shared:
            yield Signal(mark=Mark.WARN, text=f"{_short_ref(ref.name)} on {found.where} is a shared branch")
    tags = [each for each in found.refs if each.name.startswith("refs/tags/")]
    if tags:
        names = ", ".join(_short_ref(each.name) for each in tags)
        yield Signal(mark=Mark.WARN, text=f"tags that others rely on: {names}")
    if found.moved_on:
        text = f"{found.where} has commits that were never fetched here; they would be lost unseen"
        yield Signal(mark=Mark.WARN, text=text)
    elif found.seen == "live":
        yield Signal(mark=Mark.GOOD, text=f"{found.where} was asked just now: it stands as last fetched")
    elif found.seen == "fetched":
        text = f"{found.where} is known as last fetched{_when(found.seen_at_s)}; it may have moved on"
        yield Signal(mark=Mark.OPEN, text=text)
    elif found.seen == "unseen":
        yield Signal(mark=Mark.OPEN, text=f"what {found.where} holds was never fetched here")


def _sql_signals(found: Statements) -> Iterator[Signal]:
    for each in found.statements:
        if each.whole:
            yield Signal(mark=Mark.WARN, text=f"{_statement(each)}: every row, there is no condition")
        elif each.rows is not None:
            yield Signal(mark=Mark.WARN, text=_statement(each))


def _deployment_signals(found: Deployment) -> Iterator[Signal]:
    many = _count(found.count, "commit", more=found.more)
    yield Signal(mark=Mark.WARN if found.count else Mark.GOOD, text=f"{many} since {found.where} would be deployed")
    if found.back:
        yield Signal(mark=Mark.WARN, text=f"{_count(found.back, 'commit')} of {found.where} would be taken back")
    if found.dirty:
        text = f"{_count(found.dirty, 'file')} with uncommitted changes would be deployed"
        yield Signal(mark=Mark.WARN, text=text)


def impact_of(evidence: Evidence) -> str:
    """What is gone for good, in one sentence; ``""`` where nothing was looked at."""
    if not evidence.exhibits:
        return ""
    losses = list(_losses(evidence.exhibits))
    rest = "; not everything could be seen" if evidence.gaps else ""
    if not losses:
        sure = "as far as was looked, nothing is lost" if rest else "nothing is lost for good"
        return f"{sure}{rest}"
    return f"would lose {_joined(losses)}{rest}"


def _losses(exhibits: Sequence[Exhibit]) -> Iterator[str]:
    everything = [each for each in exhibits if isinstance(each, Commits) and each.fate != "rewritten"]
    commits = [each for each in everything if not each.is_stash]
    stashed = sum(each.count for each in everything if each.is_stash)
    files = [each for each in exhibits if isinstance(each, Files)]
    copies = sum(each.only_copies for each in files)
    rows = sum(each.rows or 0 for found in exhibits if isinstance(found, Statements) for each in found.statements)
    destroyed = sum(each.destroys or 0 for each in exhibits if isinstance(each, Plan))
    if number := sum(each.count for each in commits):
        yield _count(number, "commit", more=any(each.more for each in commits))
    if stashed:
        yield _entries(stashed)
    if copies:
        many = _count(copies, "file", more=any(each.more for each in files))
        yield f"{many} ({size(sum(each.only_copy_bytes for each in files))})"
    elif any(each.more for each in files):
        yield f"more than {sum(each.count for each in files):,} files"
    if rows:
        yield f"about {rows:,} rows"
    if destroyed:
        yield _count(destroyed, "resource")


def sections_of(evidence: Evidence) -> tuple[Section, ...]:
    """The details, in the order of the exhibits."""
    return tuple(section for exhibit in evidence.exhibits for section in _sections(exhibit))


def _sections(exhibit: Exhibit) -> Iterator[Section]:
    match exhibit:
        case Commits() if exhibit.listed:
            rows = tuple(commit_line(each) for each in exhibit.listed)
            more = exhibit.count - len(rows)
            yield Section(title=f"Commits of {exhibit.where}", rows=rows, more=more)
        case Files() if exhibit.count:
            yield _files_section(exhibit)
        case Refs() if exhibit.refs:
            rows = tuple(_ref_line(each) for each in exhibit.refs)
            yield Section(title=f"Refs on {exhibit.where}", rows=rows, more=exhibit.count - len(rows))
        case Statements():
            rows = tuple(_statement(each) for each in exhibit.statements)
            by = f", rows estimated by {exhibit.estimated}" if exhibit.estimated else ""
            yield Section(title=f"SQL for {exhibit.database}{by}", rows=rows, more=exhibit.count - len(rows))
        case Plan():
            cut = " (its end)" if exhibit.cut else ""
            yield Section(title=f"{exhibit.command}{cut}", text=exhibit.text)
        case Script():
            cut = f", the first {len(exhibit.text):,} characters" if exhibit.cut else ""
            yield Section(title=f"{exhibit.path}{cut}", rows=exhibit.effects, text=exhibit.text)
        case Deployment() if exhibit.listed:
            rows = tuple(commit_line(each) for each in exhibit.listed)
            title = f"Since {exhibit.where} ({exhibit.old[:_ID_CHARS]} to {exhibit.new[:_ID_CHARS]})"
            yield Section(title=title, rows=rows, more=exhibit.count - len(rows))
        case _:
            return


def _files_section(found: Files) -> Section:
    kinds = ", ".join(f"{many} {_STANDINGS.get(name, name)}" for name, many in found.standings.items() if many)
    newest = f"; newest{_when(found.newest_at_s)}" if found.newest_at_s else ""
    rows = tuple(
        f"{size(each.size_bytes):>9}  {each.path}  ({_STANDINGS[each.standing]}{_when(each.at_s, ', ')})"
        for each in found.largest
    )
    title = f"Files {found.act} in {found.where}: {kinds}{newest}"
    return Section(title=title, rows=rows, more=found.count - len(rows))


def rollback_of(evidence: Evidence, promise: Promise | None = None) -> tuple[str, ...]:
    """Our own way back first, and what has none; empty where there is nothing to take back.

    What a snapshot will hold has one, even where git itself knows of none.
    """
    if promise is not None and promise.holds:
        return (promise.words,)
    steps = [step for each in evidence.exhibits if isinstance(each, Commits | Refs) for step in each.rollback if step]
    lost = sum(each.only_copies for each in evidence.exhibits if isinstance(each, Files))
    steps += [f"no way back by git for {_count(lost, 'file')}: no commit has them"] if lost else []
    pruned = any(isinstance(each, Commits) and each.fate == "pruned" and each.count for each in evidence.exhibits)
    return tuple(dict.fromkeys([*steps, *(["no way back for pruned commits"] if pruned else [])]))


def certainty_of(evidence: Evidence) -> str:
    """How far the evidence goes; ``""`` where nothing was looked at."""
    if not evidence.exhibits:
        return ""
    failed = sum(each.failed for each in evidence.gaps)
    unasked = len(evidence.gaps) - failed
    if not evidence.gaps:
        return "everything was looked at"
    said = [f"{_count(failed, 'thing')} could not be found out"] if failed else []
    said += [f"{_count(unasked, 'thing')} nobody looked into"] if unasked else []
    return " and ".join(said)


def commit_line(commit: Commit) -> str:
    """One commit for people, e.g. ``1a2b3c4d5e6f Fix it (Ann, 2026-11-25 21:04 UTC, never pushed)``."""
    pushed = "pushed" if commit.pushed else "never pushed"
    about = [each for each in (commit.author, _when(commit.at_s, ""), pushed if commit.author else "") if each]
    return f"{commit.id[:_ID_CHARS]} {commit.subject} ({', '.join(about)})"


def size(size_bytes: int) -> str:
    """A size for people: ``812 B``, ``4.2 KB``, ``1.3 GB``."""
    amount = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} TB"


def _count(number: int, noun: str, *, more: bool = False) -> str:
    return f"{number:,}{'+' if more else ''} {noun}{'' if number == 1 and not more else 's'}"


def _entries(number: int) -> str:
    return f"{number:,} stash {'entry' if number == 1 else 'entries'}"


def _when(at_s: int, before: str = " ") -> str:
    if at_s <= 0:
        return ""
    try:
        return f"{before}{datetime.fromtimestamp(at_s, UTC):%Y-%m-%d %H:%M} UTC"
    except (ValueError, OverflowError, OSError):
        return ""  # a commit may claim any date


def _short_ref(name: str) -> str:
    return name.removeprefix("refs/heads/").removeprefix("refs/tags/").removeprefix("refs/remotes/")


def _ref_line(ref: Ref) -> str:
    new = "deleted" if ref.deleted else ref.new[:_ID_CHARS] or "not known"
    return f"{_short_ref(ref.name)}: {ref.old[:_ID_CHARS] or 'not known'} → {new}"


def _statement(each: Statement) -> str:
    tables = f" {', '.join(each.tables)}" if each.tables else ""
    rows = f", about {each.rows:,} rows" if each.rows is not None else ""
    return f"{each.verb}{tables}{rows}"


def _gap(gap: Gap) -> str:
    return f"{'could not be found out' if gap.failed else 'not looked into'}: {gap.about} ({gap.reason})"


def _joined(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
