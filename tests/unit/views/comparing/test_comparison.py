"""Stores of one ground, whatever their grids, are compared patch by patch, and get colours that mean the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer

from engine.errors import StoreError
from engine.store.schema import TileRows
from engine.store.store import ENCODER, EmbeddingStore
from engine.views.comparing.change import change, change_overlay, patches_of_both
from engine.views.comparing.comparison import compare
from engine.views.comparing.dated_view import dated
from engine.views.comparing.footprints import OnFootprints
from engine.views.comparing.shared_ground import shared_ground
from engine.views.layer_view import view_of
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at
from tests.unit.views.comparing.made import SIDE, ground, store_of, view_on


def test_a_turned_copy_is_the_same_store_and_gets_the_same_colours(tmp_path: Path) -> None:
    values = ground()
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))
    here = store_of(tmp_path / "here", values)
    there = store_of(tmp_path / "there", 2.5 * values @ turn - 3, backbone="rcf")
    found = compare([view_on(here), view_on(there)])
    assert found.pairs[0].cka == pytest.approx(1.0, abs=1e-4)
    assert found.pairs[0].overlap.share > 0.99
    assert found.colours[1].correlations == pytest.approx((1, 1, 1), abs=1e-3)
    own, other = (
        colours.pca.to_rgb(store.read()) for colours, store in zip(found.colours, (here, there), strict=True)
    )
    assert np.abs(own.astype(int) - other.astype(int)).max() <= 2
    raw = found.colours[0].pca.to_rgb(store_of(tmp_path / "raw", values).read())
    assert np.array_equal(own, raw)  # those of the first are its own components


def test_finer_patches_are_averaged_over_the_coarser_ones(tmp_path: Path) -> None:
    values = ground()
    coarse = store_of(tmp_path / "coarse", values[::2, ::2])  # patches of the same size, half as much ground
    fine = store_of(tmp_path / "fine", values)
    blocks = values[:SIDE, :SIDE].reshape(SIDE // 2, 2, SIDE // 2, 2, 5).mean(axis=(1, 3))
    tile = tile_at(0, 0, SIDE // 2)
    tile = type(tile)(
        **{**vars(tile), "height_px": SIDE * 16, "width_px": SIDE * 16}
    )  # patches twice as large
    large = make_store(
        tmp_path / "large",
        [TileRows(tile, (blocks.reshape(-1, 5).astype(np.float32),), np.ones(9, np.float32))],
        meta_of((5,), "float32", patch_px=32),
    )
    with pytest.raises(StoreError, match="share 9 patches"):
        shared_ground([view_on(fine), view_on(large)])
    found = shared_ground([view_on(fine), view_on(coarse)])
    assert found.count == SIDE * SIDE * 2  # what both cover
    read, covered = OnFootprints(view_on(fine)).onto(tile)
    assert covered.all()
    assert np.allclose(read, blocks, atol=1e-4)


@pytest.mark.parametrize("crs", ["EPSG:32618", "EPSG:32619"])
def test_other_grids_and_zones_are_brought_onto_one_and_it_is_said(tmp_path: Path, crs: str) -> None:
    x, y = Transformer.from_crs("EPSG:32618", crs, always_xy=True).transform(400_100.0, 4_100_000.0)
    here, there = (
        store_of(tmp_path / "here", ground()),
        store_of(tmp_path / "there", ground(), 0, (x, y), crs),
    )
    found = shared_ground([view_on(here), view_on(there)])
    assert found.count > 200
    assert "other patches" in found.notes[0]
    assert found.embeddings[1] == pytest.approx(found.embeddings[0], abs=2.5)  # about a patch apart
    assert not shared_ground([view_on(here), view_on(here)]).notes


def test_gaps_of_either_take_no_part(tmp_path: Path) -> None:
    whole, gappy = store_of(tmp_path / "whole", ground()), store_of(tmp_path / "gappy", ground(), gaps=8)
    assert shared_ground([view_on(whole), view_on(gappy)]).count == whole.rows - 8
    assert shared_ground([view_on(gappy), view_on(whole)]).count == whole.rows - 8


def test_change_is_where_something_changed(tmp_path: Path) -> None:
    before, after = ground(), ground()
    after[3:5, 7:9] += [4.0, -4.0, 4.0, -4.0, 4.0]
    stores = [
        store_of(tmp_path / str(n), values, day=f"2020-0{n}-01", gaps=2 * (n - 1))
        for n, values in ((1, before), (2, after))
    ]
    found = change(*map(view_on, stores))
    out = tmp_path / "change.tif"
    change_overlay(found, out)
    assert patches_of_both(found) == stores[0].rows - 2
    with rasterio.open(out) as written:
        cosine, euclidean = written.read()
        assert written.descriptions == ("cosine distance", "euclidean distance")
        assert written.tags()["EMBERSCOPE_AFTER"] == "2020-02-01"
    assert np.isnan(cosine[0, :2]).all()
    assert np.allclose(np.nan_to_num(euclidean)[3:5, 7:9], np.sqrt(5 * 16), atol=1e-3)
    changed = np.zeros(cosine.shape, bool)
    changed[3:5, 7:9] = True
    assert (cosine[changed] > 0.05).all()
    assert np.nanmax(cosine[~changed]) < 1e-5 and np.nanmax(euclidean[~changed]) < 1e-4


def test_change_is_the_same_either_way(tmp_path: Path) -> None:
    stores = [store_of(tmp_path / str(n), ground(seed=n)) for n in range(2)]
    there, back = (change(*map(view_on, pair)) for pair in (stores, stores[::-1]))
    assert np.allclose(
        there.distances(*(s.read() for s in stores)),
        back.distances(*(s.read() for s in stores[::-1])),
        atol=1e-5,
    )


def two_dates(folder: Path) -> EmbeddingStore:
    rows = []
    for number, day in enumerate(("2020-06-01", "2021-07-02", "2021-08-03"), start=1):
        for column in range(2):
            tile = tile_at(column, side=SIDE)
            facts = {
                **vars(tile),
                "id": f"{tile.id}_date{number}",
                "datetimes": (f"{day}T00:00:00+00:00",),
            }
            own = rows_at(tile, seed=number)
            rows.append(TileRows(type(tile)(**facts), own.embeddings, own.valid_fraction))
    return make_store(folder, rows, meta_of((5,), "float32"))


def test_a_store_of_several_dates_is_asked_for_one(tmp_path: Path) -> None:
    view = view_of(two_dates(tmp_path), window=1)
    assert dated(view, "first").days == "2020-06-01"
    assert dated(view, "last").days == dated(view, "2021").days == "2021-08-03"
    assert dated(view, "2021-07").days == "2021-07-02"
    found = change(dated(view, "first"), dated(view, "2021-07"))
    assert found.percentiles["euclidean"][1] > 0
    with pytest.raises(StoreError, match="several dates of the same ground"):
        dated(view)
    with pytest.raises(StoreError, match=r"nothing of the date '1999'; it holds 2020-06-01, "):
        dated(view, "1999")
    with pytest.raises(StoreError, match="given twice with the same date"):
        change(dated(view, "2021"), dated(view, "last"))


def spoilt(folder: Path, kind: str) -> EmbeddingStore:
    values = ground()
    match kind:
        case "one patch":
            return make_store(folder, [rows_at(tile_at(0, side=1))], meta_of((5,), "float32"))
        case "constant":
            return store_of(folder, np.full_like(values, 0.25))
        case "not finite":
            values[2, 3] = np.nan
            return store_of(folder, values)
        case "elsewhere":
            return store_of(folder, values, corner_m=(600_000.0, 4_100_000.0))
        case "another backbone":
            return store_of(folder, values, backbone="rcf")
        case "other weights":
            return store_of(folder, values, weights_sha256="0" * 64)
    raise AssertionError(kind)


@pytest.mark.parametrize(
    ("kind", "compared", "changed"),
    [
        ("one patch", "share 1 patches", "share 1 patches"),
        ("constant", "same embedding everywhere", None),
        ("not finite", "not finite", "not finite"),
        ("elsewhere", "share 0 patches.*Choose stores of the same ground", "share 0 patches"),
        ("another backbone", None, "other backbones .raw and rcf"),
        ("other weights", None, "other weights"),
    ],
)
def test_what_cannot_be_compared_is_said(
    tmp_path: Path, kind: str, compared: str | None, changed: str | None
) -> None:
    good, bad = view_on(store_of(tmp_path / "good", ground())), view_on(spoilt(tmp_path / "bad", kind))
    for pair in ((good, bad), (bad, good)):
        if compared is not None:
            with pytest.raises(StoreError, match=compared):
                compare(pair)
        if changed is not None:
            said = changed.replace("raw and rcf", "(raw and rcf|rcf and raw)")
            with pytest.raises(StoreError, match=said):
                change(*pair)


def test_stores_that_drew_their_own_weights_are_told_how_to_share_them(tmp_path: Path) -> None:
    stores = [store_of(tmp_path / name, ground(), backbone="rcf", weights_sha256=name * 64) for name in "ab"]
    for store in stores:
        (store.folder / ENCODER).touch()
    with pytest.raises(
        StoreError, match=f"extract the other again with backbone.weights: {stores[0].folder / ENCODER}"
    ):
        change(*map(view_on, stores))


def test_more_stores_than_a_screen_shows_are_refused(tmp_path: Path) -> None:
    one = view_on(store_of(tmp_path, ground()))
    for count in (1, 5):
        with pytest.raises(StoreError, match="2 to 4 are compared"):
            compare([one] * count)


def test_a_sample_has_patches_of_every_column_of_a_tile(tmp_path: Path) -> None:
    """Every n-th patch would stand in the same columns of each window, where position looks like ground."""
    view = view_on(store_of(tmp_path / "store", ground()))
    sample = shared_ground((view,), most=SIDE * SIDE * 2)
    assert 10 <= sample.count <= SIDE * SIDE * 2
    assert set(sample.rows % SIDE) == set(range(SIDE))
    assert np.array_equal(sample.rows, shared_ground((view,), most=SIDE * SIDE * 2).rows)
