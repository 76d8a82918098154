"""What calls of tools that are no shells would do."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askfirst.call import ToolCall
from askfirst.classify import classify
from askfirst.effects import Classification, Outcome
from askfirst.rules.book import RuleBook

BOOK = RuleBook.load()


def look(tool: str, **arguments: object) -> Classification:
    return classify(ToolCall(tool=tool, arguments=arguments, cwd="/home/ann/project"), book=BOOK, home="/home/ann")


@pytest.mark.parametrize(
    ("dangerous", "rule", "harmless"),
    [
        ("mcp__stripe__create_refund", "mcp-tools.finance", "mcp__stripe__list_refunds"),
        ("mcp__bank__transfer_funds", "mcp-tools.finance", "mcp__bank__get_balance"),
        ("mcp__github__delete_file", "mcp-tools.delete", "mcp__github__get_file_contents"),
        ("mcp__github__merge_pull_request", "mcp-tools.publish", "mcp__github__list_merge_requests"),
        ("mcp__gmail__send_email", "mcp-tools.message", "mcp__gmail__search_emails"),
        ("mcp__okta__assign_role", "mcp-tools.access", "mcp__okta__list_roles"),
        ("mcp__team__inviteUser", "mcp-tools.access", "mcp__team__listUsers"),
        ("mcp__x__create_api_key", "mcp-tools.credentials", "mcp__x__list_api_keys"),
        ("mcp__aws__get_secret_value", "mcp-tools.credentials", "mcp__aws__list_secrets"),
        ("mcp__crm__export_customers", "mcp-tools.customer-data", "mcp__crm__count_customers"),
        ("mcp__vercel__deploy_to_vercel", "mcp-tools.deploy", "mcp__vercel__list_deployments"),
        ("mcp__gh__run_workflow", "mcp-tools.deploy", "mcp__gh__get_workflow_run"),
        ("mcp__hub__createWebhook", "mcp-tools.integration", "mcp__hub__listWebhooks"),
        ("mcp__cloud__stop_instance", "mcp-tools.control", "mcp__cloud__describe_instance"),
        ("/reset", "mcp-tools.overwrite", "/status"),
        ("/deploy", "mcp-tools.deploy", "/help"),
        ("mcp__argocd__sync_application", "mcp-tools.deploy", "mcp__argocd__get_application"),
        ("mcp__terraform__apply", "mcp-tools.deploy", "mcp__terraform__show"),
    ],
)
def test_a_name_that_says_danger_is_gated_and_its_reading_twin_is_not(dangerous: str, rule: str, harmless: str) -> None:
    assert [effect.rule for effect in look(dangerous).effects] == [rule]
    assert look(dangerous).outcome is Outcome.GATE
    assert look(harmless).outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    ("tool", "unread", "read"),
    [
        ("bash", {"command": None}, {"restart": True}),
        ("BASH", {"command": True}, {"command": "ls"}),
        ("zsh", {"cmd": {"command": "ls"}}, {"cmd": "ls"}),
        ("shell", {"command": ["ls", 5]}, {"command": ["ls", "-l"]}),
        ("shell", {"command": None, "cmd": ["ls", 5]}, {"command": None, "cmd": "ls"}),
        ("local_shell", {"action": {"command": ["ls"]}}, {"command": ["ls"]}),
        ("mcp__box__run_command", {"command": 5}, {"command": "ls"}),
    ],
)
def test_a_command_for_a_shell_that_is_no_text_is_gated(
    tool: str, unread: dict[str, object], read: dict[str, object]
) -> None:
    found = look(tool, **unread)
    assert (found.outcome, [each.rule for each in found.effects]) == (Outcome.GATE, ["mcp-tools.unread-command"])
    assert look(tool, **read).outcome is not Outcome.GATE


def test_a_powershell_whose_command_is_no_text_is_gated() -> None:
    assert look("PowerShell", command=["Get-ChildItem"]).outcome is Outcome.GATE
    assert look("PowerShell", command="Get-ChildItem").outcome is not Outcome.GATE


def test_a_tool_that_sounds_like_a_shell_may_be_given_nothing_to_run() -> None:
    assert look("mcp__desktop__terminal", action="list").outcome is not Outcome.GATE


@pytest.mark.parametrize(
    ("tool", "arguments", "outcome"),
    [
        ("WebFetch", {"url": "FILE:///home/ann/.ssh/id_rsa"}, Outcome.GATE),
        ("WebFetch", {"URL": "file:///home/ann/.ssh/id_rsa"}, Outcome.GATE),
        ("WebFetch", {"url": "https://example.com/.ssh/id_rsa"}, Outcome.ALLOW),
        ("WebFetch", {"url": 5}, Outcome.PASS),
        ("Read", {"file_path": {"name": "x"}}, Outcome.PASS),
        ("Read", {"file_path": "README.md"}, Outcome.ALLOW),
    ],
)
def test_a_reader_is_harmless_by_what_it_is_known_to_read(
    tool: str, arguments: dict[str, object], outcome: Outcome
) -> None:
    assert look(tool, **arguments).outcome is outcome


@pytest.mark.parametrize(
    ("tool", "arguments", "outcome"),
    [
        ("mcp__pg__query", {"sql": "DROP TABLE users"}, Outcome.GATE),
        ("mcp__pg__query", {"sql": "SELECT 'DROP TABLE users'"}, Outcome.ALLOW),
        ("mcp__docs__search", {"query": "delete from cart button"}, Outcome.ALLOW),
        ("mcp__shell__run_command", {"command": "rm -rf /"}, Outcome.GATE),
        ("mcp__shell__run_command", {"command": "ls"}, Outcome.ALLOW),
        ("mcp__py__execute_python", {"code": "import shutil; shutil.rmtree('/srv')"}, Outcome.GATE),
        ("Monitor", {"command": "rm -rf ~/work"}, Outcome.GATE),
        ("Bash", {"command": "ls", "timeout": 5}, Outcome.ALLOW),
        ("Bash", {"command": ""}, Outcome.ALLOW),
        ("Bash", {"command": 5}, Outcome.GATE),
        ("Bash", {"command": ["rm", 5]}, Outcome.GATE),
        ("Bash", {"command": {"text": "ls"}}, Outcome.GATE),
        ("Bash", {"command": None}, Outcome.GATE),
        ("Bash", {}, Outcome.GATE),
        ("Bash", {"Command": "rm -rf ~/work"}, Outcome.GATE),
        ("Bash", {"command": "ls", "cmd": "rm -rf ~/work"}, Outcome.GATE),
        ("Bash", {"command": "ls", "COMMAND": "rm -rf ~/work"}, Outcome.GATE),
        ("shell", {"command": ["ls", "-l"], "timeout_ms": 5}, Outcome.ALLOW),
        ("shell", {"command": 5}, Outcome.GATE),
        ("mcp__shell__run_command", {"command": {"text": "ls"}}, Outcome.GATE),
        ("mcp__shell__bash", {"restart": True}, Outcome.PASS),
        ("run_commands", {"commands": ["ls", "rm -rf ~/work"]}, Outcome.GATE),
        ("/clone", {"url": "https://example.com/x", "force": True}, Outcome.GATE),
        ("/clone", {"url": "https://example.com/x"}, Outcome.PASS),
        ("mcp__gh__issue_write", {"method": "delete"}, Outcome.GATE),
        ("mcp__gh__issue_write", {"method": "create"}, Outcome.PASS),
        ("mcp__cfg__update_config", {"environment": "production"}, Outcome.GATE),
        ("mcp__cfg__update_config", {"environment": "staging"}, Outcome.PASS),
        ("mcp__x__frobnicate", {}, Outcome.PASS),
        ("Write", {"file_path": "/home/ann/project/a.py", "content": "rm -rf /"}, Outcome.ALLOW),
        ("Write", {"file_path": "/home/ann/other/a.py", "content": ""}, Outcome.PASS),
        ("Write", {"file_path": "/home/ann/project/.git/hooks/pre-commit", "content": "x"}, Outcome.GATE),
        ("Edit", {"file_path": ".claude/settings.json", "new_string": "{}"}, Outcome.GATE),
        ("MultiEdit", {"file_path": "/home/ann/.ssh/authorized_keys", "edits": []}, Outcome.GATE),
        ("NotebookEdit", {"notebook_path": "/home/ann/project/n.ipynb", "new_source": "1"}, Outcome.ALLOW),
        ("apply_patch", {"input": "*** Begin Patch\n*** Update File: askfirst.toml\n"}, Outcome.GATE),
        ("apply_patch", {"input": "*** Begin Patch\n*** Delete File: /home/ann/notes.txt\n"}, Outcome.GATE),
        ("Read", {"file_path": "/home/ann/.ssh/id_ed25519"}, Outcome.GATE),
        ("Read", {"file_path": "/home/ann/project/.env"}, Outcome.ALLOW),
        ("WebFetch", {"url": "https://example.com", "prompt": "delete everything"}, Outcome.ALLOW),
        ("Task", {"prompt": "delete the production database"}, Outcome.ALLOW),
        ("PowerShell", {"command": "Remove-Item -Recurse -Force C:\\data"}, Outcome.GATE),
        ("PowerShell", {"command": "Get-ChildItem C:\\data"}, Outcome.PASS),
    ],
)
def test_arguments_decide_where_the_name_does_not(tool: str, arguments: dict[str, object], outcome: Outcome) -> None:
    assert look(tool, **arguments).outcome is outcome


def test_arguments_that_cannot_be_read_are_gated() -> None:
    deep: object = 1
    for _ in range(100):
        deep = [deep]

    assert look("mcp__x__get", a=deep).outcome is Outcome.GATE
    assert look("mcp__x__get", a=["x"] * 10_000).outcome is Outcome.GATE


_JSON = st.recursive(
    st.none() | st.booleans() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3), max_leaves=8
)


@given(st.text(max_size=40), st.dictionaries(st.text(max_size=12), _JSON, max_size=4))
@settings(max_examples=150)
def test_any_call_is_classified_without_an_exception(tool: str, arguments: dict[str, object]) -> None:
    look(tool, **{"command" if key == "tool" else key: value for key, value in arguments.items()})


@given(_JSON)
def test_a_shell_is_told_text_or_a_person_is_asked(value: object) -> None:
    """As the hook does, which refuses it; other ways in ask."""
    is_words = isinstance(value, list) and all(isinstance(each, str) for each in value)
    assert isinstance(value, str) or is_words or look("Bash", command=value).outcome is Outcome.GATE


TYPED = [
    ("mcp__ssh__exec", {"host": "h", "command": "rm -rf /srv/x"}, {"host": "h", "command": "ls /srv/x"}),
    ("mcp__docker__run_in_container", {"command": "dropdb app"}, {"command": "psql -l"}),
    ("mcp__tmux__send_keys", {"keys": "git push --force\n"}, {"keys": "git status\n"}),
    ("terminal", {"command": "rm -rf /srv/x"}, {"command": "echo rm -rf /srv/x"}),
    (
        "op",
        {"action": "run", "arguments": {"command": "rm -rf /srv/x"}},
        {"action": "run", "arguments": {"command": "ls"}},
    ),
    ("PowerShell", {"command": "git push --force origin main"}, {"command": "git push origin main > $null"}),
    ("PowerShell", {"command": "kubectl delete ns prod"}, {"command": "Write-Host 'kubectl delete ns prod'"}),
    ("PowerShell", {"command": "[IO.Directory]::Delete('C:/x', $true)"}, {"command": "[IO.Directory]::Exists('C:/x')"}),
    ("WebFetch", {"url": "file:///root/.ssh/id_rsa"}, {"url": "https://example.com/id_rsa"}),
    (
        "str_replace_editor",
        {"command": "create", "path": "/home/me/.bashrc", "file_text": "curl x | sh"},
        {"command": "create", "path": "/home/me/p/notes.md", "file_text": "curl x | sh"},
    ),
    ("mcp__redis__flushall", {}, {"note": "x"}),
    ("mcp__kubernetes__kubectl", {"command": "delete ns prod"}, {"command": "get pods -A"}),
    ("mcp__ops__docker", {"command": "docker volume prune -f"}, {"command": "ps -a"}),
    ("mcp__jupyter__execute_cell", {"code": "import shutil; shutil.rmtree('src')"}, {"code": "import shutil"}),
    (
        "mcp__puppeteer__puppeteer_evaluate",
        {"script": "fetch('https://a.example/x', {method: 'DELETE'})"},
        {"script": "document.title + ' delete'"},
    ),
    ("mcp__terraform__run", {"action": "apply"}, {"action": "plan"}),
]


@pytest.mark.parametrize(("tool", "dangerous", "harmless"), TYPED)
def test_commands_in_the_arguments_of_other_tools_are_found(
    tool: str, dangerous: dict[str, object], harmless: dict[str, object]
) -> None:
    asked = classify(ToolCall(tool=tool, arguments=dangerous, cwd="/home/me/p"))
    name = tool.replace("flushall", "keys")
    free = classify(ToolCall(tool=name, arguments=harmless, cwd="/home/me/p"))
    assert (asked.outcome, free.outcome is Outcome.GATE) == (Outcome.GATE, False)


def test_what_may_run_elsewhere_is_never_harmless_for_its_words() -> None:
    assert classify(ToolCall(tool="mcp__ssh__exec", arguments={"command": "ls"})).outcome is Outcome.PASS
