from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.audit_port import Entry, EntryType, Private
from audit.redact import redact_entry, redact_value, redacted, without_secrets
from audit.secret_rule import Rules
from audit.secret_rules import RULES
from audit.testing import Store, decided
from audit.verify import verify_store

SECRET = "Tr0ub4dor3hunter2"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
WITH_SECRETS = [
    f"PGPASSWORD={SECRET} psql -h db",
    f"export API_TOKEN='{SECRET}'",
    f"mysqldump --password={SECRET} shop",
    f"tool --api-key {SECRET} --verbose",
    f'tool --auth-token "{SECRET}"',
    f"mysql -u root -p{SECRET} shop",
    f"curl -u ann:{SECRET} https://host/",
    f"curl --user 'ann:{SECRET}' https://host/",
    f"curl -H 'Authorization: Bearer {SECRET}' https://host/",
    f'curl -H "X-Api-Key: {SECRET}" https://host/',
    f"git clone https://ann:{SECRET}@host/repo.git",
    f"psql postgresql://ann:{SECRET}@host/shop",
    f"redis-cli -u redis://:{SECRET}@host",
    f"sshpass -p {SECRET} ssh host",
    f"""curl -d '{{"password": "{SECRET}"}}' https://host/""",
    f"echo 'client_secret: {SECRET}' >> config.yml",
    f"redis-cli -h host -a {SECRET} FLUSHALL",
    f"docker login -u me -p {SECRET} registry.example",
    f"twine upload -u __token__ -p {SECRET} dist/*",
    f"openssl enc -d -aes-256-cbc -k {SECRET} -in a",
    f"openssl enc -d -aes-256-cbc -pass pass:{SECRET} -in a",
    f"az login --service-principal -u a -p {SECRET} --tenant t",
    f"mongosh -u root -p {SECRET} --eval 'db.dropDatabase()'",
    f"htpasswd -b .htpasswd bob {SECRET}",
    f"zip -P {SECRET} -r out.zip src",
    f"ldapdelete -D cn=admin -w {SECRET} ou=people",
    f"ansible-playbook x.yml -e ansible_become_pass={SECRET}",
    f"DB_PASS={SECRET} ./drop",
    f"echo '{SECRET}' | sudo -S rm -rf /srv",
    f"echo {SECRET} | docker login -u me --password-stdin",
    f"curl --cookie 'session={SECRET}; theme=dark' https://host/",
    f"curl -H 'Cookie: session={SECRET}' https://host/",
]
TOKENS = [
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "a1B2" * 10,
    "glpat-" + "a1B2" * 5,
    "AKIA" + "A1B2" * 4,
    "xoxb-123456789012-" + "a1B2" * 6,
    "sk_live_" + "a1B2" * 6,
    "sk-ant-api03-" + "a1B2" * 8,
    "npm_" + "a1B2" * 9,
    "123456789:AA" + "a1B2c" * 6 + "xyz",
    "bot123456789:AA" + "a1B2c" * 6 + "xyz",
    "dckr_pat_" + "a1B2" * 6,
    "pypi-AgE" + "a1B2" * 6,
    "hvs.CAES" + "a1B2" * 8,
    "abc8Q~" + "a1B2" * 8,
    "AIza" + "a1B2c" * 7,
    JWT,
]
HARMLESS = [
    "git push --force origin main",
    "git log --author=token",
    "PWD=/srv/project ls",
    "docker login --password-stdin registry.example",
    "tool --token-file /run/token",
    "mysql -u root -p shop",
    "PGPASSWORD=$DB_PASSWORD psql",
    'curl -H "Authorization: Bearer $TOKEN" https://host/',
    "export API_TOKEN=$(pass show api)",
    "git clone git@host:team/repo.git",
    "ssh -p 22 ann@host",
    "rm -rf node_modules",
    "docker run -p 8080:80 nginx",
    "openssl enc -aes-256-cbc -kfile k -in a",
    "mkdir -p /srv/mongo -p x",
    "mongodump --out /x -p",
    "zip -r out.zip src",
    "redis-cli -h host FLUSHALL",
    "htpasswd -c .htpasswd bob",
    "curl --cookie jar.txt 'https://host/?a=b'",
    "echo yes | sudo apt install x",
    "OLDPWD=/srv bypass=1 x_passenger=2",
    "9f3a52c0417be6d89f3a52c0417be6d89f3a52c0",
    "01KB1Z4D5E6F7G8H9J0KAMBNCP",
]


@pytest.mark.parametrize("command", WITH_SECRETS)
def test_secrets_of_command_lines_are_taken_out(command: str) -> None:
    result = redacted(command)
    assert SECRET not in result
    assert "[redacted: " in result
    assert result[:3] == command[:3]  # what it does is still told


