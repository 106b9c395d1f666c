"""The ground of the tests of catalogues, written as COGs, and items over it in exactly the form of each preset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from pyproj import Transformer

from tests.stac.range_server import RangeServer

SIDE_PX, GSD_M, EPSG = 384, 10, 32633
WEST_M, NORTH_M = 500_040.0, 4_985_040.0
BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
_WORDS = {
    "blue": "blue",
    "green": "green",
    "red": "red",
    "nir_narrow": "nir08",
    "swir_1": "swir16",
    "swir_2": "swir22",
}
S2_CODES = {
    "blue": "B02",
    "green": "B03",
    "red": "B04",
    "nir_narrow": "B8A",
    "swir_1": "B11",
    "swir_2": "B12",
}
L30_CODES = {
    "blue": "B02",
    "green": "B03",
    "red": "B04",
    "nir_narrow": "B05",
    "swir_1": "B06",
    "swir_2": "B07",
}
RENDERED = "api/data/v1/item/preview.png?collection=sentinel-2-l2a&assets=visual"
COG = {"driver": "COG", "compress": "DEFLATE", "blocksize": 128, "predictor": 2}


def ground() -> np.ndarray:
    """(6, H, W) reflectance in blocks of 40 m, so that bands of 10, 20 and 40 m hold the same."""
    blocks = np.random.default_rng(5).uniform(0.03, 0.4, (6, SIDE_PX // 4, SIDE_PX // 4))
    return np.kron(np.round(blocks, 4), np.ones((4, 4)))


def write(
    path: Path, pixels: np.ndarray, gsd_m: float, nodata: float | None, crs: int = EPSG, **options: Any
) -> None:
    """A raster of the ground, (H, W)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    grid = Affine(gsd_m, 0, WEST_M, 0, -gsd_m, NORTH_M)
    how = {
        "count": 1,
        "height": pixels.shape[0],
        "width": pixels.shape[1],
        "dtype": pixels.dtype,
        **(options or COG),
    }
    with rasterio.open(path, "w", crs=f"EPSG:{crs}", transform=grid, nodata=nodata, **how) as out:
        out.write(pixels, 1)


def _coarse(pixels: np.ndarray, gsd_m: int) -> np.ndarray:
    step = gsd_m // GSD_M
    return pixels[::step, ::step]


def _asset(
    folder: Path, address: str, file: str, pixels: np.ndarray, gsd_m: int, gap: float | None, **said: Any
) -> Any:
    is_jp2 = ".jp2" in file
    options = (
        {"driver": "JP2OpenJPEG", "CODEC": "JP2", "QUALITY": "100", "REVERSIBLE": "YES"} if is_jp2 else {}
    )
    write(folder / file, _coarse(pixels, gsd_m), gsd_m, None if is_jp2 else gap, **options)
    shape = list(_coarse(pixels, gsd_m).shape)
    return {"href": f"{address}/{file}", "type": "image/tiff", "roles": ["data"], "proj:shape": shape, **said}


def item(
    name: str, collection: str, day: str, cloud: float, assets: dict[str, Any], **properties: Any
) -> dict[str, Any]:
    """A STAC item over the ground."""
    west, south, east, north = lonlat(0)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature", "stac_version": "1.0.0", "id": name, "collection": collection, "links": [],
        "geometry": {"type": "Polygon", "coordinates": [ring]}, "bbox": [west, south, east, north],
        "properties": {"datetime": f"{day}T10:05:00Z", "eo:cloud_cover": cloud, "platform": "sentinel-2a", **properties},
        "assets": assets,
    }  # fmt: skip


def lonlat(inset_m: float) -> tuple[float, float, float, float]:
    far = SIDE_PX * GSD_M
    corners = Transformer.from_crs(EPSG, 4326, always_xy=True).transform(
        [WEST_M + inset_m, WEST_M + far - inset_m], [NORTH_M - far + inset_m, NORTH_M - inset_m]
    )
    return corners[0][0], corners[1][0], corners[0][1], corners[1][1]


