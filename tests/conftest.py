"""Small real inputs that every test may use: rasters with a CRS, a home of its own, the raw backbone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from tests.stac.world import World
from tests.stac.world import stac_world as started_world

HLS_BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
WriteRaster = Callable[..., Path]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runs root that belongs to one test."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("EMBERSCOPE_HOME", str(folder))
    return folder


@pytest.fixture
def write_raster(tmp_path: Path) -> WriteRaster:
    """Writes a GeoTIFF: write_raster(name, pixels (C, H, W), crs=..., transform=..., nodata=..., names=...)."""

    def write(
        name: str,
        pixels: np.ndarray,
        crs: str | None = "EPSG:32618",
        transform: Affine | None = None,
        nodata: float | None = None,
        names: tuple[str, ...] | None = HLS_BANDS,
        creation: dict[str, Any] | None = None,
        **tags: Any,
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        profile = {
            "driver": "GTiff",
            "count": pixels.shape[0],
            "height": pixels.shape[1],
            "width": pixels.shape[2],
        }
        profile |= creation or {}
        grid = transform or Affine(20, 0, 400_000, 0, -20, 4_100_000)
        with rasterio.open(
            path, "w", dtype=pixels.dtype, crs=crs, transform=grid, nodata=nodata, **profile
        ) as out:
            out.write(pixels)
            if names is not None:
                out.descriptions = names[: pixels.shape[0]]
            out.update_tags(EMBERSCOPE_SENSOR="hls", **tags)
        return path

    return write


@pytest.fixture
def scene_file(write_raster: WriteRaster) -> Path:
    """96 x 96 pixels of six bands, no two pixels alike, DN = reflectance x 10000."""
    pixels = np.random.default_rng(7).integers(100, 4000, (6, 96, 96)).astype(np.int16)
    return write_raster("scene.tif", pixels)


@pytest.fixture(scope="session")
def stac_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A real STAC API on loopback, over COGs of a small piece of ground."""
    with started_world(tmp_path_factory.mktemp("stac")) as world:
        yield world


@pytest.fixture
def stac(stac_world: World, home: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """The same, known to this test as catalogues es, pc, nasa and cdse, with logins; nothing is cached."""
    monkeypatch.setenv("EMBERSCOPE_CATALOGUES", str(stac_world.settings))
    for name in ("EARTHDATA_USERNAME", "EARTHDATA_PASSWORD", "CDSE_USERNAME", "CDSE_PASSWORD"):
        monkeypatch.setenv(name, "somebody")
    stac_world.files.sent.clear()
    stac_world.files.asked.clear()
    return stac_world


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser journeys come first: they go to one process as a whole, and the other takes all else meanwhile."""
    items.sort(key=lambda item: "journeys" not in item.path.parts)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With `-n 2`, files go to whichever process is free, each as a whole, so that what its tests share is made once.

    All journeys go to one process, which shares its browser, and so do the tests of leaderboards, which share theirs.

    `--dist loadgroup` would be the usual way; pytest-xdist 3.8 cannot mark groups under pytest 9.2.
    """
    from xdist.scheduler import LoadScopeScheduling

    config.option.loadscopereorder = False  # the order above is meant
    scheduler = LoadScopeScheduling(config, log)
    together = ("tests/journeys/", "tests/unit/learning/leaderboard/")
    scheduler._split_scope = lambda nodeid: next(
        (start for start in together if nodeid.startswith(start)), nodeid.partition("::")[0]
    )
    return scheduler
