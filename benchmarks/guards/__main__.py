"""Guards side by side in one run: recall, false alarms, crashes and time, each a process as the host starts it.

    make bench-guards                                     installs the peers into .cache, writes docs/benchmarks.*
    cd benchmarks; ../.venv/bin/python -m guards --sample 50 --only nah,openhal --print
    cd benchmarks; ../.venv/bin/python -m guards --guard 'my-guard --hook' --print

Every guard gets the same rows, drawn with a seed from our suites and from the corpora that ``--corpora`` or
ASKFIRST_CORPORA names. Dangerous commands are only given to guards as text; nothing is run.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import shlex
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from guards import ours, peer, report
from guards.peer import Peer
from guards.verdict import ask
from suite import corpora

if TYPE_CHECKING:
    from collections.abc import Callable

    from guards.verdict import Verdict
    from suite.row import Row

DOCS = peer.ROOT / "docs"
START, END = "<!-- guards: start -->", "<!-- guards: end -->"


def main() -> None:
    options = _options()
    peer.make_project()
    suites = _drawn(corpora.own() | corpora.foreign(options.corpora), options.sample, options.seed)
    results = [_ours(suites)]
    left_out = []
    for each in _peers(options):
        problem = peer.install(each)
        problem = problem or _silent(each)
        if problem:
            left_out.append(f"{each.name} {each.version}: {problem}")
            print(f"left out: {left_out[-1]}", flush=True)
            continue
        results.append(_peer(each, suites, options.jobs))
        print(report.table(results[-1:]).splitlines()[-1], flush=True)
    _write(results, left_out, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m guards", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpora", help="a folder of *.jsonl files, or one file")
    parser.add_argument("--sample", type=int, default=150, help="rows a suite and verdict, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="", help="names of peers, parted by commas")
    parser.add_argument("--guard", default="", help="a command line that speaks Claude Code's PreToolUse")
    parser.add_argument("--print", action="store_true", help="print the table instead of writing it to docs")
    return parser.parse_args()


def _peers(options: argparse.Namespace) -> list[Peer]:
    if options.guard:
        return [Peer(name=options.guard, version="", kind="given", command=tuple(shlex.split(options.guard)))]
    wanted = set(filter(None, options.only.split(",")))
    return [each for each in peer.peers() if not wanted or each.name in wanted]


def _drawn(suites: dict[str, list[Row]], sample: int, seed: int) -> dict[str, tuple[list[str], list[str]]]:
    """Name -> dangerous and harmless commands; files of the session no payload of a command tells, so those are out."""
    out = {}
    for name, rows in suites.items():
        draw = random.Random(f"{seed} {name}")  # noqa: S311  # a sample that anybody can draw again
        halves = [
            [row.command for row in rows if row.expected == side and not row.written] for side in ("gate", "allow")
        ]
        out[name] = tuple(draw.sample(half, min(sample, len(half))) for half in halves)
    return out  # type: ignore[return-value]  # two halves


def _judged(
    suites: dict[str, tuple[list[str], list[str]]], judge: Callable[[list[str]], list[Verdict]]
) -> tuple[dict[str, list[Verdict]], dict[str, list[Verdict]]]:
    dangerous, harmless = (
        {name: judge(halves[side]) for name, halves in suites.items() if halves[side]} for side in (0, 1)
    )
    return dangerous, harmless


def _ours(suites: dict[str, tuple[list[str], list[str]]]) -> report.Result:
    dangerous, harmless = _judged(suites, ours.verdicts)
    quiet = [
        command
        for name, verdicts in harmless.items()
        for command, one in zip(suites[name][1], verdicts, strict=True)
        if not one.stopped
    ]
    times = ours.times_ms(random.Random(1).sample(quiet, min(200, len(quiet))))  # noqa: S311  # as above
    return report.Result(
        name="**Askfirst**", kind="effects and facts", dangerous=dangerous, harmless=harmless, times_ms=times
    )


def _peer(each: Peer, suites: dict[str, tuple[list[str], list[str]]], jobs: int) -> report.Result:
    with ThreadPoolExecutor(jobs) as pool:
        dangerous, harmless = _judged(suites, lambda commands: list(pool.map(lambda one: ask(each, one), commands)))
    times = [one.ms for found in (dangerous, harmless) for rows in found.values() for one in rows]
    name = f"{each.name} {each.version}".strip()
    return report.Result(name=name, kind=each.kind, dangerous=dangerous, harmless=harmless, times_ms=times)


def _silent(each: Peer) -> str:
    """Why a guard cannot be measured, ``""`` when it answers: it must let ``ls`` run without a crash."""
    try:
        return "it does not start here" if ask(each, "ls").crashed else ""
    except OSError as error:
        return str(error)


def _write(results: list[report.Result], left_out: list[str], options: argparse.Namespace) -> None:
    text = report.table(results)
    if left_out:
        text += "\nNot measured: " + "; ".join(left_out) + ".\n"
    if options.print:
        print(text)
        return
    report.plot(results, DOCS / "benchmarks.svg")
    page = DOCS / "benchmarks.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(START)
    after = rest.partition(END)[2]
    today = dt.datetime.now(tz=dt.UTC).date()
    head = f"Measured on {today}, at most {options.sample} rows a suite and verdict, seed {options.seed}.\n\n"
    page.write_text(f"{before}{START}\n{head}{text}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
