"""What a tool call that is no shell command would do: files, notebooks, web, MCP tools, operations of other systems.

Hosts' own tools are known by name. For everything else the words of the name and the arguments decide: SQL text is
read as SQL, code as code, paths as paths; a tool about which nothing is known gets no opinion.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING

from askfirst.effects import Classification, Effect, Outcome, Risk
from askfirst.errors import InputError
from askfirst.shell.command import HOLE, Command, Word
from askfirst.shell.found import effect_of
from askfirst.shell.options import clipped
from askfirst.shell.persistence import written_effects
from askfirst.shell.powershell import powershell_effects
from askfirst.shell.secret_paths import secret_grade
from askfirst.shell.sql import sql_text_effects
from askfirst.shell.sql_lexer import statements
from askfirst.tool_arguments import Leaf, leaves
from askfirst.tool_names import rule_of, words_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from askfirst.call import ToolCall
    from askfirst.rules.book import RuleBook


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SHELL_TOOLS = _set(
    "Bash Monitor Shell run_shell_command run_terminal_cmd execute_command run_commands Execute exec_command bash "
    "shell "
    "run_in_terminal local_shell execute_bash developer__shell"
)
_SHELL_WORDS = (
    ("run", "command"),
    ("execute", "command"),
    ("exec", "command"),
    ("run", "shell"),
    ("execute", "shell"),
    ("shell", "exec"),
    ("run", "in", "terminal"),
    ("execute", "bash"),
    ("run", "bash"),
    ("bash",),
    ("shell",),
    ("terminal",),
    ("run", "script"),
)
_WRITERS = _set(
    "Write Edit MultiEdit NotebookEdit write_file edit_file create_file replace str_replace apply_patch "
    "str_replace_editor "
    "insert_edit_into_file write_to_file replace_in_file"
)
_READERS = _set("Read NotebookRead read_file view_file ReadFile read_many_files")
_HARMLESS = _set(
    "Glob Grep LS TodoWrite TodoRead TaskCreate TaskUpdate TaskList TaskGet TaskOutput TaskStop BashOutput KillShell "
    "KillBash "
    "ExitPlanMode EnterPlanMode AskUserQuestion Skill ToolSearch WebSearch Agent Task SendMessage ListMcpResourcesTool "
    "ReadMcpResourceTool ListMcpResources ReadMcpResource LSP glob grep list_directory search_file_content "
    "codebase_search "
    "grep_search file_search list_dir update_plan think"
)
_SHELLS = _set("bash sh zsh fish dash ksh shell")
_RESTART = {"restart": True}
"""By which Anthropic's own ``bash`` tool starts its shell anew, and runs nothing."""
_RUNS = _SHELLS | _set(
    "terminal ssh exec execute run shell bash command tmux console container process keys script cli"
)
"""Words of tools that hand a command to a shell, or to a terminal in which one runs."""
_TYPED_KEYS = _set("command cmd commands shell_command bash_command command_line keys keystrokes")
_COMMAND_KEYS = ("command", "cmd", "commands", "script", "input")
"""Where shells find what to run, in the order in which it is looked for."""
_POWERSHELL = _set("PowerShell powershell pwsh")
_OWN = re.compile(r"mcp__(?:plugin_)?askfirst(?:_askfirst)?__")
_PATH_KEYS = _set(
    "source src old_path file_path path notebook_path filename file target_file destination dest target filepath paths "
    "uri"
)
_SQL_KEYS = _set("sql query statement queries statements q script sql_query")
_DATABASES = _set(
    "sql db database postgres postgresql pg mysql mariadb sqlite clickhouse bigquery snowflake supabase neon "
    "redshift duckdb "
    "databricks mssql oracle cockroach trino athena planetscale turso"
)
_CODE_KEYS = _set("code source python script function expression")
_CODE_NAMES = _set("code python javascript notebook jupyter ipython cell repl")
_PAGES = _set("puppeteer playwright browser page chrome devtools cdp selenium")
"""Words of tools that run JavaScript in a page, with the person's sessions."""
_CLIS = _set("kubectl helm docker git gh aws gcloud az terraform tofu pulumi redis psql mysql argocd flux oc")
"""Programs that a tool is called by: its command is their command line without their name."""
_INFRASTRUCTURE = _set(
    "terraform tofu pulumi argocd flux helm k8s kubernetes openshift ansible cloudformation cdk nomad"
)
_INFRASTRUCTURE_CHANGES = _set("apply sync up upgrade patch install scale replace import taint restart")
_ACTION_KEYS = _set("action method operation op command verb mode type event")
_PLACE_KEYS = _set("environment env stage target branch ref database cluster namespace context")
_PRODUCTION = re.compile(r"(?:^|[^a-z])(?:prod|production|live|main|master|release)(?:$|[^a-z])", re.IGNORECASE)
_FORCE_KEYS = _set("force overwrite hard force_push clobber replace_existing recursive purge")
_FORCED_VERBS = _set(
    "clone pull push checkout sync import restore copy move upload init switch merge update create rebase"
)
_SQL_HEADS = _set(
    "SELECT INSERT UPDATE DELETE DROP ALTER CREATE TRUNCATE GRANT REVOKE WITH EXPLAIN SHOW MERGE REPLACE CALL EXEC "
    "DO BEGIN"
)


