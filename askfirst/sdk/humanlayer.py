"""``require_approval``, ``human_as_tool`` and the object that holds their settings.

``from askfirst import require_approval`` uses the local broker, or the one that ``$ASKFIRST_URL`` names. Settings of
one's own come with ``HumanLayer``; its decorators are the same.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast, overload

from askfirst.sdk import flow, link
from askfirst.sdk.claims import Explanation
from askfirst.sdk.flow import Ask
from askfirst.sdk.freeze import freeze
from askfirst.sdk.gated import Gated, Person
from askfirst.sdk.outcomes import AlreadyUsed, Answer, Approval, Cancelled, Decision, Denied, Refusal, TimedOut
from askfirst.sdk.replies import form_of
from askfirst.sdk.route import Route, recipient_of
from askfirst.sdk.steps import drive, drive_async

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from askfirst.sdk.claims import Words
    from askfirst.sdk.route import OnTimeout
    from askfirst.sdk.steps import Transport

F = TypeVar("F", bound="Callable[..., Any]")

RUN_VARIABLE = "ASKFIRST_RUN_ID"
HOST = "python"
"""How requests of programs name their host."""


class Decorator(Protocol):
    """What ``@require_approval(...)`` gives: a decorator that keeps the function's type."""

    def __call__(self, function: F, /) -> F:
        """The gated function."""
        ...


