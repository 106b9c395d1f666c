"""The numbers that a lens draws, handed to the page once: a table of files, and the answer with one of them.

As with tiles, a page registers a file and gets a token made from its content; nothing that a visitor types becomes a path.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from engine.errors import StoreError
from engine.views.lens.overview import read_pieces
from pages.ui.door.secret import token_of
from pages.ui.map.routes import by_token, tiles

MOST_FILES = 256
# A token is made from the content, so what it names never changes; it is one visitor's own.
_CACHE = "private, max-age=86400, immutable"
# First tile and number of tiles of each run, such as 12-3,140-2.
_RUNS = re.compile(r"\d{1,8}-\d{1,6}(,\d{1,8}-\d{1,6}){0,255}")

_files: OrderedDict[str, Path] = OrderedDict()


def register(path: Path, identity: str) -> str:
    """The token of a file.

    Args:
        identity: of the file's content.

    Raises:
        SceneError: the file lies outside the folders that the app may show.
        StoreError: it is gone, as when its run was deleted while a page was drawn.
    """
    real = tiles.require_shown(path)
    try:
        state = real.stat()
    except FileNotFoundError as err:
        raise StoreError(f"{path.name} is gone: its run was deleted meanwhile. Choose another one.") from err
    token = token_of("lens", real, identity, state.st_size, state.st_mtime_ns)
    by_token.keep(_files, token, real, MOST_FILES)
    return token


async def answer(request: Request) -> Response:
    """The file of a token."""
    path = _file_of(request)
    if path is None:
        return _refused(404)
    return FileResponse(path, media_type="application/octet-stream", headers={"Cache-Control": _CACHE})


async def pieces(request: Request) -> Response:
    """The patches of some tiles of a large store, of which the file of the token is the overview."""
    path, runs = _file_of(request), str(request.path_params["runs"])
    if path is None:
        return _refused(404)
    if not _RUNS.fullmatch(runs):
        return _refused(400)
    asked = [(int(first), int(count)) for first, count in (run.split("-") for run in runs.split(","))]
    try:
        content = await run_in_threadpool(read_pieces, path, asked)
    except StoreError:
        return _refused(404)
    return Response(content, media_type="application/octet-stream", headers={"Cache-Control": _CACHE})


def _file_of(request: Request) -> Path | None:
    try:
        path = by_token.find(_files, str(request.path_params["token"]))
    except LookupError:
        return None
    return path if path.is_file() else None


def _refused(status: int) -> Response:
    return Response(status_code=status, headers={"Cache-Control": "no-store"})
