"""A GeoJSON file of one's own: the browser reads it as the command line does, and a failed attempt leaves nothing."""

from __future__ import annotations

import codecs
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from shapely.geometry import Polygon
from streamlit.testing.v1 import AppTest

from engine.imagery.region import Region
from engine.jobs.configuration.region import region_of
from tests.pages.conftest import OpenPage, words

RING = [[-75.66, 37.62], [-75.56, 37.62], [-75.56, 37.70], [-75.66, 37.70], [-75.66, 37.62]]
HOLE = [[-75.63, 37.64], [-75.60, 37.64], [-75.60, 37.67], [-75.63, 37.67], [-75.63, 37.64]]
FAR = [[x + 0.12, y] for x, y in RING]
MANY = [[-75.6 + 0.001 * i, 37.6 + (0.001 if i % 2 else 0)] for i in range(80)]
FILES: dict[str, dict[str, Any]] = {
    "polygon": {"type": "Polygon", "coordinates": [RING]},
    "hole": {"type": "Polygon", "coordinates": [RING, HOLE]},
    "one part": {"type": "MultiPolygon", "coordinates": [[RING]]},
    "one part with a hole": {"type": "MultiPolygon", "coordinates": [[RING, HOLE]]},
    "two parts": {"type": "MultiPolygon", "coordinates": [[RING], [FAR]]},
    "heights": {"type": "Polygon", "coordinates": [[[*corner, 12.5] for corner in RING]]},
    "many corners": {"type": "Polygon", "coordinates": [[*MANY, [-75.55, 37.7], MANY[0]]]},
}
ENCODINGS = {"utf-8": b"", "utf-8 with a mark": codecs.BOM_UTF8}


def upload(at: AppTest, content: bytes, name: str = "mine.geojson") -> AppTest:
    at.segmented_control(key="region_way").set_value("A file").run()
    return at.file_uploader(key="region_file").upload(name, content).run()


@pytest.mark.parametrize("mark", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("geometry", FILES.values(), ids=FILES)
def test_an_uploaded_region_is_the_one_that_the_command_line_reads(
    open_page: OpenPage, home: Path, tmp_path: Path, geometry: dict[str, Any], mark: bytes
) -> None:
    content = (
        mark + json.dumps({"type": "Feature", "properties": {"name": "Föhr"}, "geometry": geometry}).encode()
    )
    given = tmp_path / "given.geojson"
    given.write_bytes(content)
    at = upload(open_page("explore"), content)
    assert not at.exception
    assert not at.warning
    found = region_of(at.session_state["region"])
    assert found is not None
    assert found.polygon.equals(Region.from_file(given).polygon)
    assert at.button(key="use_region").label == "Use this region"


FORMATS = {
    "gpkg": "GPKG",
    "fgb": "FlatGeobuf",
    "parquet": "",
    "shp": "ESRI Shapefile",
    "zip": "ESRI Shapefile",
}


@pytest.mark.parametrize("ending", FORMATS)
def test_a_region_of_any_vector_format_can_be_uploaded(
    open_page: OpenPage, home: Path, tmp_path: Path, ending: str
) -> None:
    table = gpd.GeoDataFrame(geometry=[Polygon(RING, [HOLE])], crs="EPSG:4326").to_crs("EPSG:32618")
    folder = tmp_path / "given"
    folder.mkdir()
    if ending == "parquet":
        table.to_parquet(folder / "mine.parquet")
    else:
        table.to_file(folder / f"mine.{'shp' if ending == 'zip' else ending}", driver=FORMATS[ending])
    files = [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]
    if ending == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, content in files:
                archive.writestr(f"parts/{name}", content)
        files = [("mine.zip", packed.getvalue())]
    at = open_page("explore")
    at.segmented_control(key="region_way").set_value("A file").run()
    at.file_uploader(key="region_file").set_value([(name, content, "") for name, content in files]).run()
    assert not at.exception
    assert not at.warning, [warning.value for warning in at.warning]
    found = region_of(at.session_state["region"])
    assert found is not None
    assert found.polygon.symmetric_difference(Polygon(RING, [HOLE])).area < 1e-5


@pytest.mark.parametrize("geometry", FILES.values(), ids=FILES)
def test_an_uploaded_region_outlives_a_refresh_and_starts_an_extraction_of_the_same_ground(
    open_page: OpenPage, home: Path, monkeypatch: pytest.MonkeyPatch, geometry: dict[str, Any]
) -> None:
    at = upload(open_page("explore"), json.dumps(geometry).encode())
    before = region_of(at.session_state["region"])
    address = at.query_params["region"]
    again = open_page("explore", region=address[0] if isinstance(address, list) else address)
    after = region_of(again.session_state["region"])
    assert before is not None
    assert after is not None
    assert after.area_km2 == pytest.approx(before.area_km2, rel=1e-3)


@pytest.mark.parametrize("name", ["../../up.geojson", "/etc/passwd.json", "a\x00b.json", "x" * 300 + ".json"])
def test_the_name_of_an_upload_becomes_no_path(open_page: OpenPage, home: Path, name: str) -> None:
    upload(open_page("explore"), json.dumps(FILES["hole"]).encode(), name)
    files = {path for path in home.rglob("*") if path.is_file()} - {home / ".secret"}  # the server's own
    written = [path.relative_to(home) for path in files]
    assert all(re.fullmatch(r"regions/[0-9a-f]{16}\.geojson", path.as_posix()) for path in written), written


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "mine"),
        (b"{", "mine"),
        (b"\xff\xfe\x00\xd8", "mine"),
        (b"[" * 100_000, "mine"),
        (json.dumps({"type": "FeatureCollection", "features": []}).encode(), "mine"),
        (json.dumps({"type": "Point", "coordinates": [1, 2]}).encode(), "polygon"),
        (json.dumps({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}).encode(), "cross"),
        (json.dumps({"type": "Polygon", "coordinates": [[[500000, 1], [500100, 1], [500100, 90]]]}).encode(), "EPSG"),
    ],
)  # fmt: skip
def test_an_upload_that_is_no_region_is_refused_in_words_as_long_as_it_lies_there_and_leaves_nothing(
    open_page: OpenPage, home: Path, content: bytes, said: str
) -> None:
    at = open_page("explore", region="-75.60000,37.70000,-75.55000,37.74000")
    before = at.session_state["region"]
    upload(at, content)
    for _ in range(2):
        assert not at.exception
        assert any(said in warning.value for warning in at.warning), [w.value for w in at.warning]
        assert at.session_state["region"] == before
        at.run()
    assert not (home / "regions").exists()


@pytest.mark.parametrize("junk", ["file:../../etc/passwd", "file:0123456789abcdef", "file:", "file:*"])
def test_a_kept_region_in_the_address_that_is_none_is_left_out(
    open_page: OpenPage, home: Path, junk: str
) -> None:
    at = open_page("explore", region=junk)
    assert not at.exception
    assert at.session_state["region"] is None
    assert "all that its scenes cover" in words(at)
