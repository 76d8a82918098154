"""The configuration file: strict on the way in, with one sentence for each thing that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from askfirst.bounds import Bounds
from askfirst.config import load_config, parse_config
from askfirst.effects import Risk
from askfirst.errors import ConfigError


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    config = load_config(tmp_path / "none.toml")
    assert (config.ask_from, config.approval_timeout_s, config.terminal_decisions) == (Risk.HIGH, 600, False)


def test_every_key_is_taken() -> None:
    text = b"""
[policy]
ask_from = "medium"
strict = true
approval_timeout_s = 5
grant_ttl_s = 6
late_grant_ttl_s = 0
terminal_decisions = true
[web]
port = 0
"""
    config = parse_config(text, source="config.toml")
    assert (config.ask_from, config.strict, config.approval_timeout_s) == (Risk.MEDIUM, True, 5)
    assert (config.grant_ttl_s, config.late_grant_ttl_s, config.terminal_decisions, config.web_port) == (6, 0, True, 0)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"[polcy]", "config.toml: unknown key 'polcy'; did you mean 'policy'?"),
        (b"[policy]\nask_form = 'high'", "config.toml: unknown key 'policy.ask_form'; did you mean 'ask_from'?"),
        (b"[[people]]\nid = 'local:ann'\nrols = []", "config.toml: unknown key 'people.0.rols'; did you mean 'roles'?"),
        (b"[web]\nzzz = 1", "config.toml: unknown key 'web.zzz'; known here: port"),
        (b"[web]\nport = '80'", "config.toml: web.port is '80': input should be a valid integer"),
        (b"[web]\nport = 70000", "config.toml: web.port is 70000: input should be less than or equal to 65535"),
        (
            b"[policy]\nask_from = 'some'",
            "config.toml: policy.ask_from is 'some': input should be 'low', 'medium', 'high' or 'critical'",
        ),
        (b"policy = 3", "config.toml: policy is 3, expected a table: [policy]"),
    ],
)
def test_what_is_wrong_is_named(text: bytes, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, source="config.toml")
    assert str(caught.value) == sentence


@pytest.mark.parametrize("text", [b"[", b"\xff", b"a = 1\na = 2"])
def test_what_is_no_toml_is_refused(text: bytes) -> None:
    with pytest.raises(ConfigError, match=r"config\.toml is not TOML"):
        parse_config(text, source="config.toml")


def test_a_file_that_cannot_be_read_is_never_taken_for_absent(tmp_path: Path) -> None:
    folder = tmp_path / "config.toml"
    folder.mkdir()
    with pytest.raises(ConfigError, match="cannot read"):
        load_config(folder)


def test_people_have_roles_and_teams() -> None:
    config = parse_config(b"[[people]]\nid = 'local:bob'\nroles = ['release']\nteams = ['infra']", source="config.toml")
    [bob] = config.people
    assert (bob.id, bob.is_named(["role:release"]), bob.is_named(["team:web"])) == ("local:bob", True, False)


def test_people_are_known_to_channels_by_immutable_ids() -> None:
    text = b"[[people]]\nid = 'local:bob'\nidentities = ['telegram:12345', 'github:583231']"
    [bob] = parse_config(text, source="config.toml").people
    assert [each.id for each in bob.identities] == ["telegram:12345", "github:583231"]
    with pytest.raises(ConfigError, match=r"people\.0\.identities\.0 is '@bob'"):
        parse_config(b"[[people]]\nid = 'local:bob'\nidentities = ['@bob']", source="config.toml")


def test_other_tables_are_channels_and_kept_as_they_are_written() -> None:
    config = parse_config(b"[telegram]\ntoken_file = 'x'\n[webhook.pager]\nurl = 'y'", source="/etc/a/config.toml")
    assert config.channels == {"telegram": {"token_file": "x"}, "webhook": {"pager": {"url": "y"}}}
    assert config.folder == Path("/etc/a")
    assert "token_file" not in repr(config)


@pytest.mark.parametrize("text", [b"telegram = 3", b"[Telegram]", b"[webb]", b"[stores]", b"[peopl]", b"[audits]"])
def test_what_is_no_table_or_nearly_one_of_ours_is_no_channel(text: bytes) -> None:
    with pytest.raises(ConfigError, match="unknown key"):
        parse_config(text, source="config.toml")


def test_what_may_wait_can_be_set_and_is_never_nothing() -> None:
    found = parse_config(b"[limits]\npending = 7\npending_per_caller = 3\n", source="config.toml").bounds
    assert (found.pending, found.pending_per_caller, found.pending_per_host) == (7, 3, 1_000)
    assert parse_config(b"", source="config.toml").bounds == Bounds()
    with pytest.raises(ConfigError, match=r"limits.pending is 0"):
        parse_config(b"[limits]\npending = 0\n", source="config.toml")
