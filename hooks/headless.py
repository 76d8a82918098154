"""How each host's client is run for one prompt against a scripted model on loopback, without an account.

Only arguments, environment variables and files in a scratch folder are used, so that it can be done in a person's own
home, with the person's own hooks, as well as in an empty one. Measured with the releases in ``tools/pins.env``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from askfirst.demo.process_group import Program
from askfirst.demo.script import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PROMPT = "Go on with the work."
TIMEOUT_S = 120.0
_KEY = "scripted"
"""Stands where an API's key stands; the scripted model asks for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run.

    Attributes:
        executable: the client.
        project: its working directory, absolute.
        scratch: an empty folder for what it needs.
        model_url: of the scripted model, e.g. ``http://127.0.0.1:40001``.
        environ: its environment, with the HOME whose hooks are to run.
    """

    executable: Path
    project: Path
    scratch: Path
    model_url: str
    environ: Mapping[str, str]

    def program(self, *arguments: str, **environ: str) -> Program:
        """The client with these arguments and variables."""
        return Program(
            command=(self.executable, *arguments),
            cwd=self.project,
            environ={**self.environ, **environ},
            timeout_s=TIMEOUT_S,
        )


class Headless(Protocol):
    """One host's client."""

    def programs(self, run: Run) -> tuple[Program, ...]:
        """What to run, one after another; the last is the agent."""
        ...

    def shell(self, call_id: str, command: str) -> Call:
        """A call of its shell, as the model makes it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Client:
    tool: str
    start: Callable[[Run], tuple[Program, ...]]
    arguments: Callable[[str], dict[str, object]] = lambda command: {"command": command, "description": "Do it"}

    def programs(self, run: Run) -> tuple[Program, ...]:
        return self.start(run)

    def shell(self, call_id: str, command: str) -> Call:
        return Call(id=call_id, tool=self.tool, arguments=self.arguments(command))


def _codex(run: Run) -> tuple[Program, ...]:
    """``exec`` never asks a person; so nothing but the hook stands before the command."""
    provider = f'model_providers.scripted={{name="scripted",base_url="{run.model_url}/v1",wire_api="responses",'
    settings = (f'{provider}env_key="SCRIPTED_KEY"}}', 'model_provider="scripted"')
    options = [option for setting in settings for option in ("-c", setting)]
    unguarded = ("--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox")
    return (run.program("exec", *unguarded, *options, "-m", "scripted", "--json", PROMPT, SCRIPTED_KEY=_KEY),)


def _gemini(run: Run) -> tuple[Program, ...]:
    """By Vertex, since an address for the plain API means a kind of login that headless runs refuse."""
    environ = {
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_API_KEY": _KEY,
        "GOOGLE_VERTEX_BASE_URL": run.model_url,
        "GEMINI_CLI_TRUST_WORKSPACE": "true",
    }
    return (run.program("--yolo", "--output-format", "json", "-m", "gemini-2.5-pro", "-p", PROMPT, **environ),)


def _opencode(run: Run) -> tuple[Program, ...]:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{run.model_url}/v1", "apiKey": _KEY},
        "models": {"scripted": {}},
    }
    model = "scripted/scripted"
    config = {
        "provider": {"scripted": provider},
        "model": model,
        "small_model": model,
        "autoupdate": False,
        "snapshot": False,
    }
    environ = {
        "OPENCODE_CONFIG_CONTENT": json.dumps(config),
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
    }
    return (run.program("run", "--format", "json", PROMPT, **environ),)


def _qwen(run: Run) -> tuple[Program, ...]:
    api = ("--auth-type", "openai", "--openai-api-key", _KEY, "--openai-base-url", f"{run.model_url}/v1")
    return (run.program("--yolo", *api, "-m", "scripted", "-p", PROMPT),)


def _copilot(run: Run) -> tuple[Program, ...]:
    environ = {
        "COPILOT_OFFLINE": "true",
        "COPILOT_PROVIDER_BASE_URL": f"{run.model_url}/v1",
        "COPILOT_PROVIDER_API_KEY": _KEY,
        "COPILOT_MODEL": "scripted",
    }
    return (run.program("-p", PROMPT, "--allow-all-tools", "--output-format", "json", **environ),)


def _cline(run: Run) -> tuple[Program, ...]:
    """The provider is configured in a data folder of its own; the hooks are those of the person."""
    data = ("--data-dir", str(run.scratch / "cline"))
    api = ("-p", "openai-compatible", "-k", _KEY, "-m", "scripted", "-b", f"{run.model_url}/v1")
    hooks = ("--hooks-dir", f"{run.environ['HOME']}/.cline/hooks")
    return run.program("auth", *api, *data), run.program("--json", *data, *hooks, PROMPT)


CLIENTS: dict[str, Headless] = {
    "codex": _Client(tool="exec_command", start=_codex, arguments=lambda command: {"cmd": command}),
    "gemini": _Client(tool="run_shell_command", start=_gemini),
    "opencode": _Client(tool="bash", start=_opencode),
    "qwen": _Client(
        tool="run_shell_command", start=_qwen, arguments=lambda command: {"command": command, "is_background": False}
    ),
    "copilot": _Client(tool="bash", start=_copilot),
    "cline": _Client(tool="run_commands", start=_cline, arguments=lambda command: {"commands": [command]}),
}
