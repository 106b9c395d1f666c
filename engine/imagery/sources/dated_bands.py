"""A raster with the bands of several dates one after another, as scenes: one a date, each band with its place in the file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from rasterio.io import DatasetReader

from engine.errors import SceneError
from engine.imagery.projection import metric_grid
from engine.imagery.raster.edges import without_dark_edges
from engine.imagery.raster.facts import Overrides, acquired, assets_of, level_of, main_sensor
from engine.imagery.raster.radar_unit import with_radar_unit
from engine.imagery.raster.rasters import open_raster
from engine.imagery.scene import Asset, Scene, in_order, scene_id
from engine.imagery.sensors.identify import Named, identify
from engine.imagery.sensors.products import ProductName, read_name
from engine.imagery.sources.series import gaps_told


@dataclass(frozen=True)
class DatedImage:
    """The bands of one date.

    Attributes:
        indexes: of each band in the file, from 1, in the order of the names.
        when: None where nothing states it.
    """

    indexes: tuple[int, ...]
    when: dt.datetime | None


@dataclass(frozen=True)
class DatedBands:
    """What is known of a raster with the bands of several dates.

    Attributes:
        names: of the bands of a date, as the file states them.
        images: the first date first.
        fills: of each band, stored values that mark a gap besides what the raster itself says.
        tags: names in lower case.
        notes: what was assumed or left out.
    """

    names: tuple[str, ...]
    images: tuple[DatedImage, ...]
    dtype: str
    tags: Mapping[str, str]
    fills: tuple[tuple[float, ...], ...] = ()
    notes: tuple[str, ...] = ()


def dated_scenes(path: Path, held: DatedBands, overrides: Overrides) -> tuple[Scene, ...]:
    """The scenes of a raster's dates.

    Raises:
        SceneError: it cannot be opened, has no place on Earth, or bands that nothing tells.
    """
    several = len(held.images) > 1
    if several and overrides.datetime is not None:
        raise SceneError(f"{path.name} has {len(held.images)} dates of its own. Leave out scene.datetime.")
    product = read_name(path.stem, path.parent.name)
    with open_raster(path) as dataset:
        metric = metric_grid(dataset, path.name)
        named = identify(
            path.name, held.names, held.dtype, product, overrides.sensor, overrides.bands, held.tags.get("emberscope_sensor")
        )  # fmt: skip
        stated, note = acquired(held.tags, product, overrides.datetime)
        images = [replace(one, when=one.when or stated) for one in held.images]
        found = [_assets(dataset, path, named, product, one, held, overrides) for one in images]
    first, radar = with_radar_unit(found[0][0], named.open_radar)
    units = {band: asset.sensor for band, asset in first.items()}
    grid, dark = without_dark_edges(metric.grid, first)
    own = [f"{path.name}: {item}." for item in (note, *dict.fromkeys(one[1] for one in found), radar) if item]
    gaps = gaps_told(path.name, [one.when for one in images])
    said = tuple(item for item in (*held.notes, *named.notes, *own, metric.note, dark, *gaps) if item)
    main = main_sensor(named, first)
    level = level_of(path.name, main, overrides)
    return tuple(
        Scene(
            id=scene_id(f"{path.stem}_{image.when:%Y%m%dT%H%M%S}" if several and image.when else path.stem),
            title=path.stem.replace("_", " "),  # its date is told beside it
            sensor=main,
            assets=in_order({band: replace(one, sensor=units[band]) for band, one in assets.items()}, main),
            datetime=image.when,
            grid=grid,
            level=level,
            source=held.tags.get("emberscope_source", held.tags.get("source", "")),
            licence=held.tags.get("emberscope_licence", held.tags.get("license", "")),
            is_simulated=held.tags.get("emberscope_simulated") == "yes",
            notes=said if position == 0 else (),
        )
        for position, (image, (assets, _)) in enumerate(zip(images, found, strict=True))
    )


def _assets(
    dataset: DatasetReader, path: Path, named: Named, product: ProductName, image: DatedImage, held: DatedBands,
    overrides: Overrides,
) -> tuple[dict[str, Asset], str]:  # fmt: skip
    """The assets of one date, and what was assumed of their scale."""
    placed = {band: (image.indexes[number - 1], own) for band, (number, own) in named.bands.items()}
    assets, note = assets_of(dataset, path, replace(named, bands=placed), product, image.when, overrides)
    if held.fills and overrides.nodata is None:
        fills = {band: held.fills[number - 1] for band, (number, _) in named.bands.items()}
        assets = {
            band: replace(one, nodata=tuple(dict.fromkeys((*one.nodata, *fills[band]))))
            for band, one in assets.items()
        }
    return assets, note
