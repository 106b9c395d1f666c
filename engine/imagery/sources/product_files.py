"""Which files of a folder belong together: products with a file a band, and rasters that are scenes by themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import SceneError
from engine.imagery.raster.rasters import open_raster
from engine.imagery.sensors.names import BandName
from engine.imagery.sensors.products import band_part, read_name
from engine.imagery.sources.source import LABEL_ENDINGS

RASTER_ENDINGS = (".tif", ".tiff", ".jp2")
_RESOLUTION_FOLDER = re.compile(r"R\d{2,3}m")
_METADATA = re.compile(r"MTD_MSIL[12][AC]\.xml|.*_MTL\.txt", re.I)
# Rasters that products carry beside their bands: Planet's usable data masks; ASF's maps of layover, incidence and area, and
# its picture ("RTC product guide", files of a product).
_BESIDE = re.compile(r".*_udm2?(?:_clip)?|.*_rtc\d{2}_.*_(?:ls_map|inc_map|area|rgb)", re.I)
_PACKED = (".zip", ".tar", ".gz", ".tgz", ".7z")


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
        name: of the product.
    """

    base: str
    name: str
    files: tuple[BandFile, ...]


def product_place(path: Path) -> Path:
    """The folder of a product whose metadata file is named, as other programs open it; any other path as it is.

    Raises:
        SceneError: an archive, which is not read.
    """
    if _METADATA.fullmatch(path.name) and path.is_file():
        return path.parent
    if path.suffix.lower() in _PACKED and path.is_file():
        raise SceneError(f"{path.name} is packed. Unpack it and name the folder that comes out.")
    return path


def is_metadata(name: str) -> bool:
    """Whether a file's name is that of a product's metadata (MTD_MSIL2A.xml, *_MTL.txt)."""
    return bool(_METADATA.fullmatch(name))


def rasters_in(folder: Path) -> list[Path]:
    """The rasters of a folder, and of the product folders in it; label masks are none.

    Raises:
        SceneError: there are none.
    """
    inside = (
        [] if (folder / "GRANULE").is_dir() else sorted(one for one in folder.iterdir() if is_product(one))
    )
    found = [file for one in (folder, *inside) for file in _rasters_of(one)]
    if not found:
        raise SceneError(
            f"{folder} holds no .tif, .tiff or .jp2, and no folder of a product (SAFE, HLS, Landsat). Check the path."
        )
    return found


def grouped(files: Sequence[Path]) -> tuple[list[Path], list[FileGroup]]:
    """Rasters that are scenes by themselves, and the groups of those that hold a band each.

    A file holds a band of a product when its name ends in the band's code or name and it has one band; quality
    layers belong to the product whose name theirs begins with.
    """
    alone: list[Path] = []
    groups: dict[tuple[Path, str], list[BandFile]] = {}
    for file in files:
        if _BESIDE.fullmatch(file.stem):
            continue
        part = band_part(file.stem)
        if part is None or not (part[1].is_quality or _has_one_band(file)):
            alone.append(file)
            continue
        folder = file.parent.parent if _RESOLUTION_FOLDER.fullmatch(file.parent.name) else file.parent
        groups.setdefault((folder, part[0]), []).append(BandFile(file, part[1]))
    products = []
    for (folder, base), members in groups.items():
        if any(not member.band.is_quality for member in members):
            products.append(FileGroup(base, _name_of(folder, base), tuple(members)))
    return alone, products


def _name_of(folder: Path, base: str) -> str:
    """The name of a product: Sentinel-2's files name the tile and the time only, its folder also level and baseline."""
    safe = next((one.stem for one in folder.parents if one.suffix == ".SAFE"), "")
    tile = base.split("_", maxsplit=1)[0]
    return safe if safe and tile in safe else base or folder.name


def is_product(folder: Path) -> bool:
    """Whether a folder is named after a product, whose files it holds."""
    return folder.is_dir() and ((folder / "GRANULE").is_dir() or read_name(folder.name).sensor is not None)


def _rasters_of(folder: Path) -> list[Path]:
    """The rasters in a folder, and in those that Sentinel-2 keeps its bands in, from wherever in a SAFE folder one looks."""
    inside = [one for one in sorted(folder.glob("R*m")) if _RESOLUTION_FOLDER.fullmatch(one.name)]
    deeper = [*folder.glob("GRANULE/*/IMG_DATA"), *folder.glob("IMG_DATA"), *inside]
    return [file for one in deeper for file in _rasters_of(one)] + sorted(
        file for file in folder.iterdir()
        if file.suffix.lower() in RASTER_ENDINGS and not file.name.lower().endswith(LABEL_ENDINGS)
    )  # fmt: skip


def _has_one_band(path: Path) -> bool:
    with open_raster(path) as dataset:
        return bool(dataset.count == 1)
