"""Commands on files by their words alone: the target decides, not the verb."""

from __future__ import annotations

import pytest

from askfirst.effects import Risk

# Everything gated here is gated without any look at the disk; working directory /home/me/project, home /home/me.
CRITICAL = """
rm -rf /
rm -rf / --no-preserve-root
rm -fr /*
rm -r -f //
rm -rf /.
rm -rf /usr
rm -rf /etc/nginx
rm -rf /home
rm -rf ~
rm -rf ~/
rm -rf "$HOME"
rm -rf $HOME/*
rm -rf ../..
rm -rf ..
rm -rf .
rm -rf ./
rm -rf ./*
rm -rf *
rm -rf .*
rm -rf /home/me/project
rm -rf /home/me/other/../project
rm -rf .git
rm -rf sub/.git
rm --recurs --forc /
rm -rf "$1"/*
rm -rf "$UNSET/"
rm -rf ${DIR}/*
rm -rf /$X
rm -rf ~/$X
find . -delete
find / -name x -delete
find ~ -type f -delete
shred -r /
dd if=/dev/zero of=/dev/sda
cat x > /dev/sda
cp x.img /dev/nvme0n1
echo x | tee /dev/sdb
chmod -R 777 /
chmod -R 000 /
chown -R me /
chown -R me:me ~
chgrp -R x /usr
"""
HIGH = """
rm *
rm -rf src
rm -rf src/
rm -r docs
rm -rf ../other
rm -rf /srv/app
rm -rf ~/work
rm -rf /home/you/x
rm /etc/hosts
rm ~/notes.txt
rm ../x.txt
rm -rf $DIR
rm -rf "$DIR/sub"
rm -rf src/$X/old
rm *.py
rm .env
rm -f dev.sqlite3
rm backup.sql
rm id_rsa
rm .git/config
rm -rf /tmp
rm -rf /tmp/*
rm -rf /tmp/../srv
rm -rf /tmp/$X
rm -rf -- src
unlink ../x
cd .. && rm -rf build
cd /srv && rm -rf build
cat list | xargs rm
xargs rm -rf < list
find src -delete
find . -mtime +30 -delete
find . -name '*.py' -delete
find . ! -name '*.pyc' -delete
find . -name '*.pyc' -o -mtime +1 -delete
find /srv -name '*.log' -delete
find . -name '*.py' -exec rm {} +
find . -type f -exec shred -u {} \\;
fd -e py -x rm
shred notes.txt
shred -u ~/.ssh/id_ed25519
wipe -rf docs
truncate -s 0 notes.txt
truncate --size=0 ~/x
truncate -s0 /var/log/syslog
: > notes.txt
> notes.txt
cat /dev/null > notes.txt
cp /dev/null notes.txt
mv notes.txt /dev/null
mv /etc/nginx /tmp/x
mv .git /tmp
mv ~ /mnt/x
mv src /tmp/x && rm -rf /srv/x
mv src old && rm -rf old
rsync -a --delete a/ /srv/site/
rsync -a --del a/ host:/srv/site/
rsync -a --delete-after a/ docs/
tar --remove-files -czf x.tgz docs
tar -xf x.tar -C /
tar xf x.tar -C /etc
chmod -R 000 .
chmod -R 777 .
chmod -R a+rwx ..
chown -R me ../other
chmod u+s tool
chmod 4755 tool
chmod 6711 tool
setfacl -R -m u:x:rwx /srv
chattr -R -i /srv
sed -i s/a/b/ /etc/fstab
sed -i '1d' /etc/nginx/nginx.conf
sed -ni p .git/config
trash-empty
gio trash --empty
echo x > /etc/fstab
echo x >| /etc/hosts
cp x /etc/passwd
tee /etc/hosts
"""
FREE = """
rm -rf node_modules
rm -rf ./node_modules ./dist
rm -rf build/ dist/ *.egg-info
rm -rf build/lib
rm -rf packages/web/node_modules
rm -rf __pycache__ .pytest_cache .mypy_cache htmlcov
rm -rf target
rm -rf .venv
rm -rf /home/me/project/build
rm -f notes.txt
rm notes.txt other.txt
rm -i notes.txt
rm -f *.log
rm -f *.pyc *.o
rm -f src/*.pyc
rm -rf /tmp/work
rm -rf /tmp/work/*
rm -f /tmp/$X.log
rm -rf "${TMPDIR:-/tmp}/work"
rm -f .git/index.lock
rm --help
rm --version
rmdir old
rmdir -p a/b
cd build && rm -rf obj
cd /tmp && rm -rf work
find . -name '*.pyc' -delete
find . -name __pycache__ -type d -exec rm -rf {} +
find . -name '*.pyc' -o -name '*.pyo' -delete
find . -type d -empty -delete
find /tmp -name 'work-*' -delete
find . -name -delete -print
find . -exec echo -delete \\;
find . -name '*.py' -exec grep x {} +
truncate -s 0 app.log
truncate -s 10M blank.bin
echo x > notes.txt
echo x >> ~/notes.txt
make > build.log 2>&1
cmd > /dev/null 2>&1
echo x > /tmp/out
echo x > /dev/stderr
cp a.txt b.txt
cp -r src dst
cp a.txt /tmp/
mv a.txt b.txt
mv a.txt sub/
mv /tmp/a /tmp/b
ln -s a b
ln -sf ../a b
install -m 755 tool build/tool
tee out.txt
tee -a /tmp/log
dd if=/dev/zero of=blank.img bs=1M count=1
dd if=/dev/sda of=/dev/null
rsync -a a/ b/
rsync -an --delete a/ /srv/site/
rsync -a --delete a/ build/
tar -czf x.tgz src
tar -xzf x.tgz
tar -xzf x.tgz -C vendor
chmod +x run.sh
chmod 644 a.txt
chmod 777 run.sh
chmod -R u+w build
chmod 2755 sub
chmod -x a.txt
chown me a.txt
sed -i s/a/b/ src/app.py
sed -i.bak s/a/b/ /srv/app.conf
sed -n 1,5p /etc/hosts
sed -e s/a/b/ -e s/-i/x/ a.txt
trash old.txt
echo "rm -rf /"
grep -r "rm -rf ~" .
git commit -m "rm -rf /"
"""