class HumanLayer:
    """Asks people on behalf of one program.

    Args:
        api_key: the broker's bearer token; default ``$ASKFIRST_TOKEN``. The local broker needs none.
        contact_channels: names for recipients, e.g. ``{"default": "slack:#dev", "critical": "slack:#oncall"}``;
            ``default`` is used where no channel is named.
        url: the broker, ``unix:/path``, ``http://host:port`` or ``https://host``; default ``$ASKFIRST_URL``, else the
            local broker, which is started when none runs.
        run_id: names this run of the program; default ``$ASKFIRST_RUN_ID``. With one, a run that crashed is resumed:
            the same calls in the same order find the same requests, and none is executed twice.
        transport: how the broker is reached, in place of ``url`` and ``api_key``.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        contact_channels: Mapping[str, str] | None = None,
        url: str | None = None,
        run_id: str | None = None,
        transport: Transport | None = None,
    ) -> None:
        self._api_key = api_key or ""
        self._url = url or ""
        self._channels = dict(contact_channels or {})
        for each in self._channels.values():
            recipient_of(each, {})
        self._own = transport
        self._link: Transport | None = None
        self._run_id = run_id
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._session = flow.new_key()

    # -- decorators -----------------------------------------------------------------------------------------------

    @overload
    def require_approval(self, function: F, /) -> F: ...

    @overload
    def require_approval(
        self,
        /,
        *,
        contact_channel: str | None = None,
        timeout: float | None = None,
        on_timeout: OnTimeout = "reject",
        escalate_to: str | None = None,
        reason: Words = None,
        impact: Words = None,
        rollback_plan: Words = None,
        confidence: float | Callable[..., float] | None = None,
        signals: Sequence[str] | Callable[..., Sequence[str]] = (),
        idempotency_key: str | Callable[..., str] | None = None,
        action: str | None = None,
    ) -> Decorator: ...

    def require_approval(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        contact_channel: str | None = None,
        timeout: float | None = None,
        on_timeout: OnTimeout = "reject",
        escalate_to: str | None = None,
        reason: Words = None,
        impact: Words = None,
        rollback_plan: Words = None,
        confidence: float | Callable[..., float] | None = None,
        signals: Sequence[str] | Callable[..., Sequence[str]] = (),
        idempotency_key: str | Callable[..., str] | None = None,
        action: str | None = None,
    ) -> Any:
        """Let a function run only when a person has approved this very call; bare or with arguments.

        The arguments are frozen when the function is called; the frozen values are shown, and they are what runs. Each
        approval runs once. Where it is not approved ``Denied``, ``TimedOut`` or ``Cancelled`` is raised, whose text is
        made for a language model. What the function itself raises passes through.

        Args:
            function: what to gate.
            contact_channel: who is told: a name of ``contact_channels``, or ``scheme:address``.
            timeout: seconds that people have; default: what the policy says.
            on_timeout: ``reject``; ``escalate``, which tells ``escalate_to`` and gives the same time again; or
                ``auto_approve``, which a rule of the policy must allow and which is never done at high risk.
            escalate_to: whom the deadline tells.
            reason: why; by default the first line of the docstring. Like the next ones a value, or a function of the
                call's arguments.
            impact: what it will do.
            rollback_plan: how it can be taken back.
            confidence: 0 to 1.
            signals: what speaks for or against it, e.g. ``["vendor mismatch"]``.
            idempotency_key: finds this very request again after a crash.
            action: how the action is called; by default the function's name.

        Raises:
            TypeError: it is a generator, a class, or no function.
            InputError: a channel, a timeout or a route that cannot be.
        """
        route = self._route(contact_channel, timeout, on_timeout, escalate_to)
        explanation = Explanation(
            reason=reason, impact=impact, rollback_plan=rollback_plan, confidence=confidence, signals=signals
        )

        def decorate(inner: F, /) -> F:
            _require_function(inner, "require_approval")
            gated = Gated(self, inner, action or _name(inner), route, explanation, idempotency_key)
            return cast("F", gated.wrapper())

        return decorate if function is None else decorate(function)

    @overload
    def human_as_tool(self, function: F, /) -> F: ...

    @overload
    def human_as_tool(
        self,
        /,
        *,
        contact_channel: str | None = None,
        timeout: float | None = None,
        options: Sequence[str] = (),
        schema: Mapping[str, object] | None = None,
        idempotency_key: str | Callable[..., str] | None = None,
    ) -> Decorator: ...

    def human_as_tool(
        self,
        function: Callable[..., Any] | None = None,
        /,
        *,
        contact_channel: str | None = None,
        timeout: float | None = None,
        options: Sequence[str] = (),
        schema: Mapping[str, object] | None = None,
        idempotency_key: str | Callable[..., str] | None = None,
    ) -> Any:
        """Put a person in a function's place: a call asks its arguments, the answer is its result.

        The body never runs. The return annotation says what may be answered: ``str``, ``bool``, ``int``, ``float``, a
        ``Literal``, an ``Enum`` or a pydantic model. ``Denied``, ``TimedOut`` or ``Cancelled`` is raised where there is
        no answer.

        Args:
            function: its parameters are the question.
            contact_channel: who is told: a name of ``contact_channels``, or ``scheme:address``.
            timeout: seconds that people have; default: what the policy says.
            options: what may be chosen.
            schema: JSON Schema of the answer, which is then returned parsed.
            idempotency_key: finds this very question again after a crash.

        Raises:
            TypeError: it is a generator or no function, or returns what a person cannot be asked for.
        """
        route = self._route(contact_channel, timeout, "reject", None)

        def decorate(inner: F, /) -> F:
            _require_function(inner, "human_as_tool")
            return cast("F", Person(self, inner, route, form_of(inner, options, schema), idempotency_key).wrapper())

        return decorate if function is None else decorate(function)

    # -- asking without a function --------------------------------------------------------------------------------

    def request_approval(
        self,
        action: str,
        arguments: Mapping[str, object] | None = None,
        *,
        contact_channel: str | None = None,
        timeout: float | None = None,
        on_timeout: OnTimeout = "reject",
        escalate_to: str | None = None,
        reason: str | None = None,
        impact: str | None = None,
        rollback_plan: str | None = None,
        confidence: float | None = None,
        signals: Sequence[str] = (),
        idempotency_key: str | None = None,
    ) -> Approval | Refusal:
        """A person's decision on an action: an ``Approval``, or a false ``Refusal`` that says why.

        An ``Approval`` is the permission for one run, which is the caller's from then on.
        """
        route = self._route(contact_channel, timeout, on_timeout, escalate_to)
        said = Explanation(
            reason=reason, impact=impact, rollback_plan=rollback_plan, confidence=confidence, signals=signals
        )
        ask = self._approval_of(action, arguments or {}, said, route, idempotency_key)
        transport = self.transport()
        return _decided(drive(flow.permission(ask, flow.new_key(), transport.now_ms), transport))

    async def request_approval_async(
        self,
        action: str,
        arguments: Mapping[str, object] | None = None,
        *,
        contact_channel: str | None = None,
        timeout: float | None = None,
        on_timeout: OnTimeout = "reject",
        escalate_to: str | None = None,
        reason: str | None = None,
        impact: str | None = None,
        rollback_plan: str | None = None,
        confidence: float | None = None,
        signals: Sequence[str] = (),
        idempotency_key: str | None = None,
    ) -> Approval | Refusal:
        """``request_approval`` on an event loop."""
        route = self._route(contact_channel, timeout, on_timeout, escalate_to)
        said = Explanation(
            reason=reason, impact=impact, rollback_plan=rollback_plan, confidence=confidence, signals=signals
        )
        ask = self._approval_of(action, arguments or {}, said, route, idempotency_key)
        transport = self.transport()
        return _decided(await drive_async(flow.permission(ask, flow.new_key(), transport.now_ms), transport))

    def ask_human(
        self,
        question: str,
        *,
        options: Sequence[str] = (),
        schema: Mapping[str, object] | None = None,
        contact_channel: str | None = None,
        timeout: float | None = None,
        idempotency_key: str | None = None,
    ) -> Answer | Refusal:
        """A person's ``Answer``, or a false ``Refusal`` that says why there is none."""
        ask = self.question_of(
            question, options, schema, self._route(contact_channel, timeout, "reject", None), idempotency_key
        )
        transport = self.transport()
        return _answered(drive(flow.question(ask, transport.now_ms), transport))

    async def ask_human_async(
        self,
        question: str,
        *,
        options: Sequence[str] = (),
        schema: Mapping[str, object] | None = None,
        contact_channel: str | None = None,
        timeout: float | None = None,
        idempotency_key: str | None = None,
    ) -> Answer | Refusal:
        """``ask_human`` on an event loop."""
        ask = self.question_of(
            question, options, schema, self._route(contact_channel, timeout, "reject", None), idempotency_key
        )
        transport = self.transport()
        return _answered(await drive_async(flow.question(ask, transport.now_ms), transport))

    # -- plumbing -------------------------------------------------------------------------------------------------

    def transport(self) -> Transport:
        """How this program reaches its broker."""
        if self._own is not None:
            return self._own
        return link.installed() or self._opened()

    def _opened(self) -> Transport:
        with self._lock:
            self._link = self._link or link.open_link(url=self._url, token=self._api_key)
            return self._link

    def ask(self, body: Mapping[str, object], key: str | None) -> Ask:
        """What is asked, under the key that finds it again: the caller's, the run's, or a fresh one."""
        run_id = self._run_id or os.environ.get(RUN_VARIABLE, "")
        if key is None and not run_id:
            return Ask(body={**body, "host": HOST, "session": self._session}, key=flow.new_key())
        named = {**body, "host": HOST, "session": run_id}
        return Ask(body=named, key=key or self._nth(run_id, body), is_own_key=True)

    def question_of(
        self,
        question: str,
        options: Sequence[str],
        schema: Mapping[str, object] | None,
        route: Route,
        key: str | None,
    ) -> Ask:
        """A question as it is asked."""
        body: dict[str, object] = {"question": question, **route.wire()}
        if options:
            body["options"] = list(options)
        if schema is not None:
            body["answer_schema"] = dict(schema)
        return self.ask(body, key)

    def _approval_of(
        self, action: str, arguments: Mapping[str, object], said: Explanation, route: Route, key: str | None
    ) -> Ask:
        def shape(**values: object) -> None:
            """Takes whatever is asked about."""

        shape.__qualname__ = action
        shown = freeze(shape, (), dict(arguments)).arguments["values"] if arguments else {}
        assert isinstance(shown, dict)  # a dict of names stays one
        body = {"tool": action, "arguments": shown, "claim": said.claim(values=arguments, shown=shown), **route.wire()}
        return self.ask(body, key)

    def _nth(self, run_id: str, body: Mapping[str, object]) -> str:
        """The key of the n-th identical call of this run."""
        asked = {name: body.get(name) for name in ("tool", "arguments", "question")}
        act = hashlib.sha256(json.dumps([run_id, asked], sort_keys=True).encode()).hexdigest()
        with self._lock:
            self._calls[act] += 1
            return f"{act}-{self._calls[act]}"

    def _route(
        self, channel: str | None, timeout: float | None, on_timeout: OnTimeout, escalate_to: str | None
    ) -> Route:
        default = self._channels.get("default", "")
        return Route(
            recipient=default if channel is None else recipient_of(channel, self._channels),
            timeout_s=timeout,
            on_timeout=on_timeout,
            escalate_to=recipient_of(escalate_to, self._channels) if escalate_to else "",
        )


def _decided(decided: Decision | AlreadyUsed) -> Approval | Refusal:
    if isinstance(decided, AlreadyUsed):
        raise decided
    return decided if isinstance(decided, Approval) else Refusal(error=decided)


def _answered(ended: Answer | Denied | TimedOut | Cancelled) -> Answer | Refusal:
    return ended if isinstance(ended, Answer) else Refusal(error=ended)


def _require_function(function: object, decorator: str) -> None:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            f"@{decorator} cannot gate the generator {function.__qualname__}: its body would run piece by piece, long "
            "after the approval; put the effect into a plain function and gate that"
        )
    if not inspect.isfunction(function):
        raise TypeError(
            f"@{decorator} takes a function, not {function!r}; put it directly above the def, below @staticmethod, "
            "@classmethod and @property"
        )


def _name(function: Callable[..., Any]) -> str:
    return function.__qualname__.rpartition("<locals>.")[2]


_default = HumanLayer()
require_approval = _default.require_approval
human_as_tool = _default.human_as_tool
request_approval = _default.request_approval
request_approval_async = _default.request_approval_async
ask_human = _default.ask_human
ask_human_async = _default.ask_human_async
