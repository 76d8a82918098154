"""Commands from plain text, judged by the code for git and files and by the packs."""

import shlex

import pytest

from askfirst.facts import NoFacts
from askfirst.rules.book import RuleBook
from askfirst.shell.command import Command, Redirect, Word
from askfirst.shell.files import FILE_JUDGES, judge_files, judge_redirects
from askfirst.shell.find import judge_find, operands
from askfirst.shell.git import judge_git

BOOK = RuleBook.load()


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
    effects = [*judge_redirects(parsed, facts, BOOK), *BOOK.match(parsed)]
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
