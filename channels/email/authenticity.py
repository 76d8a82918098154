"""Whether a mail really comes from its sender's domain: what our own mail server has found out.

Only ``Authentication-Results`` that carry the configured name count, of these the topmost, and in it a DMARC pass for
the very domain of ``From``. A mail server has to take such headers that are not its own out of what comes in (RFC 8601
§5); where none is configured no mail is genuine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

try:
    import authres  # type: ignore[import-untyped]  # it has no types
except ModuleNotFoundError as error:  # an extra
    raise ConfigError("[email] needs the extra: install askfirst[email]") from error

_HEADERS_MAX = 20
_HEADER_MAX = 8_000


def is_genuine(headers: Sequence[str], authserv_id: str, domain: str) -> bool:
    """Whether the mail server vouches for the domain of ``From``.

    Args:
        headers: the values of ``Authentication-Results``, topmost first.
        authserv_id: the name of our mail server, lower case, ``""`` for none.
        domain: of the sender, lower case.
    """
    if not authserv_id:
        return False
    for each in headers[:_HEADERS_MAX]:
        found = _parsed(each)
        if found is not None and str(found.authserv_id).lower() == authserv_id:
            return any(_passes(result, domain) for result in found.results)
    return False


def _parsed(header: str) -> authres.AuthenticationResultsHeader | None:
    if len(header) > _HEADER_MAX:
        return None
    try:
        return authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {header}")
    except (authres.AuthResError, ValueError, RecursionError):  # then it vouches for nothing
        return None


def _passes(result: authres.AuthenticationResult, domain: str) -> bool:
    if result.method != "dmarc" or result.result != "pass":
        return False
    return any((each.type, each.name, each.value.lower()) == ("header", "from", domain) for each in result.properties)
