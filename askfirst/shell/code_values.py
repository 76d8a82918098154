"""The values of Python expressions as far as they can be known without running anything.

A value is text with ``HOLE``s, a list of such texts, or a dotted name (a module, class or function). What glob and
directory listings return is one text with its ``*``. Decoders of
literals (base64, hex, rot13, zlib …) are computed; everything else that is not simple is a ``HOLE``.
"""

from __future__ import annotations

import ast
import base64
import binascii
import codecs
import posixpath
import shlex
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_MAX_CHARS = 200_000
_MAX_DEPTH = 25
_MAX_STEPS = 20_000
_MAX_BINDINGS = 32
_MAX_ELEMENTS = 64
_MAX_ITEMS = 500
SCRATCH = "/tmp/tmp.askfirst"  # noqa: S108  # stands for any path that tempfile made up


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted name after imports are resolved, e.g. ``shutil.rmtree``."""

    dotted: str


Value = str | tuple[str, ...] | Name

_TEMPORARY = frozenset(
    {
        "tempfile.mkdtemp",
        "tempfile.mkstemp",
        "tempfile.mktemp",
        "tempfile.NamedTemporaryFile",
        "tempfile.TemporaryDirectory",
        "tempfile.TemporaryFile",
    }
)
_PATHS = frozenset({"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "str", "os.fspath", "bytes", "repr"})
_PATH_METHODS = frozenset({"resolve", "absolute", "expanduser", "as_posix", "strip", "rstrip", "lstrip", "__str__"})
_ROOTS = {"os.path.abspath", "os.path.realpath", "os.path.normpath", "pathlib.Path", "os.path.expandvars"}
_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "base64.b64decode": base64.b64decode,
    "base64.standard_b64decode": base64.b64decode,
    "base64.urlsafe_b64decode": base64.urlsafe_b64decode,
    "base64.decodebytes": base64.decodebytes,
    "base64.b32decode": base64.b32decode,
    "base64.b16decode": base64.b16decode,
    "base64.b85decode": base64.b85decode,
    "base64.a85decode": base64.a85decode,
    "binascii.a2b_base64": binascii.a2b_base64,
    "binascii.unhexlify": binascii.unhexlify,
    "binascii.a2b_hex": binascii.unhexlify,
    "bytes.fromhex": binascii.unhexlify,
    "bytearray.fromhex": binascii.unhexlify,
    "zlib.decompress": lambda data: zlib.decompressobj().decompress(data, _MAX_CHARS),
}
DECODERS = frozenset(_DECODERS) | {"codecs.decode", "gzip.decompress", "lzma.decompress", "bz2.decompress"}
"""Calls whose result is decoded data."""


def text_of(value: Value | None) -> str:
    """The value as one text; a list or an unknown is a ``HOLE``."""
    return value if isinstance(value, str) else HOLE


class Values:
    """Evaluates expressions in one module.

    ``names`` maps an imported name to its dotted name, ``bindings`` a variable to every expression it is bound to.
    """

    def __init__(self, names: Mapping[str, str], bindings: Mapping[str, Sequence[ast.expr]], home: str) -> None:
        self._names = names
        self._bindings = bindings
        self._home = home or HOLE
        self._active: set[str] = set()
        self._depth = 0
        self._steps = 0

    @property
    def exhausted(self) -> bool:
        """Whether the evaluation was given up, so that values are ``HOLE``s that could have been known."""
        return self._steps > _MAX_STEPS

    def dotted(self, node: ast.expr) -> str:
        """The dotted name that ``node`` stands for, ``""`` when it is none; unknown receivers are a ``HOLE``."""
        value = self.value(node)
        return value.dotted if isinstance(value, Name) else ""

    def value(self, node: ast.expr) -> Value:
        """What ``node`` evaluates to; a ``HOLE`` when that is unknown."""
        self._depth += 1
        self._steps += 1  # variables that double each other would otherwise cost 2 ** depth
        try:
            if self._depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
                return HOLE
            evaluate = _NODES.get(type(node))
            value = evaluate(self, node) if evaluate else HOLE
            return value[:_MAX_CHARS] if isinstance(value, str) else value
        finally:
            self._depth -= 1

    def strings(self, node: ast.expr) -> list[str]:
        """Every text that ``node`` may be: all bindings of a variable count."""
        if isinstance(node, ast.Name) and node.id in self._bindings and node.id not in self._active:
            bound = self._bindings[node.id]
            rest = [HOLE] if len(bound) > _MAX_BINDINGS else []
            self._active.add(node.id)
            try:
                return [text for each in bound[:_MAX_BINDINGS] for text in self._spread(each)] + rest or [HOLE]
            finally:
                self._active.discard(node.id)
        return self._spread(node)

    def _spread(self, node: ast.expr) -> list[str]:
        if isinstance(node, ast.Starred):  # one element of a list, whichever
            return _clipped(self.argv(node.value) or (HOLE,), _MAX_ELEMENTS)
        value = self.value(node)
        return list(value) if isinstance(value, tuple) else [text_of(value)]

    def argv(self, node: ast.expr) -> tuple[str, ...] | None:
        """The texts of a list, ``None`` when ``node`` is no list that can be seen."""
        value = self.value(node)
        return value if isinstance(value, tuple) else None

    def _name(self, node: ast.Name) -> Value:
        if node.id not in self._bindings:
            return Name(self._names.get(node.id, node.id))
        return HOLE if node.id in self._active else self._same(node.id, self._bindings[node.id])

    def _same(self, name: str, bound: Sequence[ast.expr]) -> Value:
        self._active.add(name)
        try:
            values = {self.value(each) for each in bound[:8]}
        finally:
            self._active.discard(name)
        return values.pop() if len(values) == 1 and len(bound) <= 8 else HOLE

    def _attribute(self, node: ast.Attribute) -> Value:
        owner = self.value(node.value)
        if isinstance(owner, Name):
            return self._known(f"{owner.dotted}.{node.attr}")
        if isinstance(owner, str):
            if node.attr == "path" or (node.attr == "name" and owner.startswith(SCRATCH)):
                return owner
            if node.attr == "parent" and HOLE not in owner and owner:
                return posixpath.dirname(owner) or "."
        return Name(f"{HOLE}.{node.attr}")

    def _known(self, dotted: str) -> Value:
        if dotted == "os.sep":
            return "/"
        return Name(dotted)

    def _binary(self, node: ast.BinOp) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if isinstance(node.op, ast.Div):
            return posixpath.join(text_of(left), text_of(right))
        if isinstance(node.op, ast.Mod) and isinstance(left, str):
            return _percent(left, right)
        if not isinstance(node.op, ast.Add):
            return HOLE
        if isinstance(left, tuple):
            return (*left, *(right if isinstance(right, tuple) else (HOLE,)))
        return text_of(left) + text_of(right)

    def _fstring(self, node: ast.JoinedStr) -> Value:
        return "".join(text_of(self.value(part)) for part in node.values)

    def _formatted(self, node: ast.FormattedValue) -> Value:
        return text_of(self.value(node.value))

    def _constant(self, node: ast.Constant) -> Value:
        if isinstance(node.value, str):
            return node.value
        if isinstance(node.value, bytes):
            return node.value.decode("latin-1")
        return str(node.value)

    def _list(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        items: list[str] = []
        for each in node.elts[: _MAX_ITEMS + 1]:
            if isinstance(each, ast.Starred):
                items += self.argv(each.value) or (HOLE,)
            else:
                items.append(text_of(self.value(each)))
        return tuple(_clipped(items, _MAX_ITEMS))

    def _subscript(self, node: ast.Subscript) -> Value:
        owner = self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            reverses = isinstance(node.slice.step, ast.UnaryOp) and node.slice.lower is None
            return owner[::-1] if reverses and isinstance(owner, str) else HOLE
        key = text_of(self.value(node.slice))
        if isinstance(owner, Name):
            if owner.dotted == "os.environ":
                return self._home if key == "HOME" else HOLE
            if owner.dotted in {"sys.modules", "globals()", "__builtins__.__dict__"}:
                return Name(key)
        if isinstance(owner, tuple) and key.isdigit() and int(key) < len(owner):
            return owner[int(key)]
        return HOLE

    def _element(self, node: ast.Starred) -> Value:
        items = self.argv(node.value) or ()
        return items[0] if len(items) == 1 else HOLE

    def _choice(self, node: ast.IfExp) -> Value:
        return self.value(node.body)

    def _named(self, node: ast.NamedExpr) -> Value:
        return self.value(node.value)

    def _await(self, node: ast.Await) -> Value:
        return self.value(node.value)

    def _call(self, node: ast.Call) -> Value:
        function = self.value(node.func)
        if isinstance(function, Name):
            known = self._function(function.dotted, node)
            if known is not None:
                return known
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func, node)
        return HOLE

    def _function(self, dotted: str, node: ast.Call) -> Value | None:  # a table of special functions
        first = self.value(node.args[0]) if node.args else ""
        text = text_of(first)
        if dotted in {"__import__", "importlib.import_module", "builtins.__import__", "importlib.__import__"}:
            return Name(text)
        if dotted == "getattr" and len(node.args) >= 2:
            owner = first.dotted if isinstance(first, Name) else HOLE
            return Name(f"{owner}.{text_of(self.value(node.args[1]))}")
        if dotted in {"globals", "vars", "locals"}:
            return Name("globals()" if not node.args else "sys.modules")
        if dotted in _TEMPORARY:
            return SCRATCH
        if dotted == "tempfile.gettempdir":
            return "/tmp"  # noqa: S108  # recognised, not written
        if dotted in _PATHS | _ROOTS or dotted == "chr":
            return self._conversion(dotted, node, text)
        if dotted in {"os.path.join", "posixpath.join"}:
            return posixpath.join(*(text_of(self.value(each)) for each in node.args)) if node.args else ""
        return self._lookup(dotted, node, text) or self._decoded(dotted, node, text)

    def _conversion(self, dotted: str, node: ast.Call, text: str) -> Value:
        if dotted == "chr":
            return chr(int(text)) if text.isdecimal() and int(text) < 0x110000 else HOLE
        if not node.args:
            return "."
        if dotted == "bytes":
            numbers = self.argv(node.args[0]) or ()
            if numbers and all(number.isdecimal() and int(number) < 256 for number in numbers):
                return "".join(chr(int(number)) for number in numbers)
        return (
            posixpath.join(text, *(text_of(self.value(each)) for each in node.args[1:])) if "Path" in dotted else text
        )

    def _lookup(self, dotted: str, node: ast.Call, text: str) -> Value | None:
        if dotted in {"os.path.expanduser", "pathlib.Path.home", "os.getenv", "os.environ.get"}:
            if dotted.endswith("home") or text == "HOME":
                return self._home
            return self._home + text[1:] if text.startswith("~") else HOLE if "env" in dotted else text
        if dotted in {"glob.glob", "glob.iglob"}:
            return (text,)
        if dotted == "os.listdir":
            return ("*",)
        if dotted == "os.scandir":
            return (posixpath.join(text or ".", "*"),)
        if dotted in {"os.getcwd", "pathlib.Path.cwd"}:
            return "."
        if dotted in {"os.path.dirname", "os.path.basename"} and HOLE not in text:
            return posixpath.dirname(text) if dotted.endswith("dirname") else posixpath.basename(text)
        if dotted == "shlex.split" and HOLE not in text:
            return _split(text)
        if dotted in {"list", "tuple", "sorted", "reversed"} and node.args:
            return self.argv(node.args[0])
        return None

    def _decoded(self, dotted: str, node: ast.Call, text: str) -> Value | None:
        decode = _DECODERS.get(dotted)
        if HOLE in text or not node.args:
            return None
        try:
            if decode is not None:
                return decode(text.encode("latin-1")).decode("latin-1")
            if dotted == "codecs.decode" and len(node.args) == 2:
                return _codec(text, text_of(self.value(node.args[1])))
        except (ValueError, zlib.error, UnicodeError, LookupError):
            return None
        return None

    def _method(self, function: ast.Attribute, node: ast.Call) -> Value:  # a table of methods
        owner = self.value(function.value)
        arguments = [self.value(each) for each in node.args]
        if not isinstance(owner, str):
            return HOLE
        method = function.attr
        if method in {"decode", "encode"} or method in _PATH_METHODS:
            codec = text_of(arguments[0]) if arguments else ""
            if codec in {"rot13", "rot_13", "hex", "base64"}:
                return _decoded_or_hole(owner, codec)
            return self._home + owner[1:] if method == "expanduser" and owner.startswith("~") else owner
        if method == "join" and arguments and isinstance(arguments[0], tuple):
            return owner.join(arguments[0]) if sum(map(len, arguments[0])) < _MAX_CHARS else HOLE
        if method in {"glob", "rglob", "iterdir"}:
            wanted = text_of(arguments[0]) if arguments else "*"
            return (posixpath.join(owner, "**" if method == "rglob" else "", wanted),)
        if method == "joinpath":
            return posixpath.join(owner, *(text_of(each) for each in arguments))
        if method == "format":
            return _format(owner, [text_of(each) for each in arguments])
        if method == "split" and not arguments and HOLE not in owner:
            return tuple(owner.split())
        if method == "replace" and len(arguments) >= 2:
            old, new = (text_of(each) for each in arguments[:2])
            fits = owner.count(old) * len(new) < _MAX_CHARS if old else False
            return owner.replace(old, new) if fits and HOLE not in old else HOLE
        return _SIMPLE_METHODS[method](owner) if method in _SIMPLE_METHODS else HOLE


_SIMPLE_METHODS: dict[str, Callable[[str], str]] = {"lower": str.lower, "upper": str.upper, "title": str.title}


def _clipped(texts: Sequence[str], limit: int) -> list[str]:
    """The first ones; what was left out is one that is not known."""
    return [*texts[:limit], HOLE] if len(texts) > limit else list(texts)


def _split(text: str) -> tuple[str, ...] | None:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return None


def _decoded_or_hole(text: str, codec: str) -> str:
    try:
        return _codec(text, codec)
    except (ValueError, UnicodeError):
        return HOLE


def _codec(text: str, codec: str) -> str:
    if codec in {"rot13", "rot_13"}:
        return codecs.decode(text, "rot13")
    data = text.encode("latin-1")
    if codec in {"hex", "hex_codec"}:
        return binascii.unhexlify(data).decode("latin-1")
    return binascii.a2b_base64(data).decode("latin-1") if codec in {"base64", "base64_codec"} else text


def _percent(template: str, right: Value) -> str:
    """``template % right`` for ``%s`` and ``%d``."""
    values = iter(right) if isinstance(right, tuple) else iter([text_of(right)])
    pieces = template.split("%")
    out = [pieces[0]]
    out += [next(values, HOLE) + piece[1:] if piece[:1] in {"s", "d", "r"} else "%" + piece for piece in pieces[1:]]
    return "".join(out)


def _format(template: str, values: list[str]) -> str:
    """``template.format(*values)`` for ``{}`` and ``{0}``; named fields are unknown."""
    rest = iter(values)
    out: list[str] = []
    pieces = template.split("{")
    for index, piece in enumerate(pieces):
        if not index:
            out.append(piece)
            continue
        field, _, tail = piece.partition("}")
        if not field:
            out.append(next(rest, HOLE))
        else:
            out.append(values[int(field)] if field.isdecimal() and int(field) < len(values) else HOLE)
        out.append(tail)
    return "".join(out)


_NODES: dict[type[ast.expr], Callable[[Values, ast.expr], Value]] = {
    ast.Name: Values._name,  # type: ignore[dict-item]  # noqa: SLF001  # each method takes the node type of its key
    ast.Attribute: Values._attribute,  # type: ignore[dict-item]  # noqa: SLF001
    ast.BinOp: Values._binary,  # type: ignore[dict-item]  # noqa: SLF001
    ast.JoinedStr: Values._fstring,  # type: ignore[dict-item]  # noqa: SLF001
    ast.FormattedValue: Values._formatted,  # type: ignore[dict-item]  # noqa: SLF001
    ast.Constant: Values._constant,  # type: ignore[dict-item]  # noqa: SLF001
    ast.List: Values._list,  # type: ignore[dict-item]  # noqa: SLF001
    ast.Tuple: Values._list,  # type: ignore[dict-item]  # noqa: SLF001
    ast.Set: Values._list,  # type: ignore[dict-item]  # noqa: SLF001
    ast.Subscript: Values._subscript,  # type: ignore[dict-item]  # noqa: SLF001
    ast.Call: Values._call,  # type: ignore[dict-item]  # noqa: SLF001
    ast.Starred: Values._element,  # type: ignore[dict-item]  # noqa: SLF001
    ast.IfExp: Values._choice,  # type: ignore[dict-item]  # noqa: SLF001
    ast.NamedExpr: Values._named,  # type: ignore[dict-item]  # noqa: SLF001
    ast.Await: Values._await,  # type: ignore[dict-item]  # noqa: SLF001
}
