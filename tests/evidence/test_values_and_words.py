"""Evidence as values and in words: exact inverses, stable digests, whole texts."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from askfirst.evidence.values import (
    Commit,
    Commits,
    Deployment,
    Evidence,
    Exhibit,
    File,
    Files,
    Gap,
    Plan,
    Ref,
    Refs,
    Script,
    Statement,
    Statements,
    text_of,
)
from askfirst.evidence.words import Mark, certainty_of, impact_of, rollback_of, sections_of, signals_of, size
from askfirst.request import Request, dump, load
from askfirst.testing.bench import a_draft, a_request

AT_S = 1_800_000_000
COMMIT = Commit(id="1a2b3c4d5e6f7890", subject="Fix it", author="Ann", at_s=AT_S, pushed=False)
LOST = Commits(where="topic", count=3, unpushed=2, listed=(COMMIT,), rollback=("git branch topic 1a2b3c4d5e6f",))
FILES = Files(
    where="/srv/project",
    act="deleted",
    count=12,
    size_bytes=40_000,
    newest_at_s=AT_S,
    standings={"untracked": 2, "tracked": 10},
    only_copies=2,
    only_copy_bytes=1_500,
    largest=(File(path="notes.md", size_bytes=1_400, at_s=AT_S, standing="untracked"),),
    outside=1,
    repositories=("vendor/lib",),
)
REFS = Refs(
    where="origin",
    refs=(Ref(name="refs/heads/main", old="a" * 40, new="b" * 40, shared=True), Ref(name="refs/tags/v1", deleted=True)),
    count=3,
    seen="fetched",
    seen_at_s=AT_S,
    rollback=("git push --force origin aaaaaaaaaaaa:refs/heads/main",),
)
SQL = Statements(
    database="shop",
    statements=(
        Statement(verb="DELETE", tables=("orders",), rows=1200),
        Statement(verb="DROP", tables=("old",), whole=True),
    ),
    count=2,
    estimated="shop",
)
PLAN = Plan(command="terraform plan", text="- db", summary="Plan: 0 to add, 0 to change, 2 to destroy.", destroys=2)
SCRIPT = Script(path="/srv/project/x.sh", text="rm -rf /", size_bytes=8)
DEPLOY = Deployment(where="tag v1", old="a" * 40, new="b" * 40, count=2, back=1, dirty=3, listed=(COMMIT,))
FAILED = Gap(about="the stash", reason="git did not answer in time")
UNASKED = Gap(about="the plan of terraform", reason="running it is not allowed", failed=False)
EVERYTHING: tuple[Exhibit, ...] = (LOST, FILES, REFS, SQL, PLAN, SCRIPT, DEPLOY, FAILED, UNASKED)


def test_a_request_with_every_kind_of_evidence_is_stored_and_read_back_unchanged() -> None:
    request = replace(
        a_request(a_draft()), evidence=Evidence(exhibits=EVERYTHING, state={"HEAD": "a" * 40}, took_ms=12)
    )
    assert load(Request, dump(request)) == request


def test_a_request_of_an_earlier_release_has_no_evidence() -> None:
    stored = json.loads(dump(a_request(a_draft())))
    del stored["evidence"]
    assert load(Request, json.dumps(stored)).evidence == Evidence()


def test_digests_tell_contents_apart_and_the_state_from_no_state() -> None:
    evidence = Evidence(exhibits=(LOST, FILES), state={"HEAD": "a"})
    other = Evidence(exhibits=(replace(LOST, count=4), FILES), state={"HEAD": "b"})
    assert [each.split()[0] for each in evidence.digests()] == ["commits", "files"]
    assert evidence.digests()[0] != other.digests()[0]
    assert evidence.digests()[1] == other.digests()[1]
    assert evidence.state_digest != other.state_digest
    assert Evidence().state_digest == ""


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"caf\xe9", "caf\\xe9"),
        ("caf\udce9", "caf\\xe9"),
        ("lone \ud800 half", "lone \\ud800 half"),
        ("two\nlines", "two\nlines"),
        ("x" * 301, "x" * 299 + "…"),
    ],
)
def test_foreign_text_becomes_valid_and_bounded(raw: str | bytes, expected: str) -> None:
    assert text_of(raw) == expected


def test_signals_come_warnings_first_and_good_news_last() -> None:
    evidence = Evidence(exhibits=(Commits(where="old", count=0), FAILED, LOST))
    assert [(each.mark, each.text) for each in signals_of(evidence)] == [
        (Mark.WARN, "3 commits of topic would be held by nothing"),
        (Mark.WARN, "2 of them never pushed"),
        (Mark.OPEN, "could not be found out: the stash (git did not answer in time)"),
        (Mark.GOOD, "no commit of old is lost: other refs hold them all"),
    ]


def test_every_kind_of_evidence_has_words() -> None:
    texts = [each.text for each in signals_of(Evidence(exhibits=EVERYTHING))]
    assert texts == [
        "3 commits of topic would be held by nothing",
        "2 of them never pushed",
        "12 files (40.0 KB) in /srv/project would be deleted",
        "2 of them are in no commit (1.5 KB)",
        "1 file outside the project",
        "whole repositories: vendor/lib",
        "main on origin is a shared branch",
        "tags that others rely on: v1",
        "DELETE orders, about 1,200 rows",
        "DROP old: every row, there is no condition",
        "Plan: 0 to add, 0 to change, 2 to destroy.",
        "runs the script /srv/project/x.sh (8 B)",
        "2 commits since tag v1 would be deployed",
        "1 commit of tag v1 would be taken back",
        "3 files with uncommitted changes would be deployed",
        "origin is known as last fetched 2027-01-15 08:00 UTC; it may have moved on",
        "could not be found out: the stash (git did not answer in time)",
        "not looked into: the plan of terraform (running it is not allowed)",
    ]


def test_the_impact_adds_up_and_admits_what_is_not_known() -> None:
    everything = Evidence(exhibits=EVERYTHING)
    assert impact_of(everything) == (
        "would lose 3 commits, 2 files (1.5 KB), about 1,200 rows and 2 resources; not everything could be seen"
    )
    assert impact_of(Evidence(exhibits=(Commits(where="x", count=0),))) == "nothing is lost for good"
    unseen = "as far as was looked, nothing is lost; not everything could be seen"
    assert impact_of(Evidence(exhibits=(FAILED,))) == unseen
    assert impact_of(Evidence()) == ""
    assert certainty_of(everything) == "1 thing could not be found out and 1 thing nobody looked into"
    assert certainty_of(Evidence(exhibits=(LOST,))) == "everything was looked at"


def test_the_way_back_is_ours_and_says_what_has_none() -> None:
    assert rollback_of(Evidence(exhibits=(LOST, FILES, REFS))) == (
        "git branch topic 1a2b3c4d5e6f",
        "git push --force origin aaaaaaaaaaaa:refs/heads/main",
        "no way back by git for 2 files: no commit has them",
    )


def test_sections_count_what_they_do_not_list() -> None:
    commits, files, refs, *_ = sections_of(Evidence(exhibits=EVERYTHING))
    assert commits.rows == ("1a2b3c4d5e6f Fix it (Ann, 2027-01-15 08:00 UTC, never pushed)",)
    assert (commits.more, files.more, refs.more) == (2, 11, 1)
    assert files.title == "Files deleted in /srv/project: 2 untracked, 10 held by git; newest 2027-01-15 08:00 UTC"
    assert refs.rows == ("main: aaaaaaaaaaaa → bbbbbbbbbbbb", "v1: not known → deleted")


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1.0 KB"), (123_456, "123 KB"), (5 * 10**13, "50.0 TB")],
)
def test_sizes_are_for_people(size_bytes: int, expected: str) -> None:
    assert size(size_bytes) == expected


def test_a_commit_may_claim_any_date() -> None:
    odd = replace(COMMIT, at_s=10**18)
    sections = sections_of(Evidence(exhibits=(replace(LOST, listed=(odd,)),)))
    assert sections[0].rows == ("1a2b3c4d5e6f Fix it (Ann, never pushed)",)


def test_stash_entries_are_called_so() -> None:
    entry = Commit(id="a" * 40, subject="stash@{0} WIP: a.txt", author="", at_s=AT_S, pushed=False)
    evidence = Evidence(exhibits=(Commits(where="the stash", count=2, is_stash=True, listed=(entry,)),))
    assert [each.text for each in signals_of(evidence)] == ["2 stash entries would be dropped; they are nowhere else"]
    assert impact_of(evidence) == "would lose 2 stash entries"
    assert sections_of(evidence)[0].rows == ("aaaaaaaaaaaa stash@{0} WIP: a.txt (2027-01-15 08:00 UTC)",)
