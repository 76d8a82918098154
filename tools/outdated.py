"""Which pinned clients npm serves newer releases of: ``python3 tools/outdated.py``, or ``make outdated``.

The gate is proven with the released clients of ``pins.env``, and "newest" is a promise: run this before a release,
raise what it names, and run the tests. It asks npm for the dist-tag ``latest`` of our own few packages, one by one.

Exit code: 0 all are the newest, 1 some are not, 2 npm cannot be asked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from install import CLIENTS, certificates, pins, say

PACKAGES = {
    "CLAUDE_CODE": "@anthropic-ai/claude-code",
    **{name.upper(): package for name, (package, _) in CLIENTS.items()},
}
"""By the name of the pin; the oldest Claude Code stays what it is."""
TIMEOUT_S = 60


def latest(package: str) -> str:
    """The version that npm serves as the latest.

    Raises:
        OSError: npm cannot be asked; the message says why.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise OSError("npm was not found: install Node.js (with npm), then try again")
    command = [npm, "view", package, "dist-tags.latest"]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **certificates()},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"npm has not answered within {TIMEOUT_S} s about {package}") from None
    found = done.stdout.strip()
    if done.returncode != 0 or not found:
        raise OSError(f"npm serves no {package}: {done.stderr.strip().partition(chr(10))[0] or 'it said nothing'}")
    return found


def main() -> int:
    """Say what is not the newest."""
    pinned, is_newest = pins(), True
    for name, package in PACKAGES.items():
        try:
            newest = latest(package)
        except OSError as error:
            say(str(error))
            return 2
        if newest != pinned[name]:
            say(f"{package} is pinned at {pinned[name]}, npm serves {newest}: set {name} in tools/pins.env and test")
            is_newest = False
    return 0 if is_newest else 1


if __name__ == "__main__":
    sys.exit(main())
