"""What git is told by its environment, and what of ours it must not be told."""

from __future__ import annotations

import subprocess

from askfirst.git_environment import ELSEWHERE, persons_environment


def test_whatever_git_itself_calls_local_to_a_repository_is_known() -> None:
    """But for configuration, which a person may bring along to reach a remote."""
    command = ["git", "rev-parse", "--local-env-vars"]
    local = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    configuration = {"GIT_CONFIG", "GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT", "GIT_NO_REPLACE_OBJECTS"}
    assert local - configuration <= ELSEWHERE


def test_a_person_reaches_the_remote_by_their_own_means_and_from_the_named_repository_alone() -> None:
    own = {"SSH_AUTH_SOCK": "/run/agent", "GIT_SSH_COMMAND": "ssh -i key", "HTTPS_PROXY": "http://proxy"}
    made = persons_environment({**own, **dict.fromkeys(ELSEWHERE, "/srv/other")}, {"GIT_TERMINAL_PROMPT": "0"})
    assert made == {**own, "GIT_TERMINAL_PROMPT": "0"}
