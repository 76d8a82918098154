"""One-time login links: looked at any number of times, used once, by nobody else."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from askfirst.errors import InputError
from askfirst.testing.bench import FakeClock
from channels.web import Logins, new_login_link

if TYPE_CHECKING:
    from pathlib import Path

BASE = "http://127.0.0.1:4747"


def a_token(state_dir: Path, clock: FakeClock, person: str = "local:ann") -> str:
    return new_login_link(state_dir, BASE, person, clock=clock).removeprefix(f"{BASE}/login/")


def test_a_link_gives_its_person_and_can_be_looked_at_before_it_is_used(tmp_path: Path) -> None:
    clock = FakeClock()
    logins, token = Logins(tmp_path, clock), a_token(tmp_path, clock)
    assert [login.person for login in (logins.peek(token), logins.peek(token), logins.consume(token)) if login] == [
        "local:ann"
    ] * 3
    assert logins.peek(token) is None
    assert logins.consume(token) is None


def test_of_many_who_use_a_link_at_once_one_gets_in(tmp_path: Path) -> None:
    clock = FakeClock()
    logins, token = Logins(tmp_path, clock), a_token(tmp_path, clock)
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(lambda _each: logins.consume(token), range(64)))
    assert sum(result is not None for result in results) == 1


def test_a_link_ends_after_ten_minutes_and_the_next_one_sweeps_it_away(tmp_path: Path) -> None:
    clock = FakeClock()
    logins, token = Logins(tmp_path, clock), a_token(tmp_path, clock)
    clock.advance(599)
    assert logins.peek(token) is not None
    clock.advance(1)
    assert logins.peek(token) is None
    assert logins.consume(token) is None
    a_token(tmp_path, clock)
    assert len(list((tmp_path / "logins").iterdir())) == 1


def test_the_disk_holds_only_the_hash_of_the_token_in_private_files(tmp_path: Path) -> None:
    token = a_token(tmp_path, FakeClock())
    [file] = (tmp_path / "logins").iterdir()
    assert token not in file.name + file.read_text(encoding="utf-8")
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


@pytest.mark.parametrize("person", ["", "ann", "local:", "local:a b", "local:a\nb", "LOCAL:ann", "local:" + "a" * 129])
def test_a_name_that_is_no_person_gets_no_link(tmp_path: Path, person: str) -> None:
    with pytest.raises(InputError, match="not a person"):
        new_login_link(tmp_path, BASE, person)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'{"person": "local:ann"}',
        b'{"person": 1, "expires_at_ms": 9e99}',
        b'{"person": "no person", "expires_at_ms": 99999999999999}',
        b'{"person": "local:ann", "expires_at_ms": 99999999999999}' + b" " * 5000,
    ],
)
def test_a_file_that_we_would_not_have_written_lets_nobody_in(tmp_path: Path, body: bytes) -> None:
    clock = FakeClock()
    token = a_token(tmp_path, clock)
    [file] = (tmp_path / "logins").iterdir()
    file.write_bytes(body)
    assert Logins(tmp_path, clock).peek(token) is None


def test_a_file_that_others_could_have_written_lets_nobody_in(tmp_path: Path) -> None:
    clock = FakeClock()
    token = a_token(tmp_path, clock)
    [file] = (tmp_path / "logins").iterdir()
    file.chmod(0o660)
    assert Logins(tmp_path, clock).consume(token) is None
    file.chmod(0o600)
    real = tmp_path / "elsewhere.json"
    file.rename(real)
    file.symlink_to(real)
    assert Logins(tmp_path, clock).consume(token) is None
    file.unlink()
    os.mkfifo(file, 0o600)
    assert Logins(tmp_path, clock).consume(token) is None


@pytest.mark.parametrize(
    "token", ["", "a", "../" * 14 + "a", "a" * 42 + "é", "a" * 44, "a" * 42 + "/", "a" * 42 + "\n"]
)
def test_a_malformed_token_never_reaches_the_disk(tmp_path: Path, token: str) -> None:
    logins = Logins(tmp_path / "there is no such folder", FakeClock())
    assert logins.peek(token) is None
    assert logins.consume(token) is None


def test_a_link_survives_a_restart_of_the_broker(tmp_path: Path) -> None:
    clock = FakeClock()
    token = a_token(tmp_path, clock)
    [file] = (tmp_path / "logins").iterdir()
    assert json.loads(file.read_bytes()) == {"person": "local:ann", "expires_at_ms": clock.now_ms() + 600_000}
    assert Logins(tmp_path, clock).consume(token) is not None
