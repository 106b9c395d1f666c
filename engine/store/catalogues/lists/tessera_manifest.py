"""TESSERA's lists of tiles of 0.1 degree: geotessera's manifest or registry (Parquet), or its older text with a sha256 a line.

A tile is three files: 8-bit numbers, their scales, and a land mask that says where they lie. Where they are:

| list | numbers and scales | land masks |
|---|---|---|
| FOLDER/npy/VERSION/manifest.parquet (geotessera 0.11) | FOLDER/npy/VERSION/YEAR/NAME/NAME.npy | FOLDER/landmasks/VERSION/NAME.tiff |
| FOLDER/registry.parquet, registry.txt (geotessera 0.7 and before) | FOLDER/global_0.1_degree_representation/YEAR/NAME/NAME.npy | FOLDER/global_0.1_degree_tiff_all/NAME.tiff |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urljoin, urlsplit

import pyarrow.parquet as pq
import shapely

from engine.errors import RemoteError
from engine.imagery.region import Region
from engine.imagery.remote.fetching import RemoteRaster, cached, read_ranges, refreshed
from engine.store.catalogues.lists.listed import (
    ENDINGS,
    Listed,
    ListedFile,
    ListedItem,
    listed_file,
    not_asked,
)
from engine.store.catalogues.lists.remote_tables import groups_where, opened_parquet, require_columns
from engine.store.catalogues.table import EmbeddingCatalogue

_HALF_DEG = 0.05
_HASHES = ("hash", "scales_hash")
_LINE = re.compile(
    r"(?P<path>\S*grid_(?P<lon>-?\d+\.\d+)_(?P<lat>-?\d+\.\d+)\S*)(?:\s+(?:sha256:)?(?P<hash>\S+))?"
)
_YEAR = re.compile(r"(?:^|/)(20\d\d)/")
_FOLDER = "global_0.1_degree_representation/"
_NAME = "grid_{lon:.2f}_{lat:.2f}"


@dataclass(frozen=True)
class _Folders:
    """Addresses, each ending in a slash."""

    embeddings: str
    masks: str


@dataclass(frozen=True)
class _Tile:
    lon: float
    lat: float
    year: int
    hashes: Mapping[str, str]

    @property
    def name(self) -> str:
        return _NAME.format(lon=self.lon, lat=self.lat)

    @property
    def footprint(self) -> shapely.Polygon:
        half = _HALF_DEG
        return shapely.box(self.lon - half, self.lat - half, self.lon + half, self.lat + half)


def tessera_listed(catalogue: EmbeddingCatalogue, region: Region) -> Listed:
    """The tiles over a region.

    Raises:
        RemoteError: the list cannot be had, or is none.
    """
    raster = RemoteRaster(catalogue.address, "open", f"The list of tiles of {catalogue.title}")
    is_text = urlsplit(catalogue.address).path.endswith(".txt")
    raster = replace(raster, is_whole=is_text)
    held, why = refreshed(raster)
    folders = _folders(catalogue.address)
    if is_text:
        text = read_ranges(raster, held, [(0, held.size)])[0].decode("utf-8", "replace")
        items = tuple(_of_text(text, folders, region, raster))
    else:
        items = tuple(_of_parquet(raster, folders, region))
    return Listed(items, catalogue.product, catalogue.dim, not_asked(catalogue.title, why))


def _folders(address: str) -> _Folders:
    name = PurePosixPath(urlsplit(address).path)
    if name.stem.startswith("manifest"):
        version = name.parent.name.partition("-")[0]
        return _Folders(urljoin(address, "."), urljoin(address, f"../../landmasks/{version}/"))
    return _Folders(urljoin(address, _FOLDER), urljoin(address, "global_0.1_degree_tiff_all/"))


def _of_parquet(raster: RemoteRaster, folders: _Folders, region: Region) -> Iterator[ListedItem]:
    found: dict[tuple[int, str], _Tile] = {}
    with opened_parquet(raster) as file:
        names = file.schema_arrow.names
        if "path" in names and not {"lon", "lat", "year"} <= set(names):
            table = file.read(columns=[name for name in ("path", "hash") if name in names], use_threads=False)
            hashes = table["hash"].to_pylist() if "hash" in names else [""] * len(table)
            lines = "\n".join(
                f"{path} {own or ''}" for path, own in zip(table["path"].to_pylist(), hashes, strict=True)
            )
            yield from _of_text(lines, folders, region, raster)
            return
        require_columns(names, ("lon", "lat", "year"), raster)
        for row in _near(file, region):
            if row["year"] is None:
                continue
            tile = _Tile(
                float(row["lon"]), float(row["lat"]), int(row["year"]),
                {key: str(row[key]) for key in _HASHES if row.get(key)},
            )  # fmt: skip
            if tile.footprint.intersects(region.polygon):
                found.setdefault((tile.year, tile.name), tile)
    masks = _mask_hashes(folders, region) if any(tile.hashes for tile in found.values()) else {}
    for tile in found.values():
        yield _item(tile, folders, masks.get(tile.name, ""))


def _near(file: pq.ParquetFile, region: Region) -> Iterator[dict[str, Any]]:
    """Rows whose middle is near the rectangle around a region."""
    west, south, east, north = (
        edge + side * _HALF_DEG for edge, side in zip(region.polygon.bounds, (-1, -1, 1, 1), strict=True)
    )
    conditions = {
        "lon": lambda low, high: low <= east and high >= west,
        "lat": lambda low, high: low <= north and high >= south,
    }
    columns = [name for name in ("lon", "lat", "year", *_HASHES) if name in file.schema_arrow.names]
    for group in groups_where(file, conditions):
        places = file.read_row_group(group, columns=["lon", "lat"], use_threads=False)
        lon, lat = (places[name].to_numpy() for name in ("lon", "lat"))
        here = ((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)).nonzero()[0]
        if len(here):
            yield from file.read_row_group(group, columns=columns, use_threads=False).take(here).to_pylist()


def _mask_hashes(folders: _Folders, region: Region) -> dict[str, str]:
    """sha256 of land masks by the tile's name, where the catalogue lists them."""
    for below in (folders.masks, urljoin(folders.masks, "..")):
        raster = RemoteRaster(urljoin(below, "landmasks.parquet"), "open", "The list of land masks")
        try:
            cached(raster)
        except RemoteError:
            continue
        with opened_parquet(raster) as file:
            names = file.schema_arrow.names
            if {"lon", "lat", "hash"} <= set(names):
                return {
                    _NAME.format(lon=row["lon"], lat=row["lat"]): str(row["hash"])
                    for row in _near(file, region)
                }
    return {}


