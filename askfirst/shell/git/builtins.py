"""The names of git's own commands: an alias of such a name is ignored by git, so none needs to be looked up.

From: https://git-scm.com/docs/git-config (``alias.*``: "aliases that hide existing Git commands are ignored") and
``git --list-cmds=main`` of git 2.39, with the commands that later releases added.
"""

from __future__ import annotations

from typing import Final

BUILTINS: Final = frozenset(
    (
        "add am annotate apply archive backfill bisect blame branch bugreport bundle cat-file check-attr check-ignore "
        "check-mailmap check-ref-format checkout checkout-index cherry cherry-pick clean clone column commit "
        "commit-graph commit-tree config count-objects credential credential-cache credential-store daemon describe "
        "diagnose diff diff-files diff-index diff-pairs diff-tree difftool fast-export fast-import fetch fetch-pack "
        "filter-branch fmt-merge-msg for-each-ref for-each-repo format-patch fsck gc get-tar-commit-id grep "
        "hash-object help hook http-backend http-fetch http-push imap-send index-pack init init-db instaweb "
        "interpret-trailers log ls-files ls-remote ls-tree mailinfo mailsplit maintenance merge merge-base merge-file "
        "merge-index merge-octopus merge-one-file merge-ours merge-recursive merge-resolve merge-subtree merge-tree "
        "mergetool mktag mktree multi-pack-index mv name-rev notes pack-objects pack-redundant pack-refs patch-id "
        "prune prune-packed pull push quiltimport range-diff read-tree rebase receive-pack reflog refs remote repack "
        "replace replay request-pull rerere reset restore rev-list rev-parse revert rm send-pack shell shortlog show "
        "show-branch show-index show-ref sparse-checkout stage stash status stripspace submodule subtree switch "
        "symbolic-ref tag unpack-file unpack-objects update-index update-ref update-server-info upload-archive "
        "upload-pack var verify-commit verify-pack verify-tag version whatchanged worktree write-tree"
    ).split()
)
