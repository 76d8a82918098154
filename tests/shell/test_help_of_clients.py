"""A database client that is asked for its help or version prints that, and runs nothing of what else it is given."""

from __future__ import annotations

import pytest

from askfirst.effects import Outcome
from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from askfirst.shell.analysis import analyse

BOOK = RuleBook.load()


def outcome(text: str) -> Outcome:
    return analyse(text, cwd="/home/ann/project", facts=NoFacts(), book=BOOK, home="/home/ann").outcome


@pytest.mark.parametrize(
    "text",
    [
        "psql app -c 'DROP TABLE users' --help",
        "psql --version -c 'DROP TABLE users'",
        "cat query.sql | docker exec -i pg psql -U app --help",
        "mysql --help -e 'DROP DATABASE shop'",
        "sqlite3 app.db 'DROP TABLE users' --help",
        "redis-cli --help FLUSHALL",
        "mongosh --help --eval 'db.dropDatabase()'",
    ],
)
def test_help_in_front_of_a_statement_or_behind_it_is_not_stopped(text: str) -> None:
    assert outcome(text) is not Outcome.GATE


@pytest.mark.parametrize(
    "text",
    [
        "psql app -c 'DROP TABLE users' -h host",
        "psql app -U --help -c 'DROP TABLE users'",  # the name of a user
        "psql -c 'DROP TABLE users' -- --help",
        "sqlite3 -cmd 'DROP TABLE users' --help app.db",  # has run before the next option is read
        "psql app -c 'DROP TABLE users; -- --help'",
        "redis-cli FLUSHALL --help",  # a word of the command
    ],
)
def test_a_word_that_is_no_request_for_help_disarms_nothing(text: str) -> None:
    assert outcome(text) is Outcome.GATE
