"""Sessions by what they asked for."""

from __future__ import annotations

from askfirst.session_list import Asked, sessions


def asked(session: str, state: str, at_ms: int, host: str = "claude-code") -> Asked:
    return Asked(
        host=host,
        session=session,
        cwd=f"/{session}/{at_ms}",
        state=state,
        id=f"r{at_ms}",
        code="C",
        text="x",
        at_ms=at_ms,
    )


def test_those_that_wait_come_first_and_then_those_that_asked_last() -> None:
    found = sessions(
        [asked("b", "denied", 5), asked("a", "pending", 3), asked("a", "approved", 1), asked("a", "pending", 2),
         asked("c", "expired", 9), asked("a", "denied", 4, host="codex")]
    )  # fmt: skip
    assert [(each.host, each.session) for each in found] == [
        ("claude-code", "a"),
        ("claude-code", "c"),
        ("claude-code", "b"),
        ("codex", "a"),
    ]
    first = found[0]
    assert [each.at_ms for each in first.waiting] == [2, 3]
    assert (first.states, first.cwd, first.last_ms) == ({"approved": 1, "pending": 2}, "/a/3", 3)


def test_nobody_is_nobody() -> None:
    assert sessions([]) == []
