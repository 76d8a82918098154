"""Evidence about files that are deleted or overwritten: how many, how old, and which exist nowhere else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.evidence.commits import Holders
from askfirst.evidence.file_walk import Tally, Walker, gaps_of
from askfirst.evidence.values import text_of
from askfirst.facts import UNKNOWN, GitPlace

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from askfirst.effects import Effect, Hit
    from askfirst.evidence.eye import Eye, Found, Subject

_GLOB_LIMIT: Final = 10_000
_REPOSITORIES_SHOWN: Final = 4
_OVERWRITES: Final = frozenset({"filesystem.overwrite", "filesystem.edit-outside"})


@dataclass(frozen=True, slots=True)
class FileSource:
    """Everything that an effect with known paths hits."""

    about: str = "the files that it hits"
    is_stateful: bool = True

    def concerns(self, subject: Subject) -> bool:
        """Whether some effect has paths."""
        return any(each.hits for each in subject.found.effects)

    def covers(self, effect: Effect) -> bool:
        """Whether the paths are known."""
        return bool(effect.hits)

    def look(self, subject: Subject, eye: Eye, found: Found) -> None:
        """One exhibit for what is deleted, one for what is overwritten."""
        effects = [each for each in subject.found.effects if each.hits]
        deleted = [hit for each in effects if each.rule not in _OVERWRITES for hit in each.hits]
        overwritten = [hit for each in effects if each.rule in _OVERWRITES for hit in each.hits]
        look_at(deleted, "deleted", subject.call.cwd, eye, found)
        look_at(overwritten, "overwritten", subject.call.cwd, eye, found)


def look_at(hits: Iterable[Hit], act: Literal["deleted", "overwritten"], cwd: str, eye: Eye, found: Found) -> None:
    """Add what these paths hold: files, and the repositories among them with their commits."""
    wanted = list(dict.fromkeys(hits))
    if not wanted:
        return
    project = eye.disk.project(cwd) if cwd else UNKNOWN
    tally = Tally(base=_base(wanted, cwd), project="" if project is UNKNOWN else project)
    walker = Walker(eye, tally)
    for hit in wanted:
        for path in _expanded(hit, eye, found):
            walker.walk(path, hit.names)
            tally.repositories += _own_folder(path)
    found.exhibits.append(tally.files(act))
    found.state[f"files {act} in {text_of(tally.base)}"] = tally.state
    for about, reason in gaps_of(tally):
        found.gap(about, reason)
    if act == "deleted":
        _look_at_repositories(tally, eye, found)


def _expanded(hit: Hit, eye: Eye, found: Found) -> tuple[str, ...]:
    if not hit.glob:
        return (hit.path,)
    paths = eye.disk.expand_glob(hit.path, _GLOB_LIMIT)
    if paths is UNKNOWN:
        found.gap(f"the files that {text_of(hit.path)} stands for", "there are too many, or it took too long")
        return ()
    return paths


def _base(hits: list[Hit], cwd: str) -> str:
    """The folder that names are shown from: the working directory, or what the paths have in common."""
    paths = [hit.path for hit in hits]
    here = os.path.realpath(cwd) if cwd else ""
    if here and all(path == here or path.startswith(here.rstrip("/") + "/") for path in paths):
        return here
    folders = [os.path.realpath(path if os.path.isdir(path) else os.path.dirname(path)) for path in paths]
    return os.path.commonpath(folders)


def _own_folder(path: str) -> list[str]:
    """The repository whose ``.git`` folder, or a part of it, this path is."""
    parts = path.split("/")
    if ".git" not in parts or not os.path.lexists(path):
        return []
    return ["/".join(parts[: parts.index(".git")]) or "/"]


def _look_at_repositories(tally: Tally, eye: Eye, found: Found) -> None:
    """The commits that go with whole repositories."""
    folders = list(dict.fromkeys(tally.repositories))
    for folder in folders[:_REPOSITORIES_SHOWN]:
        if os.path.isdir(os.path.join(folder, ".git")):
            Holders(eye, GitPlace(folder=folder), found).whole_repository(text_of(folder))
    if len(folders) > _REPOSITORIES_SHOWN:
        found.gap(f"the commits of {len(folders) - _REPOSITORIES_SHOWN} more repositories", "there are too many")
