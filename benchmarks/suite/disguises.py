"""The disguises of the matrix: ways to run a command without typing it plainly, by family.

A disguise takes the text of a simple command and its words and gives the text that does the same.
"""

from __future__ import annotations

import base64
import json
import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Disguise = Callable[[str, list[str]], str]


def single(text: str) -> str:
    """The text as one single-quoted word."""
    return "'" + text.replace("'", "'\\''") + "'"


def double(text: str) -> str:
    """The text as one double-quoted word."""
    return '"' + "".join(f"\\{c}" if c in '\\"$`' else c for c in text) + '"'


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _list(argv: list[str]) -> str:
    """The words as a list of literals that Python, JavaScript, Ruby and Perl all read."""
    return json.dumps([word.replace("~", "/home/user", 1) if word.startswith("~") else word for word in argv])


def _words(argv: list[str]) -> str:
    """The words after the first, quoted where it matters."""
    return " ".join(word if word.startswith("~") else shlex.quote(word) for word in argv[1:])


def _template(pattern: str) -> Disguise:
    """A disguise by a pattern.

    ``{}`` is the text; ``{q}`` single-quoted, ``{d}`` double-quoted, ``{n}`` in a nested ``sh -c``; ``{b}`` base64,
    ``{x}`` and ``{hex}`` bytes, ``{rev}`` reversed; ``{j}`` a JSON text and ``{l}`` the words as a JSON list, ``{J}``
    and ``{L}`` the same inside single quotes; ``{0}`` the program, ``{r}`` the rest, ``{rq}`` that single-quoted.
    """

    def make(text: str, argv: list[str]) -> str:
        values = {
            "{n}": double(f"sh -c {single(text)}"),
            "{q}": single(text),
            "{d}": double(text),
            "{b}": _encoded(text),
            "{x}": "".join(f"\\x{byte:02x}" for byte in text.encode()),
            "{hex}": text.encode().hex(),
            "{rev}": text[::-1].replace("'", "'\\''"),
            "{j}": json.dumps(text),
            "{J}": json.dumps(text).replace("'", "'\\''"),
            "{l}": _list(argv),
            "{L}": _list(argv).replace("'", "'\\''"),
            "{0}": argv[0],
            "{r}": _words(argv),
            "{rq}": single(_words(argv)),
            "{}": text,
        }
        out = pattern
        for name, value in values.items():
            if name in out:
                # One pass a name; the value may hold other names only as text of the effect, which has none.
                out = out.replace(name, value)
        return out

    return make


def _split_word(_: str, argv: list[str]) -> str:
    name = argv[0]
    return f"{name[0]}''{name[1:]} {_words(argv)}"


def _backslashed(_: str, argv: list[str]) -> str:
    return f"\\{argv[0]} {_words(argv)}"


def _backslash_inside(_: str, argv: list[str]) -> str:
    return f"{argv[0][:-1]}\\{argv[0][-1]} {_words(argv)}"


def _ansi(_: str, argv: list[str]) -> str:
    return "$'" + "".join(f"\\x{ord(c):02x}" for c in argv[0]) + "' " + _words(argv)


def _octal(_: str, argv: list[str]) -> str:
    return "$'" + "".join(f"\\{ord(c):03o}" for c in argv[0]) + "' " + _words(argv)


def _all_quoted(_: str, argv: list[str]) -> str:
    return f'"{argv[0]}" ' + _words(argv)


def _continued(_: str, argv: list[str]) -> str:
    return f"{argv[0]} \\\n  {_words(argv)}"


def _continued_everywhere(_: str, argv: list[str]) -> str:
    return " \
".join([argv[0], *(_words(["", word]) for word in argv[1:])])


def _continued_inside(_: str, argv: list[str]) -> str:
    return f"{argv[0][0]}\\\n{argv[0][1:]} {_words(argv)}"


def _ifs(_: str, argv: list[str]) -> str:
    return f"{argv[0]}${{IFS}}{_words(argv)}"


def _two_variables(_: str, argv: list[str]) -> str:
    half = len(argv[0]) // 2
    return f"a={argv[0][:half]}; b={argv[0][half:]}; $a$b {_words(argv)}"


def _array(_: str, argv: list[str]) -> str:
    return f'cmd=({argv[0]} {_words(argv)}); "${{cmd[@]}}"'


