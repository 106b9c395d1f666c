"""The cache of rasters: within its size, and never damaged parts."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from engine.imagery.raster.rasters import damage_told, open_raster
from engine.imagery.remote import cache
from engine.imagery.remote.fetching import RemoteRaster, cached, read_ranges
from engine.imagery.remote.remote_file import write_remote
from tests.stac.bad import server
from tests.stac.items import SIDE_PX, write
from tests.stac.range_server import RangeServer

__all__ = ["server"]


def test_the_cache_stays_within_its_size_and_forgets_what_was_used_longest_ago(
    server: RangeServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(cache.VARIABLE, "0.0005")
    noise = np.random.default_rng(2).integers(1, 60_000, (SIDE_PX, SIDE_PX), dtype=np.uint16)
    for number in range(4):
        write(server.folder / f"n{number}.tif", noise, 10, 0)
        path = home / f"n{number}.tif.remote"
        write_remote(path, RemoteRaster(f"{server.address}/n{number}.tif", "open", f"n{number}"), time.time())
        with open_raster(path) as dataset, damage_told(path, "all"):
            assert np.array_equal(dataset.read(1), noise)
    held = cache.usage()
    assert 0 < held.used_bytes <= held.limit_bytes
    assert cache.known(f"{server.address}/n0.tif") is None


def test_a_damaged_cache_is_fetched_anew(server: RangeServer, home: Path) -> None:
    path = home / "red.tif.remote"
    write_remote(path, RemoteRaster(f"{server.address}/red.tif", "open", "red"), 1e9)
    with open_raster(path) as dataset, damage_told(path, "all"):
        before = dataset.read(1)
    held = cache.known(f"{server.address}/red.tif")
    assert held is not None
    size = (held.folder / "data").stat().st_size
    (held.folder / "data").write_bytes(b"\0" * size)
    sent = len(server.sent)
    with open_raster(path) as dataset, damage_told(path, "all"):
        assert np.array_equal(dataset.read(1), before)
    assert len(server.sent) > sent


def test_readers_that_begin_with_one_raster_together_all_read_it(server: RangeServer, home: Path) -> None:
    path = home / "red.tif.remote"
    write_remote(path, RemoteRaster(f"{server.address}/red.tif", "open", "red"), 1e9)

    def read(_: int) -> int:
        with open_raster(path) as dataset, damage_told(path, "all"):
            return int(dataset.read(1).sum())

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(read, range(16)))) == 1


def test_parts_that_readers_want_together_are_asked_for_once(server: RangeServer, home: Path) -> None:
    raster = RemoteRaster(f"{server.address}/red.tif", "open", "red")
    held = cached(raster)
    server.sent.clear()
    server.latency_s = 0.05
    whole = (server.folder / "red.tif").read_bytes()
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(lambda _: read_ranges(raster, held, [(0, held.size)]), range(6)))
    assert all(part == [whole] for part in found)
    assert len({sent[1:] for sent in server.sent}) == len(server.sent) > 0
