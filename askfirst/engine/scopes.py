"""How far an approval reaches: only what the rule offered, and never further than the person saw.

A grant for a pattern covers a later call of the same tool, in the same folder, host and session, if its command
matches, if the analysis finds nothing in it that was not in what the person approved, and if the same rule asks about
it and still offers that scope: a stricter rule has people of its own. What ``*`` stands for must
be made of characters that mean nothing to a shell, so that no match can smuggle in a second command, a substitution
or a way out of the folder. Quotes may hold such characters and spaces together; a word with a space in it counts only
where it does as several, too, which is what a program makes of it that hands it to another shell (``ssh``).
"""

from __future__ import annotations

import re
from posixpath import normpath
from typing import TYPE_CHECKING

from askfirst.policy.patterns import command_matches, words_match
from askfirst.policy.ruling import ONCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.engine.case import Case
    from askfirst.engine.events import Content
    from askfirst.policy.ruling import ScopeOffer
    from askfirst.request import Grant, Request
    from askfirst.terms import Terms

USES_MAX = 200
"""Redemptions of one grant, whatever its scope: then somebody is asked anew."""
LONGEST_MS = 8 * 3_600_000
"""A permission for several uses or for a session ends after a working day; a duration ends at the latest then."""

_PLAIN_WORD = re.compile(r"(?:[\w@%+,./^-]|[=:](?!~))(?:[\w@%+,./^~-]|[=:](?!~))*", re.ASCII)
"""A word that a shell takes as it is: a tilde means somebody's home only where a path may begin."""
_HELD = r"[\w@%+,./^=: -]+"
_QUOTED_WORD = rf"(?:[\w@%+,./^~=:-]|'{_HELD}'|\"{_HELD}\")+"
_QUOTED_COMMAND = re.compile(rf"[ \t]*{_QUOTED_WORD}(?:[ \t]+{_QUOTED_WORD})*[ \t]*", re.ASCII)
_QUOTED_WORDS = re.compile(_QUOTED_WORD, re.ASCII)
_QUOTES = re.compile("['\"]")
_ODD_SPACE = re.compile(r"[^\S \t]")


def key_of(offer: ScopeOffer) -> str:
    """How a channel names an offer, e.g. ``uses:5`` or ``session:git push *``; ``once`` for the plainest."""
    amount = f":{offer.amount}" if offer.amount else ""
    return f"{offer.kind}{amount}{f' {offer.pattern}' if offer.pattern else ''}"


def words_of(offer: ScopeOffer) -> str:
    """An offer for people to read, e.g. ``up to 5 times, for commands like git push *``."""
    match offer.kind:
        case "once":
            reach = "once"
        case "uses":
            reach = f"up to {uses_max(offer)} times"
        case "duration":
            reach = f"for {_span(min(offer.amount, LONGEST_MS // 1000))}"
        case "session":
            reach = f"for this session, {_span(LONGEST_MS // 1000)} at most"
        case "rule":
            reach = "once, and write down a rule to copy"
    return f"{reach}, for commands like {offer.pattern}" if offer.pattern else reach


def _span(seconds: int) -> str:
    for unit_s, unit in ((3600, "h"), (60, "min")):
        if seconds >= unit_s and seconds % unit_s == 0:
            return f"{seconds // unit_s} {unit}"
    return f"{seconds} s"


def offered(request: Request) -> tuple[ScopeOffer, ...]:
    """The offers of its rule that cover the very action that is shown, and that reach as far as they say.

    Without a session nothing but the action itself tells what a later call belongs to; and a rule is offered where one
    can be written down.
    """
    command = request.action.command
    return tuple(
        each
        for each in request.terms.scopes
        if (not each.pattern or matches(each.pattern, command))
        and (request.agent.session or not _needs_session(each))
        and (each.kind != "rule" or proposed_commands(request, each.pattern))
    )


def proposed_commands(request: Request, pattern: str) -> list[str]:
    """What a rule that is proposed from this request would match; none where no rule would say the same."""
    if not request.effects:
        return []
    if pattern:
        return [pattern]
    commands = list(dict.fromkeys(each.command for each in request.effects))
    is_exact = all(commands) and not any("*" in each for each in commands)  # a star would stand for more than was seen
    return commands if is_exact else []


def _needs_session(offer: ScopeOffer) -> bool:
    """Whether it is about later calls of a session; a proposed rule is about everybody's, once it is written down."""
    return offer.kind == "session" or (bool(offer.pattern) and offer.kind != "rule")


