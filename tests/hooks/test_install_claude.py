from __future__ import annotations

import copy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.errors import InputError
from hooks.command_line import hook_command
from hooks.install_claude import EVENTS, installed, is_installed, removed

COMMAND = hook_command(
    "claude-code",
    python=Path("/p/python"),
    socket=Path("/s/broker.sock"),
    client_dir=Path("/c"),
    wait_s=590,
    host_timeout_s=600,
)
OURS = {
    "matcher": "*",
    "hooks": [{"type": "command", "command": COMMAND, "timeout": 600, "onFailure": "block"}],
}
FOREIGN = {"matcher": "Bash", "hooks": [{"type": "command", "command": "other"}]}

groups = st.lists(st.just(FOREIGN) | st.just(OURS) | st.just({**FOREIGN, "hooks": [*FOREIGN["hooks"], *OURS["hooks"]]}))
settings_files = st.fixed_dictionaries(
    {},
    optional={
        "permissions": st.just({"allow": ["Bash"]}),
        "hooks": st.dictionaries(st.sampled_from([*EVENTS, "Stop"]), groups),
    },
)


def without_ours(settings: dict[str, object]) -> list[object]:
    hooks = settings.get("hooks", {})
    assert isinstance(hooks, dict)
    return [
        (event, group["matcher"], handler)
        for event, groups in sorted(hooks.items())
        for group in groups
        for handler in group["hooks"]
        if handler not in OURS["hooks"]
    ]


def test_empty_settings_get_the_three_events() -> None:
    assert installed({}, COMMAND, timeout_s=600) == {"hooks": {event: [OURS] for event in EVENTS}}


def test_removal_gives_back_the_settings_of_before() -> None:
    before = {"model": "x", "hooks": {"PreToolUse": [FOREIGN], "Stop": [FOREIGN]}, "permissions": {"deny": ["Read"]}}
    assert removed(installed(before, COMMAND, timeout_s=600)) == before


def test_an_older_line_of_ours_is_replaced() -> None:
    older = installed({"hooks": {"PreToolUse": [FOREIGN]}}, COMMAND.replace("/p/python", "/old/python"), timeout_s=60)
    assert not is_installed(older, COMMAND, timeout_s=600)
    assert installed(older, COMMAND, timeout_s=600) == installed(
        {"hooks": {"PreToolUse": [FOREIGN]}}, COMMAND, timeout_s=600
    )


@given(settings_files)
def test_installing_is_idempotent_and_touches_nothing_else(settings: dict[str, object]) -> None:
    before = copy.deepcopy(settings)
    once = installed(settings, COMMAND, timeout_s=600)
    assert settings == before
    assert is_installed(once, COMMAND, timeout_s=600)
    assert without_ours(once) == without_ours(settings)
    assert without_ours(removed(once)) == without_ours(settings)
    assert {k: v for k, v in once.items() if k != "hooks"} == {k: v for k, v in settings.items() if k != "hooks"}
    assert "askfirst" not in str(removed(once))


@pytest.mark.parametrize("hooks", [[], "x", {"PreToolUse": {}}, {"PreToolUse": ["x"]}, {"Stop": [{"hooks": {}}]}])
def test_hooks_of_another_shape_are_refused(hooks: object) -> None:
    with pytest.raises(InputError, match="mend the settings file"):
        installed({"hooks": hooks}, COMMAND, timeout_s=600)


@pytest.mark.parametrize("timeout_s", [0, -1, 1.5, "600", True])
def test_a_timeout_that_makes_the_host_drop_the_file_is_refused(timeout_s: int) -> None:
    with pytest.raises(InputError, match="whole seconds"):
        installed({}, COMMAND, timeout_s=timeout_s)


def test_a_foreign_command_is_refused() -> None:
    with pytest.raises(InputError, match="hook_command"):
        installed({}, "true", timeout_s=600)
