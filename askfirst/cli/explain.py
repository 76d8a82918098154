"""``askfirst explain -- COMMAND``: what the gate sees in a command, and why it decides as it does."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from askfirst.call import ToolCall
from askfirst.cli.options import AsJson
from askfirst.cli.output import EXIT_NO, console, print_json, sentences
from askfirst.cli.requests import RISK_STYLE, evidence_lines
from askfirst.effects import Outcome
from askfirst.errors import InputError
from askfirst.paths import config_file
from askfirst.visible import visible

if TYPE_CHECKING:
    from askfirst.effects import Effect
    from askfirst.evidence.values import Evidence
    from askfirst.shell.analysis import Analysis, Step

_OUTCOME_STYLE = {Outcome.ALLOW: "bold green", Outcome.PASS: "bold yellow", Outcome.GATE: "bold red"}
_OUTCOME_TEXT = {
    Outcome.ALLOW: "allow: every part is understood and harmless",
    Outcome.PASS: "pass: not everything is understood, nothing points to danger; the host's own permissions decide",
    Outcome.GATE: "gate: a person is asked",
}


def add(app: typer.Typer) -> None:
    """Register the command."""

    @app.command()
    def explain(
        command: Annotated[list[str], typer.Argument(help="The command, best as one quoted text.")],
        cwd: Annotated[str, typer.Option(help="Where it would run.", show_default="here")] = "",
        as_json: AsJson = False,
    ) -> None:
        """Show what a command would do and how the gate decides. Exit code 1: it would be gated."""
        from askfirst.analyst import DiskAnalyst  # noqa: PLC0415  # heavy, and other commands start without it

        with sentences():
            if not Path(cwd or ".").is_dir():
                raise InputError(f"there is no folder {cwd}; name one with --cwd")
            text = command[0] if len(command) == 1 else shlex.join(command)
            folder = str(Path(cwd or ".").absolute())
            found = DiskAnalyst().explain(text, folder)
            evidence = _gathered(text, folder, found)
            if as_json:
                print_json({**as_object(text, found), "evidence": _evidence_object(evidence)})
            else:
                _show(text, found, evidence)
            if found.outcome is Outcome.GATE:
                raise typer.Exit(EXIT_NO)


def _gathered(text: str, folder: str, found: Analysis) -> Evidence:
    """The evidence that the gate would show, gathered here and read-only."""
    from askfirst.classify import classification_of  # noqa: PLC0415  # heavy, and other commands start without it
    from askfirst.config import load_config  # noqa: PLC0415  # the same
    from askfirst.evidence.gather import Gatherer  # noqa: PLC0415  # needs git, which other commands do without
    from askfirst.evidence.sources import sources  # noqa: PLC0415

    config = load_config(config_file()).evidence
    call = ToolCall(tool="Bash", arguments={"command": text}, cwd=folder, session="")
    gatherer = Gatherer(sources(config), limit_s=config.limit_s)
    return asyncio.run(gatherer.gather(call, classification_of(found))).evidence


def _evidence_object(evidence: Evidence) -> dict[str, Any]:
    """The evidence as the API shows it, where an agent claims nothing."""
    from askfirst.broker.shown import evidence_out  # noqa: PLC0415  # heavy, and other commands start without it
    from askfirst.request import Claim  # noqa: PLC0415  # the same

    return evidence_out(evidence, Claim()).model_dump()


def as_object(text: str, found: Analysis) -> dict[str, Any]:
    """The analysis for programs."""
    return {
        "command": text,
        "outcome": found.outcome.value,
        "expanded": found.expanded,
        "scripts": list(found.scripts),
        "effects": [effect_object(effect) for effect in found.effects],
        "tree": [_step_object(step) for step in found.tree],
    }


def effect_object(effect: Effect) -> dict[str, Any]:
    """One effect for programs."""
    return {
        "rule": effect.rule,
        "kind": effect.kind.value,
        "risk": effect.risk.label,
        "reversible": effect.reversible,
        "target": effect.target,
        "loss": effect.loss,
        "suggestion": effect.suggestion,
        "span": list(effect.span),
        "command": effect.command,
        "via": list(effect.via),
        "facts": list(effect.facts),
    }


def _step_object(step: Step) -> dict[str, Any]:
    return {
        "label": step.label,
        "span": list(step.span),
        "effects": [effect.rule for effect in step.effects],
        "steps": [_step_object(each) for each in step.steps],
    }


def _show(text: str, found: Analysis, evidence: Evidence) -> None:
    console.print(_marked(text, found), soft_wrap=True)
    if found.expanded:
        console.print(Text.assemble(("runs as  ", "dim"), visible(found.expanded)), soft_wrap=True)
    tree = Tree(Text("what runs", style="dim"), guide_style="dim")
    for step in found.tree:
        _grow(tree, step)
    console.print(tree)
    for effect in found.effects:
        _show_effect(effect)
    for line in evidence_lines(_evidence_object(evidence)):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(Text(_OUTCOME_TEXT[found.outcome], style=_OUTCOME_STYLE[found.outcome]))


def _marked(text: str, found: Analysis) -> Text:
    """The command with its offending parts marked."""
    pieces, at = Text(), 0
    spans = sorted({effect.span for effect in found.effects if effect.risk >= 3 and effect.span[1] > effect.span[0]})
    for start, end in spans:
        if start < at:
            continue
        pieces.append(visible(text[at:start]))
        pieces.append(visible(text[start:end]), style="bold red underline")
        at = end
    pieces.append(visible(text[at:]))
    return pieces


def _grow(tree: Tree, step: Step) -> None:
    label = Text(visible(step.label).replace("\n", "⏎"))
    for effect in step.effects:
        label.append(f"  {effect.rule}", style=RISK_STYLE[effect.risk.label])
    branch = tree.add(label)
    for each in step.steps:
        _grow(branch, each)


def _show_effect(effect: Effect) -> None:
    line = Text()
    line.append(f"{effect.risk.label:<9}", style=RISK_STYLE[effect.risk.label])
    line.append(visible(effect.loss))
    line.append(f"  ({effect.rule}{', reversible' if effect.reversible else ''})", style="dim")
    console.print(line, soft_wrap=True)
    for fact in effect.facts:
        console.print(Text(f"         found: {visible(fact)}", style="dim"), soft_wrap=True)
    if effect.suggestion:
        console.print(Text(f"         safer: {visible(effect.suggestion)}", style="green"), soft_wrap=True)
