"""Where words point to, by their text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.facts import NoFacts
from askfirst.shell.command import HOLE, Command, Word
from askfirst.shell.places import Place, locate


def where(
    text: str, *, cwd: str | None = "/home/me/project", origin: str = "", shown: str = "", glob: bool = False
) -> Place:
    word = Word(text=text, shown=shown, glob=glob)
    return locate(word, Command(argv=(word,), cwd=cwd, origin=origin), NoFacts()).place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("src", Place.INSIDE),
        ("./src/../lib", Place.INSIDE),
        (".", Place.PROJECT),
        ("src/..", Place.PROJECT),
        ("..", Place.HOME),
        ("../..", Place.ROOT),
        ("../other", Place.OUTSIDE),
        ("/", Place.ROOT),
        ("//", Place.ROOT),
        ("/usr", Place.ROOT),
        ("/usr/lib/x", Place.SYSTEM),
        ("/usr/local/bin/x", Place.OUTSIDE),
        ("/etc/hosts", Place.SYSTEM),
        ("/var/www", Place.OUTSIDE),
        ("/home/you", Place.HOME),
        ("/home/you/x", Place.OUTSIDE),
        ("/root", Place.HOME),
        ("/Users/ada", Place.HOME),
        ("~", Place.HOME),
        ("~/x", Place.OUTSIDE),
        ("~ada", Place.HOME),
        ("/tmp", Place.TEMP_ROOT),
        ("/tmp/x", Place.TEMP),
        ("/tmp/../etc/x", Place.SYSTEM),
        ("/private/tmp/x", Place.TEMP),
        ("/var/folders/ab/cd/T/x", Place.TEMP),
        ("/var/lib/apt/lists", Place.TEMP),
        ("/home/me/.cache/pip", Place.TEMP),
        ("/root/.cache", Place.TEMP),
        ("/Users/me/Library/Developer/Xcode/DerivedData", Place.TEMP),
        ("/dev/null", Place.SINK),
        ("/dev/fd/3", Place.SINK),
        ("/dev/sda1", Place.DEVICE),
        ("/dev/mapper/vg-x", Place.DEVICE),
        ("/dev/shm/x", Place.TEMP),
        (".git", Place.GIT),
        ("sub/.git/config", Place.GIT),
        (".gitignore", Place.INSIDE),
        (f"{HOLE}", Place.UNKNOWN),
        (f"{HOLE}/x", Place.UNKNOWN),
        (f"{HOLE}/", Place.ROOT),
        (f"/{HOLE}", Place.ROOT),
        (f"src/{HOLE}", Place.INSIDE),
        (f"./{HOLE}", Place.PROJECT),
        (f"/tmp/{HOLE}", Place.TEMP_ROOT),
        (f"/tmp/x{HOLE}", Place.TEMP),
        (f"/etc/{HOLE}/x", Place.SYSTEM),
    ],
)
def test_a_path_lies_where_its_text_says(text, place):
    assert where(text) is place


@pytest.mark.parametrize(
    ("text", "shown", "place"),
    [
        (HOLE, "$HOME", Place.HOME),
        (f"{HOLE}/x", "${HOME}/x", Place.OUTSIDE),
        (f"{HOLE}/x", "$TMPDIR/x", Place.TEMP),
        (HOLE, "$TMPDIR", Place.TEMP_ROOT),
        (f"{HOLE}/x", "${TMPDIR:-/var/tmp}/x", Place.TEMP),
        (HOLE, "$(mktemp -d)", Place.TEMP),
        (f"{HOLE}/src", "$PWD/src", Place.INSIDE),
        (HOLE, "$HOMEWORK", Place.UNKNOWN),
    ],
)
def test_variables_that_everybody_has_are_known(text, shown, place):
    assert where(text, shown=shown) is place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("*", Place.PROJECT),
        ("/*", Place.ROOT),
        ("src/*", Place.INSIDE),
        ("*.py", Place.INSIDE),
        (f"{HOLE}/*", Place.ROOT),
    ],
)
def test_a_glob_for_everything_means_its_folder(text, place):
    assert where(text, glob=True) is place


def test_the_project_is_where_the_text_starts():
    assert where("build", cwd="/home/me", origin="/home/me/project") is Place.OUTSIDE
    assert where("build", cwd="/home/me/project/src", origin="/home/me/project") is Place.INSIDE
    assert where("../build", cwd="/home/me/project/src", origin="/home/me/project") is Place.INSIDE


def test_a_folder_that_was_changed_into_is_a_project_unless_it_lies_above():
    assert where("x", cwd="/testbed", origin="/home/me/project") is Place.INSIDE
    assert where("x", cwd="/home/me/other", origin="/home/me/project") is Place.INSIDE
    assert where("/home/me/project/x", cwd="/testbed", origin="/home/me/project") is Place.OUTSIDE
    assert where("x", cwd="/etc", origin="/home/me/project") is Place.SYSTEM
    assert where("x", cwd="/home", origin="/home/me/project") is not Place.INSIDE


def test_an_unknown_working_directory_is_a_project_of_its_own():
    assert where("src", cwd=None) is Place.INSIDE
    assert where(".", cwd=None) is Place.PROJECT
    assert where("/etc/x", cwd=None) is Place.SYSTEM


def test_a_working_directory_that_is_no_project_frees_nothing_else():
    assert where("/tmp/x", cwd="/tmp") is Place.TEMP
    assert where("/etc/x", cwd="/") is Place.SYSTEM
    assert where("lib/x", cwd="/usr") is Place.SYSTEM


PARTS = st.lists(st.sampled_from(["a", "..", ".", "", "b", HOLE]), max_size=8).map("/".join)


@given(PARTS)
def test_what_is_called_inside_never_leaves_the_project(path):
    word = Word(text=path or ".")
    spot = locate(word, Command(argv=(word,), cwd="/home/me/project"), NoFacts())
    if spot.place is Place.INSIDE:
        assert spot.path.startswith("/home/me/project/")
        assert "/../" not in spot.path
