"""The channels by name: ours in one table, those of outsiders by an entry point.

A package of somebody else registers a function that takes a ``Backing`` and returns the channel::

    [project.entry-points."askfirst.channels"]
    pager = "acme_pager:open_channel"

Its table in the configuration is then ``[pager]``, and recipients are ``pager:...``. It cannot take a name of ours.
What it raises when it is opened ends the broker's start with a sentence: no channel that people count on is left out.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from askfirst.backing import Backing
from askfirst.errors import ConfigError, Error
from askfirst.ports import Channel
from channels.web.channel import WebChannel

if TYPE_CHECKING:
    from collections.abc import Mapping

Factory = Callable[[Backing], Channel]
GROUP = "askfirst.channels"
RESERVED = frozenset({"local", "terminal", "agent", "deadline"})
"""Names that stand for something else in entries and ids."""
ALWAYS = frozenset({WebChannel.scheme})
"""Channels that are there without a table."""


def _web(_backing: Backing) -> Channel:
    return WebChannel()


def _email(backing: Backing) -> Channel:
    from channels.email.channel import open_channel  # noqa: PLC0415  # an extra

    return open_channel(backing)


def _webhook(backing: Backing) -> Channel:
    from channels.webhook.channel import open_channel  # noqa: PLC0415  # an HTTP client, where it is used

    return open_channel(backing)


def _github(backing: Backing) -> Channel:
    from channels.github.channel import open_channel  # noqa: PLC0415  # an HTTP client and GitPython

    return open_channel(backing)


def _slack(backing: Backing) -> Channel:
    from channels.slack.channel import open_channel  # noqa: PLC0415  # an extra

    return open_channel(backing)


def _telegram(backing: Backing) -> Channel:
    from channels.telegram.channel import open_channel  # noqa: PLC0415  # a quarter of a second, where it is configured

    return open_channel(backing)


CHANNELS: dict[str, Factory] = {
    "email": _email,
    "github": _github,
    "slack": _slack,
    "telegram": _telegram,
    "web": _web,
    "webhook": _webhook,
}

VOUCHED_MAX: dict[str, int] = {"email": 1, "github": 2, "slack": 1, "telegram": 1, "web": 1, "webhook": 2}
"""The most that reviews by a channel of ours can be worth, however it is set up."""


def open_channels(
    tables: Mapping[str, Mapping[str, object]], backing: Callable[[str, Mapping[str, object]], Backing]
) -> dict[str, Channel]:
    """Every channel that is always there or has a table.

    Args:
        tables: of the configuration, by scheme.
        backing: makes what a channel stands on, of its scheme and its table.

    Raises:
        ConfigError: a table belongs to no channel, or its channel cannot be opened with it.
    """
    known = factories()
    opened: dict[str, Channel] = {}
    for scheme in dict.fromkeys((*sorted(ALWAYS), *tables)):
        if scheme not in known:
            near = difflib.get_close_matches(scheme, known, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(known))}"
            raise ConfigError(f"[{scheme}] belongs to no channel; {hint}")
        opened[scheme] = _opened(scheme, known[scheme], backing(scheme, tables.get(scheme, {})))
    return opened


def factories() -> dict[str, Factory]:
    """Ours, and those that are installed beside us under other names."""
    foreign = {each.name: each for each in entry_points(group=GROUP)}
    return {
        **{name: _foreign(name) for name in foreign if name not in RESERVED | CHANNELS.keys()},
        **CHANNELS,
    }


def vouched() -> dict[str, int]:
    """The same for all that are installed: outsiders say what theirs vouches for when it is opened, up to 3."""
    return {scheme: VOUCHED_MAX.get(scheme, 3) for scheme in factories()}


def _foreign(name: str) -> Factory:
    """An outsider's factory, imported when its channel is opened."""

    def opened(backing: Backing) -> Channel:
        [found] = list(entry_points(group=GROUP, name=name))[:1]
        made: Channel = found.load()(backing)
        return made

    return opened


def _opened(scheme: str, factory: Factory, backing: Backing) -> Channel:
    try:
        channel = factory(backing)
    except Error:
        raise
    except Exception as error:
        raise ConfigError(f"the channel {scheme} cannot be opened: {type(error).__name__}: {error}") from error
    if channel.scheme != scheme:
        raise ConfigError(f"the channel {scheme} calls itself {channel.scheme!r}")
    return channel
