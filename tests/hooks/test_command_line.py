from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from askfirst.errors import InputError
from hooks.command_line import hook_command

GOOD = {"python": Path("/p"), "socket": Path("/s"), "client_dir": Path("/c"), "wait_s": 590, "host_timeout_s": 600}


def test_the_whole_line() -> None:
    assert hook_command("claude-code", **GOOD) == (
        "set -- /p -I -S /c/client.py claude-code /s 590 CLAUDE_CODE_ENTRYPOINT,CLAUDE_CODE_SESSION_ATTENDED,"
        'CLAUDE_PID,ASKFIRST_RUN,CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK "$PPID"; '
        '[ -x /usr/bin/perl ] && LC_ALL=C /usr/bin/perl -fTC0 /c/askfirst-hook.pl "$@"; '
        'c=$?; case $c in 0|2|3|142) ;; *) "$@"; c=$?;; esac; case $c in 0|2) exit $c;; esac; '
        "echo 'askfirst: this call is blocked: the gate could not be run; run askfirst serve in a terminal to see why' "
        ">&2; exit 2"
    )


@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
@pytest.mark.parametrize(("code", "gate", "notice"), [(0, 0, 0), (1, 2, 0), (2, 2, 0), (3, 2, 2), (137, 2, 0)])
def test_the_client_s_code_blocks_a_gate_and_never_stops_an_agent(
    tmp_path: Path, shell: str, code: int, gate: int, notice: int
) -> None:
    """3 is the wake-up; a client that fails must block where something would run, and nothing elsewhere."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
    python.chmod(0o755)
    for gates, expected in ((True, gate), (False, notice)):
        line = hook_command("claude-code", **{**GOOD, "python": python, "perl": "/nonexistent"}, gates=gates)
        assert subprocess.run([shell, "-c", line], capture_output=True, check=False).returncode == expected


@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
def test_every_shell_reads_the_line(shell: str) -> None:
    result = subprocess.run(
        [shell, "-c", hook_command("claude-code", **GOOD)], input=b"{}", capture_output=True, check=False
    )
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"wait_s": 0}, "wait_s"),
        ({"wait_s": 596}, "host_timeout_s"),
        ({"host_timeout_s": 2_147_484}, "host_timeout_s"),
        ({"python": Path("python3")}, "python"),
        ({"socket": Path("/a\nb")}, "socket"),
        ({"socket": Path("/" + "ü" * 52)}, "socket"),
        ({"client_dir": Path("hooks")}, "client_dir"),
    ],
)
def test_what_could_not_block_is_refused(change: dict[str, object], field: str) -> None:
    with pytest.raises(InputError) as caught:
        hook_command("claude-code", **{**GOOD, **change})
    assert caught.value.field == field


def test_an_unknown_host_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="unknown host 'claude', expected one of claude-code"):
        hook_command("claude", **GOOD)


def test_the_fast_client_compiles_under_strict_and_warnings() -> None:
    script = Path(__file__).parents[2] / "hooks" / "askfirst-hook.pl"
    result = subprocess.run(["perl", "-Mstrict", "-wcfT", script], capture_output=True, text=True, check=False)
    assert result.stderr == f"{script} syntax OK\n"
