"""How well and how fast the analysis judges: recall, false alarms and processor time, without a look at the disk.

    python benchmarks/analysis.py                         our own suites
    python benchmarks/analysis.py --corpora FOLDER        and the corpora there (or in ASKFIRST_CORPORA)
    python benchmarks/analysis.py --failed agent          print what failed in the suites with this in their name

Times are of one call in a warm process, as in a running broker, which loads everything when it starts.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from typing import TYPE_CHECKING

from askfirst.call import ToolCall
from askfirst.classify import classify
from askfirst.effects import Outcome
from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from suite import corpora

if TYPE_CHECKING:
    from askfirst.effects import Classification
    from suite.row import Row

CWD, HOME = "/home/user/project", "/home/user"
BOOK = RuleBook.load()


def judge(row: Row) -> Classification:
    call = ToolCall(tool="Bash", arguments={"command": row.command}, cwd=CWD)
    return classify(call, NoFacts(), book=BOOK, written=row.written, home=HOME)


def timed(row: Row) -> tuple[float, Classification]:
    start = time.thread_time()
    found = judge(row)
    return (time.thread_time() - start) * 1000, found


def share(rows: list[tuple[Row, Classification]]) -> str:
    if not rows:
        return f"{'':>16}"
    gated = sum(found.outcome is Outcome.GATE for _, found in rows)
    return f"{100 * gated / len(rows):6.2f} % of {len(rows):<5}"


def measure(name: str, rows: list[Row], failed: str) -> list[float]:
    if not rows:
        return []
    results = [(row, *timed(row)) for row in rows]
    times = sorted(ms for _, ms, _ in results)
    judged = [(row, found) for row, _, found in results]
    print(
        f"{name:<14} {share([one for one in judged if one[0].expected == 'gate'])}"
        f" {share([one for one in judged if one[0].expected == 'allow'])}"
        f" {statistics.median(times):7.2f} {times[int(len(times) * 0.99)]:7.2f} {times[-1]:7.2f}"
    )
    if failed and failed in name:
        show_failed(judged)
    return times


def show_failed(judged: list[tuple[Row, Classification]]) -> None:
    for row, found in judged:
        if (found.outcome is Outcome.GATE) != (row.expected == "gate"):
            rules = ",".join(f"{effect.rule}:{effect.risk.label}" for effect in found.effects)
            print(f"    {row.expected} {found.outcome} [{row.category}] {row.command!r} {rules}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", help="a folder of *.jsonl files, or one file")
    parser.add_argument("--failed", default="", help="print what failed in suites with this in their name")
    options = parser.parse_args()
    warm()
    print(f"{'suite':<14} {'gated of gate':>16} {'gated of allow':>17} {'median':>8} {'p99':>6} {'max ms':>8}")
    gc.freeze()
    times: list[float] = []
    for name, rows in (corpora.own() | corpora.foreign(options.corpora)).items():
        times += measure(name, rows, options.failed)
    times.sort()
    print(
        f"{'all':<14} {'':>33}  {statistics.median(times):7.2f} {times[int(len(times) * 0.99)]:7.2f} {times[-1]:7.2f}"
    )


def warm() -> None:
    """Load what is loaded on first use: the grammar, the packs, the SQL parser."""
    for command in ("ls | wc -l", 'psql -c "DELETE FROM a WHERE b = 1"', "python3 -c 'print(1)'"):
        classify(ToolCall(tool="Bash", arguments={"command": command}, cwd=CWD), NoFacts(), book=BOOK, home=HOME)


if __name__ == "__main__":
    main()
