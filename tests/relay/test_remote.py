"""Where the broker is: addresses that are taken, the one closed file, and a token that may only ask."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from askfirst.cli.remote import require_only_asks
from askfirst.entry import _starting
from askfirst.errors import ConfigError, InputError
from askfirst.paths import StatePaths, service_paths, state_paths
from askfirst.relay.remote import Remote, read_remote, write_remote

REMOTE = Remote(url="https://ask.example.com:7434", token="askfirst_secret", ca="/etc/ca.pem")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://ask.example.com", "would send the token in the clear"),
        ("http://10.0.0.1:7433", "would send the token in the clear"),
        ("ftp://ask.example.com", "expected https://HOST"),
        ("https://ask.example.com/inbox", "expected https://HOST"),
        ("https://ann:word@ask.example.com", "holds a password"),
        ("ask.example.com", "expected https://HOST"),
    ],
)
def test_an_address_that_is_none_or_gives_the_token_away_is_refused(url: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Remote(url=url, token="askfirst_x")


@pytest.mark.parametrize(
    "url", ["https://ask.example.com", "http://127.0.0.1:7433", "http://localhost:1", "http://[::1]:1"]
)
def test_tls_goes_anywhere_and_plain_http_to_this_machine_only(url: str) -> None:
    assert Remote(url=url, token="askfirst_x").url == url


@pytest.mark.parametrize("token", ["", "two words", "line\n", "snö"])
def test_what_cannot_be_a_token_is_refused(token: str) -> None:
    with pytest.raises(InputError, match="no token"):
        Remote(url="https://ask.example.com", token=token)


def test_it_is_kept_closed_and_read_again_as_it_was(tmp_path: Path) -> None:
    paths = state_paths(tmp_path / "state")
    assert read_remote(paths) is None
    write_remote(paths, REMOTE)
    assert paths.remote.stat().st_mode & 0o777 == 0o600
    assert read_remote(paths) == REMOTE
    assert "askfirst_secret" not in repr(REMOTE)


@pytest.mark.parametrize(
    ("text", "mode"),
    [("{}", 0o600), ("no json", 0o600), ('{"url": "http://x.example", "token": "t"}', 0o600), ("{}", 0o644)],
)
def test_a_file_that_cannot_be_used_is_never_treated_as_if_it_were_absent(tmp_path: Path, text: str, mode: int) -> None:
    paths = state_paths(tmp_path / "state")
    paths.remote.write_text(text)
    paths.remote.chmod(mode)
    with pytest.raises(ConfigError):
        read_remote(paths)


@pytest.mark.parametrize(
    ("machine", "scopes"), [("laptop", ["ask", "read"]), ("laptop", ["admin", "ask"]), ("", ["ask"])]
)
def test_a_token_that_may_do_more_than_ask_is_refused(machine: str, scopes: list[str]) -> None:
    with pytest.raises(InputError, match="may do more than ask"):
        require_only_asks({"machine": machine, "scopes": scopes})
    require_only_asks({"machine": "laptop", "scopes": ["ask"]})


@pytest.mark.parametrize(
    ("paths", "is_relay"),
    [
        (StatePaths(Path("/s")), False),
        (StatePaths(Path("/s"), is_relayed=True), True),
        (service_paths(), False),
        (replace(service_paths(), is_relayed=True), True),
    ],
)
def test_a_hook_s_line_says_that_only_a_relay_may_be_started(paths: StatePaths, is_relay: bool) -> None:
    assert ("--relay" in _starting(paths)) is is_relay


def test_a_hook_s_line_says_so_by_what_is_kept_too(tmp_path: Path) -> None:
    paths = state_paths(tmp_path / "state")
    write_remote(paths, REMOTE)
    assert "--relay" in _starting(paths)
