"""Where a policy file wants more reviewers of a name than the configuration has people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.policy.doubts import asking, doubts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from askfirst.people import Electorate
    from askfirst.policy.doubts import Doubt
    from askfirst.policy.raw import RawPolicy, RawTerms

_FORMS = "write a person's id like local:ann, role:lead or team:ops"


def unstaffed_doubts(content: bytes, *, source: str, known: Electorate) -> list[str]:
    """A sentence with file and line for each such place; the broker would deny what is to be asked there.

    People who were added while the broker runs are in its store, and not looked up here.

    Args:
        content: of the file.
        source: its name, for the sentences.
        known: who may decide here by the configuration.

    Raises:
        PolicyError: the file cannot be used at all.
    """
    return doubts(content, source, lambda raw: _unstaffed(raw, known))


def _unstaffed(raw: RawPolicy, known: Electorate) -> Iterator[Doubt]:
    for loc, where, terms in asking(raw):
        for key, reviewers, needed in _rounds(terms):
            if doubt := _doubt(reviewers, needed, known):
                yield (*loc, key), f"{where} {doubt}"


def _rounds(terms: RawTerms) -> Iterator[tuple[str, Sequence[str], int]]:
    """Who must approve where reviewers are named: the key that says so, their names, and how many of them."""
    if terms.reviewers:
        yield "reviewers", terms.reviewers, terms.approvals or 1
    for stage in terms.stages or ():
        if stage.reviewers:
            yield "stages", stage.reviewers, stage.approvals


def _doubt(reviewers: Sequence[str], needed: int, known: Electorate) -> str:
    bare = next((each for each in reviewers if ":" not in each), None)
    if bare is not None:
        return f"names the reviewer {bare!r}, whom nobody can be: {_FORMS}"
    if known.has_enough(reviewers, needed):
        return ""
    found = len(known.named(reviewers))
    return (
        f"needs {needed} of {', '.join(reviewers)}, and the configuration names {found} of these: unless others were "
        "added to the broker, it would deny what it should ask about"
    )
