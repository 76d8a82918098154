"""Repositories as they really are: in the middle of a merge, bare, nested, locked, broken, hostile, huge."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest

from askfirst.analyst import DiskAnalyst
from askfirst.call import ToolCall
from askfirst.effects import Risk
from askfirst.evidence.eye import Eye
from askfirst.evidence.gather import Gatherer
from askfirst.evidence.remotes import Remotes
from askfirst.evidence.sources import sources
from askfirst.evidence.values import Commits, Files, Gap, Refs
from askfirst.evidence_config import EvidenceConfig
from askfirst.facts import GitPlace
from askfirst.testing.repositories import commit, git, make_pushed, make_repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from askfirst.evidence.eye import Found, Subject
    from askfirst.evidence.values import Evidence

    Gather = Callable[..., Evidence]


def only(evidence: Evidence, kind: type) -> list:
    return [each for each in evidence.exhibits if isinstance(each, kind)]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "repo")


def test_a_merge_in_the_middle_counts_what_was_resolved(gather: Gather, repo: Path) -> None:
    git(repo, "switch", "-q", "-c", "other")
    commit(repo, "a.txt", "theirs\n")
    git(repo, "switch", "-q", "main")
    commit(repo, "a.txt", "ours\n")
    with pytest.raises(subprocess.CalledProcessError):
        git(repo, "merge", "other")
    (repo / "a.txt").write_text("resolved by hand\n", encoding="utf-8")
    for command in ("git merge --abort", "git reset --hard", "git checkout --ours a.txt"):
        (found,) = only(gather(command, repo), Files)
        assert (found.only_copies, found.largest[0].path) == (1, "a.txt")


def test_leaving_a_detached_head_loses_its_commits(gather: Gather, repo: Path) -> None:
    git(repo, "checkout", "-q", "--detach")
    lost = commit(repo, "detached.txt")
    (found,) = only(gather("git checkout -f main", repo), Commits)
    assert [each.id for each in found.listed] == [lost]
    assert found.rollback == (f"git branch rescued {lost[:12]}",)


def test_a_bare_repository_has_commits_and_no_work_tree(gather: Gather, repo: Path, tmp_path: Path) -> None:
    make_pushed(repo, tmp_path / "bare.git")
    git(repo, "push", "-q", "origin", "main:topic")
    evidence = gather(f"git --git-dir={tmp_path}/bare.git branch -D topic main", repo)
    (found,) = only(evidence, Commits)
    assert found.count == 1
    assert only(evidence, Gap) == []


@pytest.mark.slow
def test_submodules_are_looked_into_where_git_would_reset_them(gather: Gather, repo: Path, tmp_path: Path) -> None:
    inner = make_repository(tmp_path / "inner")
    git(repo, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    git(repo, "commit", "-q", "-m", "sub")
    (repo / "sub/a.txt").write_text("work inside\n", encoding="utf-8")
    (found,) = only(gather("git reset --hard --recurse-submodules", repo), Files)
    assert [each.path for each in found.largest] == ["sub/a.txt"]
    (plain,) = only(gather("git reset --hard", repo), Files)
    assert plain.count == 0
    (whole,) = only(gather("git submodule update --force sub", repo), Files)
    assert whole.only_copies == 1


def test_a_deleted_folder_takes_its_repository_and_its_unpushed_commits_with_it(
    gather: Gather, repo: Path, tmp_path: Path
) -> None:
    nested = make_pushed(make_repository(repo / "vendor/lib"), tmp_path / "remote.git")
    lost = commit(nested, "unpushed.txt")
    evidence = gather("rm -rf vendor", repo)
    (files,) = only(evidence, Files)
    assert files.repositories == (str(nested),)
    (commits,) = only(evidence, Commits)
    assert [each.id for each in commits.listed] == [lost]
    assert (commits.fate, commits.unpushed) == ("pruned", 1)


@pytest.mark.parametrize(
    "harm",
    [
        lambda p: (p / ".git/index").write_bytes(b"no index"),
        lambda p: (p / ".git/HEAD").write_bytes(b"\0\0"),
        lambda p: [each.unlink() for each in (p / ".git/objects").rglob("*") if each.is_file()],
        lambda p: (p / ".git/config").write_text("[core\n"),
    ],
    ids=["index", "HEAD", "objects", "config"],
)
def test_a_broken_repository_is_a_gap_and_raises_the_risk(repo: Path, harm: Callable[[Path], object]) -> None:
    (repo / "a.txt").write_text("dirty\n", encoding="utf-8")
    harm(repo)
    call = ToolCall(tool="Bash", arguments={"command": "git reset --hard HEAD~1"}, cwd=str(repo), session="s")
    found = DiskAnalyst().classify(call)
    assert found.risk is Risk.HIGH
    gathered = asyncio.run(Gatherer(sources(EvidenceConfig()), limit_s=30).gather(call, found))
    assert gathered.evidence.has_failed
    assert gathered.found.risk is Risk.CRITICAL


def test_a_lock_of_another_git_is_neither_waited_for_nor_removed(gather: Gather, repo: Path) -> None:
    (repo / "a.txt").write_text("dirty\n", encoding="utf-8")
    (repo / ".git/index.lock").touch()
    (found,) = only(gather("git reset --hard", repo), Files)
    assert found.only_copies == 1
    assert (repo / ".git/index.lock").exists()


def test_a_folder_that_cannot_be_read_is_a_gap(gather: Gather, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loose/inner").mkdir(parents=True)
    (tmp_path / "loose/inner/file").touch()
    real = os.scandir

    def refuses(path: str) -> object:
        if path.endswith("/inner"):
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr("askfirst.evidence.file_walk.os.scandir", refuses)
    evidence = gather(f"rm -rf {tmp_path}/loose", tmp_path)
    (files,) = only(evidence, Files)
    assert files.more
    assert [each.about for each in only(evidence, Gap)] == [f"what lies in {tmp_path}/loose/inner"]


def test_a_path_that_has_vanished_is_nothing_to_lose(gather: Gather, tmp_path: Path) -> None:
    (found,) = only(gather(f"rm -rf {tmp_path}/nothing-there src", tmp_path), Files)
    assert found.count == 0


PROGRAMS = (
    "core.fsmonitor core.pager pager.log core.editor diff.external diff.x.textconv diff.x.command filter.x.clean "
    "filter.x.smudge filter.x.process core.sshCommand core.askPass credential.helper remote.origin.uploadpack "
    "gpg.program core.alternateRefsCommand merge.x.driver core.gitProxy uploadpack.packObjectsHook"
)
"""Settings that name a program which git would run."""


@pytest.mark.parametrize(
    "command",
    [
        "git reset --hard HEAD~1",
        "git clean -fdx",
        "git push --force origin main",
        "git stash clear",
        "git rebase topic",
        "rm -rf .",
    ],
)
def test_nothing_that_a_hostile_repository_brings_is_run(
    gather: Gather, repo: Path, tmp_path: Path, command: str
) -> None:
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/SPRUNG\ncat\n", encoding="utf-8")
    trap.chmod(0o755)
    commit(repo, "b.txt")
    git(repo, "branch", "topic", "HEAD~1")
    for key in PROGRAMS.split():
        git(repo, "config", key, str(trap))
    for name in ("reset", "status", "for-each-ref", "rev-list", "log", "clean"):
        git(repo, "config", f"alias.{name}", f"!{trap}")
    git(repo, "config", "log.showSignature", "true")
    git(repo, "config", "remote.origin.url", f"ext::{trap}")
    git(repo, "config", "remote.origin.promisor", "true")
    git(repo, "update-ref", "refs/remotes/origin/main", "HEAD")
    (repo / ".gitattributes").write_text("* filter=x diff=x merge=x\n", encoding="utf-8")
    (repo / "a.txt").write_text("dirty\n", encoding="utf-8")
    hooks = repo / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-index-change", "reference-transaction", "pre-push", "post-checkout", "fsmonitor-watchman"):
        (hooks / name).write_text(trap.read_text(encoding="utf-8"), encoding="utf-8")
        (hooks / name).chmod(0o755)
    assert gather(command, repo, EvidenceConfig(network=True)).exhibits
    assert not (tmp_path / "SPRUNG").exists()


def test_replaced_commits_and_our_own_refs_hide_no_loss(gather: Gather, repo: Path) -> None:
    base = git(repo, "rev-parse", "HEAD")
    lost = commit(repo, "lost.txt")
    git(repo, "replace", "-f", lost, base)
    git(repo, "update-ref", "refs/askfirst/REQ/heads/main", lost)
    git(repo, "update-ref", "-d", f"refs/replace/{lost}")
    (found,) = only(gather(f"git reset --hard {base}", repo), Commits)
    assert [each.id for each in found.listed] == [lost]


def test_commands_that_bring_a_ref_back_are_quoted(gather: Gather, repo: Path) -> None:
    oid = git(repo, "commit-tree", "-m", "x", "HEAD^{tree}")
    git(repo, "update-ref", "refs/heads/a;touch${IFS}x", oid)
    (found,) = only(gather("git branch -D 'a;touch${IFS}x'", repo), Commits)
    assert found.rollback == (f"git branch 'a;touch${{IFS}}x' {oid[:12]}",)


def test_two_branches_that_only_together_hold_a_commit_lose_it(gather: Gather, repo: Path) -> None:
    git(repo, "branch", "one")
    git(repo, "switch", "-q", "one")
    lost = commit(repo, "shared.txt")
    git(repo, "branch", "two")
    git(repo, "switch", "-q", "main")
    (found,) = only(gather("git branch -D one && git branch -D two", repo), Commits)
    assert [each.id for each in found.listed] == [lost]


def test_a_remote_folder_is_asked_how_it_stands_now(gather: Gather, repo: Path, tmp_path: Path) -> None:
    make_pushed(repo, tmp_path / "remote.git")
    subprocess.run(["git", "clone", "-q", str(tmp_path / "remote.git"), str(tmp_path / "other")], check=True)
    commit(tmp_path / "other", "by-somebody-else.txt")
    git(tmp_path / "other", "push", "-q", "origin", "main")
    commit(repo, "mine.txt")
    (refs,) = only(gather("git push --force origin main", repo), Refs)
    assert (refs.seen, refs.moved_on, refs.refs[0].shared) == ("live", True, True)


@pytest.mark.parametrize("command", ["git push --force origin HEAD~1:main", "git push --delete origin topic"])
def test_a_push_is_given_back_but_never_over_what_others_pushed_since(
    gather: Gather, repo: Path, tmp_path: Path, command: str
) -> None:
    commit(repo, "second.txt")
    git(repo, "branch", "topic")
    remote = tmp_path / "remote.git"
    make_pushed(repo, remote)
    git(repo, "push", "-q", "origin", "topic")
    before = git(remote, "for-each-ref")
    (refs,) = only(gather(command, repo), Refs)
    (way_back,) = refs.rollback
    subprocess.run(["sh", "-c", command], cwd=repo, check=True, capture_output=True)
    assert git(remote, "for-each-ref") != before
    subprocess.run(["sh", "-c", way_back], cwd=repo, check=True, capture_output=True)
    assert git(remote, "for-each-ref") == before

    subprocess.run(["sh", "-c", command], cwd=repo, check=True, capture_output=True)
    theirs = git(repo, "commit-tree", "-m", "of somebody else", "HEAD^{tree}")
    git(remote, "fetch", "-q", str(repo), theirs)
    git(remote, "update-ref", refs.refs[0].name, theirs)
    refused = subprocess.run(["sh", "-c", way_back], cwd=repo, check=False, capture_output=True)
    assert refused.returncode
    assert b"stale info" in refused.stderr
    assert git(remote, "rev-parse", refs.refs[0].name) == theirs


def test_the_way_back_from_a_push_of_nobody_knows_what_trusts_the_tracking_ref(
    gather: Gather, repo: Path, tmp_path: Path
) -> None:
    make_pushed(repo, tmp_path / "remote.git")
    old = git(repo, "rev-parse", "main")[:12]
    (refs,) = only(gather("git push --force origin made-later:main", repo), Refs)
    assert refs.rollback == (f"git push --force-with-lease=refs/heads/main origin {old}:refs/heads/main",)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[str]:
    """The address of a git daemon on loopback that serves ``tmp_path/served``."""
    (tmp_path / "served").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = ["git", "daemon", "--export-all", "--reuseaddr", f"--base-path={tmp_path}/served", "--listen=127.0.0.1"]
    running = subprocess.Popen([*command, f"--port={port}"], stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        for _ in range(500):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.1):
                break
            running.poll()
            threading.Event().wait(0.02)
        yield f"git://127.0.0.1:{port}"
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(10)


@pytest.mark.slow
def test_a_remote_elsewhere_is_asked_only_where_the_network_is_allowed(
    gather: Gather, repo: Path, tmp_path: Path, daemon: str
) -> None:
    make_pushed(repo, tmp_path / "served/remote.git")
    git(repo, "remote", "set-url", "origin", f"{daemon}/remote.git")
    commit(repo, "mine.txt")
    here = git(repo, "rev-parse", "origin/main")
    place = GitPlace(folder=str(repo))
    assert Remotes(network=False).refs(Eye(10), place, "origin") is None
    assert Remotes(network=True).refs(Eye(10), place, "origin") == {"refs/heads/main": here}
    (closed,) = only(gather("git push --force origin main", repo), Refs)
    (open_,) = only(gather("git push --force origin main", repo, EvidenceConfig(network=True)), Refs)
    assert (closed.seen, open_.seen) == ("fetched", "live")


def test_a_remote_that_does_not_answer_is_a_gap(gather: Gather, repo: Path) -> None:
    git(repo, "remote", "add", "origin", "git://127.0.0.1:9/remote.git")
    evidence = gather("git push --force origin main", repo, EvidenceConfig(network=True))
    assert "how origin stands now" in [each.about for each in only(evidence, Gap)]


@pytest.mark.parametrize("url", ["ext::sh -c x", "-x", "--upload-pack=x", "file:///nowhere", "fd::3", "https://a b/"])
def test_an_address_that_could_run_something_is_never_asked(repo: Path, url: str) -> None:
    git(repo, "config", "remote.origin.url", url)
    found = Remotes(network=True).refs(Eye(10), GitPlace(folder=str(repo)), "origin")
    assert found is None or repr(found) == "UNKNOWN"


@pytest.mark.slow
def test_ten_thousand_files_are_counted(gather: Gather, repo: Path) -> None:
    for number in range(100):
        folder = repo / f"many/{number}"
        folder.mkdir(parents=True)
        for each in range(100):
            (folder / f"{each}.txt").write_text("x", encoding="utf-8")
    for command in ("rm -rf many", "git clean -fd"):
        (found,) = only(gather(command, repo), Files)
        assert (found.count, found.size_bytes, found.only_copies, found.more) == (10_000, 10_000, 10_000, False)
        assert len(found.largest) == 10


@pytest.mark.parametrize("command", ["rm -rf many", "git clean -fdx"])
def test_a_walk_that_is_cut_off_says_so_and_raises_the_risk(
    repo: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr("askfirst.evidence.file_walk.ENTRIES_MAX", 3)
    for number in range(8):
        (repo / f"many/{number}").mkdir(parents=True)
        (repo / f"many/{number}/file").touch()
    call = ToolCall(tool="Bash", arguments={"command": command}, cwd=str(repo), session="s")
    found = DiskAnalyst().classify(call)
    gathered = asyncio.run(Gatherer(sources(EvidenceConfig()), limit_s=30).gather(call, found))
    (files,) = only(gathered.evidence, Files)
    assert files.more
    assert [each.failed for each in only(gathered.evidence, Gap)] == [True]
    assert gathered.found.effects[0].risk > found.effects[0].risk


def test_a_two_gigabyte_sparse_file_costs_nothing_to_count(gather: Gather, repo: Path) -> None:
    with (repo / "huge.img").open("wb") as file:
        file.truncate(2 << 30)
    (found,) = only(gather("rm -f huge.img", repo), Files)
    assert found.size_bytes == 2 << 30


class Sleeper:
    """A source that does not come back."""

    about = "what takes too long"
    is_stateful = True

    def __init__(self) -> None:
        self.release = threading.Event()

    def concerns(self, _subject: Subject) -> bool:
        return True

    def covers(self, _effect: object) -> bool:
        return True

    def look(self, _subject: Subject, _eye: Eye, found: Found) -> None:
        found.state["early"] = "seen"
        self.release.wait(20)


class Broken(Sleeper):
    """A source with a bug."""

    about = "what breaks"

    def look(self, _subject: Subject, _eye: Eye, _found: Found) -> None:
        raise RuntimeError("a bug")


def test_a_source_that_hangs_or_breaks_is_a_gap_and_the_others_are_heard(repo: Path) -> None:
    (repo / "a.txt").write_text("dirty\n", encoding="utf-8")
    sleeper, broken = Sleeper(), Broken()
    call = ToolCall(tool="Bash", arguments={"command": "git reset --hard"}, cwd=str(repo), session="s")
    found = DiskAnalyst().classify(call)
    gatherer = Gatherer((sleeper, broken, *sources(EvidenceConfig())), eye=lambda _: Eye(30), limit_s=0.5)
    gathered = asyncio.run(gatherer.gather(call, found))
    sleeper.release.set()
    assert {each.about for each in gathered.evidence.gaps} >= {"what takes too long", "what breaks"}
    assert gathered.evidence.state["early"] == "seen"
    assert gathered.evidence.state["what takes too long"] == "not known"
    assert gathered.found.risk is Risk.CRITICAL
