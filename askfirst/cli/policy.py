"""``askfirst policy``: check, explain, try and describe policies. None of these commands changes anything.

What they do is in ``policy_commands``, which is heavy and loaded by the command that needs it.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from askfirst.cli.options import AsJson, StateDir
from askfirst.cli.output import EXIT_NO, sentences, stderr
from askfirst.cli.store_file import store_file

Layer = Annotated[
    Path | None, typer.Option("--layer", help="Use this file as the person's policy instead of the one in use.")
]
As = Annotated[
    Literal["user", "managed", "project"] | None,
    typer.Option("--as", help="As which layer; by its name, askfirst.toml is a project's.", show_default=False),
]


PastCalls = Callable[[Path, int], list[dict[str, object]]]
Schemes = Callable[[], tuple[Mapping[str, int], frozenset[str]]]


def add(app: typer.Typer, past_calls: PastCalls, schemes: Schemes) -> None:
    """Register the group.

    Args:
        app: where.
        past_calls: reads the last n tool calls of a store's log.
        schemes: the channels that are installed, each with the most that a review by it can be worth, and those of them
            that need no set-up.
    """
    group = typer.Typer(help="Check, explain and try the policy.", no_args_is_help=True)
    group.command("explain")(explain)
    group.command("test")(run_case_file)
    group.command("schema")(schema)
    group.command("list")(list_layers)

    @group.command()
    def check(
        file: Annotated[
            Path | None, typer.Argument(help="A policy file; without one, all that are in use here.")
        ] = None,
        kind: As = None,
        as_json: AsJson = False,
    ) -> None:
        """Whether policy files can be used; if not, one sentence says what to mend and where. Exit code 1: not."""
        from askfirst.cli import policy_commands  # noqa: PLC0415  # heavy

        with sentences():
            if not policy_commands.check(file, kind or "", schemes, as_json=as_json):
                raise typer.Exit(EXIT_NO)

    @group.command()
    def backtest(
        layer: Layer = None,
        count: Annotated[int, typer.Option("-n", min=1, max=100_000, help="So many of the newest calls.")] = 1000,
        store: Annotated[Path | None, typer.Option(help="A store file other than the state folder's.")] = None,
        state_dir: StateDir = None,
        as_json: AsJson = False,
    ) -> None:
        """What a policy would have done to the last calls. Exit code 1: it lets pass what a person denied."""
        from askfirst.cli import policy_commands  # noqa: PLC0415  # heavy

        with sentences():
            with store_file(store, state_dir) as path, stderr.status("trying"):
                report = policy_commands.backtested(past_calls(path, count), layer)
            policy_commands.show_report(report, as_json=as_json)
            if report.false_allows:
                raise typer.Exit(EXIT_NO)

    app.add_typer(group, name="policy")


def explain(  # noqa: PLR0917  # Typer reads options, which are never positional
    command: Annotated[list[str], typer.Argument(help="The command, best as one quoted text after --.")],
    tool: Annotated[
        str, typer.Option(help="The tool; for any but Bash the command is its arguments as JSON.")
    ] = "Bash",
    cwd: Annotated[str, typer.Option(help="Where it would run.", show_default="here")] = "",
    host: Annotated[str, typer.Option(help="The agent's program.")] = "claude-code",
    agent: Annotated[str, typer.Option(help="Id of the subagent.", show_default="the main thread")] = "",
    session: Annotated[str, typer.Option(help="Id of the session.")] = "",
    model: Annotated[str, typer.Option(help="The agent's model.")] = "",
    at: Annotated[str, typer.Option(help="When, e.g. 2026-11-25T22:00:00+01:00.", show_default="now")] = "",
    confidence: Annotated[float | None, typer.Option(help="What the agent would say of itself.")] = None,
    layer: Layer = None,
    as_json: AsJson = False,
) -> None:
    """Which layer and rule decide about a command, why, and on which terms. Exit code 1: it would not just run."""
    from askfirst.circumstances import circumstances_of  # noqa: PLC0415  # heavy
    from askfirst.cli import policy_commands  # noqa: PLC0415  # the same

    with sentences():
        text = command[0] if len(command) == 1 else shlex.join(command)
        given = circumstances_of(host=host, agent=agent, session=session, model=model, at=at, confidence=confidence)
        question = policy_commands.question_about(text, tool=tool, cwd=cwd or str(Path.cwd()), given=given)
        if not policy_commands.explain(text, question, layer, as_json=as_json):
            raise typer.Exit(EXIT_NO)


def run_case_file(
    file: Annotated[Path, typer.Argument(help="A TOML file of [[case]] tables: command, expect, outcome, …")],
    layer: Layer = None,
    as_json: AsJson = False,
) -> None:
    """Run the cases of a file. Exit code 1: at least one came out otherwise than expected."""
    from askfirst.cli import policy_commands  # noqa: PLC0415  # heavy

    with sentences():
        if not policy_commands.run_case_file(file, layer, as_json=as_json):
            raise typer.Exit(EXIT_NO)


def schema(as_json: AsJson = False) -> None:
    """Print the JSON Schema of policy files, for editors; it is JSON with and without --json."""
    del as_json
    from askfirst.policy.json_schema import schema_text  # noqa: PLC0415  # heavy

    sys.stdout.write(schema_text())


def list_layers(
    cwd: Annotated[str, typer.Option(help="The folder whose project counts.", show_default="here")] = "",
    as_json: AsJson = False,
) -> None:
    """The layers in use here, from the weakest to the strongest, and the ready policies."""
    from askfirst.cli import policy_commands  # noqa: PLC0415  # heavy

    with sentences():
        policy_commands.list_layers(cwd or str(Path.cwd()), as_json=as_json)
