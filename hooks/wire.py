"""What the adapters share: reading a host's JSON as strictly as hostile input is read, and the refusal by exit code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from askfirst.errors import InputError
from askfirst.host import HookAnswer
from askfirst.unique_names import TwiceNamedError, read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_NAME_CHARS = 512
"""Bound of ids, tool names and modes, characters; what is longer is from no host."""
MAX_PATH_CHARS = 4_096
MAX_CLAIM_CHARS = 2_000
"""What is kept of the agent's own words, and of a failure, characters."""
MAX_REASON_CHARS = 9_000
"""Bound of what we tell a model, characters."""
_EXIT_CODE = re.compile(r"\bexit code:? ([0-9]{1,3})\b", re.ASCII | re.IGNORECASE)
_UNFIT = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


def read_object(payload: bytes) -> dict[str, object]:
    """The JSON object on a hook's standard input.

    Raises:
        InputError: it is none.
    """
    try:
        data = read_json(payload.decode("utf-8"), parse_constant=_refuse_constant)
    except TwiceNamedError as error:
        raise InputError(f"the hook's payload {error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"the hook's payload is not JSON: {cut(str(error), 200)}") from None
    if not isinstance(data, dict):
        raise InputError(f"the hook's payload is a JSON {type(data).__name__}, expected an object")
    return data


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def text(data: Mapping[str, object], field: str, *, default: str | None = None, max_chars: int = MAX_NAME_CHARS) -> str:
    """A field that must be a short, valid Unicode text, not empty unless it has a default.

    Raises:
        InputError: it is none.
    """
    value = data.get(field, default)
    if not isinstance(value, str) or (default is None and not value):
        raise InputError(f"{field} is {kind(value)}, expected a text", field=field)
    if len(value) > max_chars or _UNFIT.search(value):
        raise InputError(f"{field} has control characters or more than {max_chars} characters", field=field)
    return value


def kind(value: object) -> str:
    """What a value is, in words: ``missing``, ``empty`` or ``a JSON list``."""
    if value is None:
        return "missing"
    return "empty" if value == "" else f"a JSON {type(value).__name__}"


def cut(text: str, max_chars: int) -> str:
    """The text, shortened to ``max_chars`` where it is longer."""
    return text if len(text) <= max_chars else text[: max_chars - 1] + "…"


def words(said: object) -> str:
    """What somebody said, bounded; ``""`` for what is no text."""
    return cut(said, MAX_CLAIM_CHARS) if isinstance(said, str) else ""


def refusal(reason: str, max_chars: int = MAX_REASON_CHARS) -> HookAnswer:
    """Exit code 2 with a sentence on standard error and an empty standard output, which most hosts block on."""
    sentence = cut(reason, max_chars).strip() or "askfirst: this call is blocked"
    return HookAnswer(exit_code=2, stderr=sentence.encode("utf-8", "backslashreplace") + b"\n")


def misplaced_allow() -> HookAnswer:
    """The answer where an allow meets no call that it could be about."""
    return refusal("askfirst: an allow without a tool call to allow; this is a bug of askfirst")


def exit_code(failure: str) -> int | None:
    """The code of a shell's command whose failure says ``Exit Code: 3``; 0 where there is no failure."""
    found = _EXIT_CODE.search(failure)
    return int(found[1]) if found else None if failure else 0


def milliseconds(value: object) -> int | None:
    """A duration as hosts give it, None for anything that is none."""
    return value if type(value) is int and 0 <= value < 2**53 else None
