"""What setting Telegram up writes: appended once, and never over what a person wrote."""

from __future__ import annotations

import tomllib

import pytest

from askfirst.cli.telegram_files import with_recipients, with_table
from askfirst.config import parse_config
from askfirst.errors import ConfigError

TABLE = {"token_file": "telegram-token"}


@pytest.mark.parametrize("before", ["", "[web]\nport = 0\n", "[web]\nport = 0", "# a comment\n\n\n"])
def test_the_table_is_added_behind_what_is_there(before: str) -> None:
    after = with_table(before, TABLE, source="config.toml")
    assert after.startswith(before.rstrip())
    assert parse_config(after.encode(), source="config.toml").channels == {"telegram": TABLE}
    assert with_table(after, TABLE, source="config.toml") == after


def test_another_table_is_left_to_the_person() -> None:
    with pytest.raises(ConfigError, match=r"has another \[telegram\] already"):
        with_table('[telegram]\ntoken_file = "mine"\n', TABLE, source="config.toml")


@pytest.mark.parametrize("before", ["[web", "= 1"])
def test_a_file_that_is_no_toml_is_not_touched(before: str) -> None:
    with pytest.raises(ConfigError, match="is not TOML"):
        with_table(before, TABLE, source="config.toml")
    with pytest.raises(ConfigError, match="is not TOML"):
        with_recipients(before, ["telegram:1"], source="policy.toml")


def test_the_route_is_added_where_there_is_none() -> None:
    after = with_recipients("version = 1\n", ["telegram:1", "telegram:-2/3"], source="policy.toml")
    assert after is not None
    assert tomllib.loads(after)["routes"] == {"default": ["web:inbox", "telegram:1", "telegram:-2/3"]}
    assert with_recipients(after, ["telegram:1"], source="policy.toml") == after


def test_a_route_that_a_person_wrote_is_theirs_to_change() -> None:
    assert with_recipients('[routes]\ndefault = ["web:inbox"]\n', ["telegram:1"], source="policy.toml") is None
