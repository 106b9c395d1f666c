"""What published items of the catalogues say and our own ground's do not: hosts, pictures, platforms, statements that contradict."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import shapely

from engine.imagery.catalogues.item_files import address_of, thumbnail_of
from engine.imagery.catalogues.items import sensor_of
from engine.imagery.catalogues.presets import PRESETS
from engine.imagery.catalogues.search import Item
from engine.imagery.catalogues.stated import declared_of
from engine.imagery.raster.scaling import Stated
from engine.imagery.remote import access, addresses
from engine.imagery.sensors.table import SENSORS

# An address of a file, as items of each catalogue have them (public items, looked at in 2026), and whether a login goes there.
PUBLISHED = [
    ("earth-search", "sentinel-2-l2a", "https://sentinel-cogs.s3.us-west-2.amazonaws.com/sentinel-s2-l2a-cogs/31/U/FU/2023/7/x/B04.tif"),
    ("earth-search", "sentinel-2-c1-l2a", "https://e84-earth-search-sentinel-data.s3.us-west-2.amazonaws.com/sentinel-2-c1-l2a/33/T/x/B03.tif"),
    ("earth-search", "cop-dem-glo-30", "s3://copernicus-dem-30m/Copernicus_DSM_COG_10_N45_00_E014_00_DEM/x.tif"),
    ("planetary-computer", "sentinel-2-l2a", "https://sentinel2l2a01.blob.core.windows.net/sentinel2-l2/06/V/VN/x.tif"),
    ("planetary-computer", "hls2-s30", "https://hls2euwest.blob.core.windows.net/hls2/S30/54/S/VE/2026/08/28/x.B04.tif"),
    ("planetary-computer", "landsat-c2-l2", "https://landsateuwest.blob.core.windows.net/landsat-c2/level-2/x.TIF"),
    ("planetary-computer", "sentinel-1-rtc", "https://sentinel1euwestrtc.blob.core.windows.net/sentinel1-grd-rtc/x.tiff"),
    ("planetary-computer", "cop-dem-glo-30", "https://elevationeuwest.blob.core.windows.net/copernicus-dem/x.tif"),
    ("lpdaac", "HLSS30_2.0", "https://data.lpdaac.earthdatacloud.nasa.gov/lp-prod-protected/HLSS30.020/x.B08.tif"),
    ("copernicus", "sentinel-2-l2a", "https://zipper.dataspace.copernicus.eu/odata/v1/Products(bf17)/Nodes(x.jp2)/$value"),
]  # fmt: skip


@pytest.mark.parametrize(("catalogue", "collection", "href"), PUBLISHED)
def test_files_of_published_items_may_be_asked_for_with_what_they_want(
    home: Path, monkeypatch: pytest.MonkeyPatch, catalogue: str, collection: str, href: str
) -> None:
    product = PRESETS[catalogue].collection(collection)
    url = address_of({}, {"href": href})
    addresses.require_known(url)
    tokens = {"planetary-computer": "sas", "earthdata": "bearer", "copernicus": "bearer"}
    monkeypatch.setattr(access, "_token", lambda kind, *_: tokens[kind])
    signed, headers = access.signed(url, product.access)
    assert ("sas" in signed) == (product.access == "planetary-computer")
    assert bool(headers) == (product.access in ("earthdata", "copernicus"))


def test_a_picture_that_is_drawn_for_everybody_is_asked_for_without_a_signature(home: Path) -> None:
    url = "https://planetarycomputer.microsoft.com/api/data/v1/item/preview.png?collection=hls2-s30"
    assert access.signed(url, "planetary-computer") == (url, {})


@pytest.mark.parametrize(
    ("assets", "found"),
    [
        ({"preview": {"href": "https://a/PVI.tif", "type": "image/tiff; application=geotiff", "roles": ["thumbnail"]},
          "rendered_preview": {"href": "https://a/drawn.png", "type": "image/png", "roles": ["overview"]}}, "https://a/drawn.png"),
        ({"reduced_resolution_browse": {"href": "https://a/large.jpeg", "type": "image/jpeg", "roles": ["overview"]},
          "thumbnail": {"href": "https://a/small.jpeg", "type": "image/jpeg", "roles": ["thumbnail"]}}, "https://a/small.jpeg"),
        ({"thumbnail": {"href": "s3://eodata/x-ql.jpg", "type": "image/jpeg", "roles": ["thumbnail"],
                        "alternate": {"https": {"href": "https://a/$value"}}}}, "https://a/$value"),
        ({"browse": {"href": "https://a/HLS.jpg"}, "B02": {"href": "https://a/B02.tif"}}, "https://a/HLS.jpg"),
        ({"preview": {"href": "https://a/PVI.tif", "type": "image/tiff", "roles": ["thumbnail"]}}, ""),
    ],
)  # fmt: skip
def test_the_small_picture_is_one_that_can_be_drawn(assets: dict[str, Any], found: str) -> None:
    assert thumbnail_of({"assets": assets}) == found


@pytest.mark.parametrize(
    ("platform", "sensor"),
    [("landsat-8", "landsat_c2l2"), ("LANDSAT_7", "landsat_tm_c2l2"), ("landsat-5", "landsat_tm_c2l2"), ("LANDSAT_9", "landsat_c2l2")],
)  # fmt: skip
def test_the_sensor_of_landsat_is_told_by_its_platform_however_it_is_written(
    platform: str, sensor: str
) -> None:
    now, square = datetime(2021, 3, 29, tzinfo=UTC), shapely.box(0, 0, 1, 1)
    one = Item("LE07", now, now.date(), 0.0, 1.0, square, "", "", {"properties": {"platform": platform}})
    assert sensor_of(one, PRESETS["planetary-computer"].collection("landsat-c2-l2")).name == sensor


@pytest.mark.parametrize(
    ("stated", "properties", "offset", "told"),
    [
        (-0.1, {"s2:processing_baseline": "05.09", "earthsearch:boa_offset_applied": True}, 0.0, "taken off its files already"),
        (-0.1, {"s2:processing_baseline": "04.00", "earthsearch:boa_offset_applied": False}, -0.1, "that the catalogue states"),
        (0.0, {"s2:processing_baseline": "02.09", "earthsearch:boa_offset_applied": False}, 0.0, ""),
        # Statements that contradict one another.
        (-0.1, {"s2:processing_baseline": "03.01", "earthsearch:boa_offset_applied": False}, 0.0, "is not applied, for products of processing baseline 03.01"),
        (0.0, {"s2:processing_baseline": "04.00", "earthsearch:boa_offset_applied": False}, -0.1, "since baseline 04.00 is applied"),
        # Collection 1, Planetary Computer and the Copernicus Data Space.
        (-0.1, {"s2:processing_baseline": "05.00"}, -0.1, "that the catalogue states"),
        (None, {"s2:processing_baseline": "02.12"}, 0.0, ""),
        (None, {"s2:processing_baseline": "05.11"}, -0.1, "processing baseline 05.11"),
        (-0.1, {"processing:version": "05.11"}, -0.1, "that the catalogue states"),
        (0.0, {"s2:processing_baseline": "05.00"}, 0.0, ""),
    ],
)  # fmt: skip
def test_the_offset_of_sentinel_2_is_taken_off_once_also_where_statements_contradict(
    stated: float | None, properties: dict[str, Any], offset: float, told: str
) -> None:
    when = datetime(2022, 6, 1, tzinfo=UTC)
    found, note = declared_of(Stated(1e-4, stated), SENSORS["sentinel2_l2a"], properties, when, None)
    assert (found.scale, found.offset) == (1e-4, offset)
    assert told in note if told else not note
