"""The metadata files that lie beside a product's bands: Sentinel-2's MTD_MSI*.xml and Landsat's *_MTL.txt."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from xml.etree.ElementTree import (  # only the types: what is parsed goes through defusedxml
    Element,
    ParseError,
)

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import parse as parse_xml

from engine.errors import SceneError
from engine.imagery.raster.dates import parse_time
from engine.imagery.raster.scaling import Stated

# band_id -> code: ESA, Sentinel-2 Products Specification Document, Spectral_Information_List.
_MSI_CODES = ("B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B8A", "B9", "B10", "B11", "B12")
_LARGEST_BYTES = 20_000_000


@dataclass(frozen=True)
class ProductMetadata:
    """What a metadata file states.

    Attributes:
        scaling: code such as "B4" -> scale, offset and gap value.
        cloud_pct: 0 to 100.
        note: what is missing in it, in words.
    """

    scaling: Mapping[str, Stated] = field(default_factory=lambda: MappingProxyType({}))
    datetime: datetime | None = None
    cloud_pct: float | None = None
    note: str = ""


def metadata_beside(path: Path, base: str) -> ProductMetadata | None:
    """The metadata file of the product that a band file belongs to, None where there is none.

    Args:
        base: the file's name without its band.

    Raises:
        SceneError: the file is there and cannot be read.
    """
    landsat = next(
        (file for name in (f"{base}_MTL.txt", f"{base}_mtl.txt") if (file := path.with_name(name)).is_file()),
        None,
    )
    if landsat is not None:
        return read_mtl(landsat)
    for folder in path.parents[:5]:
        found = sorted(folder.glob("MTD_MSIL[12][AC].xml"))
        if found:
            return read_mtd(found[0])
        if folder.suffix == ".SAFE":
            break
    return None


def read_mtd(path: Path) -> ProductMetadata:
    """A Sentinel-2 product's MTD_MSIL1C.xml or MTD_MSIL2A.xml.

    Raises:
        SceneError: it is no XML, or states no quantification value.
    """
    root = _xml(path)
    quantification = _number(root, "BOA_QUANTIFICATION_VALUE") or _number(root, "QUANTIFICATION_VALUE")
    if not quantification:
        raise SceneError(
            f"{path} states no quantification value, by which numbers become reflectance. Download the product again."
        )
    offsets = {
        item.get("band_id", ""): float(item.text or 0)
        for item in root.iter() if item.tag in ("BOA_ADD_OFFSET", "RADIO_ADD_OFFSET")
    }  # fmt: skip
    scaling = {
        code: Stated(1 / quantification, offsets.get(str(number), 0.0) / quantification, 0.0)
        for number, code in enumerate(_MSI_CODES)
    }
    when = parse_time(_text(root, "DATATAKE_SENSING_START") or _text(root, "PRODUCT_START_TIME") or "")
    return ProductMetadata(MappingProxyType(scaling), when, _number(root, "Cloud_Coverage_Assessment"))


def read_mtl(path: Path) -> ProductMetadata:
    """A Landsat Collection 2 product's *_MTL.txt: reflectance of level 2, or of level 1 corrected for the sun's elevation.

    Raises:
        SceneError: it states no scale of reflectance.
    """
    groups = _groups(path)
    image = groups.get("IMAGE_ATTRIBUTES", {})
    surface = groups.get("LEVEL2_SURFACE_REFLECTANCE_PARAMETERS", {})
    plain = (
        surface or groups.get("LEVEL1_RADIOMETRIC_RESCALING", {}) or groups.get("RADIOMETRIC_RESCALING", {})
    )
    sine, note = 1.0, ""
    if not surface:
        elevation = _as_number(image.get("SUN_ELEVATION"))
        if elevation is None or elevation <= 0:
            note = f"{path.name} states no elevation of the sun: reflectance is not corrected for it"
        else:
            sine = math.sin(math.radians(elevation))
    scaling = {}
    for key, value in plain.items():
        found = re.fullmatch(r"REFLECTANCE_MULT_BAND_(\d+)", key)
        scale, offset = (
            _as_number(value),
            _as_number(plain.get(f"REFLECTANCE_ADD_BAND_{found[1]}") if found else None),
        )
        if found and scale is not None:
            scaling[f"B{int(found[1])}"] = Stated(scale / sine, (offset or 0.0) / sine, 0.0)
    if not scaling:
        raise SceneError(
            f"{path} states no REFLECTANCE_MULT_BAND_n, by which numbers become reflectance. Download the product again."
        )
    when = parse_time(f"{image.get('DATE_ACQUIRED', '')}T{image.get('SCENE_CENTER_TIME', '00:00:00')}")
    return ProductMetadata(MappingProxyType(scaling), when, _as_number(image.get("CLOUD_COVER")), note)


def _groups(path: Path) -> dict[str, dict[str, str]]:
    """GROUP -> key -> value of an MTL file; a key of a group inside another belongs to the inner one."""
    groups: dict[str, dict[str, str]] = {}
    inside: list[str] = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            continue
        if key == "GROUP":
            inside.append(value)
        elif key == "END_GROUP":
            inside = inside[:-1]
        elif inside:
            groups.setdefault(inside[-1], {})[key] = value.strip('"')
    return groups


def _xml(path: Path) -> Element:
    if path.stat().st_size > _LARGEST_BYTES:
        raise SceneError(
            f"{path} has {path.stat().st_size / 1e6:.0f} MB, too much for a product's metadata. Download the product again."
        )
    try:
        root: Any = parse_xml(path).getroot()
    except (ParseError, DefusedXmlException, OSError, UnicodeError) as err:
        raise SceneError(
            f"{path} cannot be read as XML ({' '.join(str(err).split())[:100]}). Download the product again."
        ) from err
    return root


def _text(root: Element, tag: str) -> str | None:
    return next((item.text for item in root.iter(tag) if item.text), None)


def _number(root: Element, tag: str) -> float | None:
    return _as_number(_text(root, tag))


def _as_number(text: str | None) -> float | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return None
