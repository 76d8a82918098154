"""The table of programs that run other programs: one row a family, data only; ``unwrap`` reads it.

Options that take a value matter most: a wrong arity would hide or invent a command. Sources: the manual pages of
util-linux, coreutils, sudo 1.9, uv, npm; facts of the field study of this project. What runs elsewhere is in
``unwrap_elsewhere``.
"""

from __future__ import annotations

from dataclasses import dataclass

from askfirst.shell.entry_points import of_go_package, of_installable
from askfirst.shell.unwrap_elsewhere import ELSEWHERE
from askfirst.shell.wrapper import Wrapper
from askfirst.shell.wrapper import row as _row
from askfirst.shell.wrapper import words as _set

WRAPPERS: tuple[Wrapper, ...] = (
    # privilege
    _row(
        "sudo",
        values=(
            "-u -g -h -p -C -U -r -t -T -R --user --group --host --prompt --close-from --other-user --role --type"
            " --chroot --command-timeout"
        ),
        directories="-D --chdir",
        logins="-i --login -iu -ui",
        lookups="-l --list -v --validate -V --version -K --remove-timestamp",
        assignments=True,
        lone=True,
    ),
    _row("doas", values="-u -C -a", lone=True),
    _row(
        "run0",
        values="-u -g -D --user --group --chdir --nice --unit --property --slice --setenv --background --machine",
    ),
    _row(
        "pkexec",
        values="--user",
    ),
    _row("runuser", values="-u -g -G -w --user --group --supp-group", needs="-u --user"),
    _row(
        "su runuser",
        values="-g -G -s -w --group --supp-group --shell --whitelist-environment",
        scripts="-c --command --session-command",
        logins="- -l --login",
        then="nothing",
        lone=True,
    ),
    _row("newgrp", operands=1, lone=True),
    _row("sg", operands=1, scripts="-c", permuted=True, then="joined"),
    _row(
        "script",
        values="-B -E -I -m -o -O -T -t --echo --log-in --log-out --log-io"
        " --log-timing --logging-format --output-limit",
        scripts="-c --command",
        operands=1,
        permuted=True,
    ),
    # environment
    _row(
        "env genv",
        values="-u --unset -P --default-signal --ignore-signal --block-signal",
        directories="-C --chdir",
        splits="-S --split-string",
        assignments=True,
    ),
    _row("cross-env cross-env-shell", assignments=True),
    _row(
        "dotenv dotenvx",
        path="run|",
        before="-f -e -c -v --file --env-file -p",
        values="-f -e -c -v --file --env-file -p",
        assignments=True,
    ),
    # prefixes
    _row("command", lookups="-v -V"),
    _row(
        "builtin nohup noglob nocorrect setsid unbuffer chronic eatmydata catchsegv dbus-run-session torsocks"
        " torify fakeroot linux32 linux64 then do else { ! coproc rlwrap winpty"
    ),
    _row(
        "xvfb-run",
        values=("-e -f -n -p -s -w --error-file --auth-file --server-num --xauth-protocol --server-args --wait"),
    ),
    _row("dumb-init tini", values="-p -e -r --rewrite"),
    _row("exec", values="-a"),
    _row("time gtime", values="-f -o --format --output"),
    _row("nice gnice", values="-n --adjustment"),
    _row("ionice", values="-c -n -p -P -u --class --classdata --pid", lookups="-p"),
    _row("chrt", values="-T -P -D --sched-runtime --sched-period --sched-deadline", operands=1),
    _row("taskset", operands=1),
    _row("stdbuf gstdbuf", values="-i -o -e --input --output --error"),
    _row("timeout gtimeout", values="-k -s --kill-after --signal", operands=1),
    _row("prlimit", values="-p --pid -o --output"),
    _row("cpulimit", values="-l -p -e --limit --pid --exe -m"),
    _row("trickle", values="-d -u -w -t -l -n"),
    _row(
        "setpriv",
        values=(
            "--reuid --regid --groups --inh-caps --ambient-caps --bounding-set"
            " --securebits --selinux-label --apparmor-profile --pdeathsig"
        ),
    ),
    _row("capsh", scripts="-c", then="nothing"),
    _row(
        "unshare",
        values=(
            "-S -G -R -w --setuid --setgid --root --wd --propagation --map-user --map-group --setgroups --kill-child"
        ),
        lone=True,
    ),
    _row("nsenter", values="-t --target -S --setuid -G --setgid", where="nsenter", lone=True),
    _row("chroot", values="--userspec --groups", operands=1, where="chroot {}", lone=True),
    _row(
        "systemd-run",
        values=(
            "-p --property -u --unit --description --slice -E --setenv --uid --gid --nice --on-active --on-boot"
            " --on-startup --on-unit-active --on-unit-inactive --on-calendar --timer-property"
            " --path-property -M --machine -H --host --service-type --working-directory -d"
        ),
        assignments=True,
    ),
    _row("systemd-inhibit", values="--what --who --why --mode"),
    _row("systemd-cat", values="-t -p --identifier --priority --stderr-priority"),
    _row("ltrace", values="-a -e -l -n -o -p -s -u -x -F -A -D"),
    _row("strace", values="-e -o -p -s -u -E -a -b -I -O -S -P -X -n -l -x -A -D -w"),
    _row("perf", path="stat|record|trace", values="-e -o -p -F -g -c -a --event --output"),
    _row("valgrind"),
    _row("gdb lldb", values="-ex -x -iex", path="--args"),
    _row(
        "hyperfine",
        values=("-w -r -m -M -p -c -s -S -L -P -n --warmup --runs --export-json --export-markdown --shell"),
        scripts="--prepare --setup --cleanup",
        then="joined",
    ),
    _row("busybox toybox", lookups="--list --install"),
    _row("caffeinate", values="-t -w"),
    _row("proxychains proxychains4", values="-f"),
    _row("faketime", operands=1),
    _row("firejail", values="--profile --output"),
    _row(
        "bwrap",
        values="--dev --proc --tmpfs --chdir --unsetenv --dir --hostname --uid --gid --userns --seccomp --args",
        pairs="--bind --ro-bind --dev-bind --bind-try --ro-bind-try --dev-bind-try --setenv --symlink --file --perms",
    ),
    _row("proot", values="-r -R -b -m -w -q -k -i -S --rootfs --bind --mount --cwd --pwd --kernel-release"),
    _row("arch", values="-e -d"),
    _row("setarch", operands=1),
    _row(
        "ld.so ld-linux.so.2 ld-linux-x86-64.so.2 ld-linux-aarch64.so.1 ld-musl-x86_64.so.1 ld-musl-aarch64.so.1",
        values="--library-path --preload --audit --argv0 --glibc-hwcaps-prepend",
    ),
    _row("numactl", values="-N -m -C -i -p -P --cpunodebind --membind --physcpubind --interleave --preferred"),
    _row("cgexec", values="-g"),
    _row("runcon", values="-t -u -r -l --type --user --role --range"),
    _row("softlimit", values="-a -c -d -f -l -m -n -o -p -r -s -t"),
    _row("chpst", values="-u -U -b -e -/ -C -n -l -L -m -d -o -p -f -c -t"),
    _row("gosu su-exec setuidgid s6-setuidgid envuidgid s6-envuidgid envdir s6-envdir setlock s6-setlock", operands=1),
    _row("daemonize", values="-a -c -e -o -p -l -u -E"),
    _row("sem", values="-j --jobs --id", then="joined"),
    _row(
        "ts-node-dev nodemon watchexec entr", values="-w -e -i -d -f --watch --ext --ignore --exts", scripts="-x --exec"
    ),
    _row("tsp ts", values="-L -N -D -W"),
    _row("concurrently npm-run-all", values="-n -c -p --names --prefix", then="joined"),
    # strings and files
    _row("watch", values="-n --interval -q --equexit -s --shotsdir", then="joined"),
    _row("flock", values="-w --timeout -E --conflict-exit-code", scripts="-c --command", operands=1, permuted=True),
    _row("eval", then="joined"),
    # runners
    _row(
        "uv",
        path="run|tool run",
        before="--directory --project --cache-dir --config-file --color",
        values=(
            "--with --with-editable --with-requirements --python -p --group --extra --only-group --package"
            " --env-file --index --directory --project --isolated-from --index-url --default-index --from"
            " --no-group --no-extra"
        ),
    ),
    _row("uvx pipx", path="run|", values="--with --python -p --from --spec --pip-args --index-url"),
    _row(
        "poetry pipenv pdm rye hatch pixi",
        path="run|env run",
        before="-C --directory -p -P --project -e --env",
        values="-e --environment",
    ),
    _row("conda mamba micromamba", path="run", values="-n --name -p --prefix --cwd"),
    _row("bundle", path="exec"),
    _row("npx pnpx bunx", values="-p --package -w --workspace", scripts="-c --call --shell-auto-fallback"),
    _row(
        "npm pnpm yarn bun",
        path="exec|x|dlx",
        before="--prefix -C --dir --filter -F --cwd -w --workspace",
        values="-p --package -w --workspace",
        scripts="-c --call",
    ),
    _row("mise rtx", path="exec|x", before="-C --cd -E --env", values="-j --jobs", scripts="-c --command", dashes=True),
    _row("asdf", path="exec"),
    _row("direnv", path="exec", operands=1),
    _row("devbox", path="run", values="-c --config -e --env --env-file", then="argv"),
    _row("nix", path="develop|shell", values="-f --file", starts="-c --command", dashes=True),
    _row("nix", path="run", values="-f --file --override-input", operands=1, permuted=True, program_of=of_installable),
    _row("guix", path="shell|environment", values="-m --manifest -f --file", dashes=True),
    _row("go", path="run", values="-C -exec -mod -modfile -tags", operands=1, program_of=of_go_package),
    _row("nix-shell", values="-p -A -I --packages", scripts="--run --command", then="nothing"),
    _row("rbenv pyenv nodenv goenv", path="exec"),
    _row("rvm", path="do"),
    _row("shx"),
    _row("nvm fnm", path="exec|run", operands=1),
    _row("volta", path="run", values="--node --npm --yarn"),
    _row(
        "op doppler infisical",
        path="run",
        values="--env-file --project -p --config -c --account --env --path",
        scripts="--command",
    ),
    _row("aws-vault", path="exec", values="-d --duration -n -t", operands=1),
    _row("chamber", path="exec", values="-b -s", dashes=True),
    _row("envconsul", values="-prefix -config -secret -consul-addr -vault-addr"),
    _row("sops", path="exec-env|exec-file", operands=1, then="joined"),
    _row("cargo", path="watch", values="-w -i -x", scripts="-s --shell", dashes=True),
    _row("lerna nx turbo tox", path="exec", values="-e", dashes=True),
    # elsewhere
    *ELSEWHERE,
    # deferred
    _row("tmux", path="send-keys|send", before="-L -S -f", values="-t -N", then="joined"),
    _row(
        "tmux",
        path="new-session|new|new-window|neww|split-window|splitw|respawn-pane|run-shell|run|display-popup|popup",
        before="-L -S -f",
        values="-s -n -c -t -x -y -e -F -l -w -h -E",
        then="joined",
    ),
    _row("screen", before="-S -s -t -c -T -h -e -p", path="-X stuff", then="joined"),
    _row("screen", values="-S -s -t -c -T -h -e -p -X", then="argv"),
    _row("at batch", values="-q -t", then="shell"),
    _row(
        "start-stop-daemon",
        entries="-x --exec -a --startas",
        values="-p --pidfile -n --name -u --user -g --group -s --signal -R --retry -c --chuid -r --chroot -d --chdir"
        " -N --nicelevel -P --procsched -k --umask -O --output",
    ),
    _row("cmake", path="-E"),
    _row("npm pnpm", path="explore", operands=1, dashes=True),
    _row("clush dsh", values="-w -x -g -X -f -l -t -u -o -m -F -r", where="clush", then="joined"),
    _row("pm2", path="start|", values="-n --name -i", dashes=True),
    _row("machinectl", path="shell", values="-E --setenv --uid -M", operands=1, where="machinectl {}", lone=True),
    _row("toolbox distrobox", path="run|enter", values="-c --container -n --name -r --release", dashes=True),
)

