"""A thin client of GitHub's REST and GraphQL APIs, over httpx.

- One credential, or an App's tokens for one installation each, kept until shortly before they end.
- Rate limits are waited out: until then every call is refused here, without a word to GitHub.
- Writes go one by one with a pause between them, as GitHub asks for.
- Answers that are no success are ``GithubError`` with the status; what they say is bounded and made visible.

From: https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote, urljoin, urlsplit

import httpx

import askfirst
from askfirst.errors import ChannelError
from askfirst.visible import visible
from channels.github import wire
from channels.github.auth import AppSigner

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from askfirst.clock import Clock
    from channels.github.config import GithubConfig

_ACCEPT = "application/vnd.github+json"
_VERSION = "2022-11-28"
_TIMEOUT_S = 15.0
_WRITE_PAUSE_S = 1.0
_SECONDARY_S = 60
"""How long to wait where GitHub names no time. From: the page above, «Handle rate limit errors appropriately»."""
_LIMIT_MAX_S = 3_600
_PAGES_MAX = 50
_REDIRECTS_MAX = 3
_MESSAGE_MAX_CHARS = 300
_TOKEN_SPARE_MS = 300_000
_OWNED = re.compile(r"(?:repos/(?P<owner>[^/]+)/(?P<name>[^/]+)|orgs/(?P<org>[^/]+))(?:/|\Z)")

_Model = TypeVar("_Model", bound=wire.Wire)


class GithubError(ChannelError):
    """GitHub refused; ``status`` is the HTTP status, 0 where there was no answer."""

    def __init__(
        self, message: str, *, status: int = 0, retry_after_s: float = 0.0, is_permanent: bool = False
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s, is_permanent=is_permanent)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look at a list came to.

    Attributes:
        items: the list, empty where nothing changed since ``etag``.
        etag: to be sent next time; ``""`` where the list has several pages, whose later ones an ETag does not cover.
        is_same: nothing changed.
    """

    items: list[dict[str, Any]]
    etag: str
    is_same: bool = False


