"""There is something to lose, and the witness sees when it is lost."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from askfirst.demo import scratch_repository, story
from askfirst.demo.scratch_repository import UNPUSHED, GitError
from askfirst.demo.script import ToolResult
from askfirst.demo.story import FIRST_TRY, RESET, SECOND_TRY, Witness

if TYPE_CHECKING:
    from pathlib import Path

DENIED = ToolResult(id=FIRST_TRY, text="no", is_error=True)
RAN = ToolResult(id=SECOND_TRY, text="", is_error=False)


def reset(repository: scratch_repository.ScratchRepository) -> None:
    subprocess.run(RESET.split(), cwd=repository.path, check=True, capture_output=True)


def test_two_commits_and_a_change_exist_nowhere_else_until_a_reset_takes_them(tmp_path: Path) -> None:
    repository = scratch_repository.make(tmp_path)
    assert repository.unpushed() == tuple(UNPUSHED)
    assert (repository.has_unsaved_work(), repository.resets()) == (True, 0)
    reset(repository)
    assert repository.unpushed() == ()
    assert (repository.has_unsaved_work(), repository.resets()) == (False, 1)


def test_the_persons_git_configuration_plays_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nonexistent")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "broken"))
    (tmp_path / "broken").write_text("[", encoding="utf-8")
    assert scratch_repository.make(tmp_path).unpushed() == tuple(UNPUSHED)


def test_a_refusal_of_git_comes_with_its_words(tmp_path: Path) -> None:
    (tmp_path / "parser").write_text("in the way", encoding="utf-8")
    with pytest.raises(GitError, match=r"`git clone .*` ended with code 128: fatal: destination path 'parser' already"):
        scratch_repository.make(tmp_path)


def test_a_missing_git_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="does not run"):
        scratch_repository.make(tmp_path)


def test_the_witness_has_no_complaint_when_the_denied_did_not_run_and_the_approved_ran_once(tmp_path: Path) -> None:
    repository = scratch_repository.make(tmp_path)
    witness = Witness(repository)
    assert witness.look(ToolResult(id="toolu_0001", text="", is_error=False)) == ""
    kept = "the command did not run; all 2 unpushed commits and the uncommitted change are still there"
    assert witness.look(DENIED) == kept
    reset(repository)
    assert witness.look(RAN) == "the command ran exactly once; 0 of 2 unpushed commits are left"
    witness.close((False, True))
    assert witness.complaints == []


@pytest.mark.parametrize("resets", [1, 2])
def test_the_witness_complains_when_a_denied_command_ran(tmp_path: Path, resets: int) -> None:
    repository = scratch_repository.make(tmp_path)
    subprocess.run(["git", "reset", "--hard", f"HEAD~{resets}"], cwd=repository.path, check=True, capture_output=True)
    witness = Witness(repository)
    witness.look(DENIED)
    assert witness.complaints == ["0 approvals, but the command ran 1 times"]


def test_the_witness_complains_when_an_approved_command_ran_twice(tmp_path: Path) -> None:
    repository = scratch_repository.make(tmp_path)
    reset(repository)
    subprocess.run(["git", "reset", "--hard", "HEAD"], cwd=repository.path, check=True, capture_output=True)
    witness = Witness(repository)
    witness.look(RAN)
    assert witness.complaints == ["1 approvals, but the command ran 2 times"]


def test_the_witness_complains_when_the_agent_got_other_answers_than_the_person_gave(tmp_path: Path) -> None:
    witness = Witness(scratch_repository.make(tmp_path))
    witness.look(DENIED)
    witness.close((False, True))
    assert witness.complaints == [
        "the agent tried exactly once, not twice",
        "the person decided (False, True), the agent got (False,)",
    ]


def test_the_script_tries_the_same_destructive_command_twice() -> None:
    tries = [block for turn in story.TURNS for block in turn if getattr(block, "id", "") in {FIRST_TRY, SECOND_TRY}]
    assert [getattr(each, "arguments", {})["command"] for each in tries] == [RESET, RESET]
