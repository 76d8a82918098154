"""What is taken out of commands that hold secrets, and left in commands that look like them.

Of both there are two halves, drawn by lot: the rules were made on the development half alone, so that the other half
tells how they do on what they were not made for. In the files a secret stands in ``«»``, and ``⏎`` is an end of line.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from audit.redact import redacted

HERE: Final = Path(__file__).parent
SECRET: Final = re.compile("«(.+?)»")
TAKEN: Final = re.compile(r"\[redacted: [a-z ]+\]")
HALVES: Final = ("development", "held out")
MISSED: Final = {"development": 0, "held out": 1}
"""Of 204 and of 183."""
CHANGED: Final = {"development": 3, "held out": 8}
"""Of 277 and of 266."""


class Row(NamedTuple):
    """A command, and its secrets."""

    half: str
    command: str
    secrets: list[str]


def rows(name: str) -> list[Row]:
    found, half = list[Row](), ""
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            half = line[2:]
        else:
            text = line.replace("⏎", "\n")
            found.append(Row(half, SECRET.sub(r"\1", text), SECRET.findall(text)))
    return found


WITH_SECRETS: Final = rows("commands_with_secrets.txt")
HARMLESS: Final = rows("harmless_commands.txt")


def test_the_halves_are_there_and_differ() -> None:
    assert all({row.half for row in found} == set(HALVES) for found in (WITH_SECRETS, HARMLESS))
    assert all(row.secrets for row in WITH_SECRETS)
    commands = [row.command for row in (*WITH_SECRETS, *HARMLESS)]
    assert len(commands) == len(set(commands))


@pytest.mark.parametrize("half", HALVES)
def test_no_more_secrets_stay_than_are_known_to(half: str) -> None:
    missed = [
        row.command
        for row in WITH_SECRETS
        if row.half == half and any(secret in redacted(row.command) for secret in row.secrets)
    ]
    assert len(missed) == MISSED[half], missed


@pytest.mark.parametrize("half", HALVES)
def test_no_more_harmless_commands_change_than_are_known_to(half: str) -> None:
    changed = [row.command for row in HARMLESS if row.half == half and redacted(row.command) != row.command]
    assert len(changed) == CHANGED[half], changed


@pytest.mark.parametrize("row", [*WITH_SECRETS, *HARMLESS], ids=lambda row: row.command[:40])
def test_redacting_twice_is_redacting_once_and_the_rest_is_kept(row: Row) -> None:
    once = redacted(row.command)
    assert redacted(once) == once
    kept = ".+".join(map(re.escape, TAKEN.split(once)))
    assert re.fullmatch(kept, row.command, re.DOTALL)
