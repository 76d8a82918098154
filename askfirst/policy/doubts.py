"""What is doubtful in a policy file that can be used, as sentences with file and line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.policy.read import line_of, read_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from askfirst.policy.raw import RawPolicy, RawTerms

Place = tuple[int | str, ...]
"""A place in the file, as pydantic names places."""
Doubt = tuple[Place, str]
"""Where, and what is doubtful there."""


def doubts(content: bytes, source: str, find: Callable[[RawPolicy], Iterable[Doubt]]) -> list[str]:
    """A sentence with file and line for each doubt that is found.

    Args:
        content: of the file.
        source: its name, for the sentences.
        find: the doubts in it.

    Raises:
        PolicyError: the file cannot be used at all.
    """
    text, raw = content.decode("utf-8", "replace"), read_policy(content, source=source)
    return [f"{source}{line_of(text, loc)}: {sentence}" for loc, sentence in find(raw)]


def asking(raw: RawPolicy) -> Iterator[tuple[Place, str, RawTerms]]:
    """What may ask, with its place in the file and its name."""
    for name in ("low", "medium", "high", "critical"):
        yield ("risk", name), f"risk.{name}", getattr(raw.risk, name)
    yield ("unknown",), "unknown", raw.unknown
    for index, rule in enumerate(raw.rule):
        if rule.outcome not in {"deny", "shadow"}:
            yield ("rule", index), f"the rule {rule.name!r}", rule
