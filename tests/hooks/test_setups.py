"""Every host's settings: our hooks go in once, in the host's units, and come out without a trace."""

from __future__ import annotations

import json
import subprocess
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.errors import InputError
from askfirst.host import Deny
from askfirst.shell.persistence_paths import persistence_rule
from hooks.codex_setup import CodexSetup, hook_hash
from hooks.command_line import MARGIN_S, SENTENCE, hook_command, wait_below
from hooks.hook_entries import MARK
from hooks.registry import HOSTS, SETUPS
from hooks.setup import HookLine, Places

HOME, PROJECT = Path("/home/u"), Path("/srv/p")
PLACES = Places(home=HOME, project=PROJECT)
ALL = sorted(SETUPS)


def line_of(host: str, client_dir: Path = Path("/opt/a 'q' \"d\"")) -> HookLine:
    timeout_s = SETUPS[host].timeout_s
    line = hook_command(
        host,
        python=Path("/opt/python"),
        socket=Path("/run/broker.sock"),
        client_dir=client_dir,
        wait_s=wait_below(timeout_s),
        host_timeout_s=timeout_s,
    )
    return HookLine(line=line, timeout_s=timeout_s)


NESTED = {"matcher": "x", "hooks": [{"type": "command", "command": "theirs"}]}
FOREIGN = {
    "claude-code": json.dumps({"model": "m", "hooks": {"PreToolUse": [NESTED]}}, indent=2) + "\n",
    "gemini": json.dumps({"hooks": {"BeforeTool": [NESTED]}, "ui": {"theme": "ü"}}, ensure_ascii=False, indent=2)
    + "\n",
    "qwen": json.dumps({"hooks": {"Stop": [NESTED]}}, indent=2) + "\n",
    "droid": json.dumps({"hooks": {"PreToolUse": [NESTED, NESTED]}}, indent=2) + "\n",
    "cursor": json.dumps({"version": 1, "hooks": {"beforeShellExecution": [{"command": "theirs"}]}}, indent=2) + "\n",
    "windsurf": json.dumps({"hooks": {"pre_run_command": [{"command": "theirs"}]}}, indent=2) + "\n",
    "codex": (
        '# mine\nmodel = "m" # really\n\n[features]\nfoo = true\nunified_exec_tty = true\n\n'
        '[[hooks.PreToolUse]]\nmatcher = "^Bash$"\n[[hooks.PreToolUse.hooks]]\ntype = "command"\ncommand = "theirs"\n\n'
        '[hooks.state."/home/u/.codex/config.toml:pre_tool_use:0:0"]\ntrusted_hash = "sha256:1"\n\n'
        '# about this project\n[projects."/x"]\ntrust_level = "trusted"\n'
    ),
}
"""Settings of a person who has hooks of their own; hosts whose file is ours alone have none."""


def files_of(host: str) -> list[Path]:
    setup = SETUPS[host]
    return [path for scope in setup.scopes for path in setup.files(scope, PLACES)]


@pytest.mark.parametrize(
    ("host", "events"), [("gemini", ("AfterAgent", "Notification")), ("qwen", ("Stop", "Notification"))]
)
def test_hooks_that_only_tell_are_brief_and_never_in_the_way(host: str, events: tuple[str, ...]) -> None:
    gate = line_of(host)
    hook = replace(gate, notice_line=gate.line + "; exit 0")
    [path] = SETUPS[host].files("user", PLACES)
    hooks = json.loads(SETUPS[host].merged(path, "", hook))["hooks"]
    for event in events:
        [handler] = hooks[event][0]["hooks"]
        assert (handler["command"], handler["timeout"]) == (hook.notice_line, 30_000)
    assert not set(events) & set(json.loads(SETUPS[host].merged(path, "", gate))["hooks"])
    assert SETUPS[host].merged(path, SETUPS[host].merged(path, "", hook), None) in {"", "{}\n"}


