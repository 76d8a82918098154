"""What Python code would do, read from its syntax tree.

Imports, aliases, ``getattr`` and ``__import__`` are resolved to dotted names; the tables below say what each one does.
Bodies of functions that nothing in the text refers to are not looked at: defining is not running.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from askfirst.shell.code_module import Module
from askfirst.shell.code_values import DECODERS, SCRATCH, Values, text_of
from askfirst.shell.command import HOLE
from askfirst.shell.findings import Code, Collector, Delete

if TYPE_CHECKING:
    from askfirst.shell.findings import Findings

_SHELL = frozenset(
    {
        "os.system",
        "os.popen",
        "posix.system",
        "nt.system",
        "subprocess.getoutput",
        "subprocess.getstatusoutput",
        "commands.getoutput",
        "commands.getstatusoutput",
        "asyncio.create_subprocess_shell",
        "pexpect.run",
        "pexpect.spawn",
        "pexpect.spawnu",
        "pty.spawn",
    }
)
_PROCESS = frozenset(
    {
        "subprocess.run",
        "subprocess.call",
        "subprocess.check_call",
        "subprocess.check_output",
        "subprocess.Popen",
    }
)
_EXEC = {
    "os.execv": 1,
    "os.execve": 1,
    "os.execvp": 1,
    "os.execvpe": 1,
    "os.spawnv": 2,
    "os.spawnvp": 2,
    "os.spawnve": 2,
    "os.spawnvpe": 2,
    "os.posix_spawn": 1,
    "os.posix_spawnp": 1,
}
_EXEC_WORDS = {
    "os.execl": 1,
    "os.execlp": 1,
    "os.execle": 1,
    "os.spawnl": 2,
    "os.spawnlp": 2,
    "asyncio.create_subprocess_exec": 0,
}
_DELETE = {
    "os.remove": False,
    "os.unlink": False,
    "posix.remove": False,
    "posix.unlink": False,
    "shutil.rmtree": True,
    "distutils.dir_util.remove_tree": True,
    "setuptools._distutils.dir_util.remove_tree": True,
}
_REMOTE_METHODS = frozenset({"exec_command", "sudo"})
_SQL_METHODS = frozenset(
    {"execute", "executescript", "executemany", "exec_driver_sql", "raw", "query", "read_sql_query"}
)
_NETWORK = frozenset(
    {"requests", "httpx", "urllib", "urllib2", "urllib3", "socket", "aiohttp", "http", "smtplib", "ftplib", "paramiko"}
)
_HTTP = frozenset({"requests", "httpx", "urllib", "urllib2", "urllib3", "aiohttp", "http"})
_HTTP_CHANGES = frozenset({"DELETE", "POST", "PUT", "PATCH"})
_CLOUD = frozenset(
    """
    azure boto3 botocore cloudflare confluent_kafka digitalocean docker elasticsearch firebase_admin github gitlab
    google hcloud huggingface_hub hvac kafka keycloak kubernetes minio openstack opensearchpy pinecone proxmoxer stripe
    """.split()
)
_HUB_UPLOADS = frozenset({"push_to_hub", "upload_file", "upload_folder", "upload_large_folder"})
_CLOUD_LOSS = re.compile(r"(?:begin_)?(?:delete|terminate|purge|destroy|deregister|prune)(?:_\w+)?\Z")
_DATA_LOSS = frozenset(
    {"drop_all", "drop_database", "flushall", "flushdb", "delete_many", "drop_collection", "dropDatabase"}
)
_QUERIES = frozenset({"objects", "query"})
"""Where the rows of a model are asked for."""
_NARROWS = frozenset("filter filter_by exclude get first last earliest latest where limit".split())
_MAX_CHAIN = 64
"""Links of a chain of calls that are looked at, innermost last."""
_MAX_LOOKED_AT = 20_000
"""Syntax nodes looked at while asking where code comes from."""


def inspect_python(text: str, *, home: str = "") -> Findings:
    """Everything that the module would do when it is run; SyntaxError and the like where it is none."""
    module = Module(ast.parse(text), text, (*_SHELL, *_PROCESS, *_EXEC, *_EXEC_WORDS, *_DELETE))
    module.bind_parameters()
    return _Inspector(module, home).findings()


class _Inspector:
    """Looks at every call of a module."""

    def __init__(self, module: Module, home: str) -> None:
        self._module = module
        self._values = Values(module.names, module.bindings, home)
        self._found = Collector()
        self._looked_at = 0

    def findings(self) -> Findings:
        """All of them."""
        self._found.network = bool(self._module.modules & _NETWORK)
        dotted = [(self._values.dotted(call.func), call) for call in self._module.calls]
        scratch = self._data_is_scratch(dotted)
        for name, call in dotted:
            if name:
                self._call(name, call, scratch=scratch)
        names = {name for name, _ in dotted}
        shells = "pty.spawn" in names or "os.dup2" in names
        self._found.remote_shell = shells and "socket" in self._module.modules | {n.partition(".")[0] for n in names}
        self._found.unread = self._looked_at > _MAX_LOOKED_AT or self._values.exhausted
        return self._found.findings()

    def _data_is_scratch(self, calls: list[tuple[str, ast.Call]]) -> bool:
        """Whether every database that is opened is in memory or in a temporary folder."""
        opened = [
            call.args[0]
            for name, call in calls
            if name in {"sqlite3.connect", "sqlalchemy.create_engine"} and call.args
        ]
        texts = [text for node in opened for text in self._values.strings(node)]
        return bool(texts) and all(
            text in {":memory:", "sqlite://", "sqlite:///:memory:"} or "/tmp/" in text  # noqa: S108  # recognised only
            for text in texts
        )

    def _call(self, name: str, call: ast.Call, *, scratch: bool) -> None:
        self._process(name, call)
        self._files(name, call)
        self._mapped(name, call)
        self._code(name, call)
        method = name.rpartition(".")[2]
        if not scratch:
            self._data(name, method, call)
        root = name.partition(".")[0]
        self._found.network = self._found.network or root in _NETWORK
        self._request(name, method, call)
        self._library(name, method, call)
        if self._module.modules & _CLOUD and _CLOUD_LOSS.match(method):
            self._found.add("losses", f"cloud: {method}")

    def _request(self, name: str, method: str, call: ast.Call) -> None:
        """Requests over HTTP, as the command line that they come to."""
        if not self._module.modules & _HTTP:
            return
        verb, url = method, self._argument(call, 0, "url")
        if method == "request":
            verb, url = self._text_of(self._argument(call, 0, "method")), self._argument(call, 1, "url")
        elif method == "Request":
            verb = self._text_of(self._argument(call, 99, "method"))
        if verb.upper() in _HTTP_CHANGES and url is not None:
            address = self._text_of(url)
            if name.partition(".")[0] in _HTTP or method == "Request" or address.startswith("http"):
                self._found.add("argvs", ("curl", "-X", verb.upper(), address))

    def _library(self, name: str, method: str, call: ast.Call) -> None:
        """Libraries that stand for a program: GitPython, Django's commands, SMTP, those of Hugging Face."""
        words = tuple(self._text_of(each) for each in call.args)
        if ".git." in name and "git" in self._module.modules and words:
            self._found.add("argvs", ("git", method.replace("_", "-"), *words))
        elif method == "call_command" and words:
            self._found.add("argvs", ("manage.py", *words))
        elif method in {"sendmail", "send_message"} and "smtplib" in self._module.modules:
            self._found.add("argvs", ("sendmail", f"{HOLE}@{HOLE}"))
        elif method in _HUB_UPLOADS and (method == "push_to_hub" or "huggingface_hub" in self._module.modules):
            self._found.add("argvs", ("hf", "upload", words[0] if words else HOLE))
        elif method == "system" and "ctypes" in self._module.modules:
            self._found.add("shell", words[0] if words else HOLE)
        elif method in {"run", "local"} and self._module.modules & {"fabric", "invoke"} and words:
            self._found.add("shell", words[0])

    def _text_of(self, node: ast.expr | None) -> str:
        if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
            return node.value.decode("utf-8", "replace")
        return "" if node is None else text_of(self._values.value(node))

    def _argument(self, call: ast.Call, index: int, *keywords: str) -> ast.expr | None:
        if len(call.args) > index:
            return call.args[index]
        return next((each.value for each in call.keywords if each.arg in keywords), None)

    def _process(self, name: str, call: ast.Call) -> None:
        if name in _SHELL or (name.rpartition(".")[2] in _REMOTE_METHODS and call.args):
            self._shell(self._argument(call, 0, "args", "command", "cmd"))
        elif name in _PROCESS:
            self._subprocess(call)
        elif name in _EXEC:
            self._vector(self._argument(call, _EXEC[name], "args", "argv"))
        elif name in _EXEC_WORDS:
            self._found.add(
                "argvs", tuple(text_of(self._values.value(each)) for each in call.args[_EXEC_WORDS[name] :])
            )
        elif name.startswith("sh.") and call.args:
            words = (text_of(self._values.value(each)) for each in call.args)
            self._found.add("argvs", (name.partition(".")[2], *words))
        elif name in {"os.kill", "os.killpg"} and call.args:
            self._found.add("argvs", ("kill", "-9", text_of(self._number(call.args[0]))))
        elif name.endswith("get_ipython().system"):
            self._shell(self._argument(call, 0))

    def _number(self, node: ast.expr) -> str:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return "-" + text_of(self._values.value(node.operand))
        return text_of(self._values.value(node))

    def _shell(self, node: ast.expr | None) -> None:
        if node is None:
            return
        vector = self._values.argv(node)
        if vector is not None:
            self._vector(node)
            return
        if self._is_foreign(node):
            return
        for text in self._values.strings(node):
            self._found.add("shell", text)

    def _subprocess(self, call: ast.Call) -> None:
        node = self._argument(call, 0, "args")
        through_shell = any(
            each.arg == "shell" and not (isinstance(each.value, ast.Constant) and not each.value.value)
            for each in call.keywords
        )
        if node is None:
            return
        vector = self._values.argv(node)
        if vector is not None and through_shell:
            self._found.add("shell", vector[0] if vector else "")
        elif through_shell:
            self._shell(node)
        else:
            self._vector(node)
        typed = self._argument(call, 99, "input")
        if typed is not None and vector:
            self._found.add("argvs", ("sh", "-c", text_of(self._values.value(typed)))) if _is_shell(vector) else None

    def _vector(self, node: ast.expr | None) -> None:
        if node is None:
            return
        vector = self._values.argv(node)
        if vector is not None:
            self._found.add("argvs", vector)
        elif not self._is_foreign(node):
            for text in self._values.strings(node):
                self._found.add("argvs", (text,))

    def _files(self, name: str, call: ast.Call) -> None:
        method = name.rpartition(".")[2]
        if name in _DELETE:
            self._delete(self._argument(call, 0, "path"), recursive=_DELETE[name])
        elif method in {"unlink", "rmtree"} and isinstance(call.func, ast.Attribute):
            self._delete(call.func.value, recursive=method == "rmtree")
        elif name == "os.truncate" and call.args:
            self._found.add("argvs", ("truncate", "-s", self._text_of(call.args[-1]), self._text_of(call.args[0])))
        elif name in {"open", "io.open", "codecs.open"}:
            self._open(call)
        elif method in {"write_text", "write_bytes", "read_text", "read_bytes"} and isinstance(
            call.func, ast.Attribute
        ):
            for path in self._values.strings(call.func.value):
                self._found.add("writes" if method.startswith("write") else "reads", path)
        elif name in {"os.chmod", "os.chown"} and len(call.args) >= 2:
            mode = call.args[1].value if isinstance(call.args[1], ast.Constant) else None
            shown = f"{mode:o}" if isinstance(mode, int) else HOLE
            self._found.add("argvs", (name[3:], shown, text_of(self._values.value(call.args[0]))))
        elif (
            name in {"shutil.move", "os.rename", "os.replace", "shutil.copy", "shutil.copyfile"} and len(call.args) >= 2
        ):
            program = "mv" if name in {"shutil.move", "os.rename", "os.replace"} else "cp"
            words = (text_of(self._values.value(each)) for each in call.args[:2])
            self._found.add("argvs", (program, "--", *words))

    def _mapped(self, name: str, call: ast.Call) -> None:
        """``map(os.remove, paths)``, ``pool.map(shutil.rmtree, paths)``."""
        if name.rpartition(".")[2] in {"map", "imap", "starmap"} and len(call.args) > 1:
            function = self._values.dotted(call.args[0])
            if function in _DELETE:
                self._delete(ast.Starred(value=call.args[1]), recursive=_DELETE[function])

    def _delete(self, node: ast.expr | None, *, recursive: bool) -> None:
        if node is None:
            return
        for path in self._values.strings(node):
            if not path.startswith(SCRATCH):
                self._found.add("deletes", Delete(path, recursive))

    def _open(self, call: ast.Call) -> None:
        node, mode_node = self._argument(call, 0, "file"), self._argument(call, 1, "mode")
        mode = text_of(self._values.value(mode_node)) if mode_node is not None else "r"
        field = "writes" if "w" in mode or "x" in mode or "a" in mode else "reads"
        for path in self._values.strings(node) if node is not None else ():
            self._found.add(field, path)
            if field == "writes" and "w" in mode and HOLE not in path:
                self._found.add("empties", path)

    def _code(self, name: str, call: ast.Call) -> None:
        plain = name.removeprefix("builtins.")
        if plain in {"exec", "eval", "compile"} and call.args:
            self._run(plain, call.args[0])
        elif plain in {"runpy.run_path", "execfile"} and call.args:
            self._found.add("scripts", text_of(self._values.value(call.args[0])))
        elif (
            plain in {"pickle.loads", "marshal.loads", "dill.loads"}
            and call.args
            and self._comes_from_network(call.args[0])
        ):
            self._found.add("foreign", f"{plain} of a download")
        elif plain in {"print", "json.dumps", "dict", "str"} and any(self._is_environment(each) for each in call.args):
            self._found.add("reads", "$ENV")

    def _is_environment(self, node: ast.expr) -> bool:
        return self._values.dotted(node) == "os.environ"

    def _run(self, name: str, node: ast.expr) -> None:
        if isinstance(node, ast.Call) and self._values.dotted(node.func) in {"compile", "builtins.compile"}:
            return  # the compile call is looked at by itself
        text = text_of(self._values.value(node))
        scripts = self._files_read(node)
        if HOLE not in text:
            self._found.add("code", Code("python", text))
        elif scripts:
            for path in scripts:
                self._found.add("scripts", path)
        elif not self._is_foreign(node) and name != "compile":
            self._found.add("opaque", f"{name} of a computed text")

    def _files_read(self, node: ast.expr) -> list[str]:
        """The files whose text ``node`` is: ``open("x.py").read()``, ``sys.stdin.read()``, ``Path(x).read_text()``."""
        found: list[str] = []
        for inner in ast.walk(node):
            if not isinstance(inner, ast.Call):
                continue
            name = self._values.dotted(inner.func)
            if name in {"open", "io.open"} and inner.args:
                found += self._values.strings(inner.args[0])
            elif name.startswith("sys.stdin.") or name == "input":
                found.append("/dev/stdin")
            elif name.endswith(".read_text") and isinstance(inner.func, ast.Attribute):
                found += self._values.strings(inner.func.value)
        return [path for path in found if HOLE not in path]

    def _is_foreign(self, node: ast.expr) -> bool:
        """Whether ``node`` is unknown and comes from the network or out of a decoder; if so it is recorded."""
        if HOLE not in text_of(self._values.value(node)):
            return False
        if self._comes_from_network(node):
            self._found.add("foreign", "code from the network")
            return True
        if self._uses(node, DECODERS):
            self._found.add("foreign", "code out of a decoder")
            return True
        return False

    def _comes_from_network(self, node: ast.expr) -> bool:
        return self._uses(node, _NETWORK, roots=True)

    def _uses(self, node: ast.expr, wanted: frozenset[str], *, roots: bool = False, depth: int = 0) -> bool:
        for inner in ast.walk(node):
            self._looked_at += 1
            if self._looked_at > _MAX_LOOKED_AT:
                return False
            if isinstance(inner, ast.Call):
                dotted = self._values.dotted(inner.func)
                if (dotted.partition(".")[0] if roots else dotted) in wanted:
                    return True
            if isinstance(inner, ast.Name) and depth < 4:
                bound = self._module.bindings.get(inner.id, [])[:4]
                if any(self._uses(each, wanted, roots=roots, depth=depth + 1) for each in bound):
                    return True
        return False

    def _data(self, name: str, method: str, call: ast.Call) -> None:
        if method in _SQL_METHODS and call.args:
            node = call.args[0]
            if isinstance(node, ast.Call) and node.args:  # text("DROP …") of SQLAlchemy
                node = node.args[0]
            for text in self._values.strings(node):
                if text != HOLE:
                    self._found.add("sql", text)
        elif method in _DATA_LOSS and not (method == "delete_many" and _is_filtered(call)):
            self._found.add("losses", f"{method} on {name.rpartition('.')[0].replace(HOLE, '…')}")
        elif method == "delete" and isinstance(call.func, ast.Attribute):
            self._query_delete(call.func.value)

    def _query_delete(self, queried: ast.expr) -> None:
        """``Model.objects.filter(…).delete()`` of Django, ``session.query(Model).delete()`` of SQLAlchemy."""
        chain = _chain(queried)
        root = next((at for at, name in enumerate(chain) if name in _QUERIES), None)
        if root is None:
            return
        names = chain[root:]
        is_narrowed = any(name in _NARROWS for name in names)
        self._found.add("rows" if is_narrowed else "losses", f"{'.'.join(names)}.delete()")


def _is_filtered(call: ast.Call) -> bool:
    return bool(call.args) and not (isinstance(call.args[0], ast.Dict) and not call.args[0].keys)


def _chain(node: ast.expr) -> list[str]:
    """The last names of ``a.b(…).c``, in order."""
    names: list[str] = []
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript) and len(names) < _MAX_CHAIN:
        if isinstance(node, ast.Attribute):
            names.append(node.attr)
        node = node.func if isinstance(node, ast.Call) else node.value
    return names[::-1]


def _is_shell(vector: tuple[str, ...]) -> bool:
    return vector[0].rpartition("/")[2] in {"sh", "bash", "zsh", "dash"}
