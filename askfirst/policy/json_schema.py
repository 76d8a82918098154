"""The JSON Schema of policy files, for editors (``#:schema`` in the file's first line, or their settings)."""

from __future__ import annotations

import json
from typing import Any

from askfirst.policy.raw import RawPolicy

TITLE = "Askfirst policy"


def policy_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a policy file."""
    schema = RawPolicy.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": TITLE}


def schema_text() -> str:
    """The published file ``docs/policy.schema.json``."""
    return json.dumps(policy_schema(), indent=2, ensure_ascii=False) + "\n"
