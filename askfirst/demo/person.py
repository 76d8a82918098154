"""The person who sits before the screen and clicks: the demo only waits for them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class PersonAtScreen:
    """They were shown the link; what they do is theirs to decide."""

    decides: tuple[bool, ...] | None = None

    @contextlib.contextmanager
    def at_inbox(self, link: str, give_up: Callable[[str], None]) -> Iterator[None]:  # noqa: ARG002
        """Nothing to do."""
        yield
