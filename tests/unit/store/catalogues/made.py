"""Small catalogues of embeddings on loopback, in exactly the forms in which AlphaEarth, TESSERA and STAC collections are listed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import shapely
import yaml
from affine import Affine
from pyproj import Transformer

from engine.imagery.region import Region
from engine.jobs.configuration.config import ExtractConfig, RegionConfig
from engine.store.catalogues.job import catalogue_config
from engine.store.catalogues.offer import Offer, offer_of
from engine.store.catalogues.table import catalogue
from tests.stac.range_server import RangeServer
from tests.unit.store.products.made import ALPHAEARTH_BANDS, NORTH, WEST, in_8_bits, unit_vectors, write_tiff

BELOW = "tge-labs/aef/v1/annual"
# Pixels along AlphaEarth's file of 2024.
SIDE = 256


def settle(home: Path, server: RangeServer, **addresses: tuple[str, str]) -> None:
    """Settings with the server's host, and catalogues: name = (like, path)."""
    tree = {
        "hosts": [server.host],
        "embeddings": {
            name: {"title": f"Test {name}", "like": like, "address": f"{server.address}/{path}"}
            for name, (like, path) in addresses.items()
        },
    }  # fmt: skip
    (home / "catalogues.yaml").write_text(yaml.safe_dump(tree))


def alphaearth_file(
    folder: Path,
    year: int,
    zone: str,
    vectors: np.ndarray,
    west: float = WEST,
    gaps: np.ndarray | None = None,
    block: int = 64,
    north: float = NORTH,
) -> dict[str, Any]:
    """A file of the public copy (int8, south-up, a band after the other), and its row of the index.

    Args:
        zone: number and hemisphere, N or S.
    """
    numbers = in_8_bits(vectors)
    if gaps is not None:
        numbers[gaps] = -128
    height, width = vectors.shape[:2]
    name = f"x{hashlib.sha256(f'{year}{zone}'.encode()).hexdigest()[:8]}-0000000000-0000008192.tiff"
    crs = f"EPSG:32{'7' if zone.endswith('S') else '6'}{int(zone[:-1]):02d}"
    write_tiff(
        folder / BELOW / str(year) / zone / name, numbers, ALPHAEARTH_BANDS, nodata=-128, south_up=True, crs=crs,
        transform=Affine(10, 0, west, 0, 10, north - height * 10), compress="zstd", tiled=True, blockxsize=block, blockysize=block,
        interleave="band",
    )  # fmt: skip
    east, south = west + width * 10, north - height * 10
    bounds = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform_bounds(west, south, east, north)
    return {
        "fid": 0, "geom": shapely.box(*bounds).wkb, "crs": crs, "year": year, "utm_zone": zone,
        "path": f"s3://us-west-2.opendata.source.coop/{BELOW}/{year}/{zone}/{name}", "utm_west": west, "utm_south": south,
        "utm_east": east, "utm_north": north, **dict(zip(("wgs84_west", "wgs84_south", "wgs84_east", "wgs84_north"), bounds, strict=True)),
    }  # fmt: skip


def alphaearth_index(folder: Path, rows: Sequence[dict[str, Any]], others: int = 0) -> str:
    """The index as Parquet and CSV, with rows of files elsewhere; its path."""
    far = [
        {**rows[0], "year": 2017 + n % 9, "path": f"s3://elsewhere/v1/annual/2020/01N/far{n}.tiff", "wgs84_west": -179.0, "wgs84_east": -178.5,
         "wgs84_south": 60.0 + n % 9, "wgs84_north": 60.5 + n % 9}
        for n in range(others)
    ]  # fmt: skip
    table = pa.Table.from_pylist([*far, *rows])
    folder = folder / BELOW
    pq.write_table(table, folder / "aef_index.parquet", row_group_size=500)
    pyarrow.csv.write_csv(table.drop_columns(["fid", "geom"]), folder / "aef_index.csv")
    return f"{BELOW}/aef_index.parquet"


def tessera_tile(
    root: Path,
    year: int,
    lon: float,
    lat: float,
    shape: tuple[int, int] = (40, 30),
    seed: int = 0,
    west: float = WEST,
    crs: str = "EPSG:32618",
    north: float = NORTH,
) -> tuple[str, np.ndarray]:
    """Numbers, scales and land mask of a tile below npy/v1 and landmasks/v1; its name and its embeddings."""
    name = f"grid_{lon:.2f}_{lat:.2f}"
    rng = np.random.default_rng(seed)
    numbers = rng.integers(-127, 128, (*shape, 128)).astype(np.int8)
    scales = rng.uniform(0.01, 0.1, shape).astype(np.float32)
    scales[0, 0] = np.nan
    folder = root / f"npy/v1/{year}/{name}"
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{name}.npy", numbers)
    np.save(folder / f"{name}_scales.npy", scales)
    transform = Affine(10, 0, west, 0, -10, north)
    write_tiff(
        root / f"landmasks/v1/{name}.tiff", np.ones((*shape, 1), np.uint8), transform=transform, crs=crs
    )
    return name, numbers * scales[..., None]


def region_of(
    top: int, left: int, bottom: int, right: int, crs: str = "EPSG:32618", west: float = WEST
) -> Region:
    """A region that lies within some pixels of 10 m from the corner of the files, and touches all of them."""
    lonlat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    edges = (
        lonlat.transform(west + left * 10 + 4, NORTH - top * 10 - 4),
        lonlat.transform(west + right * 10 - 4, NORTH - bottom * 10 + 4),
    )
    return Region.from_bounds(edges[0][0], edges[1][1], edges[1][0], edges[0][1])


def offered(name: str, region: Region, year: int | None = None) -> Offer:
    return offer_of(catalogue(name), region, year)


def config_of(name: str, region: Region, year: int | None = None) -> ExtractConfig:
    return catalogue_config(offered(name, region, year), RegionConfig(bounds_lonlat=region.edges_lonlat))


def vectors_of(h: int, w: int, seed: int = 0) -> np.ndarray:
    return unit_vectors(h, w, seed=seed)
