"""The one registry of code that finds effects: by program, and for every command."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from askfirst.effects import Effect
from askfirst.facts import Facts
from askfirst.rules.book import RuleBook
from askfirst.shell.code import code_effects
from askfirst.shell.command import Command
from askfirst.shell.container_host import CONTAINER_PROGRAMS, container_host_effects
from askfirst.shell.files import FILE_JUDGES, PACKERS, judge_files, judge_redirects
from askfirst.shell.find import judge_find
from askfirst.shell.findings import Findings
from askfirst.shell.git import judge_git
from askfirst.shell.http_clients import HTTPIE, http_client_effects
from askfirst.shell.line import line_effects
from askfirst.shell.named_tasks import TASK_RUNNERS, task_effects
from askfirst.shell.persistence import persistence_effects
from askfirst.shell.powershell import windows_effects
from askfirst.shell.redis import raw_effects
from askfirst.shell.remote_copy import scp_effects
from askfirst.shell.secrets import code_secret_effects, secret_effects
from askfirst.shell.sql import SQL_HANDLERS, typed_effects
from askfirst.shell.stranger import stranger_effects
from askfirst.shell.system import SYSTEM_HANDLERS, network_shell_effects, preload_effects

Handler: TypeAlias = Callable[[Command, Facts, RuleBook], Iterable[Effect]]
"""Finds the effects of one command, of all risks."""
LineHandler: TypeAlias = Callable[[Sequence[Command], Sequence[Findings], RuleBook], Iterable[Effect]]
"""Finds effects that show only in several commands, or in them and the program code of the line together."""
CodeHandler: TypeAlias = Callable[[Findings, Command, RuleBook], Iterable[Effect]]
"""Finds the effects of program code beside the commands that it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """Who looks at which command.

    Attributes:
        by_program: base name of a program -> its handlers.
        every: handlers that look at each command: redirections, secrets, persistence.
        strangers: handlers that look at each command whose program has none of its own.
        lines: handlers that look at all commands of a line together.
        code: handlers of program code.
        understood: programs whose handlers say everything there is to say: without an effect they are harmless.
    """

    by_program: Mapping[str, tuple[Handler, ...]] = field(default_factory=dict)
    every: tuple[Handler, ...] = ()
    strangers: tuple[Handler, ...] = ()
    lines: tuple[LineHandler, ...] = ()
    code: tuple[CodeHandler, ...] = ()
    understood: frozenset[str] = frozenset()

    def effects(self, command: Command, facts: Facts, book: RuleBook, *, runs: bool = False) -> Iterable[Effect]:
        """Everything found in the command, by code and by the data rules; ``runs``: it only runs others."""
        unknown = () if runs else self.strangers
        for handler in (*self.by_program.get(command.program, unknown), *self.every):
            yield from handler(command, facts, book)
        yield from book.match(command)


HANDLERS = Registry(
    by_program={
        **dict.fromkeys(FILE_JUDGES, (judge_files,)),
        **dict.fromkeys(("find", "gfind", "fd", "fdfind"), (judge_find,)),
        **{name: (handler,) for name, handler in (SQL_HANDLERS | SYSTEM_HANDLERS).items()},
        "git": (judge_git,),
        **dict.fromkeys(("scp", "pscp"), (scp_effects,)),
        **dict.fromkeys(TASK_RUNNERS, (task_effects, stranger_effects)),
        **dict.fromkeys((*HTTPIE, "wget"), (http_client_effects,)),
        **dict.fromkeys(("nc", "ncat", "netcat", "telnet"), (raw_effects,)),
        **dict.fromkeys(CONTAINER_PROGRAMS, (container_host_effects,)),
    },
    every=(
        judge_redirects,
        secret_effects,
        persistence_effects,
        network_shell_effects,
        preload_effects,
        typed_effects,
        windows_effects,
    ),
    strangers=(stranger_effects,),
    lines=(line_effects,),
    code=(code_effects, code_secret_effects),
    understood=frozenset({*FILE_JUDGES, "git", "find", "gfind", "fd", "fdfind", "rmdir", "trash", "trash-put"})
    - PACKERS,
)
"""The handlers of this program."""
