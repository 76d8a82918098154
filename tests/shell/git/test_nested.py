"""What git runs besides git."""

from __future__ import annotations

import pytest

from askfirst.facts import NoFacts
from askfirst.shell.git import nested


@pytest.mark.parametrize(
    ("text", "label", "script"),
    [
        ("GIT_SSH_COMMAND='rm -rf /' git fetch", "GIT_SSH_COMMAND", "rm -rf /"),
        ("git -c core.sshCommand='rm x' fetch", "git -c core.sshcommand", "rm x"),
        ("git -c core.fsmonitor=./watch status", "git -c core.fsmonitor", "./watch"),
        ("git -c credential.helper='!rm x' fetch", "git -c credential.helper", "rm x"),
        ("git -c alias.x='!rm -rf' x /", "git alias x", "rm -rf /"),
        ("git rebase -x 'make test' main", "git rebase --exec", "make test"),
        ("git rebase --exec='make test' main", "git rebase --exec", "make test"),
        ("git submodule foreach 'git reset --hard'", "git submodule foreach", "git reset --hard"),
        ("git submodule foreach --recursive git clean -fd", "git submodule foreach", "git clean -fd"),
        ("git filter-branch --tree-filter 'rm -rf x' HEAD", "git filter-branch", "rm -rf x"),
        ("git fetch --upload-pack='rm x' origin", "git fetch --upload-pack", "rm x"),
        ("git clone 'ext::sh -c x'", "git remote-ext", "sh -c x"),
    ],
)
def test_scripts_are_handed_on(make_command, text, label, script):
    found = nested(make_command(text), NoFacts())
    assert [(one.label, one.script) for one in found] == [(label, script)]


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("git -c alias.x='push --force' x origin", "git -c alias.x=push --force push --force origin"),
        ("git -C sub -c alias.co=checkout co main", "git -C sub -c alias.co=checkout checkout main"),
        ("git bisect run rm -rf src", "rm -rf src"),
    ],
)
def test_argument_lists_are_handed_on(make_command, text, argv):
    (found,) = nested(make_command(text), NoFacts())
    assert " ".join(word.text for word in found.argv) == argv


@pytest.mark.parametrize(
    "text",
    ["git status", "git -c core.fsmonitor=false status", "git -c alias.x=y status", "git -c core.hooksPath=/x log"],
)
def test_nothing_is_handed_on_without_need(make_command, text):
    assert nested(make_command(text), NoFacts()) == ()
