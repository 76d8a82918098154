"""What a program says about what it asks for: explain before execute. A claim, and shown to people as one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from askfirst.errors import InputError

TEXT_MAX_CHARS = 10_000
SIGNALS_MAX = 50
_MEMBERS = ("reason", "impact", "rollback_plan", "confidence", "signals")

Words = str | Callable[..., str] | None
"""A text, or a function of the call's own arguments that gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a decorator was told to say; a function is called with the arguments of the call, by name."""

    reason: Words = None
    impact: Words = None
    rollback_plan: Words = None
    confidence: float | Callable[..., float] | None = None
    signals: Sequence[str] | Callable[..., Sequence[str]] = ()

    def claim(self, *, values: Mapping[str, object], shown: Mapping[str, object], about: str = "") -> dict[str, object]:
        """The claim of one call, as REST ``/v1`` takes it.

        What the decorator does not say is taken from an argument that has a member of that name, e.g. an ``action``
        with its own ``impact`` and ``confidence``.

        Args:
            values: the call's arguments.
            shown: the same as they are shown.
            about: the reason where none is given.

        Raises:
            InputError: something is no text, no number from 0 to 1, or too long.
        """
        said = {name: self._said(name, values) for name in _MEMBERS}
        for name in _MEMBERS:
            if said[name] is None or said[name] == []:
                said[name] = _member(shown, name)
        return _checked({**said, "reason": said["reason"] or about})

    def _said(self, name: str, values: Mapping[str, object]) -> object:
        value = getattr(self, name)
        if callable(value):
            value = value(**accepted(value, values))
        return list(value) if name == "signals" and not isinstance(value, str) else value


def accepted(function: Callable[..., object], values: Mapping[str, object]) -> dict[str, object]:
    """Those arguments that the function takes."""
    parameters = inspect.signature(function).parameters
    if any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        return dict(values)
    return {name: value for name, value in values.items() if name in parameters}


def _member(shown: Mapping[str, object], name: str) -> object:
    for value in shown.values():
        if isinstance(value, Mapping) and value.get(name) is not None:
            found = value[name]
            fits = {"confidence": int | float, "signals": list}.get(name, str)
            if isinstance(found, fits) and not isinstance(found, bool):
                return found
    return None


def _checked(said: Mapping[str, object]) -> dict[str, object]:
    claim: dict[str, object] = {}
    for name in ("reason", "impact", "rollback_plan"):
        text = said[name]
        if text is not None and not isinstance(text, str):
            raise InputError(f"{name} is {text!r}, expected a text", field=name)
        claim[name] = (text or "")[:TEXT_MAX_CHARS]
    confidence = said["confidence"]
    if confidence is not None and not _is_share(confidence):
        raise InputError(f"confidence is {confidence!r}, expected a number from 0 to 1", field="confidence")
    claim["confidence"] = confidence
    signals = said["signals"] or []
    if not isinstance(signals, list) or not all(isinstance(each, str) for each in signals):
        raise InputError(f"signals is {signals!r}, expected a list of texts", field="signals")
    claim["signals"] = [each[:TEXT_MAX_CHARS] for each in signals[:SIGNALS_MAX]]
    return claim


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
