"""Bands of the agent's own confidence. They only ever lower its autonomy: an agent cannot talk itself free."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from askfirst.policy.ruling import Band, BandName, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from askfirst.policy.layer import Layer


_DOES = {Outcome.ALLOW: "no change", Outcome.ASK: "a person is asked", Outcome.DENY: "denied"}


def band_of(confidence: float | None, layers: Sequence[Layer], rule_says: Outcome) -> tuple[Band, Outcome]:
    """The band, and the least outcome that it calls for.

    Args:
        confidence: as the agent said; what is no number from 0 to 1 is low.
        layers: whose thresholds count, the strictest of them.
        rule_says: what the rules that matched do about low confidence, the strictest of them.
    """
    if confidence is None:
        return Band(), Outcome.ALLOW
    low = max(layer.confidence.low_below for layer in layers)
    high = max(low, *(layer.confidence.high_above for layer in layers))  # what one layer calls low is high in none
    name = _band(confidence, high, low)
    denies = Outcome.DENY in {rule_says, *(layer.confidence.low for layer in layers)}
    wanted = Outcome.ALLOW if name == "high" else Outcome.DENY if name == "low" and denies else Outcome.ASK
    effect = f"the agent's own confidence {_shown(confidence)} is {name} ({_meaning(name, high, low)}): {_DOES[wanted]}"
    return Band(confidence=_stored(confidence), name=name, effect=effect), wanted


def _band(confidence: float, high: float, low: float) -> BandName:
    if not 0 <= confidence <= 1 or confidence < low:
        return "low"
    return "high" if confidence > high else "middle"


def _meaning(name: BandName, high: float, low: float) -> str:
    return {"high": f"above {high:g}", "middle": f"{low:g} to {high:g}"}.get(name, f"below {low:g} or no confidence")


def _shown(confidence: float) -> str:
    return f"{confidence:g}" if math.isfinite(confidence) else "that is no number"


def _stored(confidence: float) -> float | None:
    return confidence if math.isfinite(confidence) else None
