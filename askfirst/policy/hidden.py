"""Which rules of a policy file an earlier one hides: that one fits every call that they fit, and the first counts.

Only what can be told for sure is said, from how the two are written. A hidden rule can still count beside the earlier
one for a call of which something cannot be told (``askfirst.policy.matcher``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.policy.doubts import doubts
from askfirst.policy.patterns import command_covers, name_covers
from askfirst.policy.raw import RawMatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from askfirst.policy.doubts import Doubt
    from askfirst.policy.raw import RawPolicy, RawRule

_NAMES_A_RISK = frozenset({"effect", "rule", "risk"})
"""Keys by which a rule may let high and critical pass; without them it is passed over for these."""
_ALWAYS_THERE = frozenset({"tool", "host", "agent", "session", "model", "repository"})
"""Names that every call has, if only as an empty text, so that ``*`` asks for nothing."""


def hidden_rules(content: bytes, *, source: str) -> list[str]:
    """A sentence with file and line for each rule that is hidden.

    Args:
        content: of the file.
        source: its name, for the sentences.

    Raises:
        PolicyError: the file cannot be used at all.
    """
    return doubts(content, source, _hidden)


def _hidden(raw: RawPolicy) -> Iterator[Doubt]:
    for index, rule in enumerate(raw.rule):
        by = _hider(rule, raw.rule[:index])
        if by is not None:
            sentence = (
                f"the rule {rule.name!r} is hidden: {by.name!r} above it fits every call that it surely fits, and the "
                "first rule counts; put it above, or take it out"
            )
            yield ("rule", index), sentence


def _hider(rule: RawRule, earlier: list[RawRule]) -> RawRule | None:
    return next((each for each in earlier if _hides(each, rule)), None)


def _hides(first: RawRule, second: RawRule) -> bool:
    if first.outcome == "shadow" or not (_counts_for_all(first) or _counts_no_further(second)):
        return False
    has_no_more_exceptions = first.unless is None or first.unless == second.unless
    return has_no_more_exceptions and _covers(first.match, second.match)


def _counts_for_all(rule: RawRule) -> bool:
    """Whether it counts whatever the risk, as far as it fits."""
    return rule.outcome in {"ask", "deny"} or not _NAMES_A_RISK.isdisjoint(rule.match.model_fields_set)


def _counts_no_further(rule: RawRule) -> bool:
    """Whether it is passed over for high and critical risk, as the one above it may be."""
    return rule.outcome == "allow" and _NAMES_A_RISK.isdisjoint(rule.match.model_fields_set)


def _covers(first: RawMatch, second: RawMatch) -> bool:
    """Whether all that the second match surely fits, the first one surely fits."""
    return all(
        _covers_key(name, _many(getattr(first, name)), _many(getattr(second, name))) for name in RawMatch.model_fields
    )


def _covers_key(name: str, wide: list[object], narrow: list[object]) -> bool:
    if not wide or (name in _ALWAYS_THERE and "*" in wide):
        return True
    covers = _WIDER.get(name, _is_same)
    return bool(narrow) and all(any(covers(each, inner) for each in wide) for inner in narrow)


def _is_same(wide: object, narrow: object) -> bool:
    return wide == narrow


def _by_name(wide: object, narrow: object) -> bool:
    return name_covers(str(wide), str(narrow))


def _by_command(wide: object, narrow: object) -> bool:
    return command_covers(str(wide), str(narrow))


def _by_confidence(wide: object, narrow: object) -> bool:
    return isinstance(wide, float) and isinstance(narrow, float) and narrow <= wide


_WIDER: dict[str, Callable[[object, object], bool]] = {
    **dict.fromkeys((*_ALWAYS_THERE, "rule", "branch"), _by_name),
    "command": _by_command,
    "confidence_below": _by_confidence,
}
"""How the values of a key are compared; those of the others have to be the same."""


def _many(value: object) -> list[object]:
    """One value or a list of them, as a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