@pytest.mark.parametrize("host", ALL)
def test_our_hooks_go_in_once_and_come_out_without_a_trace(host: str) -> None:
    setup, hook = SETUPS[host], line_of(host)
    for path in files_of(host):
        for before in ("", FOREIGN.get(host, "")):
            once = setup.merged(path, before, hook)
            assert MARK in once
            assert setup.merged(path, once, hook) == once
            left = setup.merged(path, once, None)
            if before:
                assert "theirs" in once
                assert left == before
            assert left.strip() in {before.strip(), "{}", '{\n  "version": 1\n}'}
            assert setup.merged(path, before, None) == before
            assert setup.obstacles(path, once) == ()


@pytest.mark.parametrize("host", ALL)
def test_an_older_line_of_ours_is_replaced(host: str) -> None:
    setup = SETUPS[host]
    for path in files_of(host):
        older = setup.merged(path, FOREIGN.get(host, ""), line_of(host, Path("/old")))
        assert setup.merged(path, older, line_of(host)) == setup.merged(path, FOREIGN.get(host, ""), line_of(host))


@pytest.mark.parametrize("host", ALL)
def test_an_agent_that_writes_these_files_is_asked_about(host: str) -> None:
    assert {persistence_rule(str(path)) for path in files_of(host)} == {"persistence.gate"}


DAY_MS = 86_400_000
TIMEOUTS = {
    "claude-code": ("timeout", 86_400),
    "codex": ("timeout", 86_400),
    "gemini": ("timeout", DAY_MS),
    "qwen": ("timeout", DAY_MS),
    "copilot": ("timeoutSec", 86_400),
    "cursor": ("timeout", 86_400),
    "goose": ("timeout", 86_400),
    "kiro": ("timeout_ms", DAY_MS),
    "droid": ("timeout", 86_400),
}


def handlers(value: object) -> list[dict[str, Any]]:
    """Every object in a settings file that holds our line."""
    if isinstance(value, list):
        return [found for each in value for found in handlers(each)]
    if not isinstance(value, dict):
        return []
    own = [value] if any(isinstance(each, str) and MARK in each for each in value.values()) else []
    return own + [found for each in value.values() for found in handlers(each)]


@pytest.mark.parametrize("host", sorted(TIMEOUTS))
def test_timeouts_are_in_the_host_s_unit_and_above_our_own_deadline(host: str) -> None:
    field, value = TIMEOUTS[host]
    text = SETUPS[host].merged(files_of(host)[0], "", line_of(host))
    found = handlers(tomllib.loads(text) if host == "codex" else json.loads(text))
    assert found
    assert {each[field] for each in found} == {value}


def test_every_own_deadline_is_below_the_host_s() -> None:
    for setup in SETUPS.values():
        assert MARGIN_S <= setup.timeout_s - wait_below(setup.timeout_s) <= 60
    assert wait_below(SETUPS["cline"].timeout_s) == 110
    assert wait_below(SETUPS["windsurf"].timeout_s) == 55


@pytest.mark.parametrize("host", ALL)
def test_when_the_hook_is_gone_the_line_still_refuses_in_the_host_s_form(host: str) -> None:
    done = subprocess.run(["sh", "-c", line_of(host).line], input=b"{}", capture_output=True, check=False)
    expected = HOSTS[host].render(None, Deny(reason=SENTENCE))
    assert (done.returncode, done.stdout.strip()) == (expected.exit_code, expected.stdout.strip())
    if expected.exit_code == 2:
        assert done.stderr.strip()


@pytest.mark.parametrize(
    ("variable", "value", "host", "path"),
    [
        ("CODEX_HOME", "/x", "codex", "/x/config.toml"),
        ("CODEX_HOME", "relative", "codex", "/home/u/.codex/config.toml"),
        ("CLAUDE_CONFIG_DIR", "/x", "claude-code", "/x/settings.json"),
        ("GEMINI_CLI_HOME", "/x", "gemini", "/x/.gemini/settings.json"),
        ("QWEN_HOME", "/x", "qwen", "/x/settings.json"),
        ("XDG_CONFIG_HOME", "/x", "opencode", "/x/opencode/plugin/askfirst.js"),
    ],
)
def test_a_folder_named_in_the_environment_is_used(variable: str, value: str, host: str, path: str) -> None:
    places = Places(home=HOME, project=PROJECT, environ={variable: value})
    assert SETUPS[host].files("user", places) == (Path(path),)


