"""The key files of a broker."""

from __future__ import annotations

import os
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from audit.keys import KeyFileError, open_keys, public_pem
from audit.note import parse_vkey, sign, split_note

if TYPE_CHECKING:
    from pathlib import Path

NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_are_made_once_and_closed_to_others(folder: Path) -> None:
    keys = open_keys(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["grants.key", "log.key"]
    assert (mode(folder), mode(folder / "log.key"), mode(folder / "grants.key")) == (0o700, 0o600, 0o600)
    again = open_keys(folder)
    assert again.log.verifier == keys.log.verifier
    assert again.grants.verifier == keys.grants.verifier
    assert keys.log.verifier.public != keys.grants.verifier.public
    assert keys.grants.name == f"{keys.log.name}/grants"


def test_the_public_halves_appear_when_the_log_is_founded(folder: Path) -> None:
    keys = open_keys(folder)
    assert not keys.is_founded
    keys.publish()
    keys.publish()
    assert open_keys(folder).is_founded
    assert parse_vkey((folder / "log.vkey").read_text(encoding="utf-8")) == keys.log.verifier
    assert parse_vkey((folder / "grants.vkey").read_text(encoding="utf-8")) == keys.grants.verifier
    assert sorted(path.name for path in folder.iterdir()) == ["grants.key", "grants.vkey", "log.key", "log.vkey"]


def test_keys_that_the_log_had_before_stay_published(folder: Path) -> None:
    keys = open_keys(folder)
    (folder / "log.vkey").write_text(f"{NEUMANN}\n", encoding="utf-8")
    keys.publish()
    keys.publish()
    assert (folder / "log.vkey").read_text(encoding="utf-8") == f"{NEUMANN}\n{keys.log.verifier.vkey}\n"


@pytest.mark.parametrize("content", [b"\xff\xfe", b"askfirst.local/log/x\n"])
def test_a_list_of_keys_that_is_none_is_said_to_be_none_and_left_alone(folder: Path, content: bytes) -> None:
    keys = open_keys(folder)
    (folder / "log.vkey").write_bytes(content)
    with pytest.raises(KeyFileError, match=r"log\.vkey does not hold the log's keys"):
        keys.publish()
    assert (folder / "log.vkey").read_bytes() == content


def test_brokers_that_start_at_once_get_the_same_keys(folder: Path) -> None:
    barrier = Barrier(4)

    def start(_: int) -> tuple[str, str]:
        barrier.wait(5)
        keys = open_keys(folder)
        return keys.log.verifier.vkey, keys.grants.verifier.vkey

    with ThreadPoolExecutor(4) as pool:
        assert len({log for log, _ in pool.map(start, range(4))}) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["grants.key", "log.key"]


@pytest.mark.parametrize("forbidden", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused_with_what_to_do(folder: Path, forbidden: int) -> None:
    open_keys(folder)
    (folder / "log.key").chmod(forbidden)
    with pytest.raises(KeyFileError, match=rf"log\.key is open to others \(mode {forbidden:04o}\); run `chmod 0600 "):
        open_keys(folder)


def test_a_folder_that_others_can_write_is_refused(folder: Path) -> None:
    open_keys(folder)
    folder.chmod(0o770)
    with pytest.raises(KeyFileError, match="run `chmod 0750"):
        open_keys(folder)


def test_a_link_is_no_key(folder: Path) -> None:
    open_keys(folder)
    (folder / "log.key").rename(folder / "elsewhere")
    (folder / "log.key").symlink_to(folder / "elsewhere")
    with pytest.raises(KeyFileError, match="expected a plain file"):
        open_keys(folder)


def test_a_pipe_is_no_key_and_does_not_hang(folder: Path) -> None:
    open_keys(folder)
    (folder / "log.key").unlink()
    os.mkfifo(folder / "log.key", 0o600)
    with pytest.raises(KeyFileError, match="is no plain file"):
        open_keys(folder)


@pytest.mark.parametrize("cut", [0, 10, -1])
def test_a_damaged_key_is_refused_without_showing_it(folder: Path, cut: int) -> None:
    open_keys(folder)
    text = (folder / "log.key").read_text(encoding="utf-8").strip()
    (folder / "log.key").write_text(text[:cut], encoding="utf-8")
    with pytest.raises(KeyFileError, match="holds no private key") as refused:
        open_keys(folder)
    assert text[-20:] not in str(refused.value)


def test_a_key_that_is_gone_is_never_replaced(folder: Path) -> None:
    open_keys(folder).publish()
    (folder / "log.key").unlink()
    with pytest.raises(KeyFileError, match="restore it from a backup"):
        open_keys(folder)


@pytest.mark.slow
@pytest.mark.usefixtures("openssl")
def test_openssl_verifies_a_checkpoint_with_the_public_key(folder: Path) -> None:
    """A third party needs nothing of ours."""
    keys = open_keys(folder)
    text, (signature,) = split_note(sign("origin\n3\nroot\n", keys.log))
    files = {"log.pem": public_pem(keys.log.verifier).encode(), "body": text.encode(), "sig": signature.value}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    command = [
        "openssl",
        "pkeyutl",
        "-verify",
        "-pubin",
        "-inkey",
        "log.pem",
        "-rawin",
        "-in",
        "body",
        "-sigfile",
        "sig",
    ]
    assert b"Successfully" in subprocess.run(command, cwd=folder, check=True, capture_output=True).stdout
    (folder / "body").write_bytes(text.encode() + b"x")
    assert subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode != 0


def test_a_key_of_another_user_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_keys(folder)
    monkeypatch.setattr(os, "geteuid", lambda: 12_345)
    with pytest.raises(KeyFileError, match="another user put it there"):
        open_keys(folder)
