"""A repository that the line itself makes in a temporary folder holds nothing that was there before."""

from __future__ import annotations

import shlex

import pytest

from askfirst.disk import Disk
from askfirst.effects import Risk
from askfirst.testing.repositories import make_repository


def gating(judge, text, **asked):
    return [effect.rule for effect in judge(text, **asked) if effect.risk >= Risk.HIGH]


@pytest.mark.parametrize(
    "text",
    [
        "cd /tmp && mkdir -p try && cd try && git init -q && git commit -qm a --allow-empty && git reset --hard",
        "git init /tmp/x && git -C /tmp/x clean -fdx",
        "cd /tmp/x && git init -q -b main && git stash clear",
        "cd /tmp && git clone --depth 1 https://example.com/a/b.git && cd b && git reset --hard HEAD~1",
        "git clone https://example.com/a/b /tmp/b && cd /tmp/b && git checkout -- . && git branch -D topic",
    ],
)
def test_it_is_not_asked_about(judge, text):
    assert gating(judge, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "cd /tmp/x && git reset --hard",
        "git init && git clean -fdx",
        "cd /tmp/x && git clone https://example.com/a/b; git reset --hard",
        "cd /tmp/x && git clone; git reset --hard",
        "git init /tmp && cd /tmp && git clean -fdx",
        "git init /tmp/x && git reset --hard",
        "cd /tmp/x && git init && git -C ~/work reset --hard",
        "cd /tmp/x && git init && git --work-tree=/home/me/work checkout -f",
        "cd /tmp/x && git init && git push --force origin main",
        "ssh host 'cd /tmp/x && git init' && cd /tmp/x && git reset --hard",
    ],
)
def test_any_other_repository_and_what_leaves_it_is(judge, text):
    assert gating(judge, text)


def test_a_folder_that_held_something_before_was_not_made_by_the_line(judge, tmp_path):
    repo = make_repository(tmp_path / "repo")
    (repo / "a.txt").write_text("two\n", encoding="utf-8")
    folder = shlex.quote(str(repo))

    assert gating(judge, f"git init {folder} && git -C {folder} reset --hard", facts=Disk(budget_s=20))
