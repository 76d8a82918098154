"""What comes to the same, and what only looks like it."""

from __future__ import annotations

import pytest

from askfirst.effects import Effect, EffectKind, Risk
from askfirst.likeness import alike

DELETES, DISCARDS, REWRITES = EffectKind.DELETES_FILES, EffectKind.DISCARDS_CHANGES, EffectKind.REWRITES_HISTORY


def effect(kind: EffectKind, target: str, cwd: str = "/srv/app") -> Effect:
    return Effect(rule="r", kind=kind, risk=Risk.HIGH, reversible=False, target=target, loss="", cwd=cwd)


@pytest.mark.parametrize(
    ("denied", "tried", "expected"),
    [
        (effect(DISCARDS, "the work tree"), effect(DISCARDS, "."), True),  # git reset --hard, git checkout -- .
        (effect(DISCARDS, "the work tree"), effect(DISCARDS, "a.py"), True),
        (effect(DISCARDS, "a.py"), effect(DISCARDS, "b.py"), False),
        (effect(DISCARDS, "the work tree"), effect(DISCARDS, ".", "/srv/other"), False),
        (effect(DELETES, "src"), effect(DISCARDS, "src/a.py"), True),  # rm -rf src, git restore src/a.py
        (effect(DELETES, "src"), effect(DELETES, "/srv/app/src"), True),
        (effect(DELETES, "src"), effect(DELETES, "src2"), False),
        (effect(DELETES, "src"), effect(DELETES, "/"), True),
        (effect(REWRITES, "main on origin"), effect(REWRITES, "main on origin"), True),  # --force, then :main
        (effect(REWRITES, "main on origin"), effect(REWRITES, "dev on origin"), False),
        (effect(REWRITES, "main on origin"), effect(EffectKind.PUBLISHES, "main on origin"), False),
    ],
)
def test_what_is_hit_counts_and_not_the_command(denied: Effect, tried: Effect, expected: bool) -> None:
    assert alike([tried], [denied]) is alike([denied], [tried]) is expected


def test_one_effect_of_many_is_enough_and_none_is_not() -> None:
    many = [effect(REWRITES, "main on origin"), effect(DELETES, "src")]
    assert alike(many, [effect(DELETES, "src/a")])
    assert not alike(many, [])
