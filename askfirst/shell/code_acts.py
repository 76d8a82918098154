"""What calls in program text do, once their arguments are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from askfirst.shell.code_arguments import DECODERS, Argument
from askfirst.shell.code_values import SCRATCH
from askfirst.shell.command import HOLE
from askfirst.shell.findings import Code, Collector, Delete

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from askfirst.shell.code_arguments import Arguments

NETWORK_WORDS = frozenset(
    {
        "fetch",
        "axios",
        "https",
        "http",
        "urlopen",
        "requests",
        "LWP",
        "getstore",
        "TCPSocket",
        "fsockopen",
        "curl_exec",
        "Net",
    }
)
_MODULES = frozenset({"shutil", "os", "FileUtils", "File"})
_EVALUATES = frozenset({"eval", "exec", "Function", "runInContext", "runInNewContext", "runInThisContext"})
"""Calls that take nothing but code; ``assert`` and ``instance_eval`` are mostly given something else."""
_NO_FILTERS: tuple[list[str], ...] = ([], ["{", "}"], ["{", "where", ":", "{", "}", "}"])
_HTTP_CHANGES = ("DELETE", "POST", "PUT", "PATCH", "delete", "post", "put", "patch")


class Acts:
    """Notes what the calls of one program do.

    Args:
        language: one of ``code_lexer.LANGUAGES``.
        program: its tokens and what they come to.
        names: its words and short strings.
        found: where it is noted.
    """

    def __init__(self, language: str, program: Arguments, names: AbstractSet[str], found: Collector) -> None:
        self._language = language
        self._program = program
        self._names = names
        self._found = found

    def add(self, action: str, name: str, arguments: list[Argument], index: int) -> None:
        """Note what the call of ``name`` at ``index`` does; ``action`` is one of ``code_table``."""
        if action in {"shell", "argv", "popen"}:
            self._process(action, name, arguments)
        elif action in {"delete", "delete-tree"}:
            self._delete(action, name, arguments, index)
        elif action == "code":
            self._code(name, arguments)
        elif action == "loss":
            self._found.add("losses", name)
        elif action == "rows":
            self._found.add("rows", name)
        elif action == "rows-of":
            self._rows(name, arguments)
        elif action == "network":
            self._found.network = True
        elif action.startswith("http"):
            self._request(action, arguments)
        elif arguments:
            self._paths_or_sql(action, arguments)

    def _rows(self, name: str, arguments: list[Argument]) -> None:
        """``deleteMany({})`` empties the table, ``deleteMany({where: …})`` deletes some of its rows."""
        filtered = [token.text for token in arguments[0].tokens] if arguments else []
        if filtered in _NO_FILTERS:
            self._found.add("losses", f"{name} without a filter")
        else:
            self._found.add("rows", name)

    def _request(self, action: str, arguments: list[Argument]) -> None:
        """A request over HTTP, as the command line that it comes to."""
        is_network = self._found.network
        self._found.network = True
        verb = {"http-delete": "DELETE", "http-post": "POST"}.get(action, "")
        for each in arguments[:2]:
            verb = verb or next((one for one in _HTTP_CHANGES if each.has("method", one)), "")
        address = arguments[0].text if arguments else HOLE
        is_path = address.startswith("/") and is_network
        if verb and (address.startswith("http") or is_path or (address == HOLE and action != "http-delete")):
            self._found.add("argvs", ("curl", "-X", verb.upper(), f"https://{HOLE}{address}" if is_path else address))

    def _paths_or_sql(self, action: str, arguments: list[Argument]) -> None:
        text = arguments[0].text
        fields = {"write": "writes", "read": "reads", "sql": "sql"}
        if action != "sql" or text != HOLE:
            self._found.add(fields[action], text)

    def _process(self, action: str, name: str, arguments: list[Argument]) -> None:
        if not arguments or (name == "exec" and self._language == "javascript" and not self._has_child_process()):
            return
        first = arguments[0]
        if action == "popen":
            modes = [argument.text.strip() for argument in arguments[1:]]
            if any("|" in mode for mode in modes):
                self._found.add("shell", (arguments[2].text if len(arguments) > 2 else arguments[1].text).strip("| "))
        elif first.items is not None:
            self._found.add("argvs", first.items)
        elif action == "argv" or (len(arguments) > 1 and self._language in {"ruby", "perl"} and first.text != HOLE):
            self._vector(first, arguments)
        elif self._is_foreign(first):
            self._found.add("foreign", "a shell command from the network")
        else:
            self._found.add("shell", first.text)

    def _vector(self, first: Argument, arguments: list[Argument]) -> None:
        listed = next((argument.items for argument in arguments[1:] if argument.items is not None), None)
        if any(argument.has("shell", "true") or argument.has("shell", "True") for argument in arguments):
            self._found.add("shell", " ".join((first.text, *(listed or ()))))
        elif listed is None and self._language in {"ruby", "perl", "go", "java"}:
            self._found.add("argvs", tuple(argument.text for argument in arguments))
        else:
            inner = self._program.listed(arguments) if listed is None else listed
            words = (first.text, *inner) if first.text != HOLE or not inner else inner
            self._found.add("argvs", tuple(words))

    def _has_child_process(self) -> bool:
        wanted = {"child_process", "node:child_process", "shelljs", "execa", "zx"}
        return bool(wanted & self._names)

    def _is_foreign(self, argument: Argument) -> bool:
        if HOLE not in argument.text:
            return False
        names = {token.text for token in argument.tokens if token.kind == "word"}
        addresses = (token.text for token in argument.tokens if token.kind == "string")
        return bool(names & NETWORK_WORDS) or any(text.startswith(("http://", "https://")) for text in addresses)

    def _delete(self, action: str, name: str, arguments: list[Argument], index: int) -> None:
        recursive = action == "delete-tree" or any(
            argument.has("recursive", "true") or argument.has("recursive", "TRUE") for argument in arguments
        )
        if name in {"rmdir", "rmdirSync"} and not recursive:
            return  # removes empty folders only
        if not arguments or (
            self._language in {"ruby", "python"} and name in {"rmtree", "unlink"} and self._is_method(index)
        ):
            arguments = [Argument(self._program.called_on(index))]
        several = self._language in {"perl", "ruby", "r"}
        for argument in arguments if several else arguments[:1]:
            if argument.tokens and argument.tokens[0].text in {"{", "recursive", ":"}:
                continue
            for path in argument.items if argument.items is not None else (argument.text,):
                if not path.startswith(SCRATCH):
                    self._found.add("deletes", Delete(path, recursive))

    def _is_method(self, index: int) -> bool:
        return self._program.text(index - 1) == "." and self._program.text(index - 2) not in _MODULES

    def _code(self, name: str, arguments: list[Argument]) -> None:
        if not arguments:
            return
        argument = arguments[-1] if name == "Function" else arguments[0]
        if HOLE not in argument.text:
            self._found.add("code", Code(self._language, argument.text))
        elif self._is_foreign(argument):
            self._found.add("foreign", "code from the network")
        elif DECODERS & {token.text for token in argument.tokens}:
            self._found.add("foreign", "code out of a decoder")
        elif (
            self._found.network and name in _EVALUATES
        ):  # it came in by a callback: `r.on("data", c => d += c); … eval(d)`
            self._found.add("foreign", "a computed text in code that talks to the network")
        else:
            self._found.add("opaque", f"{name} of a computed text")
