"""Who we are at GitHub: a token, or an App that signs for short-lived tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import jwt

from askfirst.errors import ConfigError

if TYPE_CHECKING:
    from askfirst.clock import Clock
    from channels.github.config import AppIdentity

JWT_S = 540
"""GitHub takes ten minutes at most, and clocks differ. From: https://docs.github.com/en/apps (JSON Web Token)"""
_SKEW_S = 60


class Signer(Protocol):
    """Makes the text of the ``Authorization`` header of an App's own calls."""

    def header(self) -> str:
        """Valid from now on for some minutes."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSigner:
    """Signs as a GitHub App."""

    app: AppIdentity
    clock: Clock

    def header(self) -> str:
        """``Bearer`` and a JSON Web Token.

        Raises:
            ConfigError: the key is none.
        """
        now_s = self.clock.now_ms() // 1000
        claims = {"iat": now_s - _SKEW_S, "exp": now_s + JWT_S - _SKEW_S, "iss": str(self.app.id)}
        try:
            return f"Bearer {jwt.encode(claims, self.app.key, algorithm='RS256')}"
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise ConfigError("github.app.key_file holds no RSA private key; download a new one for the App") from error
