"""The released Claude Code with a person at its prompt: the terminal and the channels race, and nothing fails open."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from askfirst.demo import scratch_repository
from askfirst.demo.script import Call, Say, bash
from askfirst.demo.scripted_model import ScriptedModel
from askfirst.testing import claude_terminal
from askfirst.testing.terminal import Terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
RESET = "git reset --hard HEAD~2 && echo run >> ../runs"
ALLOWED = {"permissions": {"allow": ["Bash"], "defaultMode": "default"}}
TERMINAL = "[policy]\nterminal_decisions = true\n"
RELEASE = '[hosts]\ninteractive = "release"\n'
DIALOG = "Do you want to proceed?"


@dataclass
class Play:
    """A session in a terminal."""

    terminal: Terminal
    model: ScriptedModel
    folder: Path

    @property
    def runs(self) -> int:
        marks = self.folder / "runs"
        return len(marks.read_text().splitlines()) if marks.exists() else 0


@contextmanager
def playing(
    broker: Any,
    claude: Path,
    home: Path,
    tmp_path: Path,
    *turns: tuple[Say | Call, ...],
    settings: Mapping[str, object] = ALLOWED,
) -> Iterator[Play]:
    repository = scratch_repository.make(tmp_path)
    with (
        ScriptedModel(turns) as model,
        claude_terminal.start(
            claude,
            project=repository.path,
            home=home,
            model_url=model.url,
            settings={**settings, **broker.claude_hooks()},
            environ={"ASKFIRST_STATE_DIR": str(broker.paths.root), "ASKFIRST_CONFIG": str(broker.config)},
        ) as terminal,
    ):
        yield Play(terminal=terminal, model=model, folder=tmp_path)


def configure(broker: Any, text: str) -> None:
    with broker.config.open("a", encoding="utf-8") as config:
        config.write(text)


def gated(*more: tuple[Say | Call, ...]) -> tuple[tuple[Say | Call, ...], ...]:
    return ((Say(text="First."), bash("toolu_0001", RESET)), *more, (Say(text="The end."),))


def test_a_person_elsewhere_answers_first_and_the_call_runs_once(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    configure(broker, TERMINAL)
    broker.start()
    with playing(broker, claude, home, tmp_path, *gated()) as play:
        play.terminal.wait_for(DIALOG)
        person.decide(broker.pending(), "approve")
        play.terminal.wait_for("The end.")
        assert play.runs == 1
    assert broker.types()[1:] == ["review.cast", "gate.decided", "grant.issued", "gate.released", "gate.executed"]


def test_a_yes_at_the_prompt_is_a_review_where_the_policy_lets_the_terminal_decide(
    broker: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    configure(broker, TERMINAL)
    broker.start()
    with playing(broker, claude, home, tmp_path, *gated()) as play:
        play.terminal.wait_for(DIALOG)
        request = broker.pending()
        play.terminal.press("\r")
        play.terminal.wait_for("The end.")
        assert play.runs == 1
        ended = broker.ended(request)
    assert (ended["state"], ended["reviews"][0]["channel"]) == ("approved", "terminal")
    assert broker.request(request["id"])["grant"]["outcome"] == "ok"
    assert "gate.bypassed" not in broker.types()
    assert "the log verifies" in broker.cli("audit", "verify").stdout


def test_a_no_at_the_prompt_withdraws_the_request(broker: Any, newest_claude: Path, home: Path, tmp_path: Path) -> None:
    configure(broker, TERMINAL)
    broker.start()
    with playing(broker, newest_claude, home, tmp_path, *gated()) as play:
        play.terminal.wait_for(DIALOG)
        request = broker.pending()
        play.terminal.press("\x1b")
        ended = broker.ended(request)
        assert (ended["state"], ended["end"]["text"]) == ("cancelled", "dismissed at the agent's own prompt")
        assert play.runs == 0


def test_a_denial_elsewhere_reaches_the_model_and_closes_the_prompt(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    configure(broker, TERMINAL)
    broker.start()
    with playing(broker, claude, home, tmp_path, *gated()) as play:
        play.terminal.wait_for(DIALOG)
        person.decide(broker.pending(), "deny", "not these commits")
        play.terminal.wait_for("The end.")
        [told] = play.model.results()
        assert told.is_error
        assert "not these commits" in told.text
        assert play.runs == 0


def test_without_the_policy_s_word_there_is_no_prompt_to_say_yes_at(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    """I1: whoever sits at the machine may be the agent itself."""
    broker.start()
    with playing(broker, claude, home, tmp_path, *gated()) as play:
        request = broker.pending()
        play.terminal.press("\r\r")
        assert broker.request(request["id"])["state"] == "pending"
        assert DIALOG.replace(" ", "") not in play.terminal.text
        person.decide(request, "approve")
        play.terminal.wait_for("The end.")
        assert play.runs == 1


def test_the_prompt_stays_when_the_broker_is_gone_for_good(
    broker: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    configure(broker, TERMINAL)
    broker.start()
    with playing(broker, claude, home, tmp_path, *gated()) as play:
        play.terminal.wait_for(DIALOG)
        broker.pending()
        broker.config.write_text("[polcy]\n", encoding="utf-8")
        broker.kill()
        assert play.runs == 0
        assert not play.terminal.has_ended


def test_an_idle_session_is_woken_when_somebody_has_decided_and_the_retry_passes_once(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    configure(broker, RELEASE)
    broker.start()
    again = (Say(text="Again."), bash("toolu_0002", RESET))
    with playing(broker, claude, home, tmp_path, *gated((Say(text="I stop here."),), again)) as play:
        play.terminal.wait_for("I stop here.")
        told = play.model.results()[0]
        assert told.text.removeprefix("PreToolUse:Bash hook error: ").startswith("Pending: ")
        request = broker.pending()
        person.decide(request, "approve")
        play.terminal.wait_for("The end.")
        assert play.runs == 1
        woken = str(play.model.requests[-2].body)
        assert f"Request {request['code']} is approved" in woken


def test_people_are_told_that_an_agent_has_stopped_in_its_words_and_not_once_it_works_again(
    broker: Any, person: Any, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    configure(broker, '[hosts]\ntell = ["stop", "idle", "prompt"]\n')
    broker.start()
    again = (Say(text="Again."), bash("toolu_0002", "git status"))
    turns = ((Say(text="Shall I push?"),), again, (Say(text="The end."),))
    with playing(broker, newest_claude, home, tmp_path, *turns) as play:
        play.terminal.wait_for("Shall I push?")
        told = broker.pending()
        assert told["question"].endswith("has stopped. The agent's words, unchecked:\n> Shall I push?")
        assert (told["kind"], told["options"]) == ("question", ["I have seen this"])
        assert person.decide(told, "approve").status_code >= 400
        play.terminal.press("go on\r")
        play.terminal.wait_for("The end.")
        assert broker.ended(told)["end"]["text"] == "the agent went on"


def test_the_agent_s_question_is_answered_from_elsewhere(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    asked = {
        "question": "Which branch?",
        "header": "Branch",
        "options": [{"label": "main", "description": "m"}, {"label": "next", "description": "n"}],
        "multiSelect": False,
    }
    call = Call(id="toolu_0001", tool="AskUserQuestion", arguments={"questions": [asked]})
    with playing(broker, claude, home, tmp_path, (Say(text="?"), call), (Say(text="The end."),)) as play:
        play.terminal.wait_for("Which branch?")
        person.decide(broker.pending(), "answer", "next")
        play.terminal.wait_for("The end.")
        assert '"Which branch?"="next"' in play.model.results()[0].text


def test_the_host_s_own_prompt_can_be_answered_from_elsewhere_and_at_the_terminal(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    turns = (
        (Say(text="First."), bash("toolu_0001", "echo run >> ../runs; sleep 0.1")),
        (Say(text="Second."), bash("toolu_0002", "echo run >> ../runs; sleep 0.2")),
        (Say(text="The end."),),
    )
    asking = {"permissions": {"defaultMode": "default"}}
    with playing(broker, claude, home, tmp_path, *turns, settings=asking) as play:
        shown = play.terminal.wait_for(DIALOG)
        first = broker.pending()
        person.decide(first, "approve")
        shown = play.terminal.wait_for("Second.", after=shown)
        play.terminal.wait_for(DIALOG, after=shown)
        second = broker.pending()
        assert second["id"] != first["id"]
        play.terminal.press("\r")
        play.terminal.wait_for("The end.")
        assert play.runs == 2
        assert broker.ended(second)["end"]["text"] == "answered at the agent's own prompt"


def test_what_people_elsewhere_approve_passes_the_second_line_without_a_prompt(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    broker.start()
    ruled = {"permissions": {"allow": ["Bash"], "defaultMode": "default", "ask": ["Bash(git reset:*)"]}}
    with playing(broker, claude, home, tmp_path, *gated(), settings=ruled) as play:
        person.decide(broker.pending(), "approve")
        play.terminal.wait_for("The end.")
        assert play.runs == 1


def test_a_host_that_is_killed_leaves_its_request_open(
    broker: Any, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    configure(broker, TERMINAL)
    broker.start()
    with playing(broker, newest_claude, home, tmp_path, *gated()) as play:
        play.terminal.wait_for(DIALOG)
        request = broker.pending()
        os.killpg(play.terminal.pid, signal.SIGKILL)
    assert broker.request(request["id"])["state"] == "pending"
