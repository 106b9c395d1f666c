"""A layer that is finer than the rows of its store is seen as if it had been extracted alone, at its own patches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import rasterio
from pyproj import Transformer

from engine.extraction.encode import fold
from engine.extraction.extract import extract
from engine.extraction.plan import make_plan
from engine.extraction.store_layout import store_meta
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.store.cells import cells_along_side
from engine.store.check import check_store
from engine.store.schema import StoredTile, TileRows
from engine.store.store import EmbeddingStore
from engine.views.clusters import fit_clusters
from engine.views.comparing.change import change, change_tiles
from engine.views.comparing.comparison import compare
from engine.views.comparing.dated_view import dated
from engine.views.export.forms import export
from engine.views.health.card import health
from engine.views.layer_view import view_of
from engine.views.lens.export import write_table
from engine.views.lens.kinds import components_lens
from engine.views.lens.placement import mercator
from engine.views.lens.reduction import reduction_of
from engine.views.lens.reduction_file import read_numbers
from engine.views.pca import fit, pca_of
from engine.views.position import position_share
from tests.unit.store.stores import make_store, meta_of, tile_at
from tests.unit.views.lens.browser import in_browser

ROOT = Path(__file__).resolve().parents[3]
# Of layer 0, a row holds 4 x 4 patches of 6 numbers; layer 1 has one of 5.
CELLS, DIM, SIDE = 4, 6, 5


def whole_tile(column: int, row: int) -> StoredTile:
    tile = tile_at(column, row, side=SIDE)
    return replace(tile, in_window=(0, 0, SIDE, SIDE))


def finer(tile: StoredTile) -> StoredTile:
    side = SIDE * CELLS
    return replace(tile, h=side, w=side, in_window=(0, 0, side, side))


def dense(tile: StoredTile, seed: int) -> np.ndarray:
    """(20, 20, 6) embeddings of the finer layer of a tile."""
    rng = np.random.default_rng([seed, *map(ord, tile.id)])
    side = SIDE * CELLS
    place = np.add.outer(np.arange(side), np.arange(side))[..., None] * np.linspace(0.02, 0.1, DIM)
    return (rng.standard_normal((side, side, DIM)) * np.linspace(3, 1, DIM) + place).astype(np.float32)


def stores_at(home: Path, seed: int = 0) -> tuple[EmbeddingStore, EmbeddingStore]:
    """A store with both layers, and one with the finer alone; the first row of each tile has no data."""
    both, alone = [], []
    for tile in (whole_tile(column, row) for row in range(2) for column in range(2)):
        values, valid = dense(tile, seed), np.ones((SIDE, SIDE), np.float32)
        valid[0, 0] = 0
        coarse = values.reshape(SIDE, CELLS, SIDE, CELLS, DIM).mean(axis=(1, 3))[..., :5]
        rows = fold(values, (SIDE, SIDE)).reshape(tile.rows, -1)
        both.append(TileRows(tile, (rows, coarse.reshape(tile.rows, -1)), valid.ravel()))
        own = valid.repeat(CELLS, 0).repeat(CELLS, 1)
        alone.append(TileRows(finer(tile), (values.reshape(-1, DIM),), own.ravel()))
    meta = meta_of((CELLS**2 * DIM, 5), "float32", cells=(CELLS, 1), has_window_fraction=True)
    own_meta = meta_of((DIM,), "float32", patch_px=16 // CELLS, has_window_fraction=True)
    return make_store(home / "both", both, meta), make_store(home / "alone", alone, own_meta)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> tuple[EmbeddingStore, EmbeddingStore]:
    return stores_at(tmp_path_factory.mktemp("stores"))


Stores = tuple[EmbeddingStore, EmbeddingStore]


def test_rows_and_tiles_are_those_of_the_layer_alone(stores: Stores) -> None:
    both, alone = stores
    own = both.at_own_patches(0)
    assert (own.tiles, own.rows, own.meta.patch_px, own.meta.dims) == (alone.tiles, alone.rows, 4, (DIM,))
    assert (own.read() == alone.read()).all()
    assert (own.read_valid_fraction() == alone.read_valid_fraction()).all()
    assert (own.read_window_fraction() == alone.read_window_fraction()).all()
    for seen, wanted in zip(own.iterate(), alone.iterate(), strict=True):
        assert seen[0] == wanted[0] and (seen[1] == wanted[1]).all() and (seen[2] == wanted[2]).all()
        assert (own.read_tile(seen[0].id) == wanted[1]).all()
    numbers = [3, 41, 800, own.rows - 1]
    assert (view_of(both, 0, 1).rows(numbers) == alone.read()[numbers]).all()
    assert both.at_own_patches(1) is both and own.at_own_patches(0) is own and check_store(both.folder) == []


def test_packed_pages_are_read_alike(stores: Stores, tmp_path: Path) -> None:
    both, alone = stores
    folder = tmp_path / "packed"
    folder.mkdir()
    for part in both.parts:
        file = pq.ParquetFile(part.path)
        pq.write_table(file.read().replace_schema_metadata(file.metadata.metadata), folder / part.path.name)
    packed = EmbeddingStore.open(folder).at_own_patches(0)
    assert (packed.read() == alone.read()).all()
    tile = packed.tiles[-1].id
    assert (packed.read_tile(tile) == alone.read_tile(tile)).all()


@pytest.mark.parametrize("position", ["keep", "remove"])
@pytest.mark.parametrize("window", [1, None])
def test_components_clusters_and_the_map_are_those_of_the_layer_alone(
    stores: Stores, window: int | None, position: str
) -> None:
    seen, wanted = (view_of(store, 0, window, position) for store in stores)
    assert seen.window == wanted.window == (1 if window else 5)
    assert fit(seen).components == pytest.approx(fit(wanted).components)
    assert pca_of(seen).explained_variance_ratio == pytest.approx(pca_of(wanted).explained_variance_ratio)
    assert fit_clusters(seen, 4).centres == pytest.approx(fit_clusters(wanted, 4).centres)
    files = [reduction_of(view) for view in (seen, wanted)]
    numbers = [read_numbers(one.path, one.header) for one in files]
    assert numbers[0].shape == (4 * 400, 16) and (numbers[0] == numbers[1]).all()


def test_the_health_card_is_that_of_the_layer_alone(stores: Stores) -> None:
    both, alone = (health(store)[0] for store in stores)
    assert replace(both, spectrum=()) == replace(alone, spectrum=()) and both.dim == DIM
    assert position_share(stores[0], 0) == position_share(stores[1], 0)


def test_change_and_comparison_are_of_own_patches(stores: Stores, tmp_path: Path) -> None:
    later = stores_at(tmp_path, seed=1)
    found = [change(*(dated(view_of(one, 0, 1)) for one in pair)) for pair in zip(stores, later, strict=True)]
    assert found[0].percentiles == found[1].percentiles
    for seen, wanted in zip(*map(change_tiles, found), strict=True):
        assert np.array_equal(seen[1], wanted[1], equal_nan=True) and seen[1].shape == (2, 20, 20)
    same = compare([dated(view_of(store, 0, 1)) for store in stores])
    assert same.pairs[0].cka == pytest.approx(1) and same.ground.count == 4 * 384


def test_files_hold_own_patches(stores: Stores, tmp_path: Path) -> None:
    tables = []
    for number, store in enumerate(stores):
        view = dated(view_of(store, 0, 1))
        lens = components_lens(reduction_of(view.view).basis, (0,))
        tables.append(pq.read_table(write_table(view, lens, tmp_path / f"{number}.parquet")))
        (made,) = export(store, 0, tmp_path / f"{number}.tif").files
        with rasterio.open(made) as dataset:
            assert (dataset.shape, dataset.count, dataset.res) == ((40, 40), DIM, (120, 120))
        (archive,) = export(store, 0, tmp_path / f"{number}.npz", "npz").files
        with np.load(archive) as kept:
            assert kept["embeddings"].shape == (1600, DIM) and kept["row"].max() == 19
    places = [table.drop([table.column_names[-1]]) for table in tables]
    assert places[0] == places[1] and len(places[0]) == 4 * 384 and b"geo" in tables[0].schema.metadata
    assert tables[0][-1].to_numpy() == pytest.approx(tables[1][-1].to_numpy(), abs=1e-5)


def test_each_layer_lies_in_the_browser_to_a_tenth_of_its_own_patch(stores: Stores, tmp_path: Path) -> None:
    for layer in (0, 1):
        view = view_of(stores[0], layer, 1)
        reduction, (places, wanted) = reduction_of(view), drawn_places(view.store)
        assert in_browser(reduction.path, tmp_path, places=places)["patches"] == wanted


def drawn_places(store: EmbeddingStore) -> tuple[list[list[float]], list[int]]:
    """Places a tenth of a patch from the edges of some patches, in Web Mercator, and the rows of these patches."""
    rng = np.random.default_rng(0)
    places, wanted, first = list[list[float]](), list[int](), 0
    for tile in store.tiles:
        columns, rows = (
            rng.integers(0, tile.w, 40),
            rng.integers(tile.h // SIDE, tile.h, 40),
        )  # the first row has a gap
        x, y = tile.patch_transform @ (np.stack([columns, rows]) + rng.choice([0.1, 0.9], (2, 40)))
        lon, lat = Transformer.from_crs(tile.crs, "EPSG:4326", always_xy=True).transform(x, y)
        places += np.stack(mercator(lon, lat), axis=1).tolist()
        wanted += (first + rows * tile.w + columns).tolist()
        first += tile.rows
    return places, wanted


def configs(backbone: str, layers: list[int] | None, **tiles: int) -> Iterator[ExtractConfig]:
    config = parse_config({
        "kind": "extract", "scene": {"source": "file", "path": str(ROOT / "assets/samples/fire_scar.tif")},
        "backbone": {"name": backbone, "layers": layers}, "tiles": tiles,
    })  # fmt: skip
    assert isinstance(config, ExtractConfig)
    yield config


@pytest.mark.parametrize(
    ("layers", "said", "cells"),
    [([0, 2, 3], "0 (2 px), 2 (8 px)", (8, 2, 1)), ([1], "", ()), ([-1, -2], "3 (16 px)", (1, 2)), (None, "", (1, 2))],
)  # fmt: skip
def test_a_plan_says_which_layers_are_finer_than_its_rows(
    layers: list[int] | None, said: str, cells: tuple[int, ...], tmp_path: Path
) -> None:
    (config,) = configs("csmask_b4_l2a", layers)
    plan = make_plan(config, tmp_path)
    notes = [note for note in plan.notes if "side by side in the row" in note]
    assert bool(notes) == bool(said) and all(said in note for note in notes)
    assert store_meta(plan, "random").cells == cells


def test_passes_between_rows_are_told_to_be_shown_together(tmp_path: Path) -> None:
    (config,) = configs("csmask_b4_l2a", [0, 3], stride_px=8)
    plan = make_plan(config, tmp_path)
    assert any("one embedding of 8 px" in note for note in plan.notes)
    assert store_meta(plan, "random").cells == ()


def test_stores_of_earlier_versions_are_understood_by_the_card_of_their_backbone() -> None:
    meta = meta_of((64 * 24, 32), backbone="csmask_b4_l2a", patch_px=16)
    assert cells_along_side(replace(meta, layers=(0, 3)), 0) == 8
    assert cells_along_side(meta_of((5, 5), backbone="of another program"), 0) == 1
    assert cells_along_side(meta_of((448,), backbone="csmask_b4_l2a", patch_px=2), 0) == 1


def test_patches_beyond_the_scene_are_not_there_in_any_layer(tmp_path: Path) -> None:
    (config,) = configs("csmask_b4_l2a", [0, 1, 3])
    for _ in extract(config, tmp_path / "run", tmp_path):
        pass
    store = EmbeddingStore.open(tmp_path / "run")
    with rasterio.open(ROOT / "assets/samples/fire_scar.tif") as scene:
        ground, inside = scene.bounds, scene.read_masks().all(axis=0).sum()
    assert check_store(store.folder) == []
    for layer, side in ((0, 2), (1, 4), (3, 16)):
        own = store.at_own_patches(layer)
        assert own.read_valid_fraction().sum() * side**2 == pytest.approx(inside)
        for tile, valid in view_of(store, layer, 1).valid_by_tile().items():
            place = next(one for one in own.tiles if one.id == tile)
            row, column = np.nonzero(valid > 0)
            x, y = place.patch_transform @ np.stack([column + 0.5, row + 0.5])
            reach = side / 2 * 30
            assert (x > ground.left - reach).all() and (x < ground.right + reach).all()
            assert (y > ground.bottom - reach).all() and (y < ground.top + reach).all()
