"""Time to verify a log from disk, and the size of its file, at growing numbers of entries."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from audit.clock import SystemClock
from audit.log import open_log
from audit.testing import decided, engine_of, signer_of
from audit.verify import verify_store

BATCH = 1000


def build(path: Path, count: int) -> None:
    """A store with a log of that many entries, the founding one included."""
    engine = engine_of(path)
    signer = signer_of(1)
    with engine.begin() as connection:
        log = open_log(connection, signer, SystemClock(), may_found=True)
    log.committed()
    entries = [decided(number) for number in range(BATCH)]
    while log.head.size < count:
        with engine.begin() as connection:
            for entry in entries[: count - log.head.size]:
                log.append(connection, entry)
            log.seal(connection)
        log.committed()
    engine.dispose()
    path.with_name("log.vkey").write_text(f"{signer.verifier.vkey}\n", encoding="utf-8")


def main() -> None:
    """Print the table; with a path of the stand-alone verifier, time that as well."""
    standalone = Path(__file__).parent.parent / "audit" / "verify_standalone.py"
    print(f"{'entries':>9}{'MB':>8}{'verify, s':>12}{'entries/s':>12}{'stand-alone, s':>16}")
    for count in map(int, sys.argv[1:] or ["10000", "100000", "1000000"]):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bench.db"
            build(path, count)
            start = time.perf_counter()
            report = verify_store(path)
            taken_s = time.perf_counter() - start
            assert report.ok, report.problems
            start = time.perf_counter()
            subprocess.run([sys.executable, standalone, path], check=True, stdout=subprocess.DEVNULL)
            alone_s = time.perf_counter() - start
            size_mb = path.stat().st_size / 1e6
        print(f"{count:>9}{size_mb:>8.0f}{taken_s:>12.2f}{count / taken_s:>12.0f}{alone_s:>16.2f}")


if __name__ == "__main__":
    main()
