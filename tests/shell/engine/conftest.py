"""The engine alone: two doubles stand for all handlers, ``rm`` with an option and ``git push --force``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from askfirst.effects import Effect, EffectKind, Risk
from askfirst.facts import UNKNOWN, NoFacts, Unknown
from askfirst.rules.book import RuleBook
from askfirst.shell.analysis import Analysis, analyse
from askfirst.shell.command import Command
from askfirst.shell.handlers import Registry

CWD, HOME = "/home/me/project", "/home/me"

Run = Callable[..., Analysis]


def _effect(command: Command, rule: str) -> Effect:
    return Effect(
        rule=rule,
        kind=EffectKind.DELETES_FILES,
        risk=Risk.HIGH,
        reversible=False,
        target=" ".join(word.text for word in command.args),
        loss="loses something",
        span=command.span,
        command=command.shown,
        via=command.via,
    )


def _rm(command: Command, _facts: object, _book: object) -> Iterator[Effect]:
    if any(word.text.startswith("-") for word in command.args):
        yield _effect(command, "double.rm")


def _git(command: Command, _facts: object, _book: object) -> Iterator[Effect]:
    if {"push", "--force"} <= {word.text for word in command.args}:
        yield _effect(command, "double.git")


DOUBLES = Registry(by_program={"rm": (_rm,), "git": (_git,)})


@dataclass(frozen=True)
class Disk(NoFacts):
    """Facts that know nothing but some files."""

    files: Mapping[str, str] = field(default_factory=dict)

    def read_script(self, path: str, max_bytes: int) -> bytes | Unknown | None:
        text = self.files.get(path)
        return UNKNOWN if text is None or len(text) > max_bytes else text.encode()


@pytest.fixture(scope="session")
def run() -> Run:
    """Analyses a text with the doubles as the only handlers."""
    book = RuleBook([])

    def analysed(
        text: str, *, files: Mapping[str, str] | None = None, written: Mapping[str, str] | None = None
    ) -> Analysis:
        return analyse(
            text, cwd=CWD, facts=Disk(files or {}), book=book, home=HOME, written=written, registry=DOUBLES, cpu_s=60
        )

    return analysed
