"""Effects: what a tool call would do to the world, as found by our own analysis.

An effect is a value. It names the rule that found it, what is hit, what is lost, and the place in the text. What
cannot be understood is an effect of its own (``OPAQUE``), never silence.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping  # noqa: TC003  # pydantic reads the annotations of who holds a classification
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from askfirst.shell.command import Command


class Risk(enum.IntEnum):
    """How bad it is if this runs unasked; the ladder of the policy (low and medium run, high and critical ask)."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        """The lower-case name used in files, on the wire and on screens."""
        return self.name.lower()

    @classmethod
    def of(cls, label: str) -> Risk:
        """The risk with this label, e.g. ``"high"``; ValueError for any other text."""
        try:
            return cls[label.upper()]
        except KeyError:
            raise ValueError(f"unknown risk {label!r}, expected low, medium, high or critical") from None


class EffectKind(enum.StrEnum):
    """What happens to the world."""

    DELETES_FILES = "deletes-files"
    DISCARDS_CHANGES = "discards-changes"
    REWRITES_HISTORY = "rewrites-history"
    PUBLISHES = "publishes"
    DEPLOYS = "deploys"
    CHANGES_INFRASTRUCTURE = "changes-infrastructure"
    CHANGES_DATA = "changes-data"
    READS_SECRETS = "reads-secrets"
    SENDS_SECRETS = "sends-secrets"
    ESCALATES = "escalates"
    PERSISTS = "persists"
    TAMPERS = "tampers"
    DISRUPTS = "disrupts"
    SPENDS = "spends"
    RUNS_FOREIGN_CODE = "runs-foreign-code"
    OPAQUE = "opaque"


class Outcome(enum.StrEnum):
    """What the analysis concludes about a whole tool call."""

    ALLOW = "allow"
    """Every part is understood and harmless."""
    GATE = "gate"
    """At least one effect needs a person."""
    PASS = "pass"  # noqa: S105
    """Not understood, and nothing points to danger: the host's own permission system decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A path on this machine whose content goes.

    Attributes:
        path: absolute and normalised.
        glob: it is a pattern that the shell expands.
        names: only files and folders below it whose names match one of these patterns; empty: everything.
    """

    path: str
    glob: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """A place on this machine that an effect changes in any way, so that it is kept before.

    Attributes:
        kind: ``path``: what lies there, with everything below; ``glob``: what the pattern ``path`` matches;
            ``repository``: the one that ``path`` lies in, or is, with refs, index and work tree; ``remote``: ``name``
            as that repository means it.
        path: absolute, as it was spelled: ``..`` behind a symbolic link is not where its text alone leads.
        names: of a path, only what is called so below it; empty: everything.
        git_dir: of a repository, where the command names it, else ``""``.
        name: of a remote, or its URL.
    """

    kind: Literal["path", "glob", "repository", "remote"]
    path: str
    names: tuple[str, ...] = ()
    git_dir: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that the call would do.

    Attributes:
        rule: id of the rule that found it, e.g. ``git.reset-hard``.
        kind: what happens.
        risk: after grading by facts.
        reversible: whether it can be taken back with what is left afterwards.
        target: what is hit, e.g. ``/``, ``refs/heads/main``, ``database prod``.
        loss: one clause that names the loss, e.g. ``discards 3 changed files in .``.
        suggestion: a safer command that is itself not gated, or ``""``.
        span: start and end offset (characters) of the offending part in the text that the host sent.
        command: the offending simple command as it would run, expanded.
        via: the wrappers it was found under, outermost first, e.g. ``("sudo", "bash -c")``.
        facts: what was looked up to grade it, as short sentences.
        cwd: directory that it happens in, absolute; ``""`` when that is not known or on another machine.
        hits: paths whose content it takes away, as far as they are known.
        touches: what it changes on this machine, as far as that is known.
    """

    rule: str
    kind: EffectKind
    risk: Risk
    reversible: bool
    target: str
    loss: str
    suggestion: str = ""
    span: tuple[int, int] = (0, 0)
    command: str = ""
    via: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    cwd: str = ""
    hits: tuple[Hit, ...] = ()
    touches: tuple[Touch, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """The analysis of one tool call.

    Attributes:
        outcome: the conclusion.
        effects: everything found, gravest first; also low and medium ones, which alone do not gate.
        expanded: the command as the shell would run it, for people to read; ``""`` when it equals the original.
        scripts: files whose text the command runs, as absolute paths; their hashes enter the action digest.
        commands: every simple command that would run, wrappers too, as people see them; empty for other tools.
        parsed: the same as values, for whoever looks at what they would hit.
        writes: absolute path -> text of the files it would write, None where the text is not known.
    """

    outcome: Outcome
    effects: tuple[Effect, ...] = ()
    expanded: str = ""
    scripts: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    parsed: tuple[Command, ...] = field(default=(), repr=False)
    writes: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def risk(self) -> Risk:
        """The gravest risk found, LOW when there is none."""
        return max((effect.risk for effect in self.effects), default=Risk.LOW)
