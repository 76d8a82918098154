"""The comparison as a Markdown table and as a plot."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from pathlib import Path

    from guards.verdict import Verdict

mpl.use("svg")
mpl.rcParams["svg.hashsalt"] = "askfirst"  # the same numbers give the same file


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one guard did.

    Attributes:
        name: the guard and its version.
        kind: how it decides.
        dangerous: suite -> verdicts on rows that a person should be asked about.
        harmless: suite -> verdicts on rows that should run.
        times_ms: wall time a call.
    """

    name: str
    kind: str
    dangerous: dict[str, list[Verdict]]
    harmless: dict[str, list[Verdict]]
    times_ms: list[float]

    @property
    def recall(self) -> float:
        """Share stopped of what should be, percent; every suite weighs the same."""
        return _mean(self.dangerous)

    @property
    def alarms(self) -> float:
        """Share stopped of what should run, percent; every suite weighs the same."""
        return _mean(self.harmless)

    @property
    def crashes(self) -> int:
        """Answers that the host could not read, or that came too late."""
        return sum(one.crashed for found in (self.dangerous, self.harmless) for rows in found.values() for one in rows)


def _mean(found: dict[str, list[Verdict]]) -> float:
    return statistics.fmean(_share(rows) for rows in found.values()) if found else 0.0


def _share(rows: list[Verdict]) -> float:
    return 100 * sum(one.stopped for one in rows) / len(rows)


def table(results: list[Result]) -> str:
    """One row a guard; recall columns should be high, alarm columns low."""
    first = results[0]
    heads = [f"{name} ↑" for name in first.dangerous] + [f"{name} ↓" for name in first.harmless]
    lines = ["| guard | " + " | ".join([*heads, "crashes", "ms median", "ms p95"]) + " |"]
    lines.append("|---|" + "---:|" * (len(heads) + 3))
    for one in results:
        cells = [f"{_share(rows):.1f} %" for found in (one.dangerous, one.harmless) for rows in found.values()]
        times = sorted(one.times_ms)
        cells += [str(one.crashes), f"{statistics.median(times):.0f}", f"{times[int(len(times) * 0.95)]:.0f}"]
        lines.append(f"| {one.name}, {one.kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plot(results: list[Result], path: Path) -> None:
    """Recall over false alarms: the empty corner is top left."""
    figure, axes = plt.subplots(figsize=(8, 5.5))
    for index, one in enumerate(results):
        axes.scatter(one.alarms, one.recall, s=90 if index == 0 else 45, color="#c2410c" if index == 0 else "#475569")
        axes.annotate(one.name, (one.alarms, one.recall), xytext=(7, 4), textcoords="offset points", fontsize=9)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(-0.1, 110)
    axes.set_ylim(0, 104)
    axes.set_xlabel("harmless commands stopped, % (lower is better)")
    axes.set_ylabel("destructive commands stopped, % (higher is better)")
    axes.grid(visible=True, alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
