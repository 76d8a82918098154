"""``askfirst check``: a line in, a line out, in order, whatever the line holds."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner, Result

from askfirst.cli import check, explain, policy


def app() -> typer.Typer:
    made = typer.Typer()
    check.add(made)
    explain.add(made)
    policy.add(made, lambda *_: [], lambda: (frozenset(), frozenset()))
    return made


def run(*arguments: str, stdin: bytes = b"") -> Result:
    return CliRunner().invoke(app(), list(arguments), input=stdin)


def line(command: str, **more: object) -> bytes:
    return json.dumps({"tool_name": "Bash", "tool_input": {"command": command}, "cwd": "/srv/p", **more}).encode()


def test_every_line_gets_its_object_in_order() -> None:
    lines = [line("ls"), line("rm -rf /"), b"{", b"", b"[1]", line("git status"), b"\xff\xfe", line("x", cwd=3)]
    done = run("check", "--stdin", "--json", stdin=b"\n".join(lines) + b"\n")
    outcomes = [json.loads(each)["outcome"] for each in done.output.splitlines()]
    assert done.exit_code == 0
    assert outcomes == ["allow", "gate", "gate", "gate", "gate", "allow", "gate", "gate"]


def test_what_names_its_command_twice_is_gated() -> None:
    twice = b'{"tool_name": "Bash", "tool_input": {"command": "ls", "command": "ls -l"}, "cwd": "/srv/p"}\n'
    told = json.loads(run("check", "--stdin", "--json", stdin=twice).output)
    assert (told["outcome"], told["reason"]) == (
        "gate",
        "the payload names 'command' twice in one object, which readers take for different things",
    )


def test_what_the_locale_has_no_letter_for_is_answered_too() -> None:
    done = run("check", "--stdin", "--json", stdin=line("rm -rf /srv/\U0001f600 \ud800") + b"\n")
    assert done.output.isascii()
    assert json.loads(done.output)["outcome"] == "gate"


def test_a_gated_line_says_why() -> None:
    done = run("check", "--stdin", "--json", stdin=line("git push --force origin main") + b"\n")
    found = json.loads(done.output)
    assert found["rules"]
    assert found["reason"]
    assert found["effects"][0]["span"] == [0, 28]


def test_a_script_that_the_session_wrote_is_read_when_it_is_run() -> None:
    write = {"tool_name": "Write", "tool_input": {"file_path": "/srv/p/x.sh", "content": "rm -rf /srv/data"}}
    lines = [json.dumps({**write, "session_id": "s"}).encode(), line("sh x.sh", session_id="s")]
    done = run("check", "--stdin", "--json", stdin=b"\n".join(lines) + b"\n")
    assert [json.loads(each)["outcome"] for each in done.output.splitlines()][1] == "gate"


def test_it_says_how_it_wants_to_be_called() -> None:
    assert run("check").exit_code == 2


@pytest.mark.parametrize(("command", "code", "word"), [("ls -la", 0, "allow"), ("rm -rf /", 1, "gate")])
def test_explain_ends_with_the_outcome(command: str, code: int, word: str) -> None:
    done = run("explain", "--", command)
    assert (done.exit_code, done.output.splitlines()[-1].split(":")[0]) == (code, word)
    as_json = json.loads(run("explain", "--json", "--", command).output)
    assert as_json["outcome"] == word


def test_a_case_file_that_holds_passes_and_one_that_does_not_names_the_case(tmp_path) -> None:
    good, bad, broken = tmp_path / "good.toml", tmp_path / "bad.toml", tmp_path / "broken.toml"
    good.write_text('[[case]]\ncommand = "rm -rf /"\nexpect = "gate"\n', encoding="utf-8")
    bad.write_text('[[case]]\ncommand = "ls"\nexpect = "gate"\n', encoding="utf-8")
    broken.write_text('[[case]]\ncommand = "ls"\nexpct = "gate"\n', encoding="utf-8")
    assert run("policy", "test", str(good)).exit_code == 0
    failed = run("policy", "test", str(bad))
    assert failed.exit_code == 1
    assert "expected gate, got allow" in failed.output
    refused = run("policy", "test", str(broken))
    assert refused.exit_code == 78
