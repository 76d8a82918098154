"""Heads in git refs and under timestamps: made, verified, and refused when the log was rewritten."""

from __future__ import annotations

import hashlib
import http.server
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from askfirst.errors import ConfigError, LogError
from audit.anchor import anchor_git, anchor_timestamp, receipts_of
from audit.git_anchor import read_checkpoints
from audit.log import VKEY_KEY
from audit.note import Checkpoint, cosign, parse_vkey, sign
from audit.receipt import verify_receipt
from audit.testing import Store, decided, signer_of
from audit.timestamp import TimestampError, request_timestamp
from audit.tree import Tree, grow, leaf_hash
from audit.verify import verify_store

HERE = Path(__file__).parent
DOCS = (HERE.parents[1] / "docs" / "audit-log.md").read_text(encoding="utf-8")


def git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    subprocess.run(["git", "init", "--quiet", "--bare", str(tmp_path / "remote.git")], check=True)
    git(folder, "remote", "add", "origin", str(tmp_path / "remote.git"))
    return folder


def sign_again(store: Store, bodies: list[bytes]) -> None:
    """What the owner of the log's key can do: another history, signed."""
    leaves = [leaf_hash(body) for body in bodies]
    tree, _ = grow(Tree(), leaves)
    head = Checkpoint(origin=store.signer.name, size=tree.size, root=tree.root())
    store.execute("delete from audit where seq >= ?", (len(bodies),))
    for seq, (leaf, body) in enumerate(zip(leaves, bodies, strict=True)):
        store.execute("update audit set leaf = ?, body = ? where seq = ?", (leaf, body, seq))
    note = sign(head.text, store.signer)
    store.execute("update tree set size = ?, frontier = ?, checkpoint = ?", (tree.size, b"".join(tree.frontier), note))


def test_heads_are_commits_that_go_forward_and_are_pushed(store: Store, repository: Path, tmp_path: Path) -> None:
    store.write_many(10)
    seen, first = anchor_git(store.path, repository, remote="origin")
    assert seen == store.log.head.seen
    assert anchor_git(store.path, repository, remote="origin") == (seen, first)  # nothing new
    store.write_many(300)
    _, second = anchor_git(store.path, repository, remote="origin")
    remote = tmp_path / "remote.git"
    assert git(remote, "rev-list", "refs/askfirst/log").split() == [second, first]
    assert git(repository, "status", "--porcelain") == ""
    assert git(repository, "branch", "--all") == ""
    report = verify_store(store.path, repositories=[str(remote)])
    assert report.ok
    assert len(report.proofs) == 3
    assert "a git ref proves" in report.meanings[-1]


def test_a_rewritten_or_rolled_back_log_is_not_anchored_and_does_not_verify(store: Store, repository: Path) -> None:
    store.write_many(10)
    anchor_git(store.path, repository)
    bodies = store.bodies()
    sign_again(store, [*bodies[:5], *(body.replace(b'"deny"', b'"allow"') for body in bodies[5:])])
    with pytest.raises(LogError, match="it was rewritten"):
        anchor_git(store.path, repository)
    report = verify_store(store.path, repositories=[str(repository)])
    assert [problem.code for problem in report.problems] == ["rewritten"]
    assert verify_store(store.path).ok

    sign_again(store, bodies[:5])
    with pytest.raises(LogError, match="it was rolled back"):
        anchor_git(store.path, repository)
    report = verify_store(store.path, repositories=[f"{repository}@refs/askfirst/log"])
    assert [problem.code for problem in report.problems] == ["dropped"]


def test_another_log_does_not_go_on_a_refs_log(store: Store, repository: Path) -> None:
    anchor_git(store.path, repository)
    other = signer_of(1, "other.example/log")
    note = sign(Checkpoint(origin=other.name, size=1, root=store.log.head.root).text, other)
    store.execute("update tree set checkpoint = ?", (note,))
    store.execute("update meta set value = ? where key = ?", (other.verifier.vkey, VKEY_KEY))
    with pytest.raises(LogError, match="no known key signed the note"):
        anchor_git(store.path, repository)


