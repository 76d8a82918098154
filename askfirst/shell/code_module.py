"""A Python module as far as its text shows: imports, what names are bound to, and every call that may run."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from askfirst.shell.command import HOLE

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEAVES = frozenset({ast.Name, ast.Constant, ast.Load, ast.Store, ast.Del, *ast.operator.__subclasses__()})
_IDENTIFIER = re.compile(r"(def\s+)?\b([^\W\d]\w*)")
_ALWAYS_RUN = re.compile(r"(?:test|setup|teardown|__\w+__\Z|main\Z|run\Z|handle\Z)", re.IGNORECASE)


class Module(ast.NodeVisitor):
    """Imports, bindings and calls of one module.

    ``known`` are the dotted names that ``from x import *`` may bring in.
    """

    def __init__(self, tree: ast.Module, text: str, known: Iterable[str]) -> None:
        self.names: dict[str, str] = {}
        self.bindings: dict[str, list[ast.expr]] = {}
        self.modules: set[str] = set()
        self.calls: list[ast.Call] = []
        self._functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {}
        self._referenced = _references(text)
        self._known = tuple(known)
        self._unseen: list[ast.expr] = [ast.Name(id=HOLE)]
        self.visit(tree)

    def generic_visit(self, node: ast.AST) -> None:
        """Go on below the node; leaves, which are most nodes, are left out."""
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                for each in value:
                    if type(each) not in _LEAVES and isinstance(each, ast.AST):
                        self.visit(each)
            elif type(value) not in _LEAVES and isinstance(value, ast.AST):
                self.visit(value)

    def visit_Import(self, node: ast.Import) -> None:  # the visitor's protocol
        """Remember what each imported module is called here."""
        for alias in node.names:
            self.modules.add(alias.name.partition(".")[0])
            self.names[alias.asname or alias.name.partition(".")[0]] = (
                alias.name if alias.asname else alias.name.partition(".")[0]
            )

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:  # the visitor's protocol
        """Remember what each imported name stands for."""
        module = node.module or ""
        self.modules.add(module.partition(".")[0])
        for alias in node.names:
            if alias.name == "*":
                self.names.update(
                    {name.rpartition(".")[2]: name for name in self._known if name.startswith(module + ".")}
                )
            else:
                self.names[alias.asname or alias.name] = f"{module}.{alias.name}"

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:  # the visitor's protocol
        """Look into the function when something refers to it."""
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:  # the visitor's protocol
        """Look into the function when something refers to it."""
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if node.name not in self._referenced and not node.decorator_list and not _ALWAYS_RUN.match(node.name):
            return
        self._functions[node.name] = node
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        for argument in [*positional, *arguments.kwonlyargs]:
            self.bindings.setdefault(argument.arg, [])
        for argument, default in zip(reversed(positional), reversed(arguments.defaults), strict=False):
            self.bindings[argument.arg].append(default)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:  # the visitor's protocol
        """Bind every target."""
        for target in node.targets:
            self._bind(target, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:  # the visitor's protocol
        """Bind the target."""
        if node.value is not None:
            self._bind(node.target, node.value)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:  # the visitor's protocol
        """Bind the target to what it may have grown to."""
        if isinstance(node.target, ast.Name):
            before = self.bindings.get(node.target.id, [])
            grown = [ast.BinOp(left=each, op=node.op, right=node.value) for each in before]
            self.bindings[node.target.id] = [*before, *grown][:8]
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:  # the visitor's protocol
        """Bind the target."""
        self._bind(node.target, node.value)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:  # the visitor's protocol
        """Bind the target to any element."""
        self._bind(node.target, node.iter, loops=True)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        """Bind the target to any element."""
        self._bind(node.target, node.iter, loops=True)
        self.generic_visit(node)

    def visit_With(self, node: ast.With) -> None:  # the visitor's protocol
        """Bind what the contexts are called."""
        for item in node.items:
            if item.optional_vars is not None:
                self._bind(item.optional_vars, item.context_expr)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:  # the visitor's protocol
        """Keep the call."""
        self.calls.append(node)
        self.generic_visit(node)

    def _bind(self, target: ast.expr, value: ast.expr, *, loops: bool = False) -> None:
        if isinstance(target, ast.Name):
            self.bindings.setdefault(target.id, []).append(ast.Starred(value=value) if loops else value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            pairs = value.elts if isinstance(value, (ast.Tuple, ast.List)) and not loops else []
            same = len(pairs) == len(target.elts)
            if loops and target.elts and (below := _walked(value)) is not None:
                self._bind(target.elts[0], below)
                for each in target.elts[1:]:
                    self._bind(each, self._unseen[0])
                return
            for index, each in enumerate(target.elts):
                self._bind(each, pairs[index] if same else self._element(value, loops=loops))

    def _element(self, value: ast.expr, *, loops: bool) -> ast.expr:
        return self._unseen[0] if loops else value if isinstance(value, ast.Call) else self._unseen[0]

    def bind_parameters(self) -> None:
        """Binds the parameters of the module's own functions to what they are called with."""
        for call in self.calls:
            function = self._functions.get(call.func.id) if isinstance(call.func, ast.Name) else None
            if function is None:
                continue
            names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
            for name, value in zip(names, call.args, strict=False):
                self.bindings[name].append(value)
            for keyword in call.keywords:
                if keyword.arg in self.bindings:
                    self.bindings[keyword.arg].append(keyword.value)


def _walked(value: ast.expr) -> ast.expr | None:
    """The folder that ``os.walk(top)`` begins with, which stands for all below it."""
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == "walk":
        tops = [*value.args[:1], *(each.value for each in value.keywords if each.arg == "top")]
        return tops[0] if tops else None
    return None


def _references(text: str) -> set[str]:
    """Every word of the text but those that name a function where it is defined."""
    return {match[2] for match in _IDENTIFIER.finditer(text) if not match[1]}
