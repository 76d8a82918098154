"""Where a policy file wants reviews that are worth more than any channel here vouches for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.policy.read import line_of, read_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    text, raw = content.decode("utf-8", "replace"), read_policy(content, source=source)
    return [
        f"{source}{line_of(text, (*loc, 'assurance'))}: {where} wants reviews of assurance {terms.assurance}, and no "
        f"channel here vouches for more than {vouched_max}: the broker would deny what it should ask about"
        for loc, where, terms in asking(raw)
        if (terms.assurance or 0) > vouched_max and not _is_for_codes(terms, raw)
    ]


def _is_for_codes(terms: RawTerms, raw: RawPolicy) -> bool:
    """Whether a break-glass code may release it, for which it may wait."""
    return bool(raw.break_glass_s if terms.break_glass_s is None else terms.break_glass_s)


def asking(raw: RawPolicy) -> Iterator[tuple[tuple[int | str, ...], str, RawTerms]]:
    """What may ask, with its place in the file and its name."""
    for name in ("low", "medium", "high", "critical"):
        yield ("risk", name), f"risk.{name}", getattr(raw.risk, name)
    yield ("unknown",), "unknown", raw.unknown
    for index, rule in enumerate(raw.rule):
        if rule.outcome not in {"deny", "shadow"}:
            yield ("rule", index), f"the rule {rule.name!r}", rule
