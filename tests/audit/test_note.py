"""Signed notes, checkpoints and cosignatures against published vectors, and against everything that is none."""

from __future__ import annotations

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit import note

# From: golang.org/x/mod/sumdb/note, the package that the format comes from (note_test.go).
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
# From: https://c2sp.org/tlog-cosignature (its keys are not published, so this shows the framing).
BEHIND_THE_SOFA = (
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "— example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
)


def signer(name: str = "log.example/1", seed: int = 1) -> note.Signer:
    return note.Signer(name=name, key=Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))


def checkpoint(size: int = 3, origin: str = "log.example/1") -> note.Checkpoint:
    return note.Checkpoint(origin=origin, size=size, root=hashlib.sha256(b"root").digest())


def test_the_note_of_the_go_package_verifies_with_its_vkey() -> None:
    key = note.parse_vkey(NEUMANN)
    opened = note.open_note(NEUMANN_NOTE, [key])
    assert opened.text == NEUMANN_NOTE.partition("\n\n")[0] + "\n"
    assert opened.verified == (key,)
    assert key.vkey == NEUMANN


def test_the_checkpoint_of_the_specification_is_read() -> None:
    text, (log, witness) = note.split_note(BEHIND_THE_SOFA)
    head = note.parse_checkpoint(text)
    assert (head.origin, head.size, head.extensions) == ("example.com/behind-the-sofa", 20852163, ())
    assert head.text == text
    assert (log.name, len(log.value)) == (head.origin, 64)
    assert (witness.name, len(witness.value)) == ("witness.example.com/w1", 72)
    assert int.from_bytes(witness.value[:8], "big") == 1679315147  # the specification's signed message says so
    assert f"{text}\n{log.line}{witness.line}" == BEHIND_THE_SOFA


def test_what_is_printed_of_a_checkpoint_is_size_and_beginning_of_the_root() -> None:
    head = checkpoint(1024)
    assert head.seen == f"1024:{head.root.hex()[:16]}"


@given(st.binary(min_size=32, max_size=32), st.sampled_from([note.ED25519, note.COSIGNATURE]))
def test_a_vkey_comes_back_as_it_was(public: bytes, kind: int) -> None:
    key = note.Verifier(name="log.example/ä", kind=kind, public=public)
    assert note.parse_vkey(key.vkey + "\n") == key


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "is no vkey"),
        ("name+c74f20a3", "is no vkey"),
        ("PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "has the key id"),
        ("Peter+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "has the key id"),
        ("Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "is no key name"),
        ("PeterNeumann+c74f20a3+AhpcQQ==", "expected Ed25519"),
        ("PeterNeumann+c74f20a3+", "expected Ed25519"),
        ("PeterNeumann+c74f20a3+A!", "is no base64"),
    ],
)
def test_what_is_no_vkey_is_refused(line: str, reason: str) -> None:
    with pytest.raises(note.NoteError, match=reason):
        note.parse_vkey(line)


def test_several_keys_can_sign_one_note_and_unknown_ones_are_ignored() -> None:
    old, new, foreign = signer(seed=1), signer(seed=2), signer("foreign.example", seed=3)
    signed = note.sign("text\n", foreign, old, new)
    assert note.open_note(signed, [new.verifier, old.verifier]).verified == (old.verifier, new.verifier)
    assert note.open_note(signed, [new.verifier]).verified == (new.verifier,)


def test_an_unknown_key_with_a_known_name_is_ignored() -> None:
    signed = note.sign("text\n", signer(seed=9), signer(seed=1))
    assert note.open_note(signed, [signer(seed=1).verifier]).verified == (signer(seed=1).verifier,)


def test_a_note_without_a_known_key_is_refused_and_says_which_signed() -> None:
    with pytest.raises(note.NoteError, match=r"no known key signed the note: found 'foreign\.example'"):
        note.open_note(note.sign("text\n", signer("foreign.example")), [signer().verifier])


def test_a_wrong_signature_by_a_known_key_condemns_the_note() -> None:
    good, other = signer(seed=1), signer("other.example", seed=2)
    text, (first, second) = note.split_note(note.sign("text\n", good, other))
    bad = note.Signature(name=second.name, key_id=second.key_id, value=bytes(64))
    with pytest.raises(note.NoteError, match="does not fit the note"):
        note.open_note(f"{text}\n{first.line}{bad.line}", [good.verifier, other.verifier])


@given(st.data())
def test_a_changed_text_is_refused(data: st.DataObject) -> None:
    signed = note.sign(checkpoint().text, signer())
    at = data.draw(st.integers(0, len(checkpoint().text) - 1))
    character = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda c: c != signed[at]))
    with pytest.raises(note.NoteError):
        note.open_checkpoint(signed[:at] + character + signed[at + 1 :], [signer().verifier])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no signed note"),
        ("text\n", "no signed note"),
        ("text\n\n", "no signed note"),
        ("text\n\n— a b", "no signed note"),
        ("text\n\n- log.example/1 AAAAAAA=\n", "no signature line"),
        ("text\n\n— log.example/1 AAAAAA==\n", "is too short"),
        ("text\n\n— log.example/1 AAAAAAB=\n", "stray bits"),
        ("text\n\n— log.example/1 AA AAAAA=\n", "no signature line"),
        ("text\n\n— log+example AAAAAAA=\n", "is no key name"),
        ("te\rxt\n\n— log.example/1 AAAAAAA=\n", "control characters"),
        ("te\ud800xt\n\n— log.example/1 AAAAAAA=\n", "no valid Unicode"),
        ("x" * 70_000, "longer than"),
    ],
)
def test_what_is_no_note_is_refused(text: str, reason: str) -> None:
    with pytest.raises(note.NoteError, match=reason):
        note.open_note(text, [signer().verifier])


