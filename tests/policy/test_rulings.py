"""What a policy rules: which rule counts, what each key matches, and what no rule can do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from askfirst.call import ToolCall
from askfirst.classify import classify
from askfirst.config import parse_config
from askfirst.effects import EffectKind, Risk
from askfirst.effects import Outcome as Found
from askfirst.host import Agent
from askfirst.policy.question import Place
from askfirst.policy.ruling import ONCE, UNLIMITED_S, Outcome, ScopeOffer, Stage
from askfirst.policy.short_form import short_form
from askfirst.policy.source import assemble
from askfirst.request import Claim
from askfirst.testing.ladder_policy import needs_person

if TYPE_CHECKING:
    from collections.abc import Callable

    from askfirst.effects import Effect
    from askfirst.policy.policy import Policy
    from askfirst.policy.question import Question

    PolicyOf = Callable[..., Policy]
    Asked = Callable[..., Question]
    Made = Callable[..., Effect]

DENY_BY = '[[rule]]\nname = "r"\noutcome = "deny"\n[rule.match]\n'


@pytest.mark.parametrize(
    ("risk", "outcome"),
    [(Risk.LOW, "allow"), (Risk.MEDIUM, "allow"), (Risk.HIGH, "ask"), (Risk.CRITICAL, "ask")],
)
def test_without_any_file_high_and_critical_are_asked_about(
    risk: Risk, outcome: str, policy_of: PolicyOf, question: Asked, effect: Made
) -> None:
    ruling = policy_of().rule_on(question("x", effect(risk)))

    assert (ruling.outcome, ruling.policy, ruling.rule) == (Outcome(outcome), "built-in", f"risk.{risk.label}")
    assert (ruling.approvals_needed, ruling.approval_timeout_s, ruling.grant_ttl_s) == (1, 600, 120)
    assert (ruling.late_grant_ttl_s, ruling.on_timeout, ruling.scopes) == (600, "reject", (ONCE,))
    assert ruling.stages == (Stage(recipients=("web:inbox",)),)


def test_what_is_not_understood_passes_unless_the_configuration_is_strict(question: Asked) -> None:
    asked = question("frobnicate", found=Found.PASS)
    strict = parse_config(b"[policy]\nstrict = true\n", source="")

    def outcome(content: bytes) -> Outcome:
        config = short_form(parse_config(content, source=""))
        return assemble(managed=None, user=None, config=config, loaded=()).rule_on(asked).outcome

    assert strict.strict
    assert (outcome(b""), outcome(b"[policy]\nstrict = true\n")) == (Outcome.ALLOW, Outcome.ASK)


@pytest.mark.parametrize("ask_from", ["low", "medium", "high", "critical"])
def test_the_short_form_asks_from_the_risk_that_it_names(ask_from: str, question: Asked, effect: Made) -> None:
    content = f'[policy]\nask_from = "{ask_from}"\napproval_timeout_s = 60\n'.encode()
    policy = assemble(managed=None, user=None, config=short_form(parse_config(content, source="")), loaded=())

    for risk in Risk:
        ruling = policy.rule_on(question("x", effect(risk)))
        assert (ruling.outcome is Outcome.ASK) is (risk >= Risk.of(ask_from))
        assert ruling.approval_timeout_s == 60


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ('effect = "discards-changes"', True),
        ('effect = ["spends", "deploys"]', False),
        ('rule = "git.*"', True),
        ('rule = "filesystem.*"', False),
        ('risk = "high"', True),
        ('risk = "low"', False),
        ('tool = "Ba*"', True),
        ('tool = "mcp__*"', False),
        ('command = "git reset *"', True),
        ('command = "git push *"', False),
        ('path = "/proj/**"', True),
        ('path = "**"', True),
        ('path = "/etc/**"', False),
        ("inside_project = true", True),
        ("inside_project = false", False),
        ('repository = "acme/*"', True),
        ('repository = "other/*"', False),
        ('branch = "feature/*"', True),
        ('branch = "main"', False),
        ('branch_is = "protected"', False),
        ('host = "claude-*"', True),
        ('host = "codex"', False),
        ('agent = "main"', True),
        ('agent = "sub*"', False),
        ('session = "s"', True),
        ('model = "claude-*"', True),
        ('model = "gpt-*"', False),
        ('time = { days = ["wed"], hours = "12:00-13:00" }', True),
        ('time = { hours = "13:00-14:00", timezone = "Europe/Berlin" }', True),
        ('time = { days = ["tue"] }', False),
        ('time = { days = ["tue"], hours = "22:00-12:30" }', True),
        ('time = { days = ["wed"], hours = "22:00-12:30" }', False),
        ('effect = "discards-changes"\nhost = "codex"', False),
    ],
)
def test_every_key_must_fit(match: str, fits: bool, policy_of: PolicyOf, question: Asked, effect: Made) -> None:
    ruling = policy_of(user=DENY_BY + match).rule_on(question("git reset --hard", effect()))

    assert (ruling.outcome is Outcome.DENY) is fits


def test_the_first_rule_that_matches_counts(policy_of: PolicyOf, question: Asked, effect: Made) -> None:
    user = """
