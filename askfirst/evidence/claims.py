"""Where the agent's claim and the evidence contradict each other. Pure.

Only plain contradictions are named: a phrase of the claim that promises something, beside the finding that breaks the
promise. A claim that says nothing, or that fits, gives nothing; it never counts as evidence in either direction.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from askfirst.evidence.values import Commits, Files, Refs
from askfirst.evidence.words import rollback_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from askfirst.evidence.values import Evidence
    from askfirst.request import Claim

_QUOTE_MAX_CHARS: Final = 120
_SURE: Final = 0.9
"""From this confidence on the agent says that it is sure."""
_DENIED: Final = re.compile(r"(?:\bnot|\bnever|n't|\bno longer|\bhardly)(?: \w+)?\s+$", re.IGNORECASE)


def contradictions(claim: Claim, evidence: Evidence, *, who: str = "the agent") -> tuple[str, ...]:
    """One sentence for each promise of the claim that the evidence breaks; ``who`` made it."""
    said = " · ".join(each for each in (claim.reason, claim.impact, claim.rollback_plan, *claim.signals) if each)
    found = [
        f"{who} says: “{quote}”; found: {finding}"
        for pattern, check in _PROMISES
        if (quote := _quoted(pattern, said)) and (finding := check(evidence))
    ]
    found += [f"{who} says: {each}" for each in _numbers(said, evidence)]
    if claim.confidence is not None and claim.confidence >= _SURE and (finding := _unknown(evidence)):
        found.append(f"{who} says it is {claim.confidence:.0%} sure; found: {finding}")
    return tuple(dict.fromkeys(found))


def _quoted(pattern: re.Pattern[str], said: str) -> str:
    """The first phrase that promises this, unless the words before turn it round."""
    for match in pattern.finditer(said):
        if not _DENIED.search(said[: match.start()]):
            return match[0].strip()[:_QUOTE_MAX_CHARS]
    return ""


def _loss(evidence: Evidence) -> str:
    parts = [*_commits(evidence), *_files(evidence)]
    return " and ".join(parts)


def _commits(evidence: Evidence) -> list[str]:
    found = [each for each in evidence.exhibits if isinstance(each, Commits) and each.fate != "rewritten"]
    count, unpushed = sum(each.count for each in found), sum(each.unpushed for each in found)
    stashed = sum(each.count for each in found if each.is_stash)
    if stashed:
        return [f"{stashed} stash {'entry' if stashed == 1 else 'entries'} that nothing else would hold"]
    if unpushed:
        return [f"{unpushed} unpushed {'commit' if unpushed == 1 else 'commits'}"]
    return [f"{count} {'commit' if count == 1 else 'commits'} that nothing else would hold"] if count else []


def _files(evidence: Evidence) -> list[str]:
    count = sum(each.only_copies for each in evidence.exhibits if isinstance(each, Files))
    return [f"{count} {'file' if count == 1 else 'files'} in no commit"] if count else []


def _unpushed(evidence: Evidence) -> str:
    found = sum(each.unpushed for each in evidence.exhibits if isinstance(each, Commits))
    return f"{found} unpushed {'commit' if found == 1 else 'commits'}" if found else ""


def _uncommitted(evidence: Evidence) -> str:
    return " and ".join(_files(evidence))


def _shared(evidence: Evidence) -> str:
    names = [
        ref.name.removeprefix("refs/heads/")
        for each in evidence.exhibits
        if isinstance(each, Refs)
        for ref in each.refs
        if ref.shared
    ]
    return f"{', '.join(names)} is shared" if names else ""


def _irreversible(evidence: Evidence) -> str:
    return next((each for each in rollback_of(evidence) if each.startswith("no way back")), "")


def _outside(evidence: Evidence) -> str:
    count = sum(each.outside for each in evidence.exhibits if isinstance(each, Files))
    return f"{count} files outside the project" if count else ""


def _unknown(evidence: Evidence) -> str:
    failed = [each.about for each in evidence.gaps if each.failed]
    return f"{failed[0]} could not be found out" if failed else ""


def _words(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'])(?:{text})(?!\w)", re.IGNORECASE)


_PROMISES: Final[tuple[tuple[re.Pattern[str], Callable[[Evidence], str]], ...]] = (
    (
        _words(
            r"(?:nothing|no (?:data|work|files?|commits?|changes?|code|history))\s+"
            r"(?:(?:of value|important|else)\s+)?(?:(?:is|are|will be|would be|gets?|can be)\s+)?"
            r"(?:lost|deleted|removed|affected|overwritten|discarded|destroyed)"
            r"|no (?:data )?loss|without (?:any )?(?:data )?loss|lossless|loses? nothing|harmless"
            r"|no[- ]risk|risk[- ]free"
            r"|no (?:real )?impact|(?:completely|perfectly|totally) safe"
            r"|safe (?:operation|command|to (?:run|delete|remove|discard|drop))"
        ),
        _loss,
    ),
    (
        _words(
            r"(?:already|all|everything|fully|were|was|been)(?: (?!not\b|never\b)\w+){0,2} pushed"
            r"|pushed (?:already|to (?:the )?(?:remote|origin))|on the remote(?: already)?|no unpushed"
        ),
        _unpushed,
    ),
    (
        _words(
            r"(?:already|all|everything)(?: (?!not\b|never\b)\w+){0,3} committed"
            r"|(?:work(?:ing)? )?tree is clean|clean (?:work(?:ing)? )?tree|no uncommitted"
        ),
        _uncommitted,
    ),
    (
        _words(
            r"reversible|can be (?:undone|reverted|restored|recovered)|easily (?:undone|restored|recovered|reverted)"
        ),
        _irreversible,
    ),
    (
        _words(
            r"(?:only|just)(?: \w+){0,3} (?:generated|temporary|temp|build|cached?|compiled)"
            r"|(?:generated|temporary|build|cached?) (?:files?|artifacts?|output|folders?|director(?:y|ies)) only"
        ),
        _uncommitted,
    ),
    (
        _words(r"(?:my|own|local|feature|topic|personal|private) branch(?: only)?|not (?:a )?shared|nobody else"),
        _shared,
    ),
    (_words(r"(?:only|just) (?:in|inside|within) (?:the|this) (?:project|repo(?:sitory)?|folder)"), _outside),
)
"""What claims promise, and which finding breaks it."""

_NUMBER: Final = re.compile(
    r"(?<![\w.])(?:(?:only|just) )?(one|two|three|a single|\d{1,6}) (?:\w+ ){0,2}?(files?|commits?)(?!\w)",
    re.IGNORECASE,
)
_NAMED: Final = {"one": 1, "two": 2, "three": 3, "a single": 1}


def _numbers(said: str, evidence: Evidence) -> Iterator[str]:
    """A count that the agent names and the evidence exceeds."""
    counts = {
        "file": sum(each.count for each in evidence.exhibits if isinstance(each, Files)),
        "commit": sum(each.count for each in evidence.exhibits if isinstance(each, Commits)),
    }
    for match in _NUMBER.finditer(said):
        named = int(match[1]) if match[1].isdigit() else _NAMED[match[1].lower()]
        noun = match[2].lower().rstrip("s")
        if counts[noun] > named:
            yield f"“{match[0].strip()[:_QUOTE_MAX_CHARS]}”; found: {counts[noun]:,} {noun}s"
