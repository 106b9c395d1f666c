"""The names that the server answers to, for every address of its own as Streamlit checks them for its websocket.

A foreign page that renames itself to this machine (DNS rebinding) sends its own name as Host, and is refused.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers


def is_allowed(headers: Headers) -> bool:
    """Whether the Host is a name of this server (`server.allowedHosts`)."""
    allowed = [name.strip().lower() for name in st.get_option("server.allowedHosts")]
    name = _name(headers.get("host", ""))
    return not allowed or "*" in allowed or name in allowed


def is_same_origin(headers: Headers) -> bool:
    """Whether a request that changes something comes from a page of this server."""
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")


def _name(host: str) -> str:
    """The name without the port; empty where it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""