def earth_search(
    files: RangeServer, truth: np.ndarray, day: str, cloud: float, applied: bool
) -> dict[str, Any]:
    """Sentinel-2 of Earth Search v1: words as names, raster:bands with an offset, whether it was taken off already."""
    digital = np.round(truth * 10_000 + (0 if applied else 1000)).astype(np.uint16)
    bands = {"raster:bands": [{"nodata": 0, "data_type": "uint16", "scale": 0.0001, "offset": -0.1}]}
    name = f"S2A_33TWK_{day.replace('-', '')}_0_L2A"
    assets = {
        _WORDS[band]: _asset(
            files.folder,
            files.address,
            f"{name}/{_WORDS[band]}.tif",
            digital[n],
            10 if n < 3 else 20,
            0,
            **bands,
        )
        for n, band in enumerate(BANDS)
    }
    scl = np.full((SIDE_PX, SIDE_PX), 4, np.uint8)
    scl[:80, :80] = 9
    assets["scl"] = _asset(files.folder, files.address, f"{name}/SCL.tif", scl, 20, 0)
    assets["thumbnail"] = {"href": f"{files.address}/{name}/thumb.jpg", "roles": ["thumbnail"]}
    return item(name, "sentinel-2-l2a", day, cloud, assets, **{
        "proj:epsg": EPSG, "earthsearch:boa_offset_applied": applied, "s2:processing_baseline": "05.09", "grid:code": "MGRS-33TWK",
    })  # fmt: skip


def planetary_s2(files: RangeServer, truth: np.ndarray, day: str) -> dict[str, Any]:
    """Sentinel-2 of Planetary Computer: codes as names, no raster:bands, the baseline as a property, signed links."""
    digital = np.round(truth * 10_000 + 1000).astype(np.uint16)
    name = f"S2A_MSIL2A_{day.replace('-', '')}T100501_R022_T33TWK_20230701T000000"
    assets = {
        code: _asset(
            files.folder, files.address, f"pc/{name}/{code}.tif", digital[n], 10 if n < 3 else 20, None
        )
        for n, code in enumerate(S2_CODES.values())
    }
    scl = np.full((SIDE_PX, SIDE_PX), 4, np.uint8)
    assets["SCL"] = _asset(files.folder, files.address, f"pc/{name}/SCL.tif", scl, 20, None)
    preview = {"href": f"{files.address}/pc/{name}/PVI.tif", "type": "image/tiff", "roles": ["thumbnail"]}
    rendered = {"href": f"{files.address}/{RENDERED}", "type": "image/png", "roles": ["overview"]}
    return item(name, "sentinel-2-l2a", day, 3.0, {**assets, "preview": preview, "rendered_preview": rendered}, **{
        "proj:epsg": EPSG, "s2:processing_baseline": "05.09", "s2:mgrs_tile": "33TWK", "platform": "Sentinel-2B",
    })  # fmt: skip


def hls(
    files: RangeServer, truth: np.ndarray, day: str, collection: str, codes: dict[str, str], place: str
) -> dict[str, Any]:
    """HLS: integers of 1/10000 with -9999 for gaps, Fmask as bits; nothing of the scale in the item."""
    digital = np.round(truth * 10_000).astype(np.int16)
    name = f"HLS.{'S30' if 'S30' in collection.upper() else 'L30'}.T33TWK.2023{int(day[5:7]) * 30:03d}T100501.v2.0"
    assets = {
        code: _asset(files.folder, files.address, f"{place}/{name}/{code}.tif", digital[n], 20, -9999)
        for n, code in enumerate(codes.values())
    }
    fmask = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    fmask[:80, :80], fmask[:40, 200:240] = 0b10, 0b10000000  # cloud; much aerosol, which is no cloud
    assets["Fmask"] = _asset(files.folder, files.address, f"{place}/{name}/Fmask.tif", fmask, 20, 255)
    if place == "nasa":  # CMR-STAC says nothing of the grid, nor of the platform
        plain_assets = {code: {"href": asset["href"]} for code, asset in assets.items()}
        browse = {"href": f"{files.address}/nasa-public/{name}.jpg", "type": "image/jpeg"}
        return item(name, collection, day, 12, {"browse": browse, **plain_assets}, platform=None)
    return item(name, collection, day, 12.0, assets, **{"proj:code": f"EPSG:{EPSG}"})


