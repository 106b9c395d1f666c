"""Map tiles from rasters on disk: a bounded table of layers, and the PNG of one tile.

A page registers a layer and gets a token made from the content; the address carries the token and three numbers,
so nothing that a visitor types becomes a path, and only rasters that a page has shown can be read.
"""

from __future__ import annotations

import functools
import hashlib
import math
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import SceneError
from engine.paths import PROJECT
from engine.workspace import is_of_another
from pages.ui import workspace

if TYPE_CHECKING:
    import numpy as np
    from rasterio.enums import Resampling
    from rio_tiler.models import ImageData

MAX_LAYERS = 256
MAX_ZOOM = 20  # 0.15 m a pixel at the equator: finer than any scene
TILE_PX = 256
_LEAST_PX = 2  # a smaller raster is a dot on the map: its outline shows it, and nothing is read
# Reflectance is linear and screens are not: without it forests and scars drown in black.
_GAMMA = "gamma RGB 1.5"
Bounds = tuple[float, float, float, float]
Colour = tuple[int, int, int, int]


@dataclass(frozen=True)
class Band:
    """One band of a raster file.

    Attributes:
        index: from 1.
        scale, offset: value shown = stored value * scale + offset.
        nodata: stored values that are transparent, besides what the file itself masks.
    """

    path: Path
    index: int = 1
    scale: float = 1.0
    offset: float = 0.0
    nodata: tuple[float, ...] = ()


@dataclass(frozen=True)
class Layer:
    """What a map shows of some rasters.

    Attributes:
        pictures: together they are one layer; where they overlap the first wins. Each is three bands for red, green and
            blue, or one with `colours`; the bands of a picture may lie in files of their own.
        stretch: for each band the values that become 0 and 255; empty for 8-bit colour as it is.
        colours: class value -> red, green, blue, alpha; values without a colour are transparent.
    """

    pictures: tuple[tuple[Band, ...], ...]
    stretch: tuple[tuple[float, float], ...] = ()
    colours: tuple[tuple[int, Colour], ...] = ()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, each once."""
        return tuple(dict.fromkeys(band.path for picture in self.pictures for band in picture))


_layers: OrderedDict[str, Layer] = OrderedDict()
_lock = threading.Lock()


def register(layer: Layer) -> str:
    """The token of a layer, the same for the same content; the oldest of too many is forgotten.

    Raises:
        SceneError: a raster is absent, or lies outside the folders that the app may show.
    """
    real = {path: _allowed(path) for path in layer.paths}
    stamps = [(str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in real.values()]
    pictures = tuple(
        tuple(replace(band, path=real[band.path]) for band in picture) for picture in layer.pictures
    )
    token = hashlib.sha256(repr((stamps, pictures, layer.stretch, layer.colours)).encode()).hexdigest()[:32]
    with _lock:
        _layers[token] = replace(layer, pictures=pictures)
        _layers.move_to_end(token)
        while len(_layers) > MAX_LAYERS:
            _layers.popitem(last=False)
    return token


def roots() -> tuple[Path, ...]:
    """Folders whose rasters may be shown: the project's assets, shared data, the workspace, and EMBERSCOPE_DATA."""
    named = [Path(part) for part in os.environ.get("EMBERSCOPE_DATA", "").split(os.pathsep) if part]
    return tuple(
        path.resolve()
        for path in (PROJECT / "assets", workspace.shared() / "data", workspace.folder(), *named)
    )


def require_shown(path: Path) -> Path:
    """A file or folder with its links followed, once it lies in a folder that the app may show.

    Raises:
        SceneError: it does not.
    """
    real = path.resolve()
    if is_of_another(real, workspace.folder()) or not any(real.is_relative_to(root) for root in roots()):
        raise SceneError(
            f"{real} lies in a folder that the app may not show. "
            f"Name that folder in EMBERSCOPE_DATA before the app starts, or copy it below {workspace.shared() / 'data'}."
        )
    return real


def render(token: str, z: int, x: int, y: int) -> bytes:
    """The PNG of one tile in Web Mercator, transparent where the layer has nothing.

    Raises:
        LookupError: no such layer, or no such tile.
        OSError: a raster went away or is damaged.
    """
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
        raise LookupError(f"{z}/{x}/{y}")
    with _lock:
        layer = _layers.get(token)
    if layer is None:
        raise LookupError(token)
    return _render(token, layer, z, x, y)


def tile_bounds(z: int, x: int, y: int) -> Bounds:
    """West, south, east, north in degrees of a Web Mercator tile."""
    count = 2**z
    west, east = x / count * 360 - 180, (x + 1) / count * 360 - 180
    north, south = (math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / count)))) for row in (y, y + 1))
    return west, south, east, north


@functools.lru_cache(maxsize=1024)
def _render(token: str, layer: Layer, z: int, x: int, y: int) -> bytes:
    del token  # part of the key: it carries the modification times
    tile = tile_bounds(z, x, y)
    inside = [picture for picture in layer.pictures if _shows(picture, tile)]
    if not inside:
        return empty_png()
    return _read(layer, inside, z, x, y)


