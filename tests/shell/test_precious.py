"""What names say about whether content can be had again."""

from __future__ import annotations

import pytest

from askfirst.shell.precious import is_precious, is_regenerable


@pytest.mark.parametrize(
    "path",
    [
        "node_modules",
        "./dist/",
        "packages/web/node_modules/x",
        "a.egg-info",
        "x.pyc",
        "*.o",
        "src/__pycache__",
        ".venv-3.12",
        "logs",
        "tmp/x",
    ],
)
def test_build_output_and_caches_can_be_had_again(path):
    assert is_regenerable(path)


@pytest.mark.parametrize(
    "path", ["src", "", ".", "builder", "build-scripts", "src/env", "app/logs", "*", "docs", "dist/.env", "a.py"]
)
def test_other_names_promise_nothing(path):
    assert not is_regenerable(path)


@pytest.mark.parametrize(
    ("path", "certain"), [("logs", False), ("env", False), ("build", True), ("x/__pycache__", True)]
)
def test_names_that_source_folders_bear_too_are_not_certain(path, certain):
    assert is_regenerable(path, certain=True) is certain


@pytest.mark.parametrize(
    "path",
    [".env", ".env.local", "dev.db", "data/app.sqlite3", "backup.sql", "server.key", "id_ed25519", "x.tfstate", ".git"],
)
def test_secrets_databases_and_dumps_are_precious(path):
    assert is_precious(path)


@pytest.mark.parametrize("path", [".env.example", "a.txt", "keyboard", "environment.yml", "sqlite.py"])
def test_look_alikes_are_not(path):
    assert not is_precious(path)
