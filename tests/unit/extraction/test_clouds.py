"""Clouds become gaps of the store where the configuration says so, and only there."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from engine.errors import MissingBand
from engine.extraction import extract as job
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.paths import PROJECT

SIDE = 256
CLOUD = np.array([0.75, 0.74, 0.74, 0.76, 0.55, 0.42], np.float32).reshape(6, 1, 1)


@pytest.fixture(scope="module")
def clouded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A piece of the sample scene with a soft, bright cloud painted over its middle."""
    path = tmp_path_factory.mktemp("clouded") / "clouded.tif"
    with rasterio.open(PROJECT / "assets" / "samples" / "virginia.tif") as whole:
        window = Window(256, 256, SIDE, SIDE)
        stored, tags, scale = whole.read(window=window), whole.tags(), np.float32(whole.scales[0])
        profile = {
            "driver": "GTiff", "height": SIDE, "width": SIDE, "count": 6, "dtype": stored.dtype, "crs": whole.crs,
            "transform": whole.window_transform(window), "nodata": whole.nodata,
        }  # fmt: skip
        names, scales, offsets = whole.descriptions, whole.scales, whole.offsets
    rows, columns = np.mgrid[:SIDE, :SIDE]
    opacity = np.exp(-((((rows - 128) ** 2 + (columns - 128) ** 2) / 45**2) ** 2)).astype(np.float32)
    painted = stored * (1 - opacity) + CLOUD / scale * opacity
    with rasterio.open(path, "w", **profile) as made:
        made.write(painted.astype(stored.dtype))
        made.descriptions, made.scales, made.offsets = names, scales, offsets
        made.update_tags(**tags)
    return path


def _shares(path: Path, folder: Path, backbone: str, clouds: str) -> tuple[np.ndarray, np.ndarray]:
    """Distance in pixels of each patch from the cloud's middle, and its valid share."""
    config = parse_config({
        "kind": "extract", "scene": {"source": "file", "path": str(path)}, "backbone": {"name": backbone},
        "clouds": clouds, "device": "cpu", "tiles": {"size_px": SIDE},
    })  # fmt: skip
    assert isinstance(config, ExtractConfig)
    list(job.extract(config, folder, folder.parent))
    with rasterio.open(path) as dataset:
        grid, crs = dataset.transform, dataset.crs
    frame = gpd.read_parquet(folder / "store").to_crs(crs)
    columns, rows = ~grid @ (frame.geometry.centroid.x.to_numpy(), frame.geometry.centroid.y.to_numpy())
    return np.hypot(columns - SIDE / 2, rows - SIDE / 2), frame.valid_fraction.to_numpy()


@pytest.mark.parametrize("backbone", ["raw", "efficientnet_lite0"])  # the second reads three bands only
def test_a_cloud_is_a_gap_of_the_store_and_clear_ground_is_not(
    clouded: Path, tmp_path: Path, backbone: str
) -> None:
    away_px, kept = _shares(clouded, tmp_path / "kept", backbone, "keep")
    _, masked = _shares(clouded, tmp_path / "masked", backbone, "mask")
    under, clear = away_px < 20, (away_px > 100) & (kept == 1)
    assert kept[under].min() == 1
    assert masked[under].mean() < 0.1
    assert masked[clear].mean() > 0.9


def test_a_scene_without_the_bands_of_the_mask_is_refused(clouded: Path, tmp_path: Path) -> None:
    three = tmp_path / "three.tif"
    with (
        rasterio.open(clouded) as dataset,
        rasterio.open(three, "w", **{**dataset.profile, "count": 3}) as made,
    ):
        made.write(dataset.read([1, 2, 3]))
        made.descriptions = dataset.descriptions[:3]
        made.update_tags(**dataset.tags())
    with pytest.raises(MissingBand, match="The cloud mask needs band 'nir_narrow'"):
        _shares(three, tmp_path / "run", "efficientnet_lite0", "mask")
