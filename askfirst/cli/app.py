"""The ``askfirst`` command and its subcommands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

import askfirst
from askfirst.cli import audit, check, demo, explain, grants, hook, inbox, policy, requests, serve
from askfirst.cli.output import console, print_json

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts


def build(parts: Parts) -> typer.Typer:
    """The command line over these parts."""
    app = typer.Typer(
        name="askfirst",
        help="Makes coding agents ask first: hooks gate destructive commands, a person decides, a log proves it.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    serve.add(app, parts)
    inbox.add(app, parts)
    requests.add(app)
    grants.add(app)
    hook.add(app, parts)
    explain.add(app)
    check.add(app)
    policy.add(app)
    audit.add(app, parts)
    demo.add(app, parts)
    app.command()(version)
    return app


def version(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Print the version."""
    if as_json:
        print_json({"version": askfirst.__version__})
    else:
        console.print(f"askfirst {askfirst.__version__}")
