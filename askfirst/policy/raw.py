"""A policy file as it is written: strict pydantic models, from which the published JSON Schema is made as well.

Nothing but ``read`` and ``build`` sees these; unset keys are ``None`` here and nowhere else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

if TYPE_CHECKING:
    from typing import Self

DAY_S = 86_400
TWICE_NAMED = "twice_named"
"""Kind of the error that two rules have one name; ``index`` in its context is the second's."""
_NAME = r"^[a-z0-9][a-z0-9._-]{0,63}$"
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"
_HOURS = r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$"
FORMS = {
    _NAME: "write at most 64 small letters, digits, dots, dashes and underscores, e.g. 'no-force-push'",
    _CLOCK: "write a time like '07:00'",
    _HOURS: "write from-to like '22:00-06:00'",
}
"""A pattern -> what to write, for people."""

RiskName = Literal["low", "medium", "high", "critical"]
ReadyName = Literal["personal", "team", "strict", "ci"]
EffectName = Literal[
    "deletes-files",
    "discards-changes",
    "rewrites-history",
    "publishes",
    "deploys",
    "changes-infrastructure",
    "changes-data",
    "reads-secrets",
    "sends-secrets",
    "escalates",
    "persists",
    "tampers",
    "disrupts",
    "spends",
    "runs-foreign-code",
    "opaque",
]
DayName = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Texts = Annotated[Text | Annotated[list[Text], Field(min_length=1, max_length=200)], Field(union_mode="left_to_right")]


def _known_timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"unknown timezone {name!r}, expected an IANA name like 'Europe/Berlin'")
    return name


def _addressed(recipients: list[str]) -> list[str]:
    for each in recipients:
        if not re.match(r"^[a-z][a-z0-9+-]*:\S+$", each):
            raise ValueError(f"{each!r} is no recipient, expected scheme:address like 'telegram:12345'")
    return recipients


