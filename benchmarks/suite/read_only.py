"""What hosts let run without asking: reading commands with their usual options, as a product."""

from __future__ import annotations

from suite.row import Row

PATHS = ("src", ".", "./src/main.py", "/etc/hosts", "~/project/README.md", "../other", "'a b.txt'", "*.py", '"$HOME"')
READERS = (
    "ls {}", "ls -la {}", "ls -R {} | head", "cat {}", "head -20 {}", "tail -n 5 {}", "wc -l {}", "file {}",
    "stat {}", "du -sh {}", "find {} -name '*.md'", "find {} -type f -newer a.txt | sort", "grep -rn delete {}",
    "rg --no-heading 'rm -rf' {}", "md5sum {}", "realpath {}", "basename {}", "dirname {}", "test -e {} && echo y",
    "[ -d {} ]", "less {}", "nl {}", "sort {} | uniq -c", "cut -c1-10 {}", "tac {}", "xxd {} | head", "od -c {}",
    "strings {}", "sha256sum {}", "diff {} /tmp/copy", "cmp {} b", "readlink -f {}", "tree -L 1 {}", "git log -- {}",
    "git diff -- {}", "git diff HEAD~2 {}", "git blame {}", "git status {}", "git ls-files {}", "git show HEAD:{}",
    "git check-ignore -v {}", "jq . {}", "bat {}", "fd . {}", "for f in {}; do echo $f; done", "cd {} && ls",
    "ls {} 2>/dev/null || echo none", "cat {} | grep -c x", "awk 'NR==1' {}", "sed -n 1p {}", "column -t {}",
)  # fmt: skip
PLAIN = r"""
git status
git status -sb
git log
git log --oneline --graph --decorate -20
git log --author=me --since=yesterday
git diff --name-only main...HEAD
git show
git branch
git branch -vv
git branch -r
git branch --contains HEAD
git branch --merged
git tag
git tag -l 'v*'
git tag --list
git remote
git remote show origin
git remote get-url origin
git stash list
git stash show -p
git reflog show
git reflog
git config --list
git config user.email
git rev-parse HEAD
git rev-list --count HEAD
git cat-file -p HEAD
git ls-remote origin
git ls-tree -r HEAD
git merge-base main HEAD
git for-each-ref
git worktree list
git submodule status
git notes list
git bisect log
git count-objects -vH
git fsck
git help reset
git reset --help
git push --dry-run
git push -n origin main
git clean --dry-run
git clean -ndx
git fetch --dry-run
git rm --dry-run a
git add -n .
rm --help
rm --version
man rm
dd --help
docker ps
docker images -a
docker stats --no-stream
docker top web
docker diff web
docker port web
docker history x
docker network ls
docker network inspect bridge
docker volume ls
docker volume inspect pgdata
docker info
docker system df
docker compose config
docker compose ls
docker compose top
docker search nginx
docker container ls -a
docker image inspect x
docker events --since 1m --until 0s
kubectl get all
kubectl get events --sort-by=.lastTimestamp
kubectl get secret -o name
kubectl describe node
kubectl explain pod.spec
kubectl api-resources
kubectl cluster-info
kubectl version
kubectl auth can-i delete pods
kubectl rollout status deploy/api
kubectl rollout history deploy/api
kubectl config get-contexts
kubectl delete pod x --dry-run=client
helm status api
helm get values api
helm history api
helm search repo nginx
helm show values x
terraform state list
terraform state show aws_instance.a
terraform providers
terraform version
terraform workspace list
terraform graph
aws ec2 describe-volumes
aws iam list-users
aws s3api list-buckets
aws s3api head-object --bucket b --key k
aws rds describe-db-instances
aws lambda list-functions
aws cloudformation describe-stacks
aws configure list
aws help
gcloud compute instances list
gcloud sql instances describe x
gcloud auth list
az vm list -o table
az account list
npm ls --depth=0
npm view lodash versions
npm config list
npm root -g
npm whoami
npm prefix
npm search x
npm explain x
yarn why x
pip show flask
pip check
pip index versions x
pip config list
cargo tree
cargo metadata --format-version 1
cargo search x
go list ./...
go env
go version
rustc --version
systemctl status
systemctl is-active nginx
systemctl show nginx
systemctl cat nginx
systemctl list-timers
journalctl -xe --no-pager
journalctl --disk-usage
crontab -l
service --status-all
ps aux
ps -ef --forest
top -b -n 1
uptime
vmstat 1 2
iostat
free -h
df -hT
mount
lsblk
lsblk -f
blkid
fdisk -l
sudo fdisk -l
parted -l
lscpu
lsusb
lspci
ip a
ip route
ifconfig
netstat -tulpn
ss -s
iptables -L -n
sudo iptables -S
ufw status
nft list ruleset
dig example.com
nslookup example.com
host example.com
whois example.com
traceroute example.com
curl -I localhost
curl -sS https://api.github.com/repos/a/b
hostname
date
cal
id -un
groups
who
last
getent passwd user
locale
ulimit -a
printenv PATH
echo $PATH
echo "$(date)"
type ls
which -a python
whereis gcc
command -v git
alias
history
jobs
dmesg | tail
lsmod
sysctl -a
sysctl vm.swappiness
dpkg -l
dpkg -L curl
dpkg -S /bin/ls
apt-cache policy curl
apt list --upgradable
apt-get install -s curl
apt-get remove --dry-run curl
rpm -qa
brew list
brew info jq
brew doctor
snap list
flatpak list
psql -l
psql -c '\l'
psql -c 'EXPLAIN DELETE FROM users'
psql -c "SELECT 'DROP TABLE users'"
mysql -e 'SHOW DATABASES'
sqlite3 a.db .schema
redis-cli INFO
redis-cli --scan
redis-cli TTL k
mongosh --eval 'db.stats()'
gh pr status
gh pr checks 1
gh run view 1
gh release list
gh release view v1
gh secret list
gh api user
gh api repos/a/b/branches
gh repo list
gh search issues x
gh workflow list
vault status
vault kv list secret/
vercel ls
netlify sites:list
flyctl logs
fly apps list
heroku ps
heroku config -a x
pulumi preview
pulumi stack ls
ansible-inventory --list
ansible all --list-hosts
ansible-playbook a.yml --syntax-check
vagrant status
make -n deploy
make --dry-run clean
rsync -avn --delete a/ b/
rsync --dry-run -a --delete a/ b/
tar -tvf a.tar
unzip -l a.zip
openssl version
ssh -V
ssh -G host
ssh host uptime
ssh host 'df -h; free -m'
ssh-add -l
gpg --list-keys
screen -ls
tmux ls
nproc
seq 1 10
expr 1 + 1
bc <<< '2^10'
true && false || echo x
sleep 1
shellcheck a.sh
bash --version
"""


def rows() -> list[Row]:
    """The product of readers and paths, and the plain ones."""
    made = [reader.replace("{}", path) for reader in READERS for path in PATHS]
    return [
        Row(command=command, expected="allow", category=command.split()[0])
        for command in (*made, *PLAIN.strip().splitlines())
    ]
