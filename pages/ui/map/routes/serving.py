"""Same-origin addresses of the maps: tiles, map libraries and the world's outline; nothing comes from elsewhere.

All addresses stand under `server.baseUrlPath`; the maps name them relative to their own frame (see `FROM_MAP`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import hashlib
import importlib
import logging
import os
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from streamlit.runtime.pages_manager import PagesManager

from engine.errors import EngineError
from engine.jobs import spare
from pages.ui.door import no_delay
from pages.ui.door.same_origin import GUARDED
from pages.ui.map.routes import galleries, land, lens_files, rendering, values

_ASSETS = Path(__file__).resolve().parents[4] / "assets"
VENDOR = _ASSETS / "static" / "vendor"
MAP = _ASSETS / "map"
BRAND = _ASSETS / "brand"
# A map lives in <base>/component/streamlit_folium.st_folium/index.html: two levels up is the app's own root.
FROM_MAP = "../../"
_LONG = "public, max-age=86400, immutable"  # a token is made from the content, so its tiles never change
# Not streamlit_folium: it registers its component only where a page is being drawn.
_HEAVY = ("leafmap.foliumap", "rio_tiler.io", "plotly.graph_objects", "engine.extraction.cost.estimate",
          "engine.backbones.cards", "pygments.formatters", "pyarrow.parquet")  # fmt: skip
# The map's script: files of assets/map in the order in which they build on each other.
SCRIPTS = ("memory.js", "address.js", "words.js", "refused.js", "view.js", "land.js", "backdrop.js", "layers.js", "pointer.js",
           "gallery.js", "base_maps.js", "outlines.js", "lens_picking.js", "lens_layer.js", "lens.js", "lens_panel.js",
           "together.js", "swipe.js")  # fmt: skip
# GDAL keeps blocks of rasters that it has read, in the whole process; left alone it takes 5 % of the machine's memory.
_GDAL_CACHE_MB = 64
_MOST_LAYERS = 8  # whose value is asked for at once
_log = logging.getLogger(__name__)


def routes() -> list[BaseRoute]:
    """What the server answers besides Streamlit's own addresses."""
    base = st.get_option("server.baseUrlPath").strip("/")
    prefix = f"/{base}" if base else ""
    return [
        Route(f"{prefix}/tiles/{{token}}/{{z:int}}/{{x:int}}/{{y:int}}.png", _tile, middleware=GUARDED),
        Route(f"{prefix}/tiles/{{token}}/pictures/{{index:int}}.png", _picture, middleware=GUARDED),
        Route(f"{prefix}/tiles/values", _values, middleware=GUARDED),
        Route(f"{prefix}/lens/{{token}}.bin", lens_files.answer, middleware=GUARDED),
        Route(f"{prefix}/lens/{{token}}/{{runs}}.bin", lens_files.pieces, middleware=GUARDED),
        Route(f"{prefix}/maps/galleries/{{token}}.json", _gallery, middleware=GUARDED),
        Route(f"{prefix}/maps/world.geojson", _world, middleware=GUARDED),
        Route(f"{prefix}/maps/coast/{{x:int}}/{{y:int}}.geojson", _coast, middleware=GUARDED),
        Route(f"{prefix}/map/emberscope.js", _script, middleware=GUARDED),
        Mount(f"{prefix}/vendor", StaticFiles(directory=VENDOR, check_dir=False), middleware=GUARDED),
        Mount(f"{prefix}/map", StaticFiles(directory=MAP), middleware=GUARDED),
    ]


@contextlib.asynccontextmanager
async def warm_up(_app: object) -> AsyncIterator[None]:
    """Import what the pages need while the server comes up, so that the first page is not the slow one."""
    # Before the first st.navigation Streamlit takes the folder pages/ for its older kind of app, and a first visitor
    # with a deep link would get a page without its frame (pages_manager.py, Streamlit 1.67).
    PagesManager.uses_pages_directory = False
    os.environ.setdefault("GDAL_CACHEMAX", str(_GDAL_CACHE_MB))  # GDAL looks when it reads for the first time
    no_delay.answer_at_once()
    spare.allow()
    threading.Thread(target=_import_heavy, name="warm-up", daemon=True).start()
    yield
    spare.let_go()


