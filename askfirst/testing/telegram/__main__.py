"""``python -m askfirst.testing.telegram [PORT]``: serve a fake until interrupted; prints its address and token."""

from __future__ import annotations

import contextlib
import sys
import threading

from askfirst.testing.telegram.server import FakeTelegram

if __name__ == "__main__":
    port = int(sys.argv[1]) if sys.argv[1:] else 0
    with contextlib.suppress(KeyboardInterrupt), FakeTelegram(port=port) as fake:
        sys.stdout.write(f"{fake.url} {fake.token}\n")
        sys.stdout.flush()
        threading.Event().wait()