class GitHub:
    """The API for one credential.

    Args:
        config: where it is, and as whom.
        clock: dates tokens and limits.
        transport: in place of the network, for tests.
        pause: in place of ``asyncio.sleep``, for tests.
    """

    def __init__(
        self,
        config: GithubConfig,
        clock: Clock,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._clock = clock
        self._pause = pause
        self._signer = AppSigner(app=config.app, clock=clock) if config.app else None
        self._tokens: dict[str, tuple[str, int]] = {}
        self._not_before_ms = 0
        self._writing = asyncio.Lock()
        self._http = httpx.AsyncClient(
            base_url=f"{config.api_url}/",
            headers={
                "Accept": _ACCEPT,
                "X-GitHub-Api-Version": _VERSION,
                "User-Agent": f"askfirst/{askfirst.__version__}",
            },
            timeout=_TIMEOUT_S,
            transport=transport,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(self, kind: type[_Model], path: str, params: Mapping[str, str] | None = None) -> _Model:
        """One thing.

        Raises:
            GithubError: it is not there, or cannot be had.
            ChannelError: the answer is no such thing.
        """
        return wire.read(kind, _json(await self._call("GET", path, params=params)))

    async def find(self, kind: type[_Model], path: str, params: Mapping[str, str] | None = None) -> _Model | None:
        """One thing, or None where there is none (or none that we may see)."""
        try:
            return await self.get(kind, path, params)
        except GithubError as error:
            if error.status in {404, 410}:
                return None
            raise

    async def pages(self, kind: type[_Model], path: str, params: Mapping[str, str] | None = None) -> list[_Model]:
        """A whole list, page by page."""
        seen = await self.look(path, params)
        return wire.read_all(kind, seen.items)

    async def look(self, path: str, params: Mapping[str, str] | None = None, etag: str = "") -> Seen:
        """A whole list, or that it is the same as at ``etag``."""
        headers = {"If-None-Match": etag} if etag else {}
        response = await self._call("GET", path, params={"per_page": "100", **(params or {})}, headers=headers)
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return Seen(items=[], etag=etag, is_same=True)
        items, first_etag = _list(response), response.headers.get("etag", "")
        for _ in range(_PAGES_MAX):
            following = response.links.get("next", {}).get("url")
            if not following:
                return Seen(items=items, etag=first_etag)
            first_etag = ""
            response = await self._call("GET", self._own(following))
            items += _list(response)
        raise GithubError(f"{path} has over {_PAGES_MAX} pages, this is more than is read", status=200)

    async def raw(self, path: str, params: Mapping[str, str] | None = None) -> str | None:
        """A file's text, or None where there is none."""
        try:
            response = await self._call(
                "GET", path, params=params, headers={"Accept": "application/vnd.github.raw+json"}
            )
        except GithubError as error:
            if error.status == httpx.codes.NOT_FOUND:
                return None
            raise
        return response.text

    async def post(self, kind: type[_Model], path: str, body: Mapping[str, object]) -> _Model:
        """Make something; raises as ``get``, and what was made may exist all the same when no answer came."""
        return wire.read(kind, _json(await self._write("POST", path, body)))

    async def patch(self, kind: type[_Model], path: str, body: Mapping[str, object]) -> _Model:
        """Change something; raises as ``get``."""
        return wire.read(kind, _json(await self._write("PATCH", path, body)))

    async def tell(self, path: str, body: Mapping[str, object]) -> int:
        """POST where nothing of the answer is of use but its status."""
        return (await self._write("POST", path, body)).status_code

    async def graphql(self, owner: str, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """The ``data`` of a query.

        Raises:
            GithubError: it was refused, or any part of it failed.
        """
        body = {"query": query, "variables": dict(variables)}
        response = await self._send("POST", self._graphql_url(), body, await self._authorization(owner))
        answer = _json(response)
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict) or answer.get("errors"):
            raise GithubError(f"GitHub's GraphQL answered with errors: {_said(answer)}", status=200)
        return data

    async def whoami(self) -> wire.User:
        """The account that writes for us: the token's, or the App's bot."""
        if self._signer is None:
            return await self.get(wire.User, "user")
        app = wire.read(wire.App, _json(await self._call("GET", "app")))
        installed = await self.pages(wire.Created, "app/installations")
        if not installed:
            raise GithubError(f"the GitHub App {app.slug} is installed nowhere; install it for your repositories")
        token, _ = await self._token_of(installed[0].id)
        path = f"users/{quote(f'{app.slug}[bot]', safe='')}"
        answer = await self._send("GET", path, None, {"Authorization": f"Bearer {token}"})
        return wire.read(wire.User, _json(answer))

    async def scopes(self) -> str | None:
        """A classic token's scopes as GitHub lists them; None for other credentials."""
        response = await self._call("GET", "app" if self._signer else "user")
        scopes: str | None = response.headers.get("x-oauth-scopes")
        return scopes

    # -- plumbing -------------------------------------------------------------------------------------------------

    async def _write(self, method: str, path: str, body: Mapping[str, object]) -> httpx.Response:
        async with self._writing:
            response = await self._call(method, path, body=body)
            await self._pause(_WRITE_PAUSE_S)
            return response

    async def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        asked = dict(params) if params else None
        for _ in range(_REDIRECTS_MAX + 1):
            sent = {**(headers or {}), **await self._authorization(_owner(path), path)}
            response = await self._send(method, path, body, sent, asked)
            if not response.has_redirect_location:
                return response
            if method != "GET":
                raise GithubError(f"{path} has moved; name the repository as it is called now", status=301)
            path, asked = self._own(response.headers.get("location", "")), None
        raise GithubError(f"{path} is redirected in a circle", status=301)

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None,
        headers: Mapping[str, str],
        params: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        self._require_patience()
        try:
            response = await self._http.request(method, path, json=body, headers=dict(headers), params=params)
        except httpx.HTTPError as error:
            raise GithubError(f"GitHub cannot be reached: {type(error).__name__}") from error
        self._note_limit(response)
        if response.is_success or response.has_redirect_location or response.status_code == httpx.codes.NOT_MODIFIED:
            return response
        raise _refusal(method, path, response)

    async def _authorization(self, owner: str, path: str = "") -> dict[str, str]:
        if self._signer is None:
            return {"Authorization": f"Bearer {self._config.token}"}
        if path == "app" or path.startswith("app/") or path.endswith("/installation"):
            return {"Authorization": self._signer.header()}
        return {"Authorization": f"Bearer {await self._installation_token(owner)}"} if owner else {}

    async def _installation_token(self, owner: str) -> str:
        token, ends_at_ms = self._tokens.get(owner, ("", 0))
        if self._clock.now_ms() < ends_at_ms - _TOKEN_SPARE_MS:
            return token
        head, _, name = owner.partition("/")
        path = f"repos/{owner}/installation" if name else f"orgs/{head}/installation"
        installation = await self.get(wire.Created, path)
        self._tokens[owner] = await self._token_of(installation.id)
        return self._tokens[owner][0]

    async def _token_of(self, installation_id: int) -> tuple[str, int]:
        """A token of this installation, and when it ends, milliseconds since the epoch."""
        answer = await self._call("POST", f"app/installations/{installation_id}/access_tokens", body={})
        made = wire.read(wire.InstallationToken, _json(answer))
        return made.token, round(made.expires_at.timestamp() * 1000)

    def _own(self, url: str) -> str:
        """An address that GitHub names, if it is on the same server: nobody else gets the credential."""
        base = urlsplit(f"{self._config.api_url}/")
        absolute = urljoin(base.geturl(), url)
        there = urlsplit(absolute)
        if (there.scheme, there.netloc) != (base.scheme, base.netloc):
            raise GithubError(f"GitHub names an address on another server: {visible(there.netloc[:100])}")
        return absolute.removeprefix(base.geturl())

    def _graphql_url(self) -> str:
        """From: https://docs.github.com/en/enterprise-server/graphql (``/api/graphql`` beside ``/api/v3``)."""
        base = self._config.api_url
        return f"{base.removesuffix('/v3')}/graphql" if base.endswith("/api/v3") else f"{base}/graphql"

    def _require_patience(self) -> None:
        left_ms = self._not_before_ms - self._clock.now_ms()
        if left_ms > 0:
            left_s = -(-left_ms // 1000)
            raise GithubError(f"GitHub asks to wait another {left_s} s (rate limit)", status=429, retry_after_s=left_s)

    def _note_limit(self, response: httpx.Response) -> None:
        if response.status_code not in {403, 429}:
            return
        wait_s = _wait_s(response, self._clock.now_ms() // 1000)
        if wait_s:
            self._not_before_ms = self._clock.now_ms() + min(wait_s, _LIMIT_MAX_S) * 1000
            self._require_patience()


def _wait_s(response: httpx.Response, now_s: int) -> int:
    """How long GitHub asks to wait, 0 where it is a plain refusal."""
    headers = response.headers
    if (after := headers.get("retry-after", "")).isdecimal():
        return max(1, int(after))
    if headers.get("x-ratelimit-remaining") == "0" and (reset := headers.get("x-ratelimit-reset", "")).isdecimal():
        return max(1, int(reset) - now_s)
    is_limit = response.status_code == httpx.codes.TOO_MANY_REQUESTS or "rate limit" in response.text[:2000].lower()
    return _SECONDARY_S if is_limit else 0


def _refusal(method: str, path: str, response: httpx.Response) -> GithubError:
    status = response.status_code
    where = visible(urlsplit(path).path[:200])
    hints = {
        401: "the credential is refused; make a new one and run `askfirst github setup`",
        403: "the credential may not do this; see `askfirst github setup` for what it needs",
        404: "not there, or not for this credential to see",
    }
    try:
        answer: object = response.json()
    except ValueError:
        answer = ""
    said = _said(answer)
    return GithubError(
        f"{method} {where}: {status}{f' {said}' if said else ''} ({hints.get(status, 'refused')})", status=status
    )


def _said(answer: object) -> str:
    """What an error says, short and visible."""
    if not isinstance(answer, dict):
        return ""
    errors = answer.get("errors")
    listed = (
        [each.get("message", "") if isinstance(each, dict) else each for each in errors[:3]]
        if isinstance(errors, list)
        else []
    )
    words = [each for each in (answer.get("message"), *listed) if isinstance(each, str) and each]
    return visible("; ".join(words)[:_MESSAGE_MAX_CHARS])


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise GithubError("GitHub's answer is no JSON", status=response.status_code) from error


def _list(response: httpx.Response) -> list[dict[str, Any]]:
    answer = _json(response)
    if not isinstance(answer, list) or not all(isinstance(each, dict) for each in answer):
        raise GithubError("GitHub's answer is no list", status=response.status_code)
    return answer


def _owner(path: str) -> str:
    """Whose installation a path needs: ``owner/name`` of a repository, or an organisation's name."""
    match = _OWNED.match(path)
    if match is None:
        return ""
    return match["org"] or f"{match['owner']}/{match['name']}"
