r"""Grants as signed tokens, so that nobody who can merely write into the store can make one.

``base64url(json) "." base64url(signature over "askfirst-grant/v1\\n" + json)``, both without padding. The JSON is
canonical, for example (wrapped)::

    {"act":"9f3a…","by":[{"ch":"web","sub":"local:ann"}],"exp":1800000120,"log":{"i":7,"root":"5c1e…","size":7},
     "max":1,"n":"qkXbXrB5cXk2sW0b","nbf":1800000000,"req":"01HZ…","typ":"grant","v":1}

Times are seconds since the Unix epoch, rounded so that the token is never valid longer than the grant. ``log`` is the
entry that tells of the grant, and the head of the log before it. A grant for a pattern has ``pat`` as well, one
that is bound to a state ``sta``.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from typing import TYPE_CHECKING, Protocol

from askfirst.canonical import canonical
from askfirst.engine.case import BREAK_GLASS
from askfirst.request import Verdict

if TYPE_CHECKING:
    from askfirst.audit_port import TreeHead
    from askfirst.engine import Case
    from askfirst.request import Grant

CONTEXT = b"askfirst-grant/v1\n"


class GrantSigner(Protocol):
    """The key that grants are signed with; ``audit/`` has the real one."""

    def sign(self, message: bytes) -> bytes:
        """An Ed25519 signature, 64 bytes."""
        ...

    def is_ours(self, message: bytes, signature: bytes) -> bool:
        """Whether this is our own signature over this message."""
        ...


def mint(case: Case, head: TreeHead, index: int, signer: GrantSigner) -> str:
    """The token of a case's grant.

    Args:
        case: it must have a grant.
        head: of the log, before the entry of the grant.
        index: of that entry.
        signer: signs it.
    """
    grant = case.grant
    assert grant is not None  # the caller has just issued it
    by = {(each.channel, each.person) for each in case.counted() if each.verdict is Verdict.APPROVE}
    if (end := case.request.end) is not None and end.channel == BREAK_GLASS:
        by = {(end.channel, end.by)}
    body = canonical(
        {
            **_binding(grant),
            "by": [{"ch": channel, "sub": person} for channel, person in sorted(by)],
            "n": _encode(secrets.token_bytes(12)),
            "log": {"i": index, "size": head.size, "root": head.root.hex()},
        }
    )
    return f"{_encode(body)}.{_encode(signer.sign(CONTEXT + body))}"


def is_genuine(grant: Grant, signer: GrantSigner) -> bool:
    """Whether the grant's token is ours and says what the grant says."""
    encoded, _, signature = grant.token.partition(".")
    try:
        body, signed = _decode(encoded), _decode(signature)
        told = json.loads(body)
    except (ValueError, binascii.Error):
        return False
    if not isinstance(told, dict) or not signer.is_ours(CONTEXT + body, signed):
        return False
    return all(told.get(name) == value for name, value in _binding(grant).items())


def _binding(grant: Grant) -> dict[str, object]:
    """The members that decide what the grant opens."""
    return {
        "v": 1,
        "typ": "grant",
        "req": grant.request_id,
        "act": grant.action_digest,
        "nbf": grant.issued_at_ms // 1000,
        "exp": grant.expires_at_ms // 1000,
        "max": grant.uses_max,
        **({"pat": grant.pattern} if grant.pattern else {}),
        **({"sta": grant.state_digest} if grant.state_digest else {}),
    }


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
