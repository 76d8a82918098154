"""The first line of every comment of ours: hidden on the page, and signed together with what stands below.

::

    <!-- askfirst:v1 req=01J… rev=1 digest=64 hex digits head=40 hex digits or - key=16 hex digits part=1/1
         whole=1 mac=64 hex digits -->

on one line. Whoever may write to a repository can edit our comment, so the MAC says whether what people read is what
we wrote. It binds the text to request, version and digest, and to the head that the pull request had.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass

REPLY = "<!-- askfirst:v1 reply -->"
"""Begins our answers to people; they are no cards."""

_ULID = "[0-9A-HJKMNP-TV-Z]{26}"
_FIELDS = re.compile(
    rf"req=(?P<req>{_ULID}) rev=(?P<rev>[1-9][0-9]{{0,8}}) digest=(?P<digest>[0-9a-f]{{64}})"
    r" head=(?P<head>[0-9a-f]{40}|[0-9a-f]{64}|-) key=(?P<key>[0-9a-f]{16})"
    r" part=(?P<part>[1-9][0-9]{0,3})/(?P<parts>[1-9][0-9]{0,3}) whole=(?P<whole>[01])",
    re.ASCII,
)
_LINE = re.compile(rf"<!-- askfirst:v1 (?P<fields>{_FIELDS.pattern}) mac=(?P<mac>[0-9a-f]{{64}}) -->", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """What a comment of ours says about itself.

    Attributes:
        rev: the request's version.
        head: head of the pull request when this version was shown, ``""`` in an issue.
        key: of the delivery, see ``Channel.send``; the same delivery is the same comment.
        part: which one of ``parts`` comments; the last is the card, the others hold what did not fit.
        whole: all that would run is shown; else nobody can approve it here.
    """

    req: str
    rev: int
    digest: str
    key: str
    head: str = ""
    part: int = 1
    parts: int = 1
    whole: bool = True

    @property
    def code(self) -> str:
        """The request's code, as people type it."""
        return f"{self.req[-6:]}-{self.digest[:8]}"

    @property
    def is_card(self) -> bool:
        """It has what people decide by."""
        return self.part == self.parts


def key_of(key: str) -> str:
    """A delivery's key as it stands in the marker."""
    return hashlib.sha256(key.encode("utf-8")).hexdigest()[:16]


def signed(marker: Marker, text: str, secret: bytes) -> str:
    """The whole comment: marker, blank line, text."""
    fields = _fields_of(marker)
    return f"<!-- askfirst:v1 {fields} mac={_mac(fields, text, secret)} -->\n\n{text}"


def read_marker(body: str) -> Marker | None:
    """What the first line claims, believed by nobody yet; None where it is no card of ours."""
    match = _LINE.match(body)
    if match is None:
        return None
    return Marker(
        req=match["req"],
        rev=int(match["rev"]),
        digest=match["digest"],
        key=match["key"],
        head="" if match["head"] == "-" else match["head"],
        part=int(match["part"]),
        parts=int(match["parts"]),
        whole=match["whole"] == "1",
    )


def is_unaltered(body: str, secret: bytes) -> bool:
    """Whether this comment is as we wrote it."""
    match = _LINE.match(body)
    return match is not None and hmac.compare_digest(match["mac"], _mac(match["fields"], body[match.end() :], secret))


def is_ours(body: str) -> bool:
    """Whether it looks like a comment of ours; says nothing about who wrote it."""
    return body.startswith("<!-- askfirst:v1 ")


def _fields_of(marker: Marker) -> str:
    fields = (
        f"req={marker.req} rev={marker.rev} digest={marker.digest} head={marker.head or '-'} key={marker.key}"
        f" part={marker.part}/{marker.parts} whole={int(marker.whole)}"
    )
    assert _FIELDS.fullmatch(fields), fields  # else it could not be read back
    return fields


def _mac(fields: str, text: str, secret: bytes) -> str:
    """GitHub keeps texts as they are but for line ends and blanks around them."""
    plain = text.replace("\r\n", "\n").strip()
    return hmac.new(
        secret, f"askfirst:v1 {fields}\n{plain}".encode("utf-8", "surrogatepass"), hashlib.sha256
    ).hexdigest()
