"""The released Claude Code in a terminal, against a scripted model: for tests of what a person at its prompt sees."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from askfirst.demo.claude_client import OWN_VARIABLES, kept
from askfirst.testing.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def start(
    executable: Path,
    *,
    project: Path,
    home: Path,
    model_url: str,
    settings: Mapping[str, object],
    environ: Mapping[str, str],
    arguments: tuple[str, ...] = (),
) -> Terminal:
    """Start it with a prompt; first-run questions and the folder's trust are answered beforehand."""
    config = home / ".claude"
    config.mkdir(parents=True, exist_ok=True)
    (config / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    answered = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [OWN_VARIABLES["ANTHROPIC_API_KEY"]], "rejected": []},
        "bypassPermissionsModeAccepted": True,
        "projects": {str(project): {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}},
    }
    (config / ".claude.json").write_text(json.dumps(answered), encoding="utf-8")
    own = {
        **kept(os.environ),
        **OWN_VARIABLES,
        "IS_SANDBOX": "1",
        "ANTHROPIC_BASE_URL": model_url,
        "CLAUDE_CODE_TMPDIR": str(home),
        "CLAUDE_CONFIG_DIR": str(config),
        "HOME": str(home),
    }
    return Terminal([executable, *arguments, "Go on."], cwd=project, environ={**own, **environ})
