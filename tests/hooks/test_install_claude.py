from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.errors import InputError
from hooks.command_line import hook_command
from hooks.hook_entries import removed
from hooks.install_claude import EVENTS, installed
from hooks.setup import HookLine


def line(*, gates: bool) -> str:
    return hook_command(
        "claude-code",
        python=Path("/p/python"),
        socket=Path("/s/broker.sock"),
        client_dir=Path("/c"),
        wait_s=590,
        host_timeout_s=600,
        gates=gates,
    )


HOOK = HookLine(line=line(gates=True), timeout_s=600, notice_line=line(gates=False))
OURS = {
    "matcher": "*",
    "hooks": [{"type": "command", "command": HOOK.line, "timeout": 600, "onFailure": "block"}],
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
        if "askfirst" not in handler["command"]
    ]


def test_empty_settings_get_every_event() -> None:
    notice = {"type": "command", "command": HOOK.notice_line}
    assert installed({}, HOOK) == {
        "hooks": {
            "PreToolUse": [OURS],
            "PermissionRequest": [OURS],
            "PostToolUse": [OURS],
            "PostToolUseFailure": [OURS],
            "ConfigChange": [OURS],
            "SessionStart": [{"matcher": "*", "hooks": [{**notice, "timeout": 30}]}],
            "Notification": [{"matcher": "*", "hooks": [{**notice, "timeout": 30}]}],
            "Stop": [{"matcher": "*", "hooks": [{**notice, "timeout": 600, "asyncRewake": True}]}],
        }
    }


def test_removal_gives_back_the_settings_of_before() -> None:
    before = {"model": "x", "hooks": {"PreToolUse": [FOREIGN], "Stop": [FOREIGN]}, "permissions": {"deny": ["Read"]}}
    assert removed(installed(before, HOOK)) == before


def test_an_older_line_of_ours_is_replaced() -> None:
    old = replace(HOOK, line=HOOK.line.replace("/p/python", "/old/python"), timeout_s=60)
    before: dict[str, object] = {"hooks": {"PreToolUse": [FOREIGN]}}
    assert installed(before, old) != installed(before, HOOK)
    assert installed(installed(before, old), HOOK) == installed(before, HOOK)


@given(settings_files)
def test_installing_is_idempotent_and_touches_nothing_else(settings: dict[str, object]) -> None:
    before = copy.deepcopy(settings)
    once = installed(settings, HOOK)
    assert settings == before
    assert installed(once, HOOK) == once
    assert without_ours(once) == without_ours(settings)
    assert without_ours(removed(once)) == without_ours(settings)
    assert {k: v for k, v in once.items() if k != "hooks"} == {k: v for k, v in settings.items() if k != "hooks"}
    assert "askfirst" not in str(removed(once))


@pytest.mark.parametrize("hooks", [[], "x", {"PreToolUse": {}}, {"PreToolUse": ["x"]}, {"Stop": [{"hooks": {}}]}])
def test_hooks_of_another_shape_are_refused(hooks: object) -> None:
    with pytest.raises(InputError, match="mend the settings file"):
        installed({"hooks": hooks}, HOOK)


@pytest.mark.parametrize("timeout_s", [0, -1, 1.5, "600", True])
def test_a_timeout_that_makes_the_host_drop_the_file_is_refused(timeout_s: int) -> None:
    with pytest.raises(InputError, match="whole seconds"):
        installed({}, replace(HOOK, timeout_s=timeout_s))


def test_a_foreign_command_is_refused() -> None:
    with pytest.raises(InputError, match="hook_command"):
        installed({}, replace(HOOK, line="true"))
