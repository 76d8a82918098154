"""What the name of a file or folder says about whether its content can be had again.

* Regenerable: build output, caches, installed dependencies. Tools write them and write them again.
* Precious: credentials, databases, dumps. Git ignores them, and nobody can rebuild them.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from typing import Final

_FOLDERS: Final = frozenset(
    """
    .angular .astro .aws-sam bower_components .build _build build .bundle .cache cdk.out cmake-build-debug
    cmake-build-release CMakeFiles .coverage_html .dart_tool DerivedData dist dist-newstyle .docusaurus .docz .eggs
    elm-stuff .eslintcache .expo .gradle htmlcov .hypothesis .ipynb_checkpoints .jekyll-cache jspm_packages lib-cov
    .mypy_cache .netlify .next node_modules .nox .npm .nuxt .nx .nyc_output .output .parcel-cache pip-wheel-metadata
    playwright-report .pnpm-store Pods __pycache__ __pypackages__ .pyre .pytest_cache .pytype .ruff_cache
    .sass-cache .serverless _site site-packages .stack-work storybook-static .stylelintcache .svelte-kit target
    .temp .terraform test-results .tmp .tox .turbo .venv venv .vercel .virtualenv virtualenv .vite .webpack
    wheelhouse .yarn
    """.split()
)
_AMBIGUOUS: Final = frozenset("coverage Debug env log logs obj out Release temp tmp".split())
"""Build output at the top of a project; deeper down, and where git does not ignore them, as likely to be source."""


def _any_of(*patterns: str) -> re.Pattern[str]:
    """One regular expression for several patterns with ``*`` and ``?``."""
    return re.compile("|".join(fnmatch.translate(pattern) for pattern in patterns))


_FOLDER_PATTERNS: Final = _any_of("*.egg-info", "*.dist-info", "cmake-build-*", "bazel-*", ".venv*", "*[_-]venv")
_FILE_PATTERNS: Final = _any_of(
    "*.pyc", "*.pyo", "*.o", "*.obj", "*.a", "*.so", "*.dylib", "*.class", "*.log", "*.tmp", "*.temp", "*.swp", "*.swo",
    "*~", "*.bak.tmp", "*.tsbuildinfo", "*.gcda", "*.gcno", "*.gcov", "*.aux", "*.bbl", "*.blg", "*.toc", "*.cache",
    "*.pid", "*.whl", "*.egg", "*.exe", "*.dll", "a.out", ".DS_Store", "Thumbs.db", ".coverage", ".coverage.*",
    "coverage.xml", "junit.xml", "nohup.out", "*.orig", "*.rej", "*.profraw", "*.prof", "*.map",
    "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "poetry.lock", "uv.lock", "Pipfile.lock", "Gemfile.lock",
    "composer.lock", "Cargo.lock",
)  # fmt: skip
_PRECIOUS: Final = _any_of(
    ".env", ".env.*", "*.env", ".envrc", "*.db", "*.db3", "*.sqlite", "*.sqlite3", "*.sql", "*.sql.*", "*.dump",
    "*.dmp", "*.rdb", "*.mdb", "*.ldf", "*.mdf", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks",
    "*.keystore", "*.kdbx", "*.gpg", "*.asc", "*.ppk", "id_rsa*", "id_ed25519*", "id_ecdsa*", "id_dsa*", "*.tfstate",
    "*.tfstate.*", "*.tfvars", "credentials", "credentials.*", "secrets.*", "service-account*.json", ".netrc",
    ".pgpass", ".htpasswd", ".git", ".ssh", ".gnupg", ".aws", ".kube", "*.qcow2", "*.vmdk", "*.vdi", "pgdata",
    "postgres-data", "*.wallet",
)  # fmt: skip
_NOT_PRECIOUS: Final = _any_of(".env.example", ".env.sample", ".env.template", ".env.dist", "*.example", "*.sample")


def is_regenerable(path: str, *, certain: bool = False) -> bool:
    """Whether a path is, or lies in, a folder that tools rebuild, or is a file that they rebuild; globs welcome.

    Args:
        path: relative to the project, or a name.
        certain: leave out names that are also given to source folders.
    """
    parts = [part for part in path.rstrip("/").split("/") if part not in {"", "."}]
    if not parts or is_precious(path):
        return False
    if any(part in _FOLDERS or _FOLDER_PATTERNS.match(part) is not None for part in parts):
        return True
    return (not certain and parts[0] in _AMBIGUOUS) or _FILE_PATTERNS.match(parts[-1]) is not None


def is_precious(path: str) -> bool:
    """Whether the last part of a path names something that nobody can rebuild."""
    name = posixpath.basename(path.rstrip("/"))
    return _PRECIOUS.match(name) is not None and _NOT_PRECIOUS.match(name) is None
