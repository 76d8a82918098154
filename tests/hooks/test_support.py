"""The table of hosts says what the adapters do, at the versions that the tests drive."""

from __future__ import annotations

from pathlib import Path

from hooks.headless import CLIENTS
from hooks.registry import HOSTS, SETUPS
from hooks.support import TABLE, markdown

ROOT = Path(__file__).parents[2]


def test_the_readme_shows_the_table() -> None:
    assert markdown() in (ROOT / "README.md").read_text(encoding="utf-8"), "run `python -m hooks.support`"


def test_every_host_is_in_it_once() -> None:
    assert [row.name for row in TABLE] == list(HOSTS) == list(SETUPS)
    assert {row.name: row.title for row in TABLE} | {"cline": "Cline"} == {
        name: setup.title for name, setup in SETUPS.items()
    }


def test_what_it_calls_verified_is_driven_by_the_tests_at_that_version() -> None:
    lines = (ROOT / "tools/pins.env").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("=") for line in lines if line[0] != "#")
    versions = {row.name: row.version for row in TABLE if row.version}
    assert versions == {"claude-code": pins["CLAUDE_CODE"], **{name: pins[name.upper()] for name in CLIENTS}}
