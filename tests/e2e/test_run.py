"""``askfirst run`` with the released Claude Code: it ends while people decide, and its call runs once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from askfirst.demo import scratch_repository
from askfirst.demo.claude_client import OWN_VARIABLES
from askfirst.demo.script import Call, Say, bash
from askfirst.demo.scripted_model import ScriptedModel

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"),
]
RESET = "git reset --hard HEAD~2 && echo run >> ../runs"
DEFER = "[hosts]\ndefer_after_s = 0\n"


@dataclass
class Run:
    """A runner at work."""

    process: subprocess.Popen[str]
    model: ScriptedModel
    folder: Path
    environ: dict[str, str]

    @property
    def runs(self) -> int:
        marks = self.folder / "runs"
        return len(marks.read_text().splitlines()) if marks.exists() else 0

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


@contextmanager
def running(
    broker: Any, claude: Path, home: Path, tmp_path: Path, *calls: Call, arguments: tuple[str, ...] = ()
) -> Iterator[Run]:
    with broker.config.open("a", encoding="utf-8") as config:
        config.write(DEFER)
    broker.start()
    repository = scratch_repository.make(tmp_path)
    environ = {
        **broker.environ,
        **OWN_VARIABLES,
        "IS_SANDBOX": "1",
        "HOME": str(home),
        "CLAUDE_CONFIG_DIR": str(home / ".claude"),
        "CLAUDE_CODE_TMPDIR": str(home),
    }
    installed = subprocess.run(broker.command("install", "--host", "claude-code"), env=environ, check=False)
    assert installed.returncode == 0
    settings = home / ".claude" / "settings.json"
    allowed = json.loads(settings.read_bytes()) | {"permissions": {"allow": ["Bash"]}}
    settings.write_text(json.dumps(allowed, indent=2), encoding="utf-8")
    turns = ((Say(text="Now."), *calls), (Say(text="The end."),))
    with ScriptedModel(turns) as model:
        environ["ANTHROPIC_BASE_URL"] = model.url
        command = broker.command("run", "--", str(claude), "-p", "go", *arguments)
        process = subprocess.Popen(
            command,
            env=environ,
            cwd=repository.path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield Run(process=process, model=model, folder=tmp_path, environ=environ)
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()


def test_a_run_ends_while_people_decide_and_its_call_runs_once(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    with running(broker, claude, home, tmp_path, bash("toolu_0001", RESET)) as run:
        assert run.process.stderr is not None
        while "waits for a person" not in run.process.stderr.readline():
            pass
        person.decide(broker.pending(), "approve")
        code, out, _ = run.end()
        assert (code, out, run.runs) == (0, "The end.\n", 1)
    assert broker.types().count("gate.released") == 1
    assert broker.types()[-1] == "gate.executed"


def test_a_denial_reaches_the_model_when_it_is_taken_up(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path
) -> None:
    with running(broker, claude, home, tmp_path, bash("toolu_0001", RESET)) as run:
        person.decide(broker.pending(), "deny", "not these")
        code, _, _ = run.end()
        assert (code, run.runs) == (0, 0)
        assert "not these" in run.model.results()[0].text


def test_a_batch_defers_one_call_and_each_runs_once(
    broker: Any, person: Any, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    first, second = bash("toolu_0001", RESET), bash("toolu_0002", "git checkout -- . && echo run >> ../runs")
    with running(broker, newest_claude, home, tmp_path, first, second) as run:
        person.decide(broker.pending(), "approve")
        person.decide(broker.pending(), "approve")
        assert run.end()[0] == 0
        assert run.runs == 2


def test_a_broker_that_dies_meanwhile_costs_nothing(
    broker: Any, person: Any, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    with running(broker, newest_claude, home, tmp_path, bash("toolu_0001", RESET)) as run:
        broker.pending()
        assert run.process.stderr is not None
        while "waits for a person" not in run.process.stderr.readline():
            pass
        broker.kill()
        person.decide(broker.pending(), "approve")
        assert run.end()[0] == 0
        assert run.runs == 1


def test_a_runner_that_is_killed_leaves_a_session_that_two_others_take_up_and_its_call_runs_once(
    broker: Any, person: Any, claude: Path, home: Path, tmp_path: Path, until: Callable[..., Any]
) -> None:
    """Without the gate each of the two would run the deferred call; one that comes after it has run asks anew."""
    with running(broker, claude, home, tmp_path, bash("toolu_0001", RESET)) as run:
        assert run.process.stderr is not None
        while "waits for a person" not in (line := run.process.stderr.readline()):
            pass
        session = line.split("session ")[1].split()[0]
        run.process.kill()
        run.process.communicate()
        person.decide(broker.pending(), "approve")
        command = broker.command("run", "--", str(claude), "-p", "", "--resume", session)
        repository = next(run.folder.glob("*/.git")).parent
        others = [
            subprocess.Popen(
                command,
                env=run.environ,
                cwd=repository,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(2)
        ]

        def are_over() -> bool:
            for each in broker.requests():
                if each["state"] == "pending":
                    person.decide(each, "deny")
            return all(each.poll() is not None for each in others)

        until("both runners' end", are_over, 90)
        assert run.runs == 1
    assert broker.types().count("gate.released") == 1


def test_without_our_hooks_nothing_is_started_nor_taken_up(
    broker: Any, person: Any, newest_claude: Path, home: Path, tmp_path: Path
) -> None:
    """The deferred call would run by the rule that allows it."""
    with running(broker, newest_claude, home, tmp_path, bash("toolu_0001", RESET)) as run:
        request = broker.pending()
        assert run.process.stderr is not None
        while "waits for a person" not in run.process.stderr.readline():
            pass
        settings = home / ".claude" / "settings.json"
        settings.write_text('{"permissions": {"allow": ["Bash"]}}', encoding="utf-8")
        person.decide(request, "approve")
        code, _, err = run.end()
        assert (code, run.runs) == (1, 0)
        assert "was not taken up" in err
        command = broker.command("run", "--", str(newest_claude), "-p", "go")
        again = subprocess.run(command, env=run.environ, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert again.returncode == 1
        assert "nothing was started" in again.stderr
