"""The same destructive texts as data: written, searched, printed, quoted, but never run."""

from __future__ import annotations

import json

from suite.disguises import double, single
from suite.effects import EFFECTS
from suite.row import Row

TEMPLATES: tuple[str, ...] = (
    # messages
    "git commit -m {q}",
    'git commit -m "fix: never run $Q in CI"',
    "git commit -am {q}",
    "git commit -m title -m {q}",
    "git commit -F - <<'E'\nDo not run {}\n\nIt loses data.\nE",
    "git commit -m \"$(cat <<'EOF'\nWarn before {}\n\n- {}\nEOF\n)\"",
    "git commit --amend -m {q} --no-edit",
    "git tag -a v1.2 -m {q}",
    "git stash push -m {q}",
    "git notes add -m {q}",
    "gh pr create --title {q} --body {q}",
    "gh pr create --title x --body \"$(cat <<'EOF'\n## Notes\n`{}` was removed\nEOF\n)\"",
    "gh issue create -t {q} -b {q}",
    "gh pr comment 12 --body {q}",
    "gh issue comment 3 -b {d}",
    "gh pr review 5 --comment -b {q}",
    "glab mr create --title {q} --description {q}",
    "svn commit -m {q}",
    "hg commit -m {q}",
    # searching
    "grep -rn {q} .",
    "grep -F {q} README.md",
    "grep -E {q} -r src | head",
    "rg {q}",
    "rg -n --fixed-strings {q} docs/",
    "rg -e {q} -g '*.md'",
    "ag {q} src",
    "ack {q}",
    "git grep -n {q}",
    "git log --grep={q} --oneline",
    "git log -S {q} --oneline",
    "git log -G {d}",
    "history | grep {q}",
    "cat run.log | grep {q} | wc -l",
    "if grep -q {q} script.sh; then echo found; fi",
    "find . -name {q}",
    "find . -type f -exec grep -l {q} {} +",
    "git ls-files | xargs grep -n {q}",
    "locate {q}",
    "ls | fgrep {q}",
    "pgrep -f {q}",
    "ps aux | grep {q} | grep -v grep",
    "journalctl -u app | grep {q}",
    # printing
    "echo {q}",
    "echo {d}",
    "echo Run: {q} to reset",
    "printf '%s\\n' {q}",
    "printf {q}",
    "echo {q} >&2",
    "echo '# '{q} >> README.md",
    "echo {q} > notes.txt",
    "echo {q} | tee -a run.log",
    "echo {q} | wc -c",
    "echo {q} | grep rm",
    "echo {q} | sed 's/a/b/'",
    "echo {q} | base64",
    "echo {q} | jq -R .",
    "echo {q} | pbcopy",
    "echo {q} | less",
    "echo {q} | sort | uniq -c",
    "logger {q}",
    "notify-send {q}",
    "cat <<< {q}",
    "cowsay {q}",
    "say {q}",
    # documents
    "cat > README.md <<'E'\n# Danger\n\n    {}\n\nNever run it.\nE",
    "cat >> docs/ops.md <<E\n- {}\nE",
    "cat <<'E' > guide.txt\n{}\nE",
    "tee CHANGELOG.md <<'E'\n## 1.0\n- stop on {}\nE",
    "cat <<'E'\n{}\nE",
    "cat <<E | tee notes.md\n{}\nE",
    "cat <<E\n{}\nE",
    "cat > test_guard.py <<'E'\ndef test_it():\n    assert is_blocked({j})\nE",
    "cat > rules.json <<'E'\n{\"blocked\": [{j}]}\nE",
    "cat > .github/ISSUE_TEMPLATE/bug.md <<'E'\nRan {}\nE",
    "cat > cheatsheet.sh.txt <<'E'\n# {}\nE",
    "python3 - <<'E'\nprint({j})\nE",
    "node - <<'E'\nconsole.log({j})\nE",
    "wc -l <<'E'\n{}\nE",
    # comments
    "ls # {}",
    "# {}\nls -la",
    "make test # do not {}",
    ": {q}",
    "true # was: {}\necho ok",
    "if true; then\n  # {}\n  echo ok\nfi",
    # code
    "python3 -c 'print({J})'",
    "python3 -c 'import re; print(re.match({J}, \"x\"))'",
    "python3 -c 'cmds = [{J}]; print(len(cmds))'",
    "python3 -c '# {J}\nprint(1)'",
    "python3 -c 'import logging; logging.warning({J})'",
    "python3 -c 'x = {J}; assert \"x\" in x'",
    "node -e 'console.log({J})'",
    "node -p '{J}.length'",
    "ruby -e 'puts {J}'",
    "perl -e 'print {J}'",
    "php -r 'echo {J};'",
    "pytest -k {q}",
    "go test -run {q} ./...",
    # filters
    "jq {Q} package.json",
    "jq --arg c {q} '.cmd == $c' log.json",
    "jq -n --arg cmd {q} '{cmd: $cmd}'",
    "sed -n '/{e}/p' README.md",
    "sed -i 's#{e}#safe#g' docs/a.md",
    "awk '/{e}/ {print $1}' run.log",
    "awk -v c={q} '$0 == c' run.log",
    "cut -d' ' -f1 <<< {q}",
    "tr a-z A-Z <<< {q}",
    "diff <(echo {q}) expected.txt",
    '[ "$cmd" = {q} ] && echo same',
    "[[ $line == *{q}* ]] && echo hit",
    'test {q} = "$x"',
    'case "$1" in {q}) echo no ;; esac',
    "expr {q} : '.*'",
    # names and arguments
    "git checkout -b docs/{slug}",
    "git switch -c fix-{slug}",
    "mkdir -p docs/{slug}",
    "touch notes/{slug}.md",
    "man {0}",
    "which {0}",
    "command -v {0}",
    "type {0}",
    "{0} --help",
    "apropos {q}",
    "tldr {0}",
    'cmd={q}; echo "$cmd"',
    'MSG={d}; git commit -m "$MSG"',
    "export BANNED={q}",
    "HELP={q} make docs",
    "curl -s localhost:8000/check -d {q}",
    "curl -X POST http://127.0.0.1:3000/api -H 'Content-Type: application/json' -d '{\"cmd\": {J}}'",
    "http :8000/check cmd={q}",
    "shellcheck <<'E'\n{}\nE",
    "shfmt <<'E'\n{}\nE",
    "bash -n <<'E'\n{}\nE",
    "bash -nc {q}",
    "askfirst explain -- {}",
    "cc-safety-net explain {q}",
    "python -m pytest -q -k 'not slow' # {}",
    "docker build -t x . --label note={q}",
    "git log --format={q}",
    "git config alias.note 'log -1'; echo {q}",
)


def rows() -> list[Row]:
    """Each effect in each template."""
    return [
        Row(command=_filled(template, text), expected="allow", category=f"{number}/{name}")
        for number, template in enumerate(TEMPLATES)
        for name, text in EFFECTS.items()
    ]


def _filled(template: str, text: str) -> str:
    encoded = json.dumps(text)
    values = {
        "{q}": single(text),
        "{Q}": single(f".scripts[] | select(. == {encoded})"),
        "{d}": double(text),
        "$Q": double(text)[1:-1],
        "{j}": encoded,
        "{J}": encoded.replace("'", "'\\''"),
        "{e}": "".join(f"\\{c}" if c in "/.*[]^$#'" else c for c in text.replace("'", ".")),
        "{slug}": "".join(c if c.isalnum() else "-" for c in text.lower()).strip("-"),
        "{0}": text.split(maxsplit=1)[0],
        "{}": text,
    }
    for name, value in values.items():
        # `find -exec grep … {} +` and JSON keep their own braces: only a template's own names are filled.
        if name == "{}" and "-exec" in template:
            continue
        template = template.replace(name, value)
    return template
