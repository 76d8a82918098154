"""Evidence that is not about git or files: SQL, plans of tools, scripts, deployments, and what nobody can look into."""

from __future__ import annotations

import os
import pathlib
import stat
from typing import TYPE_CHECKING

import psycopg
import pytest

from askfirst.evidence.plans import _ARGUMENTS
from askfirst.evidence.values import Deployment, Gap, Plan, Script, Statement, Statements
from askfirst.evidence_config import EvidenceConfig
from askfirst.testing.repositories import commit, git, make_repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from askfirst.evidence.values import Evidence
    from askfirst.testing.postgres import Server

Gather = "Callable[..., Evidence]"


def only(evidence: Evidence, kind: type) -> list:
    return [each for each in evidence.exhibits if isinstance(each, kind)]


@pytest.mark.parametrize(
    ("command", "database", "statements"),
    [
        (
            "psql -d shop -c 'DELETE FROM orders WHERE id < 5'",
            "shop",
            [Statement(verb="DELETE", tables=("orders",))],
        ),
        (
            "psql postgresql://u:secret@h/shop?x=1 -c 'DELETE FROM orders; DROP TABLE a.b'",
            "shop",
            [
                Statement(verb="DELETE", tables=("orders",), whole=True),
                Statement(verb="DROP", tables=("a.b",), whole=True),
            ],
        ),
        ("mysql --database=shop -e 'TRUNCATE t'", "shop", [Statement(verb="TRUNCATE", tables=("t",), whole=True)]),
        (
            "sqlite3 app.db 'UPDATE users SET a = 1'",
            "app.db",
            [Statement(verb="UPDATE", tables=("users",), whole=True)],
        ),
        ("psql -c 'DROP DATABASE x'", "a database that the command does not name", None),
    ],
)
def test_sql_is_told_by_kind_and_table(
    gather: Gather, tmp_path: Path, command: str, database: str, statements: list[Statement] | None
) -> None:
    (tmp_path / "app.db").write_bytes(b"not empty")
    (found,) = only(gather(command, tmp_path), Statements)
    assert found.database == database
    assert "secret" not in str(found)
    if statements is not None:
        assert list(found.statements) == statements
        assert found.estimated == ""


@pytest.mark.slow
def test_a_configured_database_estimates_the_rows_and_nothing_changes(
    gather: Gather, tmp_path: Path, postgres: Server
) -> None:
    url = postgres.create()
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE orders AS SELECT g AS id FROM generate_series(1, 5000) g")
            connection.execute("ANALYZE orders")
        config = EvidenceConfig(databases={"shop": url}, limit_s=30)
        text = "DELETE FROM orders; TRUNCATE orders; SELECT pg_sleep(60)"
        (found,) = only(gather(f"psql -d shop -c '{text}'", tmp_path, config), Statements)
        assert [(each.verb, each.rows) for each in found.statements] == [("DELETE", 5000), ("TRUNCATE", 5000)]
        assert found.estimated == "shop"
        with psycopg.connect(url, autocommit=True) as connection:
            assert connection.execute("SELECT count(*) FROM orders").fetchone() == (5000,)
        bad = gather("psql -d shop -c 'DELETE FROM nowhere'", tmp_path, config)
        (gap,) = only(bad, Gap)
        assert gap.failed
        assert "nowhere" in gap.reason
    finally:
        postgres.drop(url)


def test_a_database_that_cannot_be_reached_is_a_gap_without_its_password(gather: Gather, tmp_path: Path) -> None:
    config = EvidenceConfig(databases={"shop": "postgresql://u:secret@127.0.0.1:1/shop"})
    evidence = gather("psql -d shop -c 'DELETE FROM orders'", tmp_path, config)
    (gap,) = only(evidence, Gap)
    assert gap.failed
    assert "secret" not in str(evidence)


def test_a_script_is_shown_with_what_it_does(gather: Gather, tmp_path: Path) -> None:
    project = make_repository(tmp_path / "project")
    (project / "clean.sh").write_text("echo start\nrm -rf src\n", encoding="utf-8")
    (script,) = only(gather("bash ./clean.sh", project), Script)
    assert script.path == str(project / "clean.sh")
    assert script.text == "echo start\nrm -rf src\n"
    assert any("filesystem.delete" in each for each in script.effects) or script.effects == ()


@pytest.mark.parametrize(
    ("ref", "where"), [("refs/tags/production", "production"), ("refs/tags/v1.0", "the release v1.0")]
)
def test_a_deployment_is_compared_with_the_last_one_that_is_known(
    gather: Gather, tmp_path: Path, ref: str, where: str
) -> None:
    project = make_repository(tmp_path / "project")
    git(project, "update-ref", ref, "HEAD")
    commit(project, "one.txt")
    commit(project, "two.txt")
    (project / "a.txt").write_text("dirty", encoding="utf-8")
    (found,) = only(gather("vercel --prod", project), Deployment)
    assert (found.where, found.count, found.back, found.dirty) == (where, 2, 0, 1)
    assert [each.subject for each in found.listed] == ["two.txt", "one.txt"]


