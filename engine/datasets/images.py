"""The images of a fire: the ground that they show, and the first clear day among scenes that are here."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from engine.datasets.perimeters.fire import Fire
from engine.imagery.catalogues.choosing import clear_enough, seen, usable
from engine.imagery.geobox import area_in_crs, polygon_lonlat, utm_or_polar_crs
from engine.imagery.scene import Scene
from engine.jobs.configuration.dataset import DatasetConfig

# Grids of neighbouring UTM zones are turned against each other by up to about three degrees.
_ANGLED = 1.05


class NoImage(Exception):
    """There is no image of a fire; the message is the reason, for the report."""


@dataclass(frozen=True)
class Images:
    """The scenes of one day over a fire, those that show most of it first."""

    day: dt.date
    scenes: tuple[Scene, ...]


def area_lonlat(fire: Fire, surroundings_m: float, chip_m: float = 0.0) -> BaseGeometry:
    """The square-cornered ground around a fire and its surroundings, in lon/lat; in two parts on the antimeridian.

    Args:
        chip_m: side of the chips that are cut of it: the ground is widened to whole ones, which show more than was asked for.
    """
    centre = fire.shape.representative_point()
    crs = utm_or_polar_crs(centre.x, centre.y)
    west, south, east, north = area_in_crs(fire.shape, crs).bounds
    across, down = (
        surroundings_m + _widened(high - low + 2 * surroundings_m, chip_m)
        for low, high in ((west, east), (south, north))
    )
    return polygon_lonlat(shapely.box(west - across, south - down, east + across, north + down), crs)


def _widened(length_m: float, chip_m: float) -> float:
    """By what a length is widened on both sides to hold whole chips, and a little more for the angle between CRSs."""
    return (math.ceil(length_m / chip_m) * chip_m * _ANGLED - length_m) / 2 if chip_m else 0.0


def bounds_lonlat(area: BaseGeometry) -> tuple[float, float, float, float]:
    """West, south, east, north of an area; west is greater than east on the antimeridian."""
    west, south, east, north = area.bounds
    if east - west <= 180:
        return west, south, east, north
    parts = [part.bounds for part in shapely.get_parts(area)]
    return (
        min(one[0] for one in parts if one[0] >= 0),
        south,
        max(one[2] for one in parts if one[2] <= 0),
        north,
    )


def image_here(fire: Fire, config: DatasetConfig, scenes: Sequence[Scene]) -> str:
    """Why scenes that are here show a fire at no fitting time; "" where one does."""
    first = fire.over(config.burning_days)
    area = area_lonlat(fire, config.chips.surroundings_m)
    try:
        among(scenes, area, first, first + dt.timedelta(days=config.days_after))
    except NoImage as err:
        return str(err)
    return ""


def among(scenes: Sequence[Scene], area: BaseGeometry, first: dt.date, last: dt.date) -> Images:
    """The first clear day among scenes that are here.

    Raises:
        NoImage: none fits.
    """
    over = [scene for scene in scenes if scene.footprint.intersects(area)]
    if not over:
        raise NoImage("no scene shows it")
    days: dict[dt.date, list[Scene]] = {}
    for scene in over:
        if scene.datetime is not None:
            days.setdefault(sun_day(scene.datetime, area), []).append(scene)
    if not days:
        raise NoImage(
            f"{over[0].id} shows it and states no date, so nothing says whether it was taken after the fire; set imagery.datetime"
        )
    shares = {
        day: usable(*seen([(one.footprint, one.cloud_pct) for one in own], area))
        for day, own in sorted(days.items())
        if first < day <= last
    }
    if not shares:
        there = ", ".join(map(str, sorted(days)[:6])) + (", ..." if len(days) > 6 else "")
        raise NoImage(
            f"no scene was taken after {first} until {last} (burning_days, days_after); there are {there}"
        )
    day = clear_enough(shares)[0]
    return Images(day, most_first(days[day], area))


def sun_day(when: dt.datetime, area: BaseGeometry) -> dt.date:
    """The day by the sun at a place, by which publishers date fires: that of UTC begins half a day earlier or later."""
    return (when + dt.timedelta(hours=area.representative_point().x / 15)).date()


def most_first(scenes: Sequence[Scene], area: BaseGeometry) -> tuple[Scene, ...]:
    return tuple(sorted(scenes, key=lambda one: (-one.footprint.intersection(area).area, one.id)))