[[rule]]
name = "fine"
outcome = "allow"
match = { rule = "git.reset-hard", branch = "feature/*" }
[[rule]]
name = "never"
outcome = "deny"
reason = "not here"
match = { rule = "git.*" }
"""
    policy = policy_of(user=user)

    assert policy.rule_on(question("x", effect())).rule == "fine"
    ruling = policy.rule_on(question("x", effect(), place=Place(project="/proj", branch="main")))
    assert (ruling.rule, ruling.reason, ruling.policy) == ("never", "not here", "user")


def test_an_exception_takes_a_call_out_of_a_rule(policy_of: PolicyOf, question: Asked, effect: Made) -> None:
    user = DENY_BY + 'rule = "git.*"\n[rule.unless]\nbranch = "feature/*"\n'

    assert policy_of(user=user).rule_on(question("x", effect())).outcome is Outcome.ASK


def test_a_call_is_as_free_as_its_strictest_part(policy_of: PolicyOf, question: Asked, effect: Made) -> None:
    user = '[[rule]]\nname = "r"\noutcome = "allow"\nmatch = { rule = "git.reset-hard" }\n'
    push = effect(Risk.CRITICAL, rule="git.push-force", command="git push -f", target="main on origin")
    policy = policy_of(user=user)

    assert policy.rule_on(question("x", effect())).outcome is Outcome.ALLOW
    assert policy.rule_on(question("x", effect(), push)).outcome is Outcome.ASK


def test_a_rule_about_a_harmless_command_finds_it_behind_another(policy_of: PolicyOf, question: Asked) -> None:
    asked = question("cd x && terraform plan")
    asked = replace(asked, classification=replace(asked.classification, commands=("cd x", "terraform plan")))

    assert policy_of(user=DENY_BY + 'command = "terraform *"').rule_on(asked).outcome is Outcome.DENY


@pytest.mark.parametrize(
    ("command", "is_denied", "is_let_pass"),
    [
        ("push prod:a", True, True),
        ("push 'prod:a b'", True, True),
        ('push "prod:$SOMETHING"', True, False),
        ("push $(cat where)", True, False),
        ("push prod:a/../b", True, False),
        ("/opt/bin/push prod:a", True, False),
        ("push 'prod:a b'; push prod:a b", True, False),
        ("push prod:{a,b}", True, False),
        ("push {dev,prod}:a", True, False),
        ("{push,echo} prod:a", True, False),
        ("push pr?d:a", True, False),
        ("push *", True, False),
        ("push $'prod:\\x61'", True, True),
        ('"pu"sh \\prod:a', True, True),
        ("sudo -u x push prod:a", True, False),  # sudo itself is another command
        ("nohup nice -n 5 timeout 5 push prod:a &", True, False),
        ("echo a | xargs -I{} push prod:{}", True, False),
        ("f() { push $1; }; f prod:a", True, True),
        ("bash <<E\npush prod:a\nE", True, False),
        ("echo $(push prod:a)", True, False),
        ("push dev:{a,b}", False, False),
        ("push 'prod:'{a,b}/../c", True, False),
        ("push dev:*", False, False),
        ("push dev:a", False, False),
        ('push "dev:$SOMETHING"', False, False),
    ],
)
def test_what_is_not_known_of_a_command_counts_where_that_is_stricter(
    policy_of: PolicyOf, question: Asked, command: str, is_denied: bool, is_let_pass: bool
) -> None:
    found = classify(ToolCall(tool="Bash", arguments={"command": command}, cwd="/proj"))
    asked = question(command, classification=found)
    match = 'command = "push prod:*"'
    denied = policy_of(user=DENY_BY + match).rule_on(asked)
    assert (denied.outcome is Outcome.DENY) is is_denied
    everything_asked = '[risk.low]\noutcome = "ask"\n[risk.medium]\noutcome = "ask"\n'
    allow = f'[[rule]]\nname = "pushes"\noutcome = "allow"\nmatch = {{ {match} }}\n'
    assert (policy_of(user=everything_asked + allow).rule_on(asked).outcome is Outcome.ALLOW) is is_let_pass


def test_letting_a_command_pass_does_not_cover_high_and_critical_unless_it_says_so(
    policy_of: PolicyOf, question: Asked, effect: Made
) -> None:
    allow = '[[rule]]\nname = "echo"\noutcome = "allow"\nmatch = { command = "echo *"%s }\n'
    into_startup = effect(kind=EffectKind.PERSISTS, command="echo x", target="/root/.bashrc")
    asked = question("echo x >> ~/.bashrc", into_startup)

    assert policy_of(user=allow % "").rule_on(asked).outcome is Outcome.ASK
    assert policy_of(user=allow % ', effect = "persists"').rule_on(asked).outcome is Outcome.ALLOW


@pytest.mark.parametrize(
    ("target", "cwd", "outcome"),
    [
        ("build", "/proj", "allow"),
        ("/proj/build/x", "", "allow"),
        ("build/../../etc", "/proj", "ask"),
        ("build", "", "ask"),
        ("$X/build", "/proj", "ask"),
        ("/elsewhere/build", "/proj", "ask"),
    ],
)
def test_a_path_lets_pass_only_what_surely_lies_there(
    target: str, cwd: str, outcome: str, policy_of: PolicyOf, question: Asked, effect: Made
) -> None:
    user = '[[rule]]\nname = "r"\noutcome = "allow"\nmatch = { effect = "deletes-files", path = "build/**" }\n'
    found = effect(kind=EffectKind.DELETES_FILES, target=target, cwd=cwd, command="rm -rf build")

    assert policy_of(user=user).rule_on(question("rm", found)).outcome == Outcome(outcome)


def test_a_link_does_not_carry_a_rule_somewhere_else(policy_of: PolicyOf, question: Asked, effect: Made) -> None:
    user = '[[rule]]\nname = "r"\noutcome = "allow"\nmatch = { effect = "deletes-files", path = "build/**" }\n'
    found = effect(kind=EffectKind.DELETES_FILES, target="build", command="rm -rf build")
    place = Place(project="/proj", real={"/proj/build": "/etc"})

    assert policy_of(user=user).rule_on(question("rm", found, place=place)).outcome is Outcome.ASK


def test_what_may_be_meant_is_enough_to_deny(policy_of: PolicyOf, question: Asked, effect: Made) -> None:
    found = effect(Risk.MEDIUM, kind=EffectKind.DELETES_FILES, target="$X/y", command="rm $X/y")

    assert policy_of(user=DENY_BY + 'path = "/etc/**"').rule_on(question("rm", found)).outcome is Outcome.DENY


@pytest.mark.parametrize(
    ("target", "command", "branch_is", "fits"),
    [
        ("main on origin", "git push -f origin main", "default", True),
        ("main on origin", "git push -f origin main", "protected", True),
        ("release/1 on origin", "git push -f", "protected", True),
        ("feature/x on origin", "git push -f", "protected", False),
        ("release/1 on origin", "git push -f", "default", False),
    ],
)
def test_the_branch_is_the_one_that_is_hit(  # noqa: PLR0917  # a table's columns
    target: str, command: str, branch_is: str, fits: bool, policy_of: PolicyOf, question: Asked, effect: Made
) -> None:
    found = effect(rule="git.push-force", kind=EffectKind.REWRITES_HISTORY, target=target, command=command)
    ruling = policy_of(user=DENY_BY + f'branch_is = "{branch_is}"').rule_on(question(command, found))

    assert (ruling.outcome is Outcome.DENY) is fits


@pytest.mark.parametrize(
    ("command", "fits"),
    [
        ("git push origin main", True),
        ("git push origin HEAD:refs/heads/main", True),
        ("git push origin +x:main", True),
        ("git push origin feature/x", False),
        ("git push", False),
    ],
)
def test_a_harmless_push_is_about_the_branch_that_it_names(
    command: str, fits: bool, policy_of: PolicyOf, question: Asked
) -> None:
    user = DENY_BY + 'command = "git push *"\nbranch = "main"'

    assert (policy_of(user=user).rule_on(question(command)).outcome is Outcome.DENY) is fits


def test_a_shadow_rule_decides_nothing_and_is_told(policy_of: PolicyOf, question: Asked, effect: Made) -> None:
    user = '[[rule]]\nname = "try"\noutcome = "shadow"\nwould = "allow"\nmatch = { rule = "git.*" }\n'
    ruling = policy_of(user=user).rule_on(question("x", effect()))

    assert (ruling.outcome, ruling.rule, ruling.shadowed_by) == (Outcome.ASK, "risk.high", ("try would allow",))


def test_a_rule_may_grade_a_call_anew(policy_of: PolicyOf, question: Asked, effect: Made) -> None:
    user = """
