"""The command line as a whole: its version, and errors as one sentence with the exit code of their kind."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import askfirst
from askfirst.cli.output import sentences
from askfirst.entry import command_line
from askfirst.errors import BrokerUnavailableError, ConfigError, InputError, NotAllowedError, StoreError


@pytest.mark.parametrize("arguments", [["--version"], ["version"]])
def test_the_version_is_told(arguments: list[str]) -> None:
    done = CliRunner().invoke(command_line(), arguments)
    assert (done.exit_code, done.output) == (0, f"askfirst {askfirst.__version__}\n")


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (InputError("two of them"), 2, "askfirst: two of them\n"),
        (NotAllowedError("not here"), 1, "askfirst: not here\n"),
        (BrokerUnavailableError("none"), 69, "askfirst: none\n"),
        (StoreError("gone"), 70, "askfirst: gone\n"),
        (ConfigError("[x]"), 78, "askfirst: [x]\n"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            70,
            "askfirst: the system refused: No space left on device\n",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x"),
            70,
            "askfirst: the system refused: Permission denied (/x)\n",
        ),
    ],
)
def test_an_error_is_a_sentence_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int, sentence: str
) -> None:
    with pytest.raises(typer.Exit) as ended, sentences():
        raise error
    assert (ended.value.exit_code, capsys.readouterr().err) == (code, sentence)


def test_explain_refuses_a_folder_that_is_not_there(tmp_path: Path) -> None:
    done = CliRunner().invoke(command_line(), ["explain", "--cwd", str(tmp_path / "no"), "--", "ls"])
    assert done.exit_code == 2
    assert "there is no folder" in done.stderr
