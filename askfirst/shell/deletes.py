"""Grades what deleting or overwriting a path loses.

The target decides, not the verb. Without facts: names of build output inside the project and anything below a
temporary folder are free, single named files inside the project are recorded, everything else asks. With facts the
disk decides what is lost inside the project; outside it nothing is ever free, since we cannot tell what it is for.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from askfirst.effects import Hit, Risk
from askfirst.facts import UNKNOWN, Kind, Loss
from askfirst.shell.command import HOLE
from askfirst.shell.options import clipped, some
from askfirst.shell.places import Place, Spot
from askfirst.shell.precious import is_precious, is_regenerable

if TYPE_CHECKING:
    from askfirst.effects import Effect
    from askfirst.facts import Facts
    from askfirst.shell.command import Command
    from askfirst.shell.ports import Rules

_GLOB_LIMIT = 64  # matches that are looked at one by one; a glob with more is a loss

_DROP_IN: Final = re.compile(r"/([^/]+\.d|sites-(available|enabled)|conf-available)/[^/]+$")
"""A file in a folder of settings that holds one file for each purpose: most of the time a new one."""

_BYTECODE: Final = re.compile(r"/(?:__pycache__|\*?\.py[co]|[^/]+\.py[co])$")

_WORDS: Final = {
    Place.TEMP_ROOT: "everything in the temporary folder",
    Place.UNKNOWN: "files at a path that is not known",
    Place.OUTSIDE: "files outside the project",
    Place.GIT: "the repository itself: its history, branches and stashes",
    Place.SYSTEM: "files that the operating system needs",
    Place.DEVICE: "a device",
    Place.PROJECT: "the whole project folder",
    Place.ABOVE: "a folder that the project lies in",
    Place.HOME: "a whole home folder",
    Place.MOUNT: "everything on a mounted file system",
    Place.ROOT: "a whole tree of the machine",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """How bad it is, and in words what is lost."""

    risk: Risk
    what: str
    facts: tuple[str, ...] = ()
    reversible: bool = False


def hit(book: Rules, rule: str, command: Command, spot: Spot, grade: Grade, *, names: tuple[str, ...] = ()) -> Effect:
    """The effect of a rule that takes content away; ``names``: only of what is called so below the spot."""
    found = effect(book, rule, command, spot, grade)
    if not spot.known or command.where:
        return found
    touches = tuple(replace(each, names=names) for each in found.touches)
    return replace(found, hits=(Hit(path=spot.path, glob=spot.glob, names=names),), touches=touches)


def effect(book: Rules, rule: str, command: Command, target: Spot | str, grade: Grade) -> Effect:
    """The effect of a rule with a graded loss, on a place in the file system or on something that is named."""
    shown, touches = (target, ()) if isinstance(target, str) else (target.shown, target.touches())
    made = book.effect(
        rule,
        command,
        target=clipped(shown),
        risk=grade.risk,
        reversible=grade.reversible,
        facts=grade.facts,
        what=clipped(grade.what),
    )
    return replace(made, touches=touches) if touches and not command.where else made


def grade_delete(spot: Spot, facts: Facts, *, recursive: bool) -> Grade:
    """What deleting the spot loses; ``recursive``: with everything below it."""
    match spot.place:
        case Place.SINK | Place.TEMP:
            return Grade(risk=Risk.MEDIUM, what="temporary files")
        case Place.INSIDE:
            return _inside(spot, facts, recursive=recursive)
        case Place.UNKNOWN:
            return _unknown(spot, recursive=recursive)
        case Place.PROJECT if not (spot.known or recursive or spot.contents or spot.glob):
            return Grade(risk=Risk.MEDIUM, what="a file of the project")  # `rm -f ./$name`
        case Place.GIT if posixpath.basename(spot.path).endswith(".lock"):
            return Grade(risk=Risk.MEDIUM, what="a lock file that git left behind")
        case Place.TEMP_ROOT if not (recursive or spot.contents):
            return Grade(risk=Risk.MEDIUM, what="a temporary file")
        case Place.OUTSIDE | Place.SYSTEM if _BYTECODE.search(spot.path):
            return Grade(risk=Risk.MEDIUM, what="bytecode that Python writes again")
        case Place.TEMP_ROOT | Place.OUTSIDE | Place.DEVICE:
            return Grade(risk=Risk.HIGH, what=_WORDS[spot.place])
        case _:
            deep = recursive or spot.contents
            return Grade(risk=Risk.CRITICAL if deep else Risk.HIGH, what=_WORDS[spot.place])


def _unknown(spot: Spot, *, recursive: bool) -> Grade:
    """A path whose beginning is not known: deep deletes ask, unless the known end is build output."""
    rest = spot.path.lstrip(HOLE)
    if rest.startswith("/") and is_regenerable(rest):
        return Grade(risk=Risk.MEDIUM, what="files that tools rebuild")
    bad = recursive or spot.contents or spot.glob or is_precious(rest)
    return Grade(risk=Risk.HIGH if bad else Risk.MEDIUM, what=_WORDS[Place.UNKNOWN])


def _inside(spot: Spot, facts: Facts, *, recursive: bool) -> Grade:
    if spot.known:
        graded = _by_disk(spot, facts)
        if graded is not None:
            return graded
    before, hole, rest = spot.inner.rpartition(HOLE)
    name = rest if spot.glob else spot.inner
    may_climb = bool(hole and before) and (recursive or spot.contents)  # `rm -rf build/$X`: X may be `../src`
    if is_regenerable(rest) if may_climb else is_regenerable(name or spot.inner):
        return Grade(risk=Risk.MEDIUM, what="files that tools rebuild")
    if is_precious(name):
        return Grade(risk=Risk.HIGH, what=f"{posixpath.basename(name)}, which nobody can rebuild")
    if recursive or spot.contents or spot.glob:
        return Grade(risk=Risk.HIGH, what="files that may be in no commit")
    return Grade(risk=Risk.MEDIUM, what="a file of the project")


def _by_disk(spot: Spot, facts: Facts) -> Grade | None:
    """The grade that the disk gives; None when it cannot be asked, or when nothing is there to look at.

    What is not there now may be there when the command runs: another process, or the line itself, can put it there
    meanwhile. So it proves nothing, and the name decides.
    """
    if not spot.glob:
        loss = UNKNOWN if _is_missing(spot.path, facts) else facts.loss(spot.path)
        return None if loss is UNKNOWN else grade_loss(loss, spot.inner)
    matches = facts.expand_glob(spot.path, _GLOB_LIMIT)
    if matches is UNKNOWN or not matches:
        return None
    losses = [(path, facts.loss(path)) for path in matches]
    grades = [grade_loss(loss, posixpath.basename(path)) for path, loss in losses if loss is not UNKNOWN]
    return max(grades, key=lambda grade: grade.risk) if len(grades) == len(losses) else None


def _is_missing(path: str, facts: Facts) -> bool:
    there = facts.path(path)
    return there is not UNKNOWN and there.kind is Kind.MISSING


def grade_loss(loss: Loss, inner: str) -> Grade:
    """The grade of a loss that the disk told, for a path by its name as seen from the project."""
    if loss.repositories:
        return Grade(risk=Risk.CRITICAL, what=f"the repository in {some(loss.repositories)}")
    if loss.modified:
        return Grade(risk=Risk.HIGH, what=f"uncommitted changes to {some(loss.modified)}", facts=_size(loss))
    if loss.precious:
        return Grade(risk=Risk.HIGH, what=f"{some(loss.precious)}, which nobody can rebuild", facts=_size(loss))
    if loss.untracked and not is_regenerable(inner, certain=True) and not loss.made_here:
        return Grade(risk=Risk.HIGH, what=f"{some(loss.untracked)}, which no commit holds", facts=_size(loss))
    if loss.more:
        return Grade(risk=Risk.HIGH, what="more files than could be looked at", facts=_size(loss))
    if loss.tracked_clean:
        return Grade(risk=Risk.MEDIUM, what="files that git holds", facts=_size(loss), reversible=True)
    return Grade(risk=Risk.MEDIUM, what="files that git ignores or tools rebuild", facts=_size(loss))


def _size(loss: Loss) -> tuple[str, ...]:
    more = "+" if loss.more else ""
    return (f"{loss.files}{more} files, {loss.size_bytes}{more} bytes",)


def grade_overwrite(spot: Spot, facts: Facts, *, empties: bool = False) -> Grade:
    """What is lost when the file at the spot gets new content; ``empties``: none at all (``truncate -s 0``)."""
    match spot.place:
        case Place.SINK | Place.TEMP | Place.TEMP_ROOT:
            return Grade(risk=Risk.MEDIUM, what="a temporary file")
        case Place.DEVICE | Place.ROOT:
            return Grade(risk=Risk.CRITICAL, what=_WORDS[spot.place])
        case Place.INSIDE | Place.PROJECT:
            return _overwritten_inside(spot, facts, empties=empties)
        case Place.UNKNOWN:
            bad = empties and is_precious(spot.path)
            return Grade(risk=Risk.HIGH if bad else Risk.MEDIUM, what=_WORDS[spot.place])
        case _:
            return _overwritten_outside(spot, facts, empties=empties)


def _overwritten_inside(spot: Spot, facts: Facts, *, empties: bool) -> Grade:
    """Inside the project new content is the agent's ordinary work, unless nobody can bring the old one back."""
    loss = facts.loss(spot.path) if spot.known and not spot.glob else UNKNOWN
    if loss is UNKNOWN:
        bad = empties and not is_regenerable(spot.inner)
        return Grade(risk=Risk.HIGH if bad else Risk.MEDIUM, what=f"the content of {spot.shown}")
    if loss.precious and loss.size_bytes:
        return Grade(risk=Risk.HIGH, what=f"{some(loss.precious)}, which nobody can rebuild", facts=_size(loss))
    if (
        empties
        and (loss.modified or (loss.untracked and loss.size_bytes))
        and not is_regenerable(spot.inner, certain=True)
    ):
        return Grade(risk=Risk.HIGH, what=f"{some(loss.modified + loss.untracked)}, which no commit holds")
    return Grade(risk=Risk.MEDIUM, what=f"the content of {spot.shown}", reversible=loss.tracked_clean)


def _overwritten_outside(spot: Spot, facts: Facts, *, empties: bool) -> Grade:
    found = facts.path(spot.path) if spot.known else UNKNOWN
    what = f"the content of {spot.shown}"
    if found is not UNKNOWN:
        if found.kind is Kind.MISSING or found.empty:
            return Grade(risk=Risk.MEDIUM, what="nothing: there is no content yet", facts=("no content yet",))
        return Grade(risk=Risk.HIGH, what=what, facts=("exists",))
    needed = spot.place >= Place.GIT and not _DROP_IN.search(spot.path)
    bad = empties or needed or is_precious(spot.path)
    return Grade(risk=Risk.HIGH if bad else Risk.MEDIUM, what=what)
