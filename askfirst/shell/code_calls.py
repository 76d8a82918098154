"""What code in languages without a parser at hand would do, read from its tokens.

One table a language says which calls delete, run or send; ``code_arguments`` says with what, ``code_acts`` what that
comes to.
"""

from __future__ import annotations

import posixpath
import re
import shlex

from askfirst.shell.code_acts import NETWORK_WORDS, Acts
from askfirst.shell.code_arguments import Argument, Arguments
from askfirst.shell.code_lexer import CodeTooLongError, code_tokens
from askfirst.shell.code_table import CALLS
from askfirst.shell.command import HOLE
from askfirst.shell.findings import Collector, Delete, Findings

_ENVIRONMENTS = {"javascript": frozenset({"env"}), "ruby": frozenset({"ENV"}), "php": frozenset({"$_ENV", "$_SERVER"})}
_PACKS = frozenset(
    "stringify log entries URLSearchParams inspect dump generate json_encode print_r puts serialize".split()
)
"""Calls that turn what they are given into text."""
_LIBRARIES = (
    "@aws-sdk",
    "aws-sdk",
    "@google-cloud",
    "@azure",
    "stripe",
    "algolia",
    "@octokit",
    "firebase",
    "@elastic",
    "meilisearch",
    "cloudflare",
    "@kubernetes",
    "digitalocean",
    "aws::",
    "braintree",
    "square",
    "@sendgrid",
    "mailgun",
)
_APPENDS = frozenset({("+", "="), (".", "="), ("<", "<")})
"""``+=``, ``.=`` and Ruby's ``<<``, as tokens."""
_LIBRARY_LOSS = re.compile(r"(?:delete|destroy|terminate|purge|drop|clear|remove)(?:[A-Z_]\w*)")


def inspect_tokens(language: str, text: str) -> Findings:
    """What the tokens of ``text`` would do; ``language`` is one of ``code_lexer.LANGUAGES``."""
    try:
        return _Reader(language, text).findings()
    except CodeTooLongError:
        return Findings(unread=True)


