"""How much may wait, and how long a person's no is remembered."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits of one broker; beyond them a call is denied with the reason, never queued without end.

    Attributes:
        pending: requests that may wait for people, over all hosts.
        pending_per_caller: the same of one token, with the hooks of its machine, or of one user of the broker's machine
            other than the broker's own.
        pending_per_session: requests of one session that may wait for people.
        pending_per_host: the same over all sessions of one host; half of it for one caller as above.
        denial_window_s: so long the same action is answered from its denial.
        stop_window_s: so long a session that was told to stop hears nothing else.
        similar_window_s: so long a denial is brought up when something equivalent is asked.
    """

    pending: int = 100_000
    pending_per_caller: int = 10_000
    pending_per_session: int = 50
    pending_per_host: int = 1_000
    denial_window_s: int = 600
    stop_window_s: int = 1_800
    similar_window_s: int = 3_600
