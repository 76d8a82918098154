"""The shape of a rule pack: TOML on disk, frozen values in memory.

A pack file, ``askfirst/rules/packs/<id>.toml``::

    [pack]
    id = "kubernetes"
    title = "Kubernetes"
    enabled = true                       # false: opt-in

    [programs.kubectl]
    aliases = ["oc"]                     # further base names of the same program
    value_options = ["-n", "--namespace", "--context"]   # options that take the next word as their value
    help_options = ["-h", "--help"]      # make the command harmless wherever they stand (default -h --help --version);
                                         # as dry_run, also words without a dash where the program has such (``/?``)
    dry_run = ["--dry-run=client", "--dry-run=server"]   # make the command harmless where this program honours them
    runs = false                         # its first word may be another program of the packs: ``pnpm vercel --prod``
    passes_on = ["exec *"]               # behind these words options belong to another program
    harmless = ["get", "describe", "logs", "config view", "rollout status|history"]   # subcommand paths known harmless

    [[rules]]
    id = "kubernetes.delete-namespace"
    program = "kubectl"
    subcommand = ["delete"]              # any of these paths: words after options are skipped, prefix match
    operands = ["ns|namespace|namespaces|ns/*|namespace/*"]   # patterns for the operands that follow, in order
    any_operand = []                     # or: a pattern that any one operand matches
    not_operand = []                     # operands that are no target (``localhost*``); one that is must remain
    options_any = []                     # at least one of these is given
    options_all = []                     # each of these is given
    options_none = []                    # none of these is given
    stdin = []                           # a line of its input matches, or the input is not known
    kind = "changes-infrastructure"      # an EffectKind
    risk = "critical"
    reversible = false
    loss = "deletes the namespace {operands} and every object in it"
    suggestion = "kubectl get all --namespace {operand2}"
    gate = ["kubectl delete ns prod", "kubectl --context prod delete namespace/api"]   # examples: must be gated by
    allow = ["kubectl get ns prod"]      # this rule; and harmless twins: must not be gated at all

Patterns are ``|``-separated alternatives with ``*`` and ``?`` (case-sensitive; an unknown word matches only ``*``).
A path may begin with ``**`` (any number of words) and end with ``<end>`` (no further word); the path ``**`` is every
command line. A rule whose path has a wildcard word does not apply where a ``harmless`` path ends at the same word or
before. An option pattern matches ``--force`` also as ``--force=x``, abbreviated (``--forc``) and, where short, inside a
cluster (``-rf`` has ``-f``); ``-X=DELETE`` asks for the value, given in any of the usual ways. In ``dry_run`` a bare
``--dry-run`` means without a value or with a true one. A program declared in several packs is one program with
everything that they say. Braces in ``loss`` and ``suggestion`` take ``program``, ``subcommand``, ``operands``,
``operand1`` … ``operand9``; a suggestion that lacks one is dropped. A rule with
``handler = true`` has no matching fields: code emits it (git, file deletes, SQL) and takes risk, loss and suggestion
from here, with its own values in the braces. When several rules match a command all are kept, gravest first.
"""

from __future__ import annotations

from dataclasses import dataclass

from askfirst.effects import EffectKind, Risk  # noqa: TC001  # dataclass fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """How a program reads its command line, as far as rules need to know."""

    name: str
    aliases: tuple[str, ...] = ()
    value_options: frozenset[str] = frozenset()
    help_options: frozenset[str] = frozenset({"-h", "--help", "--version"})
    dry_run: frozenset[str] = frozenset()
    harmless: tuple[str, ...] = ()
    runs: bool = False
    passes_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; see the module docstring for what each field matches."""

    id: str
    pack: str
    kind: EffectKind
    risk: Risk
    reversible: bool
    loss: str
    suggestion: str = ""
    program: str = ""
    subcommand: tuple[str, ...] = ()
    operands: tuple[str, ...] = ()
    any_operand: tuple[str, ...] = ()
    not_operand: tuple[str, ...] = ()
    options_any: tuple[str, ...] = ()
    options_all: tuple[str, ...] = ()
    options_none: tuple[str, ...] = ()
    stdin: tuple[str, ...] = ()
    handler: bool = False
    gate: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """The programs and rules of one file."""

    id: str
    title: str
    enabled: bool
    programs: tuple[Program, ...]
    rules: tuple[Rule, ...]
