"""One acquisition: which sensor saw what, when and where, and how stored values become reflectance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from affine import Affine
from shapely.geometry import Polygon

from engine.errors import MissingBand
from engine.imagery.grid import outline_lonlat
from engine.imagery.sensor import Sensor


@dataclass(frozen=True)
class Scene:
    """One acquisition of one place by one sensor.

    Attributes:
        id: letters, digits, '.', '_' and '-' only.
        bands: common name -> 1-based index in the file.
        datetime: None where the source does not state one.
        scale, offset: reflectance = stored value * scale + offset, band by band.
        nodata: stored value that marks a gap, None where there is none.
        mask_path: label raster (1 burnt, 0 not, -1 missing) on the same grid, if there is one.
        split: "train", "val" or "test" where the source says so.
        is_chip: the scene is one tile by itself; a fixed grid serves everything else.
        cloud_pct: share of the scene under clouds, 0 to 100, None where nobody states it.
    """

    id: str
    title: str
    sensor: Sensor
    path: Path
    bands: Mapping[str, int]
    datetime: datetime | None
    crs: str
    transform: Affine
    height: int
    width: int
    scale: float
    offset: float
    nodata: float | None
    source: str
    licence: str
    is_simulated: bool = False
    mask_path: Path | None = None
    split: str | None = None
    is_chip: bool = False
    cloud_pct: float | None = None

    @property
    def gsd_m(self) -> float:
        """Side of a pixel in the units of the CRS (metres when it is projected)."""
        return float(abs(self.transform.a))

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """West, south, east, north in the scene's CRS."""
        west, north = self.transform @ (0, 0)
        east, south = self.transform @ (self.width, self.height)
        return west, south, east, north

    @property
    def footprint(self) -> Polygon:
        """Outline in lon/lat, nodata included."""
        return outline_lonlat(self.bounds_m, self.crs)

    def require(self, bands: Sequence[str], who: str) -> None:
        """Check that the scene has all of these bands.

        Raises:
            MissingBand: naming what is missing and what is there.
        """
        missing = [band for band in bands if band not in self.bands]
        if missing:
            raise MissingBand(
                f"{who} needs band {', '.join(map(repr, missing))}; {self.id} has {', '.join(self.bands)}. "
                f"Pick a scene that has it, or a backbone that fits these bands."
            )


def fingerprint(scene: Scene) -> str:
    """Size and modification time of the scene's file: changes when the file does."""
    status = scene.path.stat()
    return f"{scene.path.name}:{status.st_size}:{status.st_mtime_ns}"
