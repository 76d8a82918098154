"""``askfirst policy test FILE``: run a file of cases against the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from askfirst.card import visible
from askfirst.cli.options import AsJson
from askfirst.cli.output import EXIT_NO, console, print_json, sentences


def add(app: typer.Typer) -> None:
    """Register the group."""
    group = typer.Typer(help="Try the policy.", no_args_is_help=True)
    group.command("test")(run_case_file)
    app.add_typer(group, name="policy")


def run_case_file(
    file: Annotated[Path, typer.Argument(help="A TOML file of [[case]] tables: command, expect, rule.")],
    as_json: AsJson = False,
) -> None:
    """Run the cases of a file. Exit code 1: at least one came out otherwise than expected."""
    from askfirst.analyst import DiskAnalyst  # noqa: PLC0415  # heavy, and other commands start without it
    from askfirst.policy_cases import load_cases, run_cases  # noqa: PLC0415

    with sentences():
        results = run_cases(load_cases(file), DiskAnalyst().classify)
        wrong = [each for each in results if each.wrong]
        if as_json:
            rows = [
                {"case": each.case.number, "title": each.case.title, "ok": not each.wrong, "wrong": each.wrong}
                for each in results
            ]
            print_json({"cases": rows, "failed": len(wrong)})
        else:
            for each in wrong:
                console.print(f"case {each.case.number}: {visible(each.case.title)}", markup=False, soft_wrap=True)
                console.print(f"    {each.wrong}", style="red", markup=False, soft_wrap=True)
            console.print(f"{len(results) - len(wrong)} of {len(results)} cases as expected")
        if wrong:
            raise typer.Exit(EXIT_NO)
