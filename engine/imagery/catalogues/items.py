"""Reading items as scenes: which file holds which band, how its numbers become reflectance, where it lies, and its mask.

What an item says of scale, offset, gaps, size and CRS is compared with the headers of its files, which are fetched side by side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from odc.geo.geobox import GeoBox
from rasterio.io import DatasetReader
from shapely.geometry.base import BaseGeometry

from engine.errors import SceneError
from engine.files import slug
from engine.imagery.catalogues.item_files import address_of
from engine.imagery.catalogues.manifest import AssetRecord, GridRecord, MaskRecord, SceneRecord
from engine.imagery.catalogues.presets import Catalogue, Collection
from engine.imagery.catalogues.search import Item
from engine.imagery.catalogues.stated import declared_of, stated_of
from engine.imagery.geobox import applied, area_in_crs, crs_text
from engine.imagery.projection import earth_crs, metric_grid
from engine.imagery.raster.rasters import open_raster
from engine.imagery.raster.scaling import NOTHING, scaling_of
from engine.imagery.remote.fetching import CONNECTIONS, RemoteRaster
from engine.imagery.remote.remote_file import ENDING, write_remote
from engine.imagery.scene import in_order, scene_id
from engine.imagery.sensors.products import read_name
from engine.imagery.sensors.sensor import Sensor
from engine.imagery.sensors.table import SENSORS

_TM = ("landsat-4", "landsat-5", "landsat-7")


@dataclass(frozen=True)
class _Header:
    """What is read of a file before its pixels."""

    record: AssetRecord
    grid: GeoBox
    resampled: str
    note: str


def sensor_of(item: Item, collection: Collection) -> Sensor:
    """The sensor of an item: Landsat 4 to 7 have bands of their own."""
    platform = (
        str(item.said["properties"].get("platform", "")).lower().replace("_", "-")
    )  # the USGS: LANDSAT_7
    is_tm = collection.sensor == "landsat_c2l2" and platform in _TM
    return SENSORS["landsat_tm_c2l2" if is_tm else collection.sensor]


def read_items(
    items: Sequence[Item], catalogue: Catalogue, collection: Collection, region: BaseGeometry, folder: Path, offset: float | None,
) -> list[SceneRecord]:  # fmt: skip
    """The scenes of some items; a small file for each of their rasters is written into a folder.

    Args:
        region: in lon/lat; scenes end with the pixels that it touches.
        offset: of reflectance, in place of what is stated.

    Raises:
        RemoteError: a file cannot be had; the message says its date and address.
        SceneError: an item without bands, or a file that is not as its item says.
    """
    with ThreadPoolExecutor(CONNECTIONS, "header") as pool:
        started = [
            (item, {
                name: pool.submit(_header, item, name, collection, folder, offset)
                for name in _wanted(item, collection)
            }) for item in items
        ]  # fmt: skip
        read = [(item, {name: one.result() for name, one in headers.items()}) for item, headers in started]
    return [_scene(item, headers, catalogue, collection, region) for item, headers in read]


def _wanted(item: Item, collection: Collection) -> list[str]:
    """The assets that are read: bands of the sensor, and the mask.

    Raises:
        SceneError: the item has no band.
    """
    own = sensor_of(item, collection).bands
    assets = item.said["assets"]
    bands = [name for name, band in collection.bands.items() if name in assets and band in own]
    if not bands:
        raise SceneError(
            f"The item {item.id} of {item.day} has none of the files that {collection.title} has ({', '.join(collection.bands)}); "
            f"it has {', '.join(list(assets)[:8])}. Choose another collection or item."
        )
    return [*bands, *([collection.mask[0]] if collection.mask and collection.mask[0] in assets else [])]


def _header(item: Item, name: str, collection: Collection, folder: Path, offset: float | None) -> _Header:
    said = item.said["assets"][name]
    sensor, is_mask = sensor_of(item, collection), name not in collection.bands
    path = _named(item, name, said, collection, folder)
    what = f"{name} of {item.id} of {item.day}"
    with open_raster(path) as dataset:
        _require_as_promised(dataset, what, item.said["properties"], said)
        metric = metric_grid(dataset, what)
        crs = crs_text(earth_crs(dataset, what))
        if is_mask:
            record = AssetRecord(file=path.name, index=1, crs=crs, sensor="land_cover")
            return _Header(record, metric.grid, metric.note, "")
        stated = stated_of(said)
        declared, note = declared_of(stated, sensor, item.said["properties"], item.datetime, offset)
        product = replace(read_name(item.id), sensor=sensor.name, is_harmonised=False)
        found = scaling_of(
            dataset, 1, sensor, product, item.datetime, declared, replace(NOTHING, nodata=stated.nodata)
        )
    record = AssetRecord(
        file=path.name,
        index=1,
        crs=crs,
        sensor=sensor.name,
        scale=found.scale,
        offset=found.offset,
        nodata=found.nodata,
    )
    return _Header(record, metric.grid, metric.note, note)


def _named(item: Item, name: str, said: Mapping[str, Any], collection: Collection, folder: Path) -> Path:
    """The small file that names a raster, named as the item and the asset are."""
    address = address_of(item.said, said)
    is_jp2 = urlsplit(address).path.lower().endswith(".jp2") or "jp2" in str(said.get("type", ""))
    raster = RemoteRaster(address, collection.access, f"{name} of {item.id} of {item.day}", is_whole=is_jp2)
    path = folder / f"{scene_id(item.id)}_{slug(name, keep='_')}{'.jp2' if is_jp2 else '.tif'}{ENDING}"
    write_remote(path, raster, item.datetime.timestamp())
    return path


def _require_as_promised(
    dataset: DatasetReader, what: str, properties: Mapping[str, Any], asset: Mapping[str, Any]
) -> None:
    """Refuse a file of another size or CRS than its item says: one of the two is of something else.

    Raises:
        SceneError: it is.
    """
    shape = asset.get("proj:shape")
    if isinstance(shape, list) and len(shape) == 2 and tuple(shape) != (dataset.height, dataset.width):
        raise SceneError(
            f"{what} has {dataset.height} x {dataset.width} pixels, and its catalogue promises {shape[0]} x {shape[1]}. "
            f"Choose another scene, and tell the catalogue."
        )
    code = _epsg(asset) or _epsg(properties)
    found = dataset.crs.to_epsg() if dataset.crs else None
    if code is not None and found is not None and code != found:
        raise SceneError(
            f"{what} is in EPSG:{found}, and its catalogue promises EPSG:{code}. Choose another scene, and tell the catalogue."
        )


def _epsg(said: Mapping[str, Any]) -> int | None:
    """The EPSG code that the projection extension states, in version 1 or 2."""
    code = said.get("proj:epsg") or str(said.get("proj:code") or "").removeprefix("EPSG:")
    return int(code) if str(code).isdigit() else None


def _scene(
    item: Item,
    headers: Mapping[str, _Header],
    catalogue: Catalogue,
    collection: Collection,
    region: BaseGeometry,
) -> SceneRecord:
    sensor = sensor_of(item, collection)
    bands = {collection.bands[name]: one for name, one in headers.items() if name in collection.bands}
    crs = {str(one.grid.crs) for one in bands.values()}
    if len(crs) > 1:
        raise SceneError(
            f"The bands of {item.id} lie in several CRSs ({', '.join(sorted(crs))}). Choose another scene."
        )
    finest = min(bands.values(), key=lambda one: float(one.grid.resolution.x)).grid
    notes = dict.fromkeys(f"{item.id}: {one.note}." for one in bands.values() if one.note)
    notes |= dict.fromkeys(one.resampled for one in bands.values() if one.resampled)
    mask = collection.mask if collection.mask and collection.mask[0] in headers else None
    ordered = in_order({band: one.record for band, one in bands.items()}, sensor)
    return SceneRecord(
        id=scene_id(item.id),
        title=f"{collection.title}, {item.day}, {item.place}"
        if "," not in item.place
        else f"{collection.title}, {item.day}",
        sensor=sensor.name,
        datetime=item.datetime if collection.has_dates else None,
        day=item.day,
        grid=GridRecord.of(_within(finest, region)),
        assets=ordered,
        mask=MaskRecord(asset=headers[mask[0]].record, kind=mask[1]) if mask else None,
        cloud_pct=item.cloud_pct,
        source=f"{catalogue.title}, {collection.id}, {item.id}",
        licence=catalogue.licence,
        notes=tuple(notes),
    )


def _within(grid: GeoBox, region: BaseGeometry) -> GeoBox:
    """The pixels of a grid that the rectangle around a region touches."""
    area = area_in_crs(region, str(grid.crs))
    west, south, east, north = area.bounds
    columns, rows = applied(~grid.transform, np.array([west, east]), np.array([north, south]))
    left, right = max(0, int(np.floor(columns[0]))), min(grid.width, int(np.ceil(columns[1])))
    top, bottom = max(0, int(np.floor(rows[0]))), min(grid.height, int(np.ceil(rows[1])))
    if right <= left or bottom <= top:
        raise SceneError(
            "The region and an item share no pixel, though its footprint says so. Draw the region larger."
        )
    return grid[top:bottom, left:right]
