"""Lists of files of another form end in words, whatever is in them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.errors import RegionError, RemoteError
from engine.imagery.remote import cache
from engine.store.catalogues.lists.listed import listed_file
from tests.stac.range_server import RangeServer
from tests.unit.store.catalogues.made import (
    BELOW,
    alphaearth_file,
    alphaearth_index,
    offered,
    region_of,
    settle,
    vectors_of,
)

REGION = region_of(5, 5, 40, 40)
WORDS = {
    name: ["x"]
    for name in ("year", "path", "lon", "lat", "wgs84_west", "wgs84_south", "wgs84_east", "wgs84_north")
}
NOTHING = {name: [None] for name in WORDS}


TABLES = (b"", b"PAR1", b"x" * 5000, pa.table(WORDS), pa.table(NOTHING), pa.table({"a": [1]}))
TEXTS = ("", "a,b\n1,2\n", "year,path,wgs84_west,wgs84_south,wgs84_east,wgs84_north\nx,y,a,b,c,d\n")


def test_a_parquet_of_another_form_is_refused(server: RangeServer, home: Path) -> None:
    for number, content in enumerate(TABLES):
        path = server.folder / f"list{number}.parquet"
        path.write_bytes(content) if isinstance(content, bytes) else pq.write_table(content, path)
        settle(home, server, a=("alphaearth", path.name), t=("tessera", path.name))
        for name in ("a", "t"):
            with pytest.raises(
                (RemoteError, RegionError), match=r"list|index|no embeddings that the region meets"
            ):
                offered(name, REGION)


def test_a_text_of_another_form_is_refused(server: RangeServer, home: Path) -> None:
    for number, content in enumerate(TEXTS):
        for ending in ("csv", "txt"):
            (server.folder / f"{number}.{ending}").write_text(content)
        settle(home, server, a=("alphaearth", f"{number}.csv"), t=("tessera", f"{number}.txt"))
        for name in ("a", "t"):
            with pytest.raises(RemoteError):
                offered(name, REGION)


def test_a_region_that_the_cache_cannot_hold_is_refused_before_it_is_fetched(
    server: RangeServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alphaearth_index(server.folder, [alphaearth_file(server.folder, 2024, "18N", vectors_of(64, 64))])
    settle(home, server, aef=("alphaearth", f"{BELOW}/aef_index.parquet"))
    monkeypatch.setenv(cache.VARIABLE, "0.0001")
    with pytest.raises(
        RegionError, match=r"the cache holds 0.00 GB. Choose a smaller region, or set EMBERSCOPE_CACHE_GB"
    ):
        offered("aef", REGION)


@pytest.mark.parametrize("path", ["..", "%2e%2e", "a%00b.tif", "x" * 400 + ".tif", "%2F%2Fetc%2Fpasswd", ""])
def test_no_address_becomes_a_path_that_leads_elsewhere(path: str) -> None:
    name = listed_file(f"https://example.org/{path}", "x").name
    assert 0 < len(name) <= 100 and "/" not in name and "\0" not in name and not name.startswith(".")
