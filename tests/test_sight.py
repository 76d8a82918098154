"""What another machine says of itself: stated facts give the same analysis, and what is not stated is the worse."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from askfirst.analyst import DiskAnalyst
from askfirst.call import ToolCall
from askfirst.canonical import canonical
from askfirst.disk import Disk
from askfirst.effects import Risk
from askfirst.errors import InputError
from askfirst.evidence.values import Commits, Evidence, Gap
from askfirst.facts import UNKNOWN, GitPlace
from askfirst.host import Agent
from askfirst.sight import Recorder, Sight, Stated, evidence_out, read_sight, sight_of, unseen
from askfirst.workspace import UNREADABLE, resolve

AGENT = Agent(host="claude-code", session="s")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One commit, a changed file, ignored build output, a script."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for name, text in (("a.txt", "a\n"), (".gitignore", "build\n"), ("clean.sh", "rm -rf src\n")):
        (folder / name).write_text(text)
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], cwd=folder, check=True)
    (folder / "a.txt").write_text("changed\n")
    (folder / "src").mkdir()
    (folder / "src" / "only.py").write_text("x = 1\n")
    (folder / "build").mkdir()
    (folder / "build" / "out.o").write_text("o")
    return folder


COMMANDS = [
    "rm -rf build",
    "rm -rf src",
    "git reset --hard",
    "git status",
    "sh clean.sh",
    "rm -f *.txt",
    "git checkout a.txt",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_stated_facts_give_the_analysis_that_the_disk_gives(repository: Path, command: str) -> None:
    call = ToolCall(tool="Bash", arguments={"command": command}, cwd=str(repository), session="s")
    found, recorder = DiskAnalyst().survey(call)
    noted = json.loads(canonical(recorder.noted()))
    seen = ToolCall(
        tool="Bash",
        arguments=call.arguments,
        cwd=call.cwd,
        session="s",
        sight=Sight(machine="laptop", cwd=call.cwd, facts=Stated(noted)),
    )
    assert DiskAnalyst().classify(seen) == found
    assert DiskAnalyst().classify(call) == found


def test_what_is_not_stated_is_graded_as_the_worse_case(repository: Path) -> None:
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "commit", "-qam", "nothing is left to lose"], cwd=repository, check=True)
    call = ToolCall(tool="Bash", arguments={"command": "git reset --hard"}, cwd=str(repository), session="s")
    here = DiskAnalyst().classify(call)
    there = ToolCall(tool="Bash", arguments=call.arguments, cwd=call.cwd, sight=unseen("laptop", call.cwd))
    assert here.risk < Risk.HIGH
    assert DiskAnalyst().classify(there).risk >= Risk.HIGH


def test_an_answer_that_is_unknown_is_not_stated_and_every_other_comes_back(repository: Path) -> None:
    recorder = Recorder(Disk())
    place = GitPlace(folder=str(repository))
    asked = [
        lambda facts: facts.home(),
        lambda facts: facts.project(str(repository)),
        lambda facts: facts.path(str(repository / "a.txt")),
        lambda facts: facts.holds(str(repository), str(repository / "src")),
        lambda facts: facts.loss(str(repository / "src")),
        lambda facts: facts.expand_glob(f"{repository}/*", 10),
        lambda facts: facts.read_script(str(repository / "clean.sh"), 1_000),
        lambda facts: facts.read_script(str(repository / "none.sh"), 1_000),
        lambda facts: facts.repository(place),
        lambda facts: facts.changes(place),
        lambda facts: facts.cleanable(place, ("-d",), ()),
        lambda facts: facts.commit(place, "HEAD"),
        lambda facts: facts.dropped(place, "refs/heads/main", new="HEAD"),
        lambda facts: facts.setting(place, "core.bare"),
        lambda facts: facts.expand_glob(f"{repository}/*", 1),
    ]
    answers = [ask(recorder) for ask in asked]
    stated = Stated(json.loads(canonical(recorder.noted())))
    assert [ask(stated) for ask in asked] == answers
    assert answers[-1] is UNKNOWN
    assert len(recorder.noted()) == len(asked) - 1
    assert stated.path("/elsewhere") is UNKNOWN


def test_a_name_that_is_no_text_is_not_stated(tmp_path: Path) -> None:
    recorder = Recorder(Disk())
    recorder.path(f"{tmp_path}/\udcff")
    assert recorder.noted() == []


@pytest.mark.parametrize(
    "raw",
    [
        [],
        {"facts": "x"},
        {"facts": [["path"]]},
        {"facts": [["system", [], "x"]]},
        {"facts": [["path", ["/x"], {"kind": "throne"}]]},
        {"facts": [["read_script", ["/x", 1], "%%%"]]},
        {"facts": [["home", [], "/h"]] * 5_000},
        {"files": {"/x": 1}},
        {"cwd": 7},
        {"evidence": {"exhibits": [{"kind": "dragon"}]}},
    ],
)
def test_what_is_no_sight_is_refused(raw: object) -> None:
    with pytest.raises(InputError):
        read_sight(raw, "laptop")


def test_evidence_crosses_as_it_is() -> None:
    evidence = Evidence(exhibits=(Commits(where="main", count=2), Gap(about="x", reason="y")), state={"HEAD": "4f"})
    assert read_sight(json.loads(json.dumps({"evidence": evidence_out(evidence)})), "laptop").evidence == evidence


def test_an_action_elsewhere_is_bound_to_its_machine_and_to_what_that_says(tmp_path: Path) -> None:
    call = ToolCall(tool="Bash", arguments={"command": "sh x.sh"}, cwd="/srv", session="s")
    sight = Sight(machine="laptop", cwd="/srv", head="4f", files={"/srv/x.sh": "9a"})
    action = resolve(
        ToolCall(tool="Bash", arguments=call.arguments, cwd="/srv", sight=sight), AGENT, ["/srv/x.sh", "/y"]
    )
    assert (action.machine, action.head) == ("laptop", "4f")
    assert action.files == {"/srv/x.sh": "9a", "/y": UNREADABLE}
    assert action.digest() != resolve(call, AGENT, ["/srv/x.sh", "/y"]).digest()


def test_a_caller_on_the_broker_s_machine_states_nothing_and_another_s_silence_is_no_look_at_our_disk() -> None:
    call = ToolCall(tool="Bash", arguments={"command": "ls"}, cwd="/srv")
    assert sight_of({"cwd": "/"}, "", call) is None
    silent = sight_of(None, "laptop", call)
    assert silent is not None
    assert silent.facts.path("/") is UNKNOWN
    assert silent.evidence is not None
    assert silent.evidence.gaps[0].about == "the disk of laptop"


def test_what_a_caller_leaves_out_of_its_sight_is_unknown_and_not_looked_for() -> None:
    silent = unseen("laptop").evidence
    for tool, evidence in (("Bash", silent), ("deploy", Evidence())):
        call = ToolCall(tool=tool, arguments={}, cwd="/srv")
        for raw in (None, {}, {"cwd": "/x"}):
            sight = sight_of(raw, "laptop", call)
            assert sight is not None
            assert sight.evidence == evidence