def landsat(files: RangeServer, truth: np.ndarray, day: str, platform: str) -> dict[str, Any]:
    """Landsat Collection 2: scale and offset in raster:bands, QA_PIXEL as bits."""
    digital = np.round((truth + 0.2) / 2.75e-5).astype(np.uint16)
    bands = {"raster:bands": [{"nodata": 0, "scale": 2.75e-5, "offset": -0.2}]}
    name = f"L{'C08' if platform == 'landsat-8' else 'E07'}_L2SP_190029_{day.replace('-', '')}_02_T1"
    assets = {
        word: _asset(files.folder, files.address, f"pc/{name}/{word}.tif", digital[n], 20, 0, **bands)
        for n, word in enumerate(_WORDS.values())
    }
    qa = np.full((SIDE_PX, SIDE_PX), 0b1000000, np.uint16)
    qa[:80, :80] = 0b1001
    assets["qa_pixel"] = _asset(files.folder, files.address, f"pc/{name}/qa_pixel.tif", qa, 20, 1)
    return item(name, "landsat-c2-l2", day, 8.0, assets, platform=platform, **{"proj:epsg": EPSG})


def copernicus(files: RangeServer, truth: np.ndarray, day: str) -> dict[str, Any]:
    """Sentinel-2 of the Copernicus Data Space: JPEG 2000, an s3 address with an alternate one of OData, STAC 1.1's raster fields.

    The form is that of a published item (S2C_MSIL2A_20250330T100051_N0511_R122_T33UWP, in odc-stac's tests): nothing at the end
    of an address says what the file is, and the grid stands at each asset.
    """
    digital = np.round(truth * 10_000 + 1000).astype(np.uint16)
    name = f"S2A_MSIL2A_{day.replace('-', '')}T100501_N0509_R022_T33TWK_20230701T000000"
    assets: dict[str, Any] = {}
    for n, code in enumerate(S2_CODES.values()):
        metres = 10 if n < 3 else 20
        file = f"cdse/Products(bf1711dc)/Nodes({name}.SAFE)/Nodes(T33TWK_{code}_{metres}m.jp2)/$value"
        made = _asset(files.folder, files.address, file, digital[n], metres, 0, **{
            "raster:scale": 0.0001, "raster:offset": -0.1, "nodata": 0, "proj:code": f"EPSG:{EPSG}", "data_type": "uint16",
            "bands": [{"name": code}], "alternate:name": "S3", "auth:refs": ["s3"],
        })  # fmt: skip
        alternate = {"https": {"href": made["href"], "auth:refs": ["oidc"], "alternate:name": "HTTPS"}}
        href = f"s3://eodata/Sentinel-2/MSI/L2A/{name}.SAFE/T33TWK_{code}_{metres}m.jp2"
        assets[f"{code}_{metres}m"] = {**made, "href": href, "type": "image/jp2", "alternate": alternate}
    quicklook = {"href": f"{files.address}/quicklook.jpg", "type": "image/jpeg"}
    assets["thumbnail"] = {**quicklook, "roles": ["thumbnail", "overview"], "proj:code": None}
    return item(name, "sentinel-2-l2a", day, 1.0, assets, **{
        "processing:version": "05.09", "grid:code": "MGRS-33TWK", "product:type": "S2MSI2A", "start_datetime": f"{day}T10:05:01Z",
    })  # fmt: skip


def plain(files: RangeServer, day: str) -> list[dict[str, Any]]:
    """Radar as linear power, and heights."""
    made = []
    power = np.full((SIDE_PX, SIDE_PX), 0.07, np.float32)
    power[0, 0] = -32768
    radar = {
        band: _asset(files.folder, files.address, f"pc/s1/{band}.tif", power, 10, -32768)
        for band in ("vv", "vh")
    }
    made.append(item("S1A_IW_GRDH_RTC", "sentinel-1-rtc", day, 0.0, radar, platform="SENTINEL-1A"))
    made.append(_heights(files))
    return made


def _heights(files: RangeServer) -> dict[str, Any]:
    """The Copernicus DEM: in degrees, as it is published, one second of arc a pixel, and a second and a half across in the north."""
    west, south, east, north = lonlat(-200)
    down, across = 1 / 3600, 1.5 / 3600
    height, width = round((north - south) / down), round((east - west) / across)
    grid = Affine(across, 0, west, 0, -down, north)
    with rasterio.open(
        files.folder / "pc/dem.tif", "w", **COG, count=1, height=height, width=width, dtype="float32", crs="EPSG:4326", transform=grid,
    ) as out:  # fmt: skip
        out.write(np.full((height, width), 312.5, np.float32), 1)
    asset = {"href": f"{files.address}/pc/dem.tif", "type": "image/tiff", "roles": ["data"]}
    return item("Copernicus_DSM_COG_10_N45", "cop-dem-glo-30", "2021-04-22", 0.0, {"data": asset}, **{
        "proj:epsg": 4326, "proj:shape": [height, width], "eo:cloud_cover": None,
    })  # fmt: skip
