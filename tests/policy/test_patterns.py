"""What globs match, and what they never match."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.policy.patterns import Glob, command_matches, name_matches, path_matches, words_match, words_may_match
from askfirst.shell.command import HOLE


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        ("git.*", "git.push-force", True),
        ("git.*", "github.delete", False),
        ("*push*", "git.push-force", True),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "aXc", False),
        ("ab*bc", "abc", False),
        ("*", "", True),
        ("exact", "exact", True),
        ("exact", "exactly", False),
        ("[ab]", "a", False),
    ],
)
def test_a_name_pattern_fits_the_whole_name(pattern: str, name: str, fits: bool) -> None:
    assert name_matches(pattern, name) is fits


@pytest.mark.parametrize(
    ("pattern", "command", "fits"),
    [
        ("terraform *", "terraform apply -auto-approve", True),
        ("terraform *", "terraform", True),
        ("terraform *", "terraformer x", False),
        ("git push * main", "git push --force origin main", True),
        ("git push * main", "git push origin maintenance", False),
        ("rm -rf build/*", "rm -rf build/a", True),
        ("rm -rf build/*", "rm -rf build/a /", False),
        ("rm -rf build/*", "rm -rf build/../..", False),
        ("rm -rf build/*", "rm -rf build/$X", False),
        ("rm -rf build/*", "rm -rf build/…", False),
        ("npm run test:*", "npm run test:unit", True),
        ("ls", "ls -la", False),
    ],
)
def test_a_star_within_a_word_stays_within_it_and_never_climbs(pattern: str, command: str, fits: bool) -> None:
    assert command_matches(pattern, command) is fits


@pytest.mark.parametrize(
    ("pattern", "words", "fits"),
    [
        ("scp * prod:*", ("scp", "a", "prod:my file"), True),
        ("scp * prod:*", ("scp", "a", "dev:my file"), False),
        ("scp * prod:*", ("scp", "a b", "prod:x"), True),
        ("rm -rf build/*", ("rm", "-rf", "build/a /"), True),  # one name with a blank and a slash in it
        ("rm -rf build/*", ("rm", "-rf", "build/a", "/"), False),
        ("rm -rf build/*", ("rm", "-rf", "build/.. /x"), True),
        ("rm -rf build/*", ("rm", "-rf", "build/../x y"), False),
        ("scp * prod:*", ("scp", "a", f"prod:{HOLE}"), False),
    ],
)
def test_a_word_with_blanks_in_it_is_one_word(pattern: str, words: tuple[str, ...], fits: bool) -> None:
    assert words_match(pattern, words) is fits


@pytest.mark.parametrize(
    ("pattern", "words", "fits"),
    [
        ("push prod:*", ("push", f"prod:{HOLE}"), True),
        ("push prod:*", ("push", f"{HOLE}:a"), True),
        ("push prod:*", ("push", f"dev:{HOLE}"), False),
        ("push *.prod", ("push", f"{HOLE}.dev"), False),
        ("push *.prod", ("push", f"db.{HOLE}"), True),
        ("push prod", ("push", f"p{HOLE}d"), True),
        ("push prod", ("push", f"p{HOLE}x"), False),
        ("push prod:*", ("push", HOLE), True),
        ("push * prod:*", ("push", HOLE), True),  # it may be several words
        ("push prod", ("push", HOLE, "prod"), True),  # or none
        ("push prod", ("push", HOLE, "dev"), False),
        ("push a * b", ("push", "a", "x", "y", "b"), True),
        ("push a * b", ("push", "a", "x", "b", "c"), False),
        ("push prod:*", ("push", "prod:a/../b"), True),
        ("push prod:*", ("/opt/bin/push", "prod:a"), True),
        ("push prod:*", (f"{HOLE}/bin/push", "prod:a"), True),
        ("push prod:*", (f"/opt/{HOLE}", "prod:a"), False),
        ("push prod:*", (HOLE, "prod:a"), False),  # or a policy would be about everything whose program is not known
        ("* prod:*", (HOLE, "prod:a"), True),
        ("push *", ("push",), True),
        ("push", (), False),
    ],
)
def test_what_is_not_known_of_a_command_may_be_anything(pattern: str, words: tuple[str, ...], fits: bool) -> None:
    assert words_may_match(pattern, words) is fits


@pytest.mark.parametrize(
    ("pattern", "words", "fits"),
    [
        ("push prod:*", ("push", Glob("pr?d:x")), True),
        ("push prod:*", ("push", Glob("*")), True),
        ("push prod:*", ("push", Glob("*:x")), True),
        ("push prod:*", ("push", Glob("dev*")), False),
        ("push prod:*", ("push", Glob("[op]rod:x")), True),
        ("push prod", ("push", Glob("p*d")), True),
        ("push prod", ("push", Glob("p?d")), False),
        ("push prod now", ("push", Glob("*")), True),  # several names
        ("push prod now", ("push", Glob("*o*")), True),
        ("push prod now", ("push", Glob("p*")), False),
        ("cat .env", ("cat", Glob("*")), False),  # no wildcard is a first dot
        ("cat .env", ("cat", Glob(".*")), True),
        ("rm -rf /", ("rm", Glob("*")), False),  # nor a slash
        ("cat /etc/shadow", ("cat", Glob("/etc/*")), True),
        ("cat /etc/a/b", ("cat", Glob("/etc/*")), False),
        ("cat /etc/a/b", ("cat", Glob("/etc/**")), True),
        ("push prod:*", (Glob("/opt/*/pus?"), "prod:x"), True),
        ("push prod:*", (Glob("/opt/*/pul?"), "prod:x"), False),
        ("push", ("push", Glob("*")), False),  # a glob is a name at least
    ],
)
def test_a_glob_may_be_names_that_fit(pattern: str, words: tuple[str | Glob, ...], fits: bool) -> None:
    assert words_may_match(pattern, words) is fits


@given(
    st.lists(st.sampled_from(["a", "b", "a*", "*"]), min_size=1, max_size=5),
    st.lists(st.sampled_from(["a", "b", "ab", "a b"]), min_size=1, max_size=5),
)
def test_what_fits_may_fit(pattern: list[str], words: list[str]) -> None:
    assert words_may_match(" ".join(pattern), words) or not words_match(" ".join(pattern), words)


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/srv/**", "/srv", True),
        ("/srv/**", "/srv/a/b", True),
        ("/srv/**", "/srvx", False),
        ("/srv/*", "/srv/a/b", False),
        ("/srv/*.sql", "/srv/a.sql", True),
        ("/srv/**/*.sql", "/srv/a/b/c.sql", True),
        ("/srv/**/*.sql", "/srv/c.sql", True),
    ],
)
def test_a_star_within_a_path_stays_within_its_component(pattern: str, path: str, fits: bool) -> None:
    assert path_matches(pattern, path) is fits


@given(st.text("ab*", max_size=12), st.text("ab", max_size=30))
def test_a_name_pattern_fits_what_its_pieces_and_stars_make_up(pattern: str, name: str) -> None:
    reachable = {0}
    for letter in pattern:
        reachable = (
            {end for start in reachable for end in range(start, len(name) + 1)}
            if letter == "*"
            else {start + 1 for start in reachable if name[start : start + 1] == letter}
        )

    assert name_matches(pattern, name) is (len(name) in reachable)


@given(st.lists(st.sampled_from(["*", "a", "b*"]), max_size=6), st.lists(st.sampled_from(["a", "b", "bc"]), max_size=8))
def test_a_star_of_its_own_is_any_number_of_words(pattern: list[str], words: list[str]) -> None:
    reachable = {0}
    for part in pattern:
        if part == "*":
            reachable = {end for start in reachable for end in range(start, len(words) + 1)}
        else:
            reachable = {at + 1 for at in reachable if at < len(words) and name_matches(part, words[at])}

    assert command_matches(" ".join(pattern), " ".join(words)) is (len(words) in reachable)


def test_a_pattern_of_many_stars_is_tried_on_a_long_text_without_trying_every_way() -> None:
    assert not name_matches("a*" * 200 + "b", "a" * 50_000)
    assert not command_matches("a " + "* a " * 60 + "b", "a " * 3_000)