def _read(layer: Layer, pictures: Sequence[tuple[Band, ...]], z: int, x: int, y: int) -> bytes:
    from rasterio.errors import RasterioError
    from rio_tiler.errors import EmptyMosaicError
    from rio_tiler.mosaic import mosaic_reader

    try:
        image, _ = mosaic_reader(list(pictures), functools.partial(_picture, layer, (z, x, y)), threads=0)
    except EmptyMosaicError:
        return empty_png()
    except RasterioError as err:
        raise OSError(str(err)) from err
    if layer.stretch:
        image.rescale(in_range=layer.stretch)
        image.apply_color_formula(_GAMMA)
    colours: Mapping[int, Colour] | None = dict(layer.colours) or None
    return bytes(image.render(img_format="PNG", colormap=colours))


def _picture(layer: Layer, tile: tuple[int, int, int], picture: tuple[Band, ...]) -> ImageData:
    """The bands of one picture on the grid of a tile; a pixel that one of them lacks is transparent."""
    import numpy as np
    from rasterio.enums import Resampling
    from rio_tiler.models import ImageData

    how = Resampling.average if layer.stretch else Resampling.nearest  # classes and colours are never mixed
    by_file: dict[tuple[Path, tuple[float, ...]], list[Band]] = {}
    for band in picture:
        by_file.setdefault((band.path, band.nodata), []).append(band)
    read = {band: values for bands in by_file.values() for band, values in _warp(bands, tile, how).items()}
    values = np.stack([read[band].data for band in picture])  # (bands, 256, 256)
    is_missing = np.any([np.ma.getmaskarray(read[band]) for band in picture], axis=0)
    return ImageData(np.ma.MaskedArray(values, mask=np.broadcast_to(is_missing, values.shape)))


def _warp(
    bands: Sequence[Band], tile: tuple[int, int, int], how: Resampling
) -> dict[Band, np.ma.MaskedArray]:
    """Bands of one file on the grid of a tile, each (256, 256).

    rio-tiler's own reader first warps at the raster's full resolution: minutes for a tile that shows a
    continent. A VRT on the tile's grid reads what it needs, from the overviews where there are some.
    """
    import numpy as np
    import rasterio
    from rasterio.transform import from_bounds
    from rasterio.vrt import WarpedVRT

    grid = {"crs": "EPSG:3857", "transform": from_bounds(*_mercator(*tile), TILE_PX, TILE_PX)}
    gaps = bands[0].nodata
    with rasterio.open(bands[0].path) as source:
        nodata = gaps[0] if gaps else source.nodata
        has_mask = nodata is not None or source.colorinterp[-1].name == "alpha"
        with WarpedVRT(
            source,
            width=TILE_PX,
            height=TILE_PX,
            resampling=how,
            nodata=nodata,
            add_alpha=not has_mask,
            **grid,
        ) as warped:
            stored = warped.read([band.index for band in bands])
            is_valid = (warped.dataset_mask() > 0) & np.isfinite(stored) & ~np.isin(stored, gaps)
    return {
        band: np.ma.MaskedArray(_measured(band, values), mask=~valid)
        for band, values, valid in zip(bands, stored, is_valid, strict=True)
    }


def _measured(band: Band, stored: np.ndarray) -> np.ndarray:
    """What the stored values mean; classes and colours stay as they are."""
    if band.scale == 1 and band.offset == 0:
        return stored
    return stored.astype("float32") * band.scale + band.offset


def _mercator(z: int, x: int, y: int) -> Bounds:
    """Left, bottom, right, top in metres of Web Mercator (EPSG:3857)."""
    half = math.pi * 6_378_137.0  # the sphere of EPSG:3857
    side = 2 * half / 2**z
    return x * side - half, half - (y + 1) * side, (x + 1) * side - half, half - y * side


@functools.cache
def empty_png() -> bytes:
    """A transparent tile."""
    import io

    from PIL import Image

    held = io.BytesIO()
    Image.new("LA", (TILE_PX, TILE_PX), (0, 0)).save(held, "PNG", optimize=True)
    return held.getvalue()


@functools.lru_cache(maxsize=4096)
def _bounds(path: Path, modified_ns: int) -> Bounds:
    """Bounds of a raster in lon/lat; `modified_ns` is part of the key."""
    del modified_ns
    import rasterio
    from rasterio.warp import transform_bounds

    with rasterio.open(path) as dataset:
        west, south, east, north = transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds, densify_pts=21)
    return west, south, east, north


def _shows(picture: tuple[Band, ...], tile: Bounds) -> bool:
    """Whether a picture lies in a tile, and is more than a dot there."""
    path = picture[0].path
    bounds = _bounds(path, path.stat().st_mtime_ns)
    return _meets(bounds, tile) and _is_visible(bounds, tile)


def _meets(one: Bounds, other: Bounds) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _is_visible(bounds: Bounds, tile: Bounds) -> bool:
    """Whether a raster is more than a dot on a tile."""
    return (bounds[2] - bounds[0]) / (tile[2] - tile[0]) * TILE_PX >= _LEAST_PX


def _allowed(path: Path) -> Path:
    real = require_shown(path)
    if not real.is_file():
        raise SceneError(f"{real} is not there: it was moved or deleted. Choose another raster.")
    return real