def _positional(_: str, argv: list[str]) -> str:
    return f'set -- {argv[0]} {_words(argv)}; "$@"'


FAMILIES: dict[str, tuple[Disguise, ...]] = {
    "plain": tuple(map(_template, ("{}", "  {}  ", "{} 2>/dev/null", "{} >/dev/null 2>&1", "{} || true", "\n\n{}\n"))),
    "chaining": tuple(
        map(
            _template,
            (
                "cd src && {}",
                "true; {}; echo done",
                "make test || {}",
                "sleep 1 & {}",
                "{} &",
                "echo start\n{}\necho end",
                "yes | {}",
                "{} | tee out.log",
                "ls && (cd app && {})",
                "git status && {} && git log -1",
            ),
        )
    ),
    "control-flow": tuple(
        map(
            _template,
            (
                "if true; then {}; fi",
                "if [ -f x ]; then echo a; else {}; fi",
                "for i in 1 2 3; do {}; done",
                "while true; do {}; break; done",
                "until false; do {}; done",
                "case x in x) {} ;; esac",
                "( {} )",
                "{ {}; }",
                "! {}",
                "time {}",
                "f() { {}; }; f",
                "function go { {}; }; go",
                "[[ -d . ]] && {}",
                "test -e x || {}",
                "select a in 1; do {}; break; done",
                "coproc {}",
                "if ! {}; then echo failed; fi",
                "while read -r l; do {}; done < list.txt",
                "(( 1 )) && {}",
                "{ time {}; } 2>&1",
            ),
        )
    ),
    "line-continuation": (_continued, _continued_everywhere, _continued_inside, _template("true && \\\n  {}")),
    "prefix": tuple(
        map(
            _template,
            (
                "sudo {}",
                "sudo -u root -E {}",
                "sudo -n -- {}",
                "sudo FOO=1 {}",
                "sudo --user=postgres {}",
                "doas {}",
                "doas -u root {}",
                "env {}",
                "env -i PATH=/usr/bin {}",
                "env -u HOME A=1 {}",
                "command {}",
                "command -p {}",
                "exec {}",
                "exec -a name {}",
                "nohup {}",
                "nohup {} >/dev/null 2>&1 &",
                "time -p {}",
                "nice -n 10 {}",
                "nice {}",
                "ionice -c 3 {}",
                "timeout 10 {}",
                "timeout -k 5 -s KILL 30s {}",
                "timeout --signal=KILL 1m {}",
                "setsid {}",
                "setsid -w {}",
                "stdbuf -oL {}",
                "stdbuf -o 0 -e 0 {}",
                "taskset -c 0 {}",
                "chrt -f 10 {}",
                "strace -f -e trace=file {}",
                "ltrace {}",
                "chroot /mnt {}",
                "unshare -n {}",
                "nsenter -t 1 -m {}",
                "systemd-run --scope {}",
                "systemd-run --unit=x -p CPUQuota=10% {}",
                "systemd-inhibit --what=sleep {}",
                "flock /tmp/lock {}",
                "flock -n /tmp/lock {}",
                "busybox {}",
                "xvfb-run -a {}",
                "dbus-run-session {}",
                "unbuffer {}",
                "prlimit --nofile=100 {}",
                "firejail --quiet {}",
                "proxychains4 -q {}",
                "torsocks {}",
                "caffeinate -i {}",
                "sudo env A=1 nice -n 5 timeout 60 {}",
                "sudo timeout 5 sudo {}",
                "setarch x86_64 -R {}",
                "runuser -u app -- {}",
                "pkexec {}",
                "capsh -- -c {q}",
                "chronic {}",
                "tini -- {}",
                "dumb-init {}",
                "perf stat {}",
                "hyperfine {q}",
                "gtimeout 5 {}",
                "numactl -N 0 {}",
                "rlwrap {}",
                "cgexec -g cpu:x {}",
                "fakeroot {}",
                "gosu app {}",
                "su-exec app {}",
                "setuidgid app {}",
                "chpst -u app {}",
                "softlimit -m 1000 {}",
                "choom -n 100 -- {}",
                "catchsegv {}",
                "retry -t 3 -- {}",
                "eatmydata {}",
                "script -qc {q} /dev/null",
                "op run -- {}",
                "doppler run -- {}",
                "aws-vault exec prod -- {}",
                "chamber exec prod -- {}",
            ),
        )
    ),
    "environment": tuple(
        map(
            _template,
            (
                "FOO=1 {}",
                "A=1 B='two words' {}",
                "PATH=/opt/bin:$PATH {}",
                'X="$(date)" {}',
                "GIT_DIR=.git {}",
                "DEBUG= {}",
                "export A=1; {}",
                "LC_ALL=C env {}",
            ),
        )
    ),
    "runners": tuple(
        map(
            _template,
            (
                "uv run {}",
                "uv run --with requests -- {}",
                "poetry run {}",
                "pipenv run {}",
                "pdm run {}",
                "rye run {}",
                "hatch run {}",
                "conda run -n base {}",
                "bundle exec {}",
                "npx -c {q}",
                "npx --yes {}",
                "bunx {}",
                "npm exec -- {}",
                "npm exec -c {q}",
                "pnpm exec {}",
                "pnpm dlx {}",
                "yarn exec {}",
                "mise exec -- {}",
                "mise x node@20 -- {}",
                "direnv exec . {}",
                "asdf exec {}",
                "nix develop -c {}",
                "nix-shell --run {q}",
                "devbox run -- {}",
                "dotenv -- {}",
                "cross-env A=1 {}",
                "rbenv exec {}",
            ),
        )
    ),
    "quoting": (_split_word, _backslashed, _backslash_inside, _ansi, _octal, _all_quoted, _ifs),
    "absolute-path": tuple(map(_template, ("/usr/bin/{}", "/bin/{}", "./../../usr/bin/{}"))),
    "substitution": tuple(
        map(
            _template,
            (
                "echo $({})",
                'echo "result: $({})"',
                "x=$({})",
                "echo `{}`",
                'echo "a $(echo "b $({})")"',
                "$(echo {0}) {r}",
                "$(printf %s {0}) {r}",
                "$(which {0}) {r}",
                '"$(command -v {0})" {r}',
                "`echo {0}` {r}",
                "$(echo {b} | base64 -d)",
                "cat <<E\n$({})\nE",
                "export OUT=$({})",
                "local_x=${Y:-$({})}",
                '[ -n "$({})" ] && echo yes',
                "diff <({}) /dev/null",
                "cat <({})",
                "tee >({}) < f",
                "a[$({})]=1",
                "printf '%s\\n' ${x:=$({})}",
            ),
        )
    ),
    "shell-string": tuple(
        map(
            _template,
            (
                "sh -c {q}",
                "bash -c {q}",
                "bash -lc {q}",
                "bash -ec {d}",
                "zsh -c {d}",
                "dash -c {q}",
                "bash -x -o pipefail -c {q}",
                "bash --norc -c {q}",
                "sh -c {q} -- arg",
                "/bin/sh -c {q}",
                "env bash -c {q}",
                "bash -c {n}",
                "bash -c 'eval \"$1\"' _ {q}",
                "sh -c '\"$@\"' _ {0} {r}",
                "sh -c '$0 \"$@\"' {0} {r}",
                "bash -c 'cd src; '{q}",
                "fish -c {q}",
                "ksh -c {q}",
                "busybox sh -c {q}",
                "pwsh -c {q}",
            ),
        )
    ),
    "string-runners": tuple(
        map(
            _template,
            (
                "eval {q}",
                "eval {}",
                'eval "$(echo {q})"',
                "trap {q} EXIT",
                "script -c {q} /dev/null",
                "script -q -c {q}",
                "watch -n 1 {q}",
                "watch {}",
                "su -c {q}",
                "su - postgres -c {q}",
                "su root --command={q}",
                "runuser -l app -c {q}",
                "flock /tmp/l -c {q}",
                "env -S {q}",
                "source <(echo {q})",
                ". /dev/stdin <<< {q}",
                "expect -c 'spawn '{q}",
                "PROMPT_COMMAND={q} bash -i",
                "nix-shell -p git --run {q}",
                "entr -r {} < files",
                "nodemon --exec {q}",
                "watchexec -- {}",
                "concurrently {q}",
                "tmux new-session -d {q}",
            ),
        )
    ),
    "heredoc": tuple(
        map(
            _template,
            (
                "bash <<'E'\n{}\nE",
                "bash <<E\n{}\nE",
                "sh -s <<'EOF'\nset -e\n{}\nEOF",
                "cat <<'E' | bash\n{}\nE",
                "cat <<E | sudo sh\n{}\nE",
                "bash <<-E\n\t{}\n\tE",
                "bash -s arg <<'E'\n{}\nE",
                "bash <<< {q}",
                "sh <<< {d}",
                "bash /dev/stdin <<'E'\n{}\nE",
                "(cat <<'E'\n{}\nE\n) | sh",
                "ssh host bash <<'E'\n{}\nE",
                "docker exec -i web sh <<'E'\n{}\nE",
                "sudo -u app bash <<'E'\n{}\nE",
                "sudo su <<'E'\n{}\nE",
                "xargs -I% sh -c {q} <<< x",
            ),
        )
    ),
    "pipe": tuple(
        map(
            _template,
            (
                "echo {q} | sh",
                "echo {d} | bash",
                "printf '%s\\n' {q} | bash",
                "printf {q} | sh -s",
                "echo {q} | sudo bash -",
                "echo {q} | tee /dev/null | sh",
                "{ echo 'set -e'; echo {q}; } | bash",
                "echo {b} | base64 -d | sh",
                "echo {b} | base64 --decode | bash",
                "base64 -d <<< {b} | sh",
                'bash -c "$(echo {b} | base64 -d)"',
                'eval "$(base64 -d <<< {b})"',
                "printf '{x}' | sh",
                "echo -e '{x}' | bash",
                "echo {hex} | xxd -r -p | sh",
                "echo '{rev}' | rev | sh",
                "cat <(echo {q}) | bash",
                "echo {q} | cat | cat | sh",
                "echo {q} | ssh host",
                "echo {q} | xargs -0 sh -c",
                "echo {q} | python3 -c 'import sys,os;os.system(sys.stdin.read())'",
                "openssl base64 -d <<< {b} | sh",
                "echo {b} | openssl enc -base64 -d | sh",
                "python3 -c 'print({J})' | sh",
                "echo {q} | at now",
            ),
        )
    ),
    "process-substitution": tuple(
        map(
            _template,
            ("bash <(echo {q})", "sh <(printf '%s' {q})", "source <(cat <<'E'\n{}\nE\n)", "bash < <(echo {q})"),
        )
    ),
    "write-then-run": tuple(
        map(
            _template,
            (
                "echo {q} > x.sh; sh x.sh",
                "echo {q} > x.sh && chmod +x x.sh && ./x.sh",
                "cat > run.sh <<'E'\n#!/bin/bash\n{}\nE\nbash run.sh",
                "cat <<'E' > /tmp/r.sh\n{}\nE\nchmod +x /tmp/r.sh && /tmp/r.sh",
                "cat > r.sh <<'E'; sh r.sh\n{}\nE",
                "printf '%s\\n' {q} | tee go.sh; bash ./go.sh",
                "echo {q} >> x.sh; source x.sh",
                "echo {q} > x.sh; . ./x.sh",
                "printf '#!/bin/sh\\n%s\\n' {q} > /tmp/y; sh /tmp/y",
                "echo {q} > a.sh; mv a.sh b.sh; sh b.sh",
                "echo {q} > a.sh; cp a.sh b.sh; sh b.sh",
                "echo {q} > x.sh; cat x.sh | sh",
                "echo {q} > x.sh; sh < x.sh",
                'echo {q} > x.sh; eval "$(cat x.sh)"',
                "cat > x.py <<'E'\nimport os\nos.system({j})\nE\npython3 x.py",
                "cat > x.py <<'E'\nimport subprocess\nsubprocess.run({l}, check=True)\nE\npython x.py",
                "echo {b} | base64 -d > x; bash x",
                "printf 'all:\\n\\t%s\\n' {q} > Makefile; make",
                "d=$(mktemp -d); echo {q} > $d/x.sh; sh $d/x.sh",
                "echo {q} > x.sh; nohup bash x.sh &",
            ),
        )
    ),
    "interpreter-string": tuple(
        map(
            _template,
            (
                "python3 -c 'import os; os.system({J})'",
                "python -c 'import subprocess; subprocess.run({J}, shell=True)'",
                "python3 -c 'from subprocess import check_output as c; c({J}, shell=True)'",
                "python3 -c 'import os; os.popen({J}).read()'",
                "python3 <<'E'\nimport os\nos.system({j})\nE",
                "python3 - <<'E'\nimport subprocess as sp\nsp.call({j}, shell=True)\nE",
                "echo 'import os; os.system({J})' | python3",
                "node -e 'require(\"child_process\").execSync({J})'",
                "node --eval 'const {execSync}=require(\"child_process\");execSync({J})'",
                "node <<'E'\nrequire('child_process').exec({j})\nE",
                "perl -e 'system({J})'",
                "perl -e 'exec {J}'",
                "ruby -e 'system({J})'",
                "php -r 'shell_exec({J});'",
                "lua -e 'os.execute({J})'",
                "awk 'BEGIN { system({J}) }'",
                "osascript -e 'do shell script {J}'",
                'deno eval \'new Deno.Command("sh", {args: ["-c", {J}]}).outputSync()\'',
                "bun -e 'require(\"child_process\").execSync({J})'",
                "uv run python -c 'import os; os.system({J})'",
                "python3 -c '__import__(\"os\").system({J})'",
            ),
        )
    ),
    "interpreter-argv": tuple(
        map(
            _template,
            (
                "python3 -c 'import subprocess; subprocess.run({L})'",
                "python3 -c 'import subprocess; subprocess.check_call({L})'",
                "python3 -c 'import subprocess; subprocess.Popen({L}).wait()'",
                "python3 <<'E'\nimport subprocess\ncmd = {l}\nsubprocess.run(cmd, check=True)\nE",
                "python3 -c 'import os; a={L}; os.execvp(a[0], a)'",
                "node -e 'const a={L}; require(\"child_process\").spawnSync(a[0], a.slice(1))'",
                "ruby -e 'system(*{L})'",
                "perl -e 'system(@{{L}})'",
            ),
        )
    ),
    "fan-out": tuple(
        map(
            _template,
            (
                "echo x | xargs -I% sh -c {q}",
                "ls | xargs -n1 -P4 bash -c {q} _",
                "find . -maxdepth 0 -exec {} \\;",
                "find . -maxdepth 0 -exec sh -c {q} \\;",
                "find . -name x -execdir {} +",
                "find . -type f -ok {} ';'",
                "fd -x {}",
                "fd x -X {}",
                "parallel ::: {q}",
                "echo {q} | parallel",
                "parallel -j 2 {} ::: 1 2",
                "seq 1 | parallel sh -c {q}",
                "xargs -a list {}",
                "echo 1 | xargs -I% {}",
                "echo | xargs {}",
                "xargs {} < /dev/null",
                "printf '%s\\0' a | xargs -0 -r {}",
                "git ls-files | xargs -L1 sudo {}",
                "for f in a; do echo $f | xargs {}; done",
                "echo {rq} | xargs {0}",
                "find . -maxdepth 0 | while read d; do {}; done",
            ),
        )
    ),
    "elsewhere": tuple(
        map(
            _template,
            (
                "ssh host {q}",
                "ssh -p 2222 -i key user@host {}",
                "ssh -o StrictHostKeyChecking=no -t host -- {q}",
                "ssh host sudo {}",
                "ssh host {n}",
                "ssh host 'sudo -u app bash -lc '{d}",
                "docker exec web {}",
                "docker exec -it -u root -w /app web sh -c {q}",
                "docker exec -e A=1 web bash -lc {q}",
                "docker compose exec -T db {}",
                "docker-compose run --rm app {}",
                "docker run --rm -v .:/app -w /app alpine {}",
                "docker run --rm -v .:/app -w /app --entrypoint sh alpine -c {q}",
                "podman exec web {}",
                "kubectl exec pod/web -- {}",
                "kubectl exec -n prod -it web -c app -- sh -c {q}",
                "oc exec web -- {}",
                "lxc exec box -- {}",
                "vagrant ssh -c {q}",
                "heroku run -a app -- {}",
                "fly ssh console -C {q}",
                "gcloud compute ssh vm --command={q}",
                "sshpass -p x ssh host {q}",
                "timeout 5 ssh host {q}",
                "nerdctl exec web {}",
                "wsl -e {}",
                "adb shell {q}",
            ),
        )
    ),
    "variables": (
        *map(
            _template,
            (
                "CMD={q}; $CMD",
                "CMD={q}; eval $CMD",
                "c={0}; $c {r}",
                "c={0}; ${c} {r}",
                'export TOOL={0}; "$TOOL" {r}',
                "x={0}; y=$x; $y {r}",
                'S={q}; bash -c "$S"',
                'S={q}; echo "$S" | sh',
                "${x:-{0}} {r}",
                "declare c={0}; $c {r}",
                "for c in {0}; do $c {r}; done",
                "read c <<< {0}; $c {r}",
                "c=$(echo {0}); $c {r}",
                "printf -v c %s {0}; $c {r}",
                "n=c; c={0}; ${!n} {r}",
                'CMD={q}; sh -c "$CMD" && echo ok',
                'run() { "$@"; }; run {0} {r}',
                'run() { sudo "$@"; }; run {}',
                "x=({0}); ${x[0]} {r}",
            ),
        ),
        _two_variables,
        _array,
        _positional,
    ),
    "alias": tuple(
        map(
            _template,
            (
                "alias go={q}; go",
                "shopt -s expand_aliases\nalias x={d}\nx",
                "alias x={0}\nx {r}",
                "git config --global alias.z '!'{q} && git z",
                "git -c alias.z='!'{q} z",
                "unalias -a; {}",
                "\\command {}",
            ),
        )
    ),
    "deferred": tuple(
        map(
            _template,
            (
                "echo {q} | at now + 1 minute",
                "at now <<'E'\n{}\nE",
                "echo {q} | batch",
                "echo '* * * * * '{q} | crontab -",
                "(crontab -l 2>/dev/null; echo '0 3 * * * '{q}) | crontab -",
                "tmux new -d {q}",
                "tmux send-keys -t 0 {q} Enter",
                "tmux send-keys -t main:1 {q} C-m",
                "screen -dmS x bash -c {q}",
                "screen -S x -X stuff {q}$'\\n'",
                "systemd-run --on-active=30 {}",
                "systemd-run --user --on-calendar=daily sh -c {q}",
                "make -f - <<'E'\nall:\n\t{}\nE",
                "printf 'x:\\n\\t%s\\n' {q} | make -f - x",
                "(sleep 60; {}) &",
                "nohup sh -c {q} &",
                "{ sleep 5 && {}; } & disown",
                "pueue add -- {}",
                "tsp {}",
                "batch <<< {q}",
            ),
        )
    ),
}

