"""Git commands by their words alone, each dangerous one beside its harmless twin."""

from __future__ import annotations

import pytest

from askfirst.effects import Risk

GATED = """
reset --hard | git.reset-hard
reset --har | git.reset-hard
reset --hard HEAD~2 | git.reset-hard
reset HEAD~1 --hard | git.reset-hard
reset --merge | git.reset-hard
reset --keep HEAD~3 | git.reset-hard
-C sub reset --hard | git.reset-hard
-c user.name=x reset --hard | git.reset-hard
--git-dir=.git --work-tree=. reset --hard | git.reset-hard
--no-pager --literal-pathspecs reset --hard | git.reset-hard
checkout -- . | git.checkout-paths
checkout . | git.checkout-paths
checkout ./src | git.checkout-paths
checkout *.py | git.checkout-paths
checkout HEAD -- a.py | git.checkout-paths
checkout main a.py | git.checkout-paths
checkout a.py b.py | git.checkout-paths
checkout --ours a.py | git.checkout-paths
checkout --pathspec-from-file=list | git.checkout-paths
checkout -f | git.checkout-force
checkout -qf main | git.checkout-force
checkout --forc main | git.checkout-force
switch --discard main | git.checkout-force
switch -f main | git.checkout-force
restore . | git.restore
restore -SW . | git.restore
restore --source=HEAD~1 a.py | git.restore
restore --no-staged a.py | git.restore
clean -f | git.clean
clean -dfx | git.clean
clean --force -d | git.clean
clean -i | git.clean
-c clean.requireForce=false clean -d | git.clean
stash drop | git.stash-drop
stash clear | git.stash-clear
rm -rf . | git.rm
rm --force a.py | git.rm
rm -r . | git.rm
mv -f a.py b.py | git.mv-force
branch -D topic | git.branch-delete
branch -Dv topic | git.branch-delete
branch -df topic | git.branch-delete
branch --dele --forc topic | git.branch-delete
branch -f topic HEAD~3 | git.branch-force
branch -M old new | git.branch-force
branch -C old new | git.branch-force
tag -d v1 | git.tag-delete
tag -f v1 | git.tag-force
update-ref -d refs/heads/topic | git.update-ref
update-ref refs/heads/main HEAD~5 | git.update-ref
update-ref --stdin | git.update-ref
symbolic-ref -d HEAD | git.update-ref
reflog expire --expire=now --all | git.reflog-expire
reflog expire --expire-unreachable=1.day --all | git.reflog-expire
reflog delete HEAD@{0} | git.reflog-expire
gc --prune=now | git.gc-prune
gc --pru=now | git.gc-prune
gc --prune=1.day.ago | git.gc-prune
-c gc.reflogExpire=now gc | git.gc-prune
prune | git.gc-prune
repack -ad | git.gc-prune
filter-branch --all | git.rewrite-history
filter-repo --path x | git.rewrite-history
fast-import --force | git.rewrite-history
lfs migrate import | git.rewrite-history
worktree remove -f ../x | git.worktree-remove-force
submodule deinit --all -f | git.submodule-force
submodule update --force | git.submodule-force
fetch origin +topic:topic | git.fetch-force
fetch -f origin topic:refs/heads/topic | git.fetch-force
pull --force origin a:b | git.fetch-force
push -f | git.push-force
push --force | git.push-force
push origin --forc topic | git.push-force
push origin +topic | git.push-force
push origin +HEAD:topic | git.push-force
push origin -- +topic | git.push-force
push origin refs/heads/a:+refs/heads/b | git.push-force
push -uf origin topic | git.push-force
push --force-with-lease | git.push-force
push --force-with-lease=topic:abc origin topic | git.push-force
push --repo=origin -f | git.push-force
push --no-force --force | git.push-force
push origin :topic | git.push-delete
push origin :refs/tags/v1 | git.push-delete
push -d origin topic | git.push-delete
push --del origin a b | git.push-delete
push --mirror | git.push-mirror
push --prune origin | git.push-prune
config core.hooksPath hooks | git.config-program
config --global core.fsmonitor ./watch | git.config-program
config set core.sshCommand ./x | git.config-program
config --add credential.helper !./x | git.config-program
config filter.x.clean ./x | git.config-program
config include.path ../evil | git.config-program
config clean.requireForce false | git.config-program
-c core.hooksPath=/opt/hooks commit | git.unknown-program
--config-env=core.sshCommand=X fetch | git.unknown-program
--config-env include.path=X status | git.unknown-program
-c include.path=/tmp/x log | git.unknown-program
credential fill | git.credential-fill
diff --output=/etc/passwd | filesystem.overwrite
archive -o /etc/fstab HEAD | filesystem.overwrite
wipe-all --force | git.unknown
"""
FREE = """
status
add -A
add .
commit -m x
commit -am x
commit --amend
log --oneline
diff
diff --stat
show HEAD
reset
reset HEAD a.py
reset --soft HEAD~1
reset --mixed HEAD~1
reset -q
checkout main
checkout -b topic
checkout -b topic origin/main
checkout --orphan new
checkout -
checkout v1.2.3
checkout feature/login
checkout --detach HEAD
checkout -t origin/topic
checkout -p
checkout -B topic
checkout --force --help
checkout -h
switch main
switch -c topic
switch -
switch --detach HEAD
switch -C topic
restore --staged a.py
restore -S .
restore -p
clean -n
clean -nfd
clean --dry-run -f
clean -d
clean -f -h
stash
stash push -u
stash pop
stash apply
stash list
stash show -p
stash -m "drop this"
rm a.py
rm --cached -r .
rm -rn .
mv a.py b.py
branch
branch topic
branch -d topic
branch -m old new
branch -M main
branch --list -a
branch -vv
branch -f --help
branch --contains HEAD
branch --show-current
branch -u origin/main
branch -dr origin/x
tag
tag v1
tag -a v1 -m "x -f"
tag -l "v*"
tag -n3
update-ref --help
symbolic-ref HEAD
reflog
reflog show
reflog expire --expire=90.days
reflog expire --all
gc
gc --auto
gc --prune
gc --prune=2.weeks.ago
gc --aggressive
prune -n
repack -d
count-objects -vH
filter-repo --analyze
worktree list
worktree add ../x
worktree prune
worktree remove ../x
worktree remove -- -f
submodule update --init --recursive
submodule status
submodule deinit x
fetch
fetch --prune
fetch origin topic:topic
fetch -f origin
pull
pull --rebase
pull origin main
merge topic
merge --abort
rebase main
rebase -i HEAD~2
rebase --continue
cherry-pick abc
revert abc
bisect start
push
push origin main
push -u origin topic
push origin HEAD
push --tags
push --all
push origin a:b
push -n -f
push --dry-run --force
push --force --no-force
push --force-if-includes origin topic
push --follow-tags
push --force --help
remote -v
remote add origin x
remote set-url origin x
remote remove old
clone https://example.com/a.git
init
config user.name me
config --get alias.x
config --list
config --unset core.hooksPath
config get core.hooksPath
config core.editor vim
config --global core.pager "less -R"
config core.hooksPath /dev/null
config alias.st status
-c core.pager=cat log
-c core.fsmonitor=false status
-c color.ui=never diff
-c core.hooksPath=/dev/null commit -m x
diff --output=x.patch
archive -o out.tar HEAD
format-patch -1
--version
--help
help push
-h
frobnicate
commit -m "git push --force"
log --grep "reset --hard"
grep "push -f"
show HEAD:a.py
lfs ls-files
"""
ROWS = [tuple(part.strip() for part in line.rsplit("|", 1)) for line in GATED.strip().splitlines()]
HARMLESS = FREE.strip().splitlines()


