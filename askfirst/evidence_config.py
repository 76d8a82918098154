"""The ``[evidence]`` table of the configuration file: how far the gate may look before it asks.

Everything is off by default but reading this machine. It stands in the person's own configuration and in no project's.

Example::

    [evidence]
    network = false                # ask remotes how they stand now (git ls-remote)
    plans = ["terraform"]          # programs whose read-only plan may be run: terraform, tofu, kubectl, helm
    limit_s = 2.0                  # how long one look may take, seconds

    [evidence.databases]           # databases that may be asked for estimates (EXPLAIN), by the name in commands
    orders = "postgresql://readonly@localhost/orders"
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003  # pydantic reads the annotations
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Planner = Literal["terraform", "tofu", "kubectl", "helm"]


class RawEvidence(BaseModel):
    """The table as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    network: bool = False
    plans: list[Planner] = Field(default_factory=list)
    limit_s: float = Field(default=2.0, ge=0.1, le=30)
    databases: dict[str, Annotated[str, Field(pattern="^postgres(ql)?://")]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceConfig:
    """The table as the program uses it; see the module docstring."""

    network: bool = False
    plans: frozenset[str] = frozenset()
    limit_s: float = 2.0
    databases: Mapping[str, str] = field(default_factory=dict, repr=False)  # may hold passwords


def evidence_config(raw: RawEvidence) -> EvidenceConfig:
    """The table for the program."""
    return EvidenceConfig(
        network=raw.network, plans=frozenset(raw.plans), limit_s=raw.limit_s, databases=dict(raw.databases)
    )
