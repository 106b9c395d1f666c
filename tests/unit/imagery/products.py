"""Makes products in their real layout: Sentinel-2 SAFE folders, HLS, Landsat Collection 2, PlanetScope, Sentinel-1.

Every band of a product has digital numbers of its own, so that two bands that are mixed up are seen, and every pixel
of a band differs from its neighbours, so that a shifted pixel is seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine

WEST, NORTH = 600_000.0, 4_900_020.0
SIDE_M = 360.0  # of every product: a multiple of 10, 15, 20, 30 and 60 m
CRS = "EPSG:32632"
SAFE_L2A = "S2B_MSIL2A_20220605T101559_N0400_R065_T32TPQ_20220605T131546.SAFE"
SAFE_L1C = "S2A_MSIL1C_20220605T101559_N0400_R065_T32TPQ_20220605T121546.SAFE"
LANDSAT_8 = "LC08_L2SP_192029_20220605_20220616_02_T1"
LANDSAT_8_L1 = "LC08_L1TP_192029_20220605_20220616_02_T1"
LANDSAT_5 = "LT05_L2SP_192029_19990605_20200908_02_T1"
RTC = "S1A_IW_20220605T171013_DVP_RTC10_G_gpuned_2C4E"
_MSI = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")


@dataclass(frozen=True)
class Product:
    """A product that was made.

    Attributes:
        path: its folder.
        numbers: band's code -> digital numbers (H, W) at the band's own pixels, 0 or the product's own value in gaps.
    """

    path: Path
    numbers: Mapping[str, np.ndarray]


def numbers(band: int, gsd_m: float, dtype: str = "uint16", low: int = 1500) -> np.ndarray:
    """(H, W) digital numbers that differ from band to band and from pixel to pixel."""
    side = round(SIDE_M / gsd_m)
    row, column = np.mgrid[:side, :side]
    return (low + 200 * band + 7 * row + 3 * column).astype(dtype)


def write_band(
    path: Path, pixels: np.ndarray, gsd_m: float, names: Sequence[str] = (), **options: Any
) -> Path:
    """A raster of one or more bands whose north-western corner is that of all products.

    Args:
        options: tags in capitals, everything else as rasterio takes it (nodata, crs).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    bands = pixels if pixels.ndim == 3 else pixels[None]
    tags = {key: str(options.pop(key)) for key in list(options) if key.isupper()}
    if path.suffix == ".jp2":
        options |= {"driver": "JP2OpenJPEG", "QUALITY": 100, "REVERSIBLE": "YES", "YCBCR420": "NO"}
    profile = {"driver": "GTiff", "crs": CRS, "dtype": bands.dtype, **options}
    transform = Affine(gsd_m, 0, WEST, 0, -gsd_m, NORTH)
    with rasterio.open(path, "w", count=len(bands), height=bands.shape[1], width=bands.shape[2], transform=transform,
                       **profile) as out:  # fmt: skip
        out.write(bands)
        if names:
            out.descriptions = tuple(names)
        if tags:
            out.update_tags(**tags)
    return path