@pytest.mark.parametrize(
    ("host", "text", "sentence"),
    [
        ("claude-code", {"disableAllHooks": True}, "disableAllHooks"),
        ("qwen", {"disableAllHooks": True}, "disableAllHooks = true"),
        ("gemini", {"hooksConfig": {"enabled": False}}, "hooksConfig.enabled = false"),
        ("gemini", {"hooksConfig": {"disabled": ["x", "askfirst"]}}, "hooksConfig.disabled = askfirst"),
    ],
)
def test_switches_that_turn_hooks_off_are_named(host: str, text: object, sentence: str) -> None:
    [found] = SETUPS[host].obstacles(Path("/f"), json.dumps(text))
    assert sentence in found


@pytest.mark.parametrize(
    ("host", "where", "value"),
    [("gemini", ("hooksConfig", "enabled"), True), ("qwen", ("disableAllHooks",), False)],
)
def test_a_managed_file_holds_the_switch_against_everybody_else_s(
    host: str, where: tuple[str, ...], value: object
) -> None:
    """Measured: without it a person's or a project's file turns the managed hooks off."""
    setup = SETUPS[host]
    [managed], [user] = setup.files("managed", PLACES), setup.files("user", PLACES)
    found: Any = json.loads(setup.merged(managed, FOREIGN[host], line_of(host)))
    for key in where:
        found = found[key]
    assert found is value
    assert where[0] not in json.loads(setup.merged(user, FOREIGN[host], line_of(host)))


