"""The stand-alone verifier's own arithmetic, and that it is really alone; its verdicts are in test_attacks.py."""

from __future__ import annotations

import ast
import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from audit import verify_standalone as alone
from audit.export import export, export_stream
from audit.note import sign

if TYPE_CHECKING:
    from audit.testing import Store

SOURCE = Path(alone.__file__)

# From: RFC 8032 §7.1, tests 1 to 3: public key, message, signature.
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("public", "message", "signature"), VECTORS)
def test_the_vectors_of_rfc_8032_verify(public: str, message: str, signature: str) -> None:
    assert alone.ed25519_verifies(bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature))
    assert not alone.ed25519_verifies(bytes.fromhex(public), b"other", bytes.fromhex(signature))


@given(
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=80),
    st.integers(0, 511),
    st.sampled_from(["R", "key", "message"]),
)
def test_it_agrees_with_the_library_on_true_and_false_signatures(
    seed: bytes, message: bytes, bit: int, what: str
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert alone.ed25519_verifies(public, message, signature)
    if what == "R":
        signature = flip(signature, bit)
    elif what == "key":
        public = flip(public, bit % 256)
    else:
        message += b"x"
    assert alone.ed25519_verifies(public, message, signature) == library_verifies(public, message, signature)


def flip(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data, "little") ^ 1 << bit).to_bytes(len(data), "little")


def library_verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def test_a_signature_whose_number_is_too_large_is_refused() -> None:
    public, message, signature = (bytes.fromhex(text) for text in VECTORS[0])
    larger = int.from_bytes(signature[32:], "little") + alone.L
    assert not alone.ed25519_verifies(public, message, signature[:32] + larger.to_bytes(32, "little"))


@pytest.mark.parametrize("encoding", [b"\xff" * 32, b"\x01" + bytes(30) + b"\x80", b"\x02" + bytes(31)])
def test_what_encodes_no_point_is_none(encoding: bytes) -> None:
    assert alone.decode_point(encoding) is None


@pytest.mark.parametrize(("public", "signature"), [(bytes(31), bytes(64)), (bytes(32), bytes(63))])
def test_keys_and_signatures_of_other_lengths_do_not_verify(public: bytes, signature: bytes) -> None:
    assert not alone.ed25519_verifies(public, b"", signature)


def test_it_imports_the_standard_library_only_and_stays_short() -> None:
    text = SOURCE.read_text(encoding="utf-8")
    nodes = list(ast.walk(ast.parse(text)))
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names
    assert len(text.splitlines()) < 300


def run(*arguments: object) -> tuple[int, str]:
    command = [sys.executable, "-I", "-S", str(SOURCE), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == "", done.stderr
    return done.returncode, done.stdout


def test_it_verifies_each_form_of_a_log(store: Store, tmp_path: Path) -> None:
    seen = store.write_many(300).seen
    export(store.path, tmp_path / "folder")
    with (tmp_path / "log.jsonl").open("wb") as file:
        export_stream(store.path, file)
    kept = tmp_path / "folder" / "checkpoint"
    expected = "".join(
        f"ok   {name}: the first 301 entries are exactly those it was made from\n"
        for name in ("the signed head", kept, f"--seen {seen}")
    )
    note = "note an export holds no payloads, so that none was compared with its digest\n"
    for path in (store.path, tmp_path / "folder", tmp_path / "log.jsonl"):
        given = ("--seen", seen, "--key", store.signer.verifier.vkey, "--checkpoint", kept)
        assert run(path, *given) == (0, expected if path == store.path else expected + note)
        assert run(path, "--seen", f"301:{'0' * 16}")[0] == 1


def test_it_says_since_when_a_log_is_not_what_it_was(store: Store, tmp_path: Path) -> None:
    seen = store.write_many(9).seen
    store.write_many(10)
    export(store.path, tmp_path / "log")
    entries = tmp_path / "log" / "entries.jsonl"
    bodies = entries.read_bytes().splitlines(keepends=True)
    times = [json.loads(body)["t"] for body in bodies]
    holds = f"ok   --seen {seen}: the first 10 entries are exactly those it was made from"

    entries.write_bytes(b"".join([*bodies[:15], bodies[15].replace(b'"v":1', b'"v":2'), *bodies[16:]]))
    rewritten = "FAIL the signed head: the root over the first 20 entries differs: they were rewritten"
    assert run(tmp_path / "log", "--seen", seen)[1].splitlines()[:2] == [
        holds,
        f"{rewritten}, from entry 10 on or later (since {times[10]})",
    ]
    entries.write_bytes(b"".join(bodies[:17]))
    assert run(tmp_path / "log", "--seen", seen)[1].splitlines()[:2] == [
        holds,
        f"FAIL the signed head has 20 entries, 17 are present: the last 3 are gone (since {times[16]})",
    ]
    store.execute("delete from audit where seq = 4")
    missing = f"FAIL entry 4 is missing: entry 5 follows entry 3 (since {times[3]})"
    assert run(store.path, "--seen", seen)[1].splitlines()[0] == missing
    entries.write_bytes(b"".join([*bodies[:3], b"nothing", b"\n"]))
    unknown = "FAIL the signed head has 20 entries, 4 are present: the last 16 are gone (since when, no entry tells)"
    assert unknown in run(tmp_path / "log")[1]


@pytest.mark.parametrize(
    "arguments",
    [["--seen", "1:00"], ["--seen", "x"], ["--seen", "1:" + " " * 20], ["--key", "x"], ["--checkpoint", "/nowhere"]],
)
def test_what_it_cannot_use_is_a_failure_in_one_sentence(store: Store, arguments: list[str]) -> None:
    status, output = run(store.path, *arguments)
    assert (status, output.count("FAIL")) == (1, 1)


@pytest.mark.parametrize("content", [b"", b"{}\n", b"SQLite format 3\0", b"SQLite format 3\0" + bytes(4096), b"\xff"])
def test_what_is_no_log_is_a_failure_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log").write_bytes(content)
    status, output = run(tmp_path / "log")
    assert (status, output.count("FAIL")) == (1, 1)
    assert run(tmp_path / "nowhere")[0] == 1
    assert run(tmp_path)[0] == 1


@pytest.mark.parametrize("root", ["", "AAAA", base64.b64encode(bytes(31)).decode()])
def test_a_signed_head_without_a_whole_root_is_refused(store: Store, root: str) -> None:
    """Every root begins with nothing: whoever holds the key must not get away with signing nothing."""
    text = f"{store.signer.name}\n1\n{root}\n"
    with pytest.raises(ValueError, match=r"no known key of .* signed the head of 1 entries"):
        alone.open_head(sign(text, store.signer), {alone.parse_vkey(store.signer.verifier.vkey): 1})


def test_a_missing_head_is_said_to_be_missing() -> None:
    with pytest.raises(ValueError, match="the signed head is missing: whatever is there is no log that was signed"):
        alone.open_head("", {})
