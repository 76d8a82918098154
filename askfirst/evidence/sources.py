"""The sources of evidence that there are, in the order in which people read what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.evidence.deploys import DeploySource
from askfirst.evidence.files import FileSource
from askfirst.evidence.git_look import GitSource
from askfirst.evidence.plans import PlanSource
from askfirst.evidence.remotes import Remotes
from askfirst.evidence.scripts import ScriptSource
from askfirst.evidence.sql import SqlSource

if TYPE_CHECKING:
    from askfirst.evidence.eye import Source
    from askfirst.evidence_config import EvidenceConfig


def sources(config: EvidenceConfig) -> tuple[Source, ...]:
    """Every source, as far as the configuration lets it look."""
    return (
        GitSource(remotes=Remotes(network=config.network)),
        FileSource(),
        SqlSource(databases=config.databases),
        PlanSource(allowed=config.plans),
        DeploySource(),
        ScriptSource(),
    )
