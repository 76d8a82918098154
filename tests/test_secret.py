"""Secrets of channels: theirs alone to read, or the start ends with a sentence that does not show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from askfirst.errors import ConfigError
from askfirst.secret import MAX_BYTES, read_secret, read_secret_variable


def test_a_private_file_holds_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.touch(0o600)
    path.write_text("  s3cret\n", encoding="ascii")
    assert read_secret(path) == "s3cret"


@pytest.mark.parametrize(
    ("content", "mode", "sentence"),
    [
        (b"s3cret", 0o644, "is open to other users; run `chmod 600"),
        (b"s3cret", 0o620, "is open to other users"),
        (b"", 0o600, "holds 0 bytes"),
        (b" \n", 0o600, "holds 2 bytes"),
        (b"s3cret\xff", 0o600, "is not ASCII text"),
        (b"s" * (MAX_BYTES + 1), 0o600, "expected a secret of 1 to"),
    ],
)
def test_a_file_that_is_open_or_holds_no_secret_is_refused(
    tmp_path: Path, content: bytes, mode: int, sentence: str
) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=sentence) as caught:
        read_secret(path)
    assert "s3cret" not in str(caught.value)


def test_a_file_that_is_not_there_or_a_folder_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ConfigError, match="cannot read the secret"):
            read_secret(path)


def test_a_variable_holds_a_secret_or_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASKFIRST_TEST_TOKEN", "s3cret")
    assert read_secret_variable("ASKFIRST_TEST_TOKEN") == "s3cret"
    monkeypatch.delenv("ASKFIRST_TEST_TOKEN")
    with pytest.raises(ConfigError, match="ASKFIRST_TEST_TOKEN is not set"):
        read_secret_variable("ASKFIRST_TEST_TOKEN")