class _Reader:
    """Walks over the tokens of one program."""

    def __init__(self, language: str, text: str) -> None:
        self._language = language
        self._calls = CALLS[language]
        self._tokens = code_tokens(text, language)
        words = {token.text for token in self._tokens if token.kind == "word"}
        strings = {token.text for token in self._tokens if token.kind == "string" and len(token.text) < 40}
        self._names = words | strings
        self._found = Collector()
        self._found.network = bool(words & NETWORK_WORDS)
        self._program = Arguments(language, self._tokens)
        self._acts = Acts(language, self._program, self._names, self._found)
        self._text, self._kind = self._program.text, self._program.kind

    def findings(self) -> Findings:
        """All of them."""
        for index, token in enumerate(self._tokens):
            if token.kind == "command":
                self._command(token.text)
            elif token.kind == "word":
                self._callback(index)
                self._assignment(index)
                self._block(index)
                self._word(index)
            elif token.kind == "string":
                self._callback(index)
                self._string(index)
        return self._found.findings()

    def _command(self, text: str) -> None:
        if self._language == "julia":
            self._found.add("argvs", tuple(_split(text)))
        else:
            self._found.add("shell", text)

    def _string(self, index: int) -> None:
        """Strings that run by where they stand: tagged templates, awk pipes, AppleScript."""
        text, before, after = self._text(index), self._text(index - 1), self._text(index + 1)
        if self._language == "javascript" and before == "$":
            self._found.add("shell", text)
        elif self._language == "awk":
            pipes = before == "|" or (before == "&" and self._text(index - 2) == "|")
            if pipes and text.rpartition("/")[2].partition(" ")[0] in {"sh", "bash", "zsh", "dash"}:
                self._found.add("shell", self._printed(index - 1))
            if pipes or (after == "|" and self._text(index + 2) in {"getline", "&"}):
                self._found.add("shell", text)
            elif before == ">":
                self._found.add("writes", text)
                self._found.add("argvs", ("tee", "--", text))
        elif self._language == "osascript" and [self._text(index - 3), self._text(index - 2), before] == [
            "do",
            "shell",
            "script",
        ]:
            self._found.add("shell", text)

    def _printed(self, pipe: int) -> str:
        """What an awk ``print`` in front of the pipe hands over."""
        start = pipe
        while start > 0 and self._text(start - 1) not in {"print", "printf", ";", "{", "}"}:
            start -= 1
        return " ".join(self._program.values_of(self._tokens[start:pipe])) or HOLE

    def _callback(self, index: int) -> None:
        """``array_map("unlink", …)`` of PHP and ``.then(eval)`` of JavaScript call what they are given."""
        name, caller = self._text(index), self._text(index - 2)
        if self._text(index - 1) != "(" or caller not in {"array_map", "array_walk", "call_user_func", "then"}:
            return
        if caller == "then":
            if name == "eval" and self._found.network:
                self._found.add("foreign", "code from the network")
            return
        given = self._program.at(index + 2)[0] if self._text(index + 1) == "," else Argument(HOLE)
        for _, action in self._calls.get(name, [])[:1]:
            self._acts.add(action, name, [given], index)

    def _assignment(self, index: int) -> None:
        if self._text(index - 1) == ".":
            return
        name, ahead = self._text(index), (self._text(index + 1), self._text(index + 2))
        if ahead in _APPENDS:
            self._appended(name, index + 3)
            return
        declares = ahead == (":", "=")  # Go
        if not declares and (ahead[0] != "=" or ahead[1] in {"=", "~"}):
            return
        value, _ = self._program.at(index + 3 if declares else index + 2)
        new: str | tuple[str, ...] = value.text if value.items is None else value.items
        self._program.variables[name] = new if self._program.variables.get(name, new) == new else HOLE

    def _appended(self, name: str, start: int) -> None:
        """``c += " -rf x"``: what the variable holds from here on."""
        known = self._program.variables.get(name)
        if known is not None:
            value, _ = self._program.at(start)
            is_text = isinstance(known, str) and value.items is None
            self._program.variables[name] = f"{known}{value.text}" if is_text else HOLE

    def _block(self, index: int) -> None:
        """``Dir.glob("x/*").each { |f| … }`` of Ruby: the block's parameter is any of the names."""
        if self._language != "ruby" or self._text(index) not in {"each", "map", "each_slice", "select"}:
            return
        ahead = [self._text(index + step) for step in range(1, 4)]
        if ahead[0] not in {"{", "do"} or ahead[1] != "|" or self._kind(index + 3) != "word":
            return
        before = range(index - 1, max(-1, index - 12), -1)
        names = [self._text(at) for at in before if self._kind(at) == "string"]
        lists = {self._text(at) for at in before} & {"glob", "Dir", "children", "entries", "each_child"}
        if names and lists:
            self._program.variables[ahead[2]] = names[-1] if "*" in names[-1] else posixpath.join(names[-1], "*")

    def _word(self, index: int) -> None:
        name = self._text(index)
        if self._language == "osascript" and name in {"delete", "empty"}:
            self._found.add("deletes", Delete(HOLE, recursive=True))
        if name in _ENVIRONMENTS.get(self._language, ()) and self._is_handed_on(index):
            self._found.add("reads", "$ENV")
        rows = self._calls.get(name)
        if rows is None:
            self._library(name, index)
            return
        receiver = self._receiver(index)
        for wanted, action in rows:
            if wanted in {"*", receiver}:
                arguments = self._program.of_call(index + 1)
                if arguments is None and action in {"loss", "rows"} and self._language == "ruby" and receiver != "-":
                    arguments = []
                if arguments is not None:
                    self._acts.add(action, name, arguments, index)
                return

    def _is_handed_on(self, index: int) -> bool:
        """Whether the whole environment goes into a call that shows or packs it: ``JSON.stringify(process.env)``."""
        start = index - 2 if self._text(index - 1) == "." else index
        return self._text(start - 1) == "(" and self._text(start - 2) in _PACKS and self._text(index + 1) in {")", ","}

    def _library(self, name: str, index: int) -> None:
        """Calls such as ``client.deleteIndex("prod")`` in code that uses a cloud or data library."""
        is_method = self._text(index - 1) == "." and self._text(index + 1) == "("
        if not (is_method and _LIBRARY_LOSS.fullmatch(name)):
            return
        if any(text.lower().startswith(_LIBRARIES) for text in self._names):
            self._found.add("losses", name)

    def _receiver(self, index: int) -> str:
        """The word in front of the dot, ``-`` when there is none, ``?`` when it is an expression."""
        if self._text(index - 1) not in {".", "::", "->"}:
            return "-"
        if self._kind(index - 2) == "word":
            return self._text(index - 2)
        if self._text(index - 2) == ")" and self._kind(index - 3) == "string":
            return self._text(index - 3).removeprefix("node:").removesuffix("/promises")  # require("fs").rm(…)
        return "?"


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