@pytest.mark.parametrize("token", TOKENS)
def test_tokens_are_taken_out_wherever_they_stand(token: str) -> None:
    for text in (token, f"say '{token}' now", f"x{' ' * 5000}{token}{' ' * 5000}y"):
        assert token not in redacted(text)


def test_a_private_key_is_taken_out_whole() -> None:
    body = "MIIEvQIBADANBgkqhkiG9w0B" * 30
    text = f"echo '-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----' > k"
    assert redacted(text) == "echo '[redacted: private key]' > k"


@pytest.mark.parametrize("before", range(0, 5_000, 250))
def test_a_long_secret_is_taken_out_whole_wherever_a_piece_of_the_text_ends(before: int) -> None:
    """A text is searched by the piece; what was longer than their overlap lost only its beginning."""
    lines = [f"{number:02d}{'MIIJQgIBADANBgkq' * 4}" for number in range(50)]
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----"])
    token = f"sk-svcacct-{'aZ90_' * 240}"
    for secret, name in ((key, "private key"), (token, "token")):
        text = redacted(f"{'. ' * (before // 2)}\n{secret}\nend")
        assert text == f"{'. ' * (before // 2)}\n[redacted: {name}]\nend"


@pytest.mark.parametrize("command", HARMLESS)
def test_what_holds_no_secret_stays_as_it_is(command: str) -> None:
    assert redacted(command) == command


@pytest.mark.parametrize("text", [*WITH_SECRETS, *TOKENS, *HARMLESS])
def test_what_is_found_is_what_a_search_for_every_rule_finds(text: str) -> None:
    always = Rules(replace(rule, marks=(), words=()) for rule in RULES.all)
    for variant in (text, text.upper(), f"é {text}", f"{'x ' * 2040}{text}"):
        assert without_secrets(variant, RULES) == without_secrets(variant, always)


def test_members_named_as_secrets_lose_their_text_and_payloads_stay() -> None:
    private = Private(SECRET.encode())
    value = redact_value({"password": SECRET, "nested": [{"api_key": SECRET}, 7, None], "input": private})
    assert value == {
        "password": "[redacted: assignment]",
        "nested": [{"api_key": "[redacted: assignment]"}, 7, None],
        "input": private,
    }


def test_the_writer_redacts_before_it_hashes(store: Store) -> None:
    entry = Entry(
        type=EntryType.GATE_REQUESTED,
        agent={"name": "claude-code", "cwd": "/srv"},
        action={"summary": f"PGPASSWORD={SECRET} dropdb shop", "input": Private(SECRET.encode())},
        decision={"text": f"the token={SECRET} is wrong"},
    )
    store.write(entry)
    body = store.bodies()[-1]
    assert SECRET.encode() not in body
    assert json.loads(body)["action"]["summary"] == "PGPASSWORD=[redacted: assignment] dropdb shop"
    assert verify_store(store.path).ok


def test_an_entry_without_secrets_is_handed_on_as_it_is() -> None:
    entry = decided(1)
    assert redact_entry(entry) is entry
    listed = replace(entry, data={"rules": ("git.reset-hard", "git.push-force"), "shown": ["a", 1, 0.5, None]})
    assert redact_entry(listed) is listed


def test_a_hostile_text_cannot_stop_the_writer() -> None:
    """Without the window, or by patterns that try too much, these take minutes; the test run's limit ends it."""
    pieces = ("eyJ", "a://", "password", "-----BEGIN PRIVATE KEY-----", f"{'.' * 500}pass", f"key{' ' * 4000}")
    for text in (piece * (60_000 // len(piece)) for piece in pieces):
        assert isinstance(redacted(text), str)


@given(st.text(max_size=300))
def test_redacting_never_fails(text: str) -> None:
    assert isinstance(redacted(text), str)


@pytest.mark.parametrize("prefix", ["glpat-", "gldt-", "glft-", "glsoat-", "glrt-", "glcbt-0a_"])
def test_a_token_is_taken_out_with_what_comes_after_how_it_begins(prefix: str) -> None:
    token = prefix + "a1B2" * 5
    assert redacted(f"say {token} now") in {"say [redacted: gitlab token] now", "say [redacted: token] now"}


@given(st.lists(st.sampled_from([*WITH_SECRETS, *TOKENS, *HARMLESS]), max_size=3).map("\n".join))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    once = redacted(text)
    assert redacted(once) == once


def test_whole_files_are_not_remembered() -> None:
    """Of each text that was looked at lately a copy would stay, thousands of files."""
    text = "x" * 100_000 + str(id(object()))
    before = sys.getrefcount(text)
    redacted(text)
    assert sys.getrefcount(text) == before
