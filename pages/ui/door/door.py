"""The door before every address of the server: its own names only and, where it has a password, who knows it.

Pages, tiles, downloads, uploads and the websocket all pass here, Streamlit's addresses as well as ours.
"""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pages.ui.door import hosts, password, sign_in

# "ok" and nothing else: what a container's health check asks for.
_OPEN = "/_stcore/health"


class Door:
    """ASGI middleware; it holds nothing but what is behind it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        is_page = scope["type"] == "http"
        if not hosts.is_allowed(Headers(scope=scope)):
            words = "This server has another name. Open it by the address that it printed when it started."
            await (PlainTextResponse(words, 421)(scope, receive, send) if is_page else _close(send))
        elif is_page and password.is_asked() and sign_in.is_sign_out(request := Request(scope, receive)):
            await sign_in.sign_out(request)(scope, receive, send)
        elif not password.is_asked() or scope["path"].endswith(_OPEN) or _knows_password(scope):
            await self._app(scope, receive, send)
        else:
            await (
                (await sign_in.answer(Request(scope, receive)))(scope, receive, send)
                if is_page
                else _close(send)
            )


def _knows_password(scope: Scope) -> bool:
    connection = HTTPConnection(scope)
    return password.is_session(connection.cookies.get(sign_in.cookie_name(connection), ""))


async def _close(send: Send) -> None:
    """Refuse a websocket before it is accepted: the browser is told 403."""
    await send({"type": "websocket.close", "code": 1008})
