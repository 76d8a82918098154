"""What doctor makes of what it finds."""

from __future__ import annotations

from pathlib import Path

import pytest

from askfirst.call import ToolCall
from askfirst.canary import is_canary, new_canary
from askfirst.diagnosis import Arrangement, Finding, Grade, is_healthy, level_of
from askfirst.examine import examined_broker, examined_files
from askfirst.paths import state_paths

USER, MANAGED = frozenset({"user"}), frozenset({"user", "managed"})
BAD = Finding(area="claude-code", grade=Grade.FAIL, text="the canary ran", fix="askfirst install")
WEAK = Finding(area="claude-code", grade=Grade.WARN, text="old", fix="claude update")


@pytest.mark.parametrize(
    ("scopes", "broker_uid", "changes", "findings", "level"),
    [
        ({}, 1000, {}, [], "none"),
        ({"codex": frozenset()}, 1000, {}, [], "none"),
        ({"claude-code": USER, "codex": frozenset()}, 1000, {}, [], "none"),
        ({"claude-code": USER}, 1000, {}, [BAD], "none"),
        ({"claude-code": USER}, 1000, {}, [WEAK], "T0"),
        ({"claude-code": MANAGED, "codex": USER}, 1000, {}, [], "T0"),
        ({"claude-code": MANAGED}, 1000, {"terminal_decisions": True}, [], "T0"),
        ({"claude-code": MANAGED}, 1000, {}, [], "T1"),
        ({"claude-code": MANAGED}, 998, {"terminal_decisions": True}, [], "T2"),
        ({"claude-code": MANAGED}, 998, {}, [], "T2"),
        ({"claude-code": MANAGED}, 998, {"is_remote": True}, [], "T3"),
    ],
)
def test_the_weakest_part_decides_the_level(
    scopes: dict[str, frozenset[str]],
    broker_uid: int,
    changes: dict[str, bool],
    findings: list[Finding],
    level: str,
) -> None:
    found = Arrangement(scopes=scopes, broker_uid=broker_uid, own_uid=1000, **changes)
    reached = level_of(found, findings)
    assert reached.name == level
    assert reached.improve
    assert is_healthy(findings, reached) is (level != "none")


def test_a_canary_is_a_command_that_nobody_types_by_chance() -> None:
    name = new_canary()
    assert name != new_canary()
    assert is_canary(ToolCall(tool="Bash", arguments={"command": f"touch {name}"}))
    assert not is_canary(ToolCall(tool="Bash", arguments={"command": "touch askfirst-canary-1"}))
    assert not is_canary(ToolCall(tool="Write", arguments={"file_path": name}))


def grades(found: list[Finding]) -> list[tuple[str, str]]:
    return [(each.area, each.grade.value) for each in found]


def test_files_that_others_can_read_fail(tmp_path: Path) -> None:
    paths, config = state_paths(tmp_path / "state"), tmp_path / "config.toml"
    assert grades(list(examined_files(paths, config, own_uid=1))) == [("files", "ok")]
    (paths.root / "keys").mkdir(mode=0o700)
    (paths.root / "keys" / "log").touch(0o644)
    assert grades(list(examined_files(paths, config, own_uid=1))) == [("files", "ok")]  # nobody gets there
    paths.root.chmod(0o711)
    [finding] = examined_files(paths, config, own_uid=1)
    assert finding.grade is Grade.FAIL
    assert str(paths.root / "keys" / "log") in finding.text
    assert finding.fix == f"chmod -R go= {paths.root}"


@pytest.mark.parametrize(
    ("text", "mode", "own", "grade"),
    [
        ("[web]\nport = 0\n", 0o644, True, None),
        ('# bot_token = "x"\n', 0o644, True, None),
        ('[telegram]\nbot_token = ""\n', 0o644, True, None),
        ('[telegram]\nbot_token = "1:a"\n', 0o644, True, "fail"),
        ('[telegram]\nbot_token = "1:a"\n', 0o640, True, "fail"),
        ('[telegram]\nbot_token = "1:a"\n', 0o600, True, "warn"),
        ('[telegram]\nbot_token = "1:a"\n', 0o600, False, None),
    ],
)
def test_who_can_read_a_bot_s_token(tmp_path: Path, text: str, mode: int, own: bool, grade: str | None) -> None:
    paths, config = state_paths(tmp_path / "state"), tmp_path / "config.toml"
    config.write_text(text, encoding="utf-8")
    config.chmod(mode)
    own_uid = config.stat().st_uid if own else config.stat().st_uid + 1
    found = grades(list(examined_files(paths, config, own_uid=own_uid)))
    assert found[1:] == ([("files", grade)] if grade else [])


@pytest.mark.parametrize(
    ("text", "mode", "grade"),
    [
        ('[telegram]\ntoken_file = "a-secret"\n', 0o600, "warn"),
        ('[telegram]\ntoken_file = "a-secret"  # 0600\n', 0o644, "fail"),
        ('[telegram]\ntoken_variable = "a-secret"\n', 0o644, None),
        ('[listen]\nkey = "a-secret"\n', 0o640, "fail"),
        ('[listen]\nkey = "a-secret"\n', 0o600, "warn"),
    ],
)
def test_the_file_that_holds_a_token_is_looked_at_and_not_the_one_that_names_it(
    tmp_path: Path, text: str, mode: int, grade: str | None
) -> None:
    paths, config = state_paths(tmp_path / "state"), tmp_path / "config.toml"
    config.write_text(text, encoding="utf-8")
    config.chmod(0o644)
    secret = tmp_path / "a-secret"
    secret.touch()
    secret.chmod(mode)
    found = list(examined_files(paths, config, own_uid=secret.stat().st_uid))[1:]
    assert grades(found) == ([("files", grade)] if grade else [])
    assert all(str(secret) in each.text for each in found)


BROKER = {
    "version": "1",
    "pid": 7,
    "uid": 1000,
    "now_ms": 1_000_000,
    "sqlite": "3.53.0",
    "channels": {"web": {"ok": True, "text": "served"}},
    "hooks": [{"host": "codex", "settings": "/s", "installed": "a", "seen": "a"}],
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"version": "2"}, ("broker", "warn")),
        ({"now_ms": 1_010_000}, ("clock", "warn")),
        ({"sqlite": "3.40.1"}, ("store", "note")),
        ({"channels": {"telegram": {"ok": False, "text": "401"}}}, ("channel telegram", "fail")),
        ({"hooks": [{"host": "codex", "settings": "/s", "installed": "a", "seen": "b"}]}, ("codex", "fail")),
        ({"hooks": [{"host": "codex", "settings": "/s", "installed": "a", "seen": ""}]}, ("codex", "fail")),
        ({"uid": 1001}, ("broker", "note")),
        ({"bypasses": ["codex ran `rm -rf x`, although request 7XQ2KD is denied"]}, ("gate", "warn")),
        ({"contradictions": ["w has witnessed 11 entries, there are 1"]}, ("log", "fail")),
    ],
)
def test_what_the_broker_says_of_itself(changes: dict[str, object], expected: tuple[str, str] | None) -> None:
    found = grades(list(examined_broker(BROKER | changes, "1", now_ms=1_000_500, own_uid=1001)))
    worse = (
        [each for each in found if each[1] != "ok" and each[0] != "clock"] if expected != ("clock", "warn") else found
    )
    assert expected in worse if expected else not worse
