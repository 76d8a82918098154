"""The ``askfirst`` command and its subcommands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

import askfirst
from askfirst.cli import (
    audit,
    audit_act,
    audit_export,
    audit_tail,
    backup,
    break_glass,
    channels,
    check,
    demo,
    doctor,
    explain,
    github,
    grants,
    hook,
    inbox,
    init,
    install,
    mcp,
    people,
    policy,
    preview,
    requests,
    run,
    serve,
    sessions,
    telegram,
    tokens,
    trash,
    undo,
    witness,
)
from askfirst.cli.output import console, print_json

if TYPE_CHECKING:
    from askfirst.cli.parts import Parts


def _print_version(wanted: bool) -> None:  # noqa: FBT001  # the shape of an option's callback
    if wanted:
        version(as_json=False)
        raise typer.Exit


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
    undo.add(app)
    trash.add(app)
    tokens.add(app)
    people.add(app)
    break_glass.add(app)
    telegram.add(app, parts)
    github.add(app, parts)
    channels.add(app)
    preview.add(app, parts)
    init.add(app, parts)
    install.add(app, parts)
    doctor.add(app, parts)
    run.add(app, parts)
    sessions.add(app)
    hook.add(app, parts)
    mcp.add(app, parts)
    explain.add(app)
    check.add(app)
    policy.add(app, parts.past_calls, parts.schemes)
    log = audit.add(app, parts)
    audit_tail.add(log, parts)
    audit_export.add(log, parts)
    audit_act.add(log, parts)
    witness.add(app, parts)
    backup.add(app, parts)
    demo.add(app, parts)
    app.command()(version)
    app.callback()(_options)
    return app


def _options(
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    pass


def version(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Print the version."""
    if as_json:
        print_json({"version": askfirst.__version__})
    else:
        console.print(f"askfirst {askfirst.__version__}")
