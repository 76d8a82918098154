"""The sources of evidence that there are, in the order in which people read what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.evidence.files import FileSource
from askfirst.evidence.git_look import GitSource
from askfirst.evidence.remotes import Remotes

if TYPE_CHECKING:
    from askfirst.evidence.eye import Source
    from askfirst.evidence_config import EvidenceConfig


def sources(config: EvidenceConfig) -> tuple[Source, ...]:
    """Every source, as far as the configuration lets it look."""
    return (GitSource(remotes=Remotes(network=config.network)), FileSource())
