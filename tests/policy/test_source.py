"""Layers are read when they change, each by its digest, and one that cannot be used denies what it would govern."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from askfirst.errors import PolicyError
from askfirst.policy.raw import RawPolicy
from askfirst.policy.ruling import Outcome
from askfirst.policy.source import LayerChange, PolicyFiles, PolicySource, check_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from askfirst.policy.question import Question

DENY = '[[rule]]\nname = "no-ls"\noutcome = "deny"\nmatch = { command = "ls *" }\n'


class Place:
    """A managed file, a user's file and a project in a folder of the test's own."""

    def __init__(self, root: Path) -> None:
        self.managed = root / "managed.toml"
        self.user = root / "policy.toml"
        self.project = root / "project"
        self.project.mkdir()
        self.file = self.project / "askfirst.toml"
        self.changes: list[LayerChange] = []
        self.source = PolicySource(PolicyFiles(managed=self.managed, user=self.user))
        self.source.on_change(self.changes.append)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_file_that_is_not_there_is_no_layer(place: Place, question: Callable[..., Question]) -> None:
    policy = place.source.current(str(place.project))

    assert [each.layer for each in policy.loaded] == ["built-in"]
    assert policy.rule_on(question("ls")).outcome is Outcome.ALLOW


def test_every_layer_has_its_digest_and_all_have_one(place: Place) -> None:
    before = place.source.current(str(place.project)).digest
    place.managed.write_text('extends = "strict"\n')
    place.user.write_text('extends = "team"\n')
    place.file.write_text(DENY)

    policy = place.source.current(str(place.project))

    assert sorted(each.layer for each in policy.loaded) == ["built-in", "managed", "project", "strict", "team", "user"]
    assert all(len(each.digest) == 64 for each in policy.loaded)
    assert policy.digest not in {before, place.source.current().digest}


def test_a_change_holds_from_the_next_ruling_on_and_is_told_once(
    place: Place, question: Callable[..., Question]
) -> None:
    assert place.source.current().rule_on(question("ls")).outcome is Outcome.ALLOW

    place.user.write_text(DENY)

    assert place.source.current().rule_on(question("ls")).rule == "no-ls"
    place.source.current()
    assert [(each.layer, each.before, bool(each.after), each.problem) for each in place.changes] == [
        ("user", "", True, "")
    ]


def test_a_change_with_the_same_size_and_time_is_seen(place: Place, question: Callable[..., Question]) -> None:
    place.user.write_text(DENY)
    stamp = place.user.stat().st_mtime_ns
    assert place.source.current().rule_on(question("ls")).outcome is Outcome.DENY

    place.user.write_text(DENY.replace("ls", "df"))
    os.utime(place.user, ns=(stamp, stamp))

    assert place.source.current().rule_on(question("ls")).outcome is Outcome.ALLOW


@pytest.mark.parametrize("layer", ["managed", "user"])
def test_a_broken_layer_denies_everything_with_the_reason_and_the_way_out(
    layer: str, place: Place, question: Callable[..., Question]
) -> None:
    file = getattr(place, layer)
    file.write_text("[[rle]]\n")

    ruling = place.source.current().rule_on(question("ls"))

    assert (ruling.outcome, ruling.policy, ruling.rule) == (Outcome.DENY, layer, "unreadable")
    assert f"{file}:1: unknown key 'rle'; did you mean 'rule'?" in ruling.reason
    assert "a person has to mend the file" in ruling.reason


def test_a_broken_project_file_governs_that_project_only(place: Place, question: Callable[..., Question]) -> None:
    place.file.write_text("outcome = ")

    assert place.source.current(str(place.project)).rule_on(question("ls")).outcome is Outcome.DENY
    assert place.source.current(str(place.project.parent)).rule_on(question("ls")).outcome is Outcome.ALLOW


def test_a_mended_layer_counts_at_once(place: Place, question: Callable[..., Question]) -> None:
    place.user.write_text("broken")
    assert place.source.current().rule_on(question("ls")).outcome is Outcome.DENY
    place.user.write_text("")

    assert place.source.current().rule_on(question("ls")).outcome is Outcome.ALLOW
    assert [bool(each.problem) for each in place.changes] == [True, False] or place.changes[-1].problem == ""


def test_a_policy_that_names_no_route_is_unusable_and_its_layer_is_named(
    place: Place, question: Callable[..., Question]
) -> None:
    place.managed.write_text('[routes]\ndefault = ["slack:#a"]\n')
    place.user.write_text('[risk.high]\nroute = "critcal"\n')

    ruling = place.source.current().rule_on(question("ls"))

    assert (ruling.outcome, ruling.policy) == (Outcome.DENY, "user")
    assert "risk.high: no route 'critcal'; did you mean 'critical'?" in ruling.reason


def test_a_deadline_that_escalates_to_nobody_is_unusable(place: Place, question: Callable[..., Question]) -> None:
    place.user.write_text('[risk.high]\non_timeout = "escalate"\n')

    assert "needs escalation steps" in place.source.current().rule_on(question("ls")).reason


def test_a_pipe_a_folder_and_a_link_to_nothing_are_broken_and_hold_up_nothing(
    place: Place, question: Callable[..., Question]
) -> None:
    def is_denied() -> bool:
        return place.source.current(str(place.project)).rule_on(question("ls")).outcome is Outcome.DENY

    os.mkfifo(place.file)
    assert is_denied()
    place.file.unlink()
    assert not is_denied()
    place.file.mkdir()
    assert is_denied()
    place.file.rmdir()
    place.file.symlink_to(place.project / "nothing")
    assert is_denied()


def test_the_first_file_of_a_project_is_told_so_that_its_digest_reaches_the_log(place: Place) -> None:
    place.file.write_text(DENY)

    place.source.current(str(place.project))

    assert [(each.layer, each.path) for each in place.changes] == [("project", str(place.file))]


def test_a_project_that_says_more_than_it_may_is_denied_with_the_reason(
    place: Place, question: Callable[..., Question]
) -> None:
    place.file.write_text('[risk.high]\noutcome = "allow"\n')

    assert "may only tighten" in place.source.current(str(place.project)).rule_on(question("ls")).reason


def test_the_short_form_is_a_layer_with_the_digest_of_its_file() -> None:
    raw = RawPolicy.model_validate({"risk": {"medium": {"outcome": "ask"}}})
    source = PolicySource(PolicyFiles(managed=None, user=None), config=raw, config_digest="d" * 64)

    assert [(each.layer, each.digest[:3]) for each in source.current().loaded][1] == ("config", "ddd")


def test_many_projects_are_remembered_within_a_limit(place: Place) -> None:
    for number in range(300):
        place.source.current(f"/nowhere/{number}")

    assert len(place.source._projects) == 256


@pytest.mark.parametrize(
    ("layer", "text", "sentence"),
    [
        ("user", '[risk.high]\nroute = "x"\n', "no route 'x'"),
        ("project", 'extends = "ci"\n', "may not stand in a project's file"),
    ],
)
def test_a_file_is_checked_as_its_layer(layer: str, text: str, sentence: str, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text(text)

    with pytest.raises(PolicyError, match=sentence):
        check_file(file, layer)
