"""The configuration file: strict on the way in, complete afterwards.

TOML, every key optional, unknown keys refused with the nearest known name. The raw form never leaves this module.
The ``[policy]`` table is the short form of a policy: a layer right above the built-in one, which ``policy.toml``
refines (docs/policy.md).

Example::

    [policy]
    ask_from = "high"              # low, medium, high or critical: from this risk on a person is asked
    strict = false                 # also ask about what cannot be understood
    approval_timeout_s = 600       # how long a person has; then the call is denied as expired
    grant_ttl_s = 120              # how long an approval may wait for its execution
    late_grant_ttl_s = 600         # the same for an approval that comes after the deadline; 0: none
    terminal_decisions = false     # let `askfirst inbox` decide on this machine (an agent of the same user could, too)

    [[people]]                     # who may decide beside yourself; rules ask for roles and teams
    id = "local:bob"
    roles = ["release-manager"]
    teams = ["infra"]
    identities = ["telegram:12345"]  # what channels know them by: immutable ids, never names

    [requester]                    # for whom the agents here work
    may_decide = true              # one person's own machine. false: whoever runs the broker never decides for them
    accounts = ["github:583231"]   # accounts that the agents can act as, too: a review by these is worth nothing
    hosts = { codex = ["local:bob"] }  # whom another host's agents work for: they never decide on what it asks

    [web]
    port = 7433                    # 0: any free port

    [limits]                       # beyond them a call is denied with the reason, and nothing is queued
    pending = 100_000              # requests that may wait for people
    pending_per_caller = 10_000    # of one token, or of one user of this machine other than the broker's own
    pending_per_host = 1_000       # of one agent's program
    pending_per_session = 50       # of one session

    [store]
    url = ""                       # postgresql://user@host/database that several brokers share; "": a file of our own

``[audit]`` is in ``askfirst.audit_config``, ``[evidence]`` in ``askfirst.evidence_config``, ``[second_reader]`` in
``askfirst.second_reader_config``, ``[hosts]`` in ``askfirst.host_config``, ``[listen]`` in ``askfirst.listen_config``,
``[undo]`` in ``askfirst.undo_config``, ``[[notify]]`` in ``askfirst.notify_config``. Any other table is a channel's
(``[telegram]``, ``[webhook.NAME]``): it is kept as it is written, and the broker hands it to that channel, or refuses
to start where there is none of that name.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from askfirst.audit_config import AuditConfig, RawAudit, audit_config
from askfirst.bounds import Bounds
from askfirst.canonical import sha256_hex
from askfirst.effects import Risk
from askfirst.errors import ConfigError
from askfirst.evidence_config import EvidenceConfig, RawEvidence, evidence_config
from askfirst.host_config import HostsConfig, RawHosts, hosts_config
from askfirst.listen_config import ListenConfig, RawListen, listen_config
from askfirst.misfit import misfit
from askfirst.notify_config import RawNotify  # noqa: TC001  # pydantic reads the annotations
from askfirst.people import Identity, Person, Requester
from askfirst.second_reader_config import RawSecondReader, SecondReaderConfig, second_reader_config
from askfirst.undo_config import RawUndo, UndoConfig, undo_config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

_DAY_S = 86_400
_IDENTITY = r"^[a-z]{1,32}:[^\s]{1,128}$"
_SCHEME = re.compile(r"[a-z][a-z0-9]{1,31}", re.ASCII)
_NEAR = 0.7
"""A table whose name is this near to one of ours is a slip of the pen, not a channel."""


class _RawPolicy(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    ask_from: Literal["low", "medium", "high", "critical"] = "high"
    strict: bool = False
    approval_timeout_s: int = Field(default=600, ge=1, le=30 * _DAY_S)
    grant_ttl_s: int = Field(default=120, ge=1, le=_DAY_S)
    late_grant_ttl_s: int = Field(default=600, ge=0, le=_DAY_S)
    terminal_decisions: bool = False


class _RawWeb(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    port: int = Field(default=7433, ge=0, le=65_535)


class _RawPerson(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(pattern=_IDENTITY)
    roles: list[str] = Field(default_factory=list)
    teams: list[str] = Field(default_factory=list)
    identities: list[Annotated[str, Field(pattern=_IDENTITY)]] = Field(default_factory=list)


class _RawRequester(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    may_decide: bool = True
    accounts: list[Annotated[str, Field(pattern=_IDENTITY)]] = Field(default_factory=list)
    hosts: dict[str, list[Annotated[str, Field(pattern=_IDENTITY)]]] = Field(default_factory=dict)


class _RawStore(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    url: str = Field(default="", pattern="^$|^postgres(ql)?://")


class _RawLimits(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    pending: int = Field(default=100_000, ge=1, le=1_000_000)
    pending_per_caller: int = Field(default=10_000, ge=1, le=1_000_000)
    pending_per_host: int = Field(default=1_000, ge=1, le=1_000_000)
    pending_per_session: int = Field(default=50, ge=1, le=1_000_000)


class _Raw(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    people: list[_RawPerson] = Field(default_factory=list)
    policy: _RawPolicy = Field(default_factory=_RawPolicy)
    requester: _RawRequester = Field(default_factory=_RawRequester)
    web: _RawWeb = Field(default_factory=_RawWeb)
    limits: _RawLimits = Field(default_factory=_RawLimits)
    store: _RawStore = Field(default_factory=_RawStore)
    audit: RawAudit = Field(default_factory=RawAudit)
    evidence: RawEvidence = Field(default_factory=RawEvidence)
    second_reader: RawSecondReader = Field(default_factory=RawSecondReader)
    undo: RawUndo = Field(default_factory=RawUndo)
    notify: list[RawNotify] = Field(default_factory=list)
    hosts: RawHosts = Field(default_factory=RawHosts)
    listen: RawListen = Field(default_factory=RawListen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The configuration as the program uses it; see the module docstring for what each value means.

    Attributes:
        digest: SHA-256 (hex) of the file's bytes, or of nothing when there is no file.
        bounds: how much may wait.
        people: who may decide beside the user that the broker runs as.
        notify: programs that are told of changes, their secrets not read yet.
        requester: for whom the agents work.
        channels: scheme to its table, as it is written.
        folder: of the file; names of files in it are relative to it.
    """

    ask_from: Risk
    strict: bool
    approval_timeout_s: int
    grant_ttl_s: int
    late_grant_ttl_s: int
    terminal_decisions: bool
    web_port: int
    store_url: str = field(default="", repr=False)  # may hold a password
    digest: str
    audit: AuditConfig = field(default_factory=AuditConfig)
    evidence: EvidenceConfig = field(default_factory=EvidenceConfig)
    second_reader: SecondReaderConfig = field(default_factory=SecondReaderConfig)
    notify: tuple[RawNotify, ...] = ()
    hosts: HostsConfig = field(default_factory=HostsConfig)
    listen: ListenConfig | None = None
    bounds: Bounds = field(default_factory=Bounds)
    people: tuple[Person, ...] = ()
    requester: Requester = field(default_factory=Requester)
    undo: UndoConfig = field(default_factory=UndoConfig)
    channels: Mapping[str, Mapping[str, object]] = field(default_factory=dict, repr=False)
    folder: Path = Path()


