"""The ``[audit]`` table of the configuration file.

Example::

    [audit]
    witnesses = "witnesses.policy"  # a tlog-policy file: who cosigns the log, and how many are enough; "": nobody
    witness_from = "critical"       # from this risk on a release waits for them: low, medium, high, critical or never
    passed_calls = true             # log harmless calls, too, many in one entry
    retention_days = 0              # after so many days inputs are erased and only their digests stay; 0: never
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from askfirst.effects import Risk

if TYPE_CHECKING:
    from pathlib import Path


class RawAudit(BaseModel):
    """The table as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    witnesses: str = ""
    witness_from: Literal["low", "medium", "high", "critical", "never"] = "critical"
    passed_calls: bool = True
    retention_days: int = Field(default=0, ge=0, le=36_500)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditConfig:
    """The table as the program uses it.

    Attributes:
        witnesses: the trust policy's file; None without witnesses.
        witness_from: from this risk on a release waits for the witnesses; None: never.
        passed_calls: whether harmless calls are logged.
        retention_days: days after which payloads are erased; 0: never.
    """

    witnesses: Path | None = None
    witness_from: Risk | None = Risk.CRITICAL
    passed_calls: bool = True
    retention_days: int = 0


def audit_config(raw: RawAudit, folder: Path) -> AuditConfig:
    """The table for the program; a relative path starts at the configuration file's folder."""
    return AuditConfig(
        witnesses=folder / raw.witnesses if raw.witnesses else None,
        witness_from=None if raw.witness_from == "never" else Risk.of(raw.witness_from),
        passed_calls=raw.passed_calls,
        retention_days=raw.retention_days,
    )
