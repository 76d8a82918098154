"""Which commands a text comes to: separators, redirections, here-documents, what tree-sitter-bash gets wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from askfirst.effects import Outcome
from askfirst.shell.analysis import Analysis

# text -> every command in order, as people would see it
COMMANDS: list[tuple[str, list[str]]] = [
    ("a; b && c || d | e & f", ["a", "b", "c", "d", "e", "f"]),
    ("a\nb\r\nc", ["a", "b", "c"]),
    ("# a; b\nc # d", ["c"]),
    ("r\\\nm x; git pu\\\nsh", ["rm x", "git push"]),
    ("echo 'a\\\nb'", ["echo a\\\nb"]),
    ("cat > f <<'E'; b\nbody\nE\nc", ["cat", "b", "c"]),
    ("cat <<A <<B; b\n1\nA\n2\nB\nc", ["cat", "b", "c"]),
    ("cat <<E|b\nbody\nE\nc", ["cat", "b", "c"]),
    ("(cat <<E)\nbody\nE\nc", ["cat", "c"]),
    ("cat <<E |\nbody\nE\nb", ["cat", "b"]),
    ("cat <<E && b > o\nbody\nE\nc", ["cat", "b", "c"]),
    ("sudo -u a <<E b\nbody\nE", ["sudo -u a b", "b"]),
    ("cat <<-E\n\tbody\n\tE\nc", ["cat", "c"]),
    ("cat <<'E O F'\nbody\nE O F\nc", ["cat", "c"]),
    ("cat <<\\E\n$(b)\nE", ["cat"]),
    ("cat <<E\n$(b) `c`\nE", ["b", "c", "cat"]),
    ("git commit -m \"$(cat <<'E'\nit's (a) case\nE\n)\"", ["cat", "git commit -m it's (a) case"]),
    ("cat <<E\nunclosed", ["cat"]),
    ("<f cat", ["cat"]),
    ("1>f rm x", ["rm x"]),
    ("cat 2>&1 <<<'x' > f", ["cat"]),
    ("a > f b c", ["a b c"]),
    ("exec 3<>/dev/tcp/h/1", ["exec"]),
    ("time a; time -p b", ["time a", "a", "time -p b", "b"]),
    ("time { a; }", ["time { a", "{ a", "a"]),
    ("! { a; }", ["{ a", "a"]),
    ("! a", ["a"]),
    ("coproc N { a; }", ["{ a", "a"]),
    ("if a; then b; elif c; then d; else e; fi", ["a", "b", "c", "d", "e"]),
    ("while a; do b; done; until c; do d; done", ["a", "b", "c", "d"]),
    ("for ((i=0; i<$(a); i++)); do b; done", ["a", "b"]),
    ("select x in 1; do a; done", ["a"]),
    ("case $(a) in b) c;; (d|e) f;& *) g;; esac", ["a", "c", "f", "g"]),
    ("echo $(case x in a) b;; esac)", ["b", "echo $(case x in a) b;; esac)"]),
    ("f() { a; }", []),
    ("f() { a; }; f", ["a"]),
    ("function f { a; }; f; f", ["a", "a"]),
    ("f() { f; }; f", []),
    ("[ -n $(a) ] && [[ -f $(b) ]]", ["a", "b"]),
    ("(( x = $(a) )); echo $(( $(b) )) $[ $(c) ]", ["a", "b", "c", "echo $(( $(b) )) $[ $(c) ]"]),
    ("echo $[ x='a[$(b)]', x ]", ["b", "echo $[ x='a[$(b)], x ]"]),
    ("x=$(a) y=`b`", ["a", "b"]),
    ("cat <(a) > >(b)", ["a", "cat /dev/fd/100", "b"]),
    ("{a,-b,c}", ["a -b c"]),
    ("rm\u00a0x", ["rm\u00a0x"]),
    ("\ufeffa", ["\ufeffa"]),
    ("a\0b", ["a b"]),
    ("a é; b ü", ["a é", "b ü"]),
]


@pytest.mark.parametrize(("text", "commands"), COMMANDS)
def test_a_text_comes_to_these_commands(text: str, commands: list[str], run: Callable[..., Analysis]) -> None:
    assert [command.shown for command in run(text).commands if command.shown != ":"] == commands


@pytest.mark.parametrize(
    ("text", "writer"),
    [
        ("a && b > f", "b"),
        ("a | b > f", "b"),
        ("a > f && b", "a"),
        ("a; b | c > f 2>&1", "c"),
        ("{ a; b; } > f", ":"),
        ("> f", ":"),
        ("cat <<E > f\nx\nE", "cat"),
    ],
)
def test_a_redirection_belongs_to_the_command_it_stands_behind(
    text: str, writer: str, run: Callable[..., Analysis]
) -> None:
    found = {command.program: [one.target.text for one in command.redirects] for command in run(text).commands}
    assert found.pop(writer)[0] == "f"
    assert not any(found.values())


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("ls; rm -rf  a", ["rm -rf  a"]),
        ("ls é; r\\\nm -rf a", ["r\\\nm -rf a"]),
        ("sudo bash -c 'ls; rm -rf a'", ["rm -rf a"]),
        ('bash -c "rm -rf $X"', ['"rm -rf $X"']),
        ("echo 'rm -rf a' | sh", ["sh"]),
        ("cat <<E\n$(rm -rf a)\nE\nrm -rf b", ["<<E", "rm -rf b"]),
        ("X=rm; $X -rf a; (rm -rf b)", ["$X -rf a", "rm -rf b"]),
        ("env A=1 rm -rf a", ["rm -rf a"]),
    ],
)
def test_the_span_marks_the_offending_part_of_the_original(
    text: str, spans: list[str], run: Callable[..., Analysis]
) -> None:
    assert [text[slice(*effect.span)] for effect in run(text).effects if effect.rule == "double.rm"] == spans


@pytest.mark.parametrize(
    "text", ["rm -rf 'a", 'rm -rf "a', "rm -rf $(a", "(rm -rf a", "rm -rf a |", "if x; rm -rf a", "rm -rf a; case x in"]
)
def test_a_text_that_does_not_parse_hides_nothing_and_is_never_allowed(text: str, run: Callable[..., Analysis]) -> None:
    analysis = run(text)
    assert analysis.outcome is Outcome.GATE
    assert "double.rm" in {effect.rule for effect in analysis.effects}


@pytest.mark.parametrize("text", ["ls 'a", "(ls", "ls $(", "rm !(x)"])
def test_a_text_that_does_not_parse_is_opaque(text: str, run: Callable[..., Analysis]) -> None:
    analysis = run(text)
    assert analysis.outcome is Outcome.PASS
    assert "execution.unparsed" in {effect.rule for effect in analysis.effects}
