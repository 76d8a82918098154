r"""Break-glass codes: made beforehand, kept on paper, used once when nobody who decides can be reached.

A code is ``K7Q2MD-4T9XA-0WZ5H-8RC3N-P6VJB``: a public name, by which it is listed and by which the log links what it
released, and a secret of 100 random bits. Of the secret only a salted, keyed hash is kept::

    HMAC-SHA-256(key, "askfirst-break-glass/v1\n" id "\n" person "\n" expires_at_ms "\n" salt secret)

The key comes from the grants' key, so a row that somebody else writes into the store opens nothing. A slow hash would
only slow us: 100 random bits are not guessed. Once a code has opened a window the hash is over the window instead.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: what is typed as O, I or L is read as 0, 1, 1. From: https://www.crockford.com/base32.html"""
NAME_CHARS = 6
SECRET_CHARS = 20
_GROUP = 5
_CONTEXT = b"askfirst-break-glass/v1\n"
_WINDOW = b"askfirst-break-glass-window/v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A code as it is kept.

    Attributes:
        id: its public name.
        person: whose it is.
        salt: 16 random bytes.
        hash: of its secret; once it has opened a window, of the window; ``b""`` once it opens nothing any more.
        request_id: the request by which a person approved that it was made.
        used_at_ms: when it was used, None while it was not.
        revoked_at_ms: when it was taken back, or its window closed early.
        reason: why it was used.
        session: of an agent, to which its window is bound; ``""`` for all.
        until_ms: when its window closes; 0 where it opened none.
    """

    id: str
    person: str
    salt: bytes = field(repr=False)
    hash: bytes = field(repr=False)
    created_at_ms: int
    expires_at_ms: int
    request_id: str
    used_at_ms: int | None = None
    revoked_at_ms: int | None = None
    reason: str = ""
    session: str = ""
    until_ms: int = 0

    def is_usable(self, now_ms: int) -> bool:
        """Whether it can still be used."""
        return self.used_at_ms is None and self.revoked_at_ms is None and now_ms < self.expires_at_ms

    def is_open(self, now_ms: int) -> bool:
        """Whether the window that it has opened is open."""
        return self.used_at_ms is not None and self.revoked_at_ms is None and self.used_at_ms <= now_ms < self.until_ms

    def state(self, now_ms: int) -> str:
        """One word or two, for lists."""
        if self.is_open(now_ms):
            return "window open"
        if self.used_at_ms is not None:
            return "used"
        if self.revoked_at_ms is not None:
            return "revoked"
        return "unused" if now_ms < self.expires_at_ms else "expired"


def fresh() -> tuple[str, str]:
    """A new code: its name and its secret."""
    name, secret = (_random(NAME_CHARS), _random(SECRET_CHARS))
    return name, secret


def written(name: str, secret: str) -> str:
    """The code as it is shown, e.g. ``K7Q2MD-4T9XA-0WZ5H-8RC3N-P6VJB``."""
    groups = (secret[start : start + _GROUP] for start in range(0, SECRET_CHARS, _GROUP))
    return "-".join((name, *groups))


def parse(text: str) -> tuple[str, str] | None:
    """Name and secret of a code, however it was typed; None where it cannot be one."""
    plain = re.sub(r"[\s-]", "", text[:100]).upper().translate(str.maketrans("OIL", "011"))
    if len(plain) != NAME_CHARS + SECRET_CHARS or not set(plain) <= set(ALPHABET):
        return None
    return plain[:NAME_CHARS], plain[NAME_CHARS:]


def code_hash(key: bytes, code: Code, secret: str) -> bytes:
    """What is kept of the secret; see the module docstring."""
    about = f"{code.id}\n{code.person}\n{code.expires_at_ms}\n".encode()
    return hmac.digest(key, _CONTEXT + about + code.salt + secret.encode("ascii"), hashlib.sha256)


def window_hash(key: bytes, code: Code) -> bytes:
    """What makes the window of a used code genuine."""
    about = f"{code.id}\n{code.person}\n{code.used_at_ms}\n{code.until_ms}\n{code.session}\n"
    return hmac.digest(key, _WINDOW + about.encode("utf-8", "backslashreplace") + code.salt, hashlib.sha256)


def _random(count: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(count))