def parse_config(content: bytes, *, source: str) -> Config:
    """The configuration in these bytes.

    Raises:
        ConfigError: they are no TOML, or hold a key or value that is not known; the message names it.
    """
    try:
        channels, own = _apart(tomllib.loads(content.decode("utf-8")))
        raw = _Raw.model_validate(own)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{source} is not TOML: {error}; mend it or remove it") from error
    except ValidationError as error:
        raise ConfigError(f"{source}: {_sentence(error.errors()[0])}") from error
    policy = raw.policy
    return Config(
        ask_from=Risk.of(policy.ask_from),
        strict=policy.strict,
        approval_timeout_s=policy.approval_timeout_s,
        grant_ttl_s=policy.grant_ttl_s,
        late_grant_ttl_s=policy.late_grant_ttl_s,
        terminal_decisions=policy.terminal_decisions,
        web_port=raw.web.port,
        store_url=raw.store.url,
        digest=sha256_hex(content),
        audit=audit_config(raw.audit, Path(source).parent),
        evidence=evidence_config(raw.evidence),
        second_reader=second_reader_config(raw.second_reader, Path(source).parent),
        hosts=hosts_config(raw.hosts),
        listen=listen_config(raw.listen, Path(source).parent),
        undo=undo_config(raw.undo),
        bounds=Bounds(**raw.limits.model_dump()),
        people=tuple(
            Person(
                id=each.id,
                roles=frozenset(each.roles),
                teams=frozenset(each.teams),
                identities=tuple(Identity(id=name) for name in each.identities),
            )
            for each in raw.people
        ),
        notify=tuple(raw.notify),
        requester=Requester(
            may_decide=raw.requester.may_decide,
            accounts=frozenset(raw.requester.accounts),
            hosts={host: tuple(people) for host, people in raw.requester.hosts.items()},
        ),
        channels=channels,
        folder=Path(source).parent,
    )


def _apart(table: Mapping[str, object]) -> tuple[dict[str, Mapping[str, object]], dict[str, object]]:
    """Tables that are channels', and everything else."""
    channels: dict[str, Mapping[str, object]] = {
        name: value for name, value in table.items() if isinstance(value, dict) and _is_scheme(name)
    }
    return channels, {name: value for name, value in table.items() if name not in channels}


def _is_scheme(name: str) -> bool:
    return bool(_SCHEME.fullmatch(name)) and not difflib.get_close_matches(name, _Raw.model_fields, n=1, cutoff=_NEAR)


def load_config(path: Path) -> Config:
    """The configuration in this file; the defaults when there is none.

    Raises:
        ConfigError: the file exists and cannot be used: it is never treated as if it were absent.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = b""
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
    return parse_config(content, source=str(path))


def _sentence(error: ErrorDetails) -> str:
    where = ".".join(str(part) for part in error["loc"])
    if where == "store.url":
        return "store.url is no postgresql:// URL (not shown here: it may hold a password)"
    if error["type"] == "extra_forbidden":
        hint = _TO_POLICY if error["loc"][-1] in _POLICY_KEYS else _nearest(error["loc"])
        return f"unknown key {where!r}{hint}"
    if error["type"] == "model_type":
        return f"{where} is {error['input']!r}, expected a table: [{where}]"
    return f"{where} is {error['input']!r}: {misfit(error)}"


_POLICY_KEYS = frozenset(
    {"rule", "rules", "risk", "routes", "extends", "confidence", "branches", "unknown", "quiet_hours"}
)
_TO_POLICY = "; it belongs in policy.toml beside this file (docs/policy.md)"


def _nearest(loc: tuple[int | str, ...]) -> str:
    model: type[BaseModel] = _Raw
    for part in loc[:-1]:
        if isinstance(part, int):
            continue  # the place in a list of tables
        annotation = model.model_fields[part].annotation
        table = get_args(annotation)[0] if get_origin(annotation) is list else annotation
        assert isinstance(table, type)  # every table of ours is a model
        model = table
    known = list(model.model_fields)
    near = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.4)
    return f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(sorted(known))}"
