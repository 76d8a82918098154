"""Break-glass codes as they are typed, and what is kept of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from askfirst.break_glass import ALPHABET, Code, code_hash, fresh, parse, window_hash, written

KEY = b"k" * 32
CODE = Code(
    id="K7Q2MD",
    person="local:ann",
    salt=b"s" * 16,
    hash=b"",
    created_at_ms=0,
    expires_at_ms=1_000,
    request_id="r",
    used_at_ms=10,
    until_ms=100,
)


def test_a_code_is_read_however_it_was_typed() -> None:
    name, secret = fresh()
    text = written(name, secret)
    assert len(text) == 30
    assert set(name + secret) <= set(ALPHABET)
    for typed in (text, text.lower(), text.replace("-", ""), f"  {text.replace('-', ' ')}\n"):
        assert parse(typed) == (name, secret)
    assert parse("K7Q2MD-OOOOO-IIIII-LLLLL-P6VJB") == ("K7Q2MD", "000001111111111P6VJB")


@pytest.mark.parametrize(
    "typed", ["", "K7Q2MD", "K7Q2MD-4T9XA-0WZ5H-8RC3N-P6VJ!", "K7Q2MD-4T9XA-0WZ5H-8RC3N-P6VJBX", "ö" * 26]
)
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert parse(typed) is None


def test_no_two_codes_are_alike() -> None:
    assert len({fresh() for _ in range(200)}) == 200


@pytest.mark.parametrize(
    "other",
    [
        {"id": "K7Q2ME"},
        {"person": "local:eve"},
        {"expires_at_ms": 1_001},
        {"salt": b"t" * 16},
    ],
)
def test_the_hash_is_of_this_code_and_no_other(other: dict[str, object]) -> None:
    mine = code_hash(KEY, CODE, "S" * 20)
    assert mine != code_hash(KEY, replace(CODE, **other), "S" * 20)  # type: ignore[arg-type]
    assert mine != code_hash(b"l" * 32, CODE, "S" * 20)
    assert mine != code_hash(KEY, CODE, "T" * 20)
    assert mine != window_hash(KEY, CODE)


@pytest.mark.parametrize("other", [{"until_ms": 101}, {"session": "s"}, {"used_at_ms": 11}, {"person": "local:eve"}])
def test_a_window_is_this_one_and_no_other(other: dict[str, object]) -> None:
    assert window_hash(KEY, CODE) != window_hash(KEY, replace(CODE, **other))  # type: ignore[arg-type]


def test_a_code_says_how_it_stands() -> None:
    unused = replace(CODE, used_at_ms=None, until_ms=0)
    states = [each.state(50) for each in (CODE, unused, replace(unused, revoked_at_ms=20))]
    assert states == ["window open", "unused", "revoked"]
    assert (CODE.state(100), unused.state(1_000), CODE.is_open(9)) == ("used", "expired", False)
    assert not replace(CODE, revoked_at_ms=20).is_open(50)
