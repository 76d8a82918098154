"""``bash -c "$(cat x.sh)"`` and ``psql -c "$(cat x.sql)"`` run the file, as ``bash x.sh`` and ``psql -f x.sql`` do."""

from __future__ import annotations

import pytest

from askfirst.effects import Risk
from askfirst.shell.command import HOLE, Word


@pytest.mark.parametrize(
    ("shown", "path"),
    [
        ("$(cat drop.sql)", "drop.sql"),
        ('"$(cat ./sql/drop.sql)"', "./sql/drop.sql"),
        ("$(< drop.sql)", "drop.sql"),
        ("`cat drop.sql`", "drop.sql"),
        ("$(cat a.sql b.sql)", ""),
        ("$(cat $FILE)", ""),
        ("$(cat a.sql | head)", ""),
        ("x$(cat a.sql)", ""),
        ("$SQL", ""),
    ],
)
def test_a_word_says_which_one_file_it_is_the_content_of(shown: str, path: str) -> None:
    assert Word(text=HOLE, shown=shown).content_of == path
    assert not Word(text=f"x{HOLE}", shown=shown).content_of


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('psql app -c "$(cat drop.sql)"', "database.sql-unread"),
        ('psql app -Atc "$(cat drop.sql)"', "database.sql-unread"),
        ('mysql -e "$(< drop.sql)" app', "database.sql-unread"),
        ('psql app <<< "$(cat drop.sql)"', "database.sql-unread"),
        ('sudo bash -c "$(cat wipe.sh)"', "execution.unread-script"),
        ('eval "$(cat wipe.sh)"', "execution.unread-script"),
        ('ssh host "$(cat wipe.sh)"', "execution.unread-script"),
        ("echo 'rm -rf /srv' > a.sh; cp a.sh b.sh; bash -c \"$(cat b.sh)\"", "filesystem.delete"),
    ],
)
def test_it_is_judged_as_the_file_is(judge, text: str, rule: str) -> None:
    assert rule in {effect.rule for effect in judge(text) if effect.risk >= Risk.HIGH}


def test_a_file_of_this_machine_says_nothing_of_one_elsewhere(judge) -> None:
    found = judge("echo ls > /tmp/wipe.sh; ssh host 'bash -c \"$(cat /tmp/wipe.sh)\"'")

    assert [effect.rule for effect in found if effect.risk >= Risk.HIGH] == ["execution.unread-script"]


@pytest.mark.parametrize(
    "text",
    [
        'psql app -c "$(cat create.sql)"',
        'eval "$(cat env.sh)"',
        'bash -c "$(cat scripts/setup.sh)"',
        'git commit -m "$(cat drop.sql)"',
        'echo "$(cat wipe.sh)"',
        "echo 'select 1' > a.sql; psql app -c \"$(cat a.sql)\"",
    ],
)
def test_a_harmless_twin_is_not_gated(judge, text: str) -> None:
    assert [effect for effect in judge(text) if effect.risk >= Risk.HIGH] == []
