"""What a tool would do, told by the words of its name: ``mcp__stripe__create_refund`` spends, ``list_issues`` reads.

The verbs and nouns are data. A name is split into words at case changes and punctuation; a reading verb at the first or
last place makes a tool a reader, unless what it reads are credentials or people's data in bulk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_MAX_CHARS = 200

READS: Final = _set(
    "get list search read fetch find describe show view count check status preview validate explain lookup retrieve "
    "query "
    "browse inspect diff compare analyze analyse monitor watch poll download tail head stat ls cat grep glob "
    "ping "
    "health info help estimate calculate convert translate summarize screenshot snapshot lint test whoami verify"
)
_PEOPLE: Final = _set(
    "customer customers user users contact contacts lead leads patient patients employee employees subscriber "
    "subscribers "
    "personal pii people profile profiles members accounts clients records database"
)
_MONEY: Final = _set(
    "refund refunds payment payments invoice invoices charge charges payout payouts subscription subscriptions price "
    "prices "
    "coupon billing card cards wallet order orders fund funds money trade trades purchase credit credits balance bank "
    "checkout dispute tax payroll salary"
)
_ACCESS: Final = _set(
    "role roles permission permissions access member members membership collaborator collaborators admin admins "
    "owner owners "
    "ownership policy acl user users account accounts sso mfa group visibility"
)
_SECRET: Final = _set("secret secrets credential credentials password passwords certificate apikey")
_KEYS: Final = _set("key keys token tokens")
_KEY_OWNERS: Final = _set("api ssh access deploy private service signing encryption personal auth oauth gpg pat")
_SOFT: Final = _set(
    "label labels reaction reactions tag tags star watcher assignee assignees filter filters breakpoint breakpoints "
    "cookie "
    "cookies cache console selection highlight dialog tab tabs todo item cell cells row comment comments draft "
    "session memory "
    "annotation bookmark thought"
)
_HOSTED: Final = _set(
    "instance instances service server servers container containers cluster project app application database pod "
    "pods vm "
    "machine deployment function functions worker workers environment site droplet node nodes workload pipeline job "
    "jobs"
)


@dataclass(frozen=True, slots=True)
class NameRule:
    """A rule that a name falls under when it has one of the verbs and, if given, one of the nouns."""

    rule: str
    verbs: frozenset[str]
    nouns: frozenset[str] = frozenset()


_RULES: Final = (
    NameRule("finance", _set("refund pay charge payout withdraw purchase buy sell invoice")),
    NameRule(
        "finance",
        _set(
            "create make send issue transfer cancel update capture void finalize approve place submit confirm close "
            "add set"
        ),
        _MONEY,
    ),
    NameRule("finance", _set("transfer"), _set("money funds amount balance")),
    NameRule("customer-data", _set("export dump extract bulk backup"), _PEOPLE | _set("data")),
    NameRule("access", _set("grant revoke invite impersonate")),
    NameRule(
        "access",
        _set(
            "add remove assign unassign promote demote share unshare transfer change set update create delete "
            "disable enable "
            "suspend ban kick block unblock deactivate approve edit put attach detach"
        ),
        _ACCESS,
    ),
    NameRule("access", _set("share unshare")),
    NameRule("deploy", _set("deploy redeploy undeploy promote rollback rollout provision ship")),
    NameRule(
        "deploy",
        _set("create trigger run start dispatch rerun approve apply execute launch"),
        _set(
            "deployment deployments workflow workflows pipeline pipelines release rollout migration migrations "
            "terraform stack"
        ),
    ),
    NameRule(
        "delete",
        _set(
            "delete destroy drop dropdb purge truncate wipe erase expunge prune flush flushall flushdb terminate del "
            "rm unlink"
        ),
    ),
    NameRule("delete", _set("remove clear empty trash discard uninstall reset")),
    NameRule("delete", _set("archive"), _set("repo repository project workspace channel")),
    NameRule("publish", _set("merge publish unpublish tweet")),
    NameRule("publish", _set("create submit make"), _set("release releases package npm app store")),
    NameRule("publish", _set("force"), _set("push")),
    NameRule("message", _set("email broadcast notify dial sms")),
    NameRule(
        "message",
        _set("send post reply forward publish create add compose schedule"),
        _set("email emails mail message messages sms tweet slack chat newsletter campaign dm broadcast fax whatsapp"),
    ),
    NameRule(
        "integration",
        _set("create add register install connect enable update set new schedule"),
        _set(
            "webhook webhooks hook hooks integration integrations connector automation schedule cron trigger plugin "
            "extension"
        ),
    ),
    NameRule(
        "control", _set("stop restart reboot shutdown pause suspend kill scale halt cordon drain failover"), _HOSTED
    ),
    NameRule("control", _set("reboot shutdown")),
)
_WRITES: Final = _set(
    "create update add set write edit put patch insert upsert modify change rename move copy push commit upload "
    "import assign "
    "close reopen approve reject submit run execute exec start enable disable open save apply sync append replace "
    "toggle mark "
    "request rerun resolve cancel archive restore clone checkout pull init"
)
_CREDENTIAL_VERBS: Final = _set(
    "create generate rotate revoke delete reset reveal set update add regenerate put store write remove issue"
)
_READ_CREDENTIAL: Final = _set("get read show reveal retrieve fetch export view decrypt")


def words_of(name: str) -> tuple[str, ...]:
    """The words of a name, lower case: ``createAPIKey`` → ``create api key``."""
    return tuple(word.lower() for word in _WORD.findall(name[:_MAX_CHARS]))


def is_reader(words: tuple[str, ...]) -> bool:
    """Whether the name says that the tool only reads."""
    return bool(words) and (words[0] in READS or (words[-1] in READS and not _writes(words)))


def _writes(words: tuple[str, ...]) -> bool:
    return any(word in _WRITES or any(word in rule.verbs for rule in _RULES if not rule.nouns) for word in words)


def rule_of(words: tuple[str, ...]) -> str:
    """The rule of the pack ``mcp-tools`` (without its prefix) for these words.

    ``""`` when nothing is known about them, ``read`` for a reader, ``write`` for a change of no special kind.
    """
    present = frozenset(words)
    if _touches_credentials(words, present):
        return "credentials"
    if is_reader(words):
        return "read"
    for row in _RULES:
        if row.verbs & present and (not row.nouns or (row.nouns & present)):
            soft = row.rule == "delete" and _SOFT & present and not {"delete", "database"} <= present
            return "write" if soft else row.rule
    return "write" if _WRITES & present else ""


def _touches_credentials(words: tuple[str, ...], present: frozenset[str]) -> bool:
    named = bool(_SECRET & present) or bool(_KEYS & present and _KEY_OWNERS & present)
    if not named:
        return False
    return bool(_CREDENTIAL_VERBS & present) or (words[0] in _READ_CREDENTIAL and bool(_SECRET & present))