def _item(tile: _Tile, folders: _Folders, mask_hash: str) -> ListedItem:
    below = f"{folders.embeddings}{tile.year}/{tile.name}/{tile.name}"
    return _npy_item(
        tile,
        listed_file(f"{below}.npy", f"{tile.name} of {tile.year}", tile.hashes.get("hash", "")),
        listed_file(f"{below}_scales.npy", f"The scales of {tile.name} of {tile.year}", tile.hashes.get("scales_hash", "")),
        listed_file(f"{folders.masks}{tile.name}.tiff", f"The land mask of {tile.name}", mask_hash),
    )  # fmt: skip


def _npy_item(tile: _Tile, values: ListedFile, scales: ListedFile, mask: ListedFile) -> ListedItem:
    return ListedItem(f"{tile.name}_{tile.year}", "npy", (values, scales, mask), tile.year, tile.footprint)


def _of_text(text: str, folders: _Folders, region: Region, raster: RemoteRaster) -> Iterator[ListedItem]:
    """The tiles of lines such as 2024/NAME/NAME.npy SHA256; a land mask's line has no year."""
    lines = [found for found in (_LINE.fullmatch(line.strip()) for line in text.splitlines()) if found]
    if not lines:
        raise RemoteError(
            f"{raster.what} names no tile such as 2024/grid_0.15_52.25/grid_0.15_52.25.npy. Check the address of the catalogue."
        )
    hashes = {
        found["path"].rpartition("/")[2] if not _YEAR.search(found["path"]) else found["path"]: found["hash"]
        for found in lines
    }
    for found in lines:
        year, path = _YEAR.search(found["path"]), found["path"]
        tile = _Tile(float(found["lon"]), float(found["lat"]), int(year[1]) if year else 0, {})
        form = ENDINGS.get(PurePosixPath(path).suffix.lower())
        if year is None or "_scales" in path or form is None or not tile.footprint.intersects(region.polygon):
            continue
        what = f"{tile.name} of {tile.year}"
        values = listed_file(_below(folders, path, raster), what, found["hash"] or "")
        if form == "cog":
            yield ListedItem(f"{tile.name}_{tile.year}", "cog", (values,), tile.year, tile.footprint)
            continue
        scales, mask = path.removesuffix(".npy") + "_scales.npy", f"{tile.name}.tiff"
        yield _npy_item(
            tile, values, listed_file(_below(folders, scales, raster), f"The scales of {what}", hashes.get(scales, "")),
            listed_file(urljoin(folders.masks, mask), f"The land mask of {tile.name}", hashes.get(mask, "")),
        )  # fmt: skip


def _below(folders: _Folders, path: str, raster: RemoteRaster) -> str:
    """The address of a path: below the folder of the embeddings, or of the list where it begins with that folder."""
    return urljoin(raster.address if path.startswith(_FOLDER) else folders.embeddings, path)