def shell_text(call: ToolCall) -> str:
    """The shell command that this call runs, whatever the tool is called; ``""`` when it runs none.

    Code for an interpreter comes back as a command that hands it over (``python3 -c …``).
    """
    for text in _shell_commands(call):
        if text is not None:
            return text
    words = words_of(_own_name(call.tool))
    every = set(words_of(call.tool))
    is_page = "evaluate" in words and bool(every & _PAGES)
    if is_page or (every & _CODE_NAMES and {"execute", "run", "eval", "evaluate"} & set(words)):
        return _code_command(call, ("javascript",) if is_page else words)
    return ""


def is_unread_shell(call: ToolCall) -> bool:
    """Whether a shell is given what is no text to run, or nothing at all: nobody can tell what runs.

    An MCP tool whose name only sounds like a shell's may be given nothing.
    """
    if call.tool in _POWERSHELL:
        return not powershell_text(call)
    found = _shell_commands(call)
    gets_none = not found and _is_shell(call.tool) and not call.tool.startswith("mcp__")
    return None in found or (gets_none and dict(call.arguments) != _RESTART)


def _shell_commands(call: ToolCall) -> list[str | None]:
    """What a shell is given to run, that which tools take first; ``None`` for what is no text. None for other tools."""
    if not _is_shell(call.tool):
        return []
    given = [name for name in call.arguments if name.lower() in _COMMAND_KEYS and call.arguments[name] is not None]
    given.sort(key=lambda name: (name not in _COMMAND_KEYS, _COMMAND_KEYS.index(name.lower())))
    return [_command_of(name, call.arguments[name]) for name in given]


def _is_shell(tool: str) -> bool:
    if tool in _SHELL_TOOLS:  # nearly always; it is asked several times of each call
        return True
    words = words_of(_own_name(tool))
    return (len(words) == 1 and words[0] in _SHELLS) or (tool.startswith("mcp__") and words in _SHELL_WORDS)