ROOT = base64.b64encode(bytes(32)).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"origin\n3\n{ROOT}",
        f"\n3\n{ROOT}\n",
        f"origin\n03\n{ROOT}\n",
        f"origin\n-3\n{ROOT}\n",
        f"origin\n3.0\n{ROOT}\n",
        f"origin\n٣\n{ROOT}\n",
        f"origin\n{'9' * 19}\n{ROOT}\n",
        f"origin\n{'9' * 5000}\n{ROOT}\n",
        "origin\n3\nAAAA\n",
        "origin\n3\n????\n",
        f"origin\n3\n{ROOT}\n\nmore\n",
        "origin\n3\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(note.NoteError):
        note.parse_checkpoint(text)


def test_a_checkpoint_counts_only_when_its_own_log_signed_it() -> None:
    witness = signer("witness.example", seed=5)
    with pytest.raises(note.NoteError, match="is not signed by a key of that name"):
        note.open_checkpoint(note.sign(checkpoint().text, witness), [signer().verifier], [witness.verifier])
    with pytest.raises(note.NoteError, match="is not signed by a key of that name"):
        note.open_checkpoint(note.sign(checkpoint(origin="else.example").text, signer()), [signer().verifier])
    assert note.open_checkpoint(note.sign(checkpoint().text, signer()), [signer().verifier]) == checkpoint()


def test_a_cosignature_is_verified_with_its_time() -> None:
    witness = signer("witness.example", seed=5)
    line = note.cosign(checkpoint().text, witness, 1_679_315_147).line
    signed = note.sign(checkpoint().text, signer()) + line
    opened = note.open_note(signed, [signer().verifier, witness.cosigner])
    assert opened.cosigned_at_s == (("witness.example", 1_679_315_147),)
    assert note.open_checkpoint(signed, [signer().verifier], [witness.cosigner]) == checkpoint()


def test_a_cosignature_of_another_time_or_checkpoint_condemns_the_note() -> None:
    witness = signer("witness.example", seed=5)
    cosignature = note.cosign(checkpoint().text, witness, 1_679_315_147)
    later = (1_679_315_148).to_bytes(8, "big") + cosignature.value[8:]
    never = b"\xff" * 8 + cosignature.value[8:]
    for value in (later, never, cosignature.value[:-1], b""):
        forged = note.Signature(name=cosignature.name, key_id=cosignature.key_id, value=value or b"x")
        with pytest.raises(note.NoteError, match="does not fit"):
            note.open_note(note.sign(checkpoint().text, signer()) + forged.line, [witness.cosigner])
    with pytest.raises(note.NoteError, match="does not fit"):
        note.open_note(note.sign(checkpoint(4).text, signer()) + cosignature.line, [witness.cosigner])


def test_a_plain_signature_never_passes_for_a_cosignature() -> None:
    witness = signer("witness.example", seed=5)
    plain = note.sign(checkpoint().text, witness)
    with pytest.raises(note.NoteError, match="no known key signed"):
        note.open_note(plain, [witness.cosigner])


def test_a_private_key_is_not_shown() -> None:
    assert bytes([1] * 32).hex() not in repr(signer())