def chosen(request: Request, key: str) -> ScopeOffer | None:
    """The offer with this key; ``""`` is once; None when the rule does not offer it."""
    if not key:
        return ONCE
    return next((each for each in offered(request) if key_of(each) == key), None)


def uses_max(offer: ScopeOffer) -> int:
    """How often a grant of this scope may be redeemed."""
    match offer.kind:
        case "once" | "rule":
            return 1
        case "uses":
            return min(offer.amount, USES_MAX)
        case "duration" | "session":
            return USES_MAX


def is_used_up(grant: Grant) -> bool:
    """Whether a grant was redeemed, or passed on, as often as it may be."""
    return len(grant.uses) + len(grant.passed_on) >= grant.uses_max


def reaches(case: Case, caller: str) -> bool:
    """Whether the grant of a case answers what this caller (``Request.caller``) asks about the very same action.

    What may run once runs once, whoever asks; the other runs are for those to whom the reviewers gave them.
    """
    grant, request = case.grant, case.request
    is_shared = bool(request.agent.session) or request.caller == caller
    return grant is not None and (is_shared or grant.uses_max == 1)


def ttl_ms(offer: ScopeOffer, terms: Terms) -> int:
    """How long a grant of this scope lives."""
    match offer.kind:
        case "once" | "rule":
            return terms.grant_ttl_ms
        case "duration":
            return min(offer.amount * 1000, LONGEST_MS)
        case "uses" | "session":
            return LONGEST_MS


def matches(pattern: str, command: str) -> bool:
    """Whether a command matches a pattern (``askfirst.policy.patterns``), and means to a shell what it seems to."""
    if _ODD_SPACE.search(command):
        return False
    return _fit(pattern, command.split()) or _fit(pattern, _unquoted(command))


def said_alike(one: str, other: str) -> bool:
    """Whether two commands are the same words: quotes, spaces, and other ways to write a path make no other command."""
    ones, others = [[normpath(word) for word in _unquoted(each) or each.split()] for each in (one, other)]
    return ones == others


def _fit(pattern: str, words: Sequence[str]) -> bool:
    text = " ".join(words)
    is_alike = bool(words) and words_match(pattern, words) and command_matches(pattern, text)
    is_alike = is_alike and command_matches(_parted(pattern), _parted(text))
    return is_alike and _meaningful(text) == _meaningful(pattern.replace("*", ""))


def _parted(text: str) -> str:
    """Its words cut at colons: ``feature/*`` shows a branch, and ``feature/x:main`` would be pushed to another one."""
    return text.replace(":", " : ")


def _unquoted(command: str) -> list[str]:
    """The words of a command without their quotes; none where anything but plain words is in it."""
    if not _QUOTED_COMMAND.fullmatch(command):
        return []
    return [_QUOTES.sub("", word) for word in _QUOTED_WORDS.findall(command)]


def _meaningful(text: str) -> list[str]:
    """The words that are more to a shell than their letters, in order."""
    return [word for word in text.split() if not _PLAIN_WORD.fullmatch(word) or ".." in word]


def covers(
    grant: Grant, request: Request, action_digest: str, content: Content | None, terms: Terms | None = None
) -> bool:
    """Whether this grant is for this action.

    Args:
        grant: an open one.
        request: that it was issued for.
        action_digest: of what is about to run.
        content: the same whole; only a grant for a pattern looks at it.
        terms: on which people would be asked about it now; the same.
    """
    if action_digest == grant.action_digest:
        return True
    if not grant.pattern or content is None or terms is None or not _offers(terms, grant, request.terms):
        return False
    new, approved = content.action, request.action
    same_place = (new.tool, new.cwd, new.host, new.session, new.machine) == (
        approved.tool,
        approved.cwd,
        approved.host,
        approved.session,
        approved.machine,
    )
    known = {effect.rule for effect in request.effects}
    return (
        same_place
        and matches(grant.pattern, new.command)
        and set(new.arguments) <= set(approved.arguments)
        and content.risk <= request.risk
        and {effect.rule for effect in content.effects} <= known
    )


def _offers(now: Terms, grant: Grant, then: Terms) -> bool:
    """Whether the rule that asks now is the one that offered this grant's scope, and offers it still."""
    is_same_rule = (now.policy, now.rule) == (then.policy, then.rule)
    return is_same_rule and any((each.kind, each.pattern) == (grant.scope, grant.pattern) for each in now.scopes)