def _command_of(name: str, value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "\n".join(value) if name.lower() == "commands" else shlex.join(value)
    return None


def powershell_text(call: ToolCall) -> list[str]:
    """The text of a PowerShell tool: programs such as git are called there as in any shell."""
    if call.tool not in _POWERSHELL:
        return []
    return [text for key in ("command", "script") if isinstance(text := call.arguments.get(key), str)][:1]


def typed_commands(call: ToolCall) -> list[str]:
    """Shell commands in the arguments of a tool that looks as if it ran them: in a terminal, a container, elsewhere.

    Of a shell, all that it may run instead of the first one.

    What such a tool really does is not known, so that these can make a call worse but never harmless. A patch that
    deletes files is as bad as ``rm``.
    """
    if shells := _shell_commands(call):
        return [text for text in shells[1:] if text]
    try:
        found = leaves(dict(call.arguments))
    except (InputError, RecursionError):
        return []
    if call.tool == "apply_patch":
        removed = [match[1].strip() for leaf in found for match in _REMOVED.finditer(leaf.text)]
        return [shlex.join(["rm", "--", *removed])] if removed else []
    name = words_of(call.tool)
    typed = [leaf.text for leaf in found if leaf.key.lower() in _TYPED_KEYS and leaf.text]
    if name[-1:] and name[-1] in _CLIS:
        return [text if text.startswith(name[-1]) else f"{name[-1]} {text}" for text in typed]
    return typed if {*name, *_action_words(found)} & _RUNS else []


def _code_command(call: ToolCall, words: tuple[str, ...]) -> str:
    text = next((call.arguments[key] for key in _CODE_KEYS if isinstance(call.arguments.get(key), str)), None)
    if not isinstance(text, str):
        return ""
    named = str(call.arguments.get("language", "")).lower()
    if named in {"bash", "sh", "shell"}:
        return text
    is_script = named in {"javascript", "js", "typescript", "node"} or "javascript" in words
    return f"node -e {shlex.quote(text)}" if is_script else f"python3 -c {shlex.quote(text)}"


def _own_name(tool: str) -> str:
    """The tool's own part of ``mcp__server__tool``."""
    return tool.rpartition("__")[2] if tool.startswith("mcp__") else tool


def classify_tool(call: ToolCall, book: RuleBook) -> Classification:
    """What a call of any tool but a shell would do.

    Args:
        call: the call; where ``shell_text`` is not empty, analyse that as well.
        book: the rules.
    """
    command = _as_command(call)
    if is_unread_shell(call):
        return _concluded([effect_of(book, "mcp-tools.unread-command", command, target=call.tool)], understood=False)
    try:
        found = leaves(dict(call.arguments))
    except (InputError, RecursionError):
        return _concluded([effect_of(book, "mcp-tools.unread", command, target=call.tool)], understood=False)
    if call.tool in _POWERSHELL:
        text = next((leaf.text for leaf in found if leaf.key in {"command", "script"}), "")
        return _concluded(list(powershell_effects(text, command, book)), understood=False)
    if call.tool in _WRITERS:
        return _concluded(list(_writes(call, found, command, book)), understood=_stays_inside(call, found))
    if call.tool in _READERS or call.tool == "WebFetch":
        is_named = bool(_paths(found)) or any(leaf.key.lower() == "url" and leaf.text for leaf in found)
        return _concluded(list(_reads(found, command, book)), understood=is_named)
    if call.tool in _HARMLESS or _OWN.match(call.tool):
        return _concluded([], understood=True)
    return _by_name(call, found, command, book)


def _concluded(effects: Sequence[Effect], *, understood: bool) -> Classification:
    ordered = tuple(sorted(dict.fromkeys(effects), key=lambda effect: -effect.risk))
    gated = bool(ordered) and ordered[0].risk >= Risk.HIGH
    outcome = Outcome.GATE if gated else Outcome.ALLOW if understood else Outcome.PASS
    return Classification(outcome=outcome, effects=ordered)


def _as_command(call: ToolCall) -> Command:
    """The call as rules and people see it: its name and a short form of its arguments."""
    try:
        shown = json.dumps(dict(call.arguments), ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        shown = "…"
    return Command(argv=(Word(text=call.tool or "?"), Word(text=clipped(shown))), cwd=call.cwd or None)


def _paths(found: Sequence[Leaf]) -> list[str]:
    return [leaf.text for leaf in found if leaf.key.lower() in _PATH_KEYS and leaf.text]


_FILE_SCHEME = re.compile("^file://", re.IGNORECASE)  # RFC 3986 §3.1: schemes are case-insensitive
_PATCHED = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (.+)$", re.MULTILINE)
_REMOVED = re.compile(r"^\*\*\* Delete File: (.+)$", re.MULTILINE)
_WHOLE = frozenset({"Write", "write_file", "create_file", "write_to_file"})
_NEW_TEXT = frozenset(
    {
        "content",
        "new_string",
        "newstring",
        "new_source",
        "new_str",
        "new_text",
        "replacement",
        "file_text",
        "insert_text",
    }
)


def _writes(call: ToolCall, found: Sequence[Leaf], command: Command, book: RuleBook) -> Iterator[Effect]:
    paths = _paths(found)
    if call.tool == "apply_patch":
        paths += [match.group(1) for leaf in found for match in _PATCHED.finditer(leaf.text)]
    texts = [leaf.text for leaf in found if leaf.key.lower() in _NEW_TEXT]
    text = "\n".join(texts) if texts else HOLE * 2  # not known
    for path in paths:
        yield from written_effects(
            _FILE_SCHEME.sub("", path), "write" if call.tool in _WHOLE else "append", text, command, book
        )


def _stays_inside(call: ToolCall, found: Sequence[Leaf]) -> bool:
    """Whether every path lies in the working directory, by its text."""
    paths = _paths(found)
    inside = [path.startswith(call.cwd.rstrip("/") + "/") if path.startswith("/") else True for path in paths]
    return bool(paths) and bool(call.cwd) and all(inside) and not any(".." in path for path in paths)


def _reads(found: Sequence[Leaf], command: Command, book: RuleBook) -> Iterator[Effect]:
    addresses = [leaf.text for leaf in found if leaf.key.lower() == "url" and _FILE_SCHEME.match(leaf.text)]
    for path in (*_paths(found), *addresses):
        grade = secret_grade(_FILE_SCHEME.sub("", path))
        if grade:
            rule = "secrets.read-credential" if grade == "credential" else "secrets.read-config"
            yield effect_of(book, rule, command, target=path)


def _by_name(call: ToolCall, found: Sequence[Leaf], command: Command, book: RuleBook) -> Classification:
    words = words_of(_own_name(call.tool)) + _action_words(found)
    rule = rule_of(words)
    if rule == "write" and _INFRASTRUCTURE & set(words_of(call.tool)) and _INFRASTRUCTURE_CHANGES & set(words):
        rule = "deploy"
    effects = list(_sql(words, found, command, book))
    if rule not in {"", "read"}:
        effects.append(_named_effect(rule, words, found, command, book))
        effects += [each for path in _paths(found) for each in written_effects(path, "write", "", command, book)]
    effects += _reads(found, command, book)
    return _concluded(effects, understood=rule == "read")


def _action_words(found: Sequence[Leaf]) -> tuple[str, ...]:
    """The words of arguments that say what to do: ``{"action": "delete_branch"}``, ``{"method": "DELETE"}``."""
    return tuple(
        word
        for leaf in found
        if leaf.key.lower() in _ACTION_KEYS and 0 < len(leaf.text) <= 40 and " " not in leaf.text.strip()
        for word in words_of(leaf.text)
    )


def _named_effect(rule: str, words: tuple[str, ...], found: Sequence[Leaf], command: Command, book: RuleBook) -> Effect:
    """The effect that the name stands for, raised where it is forced or hits production."""
    target = command.argv[0].text
    forced = any(leaf.key.lower() in _FORCE_KEYS and leaf.value is True for leaf in found)
    if rule == "write" and forced and _FORCED_VERBS & set(words):
        return effect_of(book, "mcp-tools.overwrite", command, target=target)
    if rule == "delete" and {"reset", "clone"} & set(words):
        return effect_of(book, "mcp-tools.overwrite", command, target=target)
    production = any(
        leaf.key.lower() in _PLACE_KEYS - {"branch", "ref", "target"} and _PRODUCTION.search(leaf.text)
        for leaf in found
    )
    if rule == "write" and production:
        return effect_of(book, "mcp-tools.deploy", command, target=target, risk=Risk.HIGH)
    return effect_of(book, f"mcp-tools.{rule}", command, target=target)


def _sql(words: tuple[str, ...], found: Sequence[Leaf], command: Command, book: RuleBook) -> Iterator[Effect]:
    """The effects of SQL in the arguments of tools that run queries."""
    named = bool(_DATABASES & {*words, *words_of(command.argv[0].text)})
    for leaf in found:
        says_sql = leaf.key.lower() in {"sql", "statement", "statements", "sql_query"}
        if leaf.key.lower() in _SQL_KEYS and (named or says_sql) and _is_sql(leaf.text):
            yield from sql_text_effects(leaf.text, "", command, book)


def sql_texts(call: ToolCall) -> list[str]:
    """SQL in the arguments of a tool that is no shell."""
    try:
        found = leaves(dict(call.arguments))
    except (InputError, RecursionError):
        return []
    return [leaf.text for leaf in found if leaf.key.lower() in _SQL_KEYS and _is_sql(leaf.text)]


def _is_sql(text: str) -> bool:
    head = re.match(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*([A-Za-z]+)", text[:2000], re.DOTALL)
    return head is not None and head.group(1).upper() in _SQL_HEADS and len(statements(text[:2000])) > 0
