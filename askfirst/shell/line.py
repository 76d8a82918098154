"""What only shows in a command line as a whole: a guard that is looked up and killed, a tree moved away and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.shell.moved import moved_and_deleted
from askfirst.shell.persistence import line_guard_effects
from askfirst.shell.secrets import sent_secrets
from askfirst.shell.system import line_network_shell_effects

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from askfirst.effects import Effect
    from askfirst.rules.book import RuleBook
    from askfirst.shell.command import Command
    from askfirst.shell.findings import Findings


def line_effects(commands: Sequence[Command], code: Sequence[Findings], rules: RuleBook) -> Iterator[Effect]:
    """The effects of several commands of one line, and of program code in it, together."""
    yield from sent_secrets(commands, rules, code)
    yield from line_guard_effects(commands, rules)
    yield from line_network_shell_effects(commands, rules)
    yield from moved_and_deleted(commands, rules)
