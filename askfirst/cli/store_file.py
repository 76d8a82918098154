"""Which file a command about the log reads."""

from __future__ import annotations

import atexit
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from askfirst.errors import LogError
from askfirst.paths import config_file, state_paths

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def is_shared(named: Path | None) -> bool:
    """Whether it is a copy of a shared database's log that ``store_file`` gives."""
    from askfirst.config import load_config  # noqa: PLC0415  # heavy, and other commands start without it

    return named is None and bool(load_config(config_file()).store_url)


@contextmanager
def store_file(named: Path | None, state_dir: Path | None) -> Iterator[Path]:
    """The named store, else the configured one: the state folder's file, or a copy of the log of a shared database.

    Raises:
        LogError: there is none.
    """
    if named is None:
        from askfirst.config import load_config  # noqa: PLC0415  # heavy, and other commands start without it

        paths = state_paths(state_dir)
        if url := load_config(config_file()).store_url:
            with _shared_log(url, paths.root / "log.vkey") as copy:
                yield copy
            return
        named = paths.store
    if not named.exists():
        raise LogError(f"there is no store at {named}; run `askfirst serve` once, or name another with --store")
    yield named


def kept_store_file(named: Path | None, state_dir: Path | None) -> Path:
    """The same until the program ends, for commands that read it in several places."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(store_file(named, state_dir))


@contextmanager
def _shared_log(url: str, vkey: Path) -> Iterator[Path]:
    from askfirst.store.backup import copied_log  # noqa: PLC0415  # SQLAlchemy takes half a second
    from askfirst.store.postgres import open_postgres_reader, parse_url  # noqa: PLC0415

    reader = open_postgres_reader(parse_url(url))
    try:
        with copied_log(reader, vkey) as copy:
            yield copy
    finally:
        reader.dispose()
