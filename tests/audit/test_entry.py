"""The bytes of an entry."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from askfirst.audit_port import Actor, Entry, EntryType, Private
from askfirst.errors import LogError
from audit.clock import Reading
from audit.entry import MAX_ENTRY_BYTES, encode, reading_of

NOW = Reading(wall_us=1_795_630_112_000_007, boot_us=183_349_201, boot="0c5d8a1e-0000-4000-8000-000000000001")

texts = st.text(st.characters(codec="utf-8"))
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-1e15, 1e15)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def body_of(**members: object) -> bytes:
    return encode(Entry(type=EntryType.GATE_REQUESTED, **members), NOW).body  # type: ignore[arg-type]  # any member


def test_an_entry_is_one_line_of_canonical_json() -> None:
    entry = Entry(
        type=EntryType.GATE_DECIDED,
        actor=Actor(type="human", id="telegram:12345", channel="telegram", assurance=0),
        request="01KA",
        action={"tool": "Bash", "act": "5f"},
        decision={"verdict": "deny", "by": ("telegram:12345",)},
    )
    body = encode(entry, NOW).body.decode()
    assert re.sub(r'"id":"01[0-9A-Z]{24}"', '"id":"…"', body) == (
        '{"action":{"act":"5f","tool":"Bash"},'
        '"actor":{"assurance":0,"channel":"telegram","id":"telegram:12345","type":"human"},'
        '"boot":"0c5d8a1e-0000-4000-8000-000000000001","bt":183349201,'
        '"decision":{"by":["telegram:12345"],"verdict":"deny"},"id":"…",'
        '"req":"01KA","t":"2026-11-25T18:08:32.000007Z","type":"gate.decided","v":1}'
    )


@given(json_values)
def test_every_entry_is_written_as_rfc_8785_says(value: object) -> None:
    body = body_of(data={"value": value})
    assert body == rfc8785.dumps(json.loads(body))
    assert b"\n" not in body
    assert json.loads(body)["data"]["value"] == value


def test_the_time_comes_back_from_the_bytes() -> None:
    assert reading_of(body_of()) == NOW


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"t":1}', b'{"t":"x","bt":1,"boot":""}', b"\xff", b"[" * 100_000]
)
def test_bytes_that_are_no_entry_have_no_time(body: bytes) -> None:
    with pytest.raises(LogError, match="cannot be read"):
        reading_of(body)


def test_a_machine_that_runs_for_years_can_still_log() -> None:
    """Nanoseconds since boot would leave the range of RFC 8785 after 104 days."""
    old = Reading(wall_us=NOW.wall_us, boot_us=100 * 365 * 86_400 * 1_000_000, boot=NOW.boot)
    assert reading_of(encode(Entry(type=EntryType.HOOK_HEARTBEAT), old).body) == old


@pytest.mark.parametrize("wall_us", [-1, 10**18])
def test_a_time_that_cannot_be_written_is_refused(wall_us: int) -> None:
    with pytest.raises(LogError, match="which is no time to log"):
        encode(Entry(type=EntryType.HOOK_HEARTBEAT), Reading(wall_us=wall_us, boot_us=0, boot=""))


def test_private_payloads_stand_apart_wherever_they_are() -> None:
    entry = Entry(
        type=EntryType.GATE_REQUESTED, action={"input": Private(b"a")}, data={"list": [Private(b"b" * 70_000)]}
    )
    encoded = encode(entry, NOW)
    members = json.loads(encoded.body)
    assert [blob.payload for blob in encoded.blobs] == [b"a", b"b" * 70_000]
    for digest, blob in zip([members["action"]["input"], members["data"]["list"][0]], encoded.blobs, strict=True):
        assert digest == {"len": len(blob.payload), "sha256": hashlib.sha256(blob.salt + blob.payload).hexdigest()}
        assert blob.sha256.hex() == digest["sha256"]
        assert len(blob.salt) == 32


def test_equal_payloads_have_different_digests() -> None:
    entry = Entry(type=EntryType.GATE_REQUESTED, data={"one": Private(b"yes"), "two": Private(b"yes")})
    one, two = encode(entry, NOW).blobs
    assert one.sha256 != two.sha256


def test_a_private_payload_is_not_shown() -> None:
    assert "hunter2" not in repr(Private(b"hunter2"))


def test_long_texts_stand_apart_when_the_entry_would_be_too_large() -> None:
    entry = Entry(type=EntryType.GATE_REQUESTED, action={"tool": "Bash", "summary": "x" * 100_000}, data={"short": "y"})
    encoded = encode(entry, NOW)
    assert len(encoded.body) < 1024
    assert [blob.payload for blob in encoded.blobs] == [b"x" * 100_000]
    assert json.loads(encoded.body)["data"] == {"short": "y"}


def test_a_text_that_is_no_unicode_stands_apart() -> None:
    encoded = encode(Entry(type=EntryType.GATE_REQUESTED, action={"command": "rm \ud800", "tool": "Bash"}), NOW)
    assert [blob.payload for blob in encoded.blobs] == [rb"rm \ud800"]
    assert json.loads(encoded.body)["action"]["tool"] == "Bash"


def test_the_largest_entry_fits_and_one_byte_more_is_set_apart() -> None:
    room = MAX_ENTRY_BYTES - len(body_of(data={"text": ""}))
    assert len(body_of(data={"text": "x" * room})) == MAX_ENTRY_BYTES
    assert len(body_of(data={"text": "x" * (room + 1)})) < 1024


def nested(depth: int) -> object:
    value: object = "end"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (list(range(100_000)), "expected at most 65535"),
        (2**53, "expected at most 9007199254740991"),
        (Private(bytes((64 << 20) + 1)), "a payload has 67108865 bytes"),
        (float("nan"), "is no JSON"),
        (float("inf"), "is no JSON"),
        (b"bytes", "a bytes, which is no JSON"),
        ({1: 2}, "a member named 1"),
        ({"\ud800": 1}, "no valid Unicode"),
        (nested(40), "nested more than 32 deep"),
    ],
)
def test_what_cannot_be_an_entry_is_refused(value: object, reason: str) -> None:
    with pytest.raises(LogError, match=reason):
        body_of(data={"value": value})


def test_types_are_the_promised_names() -> None:
    assert {kind.value for kind in EntryType} >= {
        "gate.requested", "gate.decided", "gate.released", "gate.executed", "gate.undone", "gate.timeout",
        "gate.escalated", "channel.sent", "channel.failed", "review.cast", "review.rejected", "review.late",
        "question.asked", "question.answered", "policy.changed", "hook.installed", "hook.missing", "hook.heartbeat",
        "config.tamper", "clock.jump", "broker.started", "broker.stopped", "log.checkpoint_witnessed", "blob.erased",
        "break_glass.used",
    }  # fmt: skip
