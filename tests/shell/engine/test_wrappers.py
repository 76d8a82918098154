"""Every row of the unwrap table with a dangerous command inside, and with the same text as data inside."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest

from askfirst.effects import Outcome
from askfirst.shell.analysis import Analysis
from askfirst.shell.command import Word
from askfirst.shell.unwrap import split, unwrap
from askfirst.shell.unwrap_table import WRAPPERS

DANGER = "rm -rf /srv/data"
DATA = "echo rm -rf /srv/data"

# @E@ is the command in words, @Q@ the command as one quoted word, ⏎ a newline, ␉ a tab.
TEMPLATES = r"""
sudo @E@
sudo -u root -E @E@
sudo -n -- @E@
sudo FOO=1 @E@
sudo -iu root @E@
sudo sh -c @Q@
echo @Q@ | sudo -s
doas -u root @E@
pkexec @E@
su -c @Q@
su root -c @Q@
su - www -s /bin/sh -c @Q@
runuser -u x -- @E@
runuser -l x -c @Q@
script -c @Q@ /dev/null
script -qc @Q@ out
env @E@
env -i A=1 @E@
env -u X @E@
env -S @Q@
env -S@Q@
env -C /x @E@
cross-env A=1 @E@
dotenv -f .env run -- @E@
command @E@
builtin command @E@
exec @E@
exec -a foo @E@
nohup @E@ &
time @E@
time -p @E@
time { @E@; }
/usr/bin/time -f %e @E@
setsid @E@
setsid -w @E@
nice @E@
nice -n 10 @E@
nice -10 @E@
ionice -c3 @E@
ionice -c 3 -n 5 @E@
chrt -f 10 @E@
taskset 0x1 @E@
taskset -c 0,1 @E@
stdbuf -oL @E@
stdbuf -o L @E@
timeout 5 @E@
timeout -k 5 10s @E@
timeout --signal=KILL 5m @E@
prlimit --nofile=100 @E@
cpulimit -l 50 -- @E@
unshare -r @E@
nsenter -t 1 -m @E@
nsenter --target 1 --mount -- sh -c @Q@
chroot /mnt @E@
chroot --userspec=a:b /mnt sh -c @Q@
systemd-run --user --unit=x @E@
systemd-run -p A=b @E@
strace -f -o out @E@
strace -e trace=file @E@
ltrace @E@
perf stat -e x @E@
valgrind --leak-check=full @E@
busybox @E@
busybox sh -c @Q@
toybox @E@
coproc @E@
coproc X { @E@; }
unbuffer @E@
xvfb-run -a @E@
dbus-run-session -- @E@
caffeinate -i @E@
proxychains4 -q @E@
torsocks @E@
faketime 2020-01-01 @E@
firejail --quiet @E@
tini -- @E@
watch @Q@
watch -n 5 @E@
watch -n1 -d @E@
flock /tmp/l @E@
flock -w 5 /tmp/l -c @Q@
flock -n 9 @E@
eval @Q@
eval @E@
eval "@E@"
trap @Q@ EXIT
source <(echo @Q@)
. <(echo @Q@)
sh -c @Q@
bash -lc @Q@
bash -ec @Q@
bash -o pipefail -c @Q@
bash --rcfile x -c @Q@
bash +x -c @Q@
bash -c -- @Q@
zsh -c @Q@
dash -c @Q@
echo @Q@ | sh
echo @Q@ | bash -s
echo @Q@ | bash -
echo @Q@ | bash /dev/stdin
printf '%s\n' @Q@ | sh
bash <<< @Q@
bash <<E⏎@E@⏎E
bash <<'E'⏎@E@⏎E
cat <<'E' | bash⏎@E@⏎E
cat <<E|sh⏎@E@⏎E
cat <<E |⏎@E@⏎E⏎sh
bash < <(echo @Q@)
bash <(echo @Q@)
echo @Q@ > f; sh f
echo @Q@ > f && chmod +x f && ./f
cat > /tmp/a.sh <<'E'⏎@E@⏎E⏎bash /tmp/a.sh
cat > a.sh <<'E'⏎#!/bin/bash⏎@E@⏎E⏎chmod +x a.sh; ./a.sh
echo @Q@ | tee a.sh; source a.sh
echo @Q@ >> b.sh; cp b.sh c.sh; sh c.sh
printf '#!/usr/bin/env python3\nimport os\nos.system("@E@")\n' > p.py; python3 p.py
echo @Q@ | xargs -I CMD sh -c CMD
parallel ::: @Q@
echo @Q@ | parallel
uv run @E@
uv run --with x python -c "import os; os.system('@E@')"
poetry run @E@
pipenv run @E@
pdm run @E@
hatch run @E@
conda run -n base @E@
bundle exec @E@
npx @E@
npx -c @Q@
npx -p foo -c @Q@
npm exec -- @E@
npm exec -c @Q@
pnpm dlx @E@
pnpm exec @E@
yarn exec @E@
bunx @E@
mise exec -- @E@
mise x node@20 -- @E@
asdf exec @E@
direnv exec . @E@
devbox run @E@
devbox run -- @E@
nix develop -c @E@
nix develop --command @E@
nix shell nixpkgs#x -c @E@
nix-shell --run @Q@
nix-shell -p x --command @Q@
op run -- @E@
op run --env-file=.env -- @E@
doppler run -- @E@
doppler run --command @Q@
aws-vault exec prod -- @E@
chamber exec svc -- @E@
envconsul -prefix x @E@
ssh host @E@
ssh -o A=b -i key -p 22 u@host @Q@
ssh host <<< @Q@
ssh host bash -s <<E⏎@E@⏎E
ssh -t host 'cd x && @E@'
echo @Q@ | ssh host bash
docker exec c @E@
docker exec -it -u root -e A=b c bash -c @Q@
docker run --rm -v /:/h ubuntu @E@
docker run -it --entrypoint sh img -c @Q@
podman exec c @E@
docker compose exec -T web @E@
docker compose -f x.yml run --rm web @E@
docker-compose exec web @E@
docker --context x exec c @E@
kubectl exec pod -- @E@
kubectl -n prod exec -it pod -c x -- sh -c @Q@
kubectl exec pod @E@
oc exec pod -- @E@
lxc exec c -- @E@
vagrant ssh -c @Q@
heroku run @E@
heroku run @Q@ -a app
(crontab -l; echo "0 0 * * * @E@") | crontab -
echo "0 0 * * * @E@" | crontab -
echo @Q@ | at now
at now + 1 minute <<< @Q@
batch <<< @Q@
tmux send-keys -t s @Q@ Enter
tmux new-session -d @Q@
tmux new -s x -d @Q@
screen -S x -X stuff @Q@
screen -dm @E@
screen -dmS n bash -c @Q@
make -f - <<'E'⏎all:⏎␉@E@⏎E
printf 'all:\n␉@E@\n' | make -f -
printf 'all:\n␉@E@\n' > Makefile; make
python3 -c "import os; os.system('@E@')"
python3 <<E⏎import os⏎os.system("@E@")⏎E
echo "import os; os.system('@E@')" | python3
python -m timeit -s "x"; @E@
node -e "require('child_process').execSync('@E@')"
perl -e 'system("@E@")'
perl -e '`@E@`'
ruby -e 'system("@E@")'
ruby -e '`@E@`'
php -r 'shell_exec("@E@");'
lua -e 'os.execute("@E@")'
awk 'BEGIN{system("@E@")}'
osascript -e 'do shell script "@E@"'
git -c alias.x='!@E@' x
git config alias.z '!@E@'; git z
git rebase --exec @Q@ main
git rebase -x @Q@ main
git submodule foreach @Q@
git submodule foreach --recursive @E@
git bisect run @E@
git bisect run sh -c @Q@
X='@E@'; $X
X='@E@'; eval "$X"
f() { @E@; }; f
f() { "$@"; }; f @E@
alias ll=@Q@; ll
if true; then @E@; fi
if [ -d x ]; then :; else @E@; fi
case $x in a) @E@;; esac
until false; do @E@; done
for ((i=0;i<1;i++)); do @E@; done
select x in a; do @E@; done
( @E@ )
{ @E@; }
! @E@
! { @E@; }
sleep 1 & @E@
true && @E@
false || @E@
ls; @E@
ls | @E@
@E@ | ls
@E@ > out 2>&1
2>/dev/null @E@
>f @E@
FOO=1 @E@
echo $(@E@)
echo `@E@`
echo "$(@E@)"
cat <(@E@)
ls > >(@E@)
[[ -n $(@E@) ]]
[ -n "$(@E@)" ]
x=$(@E@)
export x=$(@E@)
local x=`@E@`
(( x = $(@E@) ))
echo $(( $(@E@) ))
cat <<E⏎$(@E@)⏎E
cat <<E⏎`@E@`⏎E
echo ${x:-$(@E@)}
echo "${x:-$(@E@)}"
a=($(@E@))
cat > f <<'E'; sh f⏎@E@⏎E
cat <<A <<B; @E@⏎a⏎A⏎b⏎B
cat <<E && @E@⏎E
$SUDO @E@
"${SUDO}" @E@
${SUDO:-} @E@
$X @E@
if ! @E@; then :; fi
printf '%b' @Q@ | sh
echo -n @Q@ | sh
x=$(cat <<'E'⏎@E@⏎E⏎); eval "$x"
mapfile -t a <<< @Q@; eval "${a[0]}"
ls && (cd /; sudo nohup nice -n 5 env X=1 timeout 5 bash -c @Q@ &)
python - <<'E'⏎import subprocess⏎subprocess.call("@E@", shell=True)⏎E
""".strip().splitlines()

EXTRA = r"""
pkexec @E@
run0 -u root @E@
sshpass -p x ssh host @E@
autossh -M 0 host @Q@
mosh host -- @E@
setpriv --reuid 1 @E@
capsh -- -c @Q@
trickle -d 5 @E@
systemd-inhibit --what=sleep @E@
systemd-cat -t x @E@
gdb --args @E@
hyperfine @Q@
sem -j 2 @Q@
nodemon -x @Q@
tsp @E@
concurrently @Q@
arch -x86_64 @E@
bwrap --dev /dev @E@
catchsegv @E@
noglob @E@
rbenv exec @E@
rvm do @E@
nvm exec 18 @E@
volta run --node 18 @E@
sops exec-env f.yaml @Q@
cargo watch -s @Q@
lerna exec -- @E@
docker-compose run --rm web @E@
kubectl run x --image=y -- @E@
lxc-attach -n x -- @E@
multipass exec vm -- @E@
fly ssh console -C @Q@
gcloud compute ssh vm --command=@Q@
railway run @E@
wsl -d Ubuntu @E@
adb shell @Q@
ansible all -m shell -a @Q@
pdsh -w host @Q@
start-stop-daemon --start --exec /usr/bin/env -- @E@
daemonize @E@
ltrace -S @E@
proot -r / @E@
bwrap --bind / / --proc /proc @E@
setarch x86_64 @E@
/lib64/ld-linux-x86-64.so.2 /usr/bin/env @E@
numactl --cpunodebind=0 @E@
runcon -t x_t @E@
chpst -u www @E@
gosu www @E@
setlock lock @E@
sg wheel -c @Q@
newgrp docker <<< @Q@
softlimit -m 1000 @E@
cgexec -g cpu:x @E@
firejail --noprofile @E@
pm2 start -n x -- @E@
shx @E@
machinectl shell root@web1 /usr/bin/env @E@
toolbox run @E@
distrobox enter x -- @E@
mise exec @E@
with-env prod @E@
some-wrapper --verbose -- @E@
some-wrapper -c @Q@
./run-in-env.sh @E@
uvx --from x @E@
cmake -E @E@
npm explore left-pad -- @E@
clush -w web[1-4] @E@
nix run nixpkgs#coreutils.env -- @E@
nix run github:org/env @E@
guix shell coreutils -- @E@
go run github.com/org/env@latest @E@
dsh -m web1 @E@
tox exec -e py312 -- @E@
uv run - <<< 'import os; os.system("@E@")'
crictl exec -it abc @E@
ctr -n k8s.io task exec --exec-id 1 abc @E@
buildah run work -- @E@
finch exec web @E@
minikube ssh @Q@
limactl shell default @E@
devcontainer exec --workspace-folder . @E@
okteto exec -- @E@
kubectl node-shell node-1 -- @E@
gcloud beta compute ssh vm --zone z -- @E@
gcloud compute tpus tpu-vm ssh t --worker=all --command @Q@
az ssh vm -g rg -n vm -- @E@
az containerapp exec -n app -g rg --command @Q@
aws --profile prod ecs execute-command --cluster c --task t --interactive --command @Q@
doctl compute ssh web --ssh-command @Q@
eb ssh env --command @Q@
cf ssh app -c @Q@
platform ssh -e main @Q@
dokku enter app web @E@
nomad alloc exec -task web abc @E@
sky exec -n job cluster @Q@
sbatch --wrap @Q@
""".strip().splitlines()


def _filled(template: str, command: str) -> str:
    text = template.replace("@E@", command).replace("@Q@", shlex.quote(command))
    return text.replace("⏎", "\n").replace("␉", "\t")


@pytest.mark.parametrize("template", TEMPLATES + EXTRA)
def test_a_command_inside_of_a_wrapper_is_found(template: str, run: Callable[..., Analysis]) -> None:
    assert run(_filled(template, DANGER)).outcome is Outcome.GATE


@pytest.mark.parametrize("template", TEMPLATES + EXTRA)
def test_the_same_text_as_data_inside_of_a_wrapper_is_not_asked_about(
    template: str, run: Callable[..., Analysis]
) -> None:
    assert run(_filled(template, DATA)).outcome is not Outcome.GATE


@pytest.mark.parametrize(
    ("line", "program"),
    [
        ("docker run --rm -v a:/b hashicorp/terraform:1.5 destroy -auto-approve", "terraform"),
        ("docker run ghcr.io/opentofu/opentofu@sha256:aa destroy", "tofu"),
        ("podman run docker.io/alpine/helm uninstall x", "helm"),
        ("docker compose run --rm terraform destroy", "terraform"),
        ("docker run amazon/aws-cli s3 rb s3://x", "aws"),
        ("docker run --entrypoint sh hashicorp/terraform -c ls", "sh"),
        ("docker run python:3 python x.py", "python"),
        ("docker exec terraform ls", "ls"),
        ("nix run nixpkgs#terraform -- destroy", "terraform"),
        ("nix run 'nixpkgs#python3Packages.pip' uninstall x", "pip"),
        ("nix run github:org/tool?ref=main destroy", "tool"),
        ("nix run . -- destroy", "destroy"),
        ("go run github.com/org/tool/v2@v2.1.0 delete", "tool"),
        ("go run ./cmd/tool delete", "delete"),
    ],
)
def test_what_an_image_or_a_package_starts_is_the_program(line: str, program: str) -> None:
    inner = unwrap(split(Word(text=line)))
    assert inner is not None
    assert inner.argv[0].text == program


def test_every_row_of_the_table_has_a_case() -> None:
    lines = [_filled(template, DANGER) for template in TEMPLATES + EXTRA]
    used = [inner.row for line in lines if (words := split(Word(text=line))) and (inner := unwrap(words))]
    assert [sorted(row.names) + list(row.path) for row in WRAPPERS if row not in used] == []
