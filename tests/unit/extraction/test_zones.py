"""An extraction over several files: zones, dates and gaps end in one store that is whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from shapely.geometry import box

from engine.errors import StoreError
from engine.extraction import extract as job
from engine.extraction.cost.estimate import estimate
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.store.check import check_store
from engine.store.store import EmbeddingStore
from engine.views.layer_view import view_of
from engine.views.maps.overlay import pca_overlay
from tests.unit.store.stores import stop_after_the_first_part

WriteRaster = Callable[..., Path]


@pytest.fixture
def config(write_raster: WriteRaster, tmp_path: Path) -> ExtractConfig:
    """Two rasters that share half of their ground, in zones 17 and 18; all pixels of a raster are alike."""
    x, _ = Transformer.from_crs(32617, 32618, always_xy=True).transform(757_000 + 64 * 30, 4_100_000)
    for name, value, crs, west in (
        ("clear", 1000, "EPSG:32617", 757_000),
        ("cloudy", 3000, "EPSG:32618", round(x / 30) * 30),
    ):
        write_raster(f"two/{name}.tif", np.full((6, 128, 128), value, np.int16), crs=crs, nodata=-9999,
                     transform=Affine(30, 0, west, 0, -30, 4_100_000),
                     EMBERSCOPE_CLOUD_PCT="0" if name == "clear" else "50")  # fmt: skip
    parsed = parse_config({
        "kind": "extract", "scene": {"source": "files", "paths": [str(tmp_path / "two")]}, "device": "cpu",
        "backbone": {"name": "raw"}, "tiles": {"size_px": 32, "overlap_px": 8}, "output": {"dtype": "float32"},
    })  # fmt: skip
    assert isinstance(parsed, ExtractConfig)
    return parsed


def test_each_patch_of_ground_is_there_once_from_the_clearer_scene_and_in_its_zone(
    config: ExtractConfig, tmp_path: Path
) -> None:
    list(job.extract(config, tmp_path / "run", tmp_path))
    store = EmbeddingStore.open(tmp_path / "run")
    assert not check_store(store.folder)
    assert {tile.crs for tile in store.tiles} == {"EPSG:32617", "EPSG:32618"}
    assert estimate(config, tmp_path).patches == store.rows
    rows = gpd.read_parquet(store.folder)
    rows = rows[rows.valid_fraction == 1].to_crs(32617)
    assert rows.union_all().area == pytest.approx(rows.area.sum(), rel=2e-3)
    with rasterio.open(tmp_path / "two/clear.tif") as clear:
        ground = box(*clear.bounds)
    value = np.array([embedding[0] for embedding in rows.embedding])
    assert np.allclose(value[rows.within(ground.buffer(-90))], 0.1, atol=1e-3)
    assert np.allclose(value[rows.disjoint(ground.buffer(90))], 0.3, atol=1e-3)
    pca_overlay(view_of(store), tmp_path / "pca.tif")


def test_a_file_that_changed_before_the_resume_is_refused(
    config: ExtractConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config.model_copy(update={"batch_size": 1})
    stop_after_the_first_part(job.extract(config, tmp_path / "run", tmp_path), tmp_path / "run", monkeypatch)
    (tmp_path / "two/cloudy.tif").touch()
    with pytest.raises(StoreError, match="changed since"):
        list(job.extract(config, tmp_path / "run", tmp_path))
