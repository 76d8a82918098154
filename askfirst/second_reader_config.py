"""The ``[second_reader]`` table of the configuration file.

Off unless a model is named and a key is found: commands, evidence and the agent's claim leave the machine.

Example::

    [second_reader]
    model = "claude-sonnet-4-6"    # "": off
    api_key_file = ""              # "": the environment variable ANTHROPIC_API_KEY of the broker
    risk_from = "high"             # from this risk on it is asked
    limit_s = 20.0                 # how long one reading may take, seconds
    tokens_per_day = 500000        # in and out together; then it is silent until the next day (UTC)
    base_url = ""                  # "": Anthropic's own
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from askfirst.effects import Risk

if TYPE_CHECKING:
    from pathlib import Path


class RawSecondReader(BaseModel):
    """The table as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str = Field(default="", max_length=200)
    api_key_file: str = ""
    risk_from: Literal["low", "medium", "high", "critical"] = "high"
    limit_s: float = Field(default=20.0, ge=1, le=300)
    tokens_per_day: int = Field(default=500_000, ge=0)
    base_url: str = Field(default="", pattern="^$|^https?://")


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondReaderConfig:
    """The table as the program uses it."""

    model: str = ""
    api_key_file: Path | None = None
    risk_from: Risk = Risk.HIGH
    limit_s: float = 20.0
    tokens_per_day: int = 500_000
    base_url: str = ""


def second_reader_config(raw: RawSecondReader, folder: Path) -> SecondReaderConfig:
    """The table for the program; a relative path starts at the configuration file's folder."""
    return SecondReaderConfig(
        model=raw.model,
        api_key_file=folder / raw.api_key_file if raw.api_key_file else None,
        risk_from=Risk.of(raw.risk_from),
        limit_s=raw.limit_s,
        tokens_per_day=raw.tokens_per_day,
        base_url=raw.base_url,
    )
