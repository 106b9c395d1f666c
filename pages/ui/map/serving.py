"""Same-origin addresses of the maps: tiles, map libraries and the world's outline; nothing comes from elsewhere.

All addresses stand under `server.baseUrlPath`; the maps name them relative to their own frame (see `FROM_MAP`).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import logging
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from streamlit.runtime.pages_manager import PagesManager

from engine.errors import EngineError
from pages.ui.map import tiles

_ASSETS = Path(__file__).resolve().parents[3] / "assets"
VENDOR = _ASSETS / "static" / "vendor"
MAP = _ASSETS / "map"
BRAND = _ASSETS / "brand"
# A map lives in <base>/component/streamlit_folium.st_folium/index.html: two levels up is the app's own root.
FROM_MAP = "../../"
_LONG = "public, max-age=86400, immutable"  # a token is made from the content, so its tiles never change
# Not streamlit_folium: it registers its component only where a page is being drawn.
_HEAVY = ("leafmap.foliumap", "rio_tiler.io", "plotly.graph_objects", "engine.extraction.cost.estimate",
          "engine.backbones.cards", "pygments.formatters", "pyarrow.parquet")  # fmt: skip
_log = logging.getLogger(__name__)


def routes() -> list[BaseRoute]:
    """What the server answers besides Streamlit's own addresses."""
    base = st.get_option("server.baseUrlPath").strip("/")
    prefix = f"/{base}" if base else ""
    return [
        Route(f"{prefix}/tiles/{{token}}/{{z:int}}/{{x:int}}/{{y:int}}.png", _tile),
        Route(f"{prefix}/maps/world.geojson", _world),
        Mount(f"{prefix}/vendor", StaticFiles(directory=VENDOR, check_dir=False)),
        Mount(f"{prefix}/map", StaticFiles(directory=MAP)),
    ]


@contextlib.asynccontextmanager
async def warm_up(_app: object) -> AsyncIterator[None]:
    """Import what the pages need while the server comes up, so that the first page is not the slow one."""
    # Before the first st.navigation Streamlit takes the folder pages/ for its older kind of app, and a first visitor
    # with a deep link would get a page without its frame (pages_manager.py, Streamlit 1.67).
    PagesManager.uses_pages_directory = False
    threading.Thread(target=_import_heavy, name="warm-up", daemon=True).start()
    yield


def has_vendor() -> bool:
    """Whether the map libraries are served from here."""
    return (VENDOR / "leaflet.js").is_file()


def map_file(name: str) -> str:
    """Address of a script or style sheet of assets/map as the map's frame names it; it changes with the content."""
    digest = hashlib.sha256((MAP / name).read_bytes()).hexdigest()[:16]
    return f"{FROM_MAP}map/{name}?v={digest}"


def world_geojson() -> bytes:
    """Countries of Natural Earth 1:110 m (public domain) as GeoJSON in lon/lat, from pyogrio's own package."""
    return _world_bytes()


def _import_heavy() -> None:
    for name in _HEAVY:
        importlib.import_module(name)
    _world_bytes()


async def _tile(request: Request) -> Response:
    numbers = (int(request.path_params[name]) for name in ("z", "x", "y"))
    try:
        png = await run_in_threadpool(tiles.render, str(request.path_params["token"]), *numbers)
    except LookupError:
        return Response(status_code=404, headers={"Cache-Control": "no-store"})
    except (EngineError, OSError) as err:
        _log.warning("tile %s: %s", request.url.path, err)
        return Response(status_code=404, headers={"Cache-Control": "no-store"})
    return Response(png, media_type="image/png", headers={"Cache-Control": _LONG})


async def _world(_request: Request) -> Response:
    body = await run_in_threadpool(_world_bytes)
    return Response(body, media_type="application/geo+json", headers={"Cache-Control": _LONG})


@functools.cache
def _world_bytes() -> bytes:
    import pyogrio
    import shapely

    shapes = (
        Path(pyogrio.__file__).parent
        / "tests"
        / "fixtures"
        / "naturalearth_lowres"
        / "naturalearth_lowres.shp"
    )
    if not shapes.is_file():
        _log.warning(
            "this build of pyogrio carries no Natural Earth countries; maps have no land below the scenes"
        )
        return b'{"type":"FeatureCollection","features":[]}'
    _, _, wkb, _ = pyogrio.raw.read(shapes, columns=[])
    return _feature_collection(shapely.to_geojson(shapely.set_precision(shapely.from_wkb(wkb), 0.001)))


def _feature_collection(geometries: Sequence[str]) -> bytes:
    features = ",".join(
        f'{{"type":"Feature","properties":{{}},"geometry":{geometry}}}' for geometry in geometries
    )
    return f'{{"type":"FeatureCollection","features":[{features}]}}'.encode()
