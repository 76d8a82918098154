"""Fakes and fixtures, for our own tests and for those who build on Askfirst.

- ``FakeClock``: time that stands still.
- ``MemoryAuditLog``: keeps entries in memory; it proves nothing.
- ``bench()``: a desk over a real SQLite store.
- ``a_draft()``: a plausible request to start from.
"""

from askfirst.testing.bench import Bench, FakeClock, MemoryAuditLog, a_draft, a_review, bench

__all__ = ["Bench", "FakeClock", "MemoryAuditLog", "a_draft", "a_review", "bench"]
