"""Wrong uses of our public API, each with the error that the checkers must find; read by mypy, never run."""

from __future__ import annotations

from askfirst import HumanLayer, human_as_tool, require_approval


@require_approval
def bare(user_id: str) -> bool:
    return bool(user_id)


bare(1)  # type: ignore[arg-type]
bare("u1", 2)  # type: ignore[call-arg]
number: int = bare("u1")
text: str = bare("u1")  # type: ignore[assignment]
require_approval(contact_chanel="slack:#x")  # type: ignore[call-overload]
require_approval(on_timeout="approve")  # type: ignore[call-overload]
human_as_tool(timeout="soon")  # type: ignore[call-overload]
HumanLayer("key")  # type: ignore[call-arg]
