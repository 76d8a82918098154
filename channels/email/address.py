"""Addresses, as narrow as people are told by them: one address, ASCII, lower case.

What a mail server and we could read differently (several addresses, comments, routes, quoted local parts) is none.
"""

from __future__ import annotations

import re

SCHEME = "email"
MAX_CHARS = 254
"""From: RFC 5321 §4.5.3.1.3, without the angle brackets."""
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}"
_DOMAIN = r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}@{_DOMAIN}", re.ASCII)
_MAILBOX = re.compile(
    rf'(?:"(?:[^"\\]|\\.)*"|[^"<>@,;:()\\]*)[ \t]*<({_ATOM}@{_DOMAIN})>|({_ATOM}@{_DOMAIN})', re.ASCII
)
_FOLD = re.compile(r"\r?\n[ \t]")
_HEADER_MAX = 1_000


def address_of(text: str) -> str | None:
    """The one address that this is, lower case; None where it is none."""
    plain = text.strip()
    return plain.lower() if len(plain) <= MAX_CHARS and _ADDRESS.fullmatch(plain) else None


def sender_of(header: str) -> str | None:
    """The one address of a ``From`` header, e.g. ``"Ann" <ann@example.com>``; None where it is not plainly one."""
    plain = _FOLD.sub(" ", header).strip()
    found = _MAILBOX.fullmatch(plain) if len(plain) <= _HEADER_MAX else None
    return address_of(found[1] or found[2]) if found else None


def tagged(address: str, tag: str) -> str:
    """The address with a tag: ``askfirst+tag@example.com`` (RFC 5233)."""
    local, _, domain = address.rpartition("@")
    return f"{local}+{tag}@{domain}"


def tags_in(headers: list[str], address: str) -> set[str]:
    """Every tag that this address carries in these headers, lower case."""
    local, _, domain = address.rpartition("@")
    form = re.compile(rf"(?<![A-Za-z0-9.+_-]){re.escape(local)}\+([a-z2-7]{{1,40}})@{re.escape(domain)}(?![a-z0-9.-])")
    return {tag for each in headers for tag in form.findall(each.lower())}
