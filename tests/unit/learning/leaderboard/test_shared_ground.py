"""An annual product beside a dated extraction: one division, the same labels, and every row judged on the same pixels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer

from engine.errors import BadInput, ConfigError
from engine.extraction.extract import ensure_store, store_folder
from engine.jobs import folder as run_folder
from engine.jobs.configuration.annual_against_dated import annual_against_dated
from engine.jobs.configuration.config import config_hash, parse_config, to_yaml, yaml_mapping
from engine.jobs.configuration.train import SplitConfig
from engine.learning.leaderboard.entries import open_entries
from engine.learning.leaderboard.run import leaderboard
from engine.learning.leaderboard.shared_ground.answer import answer_of
from engine.learning.tasks.table import task_of
from engine.learning.truth import labelled_tiles
from engine.store.importing.taking import import_embeddings
from engine.store.pixels_at import TilesByCrs
from engine.store.store import EmbeddingStore
from tests.unit.learning.leaderboard.conftest import summary_of
from tests.unit.learning.leaderboard.test_leaderboard import last_of
from tests.unit.store.products.made import alphaearth

# The scene: 20 m pixels; the annual product: 10 m pixels, shifted by half a pixel, and ending before the scene does.
_SIDE, _WEST, _NORTH = 192, 400_000.0, 4_100_000.0
_ANNUAL_SIDE, _SHIFT_M = 300, 5.0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene with scars and their labels, its own extraction, and AlphaEarth's file of three quarters of the ground."""
    home = tmp_path_factory.mktemp("annual")
    burned = _burned()
    _write(home / "scene_20240914.tif", _reflectances(burned), "float32")
    labels = burned.astype(np.int16)
    labels[:, 100:105] = -1
    _write(home / "labels.tif", labels[None], "int16")
    config = parse_config({
        "kind": "extract", "scene": {"source": "file", "path": str(home / "scene_20240914.tif"), "sensor": "hls_s30"}, "device": "cpu",
        "backbone": {"name": "raw", "settings": {"patch_px": "8"}}, "tiles": {"size_px": 48}, "output": {"dtype": "float32"},
    })  # fmt: skip
    for _ in ensure_store(config, home):
        pass
    (home / "dated").symlink_to(store_folder(config, home))
    vectors = _vectors(burned)
    gaps = np.zeros((_ANNUAL_SIDE, _ANNUAL_SIDE), bool)
    gaps[:20, :20] = True
    _annual_file(home / "annual" / "2024" / "18N" / "x.tif", vectors, gaps)
    import_embeddings(home / "annual" / "2024" / "18N" / "x.tif", home / "alpha", in_place=True)
    return home


_BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")


def _burned() -> np.ndarray:
    """(side, side) bool: a scar every 48 pixels, so that every place has one."""
    row, column = np.mgrid[0:_SIDE, 0:_SIDE]
    return np.hypot(row % 48 - 20, column % 48 - 26) < 14


def _reflectances(burned: np.ndarray) -> np.ndarray:
    image = np.stack([np.full(burned.shape, value) for value in (0.03, 0.06, 0.04, 0.35, 0.2, 0.1)])
    image[:, burned] = np.array([0.04, 0.05, 0.06, 0.08, 0.2, 0.22])[:, None]
    return (image + np.random.default_rng(0).normal(0, 0.02, image.shape)).astype(np.float32)


def _vectors(burned: np.ndarray) -> np.ndarray:
    """(annual side, annual side, 64) of length 1, a little of which tells burnt from not."""
    pixels = (np.arange(_ANNUAL_SIDE) + 0.5) * 10 + _SHIFT_M
    at = np.minimum((pixels / 20).astype(int), _SIDE - 1)
    noise = np.random.default_rng(1).normal(size=(_ANNUAL_SIDE, _ANNUAL_SIDE, 64))
    noise[..., 0] += np.where(burned[np.ix_(at, at)], 4, -4)
    return (noise / np.linalg.norm(noise, axis=-1, keepdims=True)).astype(np.float32)


def _annual_file(path: Path, vectors: np.ndarray, gaps: np.ndarray) -> None:
    alphaearth(path, vectors, gaps)
    with rasterio.open(path, "r+") as file:
        north = _NORTH - _SHIFT_M
        file.transform = Affine(10, 0, _WEST + _SHIFT_M, 0, 10, north - _ANNUAL_SIDE * 10)


def _write(path: Path, values: np.ndarray, dtype: str) -> None:
    where = {
        "crs": "EPSG:32618",
        "transform": Affine(20, 0, _WEST, 0, -20, _NORTH),
        "height": _SIDE,
        "width": _SIDE,
    }
    with rasterio.open(path, "w", driver="GTiff", count=len(values), dtype=dtype, **where) as out:
        out.write(values)
        if len(values) == len(_BANDS):
            out.descriptions = _BANDS


