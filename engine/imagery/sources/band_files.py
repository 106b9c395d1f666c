"""Products with a file a band: Sentinel-2 SAFE folders, HLS, Landsat Collection 2, and any folder named like them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from engine.errors import SceneError
from engine.imagery.projection import MetricGrid, metric_grid
from engine.imagery.raster.facts import (
    NO_OVERRIDES,
    Overrides,
    acquired,
    assets_of,
    cloud_pct_of,
    level_of,
    main_sensor,
)
from engine.imagery.raster.product_metadata import ProductMetadata, metadata_beside
from engine.imagery.raster.radar_unit import with_radar_unit
from engine.imagery.raster.rasters import open_raster
from engine.imagery.raster.scaling import Stated
from engine.imagery.scene import Asset, Scene, in_order, scene_id
from engine.imagery.sensors.identify import Named, identify
from engine.imagery.sensors.products import ProductName, read_name
from engine.imagery.sources.product_files import BandFile, FileGroup


@dataclass(frozen=True)
class _Opened:
    """What is read of a band file before its band is known."""

    file: BandFile
    metric: MetricGrid
    dtype: str
    tags: dict[str, str]


def group_scene(group: FileGroup, overrides: Overrides = NO_OVERRIDES) -> Scene:
    """The scene of a product with a file a band, on the grid of its finest band.

    Raises:
        SceneError: a file that cannot be read or placed, files in several CRSs, or bands that nothing tells.
    """
    opened = _finest([_open(member) for member in group.files if not member.band.is_quality])
    first = opened[0]
    product = read_name(group.name, group.base, *(folder.name for folder in first.file.path.parents[:5]))
    texts = [one.file.band.text for one in opened]
    tagged = first.tags.get("emberscope_sensor")
    named = identify(group.name, texts, first.dtype, product, overrides.sensor, overrides.bands, tagged)
    metadata = metadata_beside(first.file.path, group.base) or ProductMetadata()
    when, note = acquired(first.tags, product, overrides.datetime)
    when = when if overrides.datetime or metadata.datetime is None else metadata.datetime
    assets, told = _assets(opened, named, product, when, overrides, metadata)
    assets, radar = with_radar_unit(assets, named.open_radar)
    main = main_sensor(named, assets)
    grids = {band: opened[number - 1].metric for band, (number, _) in named.bands.items()}
    finest = min(grids.values(), key=lambda metric: float(metric.grid.resolution.x))
    assumed = [f"{group.name}: {item}." for item in (note, metadata.note, *told, radar) if item]
    notes = [*named.notes, *assumed, finest.note, _resampled(group, assets, grids, finest), _quality(group)]
    return Scene(
        id=scene_id(group.name),
        title=group.name.replace("_", " "),
        sensor=main,
        assets=in_order(assets, main),
        datetime=when,
        grid=finest.grid,
        level=level_of(group.name, main, overrides),
        source=first.tags.get("emberscope_source", ""),
        licence=first.tags.get("emberscope_licence", ""),
        cloud_pct=cloud_pct_of(first.tags) if metadata.cloud_pct is None else metadata.cloud_pct,
        notes=tuple(dict.fromkeys(item for item in notes if item)),
    )


def _assets(
    opened: Sequence[_Opened], named: Named, product: ProductName, when: datetime | None, overrides: Overrides,
    metadata: ProductMetadata,
) -> tuple[dict[str, Asset], list[str]]:  # fmt: skip
    """Where each band is, and what was assumed of its values."""
    assets: dict[str, Asset] = {}
    told: list[str] = []
    for band, (number, own) in named.bands.items():
        path = opened[number - 1].file.path
        stated = metadata.scaling.get(own.band(band).code, Stated())
        with open_raster(path) as dataset:
            made, note = assets_of(
                dataset,
                path,
                replace(named, bands={band: (1, own)}),
                product,
                when,
                overrides,
                {band: stated},
            )
        assets |= made
        told.append(note)
    return assets, list(dict.fromkeys(told))


def _finest(opened: Sequence[_Opened]) -> list[_Opened]:
    """Of a band that is there at several resolutions, the finest file; in the order of the names."""
    best: dict[tuple[str, str], _Opened] = {}
    for one in opened:
        key = (one.file.band.word, one.file.band.code)
        if key not in best or one.metric.grid.resolution.x < best[key].metric.grid.resolution.x:
            best[key] = one
    return list(best.values())


def _open(member: BandFile) -> _Opened:
    with open_raster(member.path) as dataset:
        tags = {key.lower(): value for key, value in dataset.tags().items()}
        return _Opened(member, metric_grid(dataset, member.path.name), dataset.dtypes[0], tags)


def _resampled(
    group: FileGroup, assets: Mapping[str, Asset], grids: dict[str, MetricGrid], finest: MetricGrid
) -> str:
    """What is told of bands that lie on other pixels than the scene's.

    Raises:
        SceneError: the files lie in several CRSs.
    """
    zones = sorted({str(metric.grid.crs) for metric in grids.values()})
    if len(zones) > 1:
        raise SceneError(
            f"The bands of {group.name} lie in several CRSs ({', '.join(zones)}). Warp them to one, e.g. with gdalwarp -t_srs."
        )
    coarse: dict[tuple[bool, float], list[str]] = {}
    for band, metric in grids.items():
        if metric.grid != finest.grid:
            key = (assets[band].sensor.is_resampled_by_nearest, round(float(metric.grid.resolution.x), 3))
            coarse.setdefault(key, []).append(band)
    if not coarse:
        return ""
    listed = "; ".join(
        f"{', '.join(bands)} from {size:g} m ({'nearest neighbour' if is_nearest else 'bilinear'})"
        for (is_nearest, size), bands in sorted(coarse.items())
    )
    return f"{group.name}: resampled to its finest band's pixels of {finest.grid.resolution.x:g} m: {listed}."


def _quality(group: FileGroup) -> str:
    """What is told of masks, angles and quality layers beside the bands."""
    names = sorted({member.band.text for member in group.files if member.band.is_quality})
    return (
        f"{group.name}: masks, angles and quality layers are not read: {', '.join(names)}." if names else ""
    )
