"""What a session wrote is known when it runs it, and no session knows another's."""

from __future__ import annotations

from askfirst.analyst import DiskAnalyst
from askfirst.call import ToolCall
from askfirst.session_files import SessionFiles


def write(path: str, content: str, session: str = "s") -> ToolCall:
    return ToolCall(tool="Write", arguments={"file_path": path, "content": content}, cwd="/p", session=session)


def edit(path: str, old: str, new: str, *, everywhere: bool = False) -> ToolCall:
    arguments = {"file_path": path, "old_string": old, "new_string": new, "replace_all": everywhere}
    return ToolCall(tool="Edit", arguments=arguments, cwd="/p", session="s")


def test_a_written_file_is_known_by_its_absolute_path_in_its_session_only() -> None:
    files = SessionFiles()
    files.remember(write("x.sh", "rm -rf /"), existed=False)
    assert files.of("s") == {"/p/x.sh": "rm -rf /"}
    assert files.of("other") == {}
    assert files.made_by("s") == {"/p/x.sh"}


def test_a_file_that_was_there_before_is_not_the_sessions_own() -> None:
    files = SessionFiles()
    files.remember(write("/srv/x.sh", "ls"), existed=True)
    assert files.made_by("s") == frozenset()


def test_an_edit_changes_what_is_known_or_makes_it_unknown() -> None:
    files = SessionFiles()
    files.remember(write("x.sh", "ls; ls"), existed=False)
    files.remember(edit("x.sh", "ls", "rm -rf /"), existed=True)
    assert files.of("s") == {"/p/x.sh": "rm -rf /; ls"}
    files.remember(edit("x.sh", "ls", "id", everywhere=True), existed=True)
    assert files.of("s") == {"/p/x.sh": "rm -rf /; id"}
    files.remember(ToolCall(tool="MultiEdit", arguments={"file_path": "x.sh"}, cwd="/p", session="s"), existed=True)
    assert files.of("s") == {}


def test_it_forgets_the_oldest_first_and_takes_nothing_huge() -> None:
    files = SessionFiles()
    for number in range(200):
        files.remember(write(f"/{number}", "x"), existed=False)
    files.remember(write("/huge", "x" * 300_000), existed=False)
    known = files.of("s")
    assert len(known) == 128
    assert "/0" not in known
    assert "/huge" not in known
    for number in range(70):
        files.remember(write("/x", "x", f"session-{number}"), existed=False)
    assert files.of("s") == {}


def test_a_script_written_by_the_shell_is_known_to_the_next_command() -> None:
    analyst = DiskAnalyst()

    def outcome(command: str) -> str:
        call = ToolCall(tool="Bash", arguments={"command": command}, cwd="/srv/p", session="s")
        return analyst.classify(call).outcome.value

    assert outcome("cat > x.sh <<'E'\nrm -rf /srv/data\nE") != "gate"
    assert outcome("bash x.sh") == "gate"