def test_machines_that_add_to_one_remote_go_on_from_each_other(store: Store, repository: Path, tmp_path: Path) -> None:
    remote, clone = tmp_path / "remote.git", tmp_path / "clone"
    _, first = anchor_git(store.path, repository, remote="origin")
    store.write_many(5)
    git(tmp_path, "clone", "--quiet", str(remote), str(clone))
    _, second = anchor_git(store.path, clone, remote="origin")
    store.write_many(5)
    _, third = anchor_git(store.path, repository)  # not pushed
    store.write_many(5)
    _, fourth = anchor_git(store.path, repository, remote="origin")
    assert git(remote, "log", "-1", "--format=%P", fourth).split() == sorted([second, third])
    assert git(repository, "rev-parse", "refs/askfirst/log") == git(remote, "rev-parse", "refs/askfirst/log") == fourth
    assert anchor_git(store.path, clone, remote="origin")[1] == fourth  # nothing new, and the clone has it now
    report = verify_store(store.path, repositories=[str(clone)])
    assert report.ok
    assert all(any(one[:12] in proof for proof in report.proofs) for one in (first, second, third, fourth))


def test_a_remote_that_is_faster_is_followed(store: Store, repository: Path, tmp_path: Path) -> None:
    """Its hook moves the ref at the first push, as another machine would between our look and our push."""
    remote = tmp_path / "remote.git"
    anchor_git(store.path, repository, remote="origin")
    store.write_many(5)
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(remote), str(clone))
    git(clone, "fetch", "--quiet", "origin", "refs/askfirst/log:refs/askfirst/log")
    _, other = anchor_git(store.path, clone)
    git(clone, "push", "--quiet", "origin", "refs/askfirst/log:refs/askfirst/waiting")
    hook = remote / "hooks" / "update"
    hook.write_text(f'#!/bin/sh\nrm "$0"\ngit update-ref refs/askfirst/log {other}\n')
    hook.chmod(0o755)
    store.write_many(5)
    _, ours = anchor_git(store.path, repository, remote="origin")
    assert git(remote, "rev-list", "--first-parent", "refs/askfirst/log").split()[:2] == [ours, other]


def test_a_ref_that_was_rewritten_at_the_remote_is_not_built_on(store: Store, repository: Path, tmp_path: Path) -> None:
    anchor_git(store.path, repository, remote="origin")
    remote = tmp_path / "remote.git"
    tree = git(remote, "hash-object", "-t", "tree", "-w", "/dev/null")
    commit = git(remote, "-c", "user.name=x", "-c", "user.email=x", "commit-tree", tree, "-m", "empty")
    git(remote, "update-ref", "refs/askfirst/log", commit)
    with pytest.raises(LogError, match="'checkpoint' does not exist"):
        anchor_git(store.path, repository, remote="origin")


