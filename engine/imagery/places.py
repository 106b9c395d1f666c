"""The places that scenes come from: one file, a folder of chips, the simulated fire season."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypedDict

from affine import Affine
from rasterio.io import DatasetReader

from engine.errors import SceneError
from engine.imagery.grid import from_lonlat
from engine.imagery.rasters import open_raster
from engine.imagery.region import utm_crs_at
from engine.imagery.scene import Scene
from engine.imagery.sensor import HLS_BANDS, SENSORS, Sensor, sensor
from engine.nearest import nearest

_SPLIT_FILES = (("train", "train.txt"), ("val", "val.txt"), ("test", "test.txt"))
# Other names of the same bands, as HLS, Sentinel-2 and Landsat products and TerraTorch write them.
_BAND_ALIASES = {
    "nir": "nir_narrow", "nir08": "nir_narrow", "swir1": "swir_1", "swir2": "swir_2", "swir16": "swir_1",
    "swir22": "swir_2", "coastal": "coastal_aerosol", "rededge1": "red_edge_1", "rededge2": "red_edge_2",
    "rededge3": "red_edge_3", "b01": "coastal_aerosol", "b02": "blue", "b03": "green", "b04": "red",
    "b05": "red_edge_1", "b06": "red_edge_2", "b07": "red_edge_3", "b08": "nir_broad", "b8a": "nir_narrow",
    "b09": "water_vapor", "b10": "cirrus", "b11": "swir_1", "b12": "swir_2",
}  # fmt: skip


@dataclass(frozen=True)
class Declared:
    """What a configuration says of rasters that say too little themselves.

    Attributes:
        bands: common names in the order of a raster's bands, None for one not to be read; None: as the raster says.
        scale: reflectance of a stored 1 where a raster states none; None: 1 for floats, else the sensor's.
    """

    bands: tuple[str | None, ...] | None = None
    scale: float | None = None


def file_scene(path: Path, sensor_name: str | None = None) -> Scene:
    """The scene in one raster: its band descriptions name the bands, its tags the sensor and the date.

    A raster in degrees is read through the UTM zone of its centre, at a ground sampling distance to match.

    Raises:
        SceneError: no CRS, no bands that are known, an unknown sensor, or a file that cannot be read.
    """
    with open_raster(path) as dataset:
        tags = dataset.tags()
        known = sensor(sensor_name or tags.get("EMBERSCOPE_SENSOR") or "hls")
        crs, transform, height, width = _metric_grid(dataset, path)
        return Scene(
            id=_slug(path.stem),
            title=tags.get("EMBERSCOPE_TITLE") or path.stem.replace("_", " "),
            sensor=known,
            path=path,
            bands=_bands(dataset, known, path),
            datetime=_moment(tags.get("EMBERSCOPE_DATETIME", "")),
            crs=crs,
            transform=transform,
            height=height,
            width=width,
            source=tags.get("EMBERSCOPE_SOURCE", ""),
            licence=tags.get("EMBERSCOPE_LICENCE", ""),
            is_simulated=tags.get("EMBERSCOPE_SIMULATED") == "yes",
            **_scaling(dataset, known),
        )


def chip_scenes(folder: Path, date: str = "post", declared: Declared = Declared()) -> tuple[Scene, ...]:
    """The chips of a folder in the layout of HLS Burn Scars, in the order of their names.

    Args:
        folder: holds data/<stem>_merged.tif, data/<stem>.mask.tif and splits/{train,val,test}.txt;
            the simulated season also pre/<stem>_merged.tif.
        date: "post" (data/) or "pre" (pre/).

    Raises:
        SceneError: no chips, or a chip that cannot be read.
    """
    images = sorted((folder / ("data" if date == "post" else "pre")).glob("*_merged.tif"))
    if not images:
        raise SceneError(
            f"chips were wanted as {folder}/{'data' if date == 'post' else 'pre'}/*_merged.tif, found none. "
            f"Point at the folder that holds data/ and splits/."
        )
    splits, known = _splits(folder / "splits"), _sensor_with(declared.bands)
    stems = [image.name.removesuffix("_merged.tif") for image in images]
    return tuple(
        _chip_scene(image, stem, folder / "data" / f"{stem}.mask.tif", splits.get(stem), known, declared)
        for image, stem in zip(images, stems, strict=True)
    )


def folder_scenes(folder: Path, pattern: str, declared: Declared = Declared()) -> tuple[Scene, ...]:
    """The rasters of a folder whose names fit a pattern, each a chip of its own, in the order of their names.

    A label mask counts where it lies beside its chip: `x_merged.tif` or `x.tif`, and `x.mask.tif`.

    Args:
        pattern: as a shell's, inside the folder; `**/` reaches into folders below.

    Raises:
        SceneError: no chips, two of one name, bands that no sensor has, or a chip that cannot be read.
    """
    images = sorted(path for path in folder.glob(pattern) if path.is_file())
    if not images:
        raise SceneError(
            f"chips were wanted as {folder}/{pattern}, found none. Mend scene.path or scene.images."
        )
    known = _sensor_with(declared.bands)
    scenes: dict[str, Scene] = {}
    for image in images:
        name = image.relative_to(folder).with_suffix("").as_posix()
        mask = image.with_name(f"{image.stem.removesuffix('_merged')}.mask.tif")
        scene = _chip_scene(image, name, mask, None, known, declared)
        if scene.id in scenes:
            raise SceneError(
                f"chips of different names were wanted, found {scenes[scene.id].path.name} and {image.name}, which "
                f"would be one. Rename one of them, or narrow scene.images."
            )
        scenes[scene.id] = scene
    return tuple(scenes.values())


def common_name(text: str) -> str:
    """The common name of a band as products and other programs write it; an unknown one in lower case."""
    name = re.sub(r"[\s-]+", "_", text.strip().lower())
    return _BAND_ALIASES.get(name, name)


def _sensor_with(bands: Sequence[str | None] | None) -> Sensor:
    """The sensor that has all of these bands: HLS where they allow it."""
    named = [band for band in bands or () if band is not None]
    for name in ("hls", "sentinel2_l2a"):
        if all(band in SENSORS[name].bands for band in named):
            return SENSORS[name]
    strange = [band for band in named if band not in SENSORS["sentinel2_l2a"].bands]
    raise SceneError(
        f"bands of HLS or Sentinel-2 were wanted, found {', '.join(strange)}"
        f"{nearest(strange[0], SENSORS['sentinel2_l2a'].bands)}. Mend scene.bands."
    )


def _chip_scene(
    image: Path, stem: str, mask: Path, split: str | None, known: Sensor, declared: Declared
) -> Scene:
    with open_raster(image) as dataset:
        tags = dataset.tags()
        crs, transform, height, width = _metric_grid(dataset, image)
        return Scene(
            id=_slug(stem),
            title=stem,
            sensor=known,
            path=image,
            bands=_bands(dataset, known, image)
            if declared.bands is None
            else _named(dataset, declared.bands, image),
            datetime=_moment(tags.get("EMBERSCOPE_DATETIME", "")) or _moment_of_stem(stem),
            crs=crs,
            transform=transform,
            height=height,
            width=width,
            source=tags.get("EMBERSCOPE_SOURCE", "HLS Burn Scars layout"),
            licence=tags.get("EMBERSCOPE_LICENCE", ""),
            is_simulated=tags.get("EMBERSCOPE_SIMULATED") == "yes",
            mask_path=mask if mask.is_file() else None,
            split=split,
            is_chip=True,
            **_scaling(dataset, known, declared.scale),
        )


def _splits(folder: Path) -> dict[str, str]:
    """Stem -> split.

    Raises:
        SceneError: a stem stands in two splits.
    """
    found: dict[str, str] = {}
    for name, file in _SPLIT_FILES:
        if (folder / file).is_file():
            for stem in (folder / file).read_text(encoding="utf-8").split():
                if stem in found:
                    raise SceneError(
                        f"each chip was wanted in one split, found {stem} in {found[stem]} and {name}. "
                        f"Mend {folder}: a test split that is also another split measures nothing."
                    )
                found[stem] = name
    return found


def _bands(dataset: DatasetReader, known: Sensor, path: Path) -> dict[str, int]:
    named = {}
    for index, description in enumerate(dataset.descriptions, start=1):
        name = common_name(description or "")
        if name in known.bands:
            named[name] = index
    if named:
        return named
    if dataset.count == len(known.bands):
        return {band: index for index, band in enumerate(known.bands, start=1)}
    if known.name == "hls" and dataset.count == len(HLS_BANDS):
        return {band: index for index, band in enumerate(HLS_BANDS, start=1)}
    raise SceneError(
        f"{known.title} was wanted with {len(known.bands)} bands ({', '.join(known.bands)}) or with named bands, "
        f"found {path.name} with {dataset.count} without names. Set band descriptions in the file, or its sensor."
    )


def _named(dataset: DatasetReader, bands: Sequence[str | None], path: Path) -> dict[str, int]:
    """Common name -> 1-based index, from the names that were given."""
    if dataset.count != len(bands):
        raise SceneError(
            f"{len(bands)} bands were wanted, as scene.bands says, found {path.name} with {dataset.count}. Mend scene.bands."
        )
    return {band: index for index, band in enumerate(bands, start=1) if band is not None}


class _Scaling(TypedDict):
    scale: float
    offset: float
    nodata: float | None


def _scaling(dataset: DatasetReader, known: Sensor, scale: float | None = None) -> _Scaling:
    """Scale, offset and nodata: the file's own where it states them, then the given; floats are reflectance."""
    nodata = dataset.nodata if dataset.nodata is not None else known.nodata
    if dataset.scales[0] != 1.0 or dataset.offsets[0] != 0.0:
        return {"scale": float(dataset.scales[0]), "offset": float(dataset.offsets[0]), "nodata": nodata}
    if dataset.dtypes[0].startswith("float"):
        # HLS Burn Scars keeps float32 reflectance and -9999 as its gap (data set card, "no data value").
        return {
            "scale": scale or 1.0,
            "offset": 0.0,
            "nodata": dataset.nodata if dataset.nodata is not None else -9999.0,
        }
    if scale is not None:
        return {"scale": scale, "offset": 0.0, "nodata": nodata}
    return {"scale": known.scale, "offset": known.offset, "nodata": nodata}


