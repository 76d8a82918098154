"""The built wheel in a fresh environment, beside Django Channels, in a project that has our package names itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@dataclass(frozen=True)
class Installed:
    """A project with the wheel installed; every command runs in it, with ``PYTHONPATH=.``."""

    project: Path
    python: Path
    wheel: Path

    def run(self, *command: str, code: int = 0) -> str:
        environ = {
            "PATH": f"{self.python.parent}:{os.environ['PATH']}",
            "PYTHONPATH": ".",
            "HOME": str(self.project.parent / "home"),
            "ASKFIRST_STATE_DIR": str(self.project.parent / "state"),
        }
        done = subprocess.run(
            command,
            cwd=self.project,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    environ = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    uv = shutil.which("uv") or str(ROOT / ".cache" / "uv" / "bin" / "uv")

    def call(*command: str) -> None:
        done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    call(uv, "build", "--wheel", "--out-dir", str(folder / "dist"), str(ROOT))
    [wheel] = (folder / "dist").glob("*.whl")
    call(uv, "venv", "--python", sys.executable, str(folder / "venv"))
    python = folder / "venv" / "bin" / "python"
    call(uv, "pip", "install", "--python", str(python), str(wheel), "channels")
    project = folder / "project"
    for name in ("hooks", "channels", "audit"):
        (project / name).mkdir(parents=True)
        (project / name / "__init__.py").write_text(
            "raise RuntimeError('the project was imported')\n", encoding="utf-8"
        )
    for name in ("typer", "typing", "pathlib"):
        (project / f"{name}.py").write_text("raise RuntimeError('the project was imported')\n", encoding="utf-8")
    return Installed(project=project, python=python, wheel=wheel)


def test_the_wheel_holds_no_package_but_askfirst(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        tops = {name.split("/")[0] for name in wheel.namelist()}
        names = set(wheel.namelist())
    assert {top for top in tops if not top.endswith(".dist-info")} == {"askfirst"}
    for needed in (
        "askfirst/py.typed",
        "askfirst/_app/hooks/askfirst-hook.pl",
        "askfirst/_app/hooks/client.py",
        "askfirst/_app/channels/web/app.py",
        "askfirst/_app/audit/verify_standalone.py",
        "askfirst/store/migrations/env.py",
        "askfirst/rules/packs/git.toml",
    ):
        assert needed in names


def test_django_channels_still_imports(installed: Installed) -> None:
    where = installed.run(str(installed.python), "-I", "-c", "import channels; print(channels.__version__)")
    assert where.strip()


def test_importing_askfirst_brings_none_of_the_outer_packages(installed: Installed) -> None:
    code = "import askfirst, sys; print(sorted({'hooks', 'channels', 'audit'} & set(sys.modules)))"
    assert installed.run(str(installed.python), "-c", code).strip() == "[]"


def test_the_console_script_runs_in_a_project_that_has_our_names(installed: Installed) -> None:
    assert installed.run("askfirst", "version").startswith("askfirst ")
    line = installed.run("askfirst", "hook", "command")
    assert "askfirst-hook.pl" in line
    assert str(ROOT) not in line


def test_a_broker_starts_on_demand_answers_and_its_log_verifies(installed: Installed) -> None:
    try:
        assert installed.run("askfirst", "requests", "list") == "no requests\n"
        assert "the log verifies" in installed.run("askfirst", "audit", "verify")
    finally:
        installed.run("askfirst", "stop")


def test_the_gate_judges_without_a_broker(installed: Installed) -> None:
    assert "gate: a person is asked" in installed.run("askfirst", "explain", "--", "rm -rf /", code=1)
