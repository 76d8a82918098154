"""Commands from plain text, and a rule book with the packs of git and files."""

import pathlib
import shlex
import string
import tomllib

import pytest

from askfirst.effects import Effect, EffectKind, Risk
from askfirst.facts import NoFacts
from askfirst.shell.command import Command, Redirect, Word
from askfirst.shell.files import FILE_JUDGES, judge_files, judge_redirects
from askfirst.shell.find import judge_find, operands
from askfirst.shell.git import judge_git

PACKS = pathlib.Path(__file__).parents[2] / "askfirst/rules/packs"


class SmallBook:
    """The rules of the packs that code emits."""

    def __init__(self) -> None:
        files = [PACKS / f"{name}.toml" for name in ("git", "filesystem", "disk")]
        self.rules = {
            rule["id"]: rule
            for file in files
            for rule in tomllib.loads(file.read_text(encoding="utf-8")).get("rules", [])
        }

    def effect(self, rule_id, command, *, target, risk=None, reversible=None, facts=(), suggestion=None, **values):
        rule = self.rules[rule_id]
        loss = string.Formatter().vformat(rule["loss"], (), {"target": target, **values})
        return Effect(
            rule=rule_id,
            kind=EffectKind(rule["kind"]),
            risk=risk or Risk.of(rule["risk"]),
            reversible=rule["reversible"] if reversible is None else reversible,
            target=target,
            loss=loss,
            suggestion=rule.get("suggestion", "") if suggestion is None else suggestion,
            facts=facts,
        )


BOOK = SmallBook()


def words(text):
    lexer = shlex.shlex(text, posix=False, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    for raw in lexer:
        quoted = raw[:1] in "'\"" or "'" in raw
        yield Word(
            text="".join(shlex.split(raw)) if quoted else raw.replace("\\", ""),
            glob=not quoted and any(c in raw for c in "*?["),
        )


def command(text, *, cwd="/home/me/project", where="", via=()):
    """The simple command in a text without shell operators but ``>`` and assignments in front."""
    found = list(words(text))
    env = {}
    while found and "=" in found[0].text and found[0].text.partition("=")[0].isidentifier():
        name, _, value = found.pop(0).text.partition("=")
        env[name] = Word(text=value)
    redirects = []
    for position, word in enumerate(found):
        if word.text in {">", ">>", ">|", "&>"}:
            redirects.append(Redirect(operator=word.text, target=found[position + 1], fd=1))
    texts = [word.text for word in found]
    first = next((i for i, text in enumerate(texts) if text in {">", ">>", ">|", "&>"}), len(texts))
    return Command(
        argv=tuple(found[:first]) or (Word(text=":"),),
        cwd=cwd,
        env=env,
        redirects=tuple(redirects),
        where=where,
        via=via,
    )


def judge(text, facts=None, **place):
    facts = NoFacts() if facts is None else facts
    parsed = command(text, **place)
    effects = list(judge_redirects(parsed, facts, BOOK))
    if parsed.program == "git":
        effects += judge_git(parsed, facts, BOOK)
    elif parsed.program == "find":
        effects += judge_find(parsed, facts, BOOK)
        texts = [word.text for word in parsed.args]
        if "-exec" in texts:
            start = texts.index("-exec") + 1
            end = next(i for i, t in enumerate(texts[start:], start) if t in {";", "+"})
            for operand in operands(parsed):
                argv = tuple(operand if w.text == "{}" else w for w in parsed.args[start:end])
                inner = Command(argv=argv, cwd=parsed.cwd, via=("find -exec",))
                if inner.program in FILE_JUDGES:
                    effects += judge_files(inner, facts, BOOK)
    elif parsed.program in FILE_JUDGES:
        effects += judge_files(parsed, facts, BOOK)
    return effects


@pytest.fixture(name="judge")
def _judge():
    return judge


@pytest.fixture(name="book")
def _book():
    return BOOK
