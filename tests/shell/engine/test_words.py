"""What the words of a command become: the expansions of the shell, case by case."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from askfirst.shell.analysis import Analysis
from askfirst.shell.command import HOLE

# text -> the words of the last command
EXPANSIONS: list[tuple[str, list[str]]] = [
    ("echo a  b", ["a", "b"]),
    ("echo 'a  b'\"c d\"e", ["a  bc de"]),
    (r"echo a\ b \"c\" \\", ["a b", '"c"', "\\"]),
    (r'echo "a\$b \n \" \\"', ['a$b \\n " \\']),
    (r"echo $'a\tb\x41\101\u00e9\'c'", ["a\tbAAé'c"]),
    ('echo $"a b"', ["a b"]),
    ("echo '' \"\" $X''", ["", "", HOLE]),
    ("unset E; echo a $E b", ["a", "b"]),
    ("echo $1 ${2} a", ["a"]),
    ('echo "$1" a', ["", "a"]),
    ('rm "$1"/*', ["/*"]),
    ("echo ~ ~/x ~root/y ~bob 'a~'", ["/home/me", "/home/me/x", "/root/y", "/home/bob", "a~"]),
    ("echo $HOME/x ${HOME}y $PWD", ["/home/me/x", "/home/mey", "/home/me/project"]),
    ("cd sub && echo $PWD $OLDPWD", ["/home/me/project/sub", "/home/me/project"]),
    ("cd / && cd - && echo $PWD", ["/home/me/project"]),
    ("(cd /); echo $PWD", ["/home/me/project"]),
    ("cd; echo $PWD", ["/home/me"]),
    ("pushd /a; popd; echo $PWD", ["/home/me/project"]),
    ("echo a${IFS}b", ["a", "b"]),
    ("X='a b'; echo $X", ["a", "b"]),
    ("X='a b'; echo \"$X\"", ["a b"]),
    ("X=' a '; echo b${X}c", ["b", "a", "c"]),
    ("X=old; X=new echo $X", ["old"]),
    ("a=1 b=$a; echo $b", ["1"]),
    ("a=1; a+=2; echo $a", ["12"]),
    ("echo ${X:-d} ${X-d} ${X:=e} $X", ["d", "d", "e", "e"]),
    ("X=v; echo ${X:-d} ${X:+alt} ${#X}", ["v", "alt", "1"]),
    ("echo ${TMPDIR:-/tmp}/x", ["/tmp/x"]),
    ("f=/a/b.tar.gz; echo ${f##*/} ${f#*/} ${f%.*} ${f%%.*}", ["b.tar.gz", "a/b.tar.gz", "/a/b.tar", "/a/b"]),
    ("x=aXbX; echo ${x/X/-} ${x//X/-} ${x/%X/-} ${x/#a/-}", ["a-bX", "a-b-", "aXb-", "-XbX"]),
    ("x=abc; echo ${x:1} ${x:0:2} ${x: -1} ${x^} ${x^^}", ["bc", "ab", "c", "Abc", "ABC"]),
    ("y=x; x=z; echo ${!y}", ["z"]),
    ("a=(p 'q r' s); echo ${a[0]} \"${a[1]}\" ${#a}", ["p", "q r", "7"]),
    ('a=(p "q r"); a+=(s); echo "${a[@]}"', ["p", "q r", "s"]),
    ("set -- a 'b c'; echo \"$@\" $#", ["a", "b c", HOLE]),
    ("set -- a b c; shift; echo $1 $*", ["b", "b", "c"]),
    ("f() { echo $1 $0; }; f x y", ["x", "bash"]),
    ("echo a{b,c}d {1..3} {a..c} {01..03}", ["abd", "acd", "1", "2", "3", "a", "b", "c", "01", "02", "03"]),
    ("echo {a,b}{c,d} x{}y {a} '{a,b}'", ["ac", "ad", "bc", "bd", "x{}y", "{a}", "{a,b}"]),
    ("echo {a,{b,c}}", ["a", "b", "c"]),
    ('echo $(echo a b) "$(echo c d)" `echo e`', ["a", "b", "c d", "e"]),
    (r"echo `echo \`echo x\``", ["x"]),
    ("echo $(printf '%s-%s' a b) $(pwd) $(which rm)", ["a-b", "/home/me/project", "/usr/bin/rm"]),
    ("echo $(dirname /a/b) $(basename /a/b.c .c)", ["/a", "b"]),
    ("echo $(mktemp) $(mktemp -d /x/y.XXXXXX)", [f"/tmp/tmp.{HOLE}", f"/x/y.{HOLE}"]),
    ("echo text > f; echo $(cat f) $(<f)", ["text", "text"]),
    ('echo $(ls) "$(unknown)"', [HOLE, HOLE]),
    ("echo $UNKNOWN/x /tmp/${UNKNOWN}", [f"{HOLE}/x", f"/tmp/{HOLE}"]),
    ("read a b <<< 'x y z'; echo $a - $b", ["x", "-", "y", "z"]),
    ("printf -v x '%s!' a; echo $x", ["a!"]),
    ("mapfile -t l <<< $'a\\nb'; echo \"${l[@]}\"", ["a", "b"]),
    ("export A=1; bash -c 'echo $A $B'", ["1", HOLE]),
    ("bash -c 'echo $0 $1 \"$@\"' n p q", ["n", "p", "p", "q"]),
    ("declare -r A=x; local B=y; echo $A$B", ["xy"]),
    ("A=x; unset A; echo a$A", ["a"]),
    ("echo $((1 + 2))x $[3]", [f"{HOLE}x", HOLE]),
    ("if x; then A=1; fi; echo ${A:-2}", ["1"]),
    ("echo a\\\nb 'c\\\nd' \"e\\\nf\"", ["ab", "c\\\nd", "ef"]),
    ("echo a#b # c", ["a#b"]),
    ("alias e='echo -n'; e x", ["-n", "x"]),
]


@pytest.mark.parametrize(("text", "words"), EXPANSIONS)
def test_words_are_expanded_as_the_shell_does_it(text: str, words: list[str], run: Callable[..., Analysis]) -> None:
    command = run(text).commands[-1]
    assert [word.text for word in command.args] == words


@pytest.mark.parametrize(
    ("text", "patterns"),
    [
        ("rm *.log 'a*' \"b*\" c\\* d?", [True, False, False, False, True]),
        ("X='*'; rm $X \"$X\"", [True, False]),
        ("rm [ab]c x{a,b}*", [True, True, True]),
    ],
)
def test_a_word_says_whether_the_shell_would_match_file_names(
    text: str, patterns: list[bool], run: Callable[..., Analysis]
) -> None:
    assert [word.glob for word in run(text).commands[-1].args] == patterns


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("for x in a b; do echo $x; done", ["a", "b"]),
        ("for x in a b; do for y in 1 2; do echo $x$y; done; done", ["a1", "a2", "b1", "b2"]),
        ("x=a; if c; then x=b; fi; echo $x", ["a", "b"]),
        ("x=a; c || x=b; echo $x", ["a", "b"]),
        ("case $1 in a) x=1;; *) x=2;; esac; echo $x", ["1", "2"]),
        ("x=a; while c; do echo $x; x=b; done", ["a", "a", "b"]),
        ("printf '%s\\n' p q | while read -r l; do echo $l; done", ["p", "q"]),
        ("for x in {1..1000}; do echo $x; done", [HOLE]),
    ],
)
def test_every_value_that_a_variable_may_have_counts(
    text: str, values: list[str], run: Callable[..., Analysis]
) -> None:
    echoes = [command.args[0].text for command in run(text).commands if command.program == "echo"]
    assert sorted(set(echoes)) == sorted(set(values))


def test_unknown_parts_are_shown_as_they_were_written(run: Callable[..., Analysis]) -> None:
    command = run('rm -f "$DIR/x" ${A}b $(date)').commands[-1]
    assert command.shown == "rm -f $DIR/x ${A}b $(date)"
