"""Every kind of destructive command, run for real: nothing that it destroyed is missing from the evidence."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from askfirst.testing.repositories import commit, git, make_pushed, make_repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.evidence.conftest import Trial

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a bit of everything: pushed and unpushed commits, branches, tags, a stash, loose files."""
    root = tmp_path_factory.mktemp("template")
    folder = make_pushed(make_repository(root / "project"), root / "origin.git")
    git(folder, "remote", "set-url", "origin", "../origin.git")
    git(folder, "branch", "merged")
    git(folder, "switch", "--quiet", "-c", "topic")
    commit(folder, "topic1.txt", "t1\n")
    commit(folder, "topic2.txt", "t2\n")
    git(folder, "tag", "-a", "-m", "v1", "v1")
    git(folder, "switch", "--quiet", "main")
    commit(folder, "pushed.txt", "p\n")
    git(folder, "push", "--quiet", "origin", "main")
    git(folder, "worktree", "add", "--quiet", "--detach", "../linked", "main")
    commit(root / "linked", "linked.txt", "in the linked one\n")
    (root / "linked/loose.txt").write_text("loose in linked\n", encoding="utf-8")
    commit(folder, "local1.txt", "l1\n")
    commit(folder, "local2.txt", "l2\n")
    for number in range(2):
        (folder / "a.txt").write_text(f"stashed {number}\n", encoding="utf-8")
        (folder / f"stashed{number}.txt").write_text(f"loose {number}\n", encoding="utf-8")
        git(folder, "stash", "push", "--quiet", "--include-untracked")
    (folder / "a.txt").write_text("changed\n", encoding="utf-8")
    (folder / "src/b.py").write_text("b = 'staged'\n", encoding="utf-8")
    git(folder, "add", "src/b.py")
    (folder / "added.txt").write_text("staged and new\n", encoding="utf-8")
    git(folder, "add", "added.txt")
    for name in ("notes.md", "sub/deep/x.txt", "build/out.bin", ".env", "data/dev.db", "topic1.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name} is here only\n", encoding="utf-8")
    (folder / "odd\nname \udce9.txt").write_text("odd\n", encoding="utf-8")
    (folder / "link").symlink_to("notes.md")
    return root


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Path:
    """A copy of the template, with its linked work tree and its remote beside it."""
    shutil.copytree(template, tmp_path, symlinks=True, dirs_exist_ok=True)
    git(tmp_path / "project", "worktree", "repair", "../linked")
    return tmp_path / "project"


COMMANDS = [
    "git reset --hard",
    "git reset --hard HEAD~2",
    "git reset --hard origin/main",
    "git reset --hard topic",
    "git reset --hard HEAD~1 && git reset --hard HEAD~1",
    "git reset --merge HEAD~1",
    "git reset --soft HEAD~1",
    "git -C sub reset --hard HEAD~1",
    "git checkout -- a.txt",
    "git checkout .",
    "git checkout HEAD~1 -- src a.txt",
    "git checkout topic -- topic1.txt",
    "git checkout -f topic",
    "git checkout -f -B merged HEAD~2",
    "git switch --discard-changes topic",
    "git switch -f -C topic main",
    "git restore a.txt",
    "git restore --staged --worktree .",
    "git restore --source HEAD~2 -- src/b.py",
    "git clean -f",
    "git clean -fd",
    "git clean -fdx",
    "git clean -fdX",
    "git clean -fdx -e data sub build",
    "git branch -D topic",
    "git branch -D topic merged",
    "git branch -f topic merged",
    "git branch -M merged topic",
    "git tag -d v1",
    "git tag -d v1 && git branch -D topic",
    "git update-ref -d refs/heads/topic",
    "git update-ref refs/heads/topic HEAD",
    "git stash drop",
    "git stash drop stash@{1}",
    "git stash clear",
    "git rm -rf .",
    "git rm -f a.txt src/b.py",
    "git mv -f a.txt src/b.py",
    "git read-tree --reset -u HEAD~1",
    "git checkout-index -f -a",
    "git worktree remove --force ../linked",
    "git rebase --root -X theirs",
    "git stash -q && git rebase --onto merged HEAD~1",
    "git commit --amend -m other",
    "git filter-branch -f --msg-filter 'sed s/local/other/' -- --all",
    "git fetch origin +main:topic",
    "git remote remove origin",
    "git push --force origin HEAD~3:main",
    "git push origin --delete main",
    "git push origin :main +topic:other",
    "git push --mirror origin",
    "git push --prune origin",
    "rm -rf sub",
    "rm -f a.txt added.txt notes.md",
    "rm -rf *",
    "rm -rf ./*.md build data",
    "rm -rf .git",
    "rm -rf ../project",
    "rm -rf ../linked",
    "find . -name '*.txt' -delete",
    "find sub data -type f -delete",
    "echo new > notes.md",
    ": > a.txt",
    "cp src/b.py notes.md",
    "mv a.txt notes.md",
    "truncate -s 0 .env",
    "shred -u .env",
    "tee notes.md < a.txt > /dev/null",
    "dd if=/dev/zero of=data/dev.db count=1",
    "rsync -a --delete src/ sub/",
    "python3 -c \"import shutil; shutil.rmtree('sub')\"",
    "sh -c 'rm -rf sub && git reset --hard HEAD~1'",
    "cd sub && rm -rf deep",
    "ln -sf a.txt notes.md",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_that_a_command_destroys_is_missing(
    project: Path, tmp_path: Path, trial: Callable[..., Trial], command: str
) -> None:
    done = trial(command, project, project, tmp_path / "origin.git")
    count, listed = done.told_commits()
    gone = {path for path in done.destroyed.files if b"/build/" not in path}  # tools write these again
    assert count >= len(done.destroyed.commits), f"missed {done.destroyed.commits - listed}"
    if count <= 10:
        assert done.destroyed.commits <= listed
    only, names = done.told_files()
    assert only >= len(gone), f"missed among {gone}"
    if only <= 10:
        shown = {os.fsdecode(path).encode("utf-8", "backslashreplace").decode() for path in gone}
        wanted = {path.replace("\\udce9", "\\xe9") for path in shown}
        assert wanted <= names, (wanted - names, names)


def test_the_commands_of_the_table_do_destroy(project: Path, trial: Callable[..., Trial]) -> None:
    """The harness sees a loss where there is one, so that the table above proves something."""
    done = trial(
        "git reset --hard HEAD~2; git clean -fdx; git tag -d v1; git branch -D topic; git stash clear", project
    )
    assert done.exit_code == 0
    assert len(done.destroyed.commits) == 6
    assert len(done.destroyed.files) == 11
