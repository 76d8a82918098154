"""A snapshot or its restoration in a process of its own, which kills itself at the n-th touch of the system.

``python dies_midway.py FOLDER keep|undo N`` prints the number of touches, or dies by SIGKILL at the N-th.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from askfirst.rescue import Order
from askfirst.testing.world import make_world

TOUCHES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "subprocess.Popen"}
COMMAND = "git stash clear; rm -rf notes; git reset --hard HEAD~1; git clean -fdx"


def main(folder: Path, what: str, deadly: int) -> None:
    world = make_world(folder)
    count = 0

    def touched(event: str, _arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in TOUCHES:
            count += 1
            if count == deadly:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(touched)
    if what == "keep":
        sys.stdout.write(world.caught(COMMAND, folder / "app").snapshot + "\n")
    else:
        [about, *_] = world.keeper.trash.every()
        order = Order(request_id=about.request_id, snapshot=about.id, turn=0, by="local:ann", channel="web")
        asyncio.run(world.keeper.restore(order))
    sys.stdout.write(f"{count}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