def _metric_grid(dataset: DatasetReader, path: Path) -> tuple[str, Affine, int, int]:
    """CRS, transform, height and width in metres."""
    if dataset.crs is None:
        raise SceneError(
            f"a raster with a CRS was wanted, found {path.name} without one. Assign it, e.g. with gdal_edit."
        )
    crs = _crs_text(dataset)
    if dataset.crs.is_projected:
        return crs, dataset.transform, dataset.height, dataset.width
    west, south, east, north = dataset.bounds
    utm = f"EPSG:{utm_crs_at((west + east) / 2, (south + north) / 2).to_epsg()}"
    gsd_m = round(abs(dataset.transform.e) * 111_320.0, 1)  # metres in a degree of latitude, WGS 84 mean
    left, bottom, right, top = from_lonlat(utm).transform_bounds(west, south, east, north)
    left, top = left // gsd_m * gsd_m, (top // gsd_m + 1) * gsd_m
    transform = Affine(gsd_m, 0, left, 0, -gsd_m, top)
    return utm, transform, int((top - bottom) // gsd_m) + 1, int((right - left) // gsd_m) + 1


def _crs_text(dataset: DatasetReader) -> str:
    code = dataset.crs.to_epsg()
    return f"EPSG:{code}" if code else str(dataset.crs.to_wkt())


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _moment_of_stem(stem: str) -> datetime | None:
    """Year and day of year (1-based) of an HLS stem such as ...T10TGS.2018285.v1.4."""
    found = re.search(r"\.(\d{4})(\d{3})\.", stem)
    if not found or not 1 <= int(found[2]) <= 366:
        return None
    return datetime(int(found[1]), 1, 1, tzinfo=UTC) + timedelta(days=int(found[2]) - 1)


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", text)[:120]
