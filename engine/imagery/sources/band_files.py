"""Products with a file a band: Sentinel-2 SAFE folders, HLS, Landsat Collection 2, and any folder named like them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from engine.errors import SceneError
from engine.imagery.product_metadata import ProductMetadata, metadata_beside
from engine.imagery.projection import MetricGrid, metric_grid
from engine.imagery.raster_facts import NOTHING, Said, acquired, assets_of
from engine.imagery.rasters import open_raster
from engine.imagery.scaling import Stated
from engine.imagery.scene import Asset, Scene, in_order, scene_id
from engine.imagery.sensors.identify import Named, identify
from engine.imagery.sensors.names import BandName
from engine.imagery.sensors.products import ProductName, band_part, read_name

RASTER_ENDINGS = (".tif", ".tiff", ".jp2")
_RESOLUTION_FOLDER = re.compile(r"R\d{2,3}m")
_SAFE_BANDS = "GRANULE/*/IMG_DATA/**/*.jp2"


@dataclass(frozen=True)
class BandFile:
    """A file of one band."""

    path: Path
    band: BandName


@dataclass(frozen=True)
class FileGroup:
    """The files of one product.

    Attributes:
        base: their name without the band.
    """

    base: str
    files: tuple[BandFile, ...]


@dataclass(frozen=True)
class _Opened:
    """What is read of a band file before its band is known."""

    file: BandFile
    metric: MetricGrid
    dtype: str
    tags: dict[str, str]


def rasters_in(folder: Path) -> list[Path]:
    """The rasters of a folder, those of a SAFE folder's bands included; label masks are none.

    Raises:
        SceneError: there are none.
    """
    safe = (
        [folder]
        if (folder / "GRANULE").is_dir()
        else sorted(one for one in folder.glob("*.SAFE") if one.is_dir())
    )
    found = [file for one in safe for file in sorted(one.glob(_SAFE_BANDS))]
    if not (folder / "GRANULE").is_dir():
        found += sorted(
            file for file in folder.iterdir()
            if file.suffix.lower() in RASTER_ENDINGS and not file.name.lower().endswith(".mask.tif")
        )  # fmt: skip
    if not found:
        raise SceneError(
            f"{folder} holds no .tif, .tiff or .jp2, and is no Sentinel-2 SAFE folder. Check the path."
        )
    return found


def grouped(files: Sequence[Path]) -> tuple[list[Path], list[FileGroup]]:
    """Rasters that are scenes by themselves, and the groups of those that hold a band each.

    A file holds a band of a product when its name ends in the band's code or name and it has one band.
    """
    alone: list[Path] = []
    groups: dict[tuple[Path, str], list[BandFile]] = {}
    for file in files:
        part = band_part(file.stem) or band_part(f".{file.stem}")
        if part is None or not (part[1].is_quality or _has_one_band(file)):
            alone.append(file)
            continue
        folder = file.parent.parent if _RESOLUTION_FOLDER.fullmatch(file.parent.name) else file.parent
        groups.setdefault((folder, part[0]), []).append(BandFile(file, part[1]))
    products = []
    for (folder, base), members in groups.items():
        if any(not member.band.is_quality for member in members):
            products.append(FileGroup(base or folder.name, tuple(members)))
    return alone, products


def group_scene(group: FileGroup, said: Said = NOTHING) -> Scene:
    """The scene of a product with a file a band, on the grid of its finest band.

    Raises:
        SceneError: a file that cannot be read or placed, files in several CRSs, or bands that nothing tells.
    """
    opened = _finest([_open(member) for member in group.files if not member.band.is_quality])
    first = opened[0]
    product = read_name(group.base, *(folder.name for folder in first.file.path.parents[:5]))
    texts = [one.file.band.text for one in opened]
    named = identify(
        group.base, texts, first.dtype, product, said.sensor, said.bands, first.tags.get("emberscope_sensor")
    )
    metadata = metadata_beside(first.file.path, group.base) or ProductMetadata()
    when, note = acquired(first.tags, product, said.datetime)
    when = when if said.datetime or metadata.datetime is None else metadata.datetime
    assets, told = _assets(opened, named, product, when, said, metadata)
    grids = {band: opened[number - 1].metric for band, (number, _) in named.bands.items()}
    finest = min(grids.values(), key=lambda metric: float(metric.grid.resolution.x))
    notes = [*(f"{group.base}: {item}." for item in (note, metadata.note, *told) if item), finest.note]
    return Scene(
        id=scene_id(group.base),
        title=group.base.replace("_", " "),
        sensor=named.sensor,
        assets=in_order(assets, named.sensor),
        datetime=when,
        grid=finest.grid,
        level=named.sensor.level,
        source=first.tags.get("emberscope_source", ""),
        licence=first.tags.get("emberscope_licence", ""),
        cloud_pct=metadata.cloud_pct,
        notes=tuple(
            dict.fromkeys(item for item in (*named.notes, *notes, _resampled(group, grids, finest)) if item)
        ),
    )


def _assets(
    opened: Sequence[_Opened], named: Named, product: ProductName, when: datetime | None, said: Said,
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
                dataset, path, replace(named, bands={band: (1, own)}), product, when, said, {band: stated}
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


def _has_one_band(path: Path) -> bool:
    with open_raster(path) as dataset:
        return bool(dataset.count == 1)


def _resampled(group: FileGroup, grids: dict[str, MetricGrid], finest: MetricGrid) -> str:
    """What is told of bands that lie on other pixels than the scene's.

    Raises:
        SceneError: the files lie in several CRSs.
    """
    zones = sorted({str(metric.grid.crs) for metric in grids.values()})
    if len(zones) > 1:
        raise SceneError(
            f"The bands of {group.base} lie in several CRSs ({', '.join(zones)}). Warp them to one, e.g. with gdalwarp -t_srs."
        )
    coarse: dict[float, list[str]] = {}
    for band, metric in grids.items():
        if metric.grid != finest.grid:
            coarse.setdefault(round(float(metric.grid.resolution.x), 3), []).append(band)
    if not coarse:
        return ""
    listed = "; ".join(f"{', '.join(bands)} from {size:g} m" for size, bands in sorted(coarse.items()))
    return f"{group.base}: resampled (bilinear) to its finest band's pixels of {finest.grid.resolution.x:g} m: {listed}."
