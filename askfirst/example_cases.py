"""Requests that nobody has made: to see what people would see."""

from __future__ import annotations

from askfirst.clock import new_id
from askfirst.effects import Classification, Effect, EffectKind, Outcome, Risk
from askfirst.engine import Case, Cast, step
from askfirst.host import Agent
from askfirst.intake import Draft, request_of
from askfirst.people import Electorate
from askfirst.request import Action, Claim, Review, Verdict
from askfirst.terms import Terms

_RESET = Effect(
    rule="git.reset-hard",
    kind=EffectKind.DISCARDS_CHANGES,
    risk=Risk.HIGH,
    reversible=False,
    target=".",
    loss="discards 3 changed files and 1 unpushed commit",
    suggestion="git stash",
    command="git reset --hard origin/main",
)
_PUSH = Effect(
    rule="git.push-force",
    kind=EffectKind.REWRITES_HISTORY,
    risk=Risk.CRITICAL,
    reversible=False,
    target="main",
    loss="rewrites main on origin: 12 commits of 3 people are lost",
    suggestion="git push --force-with-lease origin main",
    command="git push --force origin main",
)
_CLAIM = Claim(reason="the branch has diverged", impact="local changes are lost", confidence=0.7)
_HOSTILE = "rm -rf ./build '\u202e*bold* <b>x</b>' && echo \"```\" # @everyone [ok](https://a.example)"


def example_case(name: str, now_ms: int) -> Case:
    """The example of this name (``askfirst.cli.preview.EXAMPLES``), as of now."""
    match name:
        case "critical":
            return _case(now_ms, _PUSH.command, _PUSH)
        case "long":
            return _case(now_ms, "rm -rf " + " ".join(f"build/artifact-{number:04}" for number in range(600)))
        case "hostile":
            return _case(now_ms, _HOSTILE)
        case "question":
            return _case(now_ms, question="Which of these may be deleted?", options=("none", "staging", "both"))
        case "denied":
            return _denied(_case(now_ms), now_ms)
    return _case(now_ms)


def _case(
    now_ms: int,
    command: str = "git reset --hard origin/main",
    effect: Effect = _RESET,
    *,
    question: str = "",
    options: tuple[str, ...] = (),
) -> Case:
    agent = Agent(host="claude-code", session="5f0c2a9e", model="example-model")
    arguments: dict[str, object] = {"question": question} if question else {"command": command}
    draft = Draft(
        key=new_id(),
        agent=agent,
        tool_use_id="example",
        action=Action(
            tool="AskHuman" if question else "Bash",
            arguments=arguments,
            cwd="/home/ann/acme/api",
            host=agent.host,
            session=agent.session,
        ),
        classification=Classification(outcome=Outcome.GATE, effects=() if question else (effect,)),
        terms=Terms(
            policy="built-in",
            policy_digest="0" * 64,
            rule=effect.rule,
            approval_expires_at_ms=now_ms + 600_000,
            grant_ttl_ms=120_000,
            late_grant_ttl_ms=600_000,
        ),
        claim=_CLAIM,
        question=question,
        options=options,
    )
    return Case(request=request_of(draft, now_ms))


def _denied(case: Case, now_ms: int) -> Case:
    request = case.request
    review = Review(
        decision_id=new_id(),
        request_id=request.id,
        version=1,
        action_digest=request.action_digest,
        person="local:ann",
        channel="telegram",
        verdict=Verdict.DENY,
        text="stash it first",
        assurance=1,
        at_ms=now_ms,
    )
    return step(case, Cast(review=review, electorate=Electorate(is_open=True)), now_ms).case
