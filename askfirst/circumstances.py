"""Whose call it is, how sure they are, and when: what a rule may look at beside the call, as one writes it down."""

from __future__ import annotations

import json
from datetime import datetime  # noqa: TC003  # pydantic reads the annotations
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from askfirst.errors import InputError
from askfirst.host import Agent
from askfirst.misfit import misfit

if TYPE_CHECKING:
    from typing import Self

_MAIN = "main"
"""What a rule calls the agent that is no subagent."""


class Circumstances(BaseModel):
    """The circumstances of a call that is tried; ``at`` None where nothing says when."""

    model_config = ConfigDict(extra="forbid", strict=True)

    host: str = "claude-code"
    agent: str = _MAIN
    session: str = ""
    model: str = ""
    confidence: float | None = None
    at: datetime | None = None

    @model_validator(mode="after")
    def _is_one_moment(self) -> Self:
        if self.at is not None and self.at.tzinfo is None:
            raise ValueError("at needs an offset, e.g. 2026-11-25T22:00:00+01:00")
        return self

    @property
    def asks(self) -> Agent:
        """Who makes the call."""
        subagent = "" if self.agent == _MAIN else self.agent
        return Agent(host=self.host, session=self.session, model=self.model, subagent=subagent)


def circumstances_of(**options: str | float | None) -> Circumstances:
    """The circumstances that the options of a command line name; ``""`` and None: not given.

    Raises:
        InputError: one of them is not of its form.
    """
    given = {name: value for name, value in options.items() if value not in {"", None}}
    try:
        return Circumstances.model_validate_json(json.dumps(given))
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"--{part}: " for part in first["loc"])
        raise InputError(f"{where}{misfit(first)}") from error
