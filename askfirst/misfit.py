"""What pydantic says of a value that does not fit, as a part of a sentence of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def misfit(error: ErrorDetails) -> str:
    """Why it does not fit, e.g. ``input should be a valid integer``; a check of ours says it in its own words."""
    message = error["msg"].removeprefix("Value error, ")
    return f"{message[:1].lower()}{message[1:]}".rstrip(".")
