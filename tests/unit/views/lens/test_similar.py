"""Patches are ranked exactly by their cosine with some, over one or several stores."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio

from engine.errors import StoreError
from engine.imagery.geobox import to_lonlat
from engine.views.lens.similar import (
    patch_of,
    ranked,
    similarity,
    similarity_overlay,
    write_matches,
)
from tests.unit.views.comparing.made import COLUMNS, ROWS, SIDE, ground, store_of, view_on


def cosines(values: np.ndarray, mean: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(down, across) of (down, across, D) with one embedding, by definition."""
    centred, own = values - mean, chosen - mean
    return (centred @ own) / (np.linalg.norm(centred, axis=-1) * np.linalg.norm(own))


def test_the_ranking_is_that_of_all_cosines(tmp_path: Path) -> None:
    values = ground()
    view = view_on(store_of(tmp_path, values, gaps=3))
    patch = patch_of(view, "t18_1_2/3/4")
    lens = similarity(view, [patch])
    expected = cosines(values, lens.offset, values[2 * SIDE + 3, SIDE + 4])
    expected[0, :3] = expected[2 * SIDE + 3, SIDE + 4] = -2  # gaps and the patch itself
    found = ranked(lens, [view], 25, [patch])
    assert [match.cosine for match in found] == pytest.approx(np.sort(expected.ravel())[::-1][:25], abs=1e-5)
    out = tmp_path / "similar.tif"
    similarity_overlay(lens, view, out)
    with rasterio.open(out) as written:
        shown = written.read(1)
    assert np.isnan(shown[0, :3]).all()
    assert shown[2 * SIDE + 3, SIDE + 4] == pytest.approx(1, abs=1e-5)
    assert np.nanmax(np.abs(shown - expected)[expected > -2]) < 1e-5


def test_patches_to_be_unlike_push_others_down(tmp_path: Path) -> None:
    values = ground()
    view = view_on(store_of(tmp_path, values))
    like, unlike = patch_of(view, "t18_0_0/0/0"), patch_of(view, "t18_0_0/0/1")
    alone, against = (similarity(view, [like], others) for others in ([], [unlike]))
    assert against.values(values[0, 1])[0] < alone.values(values[0, 1])[0]
    with pytest.raises(StoreError, match="do not differ"):
        similarity(view, [like], [like])


def test_several_stores_are_ranked_together(tmp_path: Path) -> None:
    here = view_on(store_of(tmp_path / "here", ground()))
    there = view_on(store_of(tmp_path / "there", ground()[:, ::-1], corner_m=(500_000.0, 4_200_000.0)))
    patch = patch_of(here, "t18_0_0/2/2")
    found = ranked(similarity(here, [patch]), [here, there], 10, [patch])
    assert (found[0].view, found[0].cosine) == (1, pytest.approx(1, abs=1e-5))  # its copy in the other store
    assert {match.view for match in found} == {0, 1}
    write_matches(tmp_path / "found.parquet", found, [here, there])
    table = gpd.read_parquet(tmp_path / "found.parquet")
    assert list(table["rank"]) == list(range(1, 11))
    assert table["store"][0] == str(there.store.folder)
    with pytest.raises(StoreError, match="other backbones"):
        ranked(
            similarity(here, [patch]),
            [here, view_on(store_of(tmp_path / "rcf", ground(), backbone="rcf"))],
            3,
        )


def test_a_place_names_the_patch_that_holds_it(tmp_path: Path) -> None:
    view = view_on(store_of(tmp_path, ground()))
    x, y = view.chosen[5].patch_transform @ (2.3, 4.8)
    lon, lat = to_lonlat("EPSG:32618").transform(x, y)
    found = patch_of(view, f"{lon},{lat}")
    assert (found.tile, found.row, found.column) == (view.chosen[5], 4, 2)
    assert len(view.chosen) == COLUMNS * ROWS


@pytest.mark.parametrize(
    ("words", "said"),
    [("nothing", "names no patch"), ("t18_0_0/99/0", "patches 0/0 to 5/5"), ("none/0/0", "no tile 'none'"), ("0,0", "no patch at longitude 0"),
     ("1,2,3", "names no patch"), ("t18_0_0/0/0", "has no data")],
)  # fmt: skip
def test_what_names_no_patch_is_said(tmp_path: Path, words: str, said: str) -> None:
    view = view_on(store_of(tmp_path, ground(), gaps=1))
    with pytest.raises(StoreError, match=said):
        patch_of(view, words)


def test_numbers_that_are_not_finite_are_told(tmp_path: Path) -> None:
    good = view_on(store_of(tmp_path / "good", ground()))
    values = ground()
    values[4, 4] = np.nan
    bad = view_on(store_of(tmp_path / "bad", values))
    with pytest.raises(StoreError, match="not finite"):
        ranked(similarity(good, [patch_of(good, "t18_0_0/0/0")]), [good, bad], 3)