def safe_l2a(root: Path, baseline: str = "0400") -> Product:
    """A Sentinel-2 L2A folder, by default of baseline 04.00: R10m, R20m and R60m, quality layers, MTD_MSIL2A.xml with offsets (from baseline 04.00 on)."""
    safe, start = root / SAFE_L2A.replace("N0400", f"N{baseline}"), "T32TPQ_20220605T101559"
    images = safe / "GRANULE/L2A_T32TPQ_A027401_20220605T102117/IMG_DATA"
    made: dict[str, np.ndarray] = {}
    for gsd_m, codes in (
        (60, ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B09", "B11", "B12")),
        (20, ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B8A", "B11", "B12")),
        (10, ("B02", "B03", "B04", "B08")),
    ):
        for code in codes:
            made[code] = numbers(_MSI.index(code), gsd_m)
            if code == "B04":
                made[code][0, 0] = 0  # no data
            write_band(images / f"R{gsd_m}m/{start}_{code}_{gsd_m}m.jp2", made[code], gsd_m)
        for extra in ("AOT", "WVP", *(("SCL",) if gsd_m > 10 else ())):
            write_band(images / f"R{gsd_m}m/{start}_{extra}_{gsd_m}m.jp2", numbers(0, gsd_m, low=90), gsd_m)
        picture = np.repeat(numbers(0, gsd_m, "uint8", 90)[None], 3, axis=0)
        write_band(images / f"R{gsd_m}m/{start}_TCI_{gsd_m}m.jp2", picture, gsd_m)
    write_band(images.parent / "QI_DATA/MSK_CLDPRB_20m.jp2", numbers(0, 20, "uint8", 3), 20)
    _write_mtd(
        safe / "MTD_MSIL2A.xml", "BOA", "2022-06-05T10:15:59.024Z", 12.5, has_offsets=baseline >= "0400"
    )
    return Product(safe, made)


def safe_l1c(root: Path) -> Product:
    """A Sentinel-2 L1C folder of baseline 04.00, whose bands lie in one folder at their own resolutions."""
    safe, start = root / SAFE_L1C, "T32TPQ_20220605T101559"
    images = safe / "GRANULE/L1C_T32TPQ_A036401_20220605T102117/IMG_DATA"
    made = {}
    for place, code in enumerate(_MSI):
        gsd_m = 10 if code in ("B02", "B03", "B04", "B08") else 60 if code in ("B01", "B09", "B10") else 20
        made[code] = numbers(place, gsd_m)
        write_band(images / f"{start}_{code}.jp2", made[code], gsd_m)
    write_band(images / f"{start}_TCI.jp2", np.repeat(numbers(0, 10, "uint8", 90)[None], 3, axis=0), 10)
    _write_mtd(safe / "MTD_MSIL1C.xml", "RADIO", "2022-06-05T10:15:59.024Z", 3.25)
    return Product(safe, made)


def hls(root: Path, name: str, codes: Sequence[str], crs: str = CRS) -> Product:
    """An HLS granule with a file a band, Fmask and angles; the first pixel of B04 has the fill value."""
    made = {}
    for place, code in enumerate(codes):
        made[code] = numbers(place, 30, "int16", 300)
        if code == "B04":
            made[code][0, 0] = -9999
        tags = {"HORIZONTAL_CS_NAME": "UTM", "cloud_coverage": "7"}
        path = write_band(root / f"{name}.{code}.tif", made[code], 30, nodata=-9999, crs=crs)
        with rasterio.open(path, "r+") as out:
            out.update_tags(**tags)
    write_band(root / f"{name}.Fmask.tif", numbers(0, 30, "uint8", 2), 30, nodata=255, crs=crs)
    for angle in ("SAA", "SZA", "VAA", "VZA"):
        write_band(root / f"{name}.{angle}.tif", numbers(0, 30, "uint16", 9000), 30, nodata=40000, crs=crs)
    return Product(root, made)


def landsat_l2(root: Path, name: str = LANDSAT_8) -> Product:
    """A Landsat Collection 2 level 2 folder as USGS delivers it: reflectance, temperature, quality layers, MTL."""
    folder, is_tm = root / name, name[1] != "C"
    made = {}
    for band in (1, 2, 3, 4, 5, 7) if is_tm else (1, 2, 3, 4, 5, 6, 7):
        made[f"B{band}"] = numbers(band, 30, low=9000)
        made[f"B{band}"][0, 1] = 0  # fill
        write_band(folder / f"{name}_SR_B{band}.TIF", made[f"B{band}"], 30, nodata=0)
    extras = ["ST_B6" if is_tm else "ST_B10", "ST_ATRAN", "ST_CDIST", "ST_DRAD", "ST_EMIS", "ST_EMSD", "ST_QA", "ST_TRAD",
              "ST_URAD", "QA_PIXEL", "QA_RADSAT"]  # fmt: skip
    extras += ["SR_ATMOS_OPACITY", "SR_CLOUD_QA"] if is_tm else ["SR_QA_AEROSOL"]
    for extra in extras:
        write_band(folder / f"{name}_{extra}.TIF", numbers(0, 30, low=21_000), 30)
    _write_mtl(folder / f"{name}_MTL.txt", name, [int(code[1:]) for code in made], is_surface=True)
    return Product(folder, made)


def landsat_l1(root: Path, name: str = LANDSAT_8_L1) -> Product:
    """A Landsat Collection 2 level 1 folder: panchromatic at 15 m, thermal, quality and angle files beside the bands."""
    folder = root / name
    made = {}
    for band in range(1, 12):
        gsd_m = 15 if band == 8 else 30
        made[f"B{band}"] = numbers(band, gsd_m, low=9000)
        write_band(folder / f"{name}_B{band}.TIF", made[f"B{band}"], gsd_m)
    for extra in ("QA_PIXEL", "QA_RADSAT", "SAA", "SZA", "VAA", "VZA"):
        write_band(folder / f"{name}_{extra}.TIF", numbers(0, 30, low=21_000), 30)
    _write_mtl(folder / f"{name}_MTL.txt", name, range(1, 10), is_surface=False)
    return Product(folder, made)


def _write_mtd(path: Path, kind: str, start: str, cloud_pct: float, has_offsets: bool = True) -> None:
    """Sentinel-2's product metadata, with the elements that reflectance is had by."""
    level = "2A" if kind == "BOA" else "1C"
    quantification = f"{'BOA_' if kind == 'BOA' else ''}QUANTIFICATION_VALUE"
    lists = "BOA_ADD_OFFSET_VALUES_LIST" if kind == "BOA" else "Radiometric_Offset_List"
    item = "BOA_ADD_OFFSET" if kind == "BOA" else "RADIO_ADD_OFFSET"
    offsets = "".join(f'<{item} band_id="{number}">-1000</{item}>' for number in range(len(_MSI)))
    value = f'<{quantification} unit="none">10000</{quantification}>'
    extra = f"<QUANTIFICATION_VALUES_LIST>{value}<AOT_QUANTIFICATION_VALUE>1000.0</AOT_QUANTIFICATION_VALUE></QUANTIFICATION_VALUES_LIST>" if kind == "BOA" else value  # fmt: skip
    path.write_text(
        f"""<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<n1:Level-{level}_User_Product xmlns:n1="https://psd-14.sentinel2.eo.esa.int/PSD/User_Product_Level-{level}.xsd">
  <n1:General_Info>
    <Product_Info>
      <PRODUCT_START_TIME>{start}</PRODUCT_START_TIME>
      <PROCESSING_BASELINE>04.00</PROCESSING_BASELINE>
      <Datatake datatakeIdentifier="GS2B_20220605T101559_027401_N04.00">
        <DATATAKE_SENSING_START>{start}</DATATAKE_SENSING_START>
      </Datatake>
    </Product_Info>
    <Product_Image_Characteristics>
      <Special_Values><SPECIAL_VALUE_TEXT>NODATA</SPECIAL_VALUE_TEXT><SPECIAL_VALUE_INDEX>0</SPECIAL_VALUE_INDEX></Special_Values>
      {extra}
      {f"<{lists}>{offsets}</{lists}>" if has_offsets else ""}
    </Product_Image_Characteristics>
  </n1:General_Info>
  <n1:Quality_Indicators_Info><Cloud_Coverage_Assessment>{cloud_pct}</Cloud_Coverage_Assessment></n1:Quality_Indicators_Info>
</n1:Level-{level}_User_Product>
"""
    )


def _write_mtl(path: Path, name: str, bands: Sequence[int], is_surface: bool) -> None:
    """Landsat's metadata: products of level 2 carry the parameters of level 1 as well."""
    day = name.split("_")[3]
    groups = {
        "PRODUCT_CONTENTS": [f'LANDSAT_PRODUCT_ID = "{name}"', f'PROCESSING_LEVEL = "{name.split("_")[1]}"'],
        "IMAGE_ATTRIBUTES": [f"DATE_ACQUIRED = {day[:4]}-{day[4:6]}-{day[6:]}", 'SCENE_CENTER_TIME = "10:05:12.1234560Z"',
                             "CLOUD_COVER = 4.21", "SUN_ELEVATION = 30.00000000"],
        "LEVEL1_RADIOMETRIC_RESCALING": [f"REFLECTANCE_MULT_BAND_{n} = 2.0000E-05" for n in bands]
        + [f"REFLECTANCE_ADD_BAND_{n} = -0.100000" for n in bands],
    }  # fmt: skip
    if is_surface:
        groups["LEVEL2_SURFACE_REFLECTANCE_PARAMETERS"] = [
            f"REFLECTANCE_MULT_BAND_{n} = 2.75e-05" for n in bands
        ] + [f"REFLECTANCE_ADD_BAND_{n} = -0.2" for n in bands]
        groups["LEVEL2_SURFACE_TEMPERATURE_PARAMETERS"] = ["TEMPERATURE_MULT_BAND_ST_B10 = 0.00341802"]
    inner = "\n".join(
        f"  GROUP = {group}\n" + "\n".join(f"    {line}" for line in lines) + f"\n  END_GROUP = {group}"
        for group, lines in groups.items()
    )
    path.write_text(f"GROUP = LANDSAT_METADATA_FILE\n{inner}\nEND_GROUP = LANDSAT_METADATA_FILE\nEND\n")


def planetscope(root: Path, bands: int, is_harmonised: bool = False) -> Product:
    """A PlanetScope surface reflectance file of 8 or 4 bands under its real name, with Planet's band descriptions."""
    names = (
        ("coastal_blue", "blue", "green_i", "green", "yellow", "red", "rededge", "nir")
        if bands == 8
        else ("blue", "green", "red", "nir")
    )
    ending = ("_8b" if bands == 8 else "") + ("_harmonized_clip" if is_harmonised else "")
    path = root / f"20230214_175134_34_2465_3B_AnalyticMS_SR{ending}.tif"
    made = np.stack([numbers(place, 3, low=700) for place in range(bands)])
    made[:, 0, 2] = 0
    write_band(path, made, 3, names, nodata=0)
    mask = path.with_name(
        path.name.replace("AnalyticMS_SR", "udm2").replace("_8b", "").replace("_harmonized", "")
    )
    usable = ("clear", "snow", "shadow", "light_haze", "heavy_haze", "cloud", "confidence", "unusable")
    write_band(mask, np.ones((8, *made.shape[1:]), np.uint8), 3, usable)
    return Product(path, dict(zip(names, made, strict=True)))


def sentinel1_rtc(root: Path) -> Product:
    """A Sentinel-1 RTC folder as ASF delivers it: VV and VH as linear power, zero in gaps, with maps beside them."""
    made = {}
    for place, band in enumerate(("VV", "VH")):
        made[band] = numbers(place, 10, "float32", 100) / np.float32(20_000)
        made[band][0, 0] = 0
        write_band(root / f"{RTC}_{band}.tif", made[band], 10, nodata=0)
    for extra in ("ls_map", "inc_map", "area"):
        write_band(root / f"{RTC}_{extra}.tif", numbers(0, 10, "uint8", 1), 10)
    write_band(root / f"{RTC}_rgb.tif", np.repeat(numbers(0, 10, "uint8", 90)[None], 3, axis=0), 10)
    return Product(root, made)


def sentinel1_grd(root: Path) -> Product:
    """A Sentinel-1 GRD stack as Earth Engine exports it: VV and VH in decibels."""
    made = {
        band: -numbers(place, 10, "float32", 700) / np.float32(100) for place, band in enumerate(("VV", "VH"))
    }
    path = root / "S1A_IW_GRDH_1SDV_20220605T171013_20220605T171038_043531_053299_8B1D.tif"
    write_band(path, np.stack(list(made.values())), 10, tuple(made))
    return Product(path, made)
