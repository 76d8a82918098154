"""The service's steps: what is made, for whom, and what stays."""

from __future__ import annotations

import configparser
import stat
from pathlib import Path

import pytest

from askfirst.errors import ConfigError
from askfirst.service import Step, carry_out, setting_up, taking_down, unit


def test_the_unit_is_one_that_systemd_reads_and_closes_what_it_can() -> None:
    parsed = configparser.ConfigParser(strict=True)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's names have capitals
    parsed.read_string(unit("/opt/askfirst/bin/askfirst"))
    service = parsed["Service"]
    assert service["ExecStart"] == "/opt/askfirst/bin/askfirst serve --background --socket /run/askfirst/broker.sock"
    assert (service["User"], service["StateDirectoryMode"], service["UMask"]) == ("askfirst", "0700", "0077")
    assert service["RuntimeDirectoryMode"] == "0755"


def test_a_second_set_up_leaves_user_and_configuration_alone(tmp_path: Path) -> None:
    first = [each.text for each in setting_up("askfirst", has_user=False, has_config=False, root=tmp_path)]
    again = [each.text for each in setting_up("askfirst", has_user=True, has_config=True, root=tmp_path)]
    assert first[0].startswith("useradd --system")
    assert [each for each in first if each not in again] == [first[0], first[3]]


def test_files_are_made_with_their_mode_at_once(tmp_path: Path) -> None:
    owner = tmp_path.owner()
    secret = tmp_path / "etc" / "config.toml"
    assert carry_out(Step(text="", path=secret, content="x", mode=0o600, owner=owner)) == ""
    assert (secret.read_text(), stat.S_IMODE(secret.stat().st_mode)) == ("x", 0o600)
    folder = tmp_path / "state"
    carry_out(Step(text="", path=folder, mode=0o700, owner=owner))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_must_not_fail_is_an_error_and_what_may_is_told() -> None:
    assert carry_out(Step(text="false", command=("false",), may_fail=True)) == "exit code 1"
    assert carry_out(Step(text="", command=("/nonexistent",), may_fail=True))
    with pytest.raises(ConfigError, match="`useradd` failed"):
        carry_out(Step(text="useradd", command=("false",)))


def test_taking_it_down_keeps_the_log(tmp_path: Path) -> None:
    steps = list(taking_down(tmp_path))
    assert [each.command[0] for each in steps] == ["systemctl", "rm"]
    assert all("/var/lib" not in each.text for each in steps)