BY_NAME: dict[str, tuple[Wrapper, ...]] = {
    name: tuple(row for row in WRAPPERS if name in row.names) for row in WRAPPERS for name in row.names
}

SHELLS = _set("sh bash zsh dash ksh ksh93 ash fish mksh yash rbash csh tcsh")
SHELL_VALUES = _set("-o +o -O +O --rcfile --init-file")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """How an interpreter takes code: its language, options with code, options with another value."""

    name: str
    code: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()


_COMPILED = {"go": ".go", "java": ".java .class", "csharp": ".cs .csx", "rust": ".rs", "c": ".c .cc .cpp .cxx"}
PROGRAM_OF_SOURCE = {ending: f"{name}-run" for name, endings in _COMPILED.items() for ending in endings.split()}
"""Ending of a source in a compiled language -> what runs such a text, in this table."""
_NODE = Interpreter(
    "javascript", _set("-e --eval -p --print -pe"), _set("-r --require --import --loader -C --env-file")
)
_AWK = Interpreter("awk", _set("-e --source"), _set("-F -v -f -i --field-separator --assign --file --include"))
_PYTHON = Interpreter("python", _set("-c"), _set("-W -X --check-hash-based-pycs"))

INTERPRETERS: dict[str, Interpreter] = {
    **dict.fromkeys(("python", "pypy", "ipython", "IPython", "uvpython"), _PYTHON),
    **dict.fromkeys(("node", "nodejs", "bun", "tsx", "ts-node", "deno", "qjs"), _NODE),
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk", "original-awk"), _AWK),
    "perl": Interpreter("perl", _set("-e -E"), _set("-I -M -m -F -C")),
    **dict.fromkeys(("ruby", "irb", "pry"), Interpreter("ruby", _set("-e"), _set("-I -r -C"))),
    "timeit": Interpreter("python", _set("-s --setup"), _set("-n --number -r --repeat -u --unit")),
    "-": _PYTHON,  # `uv run -`
    **dict.fromkeys(
        ("elixir", "iex"), Interpreter("elixir", _set("-e --eval"), _set("-r -S -pa -pz --sname --name --cookie"))
    ),
    **{f"{name}-run": Interpreter(name) for name in _COMPILED},
    "php": Interpreter("php", _set("-r -B -R -E --run"), _set("-d -c -z -f")),
    "lua": Interpreter("lua", _set("-e"), _set("-l")),
    "luajit": Interpreter("lua", _set("-e"), _set("-l")),
    "osascript": Interpreter("osascript", _set("-e"), _set("-l")),
    **dict.fromkeys(("Rscript", "R"), Interpreter("r", _set("-e"))),
    "julia": Interpreter("julia", _set("-e --eval -E --print"), _set("-p -t --project -L")),
}
"""Base name without a version -> how it takes code; languages as ``code.inspect_code`` knows them."""