[risk.critical]
approvals = 2
[[rule]]
name = "up"
risk = "critical"
match = { tool = "mcp__bank__*" }
[[rule]]
name = "down"
risk = "medium"
match = { rule = "git.reset-hard", branch = "feature/*" }
"""
    up = policy_of(user=user).rule_on(question(tool="mcp__bank__pay"))
    down = policy_of(user=user).rule_on(question("x", effect()))

    assert (up.outcome, up.risk, up.approvals_needed) == (Outcome.ASK, Risk.CRITICAL, 2)
    assert (down.outcome, down.risk) == (Outcome.ALLOW, Risk.MEDIUM)


def test_proposer_and_confirmer_are_two_rounds_with_their_own_people(
    policy_of: PolicyOf, question: Asked, effect: Made
) -> None:
    user = """
[routes]
default = ["web:inbox"]
critical = ["slack:#critical"]
[risk.high]
stages = [
  { name = "proposer", reviewers = ["team:ops"] },
  { name = "confirmer", reviewers = ["role:lead"], route = "critical" },
]
"""
    ruling = policy_of(user=user).rule_on(question("x", effect()))

    assert ruling.stages == (
        Stage(name="proposer", reviewers=("team:ops",), recipients=("web:inbox",)),
        Stage(name="confirmer", reviewers=("role:lead",), recipients=("slack:#critical",)),
    )


def test_critical_is_approved_once_whatever_the_file_offers(policy_of: PolicyOf, question: Asked, effect: Made) -> None:
    user = 'risk.high.scopes = [{ kind = "uses", amount = 3 }]\nrisk.critical.scopes = [{ kind = "session" }]\n'
    policy = policy_of(user=user)

    assert policy.rule_on(question("x", effect())).scopes == (ONCE, ScopeOffer(kind="uses", amount=3))
    assert policy.rule_on(question("x", effect(Risk.CRITICAL))).scopes == (ONCE,)


def test_no_rule_that_grades_down_gets_a_grave_call_approved_by_a_deadline(
    policy_of: PolicyOf, question: Asked, effect: Made
) -> None:
    user = """
