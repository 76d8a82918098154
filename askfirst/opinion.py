"""What a language model says about a request: an opinion, shown as such, that no decision ever rests on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """One model's reading of one version of a request. Bounded in length; untrusted like everything it read.

    Attributes:
        version: of the request that it read.
        model: who speaks.
        confidence: how sure it says it is, 0 to 1; None where it does not say.
    """

    version: int
    model: str
    summary: str
    impact: str = ""
    rollback_plan: str = ""
    signals: tuple[str, ...] = ()
    confidence: float | None = None
