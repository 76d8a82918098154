"""Changes the log's key so that a crash at any moment leaves a log that goes on: with the old key, or with the new one.

1. The new key is written as ``log.key.next`` and is on disk.
2. One transaction: the entry ``log.key_rotated``, the head that both keys sign, the new key in the store's list.
3. ``log.key.next`` takes the place of ``log.key``, and ``log.vkey`` gets its line.

The store's list decides: whoever opens the keys next finishes step 3, or forgets the draft when step 2 never happened.
The old private key is gone after that; its public half goes on verifying what it signed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.keys import LOG, KeyFileError, load_key, private_text, sync_folder, write_file
from audit.note import Signer

if TYPE_CHECKING:
    from pathlib import Path

    from audit.keys import Keys

_NEXT: Final = f"{LOG}.key.next"


def draft_key(keys: Keys) -> Signer:
    """Step 1: the key that will follow, on disk; what is left of a rotation before was settled.

    Raises:
        KeyFileError: it cannot be written.
    """
    signer = Signer(name=keys.log.name, key=Ed25519PrivateKey.generate())
    try:
        write_file(keys.folder / _NEXT, f"{private_text(signer)}\n", 0o600, replace=False)
    except OSError as error:
        raise KeyFileError(
            f"the new key cannot be written to {keys.folder}: {error.strerror}; the log keeps its key, make room and "
            "try again"
        ) from error
    return signer


def settle_key(keys: Keys, stored_vkey: str) -> Keys:
    """Step 3, after a rotation or after a crash in one: the keys as the store's list says they are.

    Args:
        keys: as they were opened.
        stored_vkey: the newest of the store's list; ``""`` when there is no log yet.

    Raises:
        KeyFileError: neither the key nor the draft is the one that the store wants, or the draft cannot take its place.
    """
    draft = _load(keys.folder / _NEXT)
    if draft is None or not stored_vkey:
        return keys
    if draft.verifier.vkey == stored_vkey:
        try:
            (keys.folder / _NEXT).replace(keys.folder / f"{LOG}.key")
            sync_folder(keys.folder)
        except OSError as error:
            raise KeyFileError(
                f"the log's key is now {stored_vkey}, but {_NEXT} cannot take the place of {LOG}.key in {keys.folder}: "
                f"{error.strerror}; mend that, and the next start of the broker does it"
            ) from error
        return replace(keys, log=draft)
    if keys.log.verifier.vkey != stored_vkey:
        raise KeyFileError(f"neither {LOG}.key nor {_NEXT} is the log's key {stored_vkey!r}; restore it from a backup")
    (keys.folder / _NEXT).unlink()
    return keys


def _load(path: Path) -> Signer | None:
    try:
        return load_key(path)
    except FileNotFoundError:
        return None
