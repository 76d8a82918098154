"""What came of a released action, in words: whether exactly what was approved ran, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.request import GrantState

if TYPE_CHECKING:
    from askfirst.engine.case import Case
    from askfirst.request import Use

_NEVER = {
    GrantState.ISSUED: "",
    GrantState.LAPSED: "it did not run: the permission lapsed unused",
    GrantState.REVOKED: "it did not run: the approval was taken back",
}


def receipt_of(case: Case) -> str:
    """E.g. ``ran exactly what was approved · ok · exit code 0 · 1.2 s``; ``""`` before a release."""
    if case.grant is None:
        return ""
    if case.grant.state is GrantState.REVOKED and case.grant.detail and not case.grant.uses:
        return f"the approval was taken back: {case.grant.detail}"
    if not case.grant.uses:
        return _NEVER.get(case.grant.state, "")
    return _of_use(case.grant.uses[-1])


def _of_use(use: Use) -> str:
    receipt = use.receipt
    if not use.outcome:
        return "released; the host has not reported yet what came of it"
    if receipt.as_approved is None:
        return f"ran: {use.outcome}"
    parts = (
        "ran exactly what was approved" if receipt.as_approved else "what ran differs from what was approved",
        use.outcome,
        "" if receipt.exit_code is None else f"exit code {receipt.exit_code}",
        "" if receipt.duration_ms is None else f"{receipt.duration_ms / 1000:.1f} s",
        f"HEAD is now {receipt.head[:12]}" if receipt.head else "",
    )
    return " · ".join(each for each in parts if each)
