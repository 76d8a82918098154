"""Requests in the terminal: what is listed, what is described, how one is named."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from askfirst.cli import output
from askfirst.cli.requests import describe, is_listed_whole, only, table
from askfirst.errors import InputError, RequestNotFoundError
from askfirst.evidence.values import Commit, Commits, Evidence, Script
from askfirst.request import Claim, End, RequestState

NOW_MS = 1_800_000_000_000


def listed(*found: dict[str, Any], width: int = 200) -> str:
    screen = Console(file=io.StringIO(), width=width, emoji=False)
    screen.print(table(list(found), now_ms=NOW_MS))
    assert isinstance(screen.file, io.StringIO)
    return screen.file.getvalue()


@pytest.mark.parametrize(
    "command",
    [r"rm -rf /srv/\[bold]x", r"rm \[/tmp/a] b", "rm -rf [red]x[/red]", "echo :bomb:", "rm -rf a\\"],
    ids=["escaped tag", "closing tag", "tag", "emoji", "backslash"],
)
def test_a_command_is_listed_as_it_is(api_request: Any, command: str) -> None:
    assert command in listed(api_request(command))


def test_a_command_is_described_without_emoji(api_request: Any, capsys: pytest.CaptureFixture[str]) -> None:
    output.console.print(describe(api_request("rm :bomb: [red]"))[2], markup=False)
    assert capsys.readouterr().out == "rm :bomb: [red]\n"


@pytest.mark.parametrize(
    ("command", "is_whole"),
    [("x" * 240, True), ("x" * 241, False), ("a\n" * 3 + "b", True), ("a\n" * 4 + "b", False)],
)
def test_the_beginning_of_a_long_command_says_so(api_request: Any, command: str, *, is_whole: bool) -> None:
    found = api_request(command)
    assert is_listed_whole(found) is is_whole
    assert (f"the beginning of {len(command):,} characters" in listed(found)) is not is_whole


def test_a_huge_command_takes_a_few_lines(api_request: Any) -> None:
    assert len(listed(api_request("x" * 300_000), width=80).splitlines()) < 40


def test_what_waits_says_how_long_and_what_would_be_lost(api_request: Any) -> None:
    found = api_request()
    shown = listed(found)
    minutes = (found["approval_expires_at_ms"] - NOW_MS) // 60_000
    assert f"{minutes} min left" in shown
    assert found["effects"][0]["loss"] in shown


def test_an_ended_request_says_when_and_by_whom(api_request: Any) -> None:
    end = End(at_ms=NOW_MS, by="local:ann", channel="web", text="not \u202enow")
    lines = describe(api_request(state=RequestState.DENIED, end=end))
    assert "ended    2027-01-15 08:00:00 UTC by local:ann via web: not \\u{202E}now" in lines


def test_a_pending_request_says_until_when(api_request: Any) -> None:
    assert [line for line in describe(api_request()) if line.startswith("until")] == [
        "until    2027-01-15 08:10:00 UTC, then it is refused as expired"
    ]


def test_no_line_of_others_looks_like_one_of_ours(api_request: Any) -> None:
    forged = "x\n\nlow      deletes nothing\n   ✓     approved by local:ann"
    request = api_request()
    request |= {"cwd": forged, "model": forged, "command": f"rm -rf build\n: <<'E'\n{forged}\nE"}
    request |= {"claim": {**request["claim"], "reason": forged}, "expanded": forged}
    lines = describe(request)
    assert not [line for line in lines if line.startswith(("low ", "   ✓"))]
    assert lines[2:4] == ["│ rm -rf build", "│ : <<'E'"]


def test_a_request_is_named_by_the_beginning_of_its_code() -> None:
    first, second = {"code": "7XQ2KD-11"}, {"code": "7XQ3KD-22"}
    assert only([first, second], "7xq2") is first
    with pytest.raises(InputError, match="2 requests are named '7XQ'; type more"):
        only([first, second], "7XQ")
    for name in ("", "Z"):
        with pytest.raises(RequestNotFoundError, match="no request is named"):
            only([first, second], name)


def test_what_the_gate_found_is_described_apart_from_what_the_agent_says(api_request: Any) -> None:
    commit = Commit(id="a" * 40, subject="odd\nname \u202e", author="Ann", at_s=0, pushed=False)
    lost = Commits(
        where="main", count=2, unpushed=1, listed=(commit,), rollback=("git branch main-before aaaaaaaaaaaa",)
    )
    script = Script(path="/srv/x.sh", text="one\ntwo", size_bytes=7)
    evidence = Evidence(exhibits=(lost, script))
    lines = describe(api_request(evidence=evidence, claim=Claim(reason="nothing is lost", confidence=0.9)))
    assert lines[lines.index("impact   would lose 2 commits") :] == [
        "impact   would lose 2 commits",
        "   ⚠     2 commits of main would be held by nothing",
        "   ⚠     1 of them never pushed",
        "   ⚠     runs the script /srv/x.sh (7 B)",
        "",
        "Commits of main",
        r"         aaaaaaaaaaaa odd\u{A}name \u{202E} (Ann, never pushed)",
        "         and 1 more",
        "",
        "/srv/x.sh",
        "         │ one",
        "         │ two",
        "",
        "the way back",
        "         git branch main-before aaaaaaaaaaaa",
        "found by the gate itself: everything was looked at",
        "agent says (unverified), reason: nothing is lost",
        "agent says (unverified), confidence: 90%",
        "CONTRADICTED  the agent says: “nothing is lost”; found: 1 unpushed commit",
    ]
