"""The options of git's subcommands, as far as they decide anything (see ``askfirst.shell.options`` for the notation).

Options that neither lose anything nor take a value are listed only where an abbreviation could be mistaken for a
dangerous one. From: the documentation of git 2.39 to 2.51, https://git-scm.com/docs.
"""

from __future__ import annotations

from typing import Final

_PICK = (
    "C/reuse: e/edit x/x m/mainline: n/no-commit s/signoff strategy: X/strategy-option: S/gpg-sign? abort "
    "continue skip quit"
)

SYNTAX: Final[dict[str, str]] = {
    "am": "abort skip continue quit exclude: include: C/context: p/strip: directory: patch-format: S/gpg-sign?",
    "archive": "format: o/output: prefix: remote: exec: l/list v/verbose",
    "branch": (
        "d/delete D/ m/move M/ c/copy C/ f/force r/remotes a/all t/track? u/set-upstream-to: unset-upstream "
        "edit-description contains: no-contains: merged no-merged sort: format: points-at: l/list "
        "show-current i/ignore-case q/quiet v/verbose create-reflog color? column? abbrev?"
    ),
    "checkout": (
        "b/: B/: orphan: f/force ours theirs 2/ours 3/theirs m/merge p/patch d/detach t/track? conflict: "
        "pathspec-from-file: pathspec-file-nul l/ q/quiet progress overlay guess ignore-other-worktrees "
        "recurse-submodules? ignore-skip-worktree-bits"
    ),
    "checkout-index": "f/force a/all u/index q/quiet n/no-create prefix: stage: temp stdin z/",
    "cherry-pick": _PICK,
    "clean": "f/force n/dry-run d/ x/ X/ i/interactive q/quiet e/exclude:",
    "clone": (
        "l/local n/no-checkout bare mirror o/origin: b/branch: u/upload-pack: template: reference: "
        "separate-git-dir: depth: shallow-since: shallow-exclude: c/config: j/jobs: filter: server-option: "
        "recurse-submodules? q/quiet v/verbose s/shared progress single-branch no-tags sparse dissociate "
        "reference-if-able: bundle-uri:"
    ),
    "commit": (
        "amend n/no-verify m/message: F/file: C/reuse-message: c/reedit-message: fixup: squash: author: "
        "date: t/template: cleanup: a/all p/patch s/signoff e/edit o/only i/include q/quiet v/verbose "
        "u/untracked-files? S/gpg-sign? pathspec-from-file: trailer: allow-empty allow-empty-message "
        "dry-run reset-author no-edit"
    ),
    "config": (
        "global system local worktree f/file: blob: get get-all get-regexp get-urlmatch: add replace-all "
        "unset unset-all rename-section remove-section l/list e/edit t/type: bool int path default: "
        "name-only show-origin show-scope z/null comment: append value: fixed-value"
    ),
    "difftool": "x/extcmd: t/tool: d/dir-diff y/no-prompt g/gui prompt",
    "fast-import": "force quiet stats export-marks: import-marks:",
    "fetch": (
        "f/force p/prune P/prune-tags t/tags n/no-tags a/append all multiple k/keep u/update-head-ok "
        "upload-pack: depth: deepen: shallow-since: shallow-exclude: unshallow refmap: o/server-option: "
        "negotiation-tip: filter: j/jobs: dry-run recurse-submodules? q/quiet v/verbose set-upstream atomic "
        "porcelain progress"
    ),
    "filter-repo": "analyze dry-run",
    "gc": "prune? auto aggressive force q/quiet keep-largest-pack detach cruft expire-to: max-cruft-size:",
    "grep": (
        "O/open-files-in-pager? e/: f/: m/max-count: A/after-context: B/before-context: C/context: max-depth: threads:"
    ),
    "ls-remote": "upload-pack: exec: sort: o/server-option: heads tags refs q/quiet exit-code get-url symref",
    "merge": (
        "abort continue quit no-verify ff no-ff ff-only squash commit e/edit m/message: F/file: s/strategy: "
        "X/strategy-option: S/gpg-sign? log? stat n/no-stat autostash allow-unrelated-histories into-name: "
        "cleanup: q/quiet v/verbose signoff verify"
    ),
    "mv": "f/force n/dry-run k/ v/verbose",
    "prune": "n/dry-run v/verbose progress expire: exclude-promisor-objects",
    "pull": (
        "f/force r/rebase? ff no-ff ff-only s/strategy: X/strategy-option: upload-pack: depth: "
        "o/server-option: a/append all autostash no-verify verify squash commit S/gpg-sign? q/quiet "
        "v/verbose allow-unrelated-histories tags no-tags prune j/jobs:"
    ),
    "push": (
        "f/force force-with-lease? force-if-includes mirror prune d/delete all branches tags follow-tags "
        "n/dry-run no-verify verify repo: receive-pack: exec: o/push-option: recurse-submodules: "
        "u/set-upstream q/quiet v/verbose porcelain progress thin atomic signed? 4/ipv4 6/ipv6"
    ),
    "read-tree": "m/ u/ i/ reset prefix: index-output: n/dry-run q/quiet v/verbose trivial aggressive empty",
    "rebase": (
        "x/exec: i/interactive onto: keep-base root abort skip continue quit edit-todo show-current-patch "
        "no-verify verify s/strategy: X/strategy-option: S/gpg-sign? C/: whitespace: autosquash autostash "
        "r/rebase-merges? f/force-rebase no-ff empty: update-refs q/quiet v/verbose signoff "
        "reapply-cherry-picks fork-point"
    ),
    "reflog": "n/dry-run expire: expire-unreachable: all rewrite updateref stale-fix verbose single-worktree",
    "remote": "v/verbose t/: m/: f/: mirror? add push delete all n/: tags no-tags p/prune",
    "repack": (
        "a/ A/ d/ l/local f/ F/ q/quiet n/ window: depth: threads: k/keep-unreachable unpack-unreachable: "
        "cruft cruft-expiration: filter: g/geometric: b/write-bitmap-index m/write-midx"
    ),
    "replace": "d/delete f/force edit graft convert-graft-file l/list format: raw",
    "reset": (
        "hard soft mixed merge keep p/patch q/quiet N/intent-to-add pathspec-from-file: pathspec-file-nul "
        "recurse-submodules? refresh"
    ),
    "restore": (
        "s/source: S/staged W/worktree p/patch ours theirs 2/ours 3/theirs m/merge conflict: "
        "pathspec-from-file: pathspec-file-nul q/quiet progress overlay ignore-unmerged "
        "ignore-skip-worktree-bits recurse-submodules?"
    ),
    "revert": _PICK,
    "rm": "f/force n/dry-run r/ cached ignore-unmatch sparse q/quiet pathspec-from-file: pathspec-file-nul",
    "stash": (
        "p/patch k/keep-index q/quiet u/include-untracked a/all S/staged m/message: pathspec-from-file: "
        "index only-untracked"
    ),
    "submodule": (
        "f/force all q/quiet recursive init remote cached b/branch: name: reference: depth: j/jobs: "
        "checkout merge rebase"
    ),
    "switch": (
        "c/create: C/force-create: f/force discard-changes m/merge d/detach t/track? orphan: conflict: "
        "guess q/quiet progress recurse-submodules? ignore-other-worktrees"
    ),
    "symbolic-ref": "d/delete q/quiet short m/: recurse",
    "tag": (
        "d/delete f/force a/annotate s/sign u/local-user: m/message: F/file: e/edit l/list v/verify n/? "
        "sort: format: contains: no-contains: merged no-merged points-at: cleanup: trailer: create-reflog "
        "color? column? i/ignore-case"
    ),
    "update-ref": "d/delete no-deref stdin z/ m/: create-reflog",
    "worktree": (
        "f/force b/: B/: d/detach lock reason: n/dry-run v/verbose expire: porcelain z/ orphan track "
        "guess-remote checkout q/quiet"
    ),
}

HARMLESS: Final = frozenset(
    """
    add am annotate apply archive bisect blame bundle cat-file check-attr check-ignore check-mailmap check-ref-format
    cherry cherry-pick column commit-graph commit-tree count-objects describe diff diff-files diff-index diff-tree
    difftool fast-export fetch-pack fmt-merge-msg for-each-ref for-each-repo format-patch fsck get-tar-commit-id grep
    hash-object help index-pack init init-db interpret-trailers log ls-files ls-remote ls-tree mailinfo mailsplit
    maintenance merge-base merge-file merge-index merge-tree mergetool mktag mktree multi-pack-index name-rev notes
    pack-objects pack-refs patch-id range-diff request-pull rerere rev-list rev-parse revert shortlog show show-branch
    show-index show-ref sparse-checkout stage status stripspace unpack-file unpack-objects update-index
    update-server-info var verify-commit verify-pack verify-tag version whatchanged write-tree
    """.split()
)
"""Subcommands that only read, or are ordinary work in which git itself keeps from losing anything."""
