"""What a broker does before it listens."""

from __future__ import annotations

import gc

from askfirst.broker.server import settle


def test_what_is_loaded_is_kept_from_the_garbage_collector() -> None:
    class Loaded:
        """Something that a module has made, and that is in a cycle."""

    before = gc.get_threshold()
    try:
        settle()
        assert gc.get_freeze_count() > 10_000
        assert not any(each is Loaded for each in gc.get_objects())
        assert gc.get_threshold()[0] == 10_000
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
