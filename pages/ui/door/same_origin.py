"""Whether a request comes from our own pages: Host and Origin as for the websocket, and what the browser says of its cause."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.ui.door import hosts

# What a browser says of a request that another site's page has caused (Fetch Metadata Request Headers, W3C).
_FROM_ELSEWHERE = ("cross-site", "same-site")


def is_ours(headers: Headers) -> bool:
    """Whether Host is one of the server's, and neither Origin nor Sec-Fetch-Site names another site."""
    is_from_elsewhere = headers.get("sec-fetch-site", "none") in _FROM_ELSEWHERE
    return hosts.is_allowed(headers) and hosts.is_same_origin(headers) and not is_from_elsewhere


class OwnPagesOnly:
    """ASGI middleware of one route: it answers Emberscope's own pages, and programs that are no browsers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse with 403."""
        if is_ours(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        words = "This address answers Emberscope's own pages only."
        await PlainTextResponse(words, 403, {"Cache-Control": "no-store"})(scope, receive, send)


# What every route of ours stands behind.
GUARDED = [Middleware(OwnPagesOnly)]
