"""Who calls, and how answers go out: credentials, rate limits, ETags, pages, lost answers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from starlette.responses import Response

from askfirst.testing.github.shapes import API, stamp
from askfirst.testing.github.world import Account, App, RefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from askfirst.testing.github.world import World

_JWT_MAX_S = 600


@dataclass(frozen=True)
class Caller:
    """Who calls: an account, or an App by its JWT."""

    account: Account | None
    app: App | None = None
    token: str = ""

    def person(self) -> Account:
        """The account; an App's JWT alone is none."""
        if self.account is None:
            raise RefusedError(401, "A JSON web token could not be used here")
        return self.account


@dataclass(frozen=True)
class Answer:
    """What a handler says: a list of anything is paged."""

    value: Any
    status: int = 200
    key: str = ""
    raw: bool = False


class Door:
    """Wraps handlers.

    Args:
        world: the state.
        prefix: of the API's paths.
        watch: sees every answer: method, path, status and value, e.g. to hold it against the description.
    """

    def __init__(
        self, world: World, watch: Callable[[str, str, int, Any], None] | None = None, prefix: str = ""
    ) -> None:
        self._world = world
        self._prefix = prefix
        self._watch = watch
        self._installed: dict[str, App] = {}

    def installation_token(self, app: App) -> str:
        """A token of this App for an hour."""
        token = f"ghs_{app.id}_{self._world.new_id()}"
        self._installed[token] = app
        return token

    def caller(self, request: Request) -> Caller:
        """Whose credential this is."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() not in {"bearer", "token"} or not token:
            raise RefusedError(401, "Requires authentication")
        if token in self._installed:
            app = self._installed[token]
            return Caller(account=self._world.account(f"{app.slug}[bot]"), app=app, token=token)
        if token in self._world.tokens:
            return Caller(account=self._world.accounts[self._world.tokens[token]], token=token)
        return Caller(account=None, app=self._app(token), token=token)

    def wrap(self, handler: Callable[[Request, Caller], Awaitable[Answer]]) -> Callable[[Request], Awaitable[Response]]:
        """The handler behind the door."""

        async def respond(request: Request) -> Response:
            self._world.calls.append(f"{request.method} {request.url.path}")
            try:
                self._require_open()
                caller = self.caller(request)
                answer = await handler(request, caller)
            except RefusedError as error:
                return self._refused(request, error)
            if request.method != "GET" and self._world.lose > 0:
                self._world.lose -= 1
                return Response(status_code=502, content="<html>Bad Gateway</html>", media_type="text/html")
            return self._sent(request, caller, answer)

        return respond

    def _require_open(self) -> None:
        if self._world.away:
            raise RefusedError(503, "Service unavailable")
        if self._world.limit is not None:
            status, _, message = self._world.limit
            raise RefusedError(status, message)

    def _app(self, token: str) -> App:
        try:
            issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
            app = self._world.apps[int(issuer)]
            claims = jwt.decode(
                token, app.public_key, algorithms=["RS256"], options={"verify_iat": False, "verify_exp": False}
            )
        except (jwt.PyJWTError, KeyError, ValueError) as error:
            raise RefusedError(401, "Bad credentials") from error
        now_s = self._world.now_ms() // 1000
        if not (claims["iat"] <= now_s < claims["exp"] <= claims["iat"] + _JWT_MAX_S):
            raise RefusedError(401, "'Expiration time' claim ('exp') is too far in the future, or it is over")
        return app

    def _sent(self, request: Request, caller: Caller, answer: Answer) -> Response:
        value, headers = answer.value, self._limits(caller)
        if isinstance(value, list):
            value, links = _page(request, value)
            headers |= links
        if answer.key:
            value = {"total_count": len(answer.value), answer.key: value}
        if self._watch is not None and not answer.raw:
            self._watch(request.method, request.url.path, answer.status, value)
        base = str(request.base_url).rstrip("/") + self._prefix
        content = value.encode() if answer.raw else json.dumps(value).replace(API, base).encode()
        if answer.status == 204:
            return Response(status_code=204, headers=headers)
        if request.method == "GET":
            headers["etag"] = f'W/"{hashlib.sha256(content).hexdigest()}"'
            if request.headers.get("if-none-match") == headers["etag"]:
                return Response(status_code=304, headers=headers)
        kind = "application/vnd.github.raw+json; charset=utf-8" if answer.raw else "application/json; charset=utf-8"
        return Response(content=content, status_code=answer.status, headers=headers, media_type=kind)

    def _refused(self, request: Request, error: RefusedError) -> Response:
        value: dict[str, Any] = {
            "message": error.message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(error.status),
        }
        if error.errors is not None:
            value["errors"] = [{"code": "custom", **each} if isinstance(each, dict) else each for each in error.errors]
        headers = dict(self._world.limit[1]) if self._world.limit and error.status in {403, 429} else {}
        if error.status == 301:
            headers["location"] = error.message
        if self._watch is not None and error.status in {404, 422}:
            self._watch(request.method, request.url.path, error.status, value)
        return Response(
            content=json.dumps(value).encode(), status_code=error.status, headers=headers, media_type="application/json"
        )

    def _limits(self, caller: Caller) -> dict[str, str]:
        reset = stamp(self._world.now_ms() + 3_600_000)
        scopes = self._world.scopes.get(caller.token)
        return {
            "x-ratelimit-limit": "5000",
            "x-ratelimit-remaining": str(max(0, 5000 - len(self._world.calls))),
            "x-ratelimit-reset": str(self._world.now_ms() // 1000 + 3600),
            "x-github-media-type": "github.v3; format=json",
            **({"x-oauth-scopes": scopes} if scopes is not None else {}),
            **({"github-authentication-token-expiration": reset} if caller.token.startswith("github_pat") else {}),
        }


def _page(request: Request, items: list[Any]) -> tuple[list[Any], dict[str, str]]:
    size = min(100, int(request.query_params.get("per_page", "30")))
    number = int(request.query_params.get("page", "1"))
    pages = -(-len(items) // size)
    links = {
        name: request.url.include_query_params(page=page)
        for name, page, is_there in (("next", number + 1, number < pages), ("last", pages, number < pages))
        if is_there
    }
    link = ", ".join(f'<{url}>; rel="{name}"' for name, url in links.items())
    return items[(number - 1) * size : number * size], {"link": link} if link else {}
