"""Files that a page offers: kept in a bounded table by a token, streamed from disk by a route of our own.

An address carries a token that a page has made, so nothing that a visitor types becomes a path. A file may be made only
when it is asked for; it is then made once, and whoever asks meanwhile waits.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from engine.errors import EngineError
from engine.files import slug
from pages.ui.door.same_origin import GUARDED
from pages.ui.door.secret import token_of

MOST = 512
_MEDIA = {
    ".tif": "image/tiff", ".png": "image/png", ".geojson": "application/geo+json", ".zip": "application/zip",
    ".gpkg": "application/geopackage+sqlite3", ".parquet": "application/vnd.apache.parquet", ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8", ".yaml": "application/yaml",
}  # fmt: skip
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Asked:
    """What the query of an address says, numbers only."""

    threshold: float
    smallest_ha: float


@dataclass(frozen=True)
class Offered:
    """A file.

    Attributes:
        name: that the browser gives to it.
        make: gives the path, making the file first where it is not there; is told what the query says. Or the bytes
            block by block, of what is made while it is sent.
    """

    name: str
    make: Callable[[Asked], Path | Iterator[bytes]]


_offered: OrderedDict[str, Offered] = OrderedDict()
_lock = threading.Lock()


def offer(key: str, name: str, make: Callable[[Asked], Path | Iterator[bytes]]) -> str:
    """Address of a file as seen from a page; the same key has the same address.

    Args:
        key: tells the file from all others: paths, modification times, settings.
        name: of the download; free text, of which letters, digits, '.', '_' and '-' are kept.
    """
    ending = Path(name).suffix
    named = slug(name.removesuffix(ending), "._-", most=80).strip("-") + ending
    token = token_of("downloads", key, named)
    with _lock:
        _offered[token] = Offered(named or "file", make)
        _offered.move_to_end(token)
        while len(_offered) > MOST:
            _offered.popitem(last=False)
    return f"take/{token}"


def offer_file(path: Path, name: str) -> str:
    """Address of a file that is there."""
    state = path.stat()
    return offer(f"{path} {state.st_mtime_ns} {state.st_size}", name, lambda _asked: path)


def routes() -> list[BaseRoute]:
    """What the server answers for files."""
    base = st.get_option("server.baseUrlPath").strip("/")
    prefix = f"/{base}" if base else ""
    return [Route(f"{prefix}/take/{{token}}", _take, methods=["GET"], middleware=GUARDED)]


async def _take(request: Request) -> Response:
    """The file of a token, from disk; in words why there is none."""
    with _lock:
        found = _offered.get(str(request.path_params["token"]))
    if found is None:
        return _words("This file is no longer offered. Reload the page.", 404)
    try:
        asked = Asked(
            float(request.query_params.get("threshold", 0)), float(request.query_params.get("smallest", 0))
        )
        made = await run_in_threadpool(found.make, asked)
    except ValueError:
        return _words("The address holds something else than numbers.", 400)
    except (EngineError, OSError) as err:
        _log.warning("the file %s could not be made: %s", found.name, err)
        return _words(
            str(err) if isinstance(err, EngineError) else "The file could not be made. Try again.", 409
        )
    return _sent(found.name, made)


def _sent(name: str, made: Path | Iterator[bytes]) -> Response:
    """The answer that hands a file, or blocks, to the browser."""
    media = _MEDIA.get(Path(name).suffix, "application/octet-stream")
    headers = {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox",
    }
    if not isinstance(made, Path):
        named = {"Content-Disposition": f"attachment; filename*=utf-8''{quote(name)}"}
        return StreamingResponse(made, media_type=media, headers=headers | named)
    if not made.is_file():
        return _words("This file has gone. Reload the page.", 404)
    return FileResponse(made, media_type=media, filename=name, headers=headers)


def _words(text: str, status: int) -> Response:
    return PlainTextResponse(text, status, {"Cache-Control": "no-store"})