def lines(table: str) -> list[str]:
    return table.strip().splitlines()


def highest(effects) -> Risk:
    return max((effect.risk for effect in effects), default=Risk.LOW)


@pytest.mark.parametrize("text", lines(CRITICAL))
def test_what_takes_a_whole_tree_is_critical(judge, text):
    assert highest(judge(text)) is Risk.CRITICAL


@pytest.mark.parametrize("text", lines(HIGH))
def test_what_may_lose_files_is_gated(judge, text):
    assert highest(judge(text)) >= Risk.HIGH


@pytest.mark.parametrize("text", lines(FREE))
def test_what_loses_nothing_is_not_gated(judge, text):
    assert [effect for effect in judge(text) if effect.risk >= Risk.HIGH] == []


def test_a_remote_command_is_judged_by_its_words(judge):
    assert highest(judge("ssh host rm -rf /var/www")) >= Risk.HIGH
    assert highest(judge("ssh host rm -rf /tmp/x")) < Risk.HIGH


def test_the_reason_names_the_part_and_the_loss(judge):
    (effect,) = [one for one in judge("rm -rf node_modules src") if one.risk >= Risk.HIGH]
    assert effect.target == "src"
    assert effect.loss == "deletes files that may be in no commit (src)"


MANY = " ".join(f"build/f{number}" for number in range(300))


@pytest.mark.parametrize(
    "text",
    [
        f"rm -f {MANY}",
        f"shred {MANY}",
        f"chmod 644 {MANY}",
        f"truncate -s 5 {MANY}",
        f"git branch -D {MANY}",
        f"git push origin {MANY}",
        f"find {MANY} -name '*.pyc' -delete",
        f"find {MANY} -name '*.pyc' -exec rm {{}} +",
    ],
    ids=lambda text: text[:12],
)
def test_more_operands_than_can_be_looked_at_are_gated(judge, text):
    assert highest(judge(text)) >= Risk.HIGH


def test_a_long_name_is_cut_in_the_reason(judge):
    (effect,) = judge(f"rm -rf {'x' * 5000}")
    assert len(effect.target) == 300
