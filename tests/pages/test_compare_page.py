"""Compare opens on stores that have something in common; its figures, those of Embeddings and of the commands are the same."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.__main__ import main
from engine.store.store import EmbeddingStore
from engine.views.comparing.dated_view import dated
from engine.views.lens.kinds import components_lens, similarity_lens
from engine.views.lens.reduction import reduction_of
from engine.views.lens.similar import Patch
from pages.ui.compare import data
from pages.ui.embeddings import change_view, gallery, lens_data
from pages.ui.map.lens import Picked
from tests.pages.conftest import OpenPage, words
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at

SIDE = 32


def imported(home: Path, name: str, west: float, dim: int) -> None:
    """A run whose store is a GeoTIFF of embeddings that others made."""
    rng = np.random.default_rng(dim)
    values = rng.standard_normal((dim, SIDE, SIDE)).astype(np.float32)
    profile = {"driver": "GTiff", "height": SIDE, "width": SIDE, "count": dim, "dtype": "float32", "nodata": np.nan,
               "crs": "EPSG:32618", "transform": Affine(10, 0, west, 0, -10, 4_100_000)}  # fmt: skip
    with rasterio.open(home / f"{name}.tif", "w", **profile) as out:
        out.write(values)
    assert main(["import", str(home / f"{name}.tif"), "--out", str(home / name)]) == 0


def test_compare_opens_on_imported_stores_that_share_their_ground(open_page: OpenPage, home: Path) -> None:
    imported(home, "first", 400_000, 8)
    imported(home, "second", 400_050, 10)
    imported(home, "elsewhere", 500_000, 9)
    at = open_page("compare")
    assert not at.exception and not at.error
    assert {at.selectbox(key=f"compare_store_{number}").value for number in (0, 1)} == {"first", "second"}
    assert "Correlation with the first" in words(at) and "Linear CKA" in words(at)
    assert "nothing to compare" not in words(at)
    for link, shown in {
        "nope~0,second~0": ("second", "first"), "first~0": ("first", "second"), "nope~0,elsewhere~9": ("elsewhere", "elsewhere"),
    }.items():  # fmt: skip
        at = open_page("compare", compare=link)
        assert not at.exception and not at.error
        assert tuple(at.selectbox(key=f"compare_store_{number}").value for number in (0, 1)) == shown
        assert ("Store 2 shows the same as store 1" in words(at)) == (shown[0] == shown[1])


def test_maps_open_on_the_scene_that_embeddings_opens_on_where_scenes_lie_far_apart(
    open_page: OpenPage, filled_home: Path, drawn_maps: list[dict[str, Any]]
) -> None:
    open_page("compare")
    open_page("embeddings")
    *compared, alone = [home_of(drawn["figure"]) for drawn in drawn_maps if home_of(drawn["figure"])]
    assert len(compared) >= 2 and set(compared) == {alone}
    (south, west), (north, east) = alone
    assert east - west < 0.05 and north - south < 0.05


def home_of(figure: Any) -> Any:
    """What a map opens on."""
    options = [
        child.options for child in figure._children.values() if getattr(child, "function", "") == "view"
    ]
    return tuple(map(tuple, options[0]["home"])) if options and options[0]["page"] != "start" else None


@pytest.fixture
def stores(tmp_path: Path) -> tuple[EmbeddingStore, EmbeddingStore]:
    meta = meta_of((7,), "float32", patch_px=8)
    made = [
        make_store(tmp_path / name, [rows_at(tile_at(column), (7,), seed) for column in range(3)], meta)
        for seed, name in enumerate(("a", "b"))
    ]
    return made[0], made[1]


def told(capsys: pytest.CaptureFixture[str], *command: object) -> dict[str, object]:
    capsys.readouterr()
    assert main([*map(str, command), "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out.splitlines()[-1]))


def test_figures_of_the_pages_are_those_of_the_commands(
    stores: tuple[EmbeddingStore, EmbeddingStore], capsys: pytest.CaptureFixture[str]
) -> None:
    views = [lens_data.view(store, 0, 3, "keep") for store in stores]
    shown = [dated(view) for view in views]
    for distance in ("cosine", "euclidean"):
        seen = change_view._seen(*shown, distance)
        found = told(capsys, "change", *(store.folder for store in stores), "--distance", distance)
        assert found["percentiles"] == {
            name: [round(one, 6) for one in row] for name, row in seen.found.percentiles.items()
        }
    keys = tuple(data.key_of(store, 0, None, "keep") for store in stores)
    compared = data.comparison(keys, [data.view(key, store) for key, store in zip(keys, stores, strict=True)])
    pair = told(capsys, "compare", *(store.folder for store in stores))["pairs"][0]  # type: ignore[index]
    assert (pair["cka"], pair["neighbour_overlap"]) == pytest.approx(
        (compared.pairs[0].cka, compared.pairs[0].overlap.share), abs=1e-6
    )
    tile = stores[0].tiles[1]
    lens = similarity_lens(
        reduction_of(views[0]).basis.mean, views[0].rows([tile.rows + 5]), np.empty((0, 7))
    )
    looked = SimpleNamespace(lens=lens, picked=Picked((tile.rows + 5,)), view=views[0])
    nearest = gallery._nearest(("asked once",), looked, shown)  # type: ignore[arg-type]
    ranked = told(
        capsys, "similar", stores[0].folder, "--patch", Patch(tile, 1, 1).name, "--stores", stores[1].folder, "--top", 12
    )["matches"]  # fmt: skip
    assert {one.view for one in nearest} == {0, 1}
    assert [(one.patch.name, round(one.cosine, 4)) for one in nearest] == [
        (one["patch"], round(one["cosine"], 4)) for one in ranked  # type: ignore[attr-defined]
    ]  # fmt: skip


def test_whitened_components_of_the_map_have_one_spread_and_are_those_of_the_file(
    stores: tuple[EmbeddingStore, EmbeddingStore],
) -> None:
    view = lens_data.view(stores[0], 0, 1, "keep")
    reduction = lens_data.reduction(view)
    lens = components_lens(reduction.basis, (0, 1, 2), reduction.deviations)
    values = stores[0].read()
    spread = lens.values(values).std(axis=0) / (lens.high - lens.low)
    assert spread == pytest.approx([0.25] * 3, rel=1e-3)  # two deviations to both sides
    exact, seen = lens.steps(values), lens.reduced(reduction.basis).steps(reduction.numbers())
    assert np.median(np.abs(exact.astype(int) - seen)) < 3
    assert np.corrcoef(exact.ravel(), seen.ravel())[0, 1] > 0.99
