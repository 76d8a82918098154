"""What programs print as far as their own words say, and what becomes of it in a shell."""

from __future__ import annotations

import shlex

import pytest

from askfirst.shell.command import HOLE
from askfirst.shell.composed import composed


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("sed 's/^/rm -rf /' list", f"rm -rf {HOLE}\n"),
        ("sed 's/.*/mv & old/' list", f"mv {HOLE} old\n"),
        (r"sed -E 's|^(.*)$|rm \1|' list", f"rm {HOLE}\n"),
        ("awk '{print \"kubectl delete pod \" $1}' pods", f"kubectl delete pod {HOLE}\n"),
        ("awk 'BEGIN{print \"rm -rf src\"}'", "rm -rf src\n"),
        (r"""jq -r '.[] | "rm \(.path)"' a.json""", f"rm {HOLE}\n"),
        ("psql -Atc \"select 'drop table ' || name || ';' from t\"", f"drop table {HOLE};\n"),
        ("mysql -Ne \"select concat('TRUNCATE ', name, ';') from t\"", f"TRUNCATE {HOLE};\n"),
    ],
)
def test_literal_words_in_front_make_a_known_command(line: str, printed: str) -> None:
    name, *args = shlex.split(line)

    assert composed(name, args) == printed


@pytest.mark.parametrize(
    "line",
    [
        "sed 's/a/b/' f", "sed -n 5p f", "sed 's/^/    /' f", "awk '{print $1}' f", "awk '{print $1 \" is old\"}' f",
        "jq -r .name f", "psql -c 'select 1'", "psql -c \"select 'x' from t\"", "awk -f script f",
    ],
)  # fmt: skip
def test_anything_else_says_nothing(line: str) -> None:
    name, *args = shlex.split(line)

    assert composed(name, args) == ""
