"""What one raster file says of itself: its grid, its bands, its time, and what had to be assumed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from odc.geo.geobox import GeoBox
from rasterio.enums import ColorInterp
from rasterio.io import DatasetReader

from engine.errors import SceneError
from engine.imagery.geobox import crs_text
from engine.imagery.projection import earth_crs, metric_grid
from engine.imagery.raster.dates import in_utc, tagged_time
from engine.imagery.raster.radar_unit import with_radar_unit
from engine.imagery.raster.rasters import open_raster
from engine.imagery.raster.scaling import Stated, scaling_of, unstated
from engine.imagery.scene import Asset, in_order
from engine.imagery.sensors.identify import Named, identify
from engine.imagery.sensors.products import ProductName, band_part, read_name
from engine.imagery.sensors.sensor import Level, Sensor

# Names under which products state their cloud share in percent: ours; HLS (v2.0 User Guide, scene-level attributes);
# Sentinel-2 (product metadata, Quality_Indicators_Info); Landsat (MTL, IMAGE_ATTRIBUTES); STAC's eo extension.
_CLOUD_TAGS = (
    "emberscope_cloud_pct", "cloud_coverage", "cloudy_pixel_percentage", "cloud_cover", "eo:cloud_cover",
)  # fmt: skip


@dataclass(frozen=True)
class Overrides:
    """What a configuration says of a raster; None: nothing."""

    sensor: str | None = None
    bands: tuple[str | None, ...] | None = None
    scale: float | None = None
    offset: float | None = None
    nodata: float | None = None
    datetime: datetime | None = None
    level: Level | None = None


NO_OVERRIDES = Overrides()


@dataclass(frozen=True)
class RasterFacts:
    """One raster, understood.

    Attributes:
        level: of reflectance, None where it is not known or does not apply.
        tags: names in lower case.
        notes: what was assumed, resampled or left unread, in words.
    """

    grid: GeoBox
    sensor: Sensor
    assets: Mapping[str, Asset]
    datetime: datetime | None
    level: Level | None
    tags: Mapping[str, str]
    notes: tuple[str, ...]


def raster_facts(path: Path, overrides: Overrides = NO_OVERRIDES) -> RasterFacts:
    """Everything that is known of a raster with one or more bands.

    Raises:
        SceneError: it cannot be opened, has no place on Earth, or bands that nothing tells.
    """
    with open_raster(path) as dataset:
        tags = {key.lower(): value for key, value in dataset.tags().items()}
        product = read_name(path.stem, path.parent.name)
        _require_reflectance(path, product, overrides)
        metric = metric_grid(dataset, path.name)
        named = identify(
            path.name, described(dataset, path), dataset.dtypes[0], product, overrides.sensor, overrides.bands,
            tags.get("emberscope_sensor"),
        )  # fmt: skip
        when, note = acquired(tags, product, overrides.datetime)
        assets, told = assets_of(dataset, path, named, product, when, overrides)
    assets, radar = with_radar_unit(assets, named.open_radar)
    own = [f"{path.name}: {item}." for item in (note, told, radar) if item]
    notes = tuple(item for item in (*named.notes, *own, metric.note) if item)
    main = main_sensor(named, assets)
    level = level_of(path.name, main, overrides)
    return RasterFacts(metric.grid, main, in_order(assets, main), when, level, tags, notes)


def level_of(where: str, main: Sensor, overrides: Overrides) -> Level | None:
    """The level of a raster's reflectance: as the configuration says, else the sensor's.

    Raises:
        SceneError: the configuration states one for what is no reflectance.
    """
    if overrides.level is not None and main.quantity != "reflectance":
        raise SceneError(
            f"{where} holds {main.unit}, and scene.level is of reflectance. Leave it out, or set scene.sensor."
        )
    return overrides.level or main.level


def main_sensor(named: Named, assets: Mapping[str, Asset]) -> Sensor:
    """The sensor of a raster as a whole; of radar alone, the one whose unit its values show."""
    if named.sensor.quantity == "backscatter":
        return next(asset.sensor for asset in assets.values() if asset.sensor.quantity == "backscatter")
    return named.sensor


def assets_of(
    dataset: DatasetReader, path: Path, named: Named, product: ProductName, when: datetime | None, overrides: Overrides,
    metadata: Mapping[str, Stated] | None = None,
) -> tuple[dict[str, Asset], str]:  # fmt: skip
    """The assets of the bands of an open raster, and what was assumed of their scale."""
    crs = crs_text(earth_crs(dataset, path.name))
    scalings = {
        band: scaling_of(
            dataset,
            index,
            own,
            product,
            when,
            _declared(overrides, named.sensor, own),
            (metadata or {}).get(band, Stated()),
            named.is_assumed,
        )
        for band, (index, own) in named.bands.items()
    }
    assets = {
        band: Asset(path, index, crs, own, scalings[band].scale, scalings[band].offset, scalings[band].nodata)
        for band, (index, own) in named.bands.items()
    }
    return assets, unstated(scalings)


def _declared(overrides: Overrides, main: Sensor, own: Sensor) -> Stated:
    """What the configuration says of a band: its scale and offset are those of the scene's main sensor.

    Radar, heights and classes beside reflectance keep their own.
    """
    if own.quantity == main.quantity:
        return Stated(overrides.scale, overrides.offset, overrides.nodata)
    return Stated(nodata=overrides.nodata)


def described(dataset: DatasetReader, path: Path) -> Sequence[str | None]:
    """Band descriptions as the file or its side-car states them; an alpha band is called so.

    A band by itself without a description has the name that its file's name ends in (`dem.tif`, `..._B04.tif`).
    """
    part = band_part(path.stem)
    if dataset.count == 1 and not dataset.descriptions[0] and part is not None and not part[1].is_quality:
        return [part[1].text]
    return [
        "alpha" if kind == ColorInterp.alpha else text
        for text, kind in zip(dataset.descriptions, dataset.colorinterp, strict=True)
    ]


def acquired(
    tags: Mapping[str, str], product: ProductName, stated: datetime | None = None
) -> tuple[datetime | None, str]:
    """The acquisition time: as the configuration says, then tags, then the name; and a note on a tag that is none.

    Raises:
        SceneError: the configuration's is beyond the calendar.
    """
    if stated is not None:
        try:
            return in_utc(stated), ""
        except OverflowError as err:
            raise SceneError(
                f"scene.datetime {stated} is beyond the years that there are in UTC. Set another."
            ) from err
    when, note = tagged_time(tags)
    return when or product.datetime, note


def cloud_pct_of(tags: Mapping[str, str]) -> float | None:
    """The cloud share that tags state, 0 to 100; None where they state none."""
    for name in _CLOUD_TAGS:
        found = re.match(r"\s*(\d+(\.\d+)?)", tags.get(name, ""))
        if found and float(found[1]) <= 100:
            return float(found[1])
    return None


def _require_reflectance(path: Path, product: ProductName, overrides: Overrides) -> None:
    if product.is_radiance and overrides.scale is None:
        raise SceneError(
            f"{path.name} is a radiance product of PlanetScope, which has no scale to reflectance by itself. "
            f"Order the surface reflectance (*_SR), or set scene.scale to the coefficient of its XML file."
        )
