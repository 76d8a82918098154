"""What the Bot API answers when it refuses."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A refusal: status, description, and the parameters that go with it."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        found: dict[str, Any] = {"ok": False, "error_code": self.code, "description": str(self)}
        return {**found, "parameters": self.parameters} if self.parameters else found


def bad(description: str, **parameters: int) -> ApiError:
    """400."""
    return ApiError(400, f"Bad Request: {description}", **parameters)


def too_many(seconds: int) -> ApiError:
    """429."""
    return ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
