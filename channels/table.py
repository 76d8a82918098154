"""A channel's table of the configuration, read strictly: what is wrong is told by the key that it stands under."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from askfirst.errors import ConfigError
from askfirst.misfit import misfit

if TYPE_CHECKING:
    from collections.abc import Mapping

_Raw = TypeVar("_Raw", bound=BaseModel)


def read_table(model: type[_Raw], table: Mapping[str, object], name: str) -> _Raw:
    """The table as its model reads it.

    Args:
        model: of pydantic, strict, which forbids further keys.
        table: as it was written.
        name: of the table, e.g. ``webhook.pager``.

    Raises:
        ConfigError: a key is missing, not known, or has a value that it cannot have; the value is not repeated.
    """
    try:
        return model.model_validate(dict(table))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join((name, *(str(part) for part in first["loc"])))
        raise ConfigError(f"{where}: {misfit(first)}") from error