def has_vendor() -> bool:
    """Whether the map libraries are served from here."""
    return (VENDOR / "leaflet.js").is_file()


def map_file(name: str) -> str:
    """Address of a script or style sheet of assets/map as the map's frame names it; it changes with the content."""
    return f"{FROM_MAP}map/{name}?v={version(name)}"


def version(name: str) -> str:
    """Changes with the content of a file of assets/map."""
    return hashlib.sha256((MAP / name).read_bytes()).hexdigest()[:16]


def map_script() -> str:
    """Address of the map's script as its frame names it; it changes with the content."""
    return f"{FROM_MAP}map/emberscope.js?v={hashlib.sha256(_bundle()).hexdigest()[:16]}"


def _import_heavy() -> None:
    for name in _HEAVY:
        importlib.import_module(name)
    land.world()
    if land.has_coast():
        land.piece(0, 0)
    gc.freeze()  # what was imported stays for good: no later collection has to look through it


async def _tile(request: Request) -> Response:
    numbers = (int(request.path_params[name]) for name in ("z", "x", "y"))
    return await _png(request, rendering.render, *numbers)


async def _picture(request: Request) -> Response:
    return await _png(request, rendering.picture, int(request.path_params["index"]))


async def _png(request: Request, draw: Callable[..., bytes], *numbers: int) -> Response:
    try:
        png = await run_in_threadpool(draw, str(request.path_params["token"]), *numbers)
    except LookupError:
        return Response(status_code=404, headers={"Cache-Control": "no-store"})
    except (EngineError, OSError) as err:
        _log.warning("tile %s: %s", request.url.path, err)
        return Response(status_code=404, headers={"Cache-Control": "no-store"})
    return Response(png, media_type="image/png", headers={"Cache-Control": _LONG})


async def _gallery(request: Request) -> Response:
    try:
        told = await run_in_threadpool(galleries.told, str(request.path_params["token"]))
    except LookupError:
        return Response(status_code=404, headers={"Cache-Control": "no-store"})
    return JSONResponse(told, headers={"Cache-Control": "no-store"})


async def _values(request: Request) -> Response:
    """What some layers hold at a place, by token; a layer that is not known is left out."""
    query = request.query_params
    try:
        lon, lat = float(query.get("lon", "")), float(query.get("lat", ""))
    except ValueError:
        return Response(status_code=400, headers={"Cache-Control": "no-store"})
    tokens = [token for token in query.get("layers", "").split(",") if token][:_MOST_LAYERS]
    found = await run_in_threadpool(_values_at, tokens, lon, lat)
    return JSONResponse(found, headers={"Cache-Control": "no-store"})


def _values_at(tokens: Sequence[str], lon: float, lat: float) -> dict[str, object]:
    found: dict[str, object] = {}
    for token in tokens:
        try:
            found[token] = dataclasses.asdict(values.at(token, lon, lat))
        except LookupError:
            continue
        except (EngineError, OSError) as err:
            _log.warning("the value of %s: %s", token, err)
    return found


async def _world(_request: Request) -> Response:
    body = await run_in_threadpool(land.world)
    return Response(body, media_type="application/geo+json", headers={"Cache-Control": _LONG})


async def _coast(request: Request) -> Response:
    try:
        body = await run_in_threadpool(
            land.piece, int(request.path_params["x"]), int(request.path_params["y"])
        )
    except LookupError:
        return Response(status_code=404, headers={"Cache-Control": "no-store"})
    return Response(body, media_type="application/geo+json", headers={"Cache-Control": _LONG})


async def _script(_request: Request) -> Response:
    return Response(_bundle(), media_type="text/javascript", headers={"Cache-Control": _LONG})


def _bundle() -> bytes:
    """The map's script as one file: its parts are loaded with one request."""
    return b"\n".join((MAP / name).read_bytes() for name in SCRIPTS)