GIT_FORMS: dict[str, tuple[tuple[str, str], ...]] = {
    "git-options": (
        ("git ", "git -C /srv/repo "),
        ("git ", "git -c user.name=x "),
        ("git ", "git -c core.pager=cat -C . "),
        ("git ", "git --no-pager "),
        ("git ", "git --git-dir=.git --work-tree=. "),
        ("git ", "git --git-dir .git "),
        ("git ", "git -P --no-optional-locks "),
        ("git ", "git --exec-path=/usr/lib/git-core "),
        ("git ", "git --namespace=x "),
        ("git ", "command git -C .. "),
        ("git ", "GIT_WORK_TREE=. git "),
        ("git ", "/usr/bin/git -C x "),
    ),
    "git-abbreviations": (
        ("--hard", "--har"),
        ("--hard", "--ha"),
        ("--force", "--forc"),
        ("--force", "-f"),
        ("--force", "-uf"),
        ("-fdx", "--force -d -x"),
        ("-fdx", "--forc -dx"),
        ("-fdx", "-d -f"),
        ("-fdx", "-xdff"),
        ("--delete", "--del"),
        ("--delete", "-d"),
        ("-D", "-d -f"),
        ("-D", "--delete --force"),
        ("--expire=now", "--expire now"),
        ("+main", "+HEAD:main"),
        ("+main", "+refs/heads/main:refs/heads/main"),
        ("origin --delete release", "origin :release"),
        ("origin --delete release", "origin :refs/heads/release"),
        ("--force origin main", "origin main --force"),
        ("--force origin main", "--force-with-lease origin main"),
        ("--force origin main", "--mirror backup"),
        ("-- src", "HEAD -- src"),
        ("-- src", "."),
        ("restore src", "restore --source=HEAD~2 src"),
        ("restore src", "restore -W -S src"),
        ("stash clear", "stash drop"),
        ("stash clear", "stash drop stash@{2}"),
    ),
}
