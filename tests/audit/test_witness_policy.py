from __future__ import annotations

import pytest

from askfirst.errors import ConfigError
from audit.testing import signer_of
from audit.witness_policy import parse_policy

KEYS = [signer_of(10 + number, f"witness.example/{number}").cosigner for number in range(5)]
LOG = signer_of(1).verifier
NAMED = "\n".join(f"witness w{number} {key.vkey} https://w{number}.example/" for number, key in enumerate(KEYS))


@pytest.mark.parametrize(
    ("rest", "cosigners", "is_met"),
    [
        ("quorum none", (), True),
        ("quorum w1", (1,), True),
        ("quorum w1", (0, 2), False),
        ("group g any w0 w1\nquorum g", (1,), True),
        ("group g any w0 w1\nquorum g", (2,), False),
        ("group g all w0 w1\nquorum g", (0,), False),
        ("group g 2 w0 w1 w2\nquorum g", (0, 2), True),
        ("group g 2 w0 w1 w2\nquorum g", (0, 3), False),
        ("group x 2 w0 w1 w2\ngroup y any w3 w4\ngroup both all x y\nquorum both", (0, 1, 4), True),
        ("group x 2 w0 w1 w2\ngroup y any w3 w4\ngroup both all x y\nquorum both", (0, 1, 2), False),
        ("  # a comment\n\n\tgroup\tg \t any w0  \nquorum g  ", (0,), True),
    ],
)
def test_who_is_enough(rest: str, cosigners: tuple[int, ...], is_met: bool) -> None:
    policy = parse_policy(f"log {LOG.vkey}\n{NAMED}\n{rest}\n".encode(), source="policy")
    assert policy.logs == (LOG,)
    assert policy.witnesses[3].url == "https://w3.example/"
    assert policy.is_met(KEYS[number] for number in cosigners) is is_met
    assert policy.is_met(KEYS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (NAMED, "has no quorum line"),
        (f"{NAMED}\nquorum w9", "line 6: 'w9' is not named above"),
        (f"{NAMED}\nquorum w1\nquorum w2", "a second quorum line"),
        (f"{NAMED}\ngroup g 3 w0 w1\nquorum g", "threshold '3', expected any, all or 1 to 2"),
        (f"{NAMED}\ngroup g 0 w0 w1\nquorum g", "threshold '0'"),
        (f"{NAMED}\ngroup g any\nquorum g", "is no policy line"),
        (f"{NAMED}\ngroup g any w0 w0\nquorum g", "'w0' is in two groups, or twice in one"),
        (f"{NAMED}\ngroup g any w0\ngroup h any w0\nquorum g", "'w0' is in two groups"),
        (f"{NAMED}\ngroup none any w0\nquorum none", "the name 'none' is taken"),
        (f"witness w {LOG.vkey}\nquorum w", "has a key of type 0x01, expected 0x04"),
        (f"{NAMED}\nwitness again {KEYS[0].vkey}\nquorum w0", "has a key that was named before"),
        ("witness w nonsense\nquorum w", "is no vkey"),
        ("quota w", "'quota w' is no policy line"),
        ("\n" * 2000, "more than 1000 lines"),
    ],
)
def test_what_is_no_policy_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_policy(text.encode(), source="policy")