def test_inside_of_a_hook_the_repository_that_is_named_counts(
    store: Store, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor_git(store.path, repository)
    git(tmp_path, "init", "--quiet", "other")
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    report = verify_store(store.path, repositories=[str(tmp_path / "other")])
    assert "holds no checkpoint of this log" in report.problems[0].message


def test_what_is_no_repository_or_ref_is_said(store: Store, repository: Path, tmp_path: Path) -> None:
    with pytest.raises(LogError, match="git check-ref-format failed"):
        anchor_git(store.path, tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="no full name of a ref"):
        anchor_git(store.path, repository, ref="--upload-pack=x")
    with pytest.raises(LogError, match="git ls-remote failed"):
        anchor_git(store.path, repository, remote="--receive-pack=touch /tmp/x")
    assert read_checkpoints(repository, "refs/none") == []
    report = verify_store(store.path, repositories=[f"{repository}@refs/none", str(tmp_path / "nowhere")])
    assert [problem.code for problem in report.problems] == ["anchor", "anchor"]


# -- timestamps by a local authority -----------------------------------------------------------------------------------

_CONFIG = """
[ tsa ]
default_tsa = tsa_config
[ tsa_config ]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
ess_cert_id_alg = sha256
"""


class Authority:
    """``openssl ts`` behind HTTP on loopback, as RFC 3161 §3.4 asks."""

    def __init__(self, openssl: str, folder: Path) -> None:
        folder.mkdir()
        self._program = openssl
        self.folder, self.certificates = folder, folder / "tsa.pem"
        self.answer = b""
        """What it answers whatever it is asked; ``b""``: a timestamp."""
        self.bend: Callable[[bytes], bytes] = lambda query: query
        self.bend_reply: Callable[[bytes], bytes] = lambda reply: reply
        (folder / "serial").write_text("01\n")
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))
        self._openssl(
            *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=Test authority"),
            *("-keyout", str(folder / "tsa.key"), "-out", str(folder / "tsa.pem")),
            *("-addext", "extendedKeyUsage=critical,timeStamping", "-addext", "keyUsage=critical,digitalSignature"),
        )
        authority = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["content-length"]))
                answer = authority.answer or authority.reply(authority.bend(query))
                self.send_response(200)
                self.send_header("content-type", "application/timestamp-reply")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def reply(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(query)
        self._openssl(
            *("ts", "-reply", "-config", str(self.folder / "tsa.cnf")),
            *("-queryfile", str(self.folder / "query"), "-out", str(self.folder / "reply")),
        )
        return self.bend_reply((self.folder / "reply").read_bytes())

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()

    def _openssl(self, *arguments: str) -> None:
        environ = {**os.environ, "OPENSSL_CONF": "/dev/null" if arguments[0] == "ts" else ""}
        done = subprocess.run([self._program, *arguments], capture_output=True, text=True, check=False, env=environ)
        assert done.returncode == 0, done.stderr


@pytest.fixture
def authority(tmp_path: Path, openssl: str) -> Iterator[Authority]:
    made = Authority(openssl, tmp_path / "authority")
    yield made
    made.stop()


@pytest.mark.slow
def test_a_timestamped_head_verifies_with_the_authoritys_certificate(
    store: Store, authority: Authority, tmp_path: Path
) -> None:
    store.write_many(10)
    seen, token = anchor_timestamp(store.path, tmp_path / "anchors", authority.url)
    assert seen == store.log.head.seen
    assert token.name == "11.tsr"
    store.write_many(10)
    report = verify_store(store.path, timestamps=[token], authorities=authority.certificates)
    assert report.ok, report.problems
    assert "the first 11 entries are exactly those of the checkpoint that was timestamped at" in report.proofs[-1]

    done = subprocess.run(  # and so it does without us
        ["openssl", "ts", "-verify", "-data", "11.checkpoint", "-in", "11.tsr", "-CAfile", authority.certificates],
        cwd=token.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Verification: OK" in done.stdout + done.stderr

    checkpoint = token.with_suffix(".checkpoint")
    checkpoint.write_text(store.log.head.checkpoint)
    report = verify_store(store.path, timestamps=[token], authorities=authority.certificates)
    assert [problem.code for problem in report.problems] == ["anchor"]
    assert "does not hold" in report.problems[0].message


@pytest.mark.slow
def test_a_timestamp_of_another_authority_or_none_does_not_hold(
    store: Store, authority: Authority, tmp_path: Path
) -> None:
    _, token = anchor_timestamp(store.path, tmp_path / "anchors", authority.url)
    report = verify_store(store.path, timestamps=[token])
    assert "give it" in report.problems[0].message
    other, key = tmp_path / "other.pem", tmp_path / "other.key"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=Other",
            "-out",
            other,
            "-keyout",
            key,
        ],
        check=True,
        capture_output=True,
    )
    report = verify_store(store.path, timestamps=[token], authorities=other)
    assert [problem.code for problem in report.problems] == ["anchor"]
    token.write_bytes(b"nothing")
    assert not verify_store(store.path, timestamps=[token], authorities=authority.certificates).ok


@pytest.mark.slow
def test_an_answer_to_another_request_is_no_timestamp(authority: Authority) -> None:
    authority.answer = request_timestamp(authority.url, b"x")
    with pytest.raises(TimestampError, match="timestamp for another request"):
        request_timestamp(authority.url, b"x")  # replayed
    authority.answer = b""
    authority.bend = lambda query: query.replace(hashlib.sha512(b"x").digest(), hashlib.sha512(b"y").digest())
    with pytest.raises(TimestampError, match="timestamp for another request"):
        request_timestamp(authority.url, b"x")  # of other bytes, with our nonce


