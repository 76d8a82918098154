"""Where a policy file wants reviews that are worth more than any channel here vouches for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.policy.doubts import asking, doubts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.policy.doubts import Doubt
    from askfirst.policy.raw import RawPolicy, RawTerms


def unvouched_doubts(content: bytes, *, source: str, vouched_max: int) -> list[str]:
    """A sentence with file and line for each such place; the broker would deny what is to be asked there.

    Args:
        content: of the file.
        source: its name, for the sentences.
        vouched_max: the most that a review by any channel that is set up here can be worth, 0 to 3.

    Raises:
        PolicyError: the file cannot be used at all.
    """
    return doubts(content, source, lambda raw: _unvouched(raw, vouched_max))


def _unvouched(raw: RawPolicy, vouched_max: int) -> Iterator[Doubt]:
    for loc, where, terms in asking(raw):
        if (terms.assurance or 0) > vouched_max and not _is_for_codes(terms, raw):
            sentence = (
                f"{where} wants reviews of assurance {terms.assurance}, and no channel here vouches for more than "
                f"{vouched_max}: the broker would deny what it should ask about"
            )
            yield (*loc, "assurance"), sentence


def _is_for_codes(terms: RawTerms, raw: RawPolicy) -> bool:
    """Whether a break-glass code may release it, for which it may wait."""
    return bool(raw.break_glass_s if terms.break_glass_s is None else terms.break_glass_s)
