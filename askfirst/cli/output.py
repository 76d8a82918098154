"""How the command line speaks: Rich for people, one JSON document for programs, one sentence for errors."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console

from askfirst.errors import BrokerUnavailableError, ConfigError, Error, InputError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from askfirst.client import Client
    from askfirst.paths import StatePaths

EXIT_NO = 1
EXIT_USAGE = 2
EXIT_NO_BROKER = 69
EXIT_STORE = 70
EXIT_CONFIG = 78

console = Console(highlight=False, emoji=False)  # a command is shown as it is, `:bomb:` too
stderr = Console(stderr=True, highlight=False, emoji=False)

_EXITS: tuple[tuple[type[Error], int], ...] = (
    (BrokerUnavailableError, EXIT_NO_BROKER),
    (StoreError, EXIT_STORE),
    (ConfigError, EXIT_CONFIG),
    (InputError, EXIT_USAGE),
)


def print_json(value: object) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def end_with(step: Mapping[str, Any], code: str, *, as_json: bool) -> None:
    """Say what the broker did about the request with this code; ends the program where it was not done."""
    if as_json:
        print_json(step)
    else:
        console.print(f"{code}: {step['note']}", markup=False)
    if not step["done"]:
        raise typer.Exit(EXIT_NO)


def fail(sentence: str, code: int) -> typer.Exit:
    """An exit that says why, on standard error; to be raised."""
    stderr.print(f"askfirst: {sentence}", style="red", markup=False, soft_wrap=True)
    return typer.Exit(code)


def connected(paths: StatePaths) -> Client:
    """A client of the broker, which is started when none runs; that takes a second or two, and is shown."""
    from askfirst.client import connect  # noqa: PLC0415  # httpx: not for commands that only read files

    with stderr.status("connecting to the broker"):
        return connect(paths)


@contextmanager
def sentences() -> Iterator[None]:
    """Turn our errors into one sentence and the exit code of their kind."""
    try:
        yield
    except Error as error:
        code = next((number for kind, number in _EXITS if isinstance(error, kind)), EXIT_NO)
        raise fail(str(error), code) from error
    except BrokenPipeError:  # the reader has seen enough, e.g. `| head`
        sys.stderr.close()
        raise typer.Exit(0) from None
    except OSError as error:
        about = "" if error.filename is None else f" ({error.filename})"
        raise fail(f"the system refused: {error.strerror or error}{about}", EXIT_STORE) from error