@pytest.mark.parametrize(
    ("host", "text"),
    [
        ("gemini", "// mine\n{}"),
        ("qwen", "[]"),
        ("copilot", '{"hooks": []}'),
        ("cursor", '{"hooks": {"preToolUse": {}}}'),
        ("codex", "[features"),
        ("codex", "hooks = 7"),
        ("codex", 'hooks = {PreToolUse = [{hooks = [{type = "command", command = "theirs"}]}]}'),
        ("cline", "#!/bin/sh\necho theirs\n"),
        ("opencode", "export const Theirs = 1"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused(host: str, text: str) -> None:
    with pytest.raises(InputError):
        SETUPS[host].merged(files_of(host)[0], text, line_of(host))


# -- Codex ------------------------------------------------------------------------------------------------------------

CONFIG = HOME / ".codex/config.toml"


def test_codex_trusts_exactly_what_was_written() -> None:
    """The hash of a real ``hooks/list`` for this very hook."""
    handler = {"type": "command", "command": "/opt/rec.sh # 'q' \"d\" ü", "timeout": 86_400}
    assert hook_hash("PreToolUse", {"matcher": "*"}, handler) == (
        "sha256:78213a21253364bff132006ad801e43a8bcfd33e1af616c076a00873b154c694"
    )
    config = tomllib.loads(CodexSetup().merged(CONFIG, "", line_of("codex")))
    key = f"{CONFIG}:pre_tool_use:0:0"
    [group] = config["hooks"]["PreToolUse"]
    [entry] = group["hooks"]
    assert config["hooks"]["state"][key]["trusted_hash"] == hook_hash("PreToolUse", group, entry)
    assert config["features"]["unified_exec_tty"] is False


def test_codex_s_managed_file_holds_hooks_on_and_needs_no_trust() -> None:
    """Measured: with it neither a person's file nor ``-c features.hooks=false`` turns the hooks off."""
    [path] = CodexSetup().files("managed", PLACES)
    before = "[features]\nhooks = false\n"
    text = CodexSetup().merged(path, before, line_of("codex"))
    config = tomllib.loads(text)
    assert config["features"] == {"unified_exec_tty": False, "hooks": True}
    assert sorted(config["hooks"]) == ["PostToolUse", "PreToolUse"]
    assert CodexSetup().merged(path, text, line_of("codex")) == text
    assert CodexSetup().merged(path, text, None) == before
    assert "does not hold" in CodexSetup().obstacles(path, text.replace("hooks = true", "x = true"))[0]


def test_the_trust_of_hooks_behind_ours_moves_with_them() -> None:
    both = CodexSetup().merged(CONFIG, "", line_of("codex")) + (
        '\n[[hooks.PreToolUse]]\n[[hooks.PreToolUse.hooks]]\ntype = "command"\ncommand = "theirs"\n'
        f'[hooks.state."{CONFIG}:pre_tool_use:1:0"]\ntrusted_hash = "sha256:theirs"\n'
    )
    left = tomllib.loads(CodexSetup().merged(CONFIG, both, None))
    assert left["hooks"]["state"] == {f"{CONFIG}:pre_tool_use:0:0": {"trusted_hash": "sha256:theirs"}}
    assert [each["hooks"][0]["command"] for each in left["hooks"]["PreToolUse"]] == ["theirs"]


def test_a_codex_hook_that_was_changed_or_disabled_is_an_obstacle() -> None:
    setup = CodexSetup()
    good = setup.merged(CONFIG, "", line_of("codex"))
    assert "not trusted" in setup.obstacles(CONFIG, good.replace("timeout = 86400", "timeout = 1", 1))[0]
    assert "disabled" in setup.obstacles(CONFIG, good.replace("trusted_hash", "enabled = false\ntrusted_hash", 1))[0]
    assert (
        "no hook sees"
        in setup.obstacles(CONFIG, good.replace("unified_exec_tty = false", "unified_exec_tty = true"))[0]
    )
    assert "features.hooks" in setup.obstacles(CONFIG, good.replace("[features]", "[features]\nhooks = false"))[0]


PIECES = (
    '# a comment\n[projects."/x"]\ntrust_level = "trusted"\n',
    '\n\n[[hooks.PreToolUse]]\nmatcher = "a"\n  [[hooks.PreToolUse.hooks]]\n  type = "command"\n  command = "theirs"\n',
    '[[hooks.PostToolUse]]\n[[hooks.PostToolUse.hooks]]\ntype = "command"\ncommand = "b" # why\n# end\n',
    '[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = "command"\ncommand = """\nmany\nlines"""\n',
    '[mcp_servers.x]\ncommand = "x"\nargs = [\n  "a",\n]\n',
)
FEATURES = ("", "[features]\n", "[features] # mine\nweb = true\nunified_exec_tty = true # yes\n", "[features]\nx = 1\n")


@given(st.lists(st.sampled_from(PIECES), max_size=8), st.sampled_from(FEATURES), st.sampled_from(["", 'model = "m"\n']))
def test_whatever_else_is_in_codex_s_file_stays_as_it_was_typed(pieces: list[str], features: str, top: str) -> None:
    once_only = (PIECES[0], PIECES[4])
    lists = [each for each in pieces if each not in once_only]
    before = top + features + "".join((*lists, *(each for each in once_only if each in pieces)))
    setup = CodexSetup()
    once = setup.merged(CONFIG, before, line_of("codex"))
    assert setup.merged(CONFIG, once, line_of("codex")) == once
    assert setup.obstacles(CONFIG, once) == ()
    left = setup.merged(CONFIG, once, None)
    assert tomllib.loads(left) == tomllib.loads(before)
    assert left == before or " # yes" in before  # a comment on the switch is ours meanwhile


def test_text_that_looks_like_a_header_is_not_torn() -> None:
    before = 'notes = """\n[[hooks.PreToolUse]]\n[features]\n"""\n'
    try:
        once = CodexSetup().merged(CONFIG, before, line_of("codex"))
    except InputError:
        return
    assert tomllib.loads(once)["notes"] == tomllib.loads(before)["notes"]
    assert CodexSetup().merged(CONFIG, once, None) == before
