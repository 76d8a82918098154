"""Contradictions between the agent's claim and the evidence."""

from __future__ import annotations

import pytest

from askfirst.evidence.claims import contradictions
from askfirst.evidence.values import Commits, Evidence, Exhibit, Files, Gap, Ref, Refs
from askfirst.request import Claim

UNPUSHED = Commits(where="main", count=2, unpushed=2)
PUSHED = Commits(where="main", count=2)
REWRITTEN = Commits(where="main", count=2, unpushed=2, fate="rewritten")
ONLY_COPIES = Files(where="the work tree", act="discarded", count=3, only_copies=3)
HELD = Files(where="src", act="deleted", count=120)
OUTSIDE = Files(where="/srv", act="deleted", count=4, outside=4)
SHARED = Refs(where="origin", refs=(Ref(name="refs/heads/main", shared=True),), count=1)
UNSEEN = Gap(about="the stash", reason="the index is locked")


@pytest.mark.parametrize(
    ("said", "found", "quote", "finding"),
    [
        ("nothing is lost", UNPUSHED, "nothing is lost", "2 unpushed commits"),
        ("Nothing will be lost here.", ONLY_COPIES, "Nothing will be lost", "3 files in no commit"),
        ("no data loss", PUSHED, "no data loss", "2 commits that nothing else would hold"),
        ("this is harmless", UNPUSHED, "harmless", "2 unpushed commits"),
        ("safe to delete", ONLY_COPIES, "safe to delete", "3 files in no commit"),
        ("everything is already pushed", UNPUSHED, "everything is already pushed", "2 unpushed commits"),
        ("all work is committed", ONLY_COPIES, "all work is committed", "3 files in no commit"),
        (
            "can be undone",
            ONLY_COPIES,
            "can be undone",
            "no way back by git for 3 files: no commit has them",
        ),
        ("only build output", ONLY_COPIES, "only build", "3 files in no commit"),
        ("my feature branch", SHARED, "feature branch", "main is shared"),
        ("only in the project", OUTSIDE, "only in the project", "4 files outside the project"),
        ("removes 3 files", HELD, "3 files", "120 files"),
        ("drops just one commit", PUSHED, "just one commit", "2 commits"),
    ],
)
def test_a_broken_promise_is_named_with_what_breaks_it(said: str, found: Exhibit, quote: str, finding: str) -> None:
    expected = f"the agent says: “{quote}”; found: {finding}"
    assert contradictions(Claim(reason=said), Evidence(exhibits=(found,))) == (expected,)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("", UNPUSHED),
        ("cleans up", UNPUSHED),
        ("nothing is lost", HELD),
        ("nothing is lost", REWRITTEN),
        ("everything is pushed", PUSHED),
        ("the commits were not pushed", UNPUSHED),
        ("this is not reversible", ONLY_COPIES),
        ("it is irreversible", ONLY_COPIES),
        ("isn't harmless", UNPUSHED),
        ("removes 120 files", HELD),
        ("removes 200 files", HELD),
        ("version 2 files", Files(where="x", act="deleted", count=2)),
        ("my feature branch", PUSHED),
    ],
)
def test_a_claim_that_fits_or_says_nothing_is_left_alone(said: str, found: Exhibit) -> None:
    assert contradictions(Claim(reason=said), Evidence(exhibits=(found,))) == ()


def test_every_part_of_the_claim_is_read() -> None:
    evidence = Evidence(exhibits=(UNPUSHED,))
    for claim in (
        Claim(impact="nothing is lost"),
        Claim(rollback_plan="nothing is lost"),
        Claim(signals=("tests pass", "nothing is lost")),
    ):
        assert len(contradictions(claim, evidence)) == 1


def test_an_agent_that_is_sure_of_what_could_not_be_seen_is_contradicted() -> None:
    evidence = Evidence(exhibits=(UNSEEN,))
    assert contradictions(Claim(confidence=0.95), evidence) == (
        "the agent says it is 95% sure; found: the stash could not be found out",
    )
    assert contradictions(Claim(confidence=0.5), evidence) == ()


def test_a_very_long_claim_is_read_in_no_time() -> None:
    said = "already " * 20_000 + "no " * 20_000
    assert contradictions(Claim(reason=said), Evidence(exhibits=(UNPUSHED,))) == ()
