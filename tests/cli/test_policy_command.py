"""``askfirst policy`` for people and for programs."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner

from askfirst.cli import policy
from askfirst.testing.bench import a_draft
from audit.history import calls
from audit.keys import open_keys
from audit.testing_core import core

if TYPE_CHECKING:
    from pathlib import Path

    from askfirst.testing.postgres import Server


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASKFIRST_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.setenv("ASKFIRST_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "300")
    (tmp_path / "project" / ".git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path


def _run(*arguments: str, past: list[dict[str, object]] | None = None) -> tuple[int, str]:
    app = typer.Typer()
    schemes = {"web": 1, "slack": 1, "telegram": 1, "github": 2, "foreign": 3}, frozenset({"web"})
    policy.add(app, lambda _, n: (past or [])[-n:], lambda: schemes)
    app.command("other")(lambda: None)
    result = CliRunner().invoke(app, ["policy", *arguments])
    return result.exit_code, result.output


def test_check_says_in_one_sentence_what_to_mend(home: Path) -> None:
    file = home / "policy.toml"
    assert _run("check")[0] == 0
    file.write_text('[[rule]]\nname = "x"\nmatch = { tool = "*" }\noutcom = "ask"\n')

    for arguments in ((), (str(file),)):
        code, output = _run("check", *arguments)
        assert code == 1
        assert f"{file}:4: unknown key 'rule[1].outcom'; did you mean 'outcome'?" in output
    code, output = _run("check", "--json", str(file))
    assert (code, json.loads(output)["ok"]) == (1, False)


def test_check_names_those_whom_a_route_cannot_tell(home: Path) -> None:
    """The broker would deny what it should ask about (I6): better said before."""
    file = home / "policy.toml"
    (home / "config.toml").write_text('[telegram]\nbot_token_file = "bot"\n')
    file.write_text('[routes]\ndefault = ["telegram:1", "web:inbox"]\nasync = ["slack:#ops"]\n')
    missing = (
        f"{file}:3: the route 'async' tells slack:#ops, and [slack] is not set up in config.toml here: "
        "the broker would deny what it should ask about"
    )
    wrong = (
        f"{file}:2: the route 'default' tells telegrm:@x, and there is no channel 'telegrm'; did you mean 'telegram'?"
    )
    for arguments in ((), (str(file),)):
        code, output = _run("check", *arguments)
        assert (code, output.count("tells")) == (0, 1)
        assert f"warning: {missing}" in output
    file.write_text('[routes]\ndefault = ["telegrm:@x"]\nasync = ["slack:#ops"]\n')
    code, output = _run("check")
    assert code == 1
    assert wrong in output
    code, output = _run("check", "--json", str(file))
    assert (code, json.loads(output)) == (
        1,
        {"ok": False, "files": {str(file): ""}, "routes": [wrong], "warnings": [missing]},
    )


@pytest.mark.parametrize(
    ("channels", "text", "warned"),
    [
        (
            "",
            '[[rule]]\nname = "x"\nassurance = 3\nmatch = { tool = "*" }\n',
            "3: the rule 'x' wants reviews of assurance 3",
        ),
        ("[github]\n", '[[rule]]\nname = "x"\nassurance = 3\nmatch = { tool = "*" }\n', "vouches for more than 2: the"),
        ("[foreign]\n", '[[rule]]\nname = "x"\nassurance = 3\nmatch = { tool = "*" }\n', ""),
        ("[github]\n", "[risk.high]\nassurance = 2\n", ""),
        (
            "",
            "[risk.high]\nassurance = 2\n",
            "2: risk.high wants reviews of assurance 2, and no channel here vouches for more",
        ),
        ("", "[unknown]\nassurance = 2\n", "2: unknown wants reviews of assurance 2"),
        ("", "[risk.high]\nassurance = 1\n", ""),
        ("", "break_glass_s = 900\n[risk.high]\nassurance = 2\n", ""),
        ("", "break_glass_s = 900\n[risk.high]\nassurance = 2\nbreak_glass_s = 0\n", "3: risk.high wants"),
        ("", '[[rule]]\nname = "x"\nassurance = 3\noutcome = "deny"\nmatch = { tool = "*" }\n', ""),
    ],
)
def test_check_warns_where_no_review_could_be_worth_enough(home: Path, channels: str, text: str, warned: str) -> None:
    (home / "config.toml").write_text(channels)
    for file in (home / "policy.toml", home / "project" / "askfirst.toml"):
        if "break_glass_s = 900" in text and file.name == "askfirst.toml":
            continue  # a project may not say so
        file.write_text(text)
        for arguments in ((), (str(file),)):
            code, output = _run("check", *arguments)
            warnings = [line for line in output.splitlines() if line.startswith(f"warning: {file}:")]
            assert (code, len(warnings)) == (0, bool(warned))
            assert warned in "".join(warnings)
        file.unlink()


@pytest.mark.parametrize(
    ("terms", "warned"),
    [
        ('reviewers = ["role:lead"]', ""),
        ('reviewers = ["role:lead", "local:bob"]\napprovals = 2', ""),
        (
            'reviewers = ["role:lead"]\napprovals = 2',
            "3: the rule 'x' needs 2 of role:lead, and the configuration names 1",
        ),
        ('reviewers = ["role:led"]', "3: the rule 'x' needs 1 of role:led, and the configuration names 0 of these"),
        (
            'reviewers = ["ann"]',
            "3: the rule 'x' names the reviewer 'ann', whom nobody can be: write a person's id like",
        ),
        ('stages = [{ name = "a" }, { name = "b", reviewers = ["team:ops"] }]', "3: the rule 'x' needs 1 of team:ops"),
        ("approvals = 20", ""),
        ('outcome = "deny"\nreviewers = ["role:led"]', "4: the rule 'x' says reviewers, and denies: nobody is asked"),
        ('outcome = "deny"\nreason = "no"', ""),
    ],
)
def test_check_warns_where_too_few_people_are_meant(home: Path, terms: str, warned: str) -> None:
    people = '[[people]]\nid = "local:ann"\nroles = ["lead"]\n[[people]]\nid = "local:bob"\n'
    (home / "config.toml").write_text(people)
    file = home / "policy.toml"
    file.write_text(f'[[rule]]\nname = "x"\n{terms}\nmatch = {{ tool = "*" }}\n')
    code, output = _run("check")
    warnings = [line for line in output.splitlines() if line.startswith(f"warning: {file}:")]
    assert (code, len(warnings)) == (0, bool(warned))
    assert warned in "".join(warnings)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            'route = "ops"\nmatch = { tool = "*" }\n',
            "2: rule 'x': no route 'ops'; known here: async, critical, default",
        ),
        ('on_timeout = "escalate"\nmatch = { tool = "*" }\n', "2: rule 'x': on_timeout = 'escalate' needs escalation"),
        ('match = { tool = "*", condition = "argument.a > 1" }\n', "2: rule 'x': the condition uses 'argument', which"),
    ],
)
def test_check_names_the_rule_and_its_line_where_the_rule_does_not_hold_together(
    home: Path, text: str, sentence: str
) -> None:
    file = home / "policy.toml"
    file.write_text(f'[[rule]]\nname = "x"\n{text}')
    code, output = _run("check", str(file))
    assert (code, f"{file}:{sentence}" in output) == (1, True)


def test_check_warns_of_a_rule_that_an_earlier_one_hides(home: Path) -> None:
    for file in (home / "policy.toml", home / "project" / "askfirst.toml"):
        file.write_text(
            '[[rule]]\nname = "all"\noutcome = "ask"\nmatch = { command = "terraform *" }\n'
            '[[rule]]\nname = "plan"\noutcome = "deny"\nmatch = { command = "terraform plan *" }\n'
        )
        for arguments in ((), (str(file),)):
            code, output = _run("check", *arguments)
            assert (code, f"warning: {file}:5: the rule 'plan' is hidden: 'all' above it" in output) == (0, True)
        file.unlink()


def test_check_takes_a_file_of_a_projects_name_for_a_projects(home: Path) -> None:
    file = home / "project" / "askfirst.toml"
    file.write_text('extends = "strict"\n')

    assert _run("check", str(file))[0] == 1
    assert _run("check", "--as", "user", str(file))[0] == 0


def test_explain_names_layer_rule_reason_and_terms(home: Path) -> None:
    (home / "policy.toml").write_text('extends = "team"\n')
    (home / "project" / "askfirst.toml").write_text(
        '[[rule]]\nname = "mine"\noutcome = "deny"\nreason = "not in here"\nmatch = { command = "npm *" }\n'
    )

    code, output = _run("explain", "--", "rm", "-rf", "/")
    assert code == 1
    assert "decided by rule risk.critical of the team policy, at critical risk" in output
    assert "proposer: 1 of anybody who is known, told by web:inbox" in output
    code, output = _run("explain", "--json", "--", "npm publish")
    found = json.loads(output)
    assert (found["outcome"], found["policy"], found["rule"]) == ("deny", "project", "mine")
    assert [each["layer"] for each in found["layers"]] == ["built-in", "user", "team", "project"]
    assert _run("explain", "--", "ls")[0] == 0


_AT_NIGHT = 'time = { hours = "22:00-06:00", timezone = "Europe/Berlin" }'


@pytest.mark.parametrize(
    ("match", "fits", "does_not"),
    [
        ('model = "small-*"', ("--model", "small-2"), ("--model", "large-2")),
        ('agent = "reviewer"', ("--agent", "reviewer"), ()),
        ('agent = "main"', ("--agent", "main"), ("--agent", "reviewer")),
        ('session = "s1"', ("--session", "s1"), ("--session", "s2")),
        ('host = "codex"', ("--host", "codex"), ()),
        ("confidence_below = 0.5", ("--confidence", "0.4"), ("--confidence", "1.0")),
        (_AT_NIGHT, ("--at", "2026-11-25T22:00:00+01:00"), ("--at", "2026-11-25T20:00:00Z")),
    ],
)
def test_explain_and_cases_take_the_circumstances_that_a_rule_may_look_at(
    home: Path, match: str, fits: tuple[str, ...], does_not: tuple[str, ...]
) -> None:
    file = home / "draft.toml"
    file.write_text(f'[[rule]]\nname = "r"\noutcome = "deny"\nmatch = {{ command = "ls *", {match} }}\n')
    cases = home / "cases.toml"
    for given, outcome in ((fits, "deny"), (does_not, "allow")):
        code, _output = _run("explain", "--layer", str(file), *given, "--", "ls -l")
        assert code == (outcome == "deny")
        value = "".join(given[1:]) if given[:1] in {("--at",), ("--confidence",)} else f'"{"".join(given[1:])}"'
        more = f"{given[0][2:]} = {value}\n" if given else ""
        cases.write_text(f'[[case]]\ncommand = "ls -l"\noutcome = "{outcome}"\n{more}')
        assert _run("test", "--layer", str(file), str(cases)) == (0, "1 of 1 cases as expected\n")


@pytest.mark.parametrize(
    ("at", "sentence"),
    [
        ("2026-11-25T22:00:00", "at needs an offset, e.g. 2026-11-25T22:00:00+01:00"),
        ("tonight", "--at: input should be a valid datetime"),
    ],
)
def test_a_moment_that_is_none_is_told(home: Path, at: str, sentence: str) -> None:
    del home
    code, output = _run("explain", "--at", at, "--", "ls")
    assert code not in {0, 1}
    assert sentence in output


def test_explain_names_the_rule_that_set_a_term(home: Path) -> None:
    (home / "policy.toml").write_text(
        '[[rule]]\nname = "unsure"\napproval_timeout_s = 60\nmatch = { confidence_below = 0.5 }\n'
    )
    arguments = ("--confidence", "0.4", "--", "git push --force origin main")
    code, output = _run("explain", *arguments)
    assert code == 1
    assert "people have 60 s" in output
    assert "approval_timeout_s is as rule unsure of the user policy has it" in output
    assert json.loads(_run("explain", "--json", *arguments)[1])["set_by"] == {
        "approval_timeout_s": "unsure of the user policy"
    }


def test_a_file_can_be_tried_before_it_is_put_in_place(home: Path) -> None:
    file = home / "draft.toml"
    file.write_text('[[rule]]\nname = "r"\noutcome = "deny"\nmatch = { command = "ls *" }\n')

    assert _run("explain", "--layer", str(file), "--", "ls")[0] == 1
    assert _run("explain", "--layer", str(home / "none.toml"), "--", "ls")[0] == 78


@pytest.mark.parametrize("command", [("explain", "--", "ls"), ("test", "cases.toml"), ("backtest",)])
def test_a_file_that_cannot_be_used_is_not_tried(home: Path, command: tuple[str, ...]) -> None:
    """It would deny everything, and a backtest would end well: it lets nothing pass that a person denied."""
    (home / "state").mkdir(mode=0o700)
    (home / "state" / "askfirst.db").write_bytes(b"")
    (home / "project" / "cases.toml").write_text('[[case]]\ncommand = "ls"\noutcome = "deny"\n')
    file = home / "draft.toml"
    file.write_text("[[rule]\n")
    name, *rest = command

    code, output = _run(name, "--layer", str(file), *rest)
    assert code == 78
    assert f"{file} is not TOML" in output


def test_cases_are_run_on_the_policy_in_use(home: Path) -> None:
    cases = home / "cases.toml"
    cases.write_text('[[case]]\ncommand = "git reset --hard"\noutcome = "ask"\n')

    assert _run("test", str(cases)) == (0, "1 of 1 cases as expected\n")
    (home / "policy.toml").write_text('extends = "ci"\n')
    code, output = _run("test", "--json", str(cases))
    assert (code, json.loads(output)["failed"]) == (1, 1)


def test_backtest_fails_when_it_lets_pass_what_a_person_denied(home: Path) -> None:
    (home / "state").mkdir(mode=0o700)
    (home / "state" / "askfirst.db").write_bytes(b"")
    call = {"t": "2026-11-25T12:00:00Z", "action": {"tool": "Bash"}, "input": {"command": "rm -rf /"}}
    past = [{**call, "ended": "denied"}]
    assert _run("backtest", past=past)[0] == 0
    (home / "policy.toml").write_text('[risk.critical]\noutcome = "allow"\n')

    code, output = _run("backtest", past=past)
    assert code == 1
    assert "1 x lets pass what a person denied" in output
    code, output = _run("backtest", "--json", past=past)
    assert json.loads(output)["false_allow_on_human_denied"]["count"] == 1


def test_backtest_tells_what_was_erased_from_what_never_was_in_the_log(home: Path) -> None:
    (home / "state").mkdir(mode=0o700)
    (home / "state" / "askfirst.db").write_bytes(b"")
    kept = {"action": {"tool": "Bash", "input": {"len": 2, "sha256": "00"}}, "input": {"command": "ls"}}
    calls = [{**kept, "ended": "passed"}, {**kept, "input": None, "ended": "passed"}]
    refused = {"action": {"tool": "Bash"}, "input": None, "ended": "refused"}
    tried = "1 calls tried, {} not: "
    erased, never = (
        "1 had their arguments erased",
        "{} never had them whole in the log: they were answered from an earlier request, or are long",
    )

    for past, sentence in (
        (calls[:1], "1 calls tried\n"),
        (calls, f"{tried.format(1)}{erased}\n"),
        ([calls[0], refused, refused], f"{tried.format(2)}{never.format(2)}\n"),
        ([*calls, refused], f"{tried.format(2)}{erased} and {never.format(1)}\n"),
    ):
        assert _run("backtest", past=past)[1].startswith(sentence)
    counts = json.loads(_run("backtest", "--json", past=[*calls, refused])[1])
    assert (counts["calls"], counts["unread"], counts["erased"]) == (1, 2, 1)


def test_backtest_needs_a_store(home: Path) -> None:
    code, output = _run("backtest")

    assert code == 1
    assert "there is no store" in output


def test_the_layers_in_use_are_listed_with_their_digests(home: Path) -> None:
    (home / "policy.toml").write_text("")
    code, output = _run("list", "--json")

    assert code == 0
    assert [(each["layer"], len(each["sha256"])) for each in json.loads(output)["layers"]] == [
        ("built-in", 64),
        ("user", 64),
    ]
    assert "personal, team, strict, ci" in _run("list")[1]


def test_the_schema_is_json(home: Path) -> None:
    assert json.loads(_run("schema")[1])["title"] == "Askfirst policy"


@pytest.mark.slow
def test_backtest_reads_the_log_of_a_shared_database(home: Path, postgres: Server) -> None:
    url = postgres.create()
    keys = open_keys(home / "state")
    with core(home / "unused.db", url, signer=keys.log) as made:
        keys.publish()
        asyncio.run(made.desk.ask(a_draft(now_ms=made.clock.now_ms())))
    (home / "config.toml").write_text(f"[store]\nurl = {json.dumps(url)}\n")

    app = typer.Typer()
    policy.add(app, calls, lambda: ({}, frozenset()))
    app.command("other")(lambda: None)
    result = CliRunner().invoke(app, ["policy", "backtest", "--json"])

    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["calls"] == 1
    postgres.drop(url)
