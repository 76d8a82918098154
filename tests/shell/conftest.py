"""Commands from text through the real analysis, with the packs that come with the program."""

from __future__ import annotations

import pytest

from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from askfirst.shell.analysis import analyse

PROJECT = "/home/me/project"


def judge(text, facts=None, cwd=PROJECT):
    """The effects of a text."""
    return list(analyse(text, cwd=cwd, facts=facts or NoFacts(), book=RuleBook.load(), home="/home/me").effects)


def make_command(text, cwd=PROJECT):
    """The first simple command that stands in a text itself, not in something that it runs."""
    found = analyse(text, cwd=cwd, facts=NoFacts(), book=RuleBook.load(), home="/home/me")
    return next(command for command in found.commands if not command.via)


@pytest.fixture(name="judge")
def _judge():
    return judge


@pytest.fixture(name="make_command")
def _make_command():
    return make_command
