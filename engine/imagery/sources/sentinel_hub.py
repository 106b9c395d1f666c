"""Sentinel-2 through Sentinel Hub's process API as a source, for those with an account: one picture of a rectangle.

The account comes from the environment (SH_CLIENT_ID, SH_CLIENT_SECRET), never from the configuration.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from engine.errors import SceneError
from engine.files import write_atomic
from engine.frozen import Frozen
from engine.imagery.geobox import area_in_crs, utm_or_polar_crs
from engine.imagery.raster.facts import Overrides
from engine.imagery.region import Region
from engine.imagery.remote.process_api import Picture, fetch_picture, request_of
from engine.imagery.scene import Scene
from engine.imagery.sensors.table import SENSORS
from engine.imagery.sources.raster_file import file_scene
from engine.imagery.sources.source import require_order
from engine.paths import modified
from engine.workspace import shared_root

_SENSOR = SENSORS["sentinel2_l2a"]


class SentinelHubScene(Frozen):
    """Sentinel-2 L2A of a rectangle, made by Sentinel Hub from the scenes of some days."""

    overlaps: ClassVar[bool] = False
    added_later: ClassVar[tuple[str, ...]] = ()

    source: Literal["sentinel_hub"]
    bounds_lonlat: tuple[float, float, float, float] = Field(
        description="West, south, east, north in degrees."
    )
    dates: tuple[dt.date, dt.date] = Field(description="First and last day, both counted.")
    bands: tuple[str, ...] = Field(
        ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2"),
        min_length=1,
        description="Bands of Sentinel-2 by their common names.",
    )
    gsd_m: float = Field(20.0, ge=10, le=1000, description="Side of a pixel in metres.")
    most_cloud_pct: float = Field(40.0, ge=0, le=100, description="Scenes with more cloud are left out.")
    mosaicking: Literal["leastCC", "mostRecent", "leastRecent"] = Field(
        "leastCC", description="Which of several scenes counts: the least cloudy, the newest, the oldest."
    )

    @model_validator(mode="after")
    def _is_sensible(self) -> Self:
        require_order(self.dates)
        strange = [band for band in self.bands if band not in _SENSOR.bands]
        if strange or len(set(self.bands)) < len(self.bands):
            raise ValueError(f"bands names each band once, of {', '.join(_SENSOR.bands)}")
        return self

    @property
    def title(self) -> str:
        """What it is, and when."""
        return f"Sentinel-2 L2A by Sentinel Hub, {self.dates[0]} to {self.dates[1]}"

    def file(self, root: Path) -> Path:
        """Where the picture is kept, once for all workspaces."""
        name = hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]
        return shared_root(root) / "data" / "sentinel-hub" / f"{name}.tif"

    def prepare(self, root: Path) -> Iterator[str]:
        """Have the picture made, where it is not here yet."""
        if self.is_ready(root):
            return
        picture = self.picture()
        request_of(picture)  # what it refuses is told before an account is asked for
        yield f"Asking Sentinel Hub for {picture.width} x {picture.height} pixels"
        content = fetch_picture(picture)
        write_atomic(self.file(root), lambda temporary: temporary.write_bytes(content))

    def picture(self) -> Picture:
        """What is asked for: whole pixels of a UTM zone around the rectangle.

        Raises:
            RegionError: it is no rectangle on Earth.
        """
        polygon = Region.from_bounds(*self.bounds_lonlat).polygon
        crs = utm_or_polar_crs(polygon.centroid.x, polygon.centroid.y)
        edges = area_in_crs(polygon, crs).bounds
        west, south = (math.floor(edge / self.gsd_m) * self.gsd_m for edge in edges[:2])
        east, north = (math.ceil(edge / self.gsd_m) * self.gsd_m for edge in edges[2:])
        codes = tuple(f"B{code[1:]:0>2}" for code in (_SENSOR.band(band).code for band in self.bands))
        return Picture(
            "sentinel-2-l2a", codes, (west, south, east, north), int(crs.removeprefix("EPSG:")),
            round((east - west) / self.gsd_m), round((north - south) / self.gsd_m), *self.dates, self.most_cloud_pct, self.mosaicking,
        )  # fmt: skip

    def prepare_labels(self, root: Path, name: str) -> Iterator[str]:
        """It brings no labels."""
        del root, name
        yield from ()

    def is_ready(self, root: Path) -> bool:
        """Whether the picture is here."""
        return self.file(root).is_file()

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The one scene.

        Raises:
            SceneError: it was not made yet.
        """
        if not self.is_ready(root):
            raise SceneError(
                "The picture of Sentinel Hub was not made yet. Start the extraction with a network and an account."
            )
        scene = file_scene(self.file(root), Overrides(_SENSOR.name, self.bands, 1e-4, 0.0, 0.0))
        several = f"the scenes of several days ({self.mosaicking}), so they have no date of their own"
        of = several if self.dates[0] != self.dates[1] else "all scenes of that day"
        note = f"{self.title}: pixels come from {of}."
        return (
            replace(scene, title=self.title, source="Sentinel Hub process API", notes=(*scene.notes, note)),
        )

    def find_readable(self, root: Path) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
        """The one scene."""
        return self.find(root), ()

    def stamp(self, root: Path) -> float:
        """When the picture was made."""
        return modified(self.file(root))

    def last_date(self) -> Self:
        """The same: it is one picture."""
        return self
