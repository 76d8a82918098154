"""What git is started with, so that nothing which a repository or a person brings along is run.

* The environment is made from nothing: of ours only ``PATH``, ``HOME`` and the XDG folder get in. GitPython hands its
  own process' environment on and can only add to it, so git is started without it.
* ``core.hooksPath`` is ``/dev/null``, ``core.fsmonitor`` is off, and every ``filter`` that the repository configures is
  emptied, so that comparing a file with the index starts no program. Aliases cannot replace git's own commands.
* No locks are taken and the index is not refreshed (``GIT_OPTIONAL_LOCKS=0``); no object is fetched for a partial
  clone (no transport is allowed); nobody is prompted.
* System and global configuration count: excludes, aliases and defaults there are what the person's git would use, and
  what it would do is the question. So ``GIT_CONFIG_NOSYSTEM`` stays unset.
* ``safe.directory`` is ``*``: a broker under another user must be able to look, and what that check protects from
  (programs named in a foreign repository's configuration) is switched off above.

Where a person has git push for them, it needs their way to the remote: then their environment counts, but for what
would make git use another repository (``persons_environment``).

From: git(1), git-config(1), gitattributes(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PASSED_ON: Final = ("PATH", "HOME", "XDG_CONFIG_HOME")
_VARIABLES: Final = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true",
    "GIT_PAGER": "cat",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
}
_SETTINGS: Final = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.quotePath", "false"),
    ("credential.helper", ""),
    ("safe.directory", "*"),
)
ELSEWHERE: Final = frozenset(
    f"GIT_{name}"
    for name in (
        *("DIR", "WORK_TREE", "IMPLICIT_WORK_TREE", "COMMON_DIR", "NAMESPACE", "INDEX_FILE", "PREFIX"),
        *("OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "QUARANTINE_PATH", "INTERNAL_SUPER_PREFIX"),
        *("GRAFT_FILE", "REPLACE_REF_BASE", "SHALLOW_FILE"),
    )
)
"""What makes git use another repository than the named one, or see another history in it; a hook finds some set.

From: ``git rev-parse --local-env-vars`` (but for configuration), git(1), git-receive-pack(1).
"""
LIST_FILTERS: Final = (
    "config",
    "--null",
    "--name-only",
    "--get-regexp",
    r"^filter\..*\.(clean|smudge|process|required)$",
)
"""The git command whose output ``emptied`` takes; it exits with 1 where there is no filter."""


def git_environment(
    environ: Mapping[str, str], settings: Iterable[tuple[str, str]] = (), variables: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The whole environment.

    Args:
        environ: that of our process.
        settings: configuration on top of our own.
        variables: on top of our own, e.g. ``GIT_DIR``.
    """
    all_settings = (*_SETTINGS, *settings)
    made = {name: environ[name] for name in _PASSED_ON if name in environ}
    made |= {**_VARIABLES, "GIT_CONFIG_COUNT": str(len(all_settings)), **(variables or {})}
    for number, (key, value) in enumerate(all_settings):
        made |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return made


def persons_environment(environ: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, str]:
    """A person's own environment, for git to work on the repository that it is pointed at and on no other.

    Args:
        environ: that of our process.
        variables: on top of it.
    """
    return {**{name: value for name, value in environ.items() if name not in ELSEWHERE}, **variables}


def emptied(keys: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Settings that switch off every filter program, of the keys that ``LIST_FILTERS`` has found."""
    return tuple((key, "false" if key.endswith(".required") else "") for key in dict.fromkeys(keys))
