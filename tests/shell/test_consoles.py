"""What a console of a framework or of a database is fed is run, as it is by the interpreter or client behind it."""

from __future__ import annotations

import pytest

from askfirst.effects import Outcome
from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from askfirst.shell.analysis import analyse

BOOK = RuleBook.load()

# A dangerous line and its harmless twin.
TWINS = [
    ("bin/rails c <<< 'User.delete_all'", "bin/rails c <<< 'puts User.count'"),
    ("echo 'User.delete_all' | bundle exec rails console -e production", "echo 'User.count' | rails console"),
    ("echo 'User.delete_all' | rails runner -", "echo 'puts 1' | rails runner -"),
    ("irb <<< 'system(\"rm -rf /srv\")'", "irb <<< 'puts 1'"),
    ("python manage.py shell <<< 'db.drop_all()'", "python manage.py shell <<< 'print(1)'"),
    ("flask --app shop shell <<< 'db.drop_all()'", "flask --app shop shell <<< 'print(db.engine)'"),
    ("php artisan tinker <<< 'User::truncate();'", "php artisan tinker <<< 'echo User::count();'"),
    ("wp shell <<< 'unlink(\"/srv/x\");'", "wp shell <<< 'echo 1;'"),
    ("docker compose exec -T web ./manage.py shell <<< 'db.drop_all()'", "docker compose exec web ./manage.py shell"),
    ("./manage.py dbshell <<< 'drop table users'", "./manage.py dbshell <<< 'select 1'"),
    ("rails dbconsole <<< 'drop table users'", "rails dbconsole <<< 'select 1'"),
    ("dokku postgres:connect db < drop.sql", "dokku postgres:connect db <<< 'select 1'"),
    ("flyctl postgres connect -a db <<< 'drop table users'", "flyctl postgres connect -a db <<< 'select 1'"),
    ("gcloud sql connect db <<< 'drop table users'", "gcloud sql connect db <<< 'select 1'"),
    ("railway connect postgres <<< 'drop table users'", "railway connect postgres <<< 'select 1'"),
    ("pscale shell app main <<< 'drop table users'", "pscale shell app main <<< 'select 1'"),
    ("echo 'drop table users' | turso db shell app", "echo 'select 1' | turso db shell app"),
    ("python -m timeit 'import shutil; shutil.rmtree(\"/srv\")'", "python -m timeit '\"rm -rf /srv\".split()'"),
    ("python -m timeit -s 'import os' 'os.system(\"rm -rf /srv\")'", "python -m timeit -s 'import os' 'os.getcwd()'"),
    ("python -m IPython -c 'import shutil; shutil.rmtree(\"/srv\")'", "python -m IPython -c 'print(1)'"),
]


def outcome(text: str) -> Outcome:
    return analyse(text, cwd="/home/ann/project", facts=NoFacts(), book=BOOK, home="/home/ann").outcome


@pytest.mark.parametrize("text", [danger for danger, _ in TWINS])
def test_what_a_console_is_fed_is_analysed(text: str) -> None:
    assert outcome(text) is Outcome.GATE


@pytest.mark.parametrize("text", [harmless for _, harmless in TWINS])
def test_a_console_that_only_looks_is_not_stopped(text: str) -> None:
    assert outcome(text) is not Outcome.GATE


@pytest.mark.parametrize(
    "text", ["rails console", "flask shell", "python manage.py dbshell", "flyctl postgres connect"]
)
def test_a_console_that_is_fed_nothing_is_not_stopped(text: str) -> None:
    assert outcome(text) is not Outcome.GATE
