"""Installs what the Makefile needs: ``python3 tools/install.py environment claude-code chromium``.

Standard library only, since it runs before anything is installed. It keeps these rules:

- Everything but Debian packages goes into ``.venv`` and ``.cache`` of this repository.
- Each part is built beside its final place and renamed, so what exists is complete.
- One lock lets several runs start at once; a run that has nothing to do takes a fraction of a second.
- Versions come from ``pins.env`` and nowhere else.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache"
CHROMIUM = Path("/usr/bin/chromium")
OTHERS = {"openssl": "openssl", "ssh-keygen": "openssh-client"}
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
OLDEST_PYTHON = (3, 11)
TIMEOUT_S = 900
"""How long one program may take; a registry that hangs is told from one that is slow."""


class InstallError(Exception):
    """Something cannot be installed here; the message says what to do."""


def pins() -> dict[str, str]:
    """The pinned versions by name, from ``pins.env``."""
    lines = (ROOT / "tools" / "pins.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@contextlib.contextmanager
def lock() -> Iterator[None]:
    """Only one installation at a time in this repository; the kernel frees the lock when its holder dies."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "install.lock").open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another installation is running in this repository, waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def say(text: str) -> None:
    """Tell the person, apart from the output of what is installed."""
    sys.stderr.write(f"install: {text}\n")


