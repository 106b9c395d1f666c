"""The region that a configuration names."""

from __future__ import annotations

from engine.imagery.region import Region
from engine.imagery.region_file import region_from_file
from engine.jobs.configuration.extract import RegionConfig
from engine.paths import resolve_path


def region_of(region: RegionConfig | None) -> Region | None:
    """The region that a configuration names, or None for everything.

    Raises:
        RegionError: it is not a valid region.
    """
    match region:
        case None:
            return None
        case RegionConfig(bounds_lonlat=(west, south, east, north)):
            return Region.from_bounds(west, south, east, north)
        case RegionConfig(polygon_lonlat=corners) if corners is not None:
            return Region.from_polygon(corners)
        case _:
            return region_from_file(resolve_path(region.file or ""))