def _config(place: Path, **changes: object) -> Any:
    found = annual_against_dated(str(place / "alpha"), str(place / "dated"), str(place / "labels.tif"))
    tree = yaml_mapping(to_yaml(found).encode(), "here")
    tree["training"] |= {"split": {"test": 0.4}, "epochs": 3, "batch_patches": 4096, "baselines": ["nbr"]}
    return parse_config({**tree, "device": "cpu", "seeds": [0, 1], **changes})


def test_every_store_is_judged_on_the_same_labelled_pixels(place: Path) -> None:
    first, annual = last_of(open_entries(_config(place), place))
    tested = labelled_tiles(first.store, first.prepared.truth, first.prepared.split.tiles["test"])
    own = np.concatenate([one.pixels.ravel() for one in tested])
    assert annual.judged is not None
    truth = np.concatenate([one.truth for one in annual.judged.values()])
    assert np.bincount(truth, minlength=2).tolist() == np.bincount(own[own >= 0], minlength=2).tolist()
    places = [
        set(one.prepared.split.places[one.prepared.split.tiles["test"]].tolist()) for one in (first, annual)
    ]
    assert places[0] == places[1]
    # each judged pixel of the product holds the middle of the dated pixel whose label it has
    burned = _burned()
    for number, one in annual.judged.items():
        tile = annual.store.tiles[number]
        row, column = np.divmod(one.pixels, tile.width_px)
        x, y = tile.pixel_transform @ (column + 0.5, row + 0.5)
        away = [np.abs((part + 0.5) % 1 - 0.5) for part in ((x - _WEST) / 20 - 0.5, (_NORTH - y) / 20 - 0.5)]
        assert max(part.max() for part in away) <= 0.25 + 1e-9
        assert (burned[((_NORTH - y) / 20).astype(int), ((x - _WEST) / 20).astype(int)] == one.truth).all()


def test_ground_without_a_label_or_without_an_embedding_in_one_store_counts_in_none(place: Path) -> None:
    first, annual = last_of(open_entries(_config(place), place))
    for entry in (first, annual):
        every = np.concatenate(list(entry.prepared.split.tiles.values()))
        for one in labelled_tiles(entry.store, entry.prepared.truth, every):
            row, column = np.nonzero(one.pixels >= 0)
            x, y = one.tile.pixel_transform @ (column + 0.5, row + 0.5)
            assert (x < _WEST + 3005).all()
            assert (y > _NORTH - 3005).all()
            assert not ((x < _WEST + 200) & (y > _NORTH - 200)).any()  # the gap of the product
            assert not ((x > _WEST + 2000) & (x < _WEST + 2100)).any()  # no label


def test_the_report_gives_the_paired_difference_and_says_what_annual_means(
    place: Path, tmp_path: Path
) -> None:
    config = _config(place)
    run_folder.create(tmp_path / "board", config)
    summary = summary_of(list(leaderboard(config, tmp_path / "board", place)))
    assert len({row["pixels"] for row in summary["rows"]}) == 1
    assert {row["head"] for row in summary["rows"]} == {"linear"}
    (pair,) = summary["pairs"]
    low, high = pair["interval"]
    assert low <= pair["value"] <= high
    assert f"{abs(pair['value']):.3f}" in summary["verdict"]["sentences"][0]
    assert summary["verdict"]["sentences"][0].startswith(
        f"On these {pair['places']} test places dated raw reaches"
    )
    told = " ".join(summary["notes"])
    assert f"the same {summary['rows'][0]['pixels']:,} labelled pixels" in told
    assert "alphaearth_v1 is an annual product of 2024" in told
    assert "2024-09-14, inside that year" in told
    page = (tmp_path / "board" / "leaderboard.html").read_text()
    assert "annual product of 2024" in page
    assert [one for one in summary["baselines"] if one["backbone"].startswith("NBR")]


@pytest.mark.parametrize(
    ("value", "interval", "said"),
    [
        (0.1, (0.04, 0.2), "The dated one is better by 0.100; on other places like these it would be by 0.040 to 0.200"),
        (-0.1, (-0.2, -0.04), "The annual one is better by 0.100; on other places like these it would be by 0.040 to 0.200"),
        (-0.1, (-0.2, 0.04), "is not sure: the annual one leads by 0.100, and on other places like these its lead would be -0.040 to +0.200"),
        (0.1, None, "so few places cannot tell"),
    ],
)  # fmt: skip
def test_the_answer_says_who_is_better_by_how_much_and_how_sure_that_is(
    value: float, interval: tuple[float, float] | None, said: str
) -> None:
    rows = [
        {
            "backbone": name,
            "is_annual": name == "alphaearth_v1",
            "validation_mean": 0.5,
            "iou_burned_mean": score,
        }
        for name, score in (("rcf", 0.5 + value), ("alphaearth_v1", 0.5))
    ]
    is_clear = interval is not None and interval[0] * interval[1] > 0
    found = {"value": value, "interval": interval, "is_clear": is_clear, "places": 6}
    told = answer_of(rows, lambda one, other: found if other["is_annual"] else {}, task_of("burn_scars"))
    assert said in told and told.startswith("On these 6 test places dated rcf reaches")
    assert answer_of(rows[:1], lambda one, other: found, task_of("burn_scars")) == ""