Timezone = Annotated[str, AfterValidator(_known_timezone)]
Clock = Annotated[str, Field(pattern=_CLOCK)]
Recipients = Annotated[list[str], Field(min_length=1, max_length=50), AfterValidator(_addressed)]
Reviewers = Annotated[list[Text], Field(min_length=1, max_length=100)]
Seconds = Annotated[int, Field(ge=1, le=30 * DAY_S)]
GlassSeconds = Annotated[int, Field(ge=0, le=3600)]
TtlSeconds = Annotated[int, Field(ge=1, le=DAY_S)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class RawScope(_Strict):
    """A reach that a reviewer may choose."""

    kind: Literal["once", "uses", "duration", "session", "rule"] = Field(description="How far an approval may reach.")
    amount: int = Field(default=0, ge=0, le=30 * DAY_S, description="Number of uses, or seconds of a duration.")
    pattern: str = Field(default="", max_length=500, description="Command pattern; empty: this very action.")

    @model_validator(mode="after")
    def _amount_goes_with_kind(self) -> Self:
        if (self.kind in {"uses", "duration"}) != (self.amount > 0):
            raise ValueError("'uses' and 'duration' need an amount, the other kinds take none")
        if self.kind == "once" and self.pattern:
            raise ValueError("'once' is for this very action and takes no pattern")
        return self


class RawStage(_Strict):
    """One of several rounds of approval, e.g. proposer, then confirmer."""

    name: str = Field(pattern=_NAME, description="Shown to the reviewers, e.g. 'proposer'.")
    approvals: int = Field(default=1, ge=1, le=20, description="Distinct people that must approve in this round.")
    reviewers: Reviewers | None = Field(default=None, description="Person ids, 'role:x' or 'team:y'. Unset: everyone.")
    route: str | None = Field(default=None, description="Name of the route that is told. Unset: the rule's.")


class RawEscalation(_Strict):
    """Who is asked in addition after a while."""

    after_s: Seconds = Field(description="Seconds since the request was made.")
    reviewers: Reviewers | None = Field(default=None, description="Who may then decide as well.")
    route: str = Field(default="default", description="Name of the route that is told.")


class RawTerms(_Strict):
    """How people are asked."""

    route: str | None = Field(default=None, description="Name of a route under [routes].")
    approvals: int | None = Field(default=None, ge=1, le=20, description="Distinct people that must approve.")
    reviewers: Reviewers | None = Field(default=None, description="Who may decide. Unset: every known person.")
    stages: Annotated[list[RawStage], Field(min_length=1, max_length=5)] | None = Field(
        default=None, description="Rounds of approval, asked one after the other; instead of approvals and reviewers."
    )
    assurance: int | None = Field(default=None, ge=0, le=3, description="Least assurance of a review, 0 to 3.")
    approval_timeout_s: Seconds | None = Field(default=None, description="Seconds that people have to decide.")
    grant_ttl_s: TtlSeconds | None = Field(default=None, description="Seconds in which an approval must be used.")
    late_grant_ttl_s: Annotated[int, Field(ge=0, le=DAY_S)] | None = Field(
        default=None, description="The same for an approval that comes after the deadline; 0: none."
    )
    on_timeout: Literal["reject", "escalate", "approve"] | None = Field(
        default=None, description="What the deadline does; 'approve' never for high or critical risk."
    )
    reminders_s: Annotated[list[Seconds], Field(max_length=3)] | None = Field(
        default=None, description="Seconds after which to remind; few: each further one lowers acceptance."
    )
    escalation: Annotated[list[RawEscalation], Field(max_length=5)] | None = Field(
        default=None, description="Who is asked in addition, and when."
    )
    scopes: Annotated[list[RawScope], Field(min_length=1, max_length=8)] | None = Field(
        default=None, description="What a reviewer may choose beside 'once'."
    )
    deny_ends: bool | None = Field(default=None, description="Whether a single deny ends the request.")
    witness: bool | None = Field(default=None, description="Whether the log must be witnessed before the action runs.")
    break_glass_s: GlassSeconds | None = Field(
        default=None, description="Longest break-glass window that may release it, seconds; 0: no code releases it."
    )

    @model_validator(mode="after")
    def _one_way_to_count(self) -> Self:
        if self.stages is not None and (self.approvals is not None or self.reviewers is not None):
            raise ValueError("give either stages, or approvals and reviewers")
        for times in (self.reminders_s, [step.after_s for step in self.escalation or ()]):
            if times is not None and times != sorted(set(times)):
                raise ValueError("reminders and escalation steps must come in rising order of seconds")
        return self


class RawRung(RawTerms):
    """What happens at one level of risk when no rule matches."""

    outcome: Literal["allow", "ask", "deny"] | None = Field(default=None, description="What happens.")


class RawLadder(_Strict):
    """The risk ladder."""

    low: RawRung = Field(default_factory=RawRung, description="Read, search.")
    medium: RawRung = Field(default_factory=RawRung, description="Create files, run tests.")
    high: RawRung = Field(default_factory=RawRung, description="Delete, modify production.")
    critical: RawRung = Field(
        default_factory=RawRung, description="Deploy, credentials, billing, history of shared branches."
    )

    @model_validator(mode="after")
    def _no_silent_approval(self) -> Self:
        for name in ("high", "critical"):
            if getattr(self, name).on_timeout == "approve":
                raise ValueError(f"{name} risk is never approved by a deadline: use 'reject' or 'escalate'")
        return self


class RawTime(_Strict):
    """A stretch of the week."""

    days: Annotated[list[DayName], Field(min_length=1)] = Field(
        default=["mon", "tue", "wed", "thu", "fri", "sat", "sun"], description="The days on which it begins."
    )
    hours: str = Field(
        default="00:00-24:00",
        pattern=_HOURS,
        description="From-to; an end before the start is of the next day, e.g. '22:00-06:00'.",
    )
    timezone: Timezone = Field(default="UTC", description="IANA name, e.g. 'Europe/Berlin'.")


class RawMatch(_Strict):
    """Which calls are meant. All keys must fit; of a list, one entry."""

    effect: EffectName | Annotated[list[EffectName], Field(min_length=1)] | None = Field(
        default=None, description="What the call does, e.g. 'deletes-files'."
    )
    rule: Texts | None = Field(default=None, description="Id of the analysis' rule, a glob, e.g. 'git.push-*'.")
    risk: RiskName | Annotated[list[RiskName], Field(min_length=1)] | None = Field(
        default=None, description="The risk that the analysis found."
    )
    tool: Texts | None = Field(default=None, description="Tool name, a glob, e.g. 'mcp__stripe__*'.")
    command: Texts | None = Field(default=None, description="Command pattern, e.g. 'git push * main'.")
    path: Texts | None = Field(
        default=None, description="Path glob: absolute, '~/…', or relative to the project, e.g. 'migrations/**'."
    )
    inside_project: bool | None = Field(default=None, description="Whether what is hit lies in the project.")
    repository: Texts | None = Field(default=None, description="'owner/name', a glob.")
    branch: Texts | None = Field(default=None, description="The branch that is hit, a glob.")
    branch_is: Literal["protected", "default"] | None = Field(default=None, description="What the branch is.")
    host: Texts | None = Field(default=None, description="The agent's program, a glob, e.g. 'claude-code'.")
    agent: Texts | None = Field(default=None, description="Id of the subagent, a glob; 'main' is the main thread.")
    session: Texts | None = Field(default=None, description="Session id, a glob.")
    model: Texts | None = Field(default=None, description="Model name, a glob.")
    time: RawTime | Annotated[list[RawTime], Field(min_length=1)] | None = Field(
        default=None, description="When it is asked."
    )
    confidence_below: float | None = Field(
        default=None, gt=0, le=1, description="The agent's own confidence; can only make a ruling stricter."
    )
    condition: str | None = Field(
        default=None, min_length=1, max_length=2000, description="A CEL expression, see the guide; not in projects."
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("an empty match would fit nothing; to fit every call write tool = '*'")
        return self


class RawRule(RawTerms):
    """One rule. Of a file's rules the first that matches counts."""

    name: str = Field(pattern=_NAME, description="Unique in the file; shown in rulings and in the log.")
    match: RawMatch = Field(description="Which calls it is about.")
    unless: RawMatch | None = Field(default=None, description="Exceptions, in the same form.")
    outcome: Literal["allow", "ask", "deny", "shadow"] | None = Field(
        default=None, description="What happens. Unset: what [risk] says. 'shadow': nothing, but it is logged."
    )
    would: Literal["allow", "ask", "deny"] | None = Field(
        default=None, description="With outcome 'shadow': what the rule would do."
    )
    risk: RiskName | None = Field(default=None, description="Regrades the call.")
    reason: str = Field(default="", max_length=500, description="A sentence for people and agents.")
    low_confidence: Literal["ask", "deny"] | None = Field(
        default=None, description="What an agent's own low confidence does where this rule decided."
    )

    @model_validator(mode="after")
    def _shadow_has_a_would(self) -> Self:
        if (self.outcome == "shadow") != (self.would is not None):
            raise ValueError("outcome = 'shadow' needs would = 'allow', 'ask' or 'deny', and nothing else takes it")
        return self

    @model_validator(mode="after")
    def _deadline_approves_only_what_is_harmless(self) -> Self:
        risks = {self.match.risk} if isinstance(self.match.risk, str) else set(self.match.risk or ("high",))
        if self.on_timeout == "approve" and not {*risks, self.risk or "low"} <= {"low", "medium"}:
            raise ValueError(
                "on_timeout = 'approve' is refused for high and critical risk: "
                "limit the rule with match.risk = ['low', 'medium'], or use 'reject' or 'escalate'"
            )
        return self


class RawConfidence(_Strict):
    """What the agent's own confidence does; it can only make a ruling stricter."""

    high_above: float | None = Field(default=None, ge=0, le=1, description="Above it changes nothing. Default 0.95.")
    low_below: float | None = Field(default=None, ge=0, le=1, description="Below it is low. Default 0.70.")
    low: Literal["ask", "deny"] | None = Field(default=None, description="What low confidence does. Default 'ask'.")

    @model_validator(mode="after")
    def _low_ends_where_high_begins(self) -> Self:
        if self.low_below is not None and self.high_above is not None and self.low_below > self.high_above:
            raise ValueError(f"low_below = {self.low_below:g} is above high_above = {self.high_above:g}; swap them")
        return self


class RawBranches(_Strict):
    """Which branches are protected, beside the default branch."""

    protected: Annotated[list[Text], Field(max_length=100)] | None = Field(default=None, description="Globs.")


class RawQuietHours(_Strict):
    """When first messages and reminders wait; deadlines never do."""

    start: Clock = Field(description="HH:MM.")
    end: Clock = Field(description="HH:MM; before start: of the next day.")
    timezone: Timezone = Field(default="UTC", description="IANA name.")
    risks: Annotated[list[Literal["low", "medium", "high"]], Field(min_length=1)] = Field(
        default=["low", "medium"], description="Whose messages wait."
    )


class RawPolicy(_Strict):
    """A policy file."""

    extends: ReadyName | None = Field(default=None, description="A ready policy that this file refines.")
    terminal_decisions: bool | None = Field(
        default=None, description="Let `askfirst inbox` decide on this machine; an agent of the same user could, too."
    )
    break_glass_s: GlassSeconds | None = Field(
        default=None, description="Longest break-glass window, seconds; 0, the default: there is no break-glass."
    )
    routes: Annotated[dict[Annotated[str, Field(pattern=_NAME)], Recipients], Field(max_length=50)] = Field(
        default_factory=dict, description="Who is told, by name; 'default', 'critical' and 'async' are known."
    )
    risk: RawLadder = Field(default_factory=RawLadder, description="What happens at each level of risk.")
    unknown: RawRung = Field(default_factory=RawRung, description="What happens to what is not understood.")
    confidence: RawConfidence = Field(default_factory=RawConfidence, description="Bands of the agent's confidence.")
    branches: RawBranches = Field(default_factory=RawBranches, description="Protected branches.")
    quiet_hours: RawQuietHours | None = Field(default=None, description="When messages wait.")
    rule: Annotated[list[RawRule], Field(max_length=500)] = Field(
        default_factory=list, description="The first rule that matches counts."
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        seen: set[str] = set()
        for index, rule in enumerate(self.rule):
            if rule.name in seen:
                sentence = "two rules are called '{name}'; give each its own name"
                raise PydanticCustomError(TWICE_NAMED, sentence, {"name": rule.name, "index": index})
            seen.add(rule.name)
        return self
