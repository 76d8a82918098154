"""The database of a framework's test environment: every run of the tests builds it anew, so nothing of it is missed.

``RAILS_ENV=test rails db:drop``, ``MIX_ENV=test mix ecto.reset``, ``artisan migrate:fresh --env=testing``. An address
of a database that is given beside it may be any database's, and ``db:drop:all`` means those of every environment.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from askfirst.effects import EffectKind, Risk

if TYPE_CHECKING:
    from askfirst.effects import Effect
    from askfirst.shell.command import Command


class _Row(NamedTuple):
    """How a program is told its environment: by variables, by options."""

    variables: frozenset[str]
    options: frozenset[str] = frozenset()


_RAILS: Final = _Row(frozenset({"RAILS_ENV", "RACK_ENV"}), frozenset({"-e", "--environment"}))
_NODE: Final = _Row(frozenset({"NODE_ENV"}), frozenset({"--env"}))
_BY_PROGRAM: Final = {
    "rails": _RAILS,
    "rake": _RAILS,
    "mix": _Row(frozenset({"MIX_ENV"})),
    "artisan": _Row(frozenset({"APP_ENV"}), frozenset({"--env"})),
    "console": _Row(frozenset({"APP_ENV"}), frozenset({"--env", "-e"})),
    "sequelize": _NODE,
    "sequelize-cli": _NODE,
    "knex": _NODE,
}
_TEST: Final = frozenset({"test", "testing"})
_RULES: Final = frozenset({"deploy.named-task"})
"""Rules beside those about data that only go by the name of the task: ``ecto.drop``."""


def graded(command: Command, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """The effects of the command, at medium where they are about such a database."""
    row = _BY_PROGRAM.get(command.program)
    if row is None or not effects or not _is_test(command, row):
        return effects
    return tuple(
        replace(one, risk=Risk.MEDIUM)
        if one.risk > Risk.MEDIUM and (one.kind is EffectKind.CHANGES_DATA or one.rule in _RULES)
        else one
        for one in effects
    )


def _is_test(command: Command, row: _Row) -> bool:
    texts = [word.text for word in command.args]
    told = {name: word.text for name, word in command.env.items()}
    told |= {name: value for name, equals, value in (text.partition("=") for text in texts) if equals}
    told |= {name: after for name, after in itertools.pairwise(texts) if name in row.options}
    if any(name.endswith(("_URL", "_DSN")) for name in told) or any(text.endswith(":all") for text in texts):
        return False
    said = {told[name] for name in row.variables | row.options if name in told}
    return bool(said) and said <= _TEST
