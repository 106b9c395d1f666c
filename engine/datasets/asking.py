"""The first clear day after a fire: asked of a catalogue (STAC) or of Sentinel Hub, or among scenes that are here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

from shapely.geometry.base import BaseGeometry

from engine.datasets.images import Images, NoImage, among, area_lonlat, bounds_lonlat, most_first, sun_day
from engine.datasets.perimeters.fire import Fire
from engine.errors import NotSeen, RegionError, RemoteError, SceneError
from engine.imagery.catalogues.choosing import clear_enough, seen, usable
from engine.imagery.catalogues.hub_catalogue import Seen, scenes_over
from engine.imagery.catalogues.presets import catalogue
from engine.imagery.remote.process_api import request_of
from engine.imagery.scene import Scene
from engine.imagery.sensors.table import SENSORS
from engine.imagery.sources import SentinelHubScene
from engine.imagery.sources.stac import StacScene
from engine.jobs.configuration.dataset import AskedForEachFire, DatasetConfig, FireCatalogue, FireSentinelHub


def images_after(
    fire: Fire, config: DatasetConfig, scenes: Sequence[Scene], root: Path
) -> Generator[str, None, Images]:
    """The first clear day after a fire.

    Args:
        scenes: those that are here; of none where a catalogue is asked.

    Yields:
        What is done, in words.

    Raises:
        NoImage: none fits.
        RemoteError: the catalogue or a file of it cannot be had; the message has date and address.
    """
    first = fire.over(config.burning_days)
    last = first + dt.timedelta(days=config.days_after)
    if isinstance(config.imagery, AskedForEachFire):
        return (yield from _asked(fire, config, first, last, root))
    return among(scenes, area_lonlat(fire, config.chips.surroundings_m), first, last)


def _asked(
    fire: Fire, config: DatasetConfig, first: dt.date, last: dt.date, root: Path
) -> Generator[str, None, Images]:
    """The images of the first clear day after a first day, until a last one.

    Yields:
        What is done, in words.

    Raises:
        NoImage: none fits.
        RemoteError: what is asked, or a file of it, cannot be had; the message has date and address.
    """
    asked = config.imagery
    assert isinstance(asked, FireCatalogue | FireSentinelHub)
    gsd_m = config.chips.gsd_m or _gsd_m(asked)
    area = area_lonlat(fire, config.chips.surroundings_m, config.chips.size_px * gsd_m)
    try:
        if isinstance(asked, FireCatalogue):
            return (yield from _of_catalogue(asked, area, first, last, root))
        return (yield from _of_sentinel_hub(asked, area, first, last, root))
    except RemoteError:
        raise
    except RegionError as err:
        raise NoImage(str(err).rstrip(".")) from err
    except NotSeen as err:
        raise NoImage(
            f"{asked.title} has no image after {first} until {last} with at most {asked.most_cloud_pct:g} % cloud"
        ) from err
    except SceneError as err:
        raise NoImage(str(err)) from err


def _gsd_m(asked: FireCatalogue | FireSentinelHub) -> float:
    if isinstance(asked, FireSentinelHub):
        return asked.gsd_m
    return SENSORS[catalogue(asked.catalogue).collection(asked.collection).sensor].gsd_m


def _of_catalogue(
    asked: FireCatalogue, area: BaseGeometry, first: dt.date, last: dt.date, root: Path
) -> Generator[str, None, Images]:
    source = StacScene(
        source="stac", catalogue=asked.catalogue, collection=asked.collection, dates=(first, last), fire_date=first,
        bounds_lonlat=bounds_lonlat(area), choose="after", most_cloud_pct=asked.most_cloud_pct, clouds=asked.clouds,
        offset=asked.offset,
    )  # fmt: skip
    yield from source.prepare(root)
    scenes = source.find(root)
    when = scenes[0].datetime
    if when is None:
        raise NoImage(f"{asked.collection} states no dates, so nothing says what it shows after a fire")
    return Images(sun_day(when, area), most_first(scenes, area))


def _of_sentinel_hub(
    asked: FireSentinelHub, area: BaseGeometry, first: dt.date, last: dt.date, root: Path
) -> Generator[str, None, Images]:
    """One day's picture: mosaics of several days have no date, and nothing would say what they show after a fire."""
    yield "Asking Sentinel Hub when it was seen"
    found = [
        one for one in scenes_over("sentinel-2-l2a", area, first, last)
        if first < sun_day(one.when, area) <= last and (one.cloud_pct or 0) <= asked.most_cloud_pct
    ]  # fmt: skip
    days: dict[dt.date, list[Seen]] = {}
    for one in found:
        days.setdefault(sun_day(one.when, area), []).append(one)
    shares = {
        day: usable(*seen([(one.footprint, one.cloud_pct) for one in own], area))
        for day, own in sorted(days.items())
    }
    if not shares:
        raise NotSeen("No scene.")
    day = clear_enough(shares)[0]
    when = days[day][0].when
    source = SentinelHubScene(
        source="sentinel_hub", bounds_lonlat=bounds_lonlat(area), dates=(when.date(), days[day][-1].when.date()), bands=asked.bands,
        gsd_m=asked.gsd_m, most_cloud_pct=asked.most_cloud_pct,
    )  # fmt: skip
    try:
        request_of(source.picture())
    except RemoteError as err:
        raise NoImage(f"{str(err).rstrip('.')} (imagery.gsd_m)") from err
    yield from source.prepare(root)
    (scene,) = source.find(root)
    return Images(day, (replace(scene, datetime=when),))
