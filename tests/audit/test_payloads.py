"""What is read in the bytes of an entry about payloads; comparing them with a store is in test_attacks.py."""

from __future__ import annotations

import pytest

from audit.payloads import erased_by, payloads_of

A, B = b"a" * 32, b"b" * 32


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"action":{"input":{"len":1,"sha256":"%s"}},"v":1}', [A]),
        (b'{"data":{"list":[{"len":1,"sha256":"%s"},{"len":20,"sha256":"%s"}]},"v":1}', [A, B]),
        (b'{"data":{"cause":"x","len":1,"sha256":"%s"},"v":1}', []),  # a delivery that nobody could read
        (b'{"data":{"len":1,"sha256":"%s","x":1},"v":1}', []),
        (b'{"data":{"text":"{\\"len\\":1,\\"sha256\\":\\"%s\\"}"},"v":1}', []),
        (b'{"data":{"sha256":"%s"},"v":1}', []),
        (b"\xff", []),
    ],
)
def test_a_payload_is_referred_to_by_an_object_of_exactly_two_members(body: bytes, expected: list[bytes]) -> None:
    assert payloads_of(_filled(body)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"data":{"sha256":"%s"},"type":"blob.erased","v":1}', [A]),
        (b'{"data":{"reason":"older","sha256":["%s","%s"]},"type":"blob.erased","v":1}', [A, B]),
        (b'{"data":{"reason":"the row alone"},"type":"blob.erased","v":1}', []),
        (b'{"data":{"sha256":"%s","type":"blob.erased"},"type":"hook.installed","v":1}', []),
        (b'{"data":{"sha256":["00",1,null]},"type":"blob.erased","v":1}', []),
        (b'{"data":["%s"],"type":"blob.erased","v":1}', []),
        (b'["blob.erased"]', []),
        (b'"blob.erased"\xff', []),
        (b"[" * 100_000, []),
    ],
)
def test_a_payload_is_erased_by_an_entry_of_that_type_alone(body: bytes, expected: list[bytes]) -> None:
    assert erased_by(_filled(body)) == expected


def _filled(body: bytes) -> bytes:
    for digest in (A, B):
        body = body.replace(b"%s", digest.hex().encode(), 1)
    return body
