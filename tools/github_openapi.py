"""Trims GitHub's OpenAPI description to what the fake of ``askfirst.testing.github`` answers.

``python3 tools/github_openapi.py DESCRIPTION`` (``api.github.com.json`` of npm's @octokit/openapi, MIT) writes

- ``tests/channels/github/openapi.json``: those paths and the components they reach, against which tests hold the fake;
- ``askfirst/testing/github/shapes.json``: for each schema that the fake answers with, a smallest value that it takes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OPENAPI = ROOT / "tests/channels/github/openapi.json"
SHAPES = ROOT / "askfirst/testing/github/shapes.json"
REPOSITORY = "/repos/{owner}/{repo}"
PATHS = (
    "/app",
    "/app/installations",
    "/app/installations/{installation_id}/access_tokens",
    "/orgs/{org}/teams/{team_slug}/memberships/{username}",
    "/user",
    "/users/{username}",
    REPOSITORY,
    f"{REPOSITORY}/actions/runs/{{run_id}}/deployment_protection_rule",
    f"{REPOSITORY}/check-runs",
    f"{REPOSITORY}/check-runs/{{check_run_id}}",
    f"{REPOSITORY}/collaborators/{{username}}/permission",
    f"{REPOSITORY}/commits/{{ref}}/check-runs",
    f"{REPOSITORY}/contents/{{path}}",
    f"{REPOSITORY}/installation",
    f"{REPOSITORY}/issues/comments/{{comment_id}}",
    f"{REPOSITORY}/issues/comments/{{comment_id}}/reactions",
    f"{REPOSITORY}/issues/{{issue_number}}",
    f"{REPOSITORY}/issues/{{issue_number}}/comments",
    f"{REPOSITORY}/pulls",
    f"{REPOSITORY}/pulls/{{pull_number}}",
    f"{REPOSITORY}/pulls/{{pull_number}}/files",
    f"{REPOSITORY}/pulls/{{pull_number}}/reviews",
    f"{REPOSITORY}/pulls/{{pull_number}}/reviews/{{review_id}}",
    f"{REPOSITORY}/statuses/{{sha}}",
)
SCHEMAS = (
    "check-run",
    "collaborator",
    "diff-entry",
    "full-repository",
    "installation",
    "integration",
    "issue",
    "issue-comment",
    "private-user",
    "public-user",
    "pull-request",
    "pull-request-review",
    "pull-request-simple",
    "reaction",
    "repository-collaborator-permission",
    "simple-user",
    "status",
    "team-membership",
)
WORDS_ONLY = frozenset({"description", "examples", "example", "externalDocs", "summary", "tags", "x-github"})


def plain(value: Any, *, names: bool = False) -> Any:
    """The value without what is for readers only; below ``properties`` the keys are names, not words."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = value if names else {key: each for key, each in value.items() if key not in WORDS_ONLY}
    are_names = {"properties", "schemas", "responses"}
    return {key: plain(each, names=key in are_names and not names) for key, each in kept.items()}


def references(value: Any) -> set[str]:
    """Every ``$ref`` in it."""
    if isinstance(value, list):
        return {found for each in value for found in references(each)}
    if not isinstance(value, dict):
        return set()
    own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
    return own | {found for each in value.values() for found in references(each)}


def trimmed(description: dict[str, Any]) -> dict[str, Any]:
    """The paths that are used, and all components that these reach."""
    paths = {path: plain(description["paths"][path]) for path in PATHS}
    components: dict[str, dict[str, Any]] = {}
    waiting = references(paths)
    while waiting:
        _, _, kind, name = waiting.pop().split("/")
        if name in components.setdefault(kind, {}):
            continue
        found = plain(description["components"][kind][name])
        components[kind][name] = found
        waiting |= references(found)
    info = {**description["info"], "description": "trimmed by tools/github_openapi.py"}
    return {"openapi": description["openapi"], "info": plain(info), "paths": paths, "components": components}


class Shaper:
    """Makes smallest values."""

    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas

    def shape(self, schema: dict[str, Any]) -> Any:
        """A value that this schema takes, with nothing optional."""
        if "$ref" in schema:
            return self.shape(self._schemas[schema["$ref"].rpartition("/")[2]])
        if schema.get("nullable"):
            return None
        if "enum" in schema:
            return schema["enum"][0]
        if "allOf" in schema:
            return {key: each for part in schema["allOf"] for key, each in self.shape(part).items()}
        if choices := schema.get("oneOf") or schema.get("anyOf"):
            return self.shape(choices[0])
        return self._simple(schema)

    def _simple(self, schema: dict[str, Any]) -> Any:
        kind = schema.get("type", "object")
        if kind == "object":
            properties = schema.get("properties", {})
            return {name: self.shape(properties[name]) for name in schema.get("required", ()) if name in properties}
        if kind == "string":
            texts = {"date-time": "2026-01-02T03:04:05Z", "uri": "https://github.example/"}
            return texts.get(schema.get("format", ""), "x" * max(1, schema.get("minLength", 1)))
        return {"integer": 1, "number": 1, "boolean": False, "array": []}[kind]


def main() -> None:
    """Write both files."""
    description = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    found = trimmed(description)
    schemas = description["components"]["schemas"]
    shaper = Shaper(schemas)
    shapes = {name: shaper.shape({**schemas[name], "nullable": False}) for name in SCHEMAS}
    for path, value in ((OPENAPI, found), (SHAPES, shapes)):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(value, sort_keys=True, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
