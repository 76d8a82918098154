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
from typing import TYPE_CHECKING, NamedTuple

from askfirst.call import ToolCall
from askfirst.classify import classify, warm_up
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


class Judged(NamedTuple):
    """What is kept of a verdict; whole ones would only feed the garbage collector while the clock runs."""

    row: Row
    outcome: Outcome
    rules: str
    ms: float


def timed(row: Row) -> Judged:
    start = time.thread_time()
    found = judge(row)
    ms = (time.thread_time() - start) * 1000
    rules = ",".join(f"{effect.rule}:{effect.risk.label}" for effect in found.effects)
    return Judged(row, found.outcome, rules, ms)


def share(judged: list[Judged]) -> str:
    if not judged:
        return f"{'':>16}"
    gated = sum(one.outcome is Outcome.GATE for one in judged)
    return f"{100 * gated / len(judged):6.2f} % of {len(judged):<5}"


def measure(name: str, rows: list[Row], failed: str) -> list[float]:
    if not rows:
        return []
    judged = [timed(row) for row in rows]
    times = sorted(one.ms for one in judged)
    print(
        f"{name:<14} {share([one for one in judged if one.row.expected == 'gate'])}"
        f" {share([one for one in judged if one.row.expected == 'allow'])}"
        f" {statistics.median(times):7.2f} {times[int(len(times) * 0.99)]:7.2f} {times[-1]:7.2f}"
    )
    for one in judged if failed and failed in name else ():
        if (one.outcome is Outcome.GATE) != (one.row.expected == "gate"):
            print(f"    {one.row.expected} {one.outcome} [{one.row.category}] {one.row.command!r} {one.rules}")
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", help="a folder of *.jsonl files, or one file")
    parser.add_argument("--failed", default="", help="print what failed in suites with this in their name")
    options = parser.parse_args()
    warm_up(BOOK)  # as a broker does when it starts
    print(f"{'suite':<14} {'gated of gate':>16} {'gated of allow':>17} {'median':>8} {'p99':>6} {'max ms':>8}")
    suites = corpora.own() | corpora.foreign(options.corpora)
    gc.collect()
    gc.freeze()  # else the rows themselves are walked through by a full collection, some 40 ms
    times: list[float] = []
    for name, rows in suites.items():
        times += measure(name, rows, options.failed)
    times.sort()
    print(
        f"{'all':<14} {'':>33}  {statistics.median(times):7.2f} {times[int(len(times) * 0.99)]:7.2f} {times[-1]:7.2f}"
    )


if __name__ == "__main__":
    main()
