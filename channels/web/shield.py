"""What every request must pass and every response carries, before any page is looked at.

- ``Host`` must be one of ours: a foreign name that resolves to loopback (DNS rebinding) reaches nothing.
- A request that another site or another port makes the browser send is refused, unless it only opens a page.
- No response may be framed, sniffed, cached, or run a script or a style that is not our own file.

From: https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Sec-Fetch-Site,
https://web.dev/articles/fetch-metadata
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_SAFE_METHODS = frozenset({"GET", "HEAD"})


class Shield:
    """ASGI middleware.

    Args:
        app: what is protected.
        hosts: the accepted values of ``Host``, with port, lower case, e.g. ``127.0.0.1:4747``.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on and add the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_shielded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(scope)
        app = self._app if refusal is None else refusal
        await app(scope, receive, send_shielded)

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return PlainTextResponse("this server does not answer under that host name\n", 421)
        own_origin = f"{scope['scheme']}://{hosts[0].lower()}"
        refusal = foreign(scope["method"], headers, own_origin)
        return PlainTextResponse(f"{refusal}\n", 403) if refusal else None


def foreign(method: str, headers: Headers, own_origin: str) -> str:
    """Why this request counts as sent by another site, or ``""``.

    ``Sec-Fetch-Site`` comes from the browser itself and decides where it is present. Without it a changing request must
    name our own origin. ``Origin: null`` beside ``same-origin`` is how browsers obey our ``no-referrer``.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if method in _SAFE_METHODS:
        opens_a_page = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        ours = site in {None, "same-origin", "none"} or opens_a_page
        return "" if ours else "this page can only be opened directly; open the inbox in a tab of its own"
    says_so = site == "same-origin" and origin in {None, "null", own_origin}
    ours = says_so or (site is None and origin == own_origin)
    return "" if ours else "this form was sent from another page; open the inbox and decide there"
