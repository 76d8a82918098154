"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StateDir = Annotated[
    Path | None,
    typer.Option(
        "--state-dir", envvar="ASKFIRST_STATE_DIR", help="The state folder.", show_default="the platform's state folder"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="As one JSON document.")]