def run(*command: str | Path, environ: dict[str, str] | None = None) -> None:
    """Run a program to its end; its output goes to the person.

    Raises:
        InstallError: it ended with another code than 0, or took too long.
    """
    environ = {**os.environ, **(environ or {})}
    try:
        done = subprocess.run(command, check=False, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise InstallError(
            f"`{' '.join(map(str, command))}` took over {TIMEOUT_S} s and was ended, try again"
        ) from None
    if done.returncode != 0:
        raise InstallError(f"`{' '.join(map(str, command))}` ended with code {done.returncode}, see its output above")


def build(target: Path, make: Callable[[Path], None]) -> None:
    """Let ``make`` fill a folder beside ``target``, then move it there whole."""
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.parent.mkdir(parents=True, exist_ok=True)
    make(partial)
    partial.rename(target)


def debian(*packages: str) -> None:
    """Install Debian packages, as root or by sudo.

    Raises:
        InstallError: this is no Debian, or we may not install.
    """
    sudo = () if os.geteuid() == 0 else ("sudo",)
    if shutil.which("apt-get") is None or (sudo and shutil.which("sudo") is None):
        raise InstallError(f"install {' and '.join(packages)} by your system's package manager, then try again")
    say(f"installing {' '.join(packages)} by apt-get")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(*sudo, "apt-get", "update", "-qq", environ=quiet)
    run(*sudo, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages, environ=quiet)


def uv() -> Path:
    """The uv executable: the person's own, else one in a private environment, made when it is not there."""
    if own := shutil.which("uv"):
        return Path(own)
    home = CACHE / "uv"
    if not (home / "bin" / "uv").exists():
        say(f"no uv on PATH, installing uv {pins()['UV']} for this repository alone")
        build(home, install_uv)
    return home / "bin" / "uv"


def install_uv(home: Path) -> None:
    """Fill ``home`` with a virtual environment that has uv; Debian keeps what it takes in a package of its own."""
    try:
        import ensurepip  # noqa: F401, PLC0415  # asks only whether it is there
    except ModuleNotFoundError:
        debian("python3-venv")
    run(sys.executable, "-m", "venv", home)
    run(
        home / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", f"uv=={pins()['UV']}"
    )


def environment() -> None:
    """``.venv`` as ``uv.lock`` says, our own packages editable."""
    interpreter = {} if (ROOT / ".venv").exists() else {"UV_PYTHON": sys.executable}
    settings = {"UV_PYTHON_DOWNLOADS": "never", "UV_SYSTEM_CERTS": "true"}  # a company's own certificates count
    run(uv(), "sync", "--frozen", "--quiet", environ={**settings, **interpreter})


def claude_code(version: str) -> None:
    """The real client from npm, in ``.cache/npm/<version>``, with the native program of this platform.

    Raises:
        InstallError: npm is missing, or what it installed does not start.
    """
    npm(version, f"@anthropic-ai/claude-code@{version}", "Claude Code (about 400 MB)", "claude", "--include=optional")


CLIENTS = {
    "codex": ("@openai/codex", "Codex CLI (about 300 MB)"),
    "gemini": ("@google/gemini-cli", "Gemini CLI"),
    "opencode": ("opencode-ai", "opencode"),
    "qwen": ("@qwen-code/qwen-code", "Qwen Code"),
    "copilot": ("@github/copilot", "GitHub Copilot CLI"),
    "cline": ("cline", "Cline CLI"),
}
"""Other agents' clients: the npm package and the title of each. Some of them need a newer Node than the system has; the
tests run them by the Node of ``.venv``, so they are not started here."""


def client(name: str) -> None:
    """One of ``CLIENTS`` in ``.cache/npm/<name>-<version>``.

    Raises:
        InstallError: npm is missing, or does not serve it any more.
    """
    package, title = CLIENTS[name]
    version = pins()[name.upper()]
    npm(f"{name}-{version}", f"{package}@{version}", title, "", "--include=optional")


def npm(folder: str, package: str, title: str, program: str, *options: str) -> None:
    """One npm package with its dependencies in ``.cache/npm/<folder>``; its program is started once to see that it can.

    Raises:
        InstallError: npm is missing, or what it installed does not start.
    """
    if (CACHE / "npm" / folder).exists():
        return
    if shutil.which("npm") is None:
        raise InstallError("npm was not found: install Node.js (with npm), then try again")
    say(f"installing {title} from npm: {package}")
    quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")

    def install(home: Path) -> None:
        home.mkdir()
        run("npm", "install", "--prefix", home, *quiet, *options, package, environ=certificates())
        if program:
            started = home / "node_modules" / ".bin" / program
            run(started, "--version", environ={"DISABLE_AUTOUPDATER": "1"})

    build(CACHE / "npm" / folder, install)


def inspector() -> None:
    """The MCP Inspector, whose command line the tests run; by the Node of ``.venv``, since it needs 22 or newer."""
    version = pins()["MCP_INSPECTOR"]
    npm(f"inspector-{version}", f"@modelcontextprotocol/inspector@{version}", "the MCP Inspector", "")


def conformance() -> None:
    """The conformance suite of MCP; by the Node of ``.venv``, too."""
    version = pins()["MCP_CONFORMANCE"]
    npm(f"conformance-{version}", f"@modelcontextprotocol/conformance@{version}", "the MCP conformance suite", "")


def webhook_examples() -> None:
    """GitHub's own examples of what its webhooks send."""
    version = pins()["WEBHOOK_EXAMPLES"]
    package = f"@octokit/webhooks-examples@{version}"
    npm(f"webhook-examples-{version}", package, "examples of GitHub's webhooks", "", "--ignore-scripts")


def certificates() -> dict[str, str]:
    """Make Node trust what the system trusts unless told otherwise; before Node 22.15 it has no switch."""
    if "NODE_EXTRA_CA_CERTS" in os.environ or not CERTIFICATES.exists():
        return {}
    return {"NODE_EXTRA_CA_CERTS": str(CERTIFICATES)}


def chromium() -> None:
    """A headless browser and a font with the signs that our pages use."""
    if not CHROMIUM.exists():
        debian("chromium", "fonts-noto-color-emoji")


def postgresql() -> None:
    """The server's programs; the tests start servers of their own and leave the system's alone."""
    if shutil.which("initdb") is None and not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        debian("postgresql")


def dovecot() -> None:
    """An IMAP server; the tests start servers of their own and leave the system's alone."""
    if shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        debian("dovecot-imapd")


def openssl() -> None:
    """Programs of others that verify what we sign: OpenSSL, and OpenSSH's ssh-keygen."""
    missing = [package for program, package in OTHERS.items() if shutil.which(program) is None]
    if missing:
        debian(*missing)


def strace() -> None:
    """Kills and fails system calls for the tests of faults; there is none where there is no Linux."""
    if sys.platform == "linux" and shutil.which("strace") is None:
        debian("strace")


PARTS: dict[str, Callable[[], None]] = {
    "environment": environment,
    "claude-code": lambda: claude_code(pins()["CLAUDE_CODE"]),
    "claude-code-oldest": lambda: claude_code(pins()["CLAUDE_CODE_OLDEST"]),
    **{name: functools.partial(client, name) for name in CLIENTS},
    "chromium": chromium,
    "postgresql": postgresql,
    "dovecot": dovecot,
    "strace": strace,
    "openssl": openssl,
    "mcp-inspector": inspector,
    "mcp-conformance": conformance,
    "webhook-examples": webhook_examples,
}


def require_python() -> None:
    """Stop early where nothing of ours would run.

    Raises:
        InstallError: this Python is too old.
    """
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:2]))
        raise InstallError(f"Python {found} is too old (3.11 or newer is needed): try `make PYTHON=python3.12 ...`")


def main() -> int:
    """Install the named parts in order; 0, or 1 after a sentence why not."""
    parser = argparse.ArgumentParser(description="Install what the Makefile needs.")
    parser.add_argument("parts", nargs="+", choices=sorted(PARTS))
    parts = parser.parse_args().parts
    try:
        require_python()
        with lock():
            for part in parts:
                PARTS[part]()
    except InstallError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