[risk.medium]
outcome = "ask"
on_timeout = "approve"
[[rule]]
name = "down"
risk = "medium"
match = { rule = "git.reset-hard" }
"""
    policy = policy_of(user=user)

    assert policy.rule_on(question("x", effect(Risk.MEDIUM, rule="other"))).on_timeout == "approve"
    assert policy.rule_on(question("x", effect())).on_timeout == "reject"


def test_a_term_that_another_rule_set_than_the_one_that_decided_is_told_with_it(
    policy_of: PolicyOf, question: Asked, effect: Made
) -> None:
    user = """
[risk.high]
approval_timeout_s = 600
assurance = 1
[[rule]]
name = "unsure"
approval_timeout_s = 60
grant_ttl_s = 30
match = { confidence_below = 0.5 }
"""
    policy = policy_of(user=user, managed="[risk.high]\nassurance = 2\n")
    unsure = question("x", effect(), claim=Claim(confidence=0.4))

    assert policy.rule_on(unsure).rule == "risk.high"
    assert policy.setters(unsure) == {
        "assurance_min": "risk.high of the managed policy",
        "approval_timeout_s": "unsure of the user policy",
        "grant_ttl_s": "unsure of the user policy",
    }
    assert policy_of(user=user).setters(question("x", effect())) == {}


def test_a_requester_may_wish_for_any_time_but_where_a_ceiling_says_how_long(
    policy_of: PolicyOf, question: Asked, effect: Made
) -> None:
    times = "[risk.high]\napproval_timeout_s = {}\n".format
    asked = question("x", effect())

    def wishable(**layers: str) -> tuple[int, int]:
        ruling = policy_of(**layers).rule_on(asked)
        return ruling.approval_timeout_s, ruling.wished_timeout_max_s

    assert wishable(user=times(900)) == (900, UNLIMITED_S)
    assert wishable(user=times(300), managed=times(900)) == (300, 900)
    assert wishable(user=times(300), managed="[risk.high]\napprovals = 2\n") == (300, UNLIMITED_S)
    assert wishable(user=times(300), managed=times(900), project=times(400)) == (300, 400)


def test_a_managed_ceiling_holds_and_its_recipients_are_always_told(
    policy_of: PolicyOf, question: Asked, effect: Made
) -> None:
    managed = """
