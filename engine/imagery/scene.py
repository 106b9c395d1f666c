"""One acquisition: its bands, each with its own file, scale and gaps, and the metric grid that they are read on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeVar

from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import MultiPolygon, Polygon

from engine.errors import MissingBand
from engine.files import slug
from engine.imagery.geobox import bounds_of, gsd_m, outline_lonlat
from engine.imagery.sensors.sensor import Level, Sensor, reflectance_words

T = TypeVar("T")
# Names longer than this are cut, and told apart by a hash of the whole.
_LONGEST_ID = 120


MaskKind = Literal["scl", "fmask", "qa_pixel"]
"""How a product's own mask tells clouds; `masks.py` reads it."""


@dataclass(frozen=True)
class Asset:
    """Where one band of a scene is, and how its stored values become measured ones.

    Attributes:
        path: the raster file.
        index: band of the file, from 1.
        crs: of the file, as authority code or WKT.
        sensor: of this band (a stack may carry radar or heights beside reflectance).
        scale, offset: measured value = stored value * scale + offset.
        nodata: stored values that mark a gap, besides NaN and the file's own masks.
    """

    path: Path
    index: int
    crs: str
    sensor: Sensor
    scale: float = 1.0
    offset: float = 0.0
    nodata: tuple[float, ...] = ()


@dataclass(frozen=True)
class Scene:
    """One acquisition of one place.

    Attributes:
        id: letters, digits, '.', '_' and '-' only; different scenes of a configuration have different ones.
        sensor: of the scene as a whole; each asset has its own.
        assets: common name -> where the band is, in the sensor's order.
        datetime: None where the source does not state one.
        grid: north-up squares in a CRS in metres. Assets on other pixels are resampled to it.
        level: of reflectance, None where it is not known or does not apply.
        mask_path: label raster on any grid, if there is one.
        split: "train", "val" or "test" where the source says so.
        is_chip: the scene is one tile by itself; a fixed grid serves everything else.
        cloud_pct: share of the scene under clouds, 0 to 100, None where nobody states it.
        notes: what was assumed, resampled or left unread, in words for a person.
        mask: the product's own mask of clouds and shadows, whose pixels are gaps; None: none is used.
    """

    id: str
    title: str
    sensor: Sensor
    assets: Mapping[str, Asset]
    datetime: datetime | None
    grid: GeoBox
    level: Level | None
    source: str
    licence: str
    is_simulated: bool = False
    mask_path: Path | None = None
    split: str | None = None
    is_chip: bool = False
    cloud_pct: float | None = None
    notes: tuple[str, ...] = ()
    mask: tuple[Asset, MaskKind] | None = None

    @property
    def bands(self) -> tuple[str, ...]:
        """Common names of the bands there are."""
        return tuple(self.assets)

    @property
    def crs(self) -> str:
        """Authority code or WKT, in metres."""
        return str(self.grid.crs)

    @property
    def transform(self) -> Affine:
        """Pixel (column, row) to CRS metres; rows from the north."""
        return self.grid.transform

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.grid.height)

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.grid.width)

    @property
    def gsd_m(self) -> float:
        """Side of a pixel."""
        return gsd_m(self.grid)

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """West, south, east, north in the scene's CRS."""
        return bounds_of(self.grid)

    @property
    def area_km2(self) -> float:
        """Ground of the whole grid, nodata included."""
        return self.height * self.width * self.gsd_m**2 / 1e6

    @property
    def footprint(self) -> Polygon | MultiPolygon:
        """Outline in lon/lat, nodata included."""
        return outline_lonlat(self.grid)

    @property
    def values(self) -> str:
        """What the values of the main sensor are, in words for a legend."""
        if self.sensor.quantity != "reflectance":
            return self.sensor.unit
        return reflectance_words(self.level)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, each once."""
        return tuple(dict.fromkeys(asset.path for asset in self.assets.values()))

    def wavelength_um(self, band: str) -> float | None:
        """Centre wavelength of a band; None where there is none (radar, height, classes)."""
        return self.assets[band].sensor.wavelength_um(band)

    def require(self, bands: Sequence[str], who: str) -> None:
        """Check that the scene has all of these bands.

        Raises:
            MissingBand: naming what is missing and what is there.
        """
        missing = [band for band in bands if band not in self.assets]
        if missing:
            raise MissingBand(
                f"{who} needs band {', '.join(map(repr, missing))}; {self.id} has {', '.join(self.assets)}. "
                f"Choose a scene that has it, or a backbone that fits these bands."
            )


def in_order(assets: Mapping[str, T], sensor: Sensor) -> dict[str, T]:
    """Assets, by the names of their bands, in the order of a sensor's bands, those of other sensors after them."""
    order = [*sensor.bands, *(band for band in assets if band not in sensor.bands)]
    return {band: assets[band] for band in order if band in assets}


def scene_id(name: str) -> str:
    """A scene's id from its name; names that are cut keep apart by a hash of the whole."""
    plain = slug(name, keep="._-", filler="_", most=len(name))
    if len(plain) <= _LONGEST_ID:
        return plain
    return f"{plain[:_LONGEST_ID]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def fingerprint(scene: Scene) -> str:
    """Names, sizes and modification times of the scene's files: changes when one of them does."""
    return ";".join(_stamps(scene.paths))


def _stamps(paths: Sequence[Path]) -> Iterator[str]:
    for path in paths:
        if path.is_dir():  # a Zarr store: its chunks are files of their own
            inside = [file.stat() for file in path.rglob("*") if file.is_file()]
            newest = max((one.st_mtime_ns for one in inside), default=0)
            yield f"{path.name}:{sum(one.st_size for one in inside)}:{newest}"
            continue
        status = path.stat()
        yield f"{path.name}:{status.st_size}:{status.st_mtime_ns}"
