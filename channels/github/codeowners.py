"""CODEOWNERS, over the package of the same name: who owns a path."""

from __future__ import annotations

import re

from codeowners import CodeOwners

from askfirst.errors import ChannelError


class Codeowners:
    """The rules of one file; the last one that matches a path counts.

    Raises:
        ChannelError: a pattern in it cannot be read, so nobody can be said to own anything.
    """

    def __init__(self, text: str) -> None:
        try:
            self._rules = CodeOwners(text)
        except (ValueError, re.error) as error:
            raise ChannelError("CODEOWNERS cannot be read; mend its patterns") from error

    def of(self, path: str) -> tuple[str, ...]:
        """Owners of this path as they are written, e.g. ``@ann`` or ``@acme/api``; none: nobody owns it."""
        return tuple(name for _, name in self._rules.of(path))