[routes]
default = ["slack:#security"]
[risk.high]
outcome = "ask"
approvals = 2
reviewers = ["role:lead"]
approval_timeout_s = 300
[[rule]]
name = "no-secrets"
outcome = "deny"
match = { effect = "sends-secrets" }
"""
    user = """
[routes]
default = ["telegram:1"]
[risk.high]
outcome = "allow"
approval_timeout_s = 900
[[rule]]
name = "all"
outcome = "allow"
match = { risk = ["high", "critical"] }
"""
    policy = policy_of(managed=managed, user=user)
    ruling = policy.rule_on(question("x", effect()))
    secret = policy.rule_on(question("x", effect(kind=EffectKind.SENDS_SECRETS)))

    assert (ruling.outcome, ruling.policy, ruling.approval_timeout_s) == (Outcome.ASK, "managed", 300)
    assert ruling.wished_timeout_max_s == 300
    assert ruling.stages == (
        Stage(approvals_needed=2, reviewers=("role:lead",), recipients=("slack:#security", "telegram:1")),
    )
    assert (secret.outcome, secret.policy, secret.rule) == (Outcome.DENY, "managed", "no-secrets")


@pytest.mark.parametrize("named", ["", '[branches]\nprotected = ["release/*", "main"]\n'])
def test_no_user_says_which_branches_a_managed_ceiling_is_about(
    named: str, policy_of: PolicyOf, question: Asked, effect: Made
) -> None:
    """What comes with the program counts where the managed file names no branches itself."""
    deny = '[[rule]]\nname = "kept"\noutcome = "deny"\nmatch = { rule = "git.push-force", branch_is = "protected" }\n'
    lifts = '[branches]\nprotected = ["mine"]\n[[rule]]\nname = "mine"\noutcome = "allow"\nmatch = { rule = "git.*" }\n'
    policy = policy_of(managed=named + deny, user=lifts)

    def ruled(branch: str) -> Outcome:
        push = f"git push --force origin {branch}"
        return policy.rule_on(question(push, effect(rule="git.push-force", command=push))).outcome

    assert [ruled(each) for each in ("release/1", "feature/x", "mine")] == [Outcome.DENY, Outcome.ALLOW, Outcome.ALLOW]


@pytest.mark.parametrize("where", ["[risk.high]", '[[rule]]\nname = "kept"\nmatch = { rule = "git.*" }'])
def test_a_users_route_keeps_no_managed_recipient_from_hearing(
    where: str, policy_of: PolicyOf, question: Asked, effect: Made
) -> None:
    managed = f'[routes]\nsecurity = ["slack:#security"]\n{where}\noutcome = "ask"\nroute = "security"\n'
    elsewhere = '[[rule]]\nname = "mine"\noutcome = "ask"\nroute = "mine"\n'
    user = f'[routes]\nmine = ["web:me"]\n{elsewhere}match = {{ tool = "*" }}\n'

    def told(risk: Risk, **layers: str) -> tuple[str, ...]:
        [stage] = policy_of(**layers).rule_on(question("x", effect(risk, rule="git.x"))).stages
        return stage.recipients

    assert told(Risk.HIGH, managed=managed, user=user) == ("slack:#security", "web:me")
    assert told(Risk.HIGH, user=user) == ("web:me",)
    ready = 'extends = "team"\n'  # its routes have no recipients of their own
    assert told(Risk.HIGH, managed=ready, user=user) == ("web:me",)


MANAGED_RULE = """
[routes]
s = ["slack:#security"]
[[rule]]
name = "m"
match = { tool = "*" }
outcome = "ask"
route = "s"
"""


@pytest.mark.parametrize(
    ("managed", "start"),
    [
        ('[routes]\ndefault = ["slack:#security"]\n', ""),
        ('[routes]\ndefault = ["slack:#security"]\n[quiet_hours]\nstart = "01:00"\nend = "02:00"\n', "01:00"),
        (MANAGED_RULE, ""),
        ('[routes]\nother = ["slack:#security"]\n', "22:00"),
        ('[quiet_hours]\nstart = "01:00"\nend = "02:00"\n', "22:00"),
        ("", "22:00"),
    ],
)
def test_no_user_holds_back_what_managed_routes_tell(
    managed: str, start: str, policy_of: PolicyOf, question: Asked, effect: Made
) -> None:
    user = '[routes]\ndefault = ["web:me"]\n[quiet_hours]\nstart = "22:00"\nend = "07:00"\n'

    quiet = policy_of(managed=managed, user=user).rule_on(question("x", effect())).quiet_hours

    assert ("" if quiet is None else quiet.start) == start


def test_an_exception_of_a_managed_file_is_no_ceiling(policy_of: PolicyOf, question: Asked, effect: Made) -> None:
    managed = """
