"""Files of what is seen hold the numbers of the embeddings themselves, at their place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from PIL import Image

from engine.errors import StoreError
from engine.views.clusters import fit_clusters
from engine.views.comparing.dated_view import DatedView, dated
from engine.views.layer_view import view_of
from engine.views.lens.export import write_geotiff, write_picture, write_table
from engine.views.lens.kinds import clusters_lens, components_lens, similarity_lens
from engine.views.lens.norms import norms_lens, norms_of
from engine.views.lens.outlines import write_outlines
from engine.views.lens.reduction import reduction_of
from engine.views.lens.scalar_file import scalar_file, scalar_lens
from engine.views.maps.picture import Caption
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at
from tests.unit.views.lens.browser import in_browser


@pytest.fixture
def view(tmp_path: Path) -> DatedView:
    tiles = [rows_at(tile_at(column), dims=(8,), gaps=column) for column in range(3)]
    return dated(view_of(make_store(tmp_path / "run", tiles, meta_of((8,), "float32")), window=1))


def test_a_similarity_is_a_band_of_cosines_and_a_threshold_hides_none(
    view: DatedView, tmp_path: Path
) -> None:
    basis = reduction_of(view.view).basis
    lens = similarity_lens(basis.mean, view.view.rows([7]), threshold=0.9)
    with rasterio.open(write_geotiff(view, lens, tmp_path / "seen.tif")) as made:
        cosines = made.read(1)
        assert made.tags()["EMBERSCOPE_THRESHOLD"] == "0.9"
        assert made.crs.to_epsg() == 32618
    wanted = lens.values(view.store.read())[:, 0]
    has_data = view.store.read_valid_fraction() > 0
    laid = np.concatenate([wanted[first : first + 16].reshape(4, 4) for first in (0, 16, 32)], axis=1)
    gaps = np.concatenate([has_data[first : first + 16].reshape(4, 4) for first in (0, 16, 32)], axis=1)
    assert np.isnan(cosines[~gaps]).all()
    assert cosines[gaps] == pytest.approx(laid[gaps])


def test_outlines_are_those_of_the_ground_above_a_threshold_and_of_classes(
    view: DatedView, tmp_path: Path
) -> None:
    lens = similarity_lens(reduction_of(view.view).basis.mean, view.view.rows([7]), threshold=0.4)
    out = tmp_path / "seen.geojson"
    count = write_outlines(view, lens, out)
    found = gpd.read_file(out)
    has_data = view.store.read_valid_fraction() > 0
    above = (lens.values(view.store.read())[:, 0] >= 0.4) & has_data
    assert (len(found), found["patches"].sum()) == (count, above.sum())
    assert found["hectares"].to_numpy() == pytest.approx(found["patches"] * 48.0**2 * 100 / 1e4, rel=0.01)
    assert found.crs.to_epsg() == 4326
    classes = clusters_lens(fit_clusters(view.view, 3), {1: "water"})
    write_outlines(view, classes, out)
    assert (
        gpd.read_file(out).groupby("name")["patches"].sum()["water"]
        == (classes.classes(view.store.read())[has_data] == 1).sum()
    )
    with pytest.raises(StoreError, match="no outlines"):
        write_outlines(view, replace(lens, threshold=None), out)
    with pytest.raises(StoreError, match="Choose a lower one"):
        write_outlines(view, replace(lens, threshold=1.5), out)


def test_norms_are_the_lengths_of_what_is_shown_in_the_browser_and_in_files(
    view: DatedView, tmp_path: Path
) -> None:
    norms = norms_of(view.view)
    has_data = view.store.read_valid_fraction() > 0
    lengths = np.linalg.norm(view.store.read(), axis=1)
    assert (norms.low, norms.high) == pytest.approx(np.percentile(lengths[has_data], [2, 98]), rel=1e-5)
    lens = norms_lens(8, norms.low, norms.high)
    assert lens.values(view.store.read())[:, 0] == pytest.approx(lengths, rel=1e-5)
    steps = in_browser(norms.path, tmp_path, lenses=[scalar_lens("norm", norms.low, norms.high).to_json()])[
        "steps"
    ]
    differences = np.abs(np.array(steps[0]) - lens.steps(view.store.read())[:, 0].astype(int))
    assert differences[has_data].max() <= 2
    written = norms.path.stat().st_mtime_ns
    assert norms_of(view.view).path.stat().st_mtime_ns == written


def test_a_table_has_the_patches_with_data_their_place_and_their_class(
    view: DatedView, tmp_path: Path
) -> None:
    lens = clusters_lens(fit_clusters(view.view, 3), {1: "water"})
    table = gpd.read_parquet(write_table(view, lens, tmp_path / "seen.parquet"))
    has_data = view.store.read_valid_fraction() > 0
    assert len(table) == has_data.sum()
    assert (table["class"].to_numpy() == lens.classes(view.store.read()[has_data])).all()
    assert set(table["class_name"]) <= {"cluster 1", "water", "cluster 3"}
    assert table.crs.to_epsg() in (4326, None)
    assert table.geometry.is_valid.all()


def test_components_are_colours_and_a_picture_has_its_words_below(view: DatedView, tmp_path: Path) -> None:
    lens = components_lens(reduction_of(view.view).basis, (0, 1, 2))
    with rasterio.open(write_geotiff(view, lens, tmp_path / "seen.tif")) as made:
        assert made.descriptions == ("PC 1 (red)", "PC 2 (green)", "PC 3 (blue)", "alpha")
        assert made.read(4).min() == 0
    page = Image.open(write_picture(view, lens, tmp_path / "seen.png", Caption("Title", [], ["Source"])))
    assert page.height > 200
    assert not list(tmp_path.glob(".picture*"))


def test_one_number_a_patch_reaches_the_browser_to_a_hundredth_of_a_percent(
    view: DatedView, tmp_path: Path
) -> None:
    numbers = {
        tile.id: np.random.default_rng(row).random((tile.h, tile.w)) for row, tile in enumerate(view.chosen)
    }
    numbers[view.chosen[0].id][0, 0] = np.nan
    path = tmp_path / "change.bin"
    scalar_file(path, "one", 1.0, lambda: ((tile, numbers[tile.id]) for tile in view.chosen))
    asked = scalar_lens("distance", 0.0, 1.0).to_json()
    (found,) = in_browser(path, tmp_path, lenses=[asked])["steps"]
    wanted = np.concatenate([one.ravel() for one in numbers.values()])[1:] * 255
    assert np.abs(np.array(found[1:]) - wanted).max() < 0.6
    written = path.stat().st_mtime_ns
    scalar_file(path, "one", 1.0, lambda: pytest.fail("it is there already"))
    assert path.stat().st_mtime_ns == written
