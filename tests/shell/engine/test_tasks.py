"""Task files that are known run as the shell text they come to."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from askfirst.effects import Outcome
from askfirst.shell.analysis import Analysis
from askfirst.shell.command import HOLE
from askfirst.shell.tasks import package_scripts, read_make_call, read_makefile

MAKEFILE = """
DIR := build  # where it goes
export OTHER ?= x
all: lib $(OBJS)
\t@echo all $@ $$HOME
lib: ; echo lib
clean:
\t-rm -rf $(DIR)/$(UNKNOWN) \\
\t  ${OTHER}
.PHONY: all
"""
PACKAGE = json.dumps({"scripts": {"x": "rm -rf a", "prey": "rm -rf a", "y": "ls", "z": "ls", "bad": 1}})


@pytest.mark.parametrize(
    ("targets", "lines"),
    [
        ([], ["echo all all $HOME", "echo lib"]),
        (["lib"], ["echo lib"]),
        (["clean"], [f"rm -rf build/{HOLE}    x"]),
        (["missing"], []),
    ],
)
def test_the_recipes_of_the_targets_are_read(targets: list[str], lines: list[str]) -> None:
    found = read_makefile(MAKEFILE, {}).recipes(targets)
    assert [" ".join(line.split()) for line in found] == [" ".join(line.split()) for line in lines]


def test_variables_of_the_command_line_win() -> None:
    call = read_make_call(["-C", "sub", "clean", "DIR=/", "UNKNOWN=*", "OTHER="])
    assert (call.folders, call.targets) == (["sub"], ["clean"])
    assert read_makefile(MAKEFILE, call.variables).recipes(call.targets)[0].split() == ["rm", "-rf", "//*"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"scripts": 1}', "[" * 100_000, '{"scripts": {"x": {}}}'])
def test_a_package_file_without_the_script_runs_nothing(text: str) -> None:
    assert package_scripts(text, "x") == []


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("npm run x", Outcome.GATE),
        ("npm run-script x", Outcome.GATE),
        ("yarn x", Outcome.GATE),
        ("pnpm x", Outcome.GATE),
        ("npm run y", Outcome.GATE),
        ("cd /; npm --prefix /home/me/project run x", Outcome.GATE),
        ("npm run z", Outcome.ALLOW),
        ("npm run bad", Outcome.ALLOW),
        ("npm install", Outcome.ALLOW),
        ("cd /tmp && npm run x", Outcome.ALLOW),
        ("make clean", Outcome.GATE),
        ("make -C . clean", Outcome.GATE),
        ("make all clean", Outcome.GATE),
        ("make -n clean", Outcome.PASS),
        ("make", Outcome.ALLOW),
        ("make lib", Outcome.ALLOW),
        ("cd /tmp && make clean", Outcome.PASS),
    ],
)
def test_a_task_is_judged_by_what_it_runs(text: str, outcome: Outcome, run: Callable[..., Analysis]) -> None:
    files = {"/home/me/project/package.json": PACKAGE, "/home/me/project/Makefile": MAKEFILE}
    assert run(text, files=files).outcome is outcome
