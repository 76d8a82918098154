"""What the gate can do in each host and how we know: the table in the README, which a test holds to this one.

``python -m hooks.support`` prints it.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """One host.

    Attributes:
        name: in the registry.
        title: for people.
        version: of the released program that the tests drive; ``""`` where it was not run.
        gates: the calls that are stopped.
        denial: who reads the reason of a denial.
        hands_back: whether a reviewer's change runs in place of what the agent asked for; elsewhere the agent is told
            what to run instead.
        outcome: what is known of how an approved call went.
        holes: what to know.
    """

    name: str
    title: str
    version: str = ""
    gates: str = "every tool"
    denial: str = "the model"
    hands_back: bool
    outcome: str
    holes: str = ""

    @property
    def verified(self) -> str:
        """How it was verified."""
        return f"real client {self.version}" if self.version else "documentation only, not run"


TABLE = (
    Support(
        name="claude-code",
        title="Claude Code",
        version="2.1.332",
        hands_back=True,
        outcome="exit code, duration",
        holes="see [below](#how-far-to-trust-it)",
    ),
    Support(
        name="codex",
        title="Codex CLI",
        version="0.169.0",
        hands_back=True,
        outcome="that it ran",
        holes="terminals are turned off, since no hook sees what is typed into one",
    ),
    Support(
        name="gemini",
        title="Gemini CLI",
        version="0.61.0",
        hands_back=True,
        outcome="exit code",
        holes="any settings file can disable a hook by name (writing it is gated); a project's need a trusted folder",
    ),
    Support(name="opencode", title="opencode", version="1.18.33", hands_back=True, outcome="exit code"),
    Support(name="qwen", title="Qwen Code", version="0.24.4", hands_back=False, outcome="exit code, duration"),
    Support(
        name="copilot",
        title="GitHub Copilot CLI",
        version="1.0.102",
        hands_back=True,
        outcome="exit code",
        holes="headless, a project's hooks need `COPILOT_ALLOW_ALL=true`; the person's always run",
    ),
    Support(
        name="cline",
        title="Cline CLI",
        version="3.0.65",
        denial="not the model: Cline ends the run, the reason is in its log",
        hands_back=True,
        outcome="ok or failed, duration",
        holes="waits 110 s at most, because Cline runs the command after 120; then approve and start it again",
    ),
    Support(
        name="cursor",
        title="Cursor",
        hands_back=False,
        outcome="that it ran",
        holes="`failClosed` is set; turn loading of Claude Code's hooks off, or you are asked twice",
    ),
    Support(name="goose", title="Goose", hands_back=False, outcome="none", holes="`on_failure: block` is set"),
    Support(
        name="kiro",
        title="Kiro CLI",
        gates="every tool of the agent `askfirst`",
        hands_back=False,
        outcome="that it ran",
        holes="only `kiro-cli chat --agent askfirst`; other agents have hooks of their own",
    ),
    Support(
        name="windsurf",
        title="Windsurf",
        gates="commands, MCP, files",
        hands_back=False,
        outcome="that it ran",
        holes="waits 55 s at most, since its timeout is not documented; then the identical retry passes",
    ),
    Support(
        name="droid",
        title="Factory Droid",
        hands_back=False,
        outcome="that it ran",
        holes="takes the first decision of several hooks",
    ),
)


def markdown() -> str:
    """The table."""
    columns = ("host", "gated", "reads a denial", "runs as a reviewer changed it", "outcome in the log", "to know")
    head = f"| {' | '.join((*columns, 'verified with'))} |"
    rows = [
        f"| {row.title} (`{row.name}`) | {row.gates} | {row.denial} | {'yes' if row.hands_back else 'no'} | "
        f"{row.outcome} | {row.holes} | {row.verified} |"
        for row in TABLE
    ]
    return "\n".join([head, "|---|---|---|---|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