[risk.high]
outcome = "deny"
[[rule]]
name = "except"
outcome = "allow"
match = { rule = "git.reset-hard", branch = "feature/*" }
"""
    policy = policy_of(managed=managed)

    assert policy.rule_on(question("x", effect())).outcome is Outcome.ALLOW
    assert policy.rule_on(question("x", effect(rule="git.clean"))).outcome is Outcome.DENY


def test_a_managed_file_can_forbid_decisions_at_the_terminal(policy_of: PolicyOf) -> None:
    yes, no = "terminal_decisions = true\n", "terminal_decisions = false\n"

    assert policy_of(user=yes).general.terminal_decisions
    assert not policy_of(user=yes, managed=no).general.terminal_decisions
    assert not policy_of().general.terminal_decisions


def test_there_is_break_glass_only_where_a_layer_says_so_and_none_forbids_it(
    policy_of: PolicyOf, question: Asked, effect: Made
) -> None:
    """A managed file caps it for everybody, a rule caps it for itself, and a project can cap it and no more."""
    on, call = "break_glass_s = 900\n", question("x", effect())
    rung, rule = "[risk.high]\nbreak_glass_s = 0\n", '[[rule]]\nname = "r"\nmatch = { tool = "*" }\n'

    def seconds(**layers: str) -> int:
        return policy_of(**layers).rule_on(call).break_glass_s

    assert seconds() == 0
    assert seconds(user=on) == 900
    assert seconds(user=on, managed="break_glass_s = 300\n") == 300
    assert seconds(user=on, managed="break_glass_s = 0\n") == 0
    assert seconds(user=on + rung) == 0
    assert seconds(user=on, managed=rung) == 0
    assert seconds(user=on, managed=f"{rule}break_glass_s = 60\n") == 60
    assert seconds(user=on, project=f"{rule}break_glass_s = 0\n") == 0
    assert seconds(project=f"{rule}break_glass_s = 900\n") == 0


def test_a_project_asks_more_and_names_itself(policy_of: PolicyOf, question: Asked, effect: Made) -> None:
    project = """
