"""Whether a request comes from our own pages: Host and Origin as for the websocket, and what the browser says of its cause."""

from __future__ import annotations

from starlette.requests import Request

from pages.ui.door import hosts

# What a browser says of a request that another site's page has caused (Fetch Metadata Request Headers, W3C).
_FROM_ELSEWHERE = ("cross-site", "same-site")


def is_ours(request: Request) -> bool:
    """Whether Host is one of the server's, and neither Origin nor Sec-Fetch-Site names another site."""
    headers = request.headers
    is_from_elsewhere = headers.get("sec-fetch-site", "none") in _FROM_ELSEWHERE
    return hosts.is_allowed(headers) and hosts.is_same_origin(headers) and not is_from_elsewhere