@pytest.mark.parametrize(
    ("day", "said"), [("2023-08-01", "before that year"), ("2025-02-01", "cannot show what burned after")]
)
def test_a_fire_before_or_after_the_year_is_said(place: Path, day: str, said: str) -> None:
    from engine.learning.leaderboard.shared_ground.words import told_of

    first, annual = last_of(open_entries(_config(place), place))
    tiles = tuple(replace(tile, datetimes=(f"{day}T00:00:00+00:00",)) for tile in first.store.tiles)
    store = EmbeddingStore(first.store.folder, first.store.meta, first.store.parts)
    store.__dict__["tiles"] = tiles
    told = told_of([("own", replace(first.prepared, store=store)), (annual.title, annual.prepared)])
    assert said in " ".join(told)


def test_pixels_are_found_across_the_seam_of_two_zones(place: Path) -> None:
    tiles = EmbeddingStore.open(place / "dated").tiles
    there = Transformer.from_crs("EPSG:32618", "EPSG:32617", always_xy=True)
    west, north = there.transform(_WEST, _NORTH)
    turned = replace(
        tiles[0],
        crs="EPSG:32617",
        height_px=96,
        width_px=96,
        transform=(20.0, 0.0, west - 300, 0.0, -20.0, north + 300),
    )
    found = TilesByCrs(tiles, range(len(tiles))).at(turned)
    assert (found.tiles >= 0).any()
    for pixel in np.flatnonzero(found.tiles >= 0)[::97].tolist():
        row, column = divmod(pixel, turned.width_px)
        x, y = Transformer.from_crs("EPSG:32617", "EPSG:32618", always_xy=True).transform(
            *(turned.pixel_transform @ (column + 0.5, row + 0.5))
        )
        own = tiles[found.tiles[pixel]]
        at = divmod(int(found.pixels[pixel]), own.width_px)
        across, down = ~own.pixel_transform @ (x, y)
        assert at == (int(down), int(across))


def test_what_cannot_be_judged_on_shared_ground_is_refused_in_words(place: Path) -> None:
    elsewhere = np.zeros((1, 40, 40), np.int16)
    with rasterio.open(
        place / "far.tif", "w", driver="GTiff", count=1, dtype="int16", crs="EPSG:32618", height=40, width=40,
        transform=Affine(20, 0, _WEST + 3100, 0, -20, _NORTH - 3100),
    ) as out:  # fmt: skip
        out.write(elsewhere)
    config = _config(place)
    tree = yaml_mapping(to_yaml(config).encode(), "here")
    tree["training"]["labels"] = {"source": "raster", "path": str(place / "far.tif")}
    with pytest.raises(ConfigError, match="no label on ground that all stores have"):
        last_of(open_entries(parse_config(tree), place))
    with pytest.raises(BadInput, match="without travel"):
        parse_config({**yaml_mapping(to_yaml(config).encode(), "here"), "travel": "place"})
    same = {**yaml_mapping(to_yaml(config).encode(), "here"), "ground": "same"}
    without = {key: value for key, value in same.items() if key != "ground"}
    assert config_hash(parse_config(same)) == config_hash(parse_config(without))


def test_a_linear_head_learns_what_one_number_tells_though_a_product_has_few_tiles(tmp_path: Path) -> None:
    rng, burned = np.random.default_rng(0), _burned()
    _write(tmp_path / "labels.tif", burned.astype(np.int16)[None], "int16")
    for name, told in (("annual_2021", 0.4), ("dated_2021", 6.0)):
        numbers = rng.normal(size=(32, _SIDE, _SIDE)).astype(np.float32)
        numbers[3] += told * burned
        _write(tmp_path / f"{name}.tif", numbers, "float32")
        import_embeddings(tmp_path / f"{name}.tif", tmp_path / name, in_place=True)
    config = annual_against_dated(
        *(str(tmp_path / name / "store") for name in ("annual_2021", "dated_2021")),
        str(tmp_path / "labels.tif"),
    )
    config = config.model_copy(
        update={
            "seeds": (0,),
            "device": "cpu",
            "training": config.training.model_copy(update={"split": SplitConfig(test=0.4), "baselines": ()}),
        }
    )
    run_folder.create(tmp_path / "board", config)
    dated, annual = summary_of(list(leaderboard(config, tmp_path / "board", tmp_path)))["rows"]
    assert dated["iou_burned_mean"] > 0.9 > annual["iou_burned_mean"]
