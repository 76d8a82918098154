"""The table of programs that run other programs: one row a family, data only; ``unwrap`` reads it.

Options that take a value matter most: a wrong arity would hide or invent a command. Sources: the manual pages of
util-linux, coreutils, sudo 1.9, OpenSSH, Docker, kubectl, uv, npm; facts of the field study of this project.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Then = Literal["argv", "joined", "shell", "nothing"]


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapper:
    """How a program runs another.

    Attributes:
        names: base names.
        label: as shown in ``via``; the program's name when empty.
        path: alternatives of subcommand words that must come first, e.g. ``("compose exec", "exec")``; none: ``""``.
        before: options with a value that may stand in front of the subcommand.
        values: options that take the next word as their value.
        scripts: options whose value is a shell script.
        splits: options whose value is split into words put in front of the rest.
        directories: options whose value becomes the working directory.
        lookups: options that make it print or look up instead of running anything.
        assignments: ``NAME=value`` in front of the command belong to its environment.
        operands: words to skip after the options (a duration, a lock file, a host, a container).
        dashes: the command starts behind ``--`` only.
        starts: options behind which the command starts.
        entries: options whose value is the program, the rest its arguments.
        permuted: its own options may also stand behind the operands.
        needs: the row holds only when one of these options is given.
        then: what the rest is: an argv, words joined to a script, a shell that reads standard input, or nothing.
        where: the command runs there; ``{}`` is the first skipped operand.
        lone: without a command it starts a shell that reads standard input.
    """

    names: frozenset[str]
    label: str = ""
    path: tuple[str, ...] = ("",)
    before: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    scripts: frozenset[str] = frozenset()
    splits: frozenset[str] = frozenset()
    directories: frozenset[str] = frozenset()
    lookups: frozenset[str] = frozenset()
    assignments: bool = False
    operands: int = 0
    dashes: bool = False
    starts: frozenset[str] = frozenset()
    entries: frozenset[str] = frozenset()
    permuted: bool = False
    needs: frozenset[str] = frozenset()
    then: Then = "argv"
    where: str = ""
    lone: bool = False


_DOCKER_RUN = _set(
    "-a --attach --add-host --annotation --blkio-weight --cap-add --cap-drop --cgroup-parent --cgroupns --cidfile -c"
    " --cpu-shares --cpus --cpuset-cpus --cpuset-mems --device --device-cgroup-rule --dns --dns-option --dns-search"
    " --domainname -e --env --env-file --expose --gpus --group-add --health-cmd --health-interval"
    " --health-retries --health-timeout -h --hostname --ip --ip6 --ipc --isolation -l --label --label-file --link"
    " --log-driver --log-opt --mac-address -m --memory --memory-swap --mount --name --network --network-alias"
    " --oom-score-adj --pid --pids-limit --platform -p --publish --pull --restart --runtime --security-opt --shm-size"
    " --stop-signal --stop-timeout --storage-opt --sysctl --tmpfs --ulimit -u --user --userns --uts -v --volume"
    " --volume-driver --volumes-from -w --workdir --detach-keys --index --volumes --arch --requires --rootfs"
)
_DOCKER_GLOBAL = _set(
    "-H --host -c --context --config -l --log-level --tlscacert --tlscert --tlskey -f --file -p --project-name"
    " --project-directory --env-file --profile --connection --url --identity --ansi --parallel"
)
_KUBECTL = _set(
    "-n --namespace --context --kubeconfig --cluster --user --as -s --server --token -c --container"
    " --request-timeout -v --pod-running-timeout -f --filename --image --restart --overrides -l --labels"
)

WRAPPERS: tuple[Wrapper, ...] = (
    # privilege
    Wrapper(
        names=_set("sudo"),
        values=_set("-u -g -h -p -C -U -r -t -T -R --user --group --host --prompt --close-from --other-user --role --type"
                    " --chroot --command-timeout"),
        directories=_set("-D --chdir"),
        lookups=_set("-l --list -v --validate -V --version -K --remove-timestamp"),
        assignments=True,
        lone=True,
    ),
    Wrapper(names=_set("doas"), values=_set("-u -C -a"), lone=True),
    Wrapper(
        names=_set("run0"),
        values=_set("-u -g -D --user --group --chdir --nice --unit --property --slice --setenv --background --machine"),
    ),
    Wrapper(names=_set("pkexec"), values=_set("--user"), directories=frozenset()),
    Wrapper(names=_set("runuser"), values=_set("-u -g -G -w --user --group --supp-group"), needs=_set("-u --user")),
    Wrapper(
        names=_set("su runuser"),
        values=_set("-g -G -s -w --group --supp-group --shell --whitelist-environment"),
        scripts=_set("-c --command --session-command"),
        then="nothing",
        lone=True,
    ),
    Wrapper(
        names=_set("script"),
        values=_set("-B -E -I -m -o -O -T -t --echo --log-in --log-out --log-io --log-timing --logging-format --output-limit"),
        scripts=_set("-c --command"),
        operands=1,
        permuted=True,
    ),
    # environment
    Wrapper(
        names=_set("env genv"),
        values=_set("-u --unset -P --default-signal --ignore-signal --block-signal"),
        directories=_set("-C --chdir"),
        splits=_set("-S --split-string"),
        assignments=True,
    ),
    Wrapper(names=_set("cross-env cross-env-shell"), assignments=True),
    Wrapper(names=_set("dotenv dotenvx"), path=("run", ""), before=_set("-f -e -c -v --file --env-file -p"), values=_set("-f -e -c -v --file --env-file -p"), assignments=True),
    # prefixes
    Wrapper(names=_set("command"), lookups=_set("-v -V")),
    Wrapper(names=_set("builtin nohup noglob nocorrect setsid unbuffer chronic eatmydata catchsegv dbus-run-session torsocks"
                       " torify fakeroot linux32 linux64 then do else { ! coproc rlwrap winpty")),
    Wrapper(names=_set("xvfb-run"), values=_set("-e -f -n -p -s -w --error-file --auth-file --server-num --xauth-protocol"
                                                " --server-args --wait")),
    Wrapper(names=_set("dumb-init tini"), values=_set("-p -e -r --rewrite")),
    Wrapper(names=_set("exec"), values=_set("-a")),
    Wrapper(names=_set("time gtime"), values=_set("-f -o --format --output")),
    Wrapper(names=_set("nice gnice"), values=_set("-n --adjustment")),
    Wrapper(names=_set("ionice"), values=_set("-c -n -p -P -u --class --classdata --pid"), lookups=_set("-p")),
    Wrapper(names=_set("chrt"), values=_set("-T -P -D --sched-runtime --sched-period --sched-deadline"), operands=1),
    Wrapper(names=_set("taskset"), operands=1),
    Wrapper(names=_set("stdbuf gstdbuf"), values=_set("-i -o -e --input --output --error")),
    Wrapper(names=_set("timeout gtimeout"), values=_set("-k -s --kill-after --signal"), operands=1),
    Wrapper(names=_set("prlimit"), values=_set("-p --pid -o --output")),
    Wrapper(names=_set("cpulimit"), values=_set("-l -p -e --limit --pid --exe -m")),
    Wrapper(names=_set("trickle"), values=_set("-d -u -w -t -l -n")),
    Wrapper(names=_set("setpriv"), values=_set("--reuid --regid --groups --inh-caps --ambient-caps --bounding-set"
                                               " --securebits --selinux-label --apparmor-profile --pdeathsig")),
    Wrapper(names=_set("capsh"), scripts=_set("-c"), then="nothing"),
    Wrapper(names=_set("unshare"), values=_set("-S -G -R -w --setuid --setgid --root --wd --propagation --map-user"
                                               " --map-group --setgroups --kill-child"), lone=True),
    Wrapper(names=_set("nsenter"), values=_set("-t --target -S --setuid -G --setgid"), where="nsenter", lone=True),
    Wrapper(names=_set("chroot"), values=_set("--userspec --groups"), operands=1, where="chroot {}", lone=True),
    Wrapper(names=_set("systemd-run"), values=_set(
        "-p --property -u --unit --description --slice -E --setenv --uid --gid --nice --on-active --on-boot --on-startup"
        " --on-unit-active --on-unit-inactive --on-calendar --timer-property --path-property -M --machine -H --host"
        " --service-type --working-directory -d"), assignments=True),
    Wrapper(names=_set("systemd-inhibit"), values=_set("--what --who --why --mode")),
    Wrapper(names=_set("systemd-cat"), values=_set("-t -p --identifier --priority --stderr-priority")),
    Wrapper(names=_set("strace ltrace"), values=_set("-e -o -p -s -u -E -a -b -I -O -S -P -X -n -l -x -A -D -w")),
    Wrapper(names=_set("perf"), path=("stat", "record", "trace"), values=_set("-e -o -p -F -g -c -a --event --output"), dashes=False),
    Wrapper(names=_set("valgrind"), values=frozenset()),
    Wrapper(names=_set("gdb lldb"), values=_set("-ex -x -iex"), path=("--args",)),
    Wrapper(names=_set("hyperfine"), values=_set("-w -r -m -M -p -c -s -S -L -P -n --warmup --runs --export-json"
                                                 " --export-markdown --shell"), scripts=_set("--prepare --setup --cleanup"),
            then="joined"),
    Wrapper(names=_set("busybox toybox"), lookups=_set("--list --install")),
    Wrapper(names=_set("caffeinate"), values=_set("-t -w")),
    Wrapper(names=_set("proxychains proxychains4"), values=_set("-f")),
    Wrapper(names=_set("faketime"), operands=1),
    Wrapper(names=_set("firejail bwrap"), values=_set("--bind --ro-bind --dev --proc --tmpfs --chdir --setenv")),
    Wrapper(names=_set("arch"), values=_set("-e -d")),
    Wrapper(names=_set("sem"), values=_set("-j --jobs --id"), then="joined"),
    Wrapper(names=_set("ts-node-dev nodemon watchexec entr"), values=_set("-w -e -i -d -f --watch --ext --ignore --exts"),
            scripts=_set("-x --exec")),
    Wrapper(names=_set("tsp ts"), values=_set("-L -N -D -W")),
    Wrapper(names=_set("concurrently npm-run-all"), values=_set("-n -c -p --names --prefix"), then="joined"),
    # strings and files
    Wrapper(names=_set("watch"), values=_set("-n --interval -q --equexit -s --shotsdir"), then="joined"),
    Wrapper(names=_set("flock"), values=_set("-w --timeout -E --conflict-exit-code"), scripts=_set("-c --command"), operands=1,
            permuted=True),
    Wrapper(names=_set("eval"), then="joined"),
    Wrapper(names=_set("expect"), values=_set("-f -b"), then="nothing"),
    # runners
    Wrapper(names=_set("uv"), path=("run", "tool run"), before=_set("--directory --project --cache-dir --config-file --color"),
            values=_set("--with --with-editable --with-requirements --python -p --group --extra --only-group --package"
                        " --env-file --index --directory --project --isolated-from --index-url --default-index --from"
                        " --no-group --no-extra")),
    Wrapper(names=_set("uvx pipx"), path=("run", ""), values=_set("--with --python -p --from --spec --pip-args --index-url")),
    Wrapper(names=_set("poetry pipenv pdm rye hatch pixi"), path=("run", "env run"), before=_set("-C --directory -p -P --project -e --env"),
            values=_set("-e --environment")),
    Wrapper(names=_set("conda mamba micromamba"), path=("run",), values=_set("-n --name -p --prefix --cwd")),
    Wrapper(names=_set("bundle"), path=("exec",), values=frozenset()),
    Wrapper(names=_set("npx pnpx bunx"), values=_set("-p --package -w --workspace"), scripts=_set("-c --call --shell-auto-fallback")),
    Wrapper(names=_set("npm pnpm yarn bun"), path=("exec", "x", "dlx"), before=_set("--prefix -C --dir --filter -F --cwd -w --workspace"),
            values=_set("-p --package -w --workspace"), scripts=_set("-c --call")),
    Wrapper(names=_set("mise rtx"), path=("exec", "x"), before=_set("-C --cd -E --env"), values=_set("-j --jobs"),
            scripts=_set("-c --command"), dashes=True),
    Wrapper(names=_set("asdf"), path=("exec",)),
    Wrapper(names=_set("direnv"), path=("exec",), operands=1),
    Wrapper(names=_set("devbox"), path=("run",), values=_set("-c --config -e --env --env-file"), then="argv"),
    Wrapper(names=_set("nix"), path=("develop", "shell", "run"), values=_set("-f --file"), starts=_set("-c --command"),
            dashes=True),
    Wrapper(names=_set("nix-shell"), values=_set("-p -A -I --packages"), scripts=_set("--run --command"), then="nothing"),
    Wrapper(names=_set("rbenv pyenv nodenv goenv"), path=("exec",)),
    Wrapper(names=_set("rvm"), path=("do",), operands=0),
    Wrapper(names=_set("nvm fnm"), path=("exec", "run"), operands=1),
    Wrapper(names=_set("volta"), path=("run",), values=_set("--node --npm --yarn")),
    Wrapper(names=_set("op doppler infisical"), path=("run",), values=_set("--env-file --project -p --config -c --account --env --path"),
            scripts=_set("--command")),
    Wrapper(names=_set("aws-vault"), path=("exec",), values=_set("-d --duration -n -t"), operands=1),
    Wrapper(names=_set("chamber"), path=("exec",), values=_set("-b -s"), dashes=True),
    Wrapper(names=_set("envconsul"), values=_set("-prefix -config -secret -consul-addr -vault-addr")),
    Wrapper(names=_set("sops"), path=("exec-env", "exec-file"), operands=1, then="joined"),
    Wrapper(names=_set("vault"), path=("agent exec",), dashes=True),
    Wrapper(names=_set("go"), path=("tool",), values=frozenset()),
    Wrapper(names=_set("cargo"), path=("watch",), values=_set("-w -i -x"), scripts=_set("-s --shell"), dashes=True),
    Wrapper(names=_set("lerna nx turbo"), path=("exec",), dashes=True),
    Wrapper(names=_set("coverage"), path=("run",), values=_set("--source --omit --include --rcfile --data-file"), then="nothing"),
    # elsewhere
    Wrapper(
        names=_set("ssh autossh mosh slogin"),
        values=_set("-B -b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w -M -P --ssh"),
        operands=1, permuted=True, then="joined", where="ssh {}", lone=True,
    ),
    Wrapper(names=_set("sshpass"), values=_set("-p -f -d -P")),
    Wrapper(names=_set("docker podman nerdctl"), path=("exec", "container exec"), before=_DOCKER_GLOBAL, values=_DOCKER_RUN, entries=_set("--entrypoint"),
            operands=1, where="docker exec {}"),
    Wrapper(names=_set("docker podman nerdctl"), path=("run", "container run"), before=_DOCKER_GLOBAL, values=_DOCKER_RUN, entries=_set("--entrypoint"),
            operands=1, where="docker run {}"),
    Wrapper(names=_set("docker podman nerdctl"), path=("compose exec", "compose run"), before=_DOCKER_GLOBAL,
            values=_DOCKER_RUN, entries=_set("--entrypoint"), operands=1, where="compose {}"),
    Wrapper(names=_set("docker-compose podman-compose"), path=("exec", "run"), before=_DOCKER_GLOBAL, values=_DOCKER_RUN, entries=_set("--entrypoint"),
            operands=1, where="compose {}"),
    Wrapper(names=_set("kubectl oc k3s microk8s minikube"), path=("exec", "rsh", "kubectl exec", "kubectl -- exec"), before=_KUBECTL,
            values=_KUBECTL, operands=1, permuted=True, where="kubectl exec {}"),
    Wrapper(names=_set("kubectl oc"), path=("run", "debug"), before=_KUBECTL, values=_KUBECTL, operands=1, dashes=True,
            where="kubectl run {}"),
    Wrapper(names=_set("lxc incus"), path=("exec",), values=_set("--env --cwd --user --group"), operands=1, where="lxc exec {}"),
    Wrapper(names=_set("lxc-attach"), values=_set("-n --name"), dashes=True, where="lxc-attach"),
    Wrapper(names=_set("vagrant"), path=("ssh",), scripts=_set("-c --command"), then="nothing", where="vagrant"),
    Wrapper(names=_set("multipass"), path=("exec",), operands=1, where="multipass exec {}"),
    Wrapper(names=_set("heroku"), path=("run", "run:detached"), values=_set("-a --app -r --remote -s --size --type -e --env"), then="joined",
            where="heroku run"),
    Wrapper(names=_set("fly flyctl"), path=("ssh console",), values=_set("-a --app"), scripts=_set("-C --command"), then="nothing",
            where="fly ssh"),
    Wrapper(names=_set("gcloud"), path=("compute ssh", "cloud-shell ssh"), scripts=_set("--command"), then="nothing", where="gcloud ssh"),
    Wrapper(names=_set("railway"), path=("run",)),
    Wrapper(names=_set("wsl wsl.exe"), values=_set("-d -u --distribution --user --cd"), dashes=False, lookups=_set("-l --list")),
    Wrapper(names=_set("adb"), path=("shell",), before=_set("-s -t -H -P"), then="joined", where="adb shell"),
    Wrapper(names=_set("ansible"), values=_set("-i -m -u -f -t"), scripts=_set("-a --args"), then="nothing", where="ansible"),
    Wrapper(names=_set("pssh parallel-ssh pdsh dsh"), values=_set("-h -H -l -p -o -O -t -w -f -g"), then="joined", where="pssh"),
    # deferred
    Wrapper(names=_set("tmux"), path=("send-keys", "send"), before=_set("-L -S -f"), values=_set("-t -N"), then="joined"),
    Wrapper(names=_set("tmux"), path=("new-session", "new", "new-window", "neww", "split-window", "splitw", "respawn-pane",
                                      "run-shell", "run", "display-popup", "popup"), before=_set("-L -S -f"),
            values=_set("-s -n -c -t -x -y -e -F -l -w -h -E"), then="joined"),
    Wrapper(names=_set("screen"), before=_set("-S -s -t -c -T -h -e -p"), path=("-X stuff",), then="joined"),
    Wrapper(names=_set("screen"), values=_set("-S -s -t -c -T -h -e -p -X"), then="argv"),
    Wrapper(names=_set("at batch"), values=_set("-q -t"), then="shell"),
    Wrapper(names=_set("crontab"), values=_set("-u"), then="nothing"),
    # git
    Wrapper(names=_set("start-stop-daemon daemonize pm2"), path=("start", ""), values=_set("-x --exec -p --pidfile"), dashes=True),
)  # fmt: skip

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


_NODE = Interpreter(
    "javascript", _set("-e --eval -p --print -pe"), _set("-r --require --import --loader -C --env-file")
)
_AWK = Interpreter("awk", _set("-e --source"), _set("-F -v -f -i --field-separator --assign --file --include"))
_PYTHON = Interpreter("python", _set("-c"), _set("-W -X --check-hash-based-pycs"))

INTERPRETERS: dict[str, Interpreter] = {
    **dict.fromkeys(("python", "pypy", "ipython", "uvpython"), _PYTHON),
    **dict.fromkeys(("node", "nodejs", "bun", "tsx", "ts-node", "deno", "qjs"), _NODE),
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk", "original-awk"), _AWK),
    "perl": Interpreter("perl", _set("-e -E"), _set("-I -M -m -F -C")),
    "ruby": Interpreter("ruby", _set("-e"), _set("-I -r -C")),
    "php": Interpreter("php", _set("-r -B -R -E --run"), _set("-d -c -z -f")),
    "lua": Interpreter("lua", _set("-e"), _set("-l")),
    "luajit": Interpreter("lua", _set("-e"), _set("-l")),
    "osascript": Interpreter("osascript", _set("-e"), _set("-l")),
    "Rscript": Interpreter("r", _set("-e")),
    "julia": Interpreter("julia", _set("-e --eval -E --print"), _set("-p -t --project -L")),
}
"""Base name without a version -> how it takes code; languages as ``code.inspect_code`` knows them."""
