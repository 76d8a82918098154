"""Time to verify a log from disk, to make and verify proofs, and to open the log again, at growing numbers of entries.

Arguments: numbers of entries, by default 10,000, 100,000 and 1,000,000. Proofs are of entries spread over the log.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from askfirst.audit_port import Entry, Private
from audit.clock import SystemClock
from audit.log import open_log
from audit.note import open_checkpoint
from audit.receipt import make_receipt, verify_receipt
from audit.source import connect, node_reader
from audit.testing import decided, engine_of, signer_of
from audit.tree import consistency_proof
from audit.verify import verify_store

if TYPE_CHECKING:
    from collections.abc import Callable

BATCH = 1000
SAMPLES = 50
STANDALONE = Path(__file__).parent.parent / "audit" / "verify_standalone.py"


def build(path: Path, count: int) -> None:
    """A store with a log of that many entries, the founding one included."""
    engine = engine_of(path)
    signer = signer_of(1)
    with engine.begin() as connection:
        log = open_log(connection, signer, SystemClock(), may_found=True)
    log.committed()
    entries = [_entry(number) for number in range(BATCH)]
    while log.head.size < count:
        with engine.begin() as connection:
            for entry in entries[: count - log.head.size]:
                log.append(connection, entry)
            log.seal(connection)
        log.committed()
    engine.dispose()
    path.with_name("log.vkey").write_text(f"{signer.verifier.vkey}\n", encoding="utf-8")


def _entry(number: int) -> Entry:
    """One of a decision; every fifth has a payload, as a request has that was decided by a person."""
    entry = decided(number)
    if number % 5:
        return entry
    return replace(entry, action={**entry.action, "input": Private(b"git push --force " + b"x" * 180)})


def timed(act: Callable[[], object]) -> float:
    """Wall time of one call, seconds."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def proofs(path: Path, count: int) -> tuple[float, float, float]:
    """Milliseconds to make a receipt, to verify it, and to make a proof of consistency with half the log."""
    verifier, connection = signer_of(1).verifier, connect(path)
    (signed,) = connection.execute("select checkpoint from tree").fetchone()
    head, node = open_checkpoint(signed, [verifier]), node_reader(connection)
    indexes = [count * step // SAMPLES for step in range(SAMPLES)]
    bodies = [connection.execute("select body from audit where seq = ?", (at,)).fetchone()[0] for at in indexes]
    receipts = [make_receipt(node, at, head, signed) for at in indexes]
    made_s = timed(lambda: [make_receipt(node, at, head, signed) for at in indexes])
    pairs = list(zip(receipts, bodies, strict=True))
    verified_s = timed(lambda: [verify_receipt(receipt, body, [verifier]) for receipt, body in pairs])
    consistency_s = timed(lambda: [consistency_proof(node, max(at, 1), count) for at in indexes])
    connection.close()
    return made_s / SAMPLES * 1000, verified_s / SAMPLES * 1000, consistency_s / SAMPLES * 1000


def reopen(path: Path) -> None:
    """Open the log as a broker that starts."""
    engine = engine_of(path)
    with engine.begin() as connection:
        open_log(connection, signer_of(1), SystemClock(), may_found=False)
    engine.dispose()


def measure(path: Path, count: int) -> tuple[float, ...]:
    """One line of the table."""
    assert verify_store(path).ok
    whole_s = timed(lambda: verify_store(path))
    command = [sys.executable, str(STANDALONE), str(path)]
    alone_s = timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    open_s = timed(lambda: reopen(path))
    return path.stat().st_size / 1e6, whole_s, count / whole_s, alone_s, open_s * 1000, *proofs(path, count)


def main() -> None:
    """Print the table."""
    titles = ("MB", "verify, s", "entries/s", "stand-alone, s", "open, ms", "receipt, ms", "its check, ms", "grown, ms")
    print(f"{'entries':>9}" + "".join(f"{title:>16}" for title in titles))
    before: tuple[int, tuple[float, ...]] | None = None
    for count in map(int, sys.argv[1:] or ["10000", "100000", "1000000"]):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bench.db"
            build(path, count)
            cells = measure(path, count)
        print(f"{count:>9}" + "".join(f"{cell:>16.2f}" for cell in cells))
        if before is not None:
            growth = "".join(
                f"{'x ' + format(now / then, '.2f'):>16}" for now, then in zip(cells, before[1], strict=True)
            )
            print(f"{'x ' + format(count / before[0], '.0f'):>9}{growth}")
        before = count, cells


if __name__ == "__main__":
    main()
