"""What a policy file says to no effect: a regular expression, a moment after the deadline, reviewers of what is denied.

Only what can be told for sure is said. An ``allow`` may have reviewers: a ceiling, or an agent that is not sure, can
still have it asked about.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from askfirst.policy.doubts import asking, doubts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from askfirst.policy.doubts import Doubt, Place
    from askfirst.policy.raw import RawMatch, RawPolicy, RawRule, RawTerms

_PATTERNS = ("command", "tool", "rule", "host", "model", "branch", "repository")
"""Keys of a match of which no value begins with ``^``: no branch may be named so, and no program is."""
_REGULAR = re.compile(r"\^|\([^\s()]+(\|[^\s()]+)+\)")


def slips(content: bytes, *, source: str) -> list[str]:
    """A sentence with file and line for each.

    Args:
        content: of the file.
        source: its name, for the sentences.

    Raises:
        PolicyError: the file cannot be used at all.
    """
    return doubts(content, source, _slips)


def _slips(raw: RawPolicy) -> Iterator[Doubt]:
    yield from _late(raw)
    for index, rule in enumerate(raw.rule):
        yield from _regular(index, rule)
        yield from _idle(index, rule)


def _regular(index: int, rule: RawRule) -> Iterator[Doubt]:
    for place, match in (("match", rule.match), ("unless", rule.unless)):
        for key, value in _texts(match):
            if _REGULAR.match(value):
                yield (
                    ("rule", index, place, key),
                    (
                        f"the rule {rule.name!r} fits no {key} by {value!r}: there are no regular expressions; "
                        "in a pattern * alone is special"
                    ),
                )


def _texts(match: RawMatch | None) -> Iterator[tuple[str, str]]:
    for key in _PATTERNS if match is not None else ():
        value: str | list[str] | None = getattr(match, key)
        yield from ((key, each) for each in ([value] if isinstance(value, str) else value or ()))


def _idle(index: int, rule: RawRule) -> Iterator[Doubt]:
    key = next((name for name in ("reviewers", "stages", "approvals") if getattr(rule, name) is not None), "")
    if rule.outcome == "deny" and key:
        yield ("rule", index, key), f"the rule {rule.name!r} says {key}, and denies: nobody is asked"


def _late(raw: RawPolicy) -> Iterator[Doubt]:
    """What would come after the deadline that the same table sets, and so never does."""
    for loc, where, terms in asking(raw):
        time_s = terms.approval_timeout_s
        if time_s is None or _may_go_on(loc, terms, raw):
            continue
        late = next(((key, after_s) for key, after_s in _moments(terms) if after_s >= time_s), None)
        if late is not None:
            unless = "" if loc[0] == "rule" and terms.on_timeout == "reject" else ", unless another file has it go on"
            after = f"{late[0]} after {late[1]} s, and people have {time_s} s"
            yield (*loc, late[0]), f"{where} has {after}: its deadline has passed by then{unless}"


def _may_go_on(loc: Place, terms: RawTerms, raw: RawPolicy) -> bool:
    """Whether people may have longer, as far as this file says: a rule has what it does not say from its risk."""
    if terms.on_timeout == "escalate":
        return True
    if loc[0] == "rule":
        rungs = (raw.risk.low, raw.risk.medium, raw.risk.high, raw.risk.critical, raw.unknown)
        return terms.on_timeout is None and any(each.on_timeout == "escalate" for each in rungs)
    return any(rule.approval_timeout_s is not None or rule.on_timeout is not None for rule in raw.rule)


def _moments(terms: RawTerms) -> Iterator[tuple[str, int]]:
    yield from (("reminders_s", each) for each in terms.reminders_s or ())
    yield from (("escalation", each.after_s) for each in terms.escalation or ())
