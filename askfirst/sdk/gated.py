"""The functions that stand in for a program's own: gated by a person, or answered by one."""

from __future__ import annotations

import functools
import inspect
import json
import logging
from typing import TYPE_CHECKING, Any, Protocol

from askfirst.errors import Error, InputError
from askfirst.sdk import flow
from askfirst.sdk.claims import accepted
from askfirst.sdk.freeze import freeze
from askfirst.sdk.outcomes import AlreadyUsed, Answer, Approval, Cancelled, Decision, Denied, TimedOut
from askfirst.sdk.steps import drive, drive_async

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from askfirst.sdk.claims import Explanation
    from askfirst.sdk.flow import Ask
    from askfirst.sdk.freeze import Frozen
    from askfirst.sdk.replies import Form
    from askfirst.sdk.route import Route
    from askfirst.sdk.steps import Flow, Transport

REPORT_PATIENCE_MS = 5_000
"""How long an outcome is tried to be reported; a program must not hang on it."""
_log = logging.getLogger("askfirst")


class Asking(Protocol):
    """What the functions here need of a ``HumanLayer``."""

    def transport(self) -> Transport:
        """How the broker is reached."""
        ...

    def ask(self, body: Mapping[str, object], key: str | None) -> Ask:
        """What is asked, under the key that finds it again."""
        ...

    def question_of(
        self,
        question: str,
        options: Sequence[str],
        schema: Mapping[str, object] | None,
        route: Route,
        key: str | None,
    ) -> Ask:
        """A question as it is asked."""
        ...


class Gated:
    """One function behind ``require_approval``."""

    def __init__(
        self,
        asking: Asking,
        function: Callable[..., Any],
        action: str,
        route: Route,
        explanation: Explanation,
        key: str | Callable[..., str] | None,
    ) -> None:
        self._asking = asking
        self._function = function
        self._action = action
        self._route = route
        self._explanation = explanation
        self._key = key

    def wrapper(self) -> Any:
        """The function to call in the gated one's place."""
        run = self._run_async if inspect.iscoroutinefunction(self._function) else self._run
        return _standing_in(self._function, run)

    def _run(self, *args: object, **kwargs: object) -> object:
        transport = self._asking.transport()
        frozen = freeze(self._function, args, kwargs)
        ask = self._ask(frozen, args, kwargs)
        approval = _approved(drive(flow.permission(ask, flow.new_key(), transport.now_ms), transport))
        outcome, detail = "unknown", ""
        try:
            result = frozen.run(self._function)
            outcome = "ok"
        except BaseException as error:
            outcome, detail = "failed", type(error).__name__
            raise
        finally:
            with _Unreported(approval):
                drive(_report(approval, outcome, detail, transport), transport)
        return result

    async def _run_async(self, *args: object, **kwargs: object) -> object:
        transport = self._asking.transport()
        frozen = freeze(self._function, args, kwargs)
        ask = self._ask(frozen, args, kwargs)
        asking = flow.permission(ask, flow.new_key(), transport.now_ms)
        approval = _approved(await drive_async(asking, transport))
        outcome, detail = "unknown", ""
        try:
            result = await frozen.run(self._function)
            outcome = "ok"
        except BaseException as error:
            outcome, detail = "failed", type(error).__name__
            raise
        finally:
            with _Unreported(approval):
                await drive_async(_report(approval, outcome, detail, transport), transport)
        return result

    def _ask(self, frozen: Frozen, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Ask:
        values = _values(self._function, args, kwargs)
        claim = self._explanation.claim(values=values, shown=frozen.arguments, about=_first_line(self._function))
        body = {"tool": self._action, "arguments": frozen.arguments, "claim": claim, **self._route.wire()}
        return self._asking.ask(body, _key(self._key, values))


class Person:
    """One function that a person stands in for."""

    def __init__(
        self,
        asking: Asking,
        function: Callable[..., Any],
        route: Route,
        form: Form,
        key: str | Callable[..., str] | None,
    ) -> None:
        self._asking = asking
        self._function = function
        self._route = route
        self._form = form
        self._key = key

    def wrapper(self) -> Any:
        """The function to call."""
        run = self._run_async if inspect.iscoroutinefunction(self._function) else self._run
        return _standing_in(self._function, run)

    def _run(self, *args: object, **kwargs: object) -> object:
        transport = self._asking.transport()
        ended = drive(flow.question(self._ask(args, kwargs), transport.now_ms), transport)
        return self._form.read(_answer(ended).text)

    async def _run_async(self, *args: object, **kwargs: object) -> object:
        transport = self._asking.transport()
        ended = await drive_async(flow.question(self._ask(args, kwargs), transport.now_ms), transport)
        return self._form.read(_answer(ended).text)

    def _ask(self, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Ask:
        shown = freeze(self._function, args, kwargs).arguments
        form, key = self._form, _key(self._key, _values(self._function, args, kwargs))
        return self._asking.question_of(_question(shown), form.options, form.schema, self._route, key)


class _Unreported:
    """Keeps a report that fails from hiding the result or the error that it is about; the outcome stays unknown."""

    def __init__(self, approval: Approval) -> None:
        self._approval = approval

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, Error):
            return False
        _log.warning("the outcome of request %s could not be reported: %s", self._approval.code, error)
        return True


def _report(approval: Approval, outcome: str, detail: str, transport: Transport) -> Flow[None]:
    return flow.report(approval, outcome, detail, transport.now_ms() + REPORT_PATIENCE_MS, transport.now_ms)


def _approved(decided: Decision | AlreadyUsed) -> Approval:
    if isinstance(decided, Approval):
        return decided
    raise decided


def _answer(ended: Answer | Denied | TimedOut | Cancelled) -> Answer:
    if isinstance(ended, Answer):
        return ended
    raise ended


def _standing_in(function: Callable[..., Any], run: Callable[..., Any]) -> Any:
    """A plain function with the other one's name, signature and kind, so that methods bind and frameworks see it."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def asynchronous(*args: Any, **kwargs: Any) -> Any:
            return await run(*args, **kwargs)

        return asynchronous

    @functools.wraps(function)
    def blocking(*args: Any, **kwargs: Any) -> Any:
        return run(*args, **kwargs)

    return blocking


def _first_line(function: Callable[..., Any]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]


def _values(function: Callable[..., Any], args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, object]:
    """The arguments by name, those that ``**kwargs`` takes among them."""
    signature = inspect.signature(function)
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    values = dict(bound.arguments)
    for name, each in signature.parameters.items():
        if each.kind is each.VAR_KEYWORD:
            values |= values.pop(name)
    return values


def _key(key: str | Callable[..., str] | None, values: Mapping[str, object]) -> str | None:
    if not callable(key):
        return key
    made: object = key(**accepted(key, values))
    if not isinstance(made, str) or not made:
        raise InputError(f"idempotency_key gave {made!r}, expected a text", field="idempotency_key")
    return made


def _question(shown: Mapping[str, object]) -> str:
    """The text to ask: the only argument, or ``question`` or ``message`` with the others below it."""
    values = {name: value for name, value in shown.items() if name not in {"self", "cls"}}
    main = next((name for name in ("question", "message") if name in values), next(iter(values), ""))
    texts = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in values.items()
    }
    return "\n".join(
        [texts.pop(main, ""), *(f"{name}: {text}" for name, text in texts.items() if text != "null")]
    ).strip()
