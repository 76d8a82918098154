"""Rows of the unwrap table for programs that run others on another machine or in a container.

Sources: the manuals of OpenSSH, Docker, kubectl, containerd and of the clouds' own command lines.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from askfirst.shell.entry_points import of_image
from askfirst.shell.wrapper import row as _row

_GCLOUD_SSH = "|".join(
    f"{release}{path}"
    for path in ("compute ssh", "compute tpus tpu-vm ssh", "cloud-shell ssh", "workstations ssh", "app instances ssh")
    for release in ("", "alpha ", "beta ")
)
_DOCKER_RUN = (
    "-a --attach --add-host --annotation --blkio-weight --cap-add --cap-drop --cgroup-parent --cgroupns --cidfile -c"
    " --cpu-shares --cpus --cpuset-cpus --cpuset-mems --device --device-cgroup-rule --dns --dns-option --dns-search"
    " --domainname -e --env --env-file --expose --gpus --group-add --health-cmd --health-interval"
    " --health-retries --health-timeout -h --hostname --ip --ip6 --ipc --isolation -l --label --label-file --link"
    " --log-driver --log-opt --mac-address -m --memory --memory-swap --mount --name --network --network-alias"
    " --oom-score-adj --pid --pids-limit --platform -p --publish --pull --restart --runtime --security-opt --shm-size"
    " --stop-signal --stop-timeout --storage-opt --sysctl --tmpfs --ulimit -u --user --userns --uts -v --volume"
    " --volume-driver --volumes-from -w --workdir --detach-keys --index --volumes --arch --requires --rootfs"
)
_DOCKER_GLOBAL = (
    "-H --host -c --context --config -l --log-level --tlscacert --tlscert --tlskey -f --file -p --project-name"
    " --project-directory --env-file --profile --connection --url --identity --ansi --parallel"
)
_KUBECTL = (
    "-n --namespace --context --kubeconfig --cluster --user --as -s --server --token -c --container"
    " --request-timeout -v --pod-running-timeout -f --filename --image --restart --overrides -l --labels"
)
_in_image = partial(
    _row, before=_DOCKER_GLOBAL, values=_DOCKER_RUN, entries="--entrypoint", operands=1, program_of=of_image
)
"""A command in a container, which may begin with the image's own program."""

ELSEWHERE: Final = (
    _row(
        "ssh autossh mosh slogin",
        values="-B -b -c -D -E -e -F -I -i -J -L -l -m -O -o -p -Q -R -S -W -w -M -P --ssh",
        operands=1,
        permuted=True,
        then="joined",
        where="ssh {}",
        lone=True,
    ),
    _row("sshpass", values="-p -f -d -P"),
    _row(
        "docker podman nerdctl finch",
        path="exec|container exec",
        before=_DOCKER_GLOBAL,
        values=_DOCKER_RUN,
        entries="--entrypoint",
        operands=1,
        where="docker exec {}",
    ),
    _in_image("docker podman nerdctl finch", path="run|container run", where="docker run {}"),
    _in_image("docker podman nerdctl finch", path="compose exec|compose run", where="compose {}"),
    _in_image("docker-compose podman-compose", path="exec|run", where="compose {}"),
    _row(
        "kubectl oc k3s microk8s minikube",
        path="exec|rsh|kubectl exec|kubectl -- exec",
        before=_KUBECTL,
        values=_KUBECTL,
        operands=1,
        permuted=True,
        where="kubectl exec {}",
    ),
    _row(
        "kubectl oc",
        path="run|debug|node-shell",
        before=_KUBECTL,
        values=_KUBECTL,
        operands=1,
        dashes=True,
        where="kubectl run {}",
    ),
    _row("crictl", path="exec", values="--timeout -e --env", operands=1, where="crictl exec {}"),
    _row(
        "ctr",
        path="task exec|tasks exec|t exec",
        before="-n --namespace -a --address",
        values="--exec-id --cwd --user",
        operands=1,
        where="ctr exec {}",
    ),
    _row("buildah", path="run", values="--user --volume -v --workingdir --env -e", operands=1, where="buildah {}"),
    _row("minikube", path="ssh", values="-n --node -p --profile", then="joined", where="minikube"),
    _row("limactl", path="shell", values="--workdir --shell", operands=1, where="lima {}"),
    _row(
        "devcontainer", path="exec", values="--workspace-folder --container-id --config --id-label", where="container"
    ),
    _row("okteto", path="exec", values="-f --file -n --namespace -k", where="okteto"),
    _row("lxc incus", path="exec", values="--env --cwd --user --group", operands=1, where="lxc exec {}"),
    _row("lxc-attach", values="-n --name", dashes=True, where="lxc-attach"),
    _row("vagrant", path="ssh", scripts="-c --command", then="nothing", where="vagrant"),
    _row("multipass", path="exec", operands=1, where="multipass exec {}"),
    _row(
        "heroku",
        path="run|run:detached",
        values="-a --app -r --remote -s --size --type -e --env",
        then="joined",
        where="heroku run",
    ),
    _row("fly flyctl", path="ssh console", values="-a --app", scripts="-C --command", then="nothing", where="fly ssh"),
    _row("gcloud", path=_GCLOUD_SSH, needs="--", operands=1, dashes=True, then="joined", where="gcloud ssh"),
    _row("gcloud", path=_GCLOUD_SSH, scripts="--command", then="nothing", where="gcloud ssh"),
    _row("az", path="ssh vm|ssh arc", dashes=True, then="joined", where="az ssh"),
    _row("az", path="container exec|containerapp exec", scripts="--exec-command --command", then="nothing", where="az"),
    _row(
        "aws",
        path="ecs execute-command",
        before="--profile --region --output --endpoint-url",
        scripts="--command",
        then="nothing",
        where="ecs",
    ),
    _row("doctl", path="compute ssh", scripts="--ssh-command", then="nothing", where="doctl ssh"),
    _row("eb cf", path="ssh", scripts="-c --command", then="nothing", where="ssh"),
    _row(
        "platform upsun",
        path="ssh|environment:ssh",
        values="-p --project -e --environment -A --app -I --instance -i",
        then="joined",
        where="ssh",
    ),
    _row("dokku", path="enter", operands=2, where="dokku {}"),
    _row("nomad", path="alloc exec|exec", values="-task -group -e", operands=1, where="nomad {}"),
    _row(
        "sky ray",
        path="exec",
        values="-n --name --gpus --workdir --env --env-file -p --port-forward",
        operands=1,
        permuted=True,
        then="joined",
        where="{}",
    ),
    _row("sbatch", scripts="--wrap", then="nothing", where="slurm"),
    _row("railway", path="run"),
    _row("wsl wsl.exe", values="-d -u --distribution --user --cd", lookups="-l --list"),
    _row("adb", path="shell", before="-s -t -H -P", then="joined", where="adb shell"),
    _row("ansible", values="-i -m -u -f -t", scripts="-a --args", then="nothing", where="ansible"),
    _row("pssh parallel-ssh pdsh dsh", values="-h -H -l -p -o -O -t -w -f -g", then="joined", where="pssh"),
)
