"""What of this machine an action touches, told by its effects: repositories, paths, and what no snapshot can hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from askfirst.effects import EffectKind, Risk, Touch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from askfirst.effects import Effect
    from askfirst.request import Action

_LOCAL: Final = frozenset(
    {
        EffectKind.DELETES_FILES,
        EffectKind.DISCARDS_CHANGES,
        EffectKind.REWRITES_HISTORY,
        EffectKind.PERSISTS,
        EffectKind.TAMPERS,
    }
)
_UNREADABLE: Final = frozenset({EffectKind.OPAQUE, EffectKind.RUNS_FOREIGN_CODE})
_PRUNING: Final = frozenset({"git.gc-prune", "git.reflog-expire"})
_FILE_ARGUMENTS: Final = {
    **dict.fromkeys(("Write", "Edit", "MultiEdit"), "file_path"),
    "NotebookEdit": "notebook_path",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Everything to keep.

    Attributes:
        repositories: whole repositories.
        remotes: repositories that these push to.
        paths: files, folders and patterns.
        prunes: objects that nothing refers to may go, too.
        is_critical: commits are kept out of the repository, too.
        gaps: what is not kept, as sentences.
    """

    repositories: tuple[Touch, ...] = ()
    remotes: tuple[Touch, ...] = ()
    paths: tuple[Touch, ...] = ()
    prunes: bool = False
    is_critical: bool = False
    gaps: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing here that could be kept."""
        return not (self.repositories or self.remotes or self.paths)


def scope_of(action: Action, effects: Sequence[Effect]) -> Scope:
    """What these effects of an action touch."""
    hits = dict.fromkeys(hit for effect in effects for hit in effect.touches)
    gaps = dict.fromkeys(gap for effect in effects if (gap := _gap(effect)))
    named = action.arguments.get(_FILE_ARGUMENTS.get(action.tool, ""))
    if isinstance(named, str) and named.startswith("/"):
        hits[Touch(kind="path", path=named)] = None
    unread = any(effect.kind in _UNREADABLE and effect.risk >= Risk.HIGH for effect in effects)
    if unread and action.cwd:
        hits[Touch(kind="repository", path=action.cwd)] = None
    return Scope(
        repositories=_of(hits, "repository"),
        remotes=_of(hits, "remote"),
        paths=_of(hits, "path", "glob"),
        prunes=any(effect.rule in _PRUNING for effect in effects),
        is_critical=any(effect.risk is Risk.CRITICAL for effect in effects),
        gaps=tuple(gaps),
    )


def _of(hits: Iterable[Touch], *kinds: str) -> tuple[Touch, ...]:
    return tuple(hit for hit in hits if hit.kind in kinds)


def _gap(effect: Effect) -> str:
    """What of this effect no snapshot of ours can hold, or ``""``."""
    if effect.kind in _UNREADABLE:
        what = effect.command or effect.target
        return f"what `{what[:80]}` does beyond its repository is not known" if effect.risk >= Risk.HIGH else ""
    if effect.kind in _LOCAL:
        return "" if effect.touches or effect.risk < Risk.HIGH else f"not kept: it {effect.loss}"
    return f"nothing here takes back that it {effect.loss}" if effect.risk >= Risk.HIGH else ""
