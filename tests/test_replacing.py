"""Values made anew: as ``dataclasses.replace`` makes them, and never past a check."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest

from askfirst.audit_port import EntryType
from askfirst.engine import Case
from askfirst.engine.case import LogLine, Step, review_line
from askfirst.engine.grants import issue
from askfirst.replacing import replace
from askfirst.request import RequestState, Verdict
from askfirst.review_draft import review_of
from askfirst.testing.bench import a_draft, a_request, a_review


def test_it_makes_what_the_library_makes_and_leaves_what_was() -> None:
    request = a_request(a_draft())
    kept = dataclasses.replace(request)
    newer = replace(request, state=RequestState.DENIED, version=2)
    assert newer == dataclasses.replace(request, state=RequestState.DENIED, version=2)
    assert hash(newer.agent) == hash(request.agent)
    assert request == kept
    with pytest.raises(dataclasses.FrozenInstanceError):
        newer.version = 3  # type: ignore[misc]  # this is what is tested


def test_it_fits_whatever_a_step_changes() -> None:
    request = a_request(a_draft())
    review = review_of(a_review(request, Verdict.APPROVE), 1)
    step = issue(Case(request=request, reviews=(review,)), 1)
    line: LogLine = review_line(review, EntryType.REVIEW_CAST)
    values: tuple[Step | LogLine | object, ...] = (
        step,
        step.case,
        step.case.grant,
        request,
        review,
        request.terms,
        line,
    )
    for value in values:
        assert replace(value) == value  # type: ignore[type-var]  # each is a dataclass


def test_an_unknown_member_is_an_error() -> None:
    with pytest.raises(KeyError, match="nothing"):
        replace(a_request(a_draft()), nothing=1)  # type: ignore[call-arg]  # this is what is tested


def test_a_class_that_checks_its_members_is_not_copied_past_its_check() -> None:
    @dataclass(frozen=True, slots=True)
    class Checked:
        size: int

        def __post_init__(self) -> None:
            assert self.size > 0

    with pytest.raises(AssertionError, match="checks its members"):
        replace(Checked(1), size=0)