def test_a_deployment_of_nobody_knows_what_says_so(gather: Gather, tmp_path: Path) -> None:
    project = make_repository(tmp_path / "project")
    (gap,) = only(gather("vercel --prod", project), Gap)
    assert not gap.failed
    assert gap.reason == "no branch or tag says what is deployed"


@pytest.mark.parametrize(
    ("program", "words", "expected"),
    [
        ("terraform", "apply -auto-approve", "plan -input=false -no-color -lock=false"),
        ("terraform", "destroy -auto-approve -var x=1", "plan -input=false -no-color -lock=false -destroy -var x=1"),
        ("tofu", "-chdir=infra apply -target=a.b", "-chdir=infra plan -input=false -no-color -lock=false -target=a.b"),
        ("terraform", "apply saved.plan", "show -no-color saved.plan"),
        ("terraform", "apply -state-out=x", None),
        ("terraform", "state rm a.b", None),
        ("terraform", "taint a.b", None),
        ("kubectl", "delete ns prod", "delete ns prod --dry-run=server"),
        ("kubectl", "apply -f x.yaml -n prod", "apply -f x.yaml -n prod --dry-run=server"),
        ("kubectl", "delete pod x --kubeconfig=evil", None),
        ("kubectl", "delete pod x --kubeconfig evil", None),
        ("kubectl", "exec x -- rm -rf /", None),
        ("kubectl", "cordon n1", None),
        ("helm", "uninstall web", "uninstall web --dry-run"),
        ("helm", "upgrade web ./chart --post-renderer ./x", None),
        ("helm", "plugin install x", None),
    ],
)
def test_only_read_only_forms_with_known_options_are_run(program: str, words: str, expected: str | None) -> None:
    made = _ARGUMENTS[program](words.split())
    assert (None if made is None else " ".join(made)) == expected


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts programs on the path, in front of everything."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def put(name: str, script: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return put


def test_a_plan_is_run_only_where_it_is_allowed(
    gather: Gather, tmp_path: Path, tools: Callable[[str, str], None]
) -> None:
    ran = tmp_path / "ran"
    tools("terraform", f"touch {ran}; echo 'Plan: 1 to add, 0 to change, 3 to destroy.'; echo \"$@\"")
    (gap,) = only(gather("terraform destroy -auto-approve", tmp_path), Gap)
    assert (gap.failed, ran.exists()) == (False, False)
    config = EvidenceConfig(plans=frozenset({"terraform"}))
    (plan,) = only(gather("terraform destroy -auto-approve", tmp_path, config), Plan)
    assert plan.destroys == 3
    assert plan.summary == "Plan: 1 to add, 0 to change, 3 to destroy."
    assert plan.text.endswith("plan -input=false -no-color -lock=false -destroy\n")


def test_a_plan_that_fails_hangs_or_floods_is_a_gap_and_leaves_no_process(
    gather: Gather, tmp_path: Path, tools: Callable[[str, str], None]
) -> None:
    config = EvidenceConfig(plans=frozenset({"kubectl"}), limit_s=0.5)
    for script in ("echo 'no cluster' >&2; exit 1", "sleep 300 & echo $! > pid; sleep 300", "yes"):
        tools("kubectl", script)
        (gap,) = only(gather("kubectl delete ns prod", tmp_path, config, limit_s=0.5), Gap)
        assert gap.failed
    left = pathlib.Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/cmdline")
    assert not left.exists() or left.read_bytes() == b""  # gone, or a zombie that nobody has reaped


@pytest.mark.parametrize(
    "command",
    [
        "KUBECONFIG=evil kubectl delete ns prod",
        "./kubectl delete ns prod",
        "kubectl delete ns $NAME",
        "ssh host kubectl delete ns prod",
        "kubectl delete -f - < x.yaml",
    ],
)
def test_a_plan_is_never_run_in_other_surroundings_than_our_own(
    gather: Gather, tmp_path: Path, tools: Callable[[str, str], None], command: str
) -> None:
    tools("kubectl", f"touch {tmp_path}/ran")
    (tmp_path / "kubectl").write_text("#!/bin/sh\ntouch ran\n", encoding="utf-8")
    (tmp_path / "kubectl").chmod(0o755)
    evidence = gather(command, tmp_path, EvidenceConfig(plans=frozenset({"kubectl"})))
    assert not (tmp_path / "ran").exists()
    assert only(evidence, Gap)


def test_what_nobody_can_look_into_is_said(gather: Gather, tmp_path: Path) -> None:
    (gap,) = only(gather("aws s3 rb s3://bucket --force", tmp_path), Gap)
    assert not gap.failed
    assert gap.reason == "there is no way to look at it"
