"""The guards that are compared, as ``peers.toml`` names them, and their installation into a cache of the repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "guards"
HOME = CACHE / "home"
"""A home of their own: guards write settings and logs, and must find none of the person's."""
PROJECT = HOME / "work" / "project"
"""A git project that is not below the system's temporary folder, which several guards treat as free to delete."""
_INSTALL_S = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A guard.

    Attributes:
        name: as its authors write it.
        version: exactly what is installed.
        kind: how it decides, in a few words.
        command: its program and arguments; ``{bin}`` and ``{root}`` stand for folders of the installation.
        setup: commands that its own installer asks for, run once.
        pypi: name of its package there, ``""`` when it is elsewhere.
        npm: the same.
        python: version of the interpreter it needs, ``""`` for any.
        speaks: ``claude`` (a PreToolUse payload) or ``text`` (the command alone).
        answer: for ``text``: where its JSON answer says the verdict.
        stops: for ``text``: the verdicts that stop.
    """

    name: str
    version: str
    kind: str
    command: tuple[str, ...]
    setup: tuple[tuple[str, ...], ...] = ()
    pypi: str = ""
    npm: str = ""
    python: str = ""
    speaks: str = "claude"
    answer: str = ""
    stops: frozenset[str] = field(default_factory=frozenset)

    @property
    def root(self) -> Path:
        """Where it is installed."""
        return CACHE / "installed" / f"{self.name}-{self.version}"

    def argv(self, words: tuple[str, ...]) -> list[str]:
        """A command of this guard with its folders filled in."""
        folder = self.root / ("node_modules/.bin" if self.npm else "bin")
        return [word.replace("{bin}", str(folder)).replace("{root}", str(self.root)) for word in words]


def peers() -> list[Peer]:
    """Every guard of ``peers.toml``."""
    table = tomllib.loads(Path(__file__).with_name("peers.toml").read_text(encoding="utf-8"))
    return [_peer(name, row) for name, row in table.items()]


def _peer(name: str, row: dict[str, object]) -> Peer:
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    values["stops"] = frozenset(values.get("stops", ()))  # type: ignore[arg-type]  # a list of texts
    values["setup"] = tuple(tuple(one) for one in row.get("setup", ()))  # type: ignore[attr-defined]  # a list of lists
    return Peer(name=name, **values)  # type: ignore[arg-type]  # the columns of the file are the fields


def environment() -> dict[str, str]:
    """What guards see: a home of their own and the search path, nothing else of the person's."""
    return {"HOME": str(HOME), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "XDG_CONFIG_HOME": str(HOME / ".config")}


_WORK = r"""
set -e
git init -q --bare -b main ../origin.git
git init -q -b main .
git config user.name bench; git config user.email bench@example.com
printf '.claude/\n.provenrail.json\n' > .git/info/exclude
mkdir -p src docs empty
for n in 1 2 3 4 5; do
  echo "print($n)" > src/app.py; echo "$n" > docs/$n.md; git add -A; git commit -qm "Change $n"
done
git remote add origin ../origin.git
git branch release; git push -q origin main release
git switch -qc feature/login; echo a > login.py; git add -A; git commit -qm Login; git switch -q main
echo b > docs/later.md; git add -A; git commit -qm Unpushed; git tag v1
echo stashed >> src/app.py; git stash -q
echo changed >> src/app.py; echo new > notes.py; echo KEY=1 > .env
"""
"""A project in use: unpushed commits, a branch of its own, a stash, changed, new and secret files."""


def make_project() -> None:
    """The project in whose folder every command is judged; there is something to lose in it."""
    if not PROJECT.exists():
        PROJECT.mkdir(parents=True)
        subprocess.run(["sh", "-c", _WORK], cwd=PROJECT, env=environment(), check=True)


def install(peer: Peer) -> str:
    """Install a guard when it is not there yet; why not, ``""`` when it is there and starts."""
    try:
        if not peer.root.exists():
            (_install_npm if peer.npm else _install_pypi)(peer)
            for words in peer.setup:
                _run(peer.argv(words), cwd=PROJECT, env=environment())
    except (subprocess.SubprocessError, OSError) as error:
        shutil.rmtree(peer.root, ignore_errors=True)
        output = getattr(error, "stderr", None) or str(error)
        return str(output).strip().splitlines()[-1][:200]
    return ""


def _install_pypi(peer: Peer) -> None:
    version = ["--python", _python(peer.python)] if peer.python else []
    _run(["uv", "venv", "--quiet", *version, str(peer.root)])
    python = peer.root / "bin" / "python"
    _run(["uv", "pip", "install", "--quiet", "--python", str(python), f"{peer.pypi}=={peer.version}"])


def _python(version: str) -> str:
    """An interpreter of this version; pyenv keeps some that it does not put on the search path."""
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    return str(kept[-1]) if kept else version


def _install_npm(peer: Peer) -> None:
    peer.root.mkdir(parents=True)
    options = ["--ignore-scripts", "--no-fund", "--no-audit", "--silent", "--prefix", str(peer.root)]
    _run(["npm", "install", *options, f"{peer.npm}@{peer.version}"])
    program = Path(peer.argv(peer.command)[0])
    if program.is_file():
        program.chmod(0o755)  # what the install script would have done


def _run(argv: list[str], **options: object) -> None:
    subprocess.run(argv, check=True, capture_output=True, text=True, timeout=_INSTALL_S, **options)  # type: ignore[call-overload]  # cwd and env
