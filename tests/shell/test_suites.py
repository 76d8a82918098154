"""The bars that the analysis is held to: our own suites of commands, without a look at the disk.

What failed is printed whole: each line is a command to look into, and the mending must be true for its whole kind.
"""

import pytest

from askfirst.call import ToolCall
from askfirst.classify import classify
from askfirst.effects import Outcome
from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from suite import agent_lines, build_lines, incidents, matrix, read_only, twins

BOOK = RuleBook.load()
MATRIX = matrix.rows()
FAMILIES = sorted({row.category.partition("/")[0] for row in MATRIX})


def is_gated(row):
    call = ToolCall(tool="Bash", arguments={"command": row.command}, cwd="/home/user/project")
    found = classify(call, NoFacts(), book=BOOK, written=row.written, home="/home/user")
    return found.outcome is Outcome.GATE


def wrong(rows):
    """The rows that are judged otherwise than expected, as lines to read."""
    return [f"{row.category}: {row.command!r}" for row in rows if is_gated(row) != (row.expected == "gate")]


def assert_at_most(rows, share):
    failed = wrong(rows)
    assert len(failed) <= share * len(rows), "\n".join([f"{len(failed)} of {len(rows)}:", *failed[:200]])


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_destructive_command_is_gated_in_every_disguise(family):
    assert_at_most([row for row in MATRIX if row.category.partition("/")[0] == family], 0.01)


@pytest.mark.slow
def test_the_same_text_as_data_is_not_stopped():
    assert_at_most(twins.rows(), 0.002)


def test_every_loss_that_really_happened_is_gated():
    assert_at_most(incidents.rows(), 0)


def test_what_agents_type_all_day_is_not_stopped():
    assert_at_most(agent_lines.rows(), 0.005)


def test_reading_is_not_stopped():
    assert_at_most(read_only.rows(), 0.001)


def test_lines_of_builds_are_not_stopped():
    assert_at_most(build_lines.rows(), 0.01)
