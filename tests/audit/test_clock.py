"""The clocks of the machine, and times in text."""

from __future__ import annotations

import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import clock
from audit.clock import Reading, SystemClock, drift_us, rfc3339, wall_us

if TYPE_CHECKING:
    from pathlib import Path


def test_both_clocks_go_on_and_the_boot_stays() -> None:
    machine = SystemClock()
    first, second = machine.read(), machine.read()
    assert first.wall_us > 1_700_000_000_000_000
    assert second.boot_us >= first.boot_us > 0
    assert first.boot == second.boot == SystemClock().read().boot == str(uuid.UUID(first.boot))


@pytest.mark.parametrize("content", [None, "", "nonsense"])
def test_a_machine_without_a_boot_id_gets_one_that_compares_with_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "boot_id").write_text(content, encoding="ascii")
    monkeypatch.setattr(clock, "_BOOT_ID", tmp_path / "boot_id")
    assert SystemClock().read().boot != SystemClock().read().boot


def test_macos_is_asked_for_its_boot_session(monkeypatch: pytest.MonkeyPatch) -> None:
    session = "0C5D8A1E-0000-4000-8000-000000000001"

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert command == ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]
        return subprocess.CompletedProcess(command, 0, stdout=f"{session}\n")

    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(subprocess, "run", run)
    assert SystemClock().read().boot == session.lower()


@given(st.integers(0, 253_402_300_799_999_999))
def test_a_time_comes_back_from_its_text(moment_us: int) -> None:
    text = rfc3339(moment_us)
    assert len(text) == 27
    assert wall_us(text) == moment_us


def reading(wall_s: int, boot_s: int, boot: str = "one") -> Reading:
    return Reading(wall_us=wall_s * 1_000_000, boot_us=boot_s * 1_000_000, boot=boot)


@pytest.mark.parametrize(
    ("after", "drift_s"),
    [
        (reading(110, 20), 0),
        (reading(115, 20), 5),
        (reading(105, 20), -5),
        (reading(110, 1, "two"), 0),
        (reading(90, 1, "two"), -10),
    ],
)
def test_drift_is_what_the_wall_clock_was_moved_by(after: Reading, drift_s: int) -> None:
    assert drift_us(reading(100, 10), after) == drift_s * 1_000_000
