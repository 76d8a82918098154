"""The page shows the gate's evidence apart from the agent's claim."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.evidence.values import Commit, Commits, Evidence, File, Files, Gap, Script
from askfirst.request import Claim
from askfirst.testing.bench import a_draft

if TYPE_CHECKING:
    from tests.channels.web.conftest import Page, Web

HOSTILE = "<script>alert(1)</script> \u202e {{ 7*7 }}"
EVIDENCE = Evidence(
    exhibits=(
        Commits(
            where="main",
            count=12,
            unpushed=2,
            listed=(Commit(id="a" * 40, subject=HOSTILE, author="Ann", at_s=0, pushed=False),),
            rollback=("git branch main-before aaaaaaaaaaaa",),
        ),
        Files(
            where="/srv/project",
            act="deleted",
            count=1,
            size_bytes=9,
            only_copies=1,
            only_copy_bytes=9,
            standings={"untracked": 1},
            largest=(File(path=f"{HOSTILE}\nsecond", size_bytes=9, at_s=0, standing="untracked"),),
        ),
        Script(path="/srv/project/x.sh", text=HOSTILE, size_bytes=30),
        Gap(about="the stash", reason="git did not answer in time"),
    )
)


def test_what_was_found_stands_above_what_the_agent_says(web: Web, page: type[Page]) -> None:
    async def story() -> str:
        case = await web.bench.desk.ask(replace(a_draft(), evidence=EVIDENCE, claim=Claim(reason="nothing is lost")))
        async with web.logged_in() as browser:
            return (await browser.get(f"/requests/{case.request.id}")).text

    html = asyncio.run(story())
    text = page(html).text
    assert text.index("What Askfirst found") < text.index("The agent says")
    assert "would lose 12 commits and 1 file (9 B); not everything could be seen." in text
    assert "12 commits of main would be held by nothing" in text
    assert "and 11 more" in text
    assert "could not be found out: the stash (git did not answer in time)" in text
    assert "git branch main-before aaaaaaaaaaaa" in text
    assert "no way back by git for 1 file: no commit has them" in text
    assert "the agent says: “nothing is lost”; found: 2 unpushed commits and 1 file in no commit" in text
    assert r"<script>alert(1)</script> \u{202E} {{ 7*7 }}\u{A}second" in text
    assert "<script>alert" not in html
    assert "\u202e" not in html


def test_a_request_without_evidence_has_no_empty_section(web: Web, page: type[Page]) -> None:
    async def story() -> str:
        case = await web.bench.desk.ask(replace(a_draft(), claim=Claim(reason="nothing is lost")))
        async with web.logged_in() as browser:
            return (await browser.get(f"/requests/{case.request.id}")).text

    text = page(asyncio.run(story())).text
    assert "What Askfirst found" not in text
    assert "Its own words, checked by nobody." in text
