"""What the name of a file or folder says about whether its content can be had again.

* Regenerable: build output, caches, installed dependencies. Tools write them and write them again.
* Precious: credentials, databases, dumps. Git ignores them, and nobody can rebuild them.
"""

from __future__ import annotations

import fnmatch
import posixpath
from typing import Final

_FOLDERS: Final = frozenset(
    """
    node_modules bower_components jspm_packages .yarn .pnpm-store .npm .parcel-cache .turbo .nx .next .nuxt .output
    .svelte-kit .angular .astro .docusaurus .cache .vite .webpack .expo .gradle .mypy_cache .pytest_cache
    .ruff_cache .tox .nox .hypothesis .ipynb_checkpoints __pycache__ __pypackages__ .eggs .pytype .pyre .venv venv env
    virtualenv .virtualenv site-packages htmlcov .nyc_output coverage dist build _build out target obj  Debug Release DerivedData .build Pods .dart_tool .bundle cmake-build-debug cmake-build-release
    CMakeFiles .terraform .serverless .aws-sam cdk.out .vercel .netlify storybook-static .sass-cache tmp
    temp .tmp .temp test-results playwright-report .eslintcache .stylelintcache wheelhouse pip-wheel-metadata
    lib-cov elm-stuff .stack-work dist-newstyle _site .jekyll-cache .docz logs log .coverage_html
    """.split()
)
_FOLDER_PATTERNS: Final = (
    "*.egg-info",
    "*.dist-info",
    "cmake-build-*",
    "bazel-*",
    "build-*",
    "*_build",
    "dist-*",
    ".venv*",
)
_FILE_PATTERNS: Final = (
    "*.pyc", "*.pyo", "*.o", "*.obj", "*.a", "*.so", "*.dylib", "*.class", "*.log", "*.tmp", "*.temp", "*.swp", "*.swo",
    "*~", "*.bak.tmp", "*.tsbuildinfo", "*.gcda", "*.gcno", "*.gcov", "*.aux", "*.bbl", "*.blg", "*.toc", "*.cache",
    "*.pid", "*.whl", "*.egg", "*.exe", "*.dll", "a.out", ".DS_Store", "Thumbs.db", ".coverage", ".coverage.*",
    "coverage.xml", "junit.xml", "nohup.out", "core.[0-9]*", "*.orig", "*.rej", "*.profraw", "*.prof", "*.map",
)  # fmt: skip
_PRECIOUS: Final = (
    ".env", ".env.*", "*.env", ".envrc", "*.db", "*.db3", "*.sqlite", "*.sqlite3", "*.sql", "*.sql.*", "*.dump", "*.dmp",
    "*.bak", "*.backup", "*.rdb", "*.mdb", "*.ldf", "*.mdf", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore",
    "*.kdbx", "*.gpg", "*.asc", "*.ppk", "id_rsa*", "id_ed25519*", "id_ecdsa*", "id_dsa*", "*.tfstate", "*.tfstate.*",
    "*.tfvars", "credentials", "credentials.*", "secrets.*", "service-account*.json", ".netrc", ".pgpass", ".htpasswd",
    ".git", ".ssh", ".gnupg", ".aws", ".kube", "*.qcow2", "*.vmdk", "*.vdi", "pgdata", "postgres-data", "*.wallet",
)  # fmt: skip
_NOT_PRECIOUS: Final = (".env.example", ".env.sample", ".env.template", ".env.dist", "*.example", "*.sample")


def is_regenerable(path: str) -> bool:
    """Whether a path is, or lies in, a folder that tools rebuild, or is a file that they rebuild; globs welcome."""
    parts = [part for part in path.rstrip("/").split("/") if part not in {"", "."}]
    if not parts or is_precious(path):
        return False
    if any(_is_regenerable_folder(part) for part in parts):
        return True
    return _matches(parts[-1], _FILE_PATTERNS)


def _is_regenerable_folder(name: str) -> bool:
    return name in _FOLDERS or _matches(name, _FOLDER_PATTERNS)


def is_precious(path: str) -> bool:
    """Whether the last part of a path names something that nobody can rebuild."""
    name = posixpath.basename(path.rstrip("/"))
    return _matches(name, _PRECIOUS) and not _matches(name, _NOT_PRECIOUS)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
