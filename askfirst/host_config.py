"""The ``[hosts]`` table of the configuration file: how agents' programs wait for people.

Example::

    [hosts]
    prompts = true          # an agent's own permission prompts and questions can be answered from anywhere, too
    interactive = "hold"    # "hold": a call waits for its decision; "release": the agent hears that it is pending,
                            # goes on with other work, and is woken up when somebody has decided
    defer_after_s = 60      # under `askfirst run`: how long a program stays before it ends until it is decided
    tell = []               # what people are told that nobody has to decide: "prompt" (a program asks at its own prompt
                            # and nobody else was asked), "idle" (it waits for its person), "stop" (an agent stopped)
    tell_every_s = 60       # one such message in so long; what happens meanwhile is folded into the next
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class RawHosts(BaseModel):
    """The table as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True)

    prompts: bool = True
    interactive: Literal["hold", "release"] = "hold"
    defer_after_s: int = Field(default=60, ge=0, le=86_400)
    tell: list[Literal["prompt", "idle", "stop"]] = Field(default_factory=list)
    tell_every_s: int = Field(default=60, ge=10, le=86_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostsConfig:
    """The table as the program uses it.

    Attributes:
        prompts: whether people elsewhere may answer what a host asks of its own accord.
        releases: whether an interactive session goes on while people decide.
        defer_after_s: how long a run that somebody resumes waits before it ends, seconds.
        tells: which news people are told; empty: none.
        tell_every_s: how long after a message of news the next one may follow, seconds.
    """

    prompts: bool = True
    releases: bool = False
    defer_after_s: int = 60
    tells: frozenset[str] = frozenset()
    tell_every_s: int = 60


def hosts_config(raw: RawHosts) -> HostsConfig:
    """The table for the program."""
    return HostsConfig(
        prompts=raw.prompts,
        releases=raw.interactive == "release",
        defer_after_s=raw.defer_after_s,
        tells=frozenset(raw.tell),
        tell_every_s=raw.tell_every_s,
    )
