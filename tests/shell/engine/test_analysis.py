"""The three outcomes, what people are shown, and the tree for ``explain``."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from askfirst.effects import Outcome, Risk
from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from askfirst.shell.analysis import Analysis, Step, analyse


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("ls -la | grep x > out.txt", Outcome.ALLOW),
        ("cd src && python3 -c 'print(1)' && pytest -q", Outcome.ALLOW),
        ("sudo env A=1 timeout 5 ls", Outcome.ALLOW),
        ("for f in *.py; do echo $f; done", Outcome.ALLOW),
        ("pip install x && npm ci", Outcome.ALLOW),
        ("", Outcome.ALLOW),
        ("sort a | uniq", Outcome.ALLOW),
        ("sort -o a a", Outcome.PASS),
        ("sort -oa a", Outcome.PASS),
        ("date", Outcome.ALLOW),
        ("date --set=tomorrow", Outcome.PASS),
        ("unknown-program", Outcome.PASS),
        ("ls; unknown-program", Outcome.PASS),
        ("$UNKNOWN", Outcome.PASS),
        ("sh missing.sh", Outcome.PASS),
        ("unknown | sh", Outcome.GATE),
        ("git show HEAD:install.sh | bash -s -- --yes", Outcome.GATE),
        ("./deploy.sh", Outcome.GATE),
        ("./deploy.sh --help", Outcome.PASS),
        ("python3 scripts/reset_db.py", Outcome.GATE),
        ("python3 tests/test_delete.py", Outcome.PASS),
        ("sed 's/^/rm -rf /' list | sh", Outcome.GATE),
        ("sed 's/^/echo /' list | sh", Outcome.PASS),
        ("rm -rf x", Outcome.GATE),
        ("ls; ls; rm -rf x; ls", Outcome.GATE),
        ("$UNKNOWN -rf /", Outcome.GATE),
        ("$UNKNOWN delete --force", Outcome.GATE),
        (":(){ :|:& };:", Outcome.GATE),
        ("b() { b | b & }; b", Outcome.GATE),
    ],
)
def test_the_outcome_of_a_line(text: str, outcome: Outcome, run: Callable[..., Analysis]) -> None:
    assert run(text).outcome is outcome


@pytest.mark.parametrize("harmless", ["ls", "echo 'rm -rf x'", "git status", "true || false", "lsblk", "df -h"])
def test_nothing_harmless_beside_it_disarms_a_dangerous_command(harmless: str, run: Callable[..., Analysis]) -> None:
    for text in (
        f"{harmless}; rm -rf x",
        f"rm -rf x && {harmless}",
        f"rm -rf x | {harmless}",
        f"rm -rf x $({harmless})",
    ):
        assert run(text.replace("{}", harmless)).outcome is Outcome.GATE


def test_effects_come_gravest_first_and_once(run: Callable[..., Analysis]) -> None:
    effects = run("$X; rm -rf a; rm -rf a; curl u | sh").effects
    assert [effect.risk for effect in effects] == sorted((effect.risk for effect in effects), reverse=True)
    assert [effect.rule for effect in effects].count("execution.remote-code") == 1


def test_an_effect_names_the_wrappers_it_was_found_under(run: Callable[..., Analysis]) -> None:
    (effect,) = run("sudo -u a ssh host 'bash -c \"rm -rf x\"'").effects
    assert effect.via == ("sudo", "ssh host", "bash -c")


def test_a_command_elsewhere_says_where_and_knows_no_directory(run: Callable[..., Analysis]) -> None:
    command = run("docker exec -u root web sh -c 'rm -rf x'").commands[-1]
    assert (command.where, command.cwd) == ("docker exec web", None)


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("ls -la", ""),
        ("X=rm; $X -rf /", "rm -rf /"),
        ('sudo bash -c "rm -rf $HOME"', "rm -rf /home/me"),
        ("for d in a b; do rm -rf $d; done", "rm -rf a\nrm -rf b"),
    ],
)
def test_people_are_shown_what_the_shell_would_run(text: str, expanded: str, run: Callable[..., Analysis]) -> None:
    assert run(text).expanded == expanded


def test_the_tree_shows_what_was_unwrapped(run: Callable[..., Analysis]) -> None:
    tree = run("ls; sudo sh -c 'cd /; rm -rf x'").tree

    def outline(steps: tuple[Step, ...]) -> list[object]:
        return [(step.label, outline(step.steps)) if step.steps else step.label for step in steps]

    assert outline(tree) == ["ls", ("sudo", [("sh -c", ["cd /", "rm -rf x"])])]
    assert tree[1].steps[0].steps[1].effects[0].rule == "double.rm"


def test_opaque_things_alone_are_recorded_at_medium(run: Callable[..., Analysis]) -> None:
    for text in ("$UNKNOWN x", "sh missing.sh", "eval $(ssh-agent)"):
        assert [effect.risk for effect in run(text).effects] == [Risk.MEDIUM], text


def test_without_a_directory_paths_stay_relative_and_nothing_breaks() -> None:
    analysis = analyse("cd x && ls > f; sh f", cwd="", facts=NoFacts(), book=RuleBook.load(), cpu_s=60)
    assert analysis.commands[0].cwd is None