[risk.medium]
outcome = "ask"
[[rule]]
name = "migrations"
risk = "critical"
reason = "migrations run on the shared database"
match = { command = "alembic *" }
"""
    policy = policy_of(project=project, user="[risk.critical]\napprovals = 2\n")
    medium = policy.rule_on(question("x", effect(Risk.MEDIUM)))
    alembic = policy.rule_on(question("alembic upgrade head"))

    assert (medium.outcome, medium.policy, medium.rule) == (Outcome.ASK, "project", "risk.medium")
    assert (alembic.outcome, alembic.risk, alembic.approvals_needed) == (Outcome.ASK, Risk.CRITICAL, 2)
    assert alembic.reason == "migrations run on the shared database"


def test_more_parts_than_can_be_judged_are_asked_about(policy_of: PolicyOf, question: Asked) -> None:
    asked = question("many")
    many = tuple(f"echo {number}" for number in range(600))
    ruling = policy_of().rule_on(replace(asked, classification=replace(asked.classification, commands=many)))

    assert (ruling.outcome, ruling.rule) == (Outcome.ASK, "limits")


def test_the_subagent_and_the_hour_are_those_of_the_question(policy_of: PolicyOf, question: Asked) -> None:
    agent = Agent(host="codex", session="s", subagent="reviewer")
    asked = question("ls", agent=agent, at=datetime(2026, 11, 28, 3, tzinfo=UTC))
    user = DENY_BY + 'agent = "review*"\ntime = { days = ["fri"], hours = "22:00-06:00" }'

    assert policy_of(user=user).rule_on(asked).outcome is Outcome.DENY


@given(
    found=st.sampled_from([Found.ALLOW, Found.GATE, Found.PASS]),
    risks=st.lists(st.sampled_from(list(Risk)), max_size=4),
    strict=st.booleans(),
)
def test_without_a_policy_file_the_configuration_decides_as_before(
    question: Asked, effect: Made, found: Found, risks: list[Risk], strict: bool
) -> None:
    if found is Found.PASS:
        risks = [risk for risk in risks if risk < Risk.HIGH]  # the analysis gates what is grave
    config = parse_config(b"[policy]\nstrict = true\n" if strict else b"", source="")
    policy = assemble(managed=None, user=None, config=short_form(config), loaded=())
    asked = question("x", *(effect(risk) for risk in risks), found=found)

    ruling = policy.rule_on(asked)

    assert (ruling.outcome is Outcome.ASK) is needs_person(asked.classification, config)
    assert ruling.outcome is not Outcome.DENY
