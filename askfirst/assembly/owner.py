"""Whoever runs the broker, and the people of its configuration."""

from __future__ import annotations

import getpass
from dataclasses import replace
from typing import TYPE_CHECKING

from askfirst.people import Person

if TYPE_CHECKING:
    from askfirst.config import Config


def owner() -> str:
    """The person who runs the broker, by the name of their account here: ``local:ann``."""
    return f"local:{getpass.getuser()}"


def people_of(config: Config) -> tuple[Person, ...]:
    """Whoever runs the broker, and who is named in the configuration; a name there may add roles to the owner."""
    named = {each.id: each for each in config.people}
    mine = named.pop(owner(), Person(id=owner()))
    return tuple(replace(each, recipients=("web:inbox",)) for each in (mine, *named.values()))
