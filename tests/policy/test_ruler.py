"""What the policy needs to know of the disk is looked up, and no more than rules ask for."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from askfirst.call import ToolCall
from askfirst.disk import Disk
from askfirst.policy.place import look_around
from askfirst.policy.question import Place
from askfirst.policy.ruler import Ruler
from askfirst.policy.ruling import Outcome
from askfirst.policy.source import PolicyFiles, PolicySource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from askfirst.policy.question import Question


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "api"
    subprocess.run(["git", "init", "-q", "-b", "trunk", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "remote", "add", "origin", "git@example.com:acme/api.git"], check=True)
    (root / "sub").mkdir()
    return root


def _at(asked: Question, cwd: Path) -> Question:
    return replace(asked, call=ToolCall(tool="Bash", arguments={"command": "ls"}, cwd=str(cwd)), place=Place())


def test_a_project_counts_from_any_folder_in_it(repository: Path, question: Callable[..., Question]) -> None:
    (repository / "askfirst.toml").write_text('[risk.low]\noutcome = "ask"\n')
    ruler = Ruler(PolicySource(PolicyFiles(managed=None, user=None)), Disk)

    assert ruler.rule_on(_at(question("ls"), repository / "sub")).policy == "project"
    assert ruler.rule_on(_at(question("ls"), repository.parent)).policy == "built-in"


def test_a_link_to_a_project_is_the_project(repository: Path, question: Callable[..., Question]) -> None:
    (repository / "askfirst.toml").write_text('[risk.low]\noutcome = "ask"\n')
    link = repository.parent / "link"
    link.symlink_to(repository / "sub")
    ruler = Ruler(PolicySource(PolicyFiles(managed=None, user=None)), Disk)

    assert ruler.rule_on(_at(question("ls"), link)).policy == "project"


def test_repository_and_branch_are_those_of_the_folder(repository: Path, question: Callable[..., Question]) -> None:
    user = repository.parent / "policy.toml"
    user.write_text(
        '[[rule]]\nname = "r"\noutcome = "deny"\nmatch = { repository = "acme/api", branch_is = "protected" }\n'
    )
    ruler = Ruler(PolicySource(PolicyFiles(managed=None, user=user)), Disk)

    assert ruler.rule_on(_at(question("ls"), repository / "sub")).outcome is Outcome.DENY
    assert ruler.rule_on(_at(question("ls"), repository.parent)).outcome is Outcome.ALLOW


def test_the_place_of_no_folder_is_empty() -> None:
    assert look_around("", Disk()) == Place()


def test_a_name_that_a_call_gives_is_followed_to_where_it_lies(
    repository: Path, question: Callable[..., Question]
) -> None:
    (repository / "build").symlink_to("/etc")
    user = repository.parent / "policy.toml"
    user.write_text('[[rule]]\nname = "r"\noutcome = "deny"\nmatch = { tool = "Write", path = "/etc/**" }\n')
    asked = question(tool="Write", place=Place())
    call = ToolCall(tool="Write", arguments={"file_path": "build/x"}, cwd=str(repository))
    ruler = Ruler(PolicySource(PolicyFiles(managed=None, user=user)), Disk)

    assert ruler.rule_on(replace(asked, call=call)).outcome is Outcome.DENY
