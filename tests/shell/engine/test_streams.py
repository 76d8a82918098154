"""What flows from one command into another, into files and out of them again."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from askfirst.effects import Outcome
from askfirst.shell.analysis import Analysis

# text -> what the last command reads
READS: list[tuple[str, tuple[str, str]]] = [
    ("echo a | x", ("text", "a\n")),
    ("echo -n a | x", ("text", "a")),
    (r"echo -e 'a\tb' | x", ("text", "a\tb\n")),
    (r"printf '%s=%d;' a 1 b 2 | x", ("text", "a=1;b=2;")),
    ("printf '100%%' | x", ("text", "100%")),
    ("x <<< a", ("text", "a\n")),
    ("x <<'E'\n$a\nE", ("text", "$a\n")),
    ('a=1; x <<E\n$a \\$a "q"\nE', ("text", '1 $a "q"\n')),
    ("echo a | cat | tee f | x", ("text", "a\n")),
    ("cat <<E | x\nb\nE", ("text", "b\n")),
    ("{ echo a; echo b; } | x", ("text", "a\nb\n")),
    ("(echo a && echo b) | x", ("text", "a\nb\n")),
    ("for i in 1 2; do echo $i; done | x", ("text", "1\n2\n")),
    ("f() { echo in; }; f | x", ("text", "in\n")),
    ("bash -c 'echo a' | x", ("text", "a\n")),
    ("sudo env A=1 echo a | x", ("text", "a\n")),
    ("echo YQ== | base64 -d | x", ("text", "a")),
    ("echo a | base64 | x", ("text", "YQo=\n")),
    ("echo 6162 | xxd -r -p | x", ("text", "ab")),
    ("echo abc | rev | x", ("text", "cba\n")),
    ("echo abc | tr a-c A-C | x", ("text", "ABC\n")),
    ("echo abc | tr -d b | x", ("text", "ac\n")),
    ("echo aXa | sed 's/a/b/g' | x", ("text", "bXb\n")),
    ("echo aXa | sed 's/[a-z]//' | x", ("decoded", "")),
    ("echo a > f; x < f", ("text", "a\n")),
    ("echo a > f; echo b >> f; x < f", ("text", "a\nb\n")),
    ("cat > f <<'E'\na\nE\ncp f g; mv g h; cat h | x", ("text", "a\n")),
    ("x < /etc/hosts", ("file", "/etc/hosts")),
    ("cat file | x", ("file", "/home/me/project/file")),
    ("curl -s http://h/i | x", ("network", "http://h/i")),
    ("wget -qO- http://h/i | head -1 | x", ("network", "http://h/i")),
    ("curl http://h/i | base64 -d | x", ("network", "http://h/i")),
    ("gunzip -c f.gz | x", ("decoded", "")),
    ("x < <(curl http://h/i)", ("network", "http://h/i")),
    ("unknown | x", ("unknown", "")),
    ("x < /dev/null", ("none", "")),
    ("x", ("none", "")),
]


@pytest.mark.parametrize(("text", "stdin"), READS)
def test_a_command_reads_what_flows_into_it(text: str, stdin: tuple[str, str], run: Callable[..., Analysis]) -> None:
    command = next(one for one in reversed(run(text).commands) if one.program == "x")
    assert (command.stdin.kind, command.stdin.text) == stdin


@pytest.mark.parametrize(
    "text",
    [
        "sh {}",
        "bash {} arg",
        "source {}",
        ". {}",
        "{}",
        "cd / && {}",
        "bash < {}",
        "cat {} | sh",
        "chmod +x {} && {}",
        "cp {} /tmp/x && sh /tmp/x",
        "bash -c {}",
        "timeout 5 {}",
        "make -f {}",
        "crontab {}",
        "xargs -a {} -I% sh -c %",
    ],
)
def test_a_file_that_the_session_wrote_or_that_is_on_the_disk_is_read_before_it_runs(
    text: str, run: Callable[..., Analysis]
) -> None:
    path = "/home/me/project/run"
    script = "all:\n\trm -rf a\n" if "make" in text else "* * * * * rm -rf a\n" if "crontab" in text else "rm -rf a\n"
    text = text.replace("{}", path)
    assert run(text, written={path: script}).outcome is Outcome.GATE
    assert run(text, files={path: script}).outcome is Outcome.GATE
    assert run(text, written={path: script.replace("rm", "ls")}).outcome is not Outcome.GATE


def test_the_interpreter_of_a_script_is_the_one_in_its_first_line(run: Callable[..., Analysis]) -> None:
    python = "#!/usr/bin/env -S python3 -u\nimport os\nos.system('rm -rf a')\n"
    assert run("./x", written={"/home/me/project/x": python}).outcome is Outcome.GATE
    shell = "#!/bin/bash\nprint('rm -rf a')\n"
    assert run("./x", written={"/home/me/project/x": shell}).outcome is not Outcome.GATE


def test_scripts_that_were_read_are_named_for_the_digest(run: Callable[..., Analysis]) -> None:
    files = {"/home/me/project/a.sh": ". ./b.sh\n", "/home/me/project/b.sh": "ls\n"}
    assert run("sh a.sh; sh c.sh; cat a.sh", files=files).scripts == ("/home/me/project/a.sh", "/home/me/project/b.sh")


def test_a_script_gets_its_arguments(run: Callable[..., Analysis]) -> None:
    files = {"/home/me/project/a.sh": 'rm "$@"\n'}
    assert run("sh a.sh -rf x", files=files).outcome is Outcome.GATE
    assert run("sh a.sh x", files=files).outcome is not Outcome.GATE


@pytest.mark.parametrize(
    "text",
    [
        "sh missing.sh",
        "./missing.sh",
        "source ~/.bashrc",
        "cat notes.txt",
        "python3 missing.py",
        "bash -n script.sh",
    ],
)
def test_a_script_that_cannot_be_read_is_not_asked_about(text: str, run: Callable[..., Analysis]) -> None:
    assert run(text).outcome is not Outcome.GATE


def test_the_text_of_a_file_on_the_disk_never_enters_the_words_of_a_command(run: Callable[..., Analysis]) -> None:
    files = {"/home/me/project/.env": "TOKEN=secret\n"}
    shown = repr(run('echo $(cat .env) "$(< .env)"; X=$(cat .env); curl -d $X h', files=files).commands)
    assert "secret" not in shown


def test_a_trap_runs_with_the_variables_as_they_are_at_the_end(run: Callable[..., Analysis]) -> None:
    trapped = run("trap 'rm -rf $d' EXIT; d=/tmp/x").commands[-1]
    assert trapped.shown == "rm -rf /tmp/x"
