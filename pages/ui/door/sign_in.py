"""The page that asks for the password and the name of a workspace, and what becomes of the answer."""

from __future__ import annotations

import html
from pathlib import Path
from string import Template
from urllib.parse import parse_qsl, urlencode, urlsplit

import streamlit as st
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from engine.errors import BadInput
from engine.workspace import LONGEST, name_of
from pages.ui.door import hosts, password

PATH, OUT = "/sign-in", "/sign-out"
_PAGE = Template(
    (Path(__file__).resolve().parents[3] / "assets" / "page" / "sign_in.html").read_text(encoding="utf-8")
)
_LONGEST_BODY = 10_000
_HEADERS = {
    "Cache-Control": "no-store", "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
}  # fmt: skip


def cookie_name(connection: HTTPConnection) -> str:
    """A name for each port: browsers send cookies to all ports of a host."""
    return f"emberscope_{connection.url.port or 0}"


async def answer(request: Request) -> Response:
    """To somebody who has not said the password yet: the page, or what becomes of it."""
    if request.method == "POST" and request.url.path.endswith(PATH):
        return await _try(request)
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return _page(_wanted(f"{request.url.path}?{request.url.query}"), "")
    return PlainTextResponse("Open the server's first page and give the password.", 401, headers=_HEADERS)


def is_sign_out(request: Request) -> bool:
    """Whether somebody asks to be signed out."""
    return request.method == "POST" and request.url.path.endswith(OUT)


def sign_out(request: Request) -> Response:
    """End the session of a browser, and lead it back to the door."""
    if not hosts.is_same_origin(request.headers):
        return PlainTextResponse("This form is of another site.", 403, headers=_HEADERS)
    name = cookie_name(request)
    password.end_session(request.cookies.get(name, ""))
    response = RedirectResponse(_below_base("/"), 303, headers={**_HEADERS, "Clear-Site-Data": '"storage"'})
    response.delete_cookie(name)
    return response


def out_address() -> str:
    """Where the form of signing out leads to."""
    return _below_base(OUT)


async def _try(request: Request) -> Response:
    address = request.client.host if request.client else ""
    if not hosts.is_same_origin(request.headers):
        return PlainTextResponse("This form is of another site.", 403, headers=_HEADERS)
    given = await _form(request)
    wanted, typed = _wanted(given.get("next", "/")), given.get("workspace", "")
    waits_s = password.waits_s(address)
    if waits_s:
        return _page(wanted, f"Too many tries. Wait {waits_s:.0f} s, then try again.", typed, 429)
    if not password.is_right(given.get("password", "")):
        password.note_wrong(address)
        return _page(wanted, "That is not the password. Ask who started the server.", typed, 403)
    try:
        name = name_of(typed)
    except BadInput as err:
        return _page(wanted, str(err), typed, 400)
    response = RedirectResponse(_in_workspace(wanted, name), 303, headers=_HEADERS)
    response.set_cookie(cookie_name(request), password.new_session(), max_age=password.DAYS * 86_400, httponly=True,
                        samesite="lax", secure=request.url.scheme == "https")  # fmt: skip
    return response


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form; none of one that is too long."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST_BODY:
            return {}
    return dict(parse_qsl(body.decode("utf-8", errors="replace")))


def _page(wanted: str, message: str, typed: str | None = None, status: int = 401) -> Response:
    name = dict(parse_qsl(urlsplit(wanted).query)).get("workspace", "") if typed is None else typed
    said = f'<p role="alert">{html.escape(message)}</p>' if message else ""
    page = _PAGE.substitute(action=_below_base(PATH), next=html.escape(wanted), message=said, workspace=html.escape(name[:LONGEST]), longest=LONGEST)  # fmt: skip
    return HTMLResponse(page, status, headers=_HEADERS)


def _below_base(path: str) -> str:
    """An address of ours below the server's own base path."""
    base = st.get_option("server.baseUrlPath").strip("/")
    return f"/{base}{path}" if base else path


def _wanted(given: str) -> str:
    """Where a person wanted to go: a path of this server, or its first page."""
    parts = urlsplit(given)
    is_ours = (
        given.startswith("/") and not given.startswith(("//", "/\\")) and not (parts.scheme or parts.netloc)
    )
    if not is_ours or parts.path.endswith(PATH) or not given.isprintable():
        return "/"
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _in_workspace(wanted: str, name: str) -> str:
    parts = urlsplit(wanted)
    kept = [(key, value) for key, value in parse_qsl(parts.query) if key != "workspace"]
    return f"{parts.path}?{urlencode([*kept, ('workspace', name)])}"
