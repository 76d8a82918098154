"""Channels by name: ours, outsiders', and what is no channel at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint
from typing import Any, get_args

import pytest

from askfirst.backing import Backing
from askfirst.errors import ConfigError
from askfirst.ports import Channel, Listener
from askfirst.testing.fake_channel import FakeChannel
from channels import registry
from channels.email.channel import CAPS as EMAIL
from channels.github.deliveries import _ASSURANCE_BUTTON
from channels.slack.channel import CAPS as SLACK
from channels.telegram.channel import CAPS as TELEGRAM
from channels.web.channel import WebChannel
from channels.webhook.config import _Raw

BACKINGS: list[tuple[str, Mapping[str, object]]] = []


def backing(scheme: str, table: Mapping[str, object]) -> Backing:
    BACKINGS.append((scheme, table))
    return Any  # type: ignore[return-value]  # none of these channels looks at it


def open_pager(_backing: Backing) -> Channel:
    return FakeChannel("pager")


def open_imposter(_backing: Backing) -> Channel:
    return FakeChannel("web")


def open_broken(_backing: Backing) -> Channel:
    raise ZeroDivisionError


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let packages with these entry points be installed."""

    def install(**functions: str) -> None:
        points = [EntryPoint(name, f"{__name__}:{function}", registry.GROUP) for name, function in functions.items()]

        def entry_points(*, group: str, name: str = "") -> list[EntryPoint]:
            assert group == registry.GROUP
            return [each for each in points if name in {"", each.name}]

        monkeypatch.setattr(registry, "entry_points", entry_points)

    return install


def test_the_web_inbox_is_always_there() -> None:
    opened = registry.open_channels({}, backing)
    assert list(opened) == ["web"]
    assert not isinstance(opened["web"], Listener)


def test_a_channel_of_an_outsider_is_opened_by_its_table(
    installed: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(pager="open_pager")
    monkeypatch.setattr(EntryPoint, "load", lambda self: globals()[self.attr])
    opened = registry.open_channels({"pager": {"id": 1}}, backing)
    assert isinstance(opened["pager"], FakeChannel)
    assert BACKINGS[-1] == ("pager", {"id": 1})


@pytest.mark.parametrize(
    ("functions", "tables", "sentence"),
    [
        ({}, {"wbe": {}}, r"\[wbe\] belongs to no channel; did you mean 'web'\?"),
        ({}, {"carrierpigeon": {}}, r"\[carrierpigeon\] belongs to no channel"),
        ({"local": "open_pager"}, {"local": {}}, r"\[local\] belongs to no channel"),
        ({"pager": "open_imposter"}, {"pager": {}}, "the channel pager calls itself 'web'"),
        ({"pager": "open_broken"}, {"pager": {}}, "the channel pager cannot be opened: ZeroDivisionError"),
    ],
)
def test_what_cannot_be_opened_ends_the_start_with_a_sentence(
    installed: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    functions: dict[str, str],
    tables: Mapping[str, Mapping[str, object]],
    sentence: str,
) -> None:
    installed(**functions)
    monkeypatch.setattr(EntryPoint, "load", lambda self: globals()[self.attr])
    with pytest.raises(ConfigError, match=sentence):
        registry.open_channels(tables, backing)


def test_what_reviews_can_be_worth_is_what_our_channels_say_and_anything_for_an_outsiders(
    installed: Callable[..., None],
) -> None:
    """The table is there so that a policy can be checked without opening them."""
    ours = {
        "email": EMAIL.assurance,
        "github": _ASSURANCE_BUTTON,
        "slack": SLACK.assurance,
        "telegram": TELEGRAM.assurance,
        "web": WebChannel.caps.assurance,
        "webhook": max(get_args(_Raw.model_fields["assurance"].annotation)),
    }
    installed(pager="open_pager")
    assert registry.vouched() == {**ours, "pager": 3}


def test_no_outsider_takes_a_name_of_ours(installed: Callable[..., None]) -> None:
    installed(web="open_pager")
    assert registry.factories()["web"] is registry.CHANNELS["web"]
