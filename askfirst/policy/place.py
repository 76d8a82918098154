"""Where a call would run, looked up on the disk. Reads files only, runs nothing of a repository's own."""

from __future__ import annotations

import itertools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.facts import UNKNOWN, GitPlace
from askfirst.policy.question import Place, Question
from askfirst.policy.subject import subjects_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from askfirst.facts import Facts

_REMOTE = re.compile(r"(?:[/:])([^/:]+/[^/:]+?)(?:\.git)?/?$")
_PATHS_MAX = 200


def look_around(cwd: str, facts: Facts) -> Place:
    """The repository around a folder, which is resolved; empty where nothing can be found out."""
    if not cwd:
        return Place()
    project = facts.project(cwd)
    root = cwd if project is UNKNOWN else project
    place = GitPlace(folder=cwd)
    found = facts.repository(place)
    if found is UNKNOWN or found is None:
        return Place(project=root)
    remote = facts.setting(place, "remote.origin.url")
    name = _REMOTE.search(remote) if isinstance(remote, str) else None
    return Place(
        project=found.root or root,
        repository=name.group(1) if name else Path(found.root or root).name,
        branch=found.branch,
        default_branch=found.default_branch,
    )


def real_paths(question: Question) -> Mapping[str, str]:
    """Each path that the call names, to where it really lies: a link must not carry a rule somewhere else."""
    named = (path for subject in subjects_of(question) for path in subject.paths.known)
    possible = (path for path in dict.fromkeys(named) if "\0" not in path)  # no system has such a file
    facts = None if question.call.sight is None else question.call.sight.facts
    return {path: _real(path, facts) for path in itertools.islice(possible, _PATHS_MAX)}


def _real(path: str, facts: Facts | None) -> str:
    """Where a path really lies; on another machine as that one says, else as it is written."""
    if facts is None:
        return os.path.realpath(path)
    found = facts.path(path)
    return path if found is UNKNOWN else found.real