def gating(effects):
    return {effect.rule for effect in effects if effect.risk >= Risk.HIGH}


@pytest.mark.parametrize(("text", "rule"), ROWS)
def test_what_may_lose_work_is_gated(judge, text, rule):
    assert rule in gating(judge(f"git {text}"))


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_work_is_not_gated(judge, text):
    assert gating(judge(f"git {text}")) == set()


@pytest.mark.parametrize(
    ("text", "risk"),
    [
        ("push -f origin topic", Risk.HIGH),
        ("push -f origin main", Risk.CRITICAL),
        ("push origin +HEAD:refs/heads/master", Risk.CRITICAL),
        ("push origin :release/1.2", Risk.CRITICAL),
        ("push -f origin refs/tags/main", Risk.HIGH),
        ("push --mirror", Risk.CRITICAL),
    ],
)
def test_what_is_shared_by_its_name_is_critical(judge, text, risk):
    assert max(effect.risk for effect in judge(f"git {text}")) is risk


@pytest.mark.parametrize(
    "text", ["git status", "git diff", "git add -A", "git log", "git commit -m x", "git merge topic"]
)
def test_harmless_commands_have_no_effect_at_all(judge, text):
    assert judge(text) == []


def test_every_deleted_ref_is_an_effect_of_its_own(judge):
    assert [effect.target for effect in judge("git push origin :a +b c")] == ["a on origin", "b on origin"]


def test_an_environment_that_hides_settings_is_gated(judge):
    assert "git.unknown-program" in gating(judge("GIT_CONFIG_PARAMETERS=x git status"))
    assert gating(judge("GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/x git status"))
    assert not gating(judge("GIT_AUTHOR_NAME=x git commit -m y"))


def test_a_command_elsewhere_is_judged_without_facts(judge):
    assert gating(judge("ssh host git reset --hard")) == {"git.reset-hard"}
