"""The few policy keys of ``config.toml`` as a layer, right above the built-in one: every policy file refines it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.config import parse_config
from askfirst.effects import Risk
from askfirst.policy.raw import RawPolicy

if TYPE_CHECKING:
    from askfirst.config import Config

_TIMES = ("approval_timeout_s", "grant_ttl_s", "late_grant_ttl_s")


def short_form(config: Config) -> RawPolicy:
    """What the configuration says about policy beyond its defaults; an empty policy when nothing."""
    default = parse_config(b"", source="")
    times = {name: getattr(config, name) for name in _TIMES if getattr(config, name) != getattr(default, name)}
    rungs = {risk.label: dict(times) for risk in Risk}
    unknown: dict[str, object] = dict(times)
    if config.ask_from is not default.ask_from:
        for risk in Risk:
            rungs[risk.label]["outcome"] = "ask" if risk >= config.ask_from else "allow"
    if config.strict:
        unknown["outcome"] = "ask"
    said: dict[str, object] = {"risk": {name: rung for name, rung in rungs.items() if rung}, "unknown": unknown}
    said = {name: table for name, table in said.items() if table}
    if config.terminal_decisions:
        said["terminal_decisions"] = True
    return RawPolicy.model_validate(said)
