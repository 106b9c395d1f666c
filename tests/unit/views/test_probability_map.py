"""A map of probabilities, cut at thresholds: classes, probability and hectares, held against pixels that are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from PIL import Image

from engine.errors import BadInput, StoreError
from engine.views.maps.class_polygons import class_polygons
from engine.views.maps.picture import Caption, write_map_picture
from engine.views.maps.probability_map import (
    BANDS,
    NODATA,
    STEPS,
    ClassStyle,
    hectares_above,
    hectares_by_step,
    step_of,
    write_classes,
    write_probability,
)

SIDE = 600
BURNT = ClassStyle({1: "burnt"}, 0, "not burnt", {0: (9, 9, 9, 60), 1: (213, 94, 0, 255)}, "burnt")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Steps from 0 to 199 in two far corners of a sparse raster of 256 px blocks; a gap in one of them."""
    path = tmp_path_factory.mktemp("probability") / "probability.tif"
    steps = np.full((SIDE, SIDE), NODATA, np.uint8)
    steps[:50, :200] = np.arange(STEPS)[None]
    steps[-40:, -40:] = 150
    steps[:5, :5] = NODATA
    values = np.where(steps == NODATA, NODATA, 1).astype(np.uint8)
    profile = {"driver": "GTiff", "height": SIDE, "width": SIDE, "count": 2, "dtype": "uint8", "nodata": NODATA,
               "tiled": True, "blockxsize": 256, "blockysize": 256, "sparse_ok": True, "crs": "EPSG:32610",
               "transform": Affine(30, 0, 500_000, 0, -30, 4_500_000)}  # fmt: skip
    with rasterio.open(path, "w", **profile) as out:
        for row, col in ((0, 0), (512, 512)):
            part = np.s_[row : row + 256, col : col + 256]
            window = rasterio.windows.Window(col, row, *reversed(steps[part].shape))
            out.write(np.stack([values[part], steps[part]]), window=window)
        out.descriptions = BANDS
        out.update_tags(EMBERSCOPE_SIMULATED="yes")
    return path


@pytest.mark.parametrize("threshold", [0.0, 0.25, 0.5, 0.505, 0.99])
def test_classes_hectares_and_polygons_agree_at_every_threshold(
    made: Path, tmp_path: Path, threshold: float
) -> None:
    with rasterio.open(write_classes(made, tmp_path / "map.tif", BURNT, threshold)) as written:
        classes = written.read(1)
        assert written.nodata == NODATA
        assert written.colormap(1)[1] == BURNT.colours[1]
        assert written.tags()["EMBERSCOPE_CLASS_1"] == "burnt"
        assert written.tags()["EMBERSCOPE_SIMULATED"] == "yes"
    with rasterio.open(made) as dataset:
        steps = dataset.read(2)
    assert ((classes == 1) == ((steps >= threshold * STEPS - 1e-9) & (steps != NODATA))).all()
    assert ((classes == NODATA) == (steps == NODATA)).all()
    hectares = hectares_above(hectares_by_step(made), BURNT.sought, threshold)["burnt"]
    assert hectares == pytest.approx((classes == 1).sum() * 0.09, rel=2e-3)
    polygons = class_polygons(made, BURNT.sought, threshold)
    assert polygons["hectares"].sum() == pytest.approx(hectares, abs=0.02)
    assert (polygons["probability"] > threshold).all()


def test_the_probability_is_written_from_0_to_1_with_nan_for_nothing(made: Path, tmp_path: Path) -> None:
    with (
        rasterio.open(write_probability(made, tmp_path / "p.tif", BURNT)) as written,
        rasterio.open(made) as dataset,
    ):
        found, steps = written.read(1), dataset.read(2)
        assert written.descriptions == ("probability of burnt",)
    assert (np.isnan(found) == (steps == NODATA)).all()
    assert np.allclose(found[steps != NODATA], (steps[steps != NODATA] + 0.5) / STEPS)


def test_a_picture_shows_the_class_and_what_is_said_of_it(made: Path, tmp_path: Path) -> None:
    caption = Caption(
        "Burnt: somewhere with a name that is far too long for one line " * 3,
        [((213, 94, 0), "burnt")],
        ["1 May"],
    )
    with Image.open(
        write_map_picture(made, tmp_path / "map.png", {1: (213, 94, 0, 255)}, 0.5, caption)
    ) as image:
        pixels = np.asarray(image)
    is_ember = (np.abs(pixels.astype(int) - (215, 114, 33)) < 6).all(axis=-1)  # over bare paper, 85 % opaque
    assert is_ember.mean() > 0.01
    assert (pixels[:8] == 255).all()


@pytest.mark.parametrize("threshold", [-0.1, 1.0, float("nan")])
def test_a_threshold_that_is_no_probability_below_one_is_refused(threshold: float) -> None:
    with pytest.raises(BadInput, match="threshold"):
        step_of(threshold)


def test_another_raster_is_no_map(tmp_path: Path, made: Path) -> None:
    with pytest.raises(StoreError, match="no map of probabilities"):
        hectares_by_step(write_classes(made, tmp_path / "map.tif", BURNT, 0.5))
