"""Files that make something run later, give access, or guard the agent: told by their paths.

Sources: facts on hosts' hooks and settings (docs of Claude Code, Codex, Gemini CLI, Cursor, Copilot, opencode, Cline,
Windsurf, Qwen Code, Factory Droid, Goose, Kiro); systemd.unit(5), crontab(5), launchd.plist(5), sudoers(5), sshd(8).
"""

from __future__ import annotations

import re
from typing import Final

_START: Final = r"(?:^|/|\ufffc)"

_TABLE: Final[dict[str, str]] = {
    "persistence.gate": r"""
        (?:\.claude|claude-code)/(?:settings[^/]*\.json|hooks(?:/.*)?|managed-settings(?:\.d/.*|\.json))
        | \.claude-plugin/.* | \.claude/plugins/(?:config|installed_plugins|known_marketplaces)\.json | \.claude\.json
        | \.codex/(?:config\.toml|hooks[^/]*|requirements\.toml|rules/.*) | etc/codex/.*
        | \.gemini/(?:settings\.json|policies/.*|hooks/.*|trusted[^/]*) | etc/(?:gemini-cli|qwen-code)/.*
        | \.qwen/settings\.json | \.cursor/(?:hooks\.json|hooks/.*|cli-config\.json|permissions\.json)
        | \.github/hooks/.* | \.copilot/(?:hooks/.*|config\.json)
        | (?:\.config/opencode|\.opencode)/(?:plugins?/.*|opencode\.jsonc?) | opencode\.jsonc?
        | (?:\.cline|\.clinerules)/hooks/.* | (?:\.codeium/windsurf|\.windsurf|etc/windsurf)/hooks\.json
        | \.factory/(?:hooks|settings)\.json | \.kiro/agents/[^/]+\.json | \.kimi-code/config\.toml
        | \.agents/plugins/[^/]+/hooks/.*
        | (?:\.config|\.local/share|\.local/state|\.cache|etc|Application\ Support|var/lib)/askfirst(?:/.*)?
        | askfirst\.toml | (?:bin|Scripts)/askfirst(?:\.exe)? | site-packages/askfirst(?:[-/].*)?
        | \.?askfirst/(?:policy\.toml|askfirst\.db|broker\.[a-z]+)""",
    "persistence.access": r"""
        \.ssh/(?:authorized_keys2?|rc|environment|config)
        | etc/(?:sudoers(?:\.d(?:/.*)?)?|doas\.conf|passwd|shadow|group|gshadow)
        | etc/(?:pam\.d/.*|ld\.so\.preload|security/.*|polkit-1/.*|ssh/sshd_config(?:\.d/.*)?|crypttab)""",
    "persistence.scheduled": r"""
        (?:etc|lib|usr/lib|run)/systemd/(?:system|user)/.* | \.config/systemd/user/.*
        | etc/(?:cron\.(?:d|daily|hourly|weekly|monthly)(?:/.*)?|crontab|anacrontab|init\.d/.*|rc\.local|inittab)
        | etc/rc\d?\.d/.* | var/spool/(?:cron|at)(?:/.*)? | Library/Launch(?:Agents|Daemons)/.* | \.config/autostart/.*
        | etc/(?:profile\.d/.*|profile|environment|bash\.bashrc|zsh/.*|zshenv|zprofile|xdg/autostart/.*)
        | etc/udev/rules\.d/.*""",
    "persistence.git-hook": r"\.git/hooks(?:/(?![^/]*\.sample$).*)?",
    "persistence.shell-start": r"""
        \.(?:bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zshenv|zprofile|zlogin|zlogout)
        | \.(?:kshrc|cshrc|tcshrc|inputrc|xinitrc|xprofile|xsession|pam_environment|envrc)
        | \.config/fish/(?:config\.fish|conf\.d/.*|functions/.*) | \.config/(?:nushell|xonsh)/.*
        | \.oh-my-zsh/custom/.*""",
    "persistence.ci": r"""
        \.github/(?:workflows|actions)/.* | \.gitlab-ci\.ya?ml | \.circleci/.* | Jenkinsfile | azure-pipelines\.ya?ml
        | \.travis\.ya?ml | bitbucket-pipelines\.ya?ml | \.drone\.ya?ml | \.buildkite/.* | \.woodpecker(?:/.*|\.ya?ml)
        | \.husky/.* | \.pre-commit-config\.ya?ml | lefthook\.ya?ml | \.vscode/(?:tasks|launch|settings)\.json
        | \.mcp\.json | \.gitconfig | \.config/git/config | \.git/config | \.git/info/attributes""",
    "persistence.system-file": r"""
        etc/(?:fstab|hosts\.(?:allow|deny)|sysctl\.conf|sysctl\.d/.*|modprobe\.d/.*|nsswitch\.conf|exports)
        | etc/default/grub | boot/.* | proc/sysrq-trigger""",
}
_PATTERNS: Final = tuple((rule, re.compile(f"{_START}(?:{source})$", re.VERBOSE)) for rule, source in _TABLE.items())


def persistence_rule(path: str) -> str:
    """Id of the rule that a write to ``path`` falls under, ``""`` for none; the gravest when several fit."""
    if len(path) > 4096:
        return ""
    path = path.rstrip("/").replace("//", "/")
    return next((rule for rule, pattern in _PATTERNS if pattern.search(path)), "")
