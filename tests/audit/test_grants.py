"""The grants key: signs, knows its own signature again, and no other."""

from __future__ import annotations

from pathlib import Path

from audit.grants import GrantKey
from audit.keys import open_keys


def test_a_key_knows_its_own_signature_and_no_other(tmp_path: Path) -> None:
    ours = GrantKey(open_keys(tmp_path / "ours").grants)
    again, other = GrantKey(open_keys(tmp_path / "ours").grants), GrantKey(open_keys(tmp_path / "other").grants)
    signature = ours.sign(b"message")
    assert len(signature) == 64
    assert again.is_ours(b"message", signature)
    assert not ours.is_ours(b"another message", signature)
    assert not ours.is_ours(b"message", b"")
    assert not other.is_ours(b"message", signature)