@pytest.mark.slow
@pytest.mark.usefixtures("openssl")
def test_a_timestamp_holds_after_its_certificates_have_ended(tmp_path: Path) -> None:
    """A recorded one, whose certificates held for five seconds; it counts that they did when it was given."""
    shutil.copytree(HERE / "expired_timestamp", tmp_path / "anchors")
    token, authority = tmp_path / "anchors" / "1024.tsr", tmp_path / "anchors" / "tsa.pem"
    report = verify_store(HERE / "golden", timestamps=[token], authorities=authority)
    assert report.ok, report.problems
    assert "that was timestamped at 2026-11-26T" in report.proofs[-1]

    [lines] = [block for block in DOCS.split("```")[1::2] if "openssl ts -verify" in block]
    done = subprocess.run(["sh", "-ec", lines], cwd=token.parent, capture_output=True, text=True, check=False)
    assert "Verification: OK" in done.stdout + done.stderr


@pytest.mark.slow
def test_what_is_granted_with_modifications_is_not_kept_as_nothing_would_verify_it(authority: Authority) -> None:
    authority.bend_reply = lambda reply: reply.replace(b"\x30\x03\x02\x01\x00", b"\x30\x03\x02\x01\x01", 1)
    with pytest.raises(TimestampError, match="refuses: status 1"):
        request_timestamp(authority.url, b"x")


@pytest.mark.slow
def test_a_head_that_is_timestamped_again_is_so_as_it_was_before_witnesses_cosigned_it(
    store: Store, authority: Authority, tmp_path: Path
) -> None:
    store.write_many(10)
    _, token = anchor_timestamp(store.path, tmp_path / "anchors", authority.url)
    kept, first = token.with_suffix(".checkpoint").read_bytes(), token.read_bytes()
    head = Checkpoint(origin=store.signer.name, size=11, root=store.log.head.root)
    line = cosign(head.text, signer_of(9, "witness.example/1"), 1).line
    store.execute("insert into cosignature (size, name, line) values (11, 'witness.example/1', ?)", (line,))
    authority.answer = b"out of order"
    with pytest.raises(TimestampError, match="answers with no timestamp"):
        anchor_timestamp(store.path, tmp_path / "anchors", authority.url)
    assert (token.with_suffix(".checkpoint").read_bytes(), token.read_bytes()) == (kept, first)
    authority.answer = b""
    anchor_timestamp(store.path, tmp_path / "anchors", authority.url)
    assert token.with_suffix(".checkpoint").read_bytes() == kept
    assert token.read_bytes() != first
    assert verify_store(store.path, timestamps=[token], authorities=authority.certificates).ok


def test_an_authority_that_is_not_there_gives_no_timestamp() -> None:
    with pytest.raises(TimestampError, match="gives no timestamp"):
        request_timestamp("http://127.0.0.1:9/", b"x")


# -- receipts ----------------------------------------------------------------------------------------------------------


def test_receipts_lead_to_the_newest_head_and_carry_its_cosignatures(store: Store) -> None:
    store.write_many(300)
    receipts = receipts_of(store.path, [0, 7, 300])
    for index, (receipt, entry) in zip((0, 7, 300), receipts, strict=True):
        key = parse_vkey(store.signer.verifier.vkey)
        assert entry == store.bodies()[index]
        assert verify_receipt(receipt, entry, [key]).size == 301
    with pytest.raises(LogError, match="no entry 301"):
        receipts_of(store.path, [301])
    store.write(decided(1))
    assert verify_receipt(receipts[1][0], store.bodies()[7], [store.signer.verifier]).size == 301


@pytest.mark.parametrize(
    "damage",
    [
        "update audit set body = cast('{}' as blob) where seq = 7",
        "update audit set body = cast(body || ' ' as blob), leaf = zeroblob(32) where seq = 7",
        "delete from audit where seq = 7",
    ],
)
def test_no_receipt_is_given_for_an_entry_that_is_not_the_signed_one(store: Store, damage: str) -> None:
    store.write_many(300)
    store.execute(damage)
    with pytest.raises(LogError, match="entry 7 is not the one that was signed"):
        receipts_of(store.path, [7])
    assert receipts_of(store.path, [8])[0][1] == store.bodies()[7 if "delete" in damage else 8]
