"""What a snapshot holds as JSON in ASCII: names that are no UTF-8 are lone surrogates, which only escapes can carry."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from askfirst.net.shot import Shot
from askfirst.net.tree import Item, Tree
from askfirst.rescue import Order

if TYPE_CHECKING:
    from collections.abc import Mapping

_ITEM = tuple(each.name for each in fields(Item))
_SHOT = tuple(each.name for each in fields(Shot))
_TREES = ("own", "shared", "work")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A snapshot in short.

    Attributes:
        request_id: whose action it was made before.
        aside_of: the snapshot whose undo it was made before, ``""`` where it was made before an action.
        what: what would run, for people.
        words: what it holds.
    """

    id: str
    request_id: str
    made_at_ms: int
    size_bytes: int
    entries: int
    took_ms: int
    aside_of: str = ""
    what: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Everything that a snapshot holds.

    Attributes:
        shots: repositories.
        trees: files and folders beside them.
    """

    shots: tuple[Shot, ...] = ()
    trees: tuple[Tree, ...] = ()

    @property
    def every_shot(self) -> tuple[Shot, ...]:
        """The repositories, and those in them."""
        return tuple(each for shot in self.shots for each in with_submodules(shot))


@dataclass(frozen=True, slots=True, kw_only=True)
class After:
    """Differences to a snapshot (``askfirst.net.differences``), by repository (``every_shot``) and by tree."""

    shots: tuple[dict[str, str], ...] = ()
    trees: tuple[dict[str, str], ...] = ()

    def among(self, others: After) -> After:
        """Those of these differences that are among others as well."""
        return After(
            shots=tuple(_common(a, b) for a, b in zip(self.shots, others.shots, strict=True)),
            trees=tuple(_common(a, b) for a, b in zip(self.trees, others.trees, strict=True)),
        )

    @property
    def count(self) -> int:
        """How many differences there are."""
        return sum(len(each) for each in (*self.shots, *self.trees))


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """An order on its way.

    Attributes:
        order: what was ordered.
        aside: the snapshot that was made of what is there.
        now: what is to be put back.
        made: what of it the action itself had made.
        words: what is said once it is done.
    """

    order: Order
    aside: str
    now: After
    made: After
    words: str = ""


def _common(mine: dict[str, str], others: dict[str, str]) -> dict[str, str]:
    return {name: mark for name, mark in mine.items() if name in others}


def with_submodules(shot: Shot) -> tuple[Shot, ...]:
    """A repository, and those in it."""
    return (shot, *(each for sub in shot.submodules for each in with_submodules(sub)))


def dump(value: About | Holding | After | Journal) -> bytes:
    """As JSON."""
    return json.dumps(_plain(value), separators=(",", ":")).encode("ascii")


def _plain(value: About | Holding | After | Journal) -> dict[str, Any]:
    match value:
        case Holding():
            return {"shots": [_shot_out(each) for each in value.shots], "trees": [_tree_out(e) for e in value.trees]}
        case Journal():
            order = {each.name: getattr(value.order, each.name) for each in fields(Order)}
            now, made = _plain(value.now), _plain(value.made)
            return {"order": order, "aside": value.aside, "now": now, "made": made, "words": value.words}
        case _:
            return {each.name: getattr(value, each.name) for each in fields(value)}


def load_about(content: bytes) -> About:
    """From JSON; ValueError, TypeError or KeyError when it is none of ours."""
    return About(**json.loads(content))


def load_holding(content: bytes) -> Holding:
    """The same."""
    data = json.loads(content)
    return Holding(shots=tuple(map(_shot_in, data["shots"])), trees=tuple(map(_tree_in, data["trees"])))


def load_after(content: bytes) -> After:
    """The same."""
    return _after_in(json.loads(content))


def load_journal(content: bytes) -> Journal:
    """The same."""
    data = json.loads(content)
    return Journal(
        order=Order(**data["order"]),
        aside=data["aside"],
        now=_after_in(data["now"]),
        made=_after_in(data["made"]),
        words=data["words"],
    )


def _after_in(data: Mapping[str, Any]) -> After:
    return After(shots=tuple(data["shots"]), trees=tuple(data["trees"]))


def _shot_out(shot: Shot) -> dict[str, Any]:
    members = {name: getattr(shot, name) for name in _SHOT}
    members |= {name: _tree_out(members[name]) for name in _TREES}
    return {**members, "submodules": [_shot_out(each) for each in shot.submodules]}


def _shot_in(data: Mapping[str, Any]) -> Shot:
    trees = {name: _tree_in(data[name]) for name in _TREES}
    modes = tuple(data["usual_modes"])
    return Shot(**{**data, **trees, "usual_modes": modes, "submodules": tuple(map(_shot_in, data["submodules"]))})


def _tree_out(tree: Tree) -> dict[str, Any]:
    items = [[getattr(item, name) for name in _ITEM] for item in tree.items]
    return {"root": tree.root, "tops": tree.tops, "items": items}


def _tree_in(data: Mapping[str, Any]) -> Tree:
    # a row that an older version wrote has fewer members; the rest have defaults
    items = tuple(Item(**dict(zip(_ITEM, row, strict=False))) for row in data["items"])
    return Tree(root=data["root"], tops=tuple(data["tops"]), items=items)
