"""Blended tiles: nothing moves, every row is the weighted mean of the windows that see it, and no border shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from affine import Affine

from engine.backbones.core.device import choose
from engine.errors import ConfigError
from engine.extraction import extract as job
from engine.extraction.blending import Blending
from engine.extraction.encode import batch_of, begin, open_backbone, rows_of
from engine.extraction.pixels.tile_reader import TileRead, read_tile
from engine.extraction.plan import Plan, make_plan
from engine.jobs.configuration.config import ExtractConfig, config_hash, parse_config
from engine.jobs.events import ExtractDone
from engine.store import writer
from engine.store.check import check_store
from engine.store.store import EmbeddingStore
from tests.unit.store.stores import interrupted

WriteRaster = Callable[..., Path]
GRID = Affine(20, 0, 400_640, 0, -20, 4_100_480)  # on the corner of a tile of 32 px of 20 m
SAMPLE = Path("assets/samples/virginia.tif")
PRITHVI = {"name": "prithvi_eo_v2_tiny_tl", "weights": "random"}
REGION = {"bounds_lonlat": [-75.70, 37.60, -75.66, 37.63]}


def config_for(path: Path, **changes: object) -> ExtractConfig:
    parsed = parse_config({
        "kind": "extract", "scene": {"source": "file", "path": str(path)}, "backbone": {"name": "raw"},
        "tiles": {"size_px": 32, "overlap_px": 16, "merge": "blend"}, "device": "cpu", "output": {"dtype": "float32"},
        **changes,
    })  # fmt: skip
    assert isinstance(parsed, ExtractConfig)
    return parsed


def rows_by_place(store: EmbeddingStore) -> dict[tuple[float, float], np.ndarray]:
    """Embeddings and valid fraction of each row by where its corner lies."""
    found = {}
    for tile, values, valid in store.iterate():
        for row, column in np.ndindex(tile.h, tile.w):
            place = tile.patch_transform @ (column, row)
            found[tuple(np.round(place, 3))] = np.append(values[row, column], valid[row, column])
    return found


def extracted(config: ExtractConfig, folder: Path) -> EmbeddingStore:
    list(job.extract(config, folder, folder.parent))
    return EmbeddingStore.open(folder)


@pytest.mark.parametrize("tiles", [
    {"overlap_px": 16}, {"overlap_px": 8}, {"overlap_px": 28}, {"overlap_px": 16, "stride_px": 2},
])  # fmt: skip
def test_an_encoder_without_context_says_the_same_of_all_ground_blended_or_not(
    write_raster: WriteRaster, tmp_path: Path, tiles: dict[str, int]
) -> None:
    pixels = np.random.default_rng(3).integers(1, 9000, (6, 90, 106)).astype(np.int16)
    pixels[:, 30:50, 40:70] = -9999  # tiles without a pixel, and with some
    scene = write_raster("ground.tif", pixels, transform=GRID @ Affine.translation(5, 3), nodata=-9999)
    found = [
        extracted(config_for(scene, tiles={"size_px": 32, "merge": merge} | tiles), tmp_path / merge)
        for merge in ("deepest", "blend")
    ]
    deepest, blended = (rows_by_place(store) for store in found)
    assert deepest.keys() == blended.keys()
    whole = [place for place, values in deepest.items() if values[-1] == 1]
    assert len(whole) > 300
    assert all(np.allclose(deepest[place], blended[place], atol=1e-5) for place in whole)
    assert not check_store(found[1].folder)


def by_hand(plan: Plan) -> dict[tuple[float, float], np.ndarray]:
    """Each row's weighted mean, every window on its own: the weight falls linearly over the overlap."""
    backbone, patch = open_backbone(plan, choose("cpu")), plan.patch_px
    totals: dict[tuple[float, float], np.ndarray] = {}
    for item in plan.windows:
        read = read_tile(item, plan)
        batch = batch_of([read], plan)
        if batch is None:
            continue
        values = backbone.embed(batch, plan.layers).maps[0][0].numpy()
        shared = (item.window.width - item.tile.width) // patch
        for row, column in np.ndindex(values.shape[:2]):
            deep = [
                min(at, side - 1 - at) + 0.5 for at, side in zip((row, column), values.shape, strict=False)
            ]
            weight = np.prod([min(1.0, d / shared) for d in deep])
            place = tuple(np.round(item.window.transform @ (column * patch, row * patch), 3))
            totals[place] = totals.get(place, 0) + np.append(values[row, column], 1.0) * weight
    return {place: total[:-1] / total[-1] for place, total in totals.items()}


def test_every_row_is_the_weighted_mean_of_all_windows_that_see_it(tmp_path: Path) -> None:
    tiles = {"size_px": 64, "overlap_px": 32, "merge": "blend"}
    config = config_for(SAMPLE, backbone=PRITHVI, region=REGION, tiles=tiles)
    store, wanted = extracted(config, tmp_path / "run"), by_hand(make_plan(config, tmp_path))
    found = rows_by_place(store)
    assert len(found) > 60
    assert all(np.allclose(values[:-1], wanted[place], atol=1e-4) for place, values in found.items())


@pytest.mark.parametrize("stride_px", [None, 8])
def test_a_region_changes_no_row_along_its_edge(tmp_path: Path, stride_px: int | None) -> None:
    tiles = {"size_px": 64, "overlap_px": 32, "merge": "blend", "stride_px": stride_px}
    wide = {"bounds_lonlat": [-75.72, 37.59, -75.65, 37.64]}
    in_wide, in_small = (
        rows_by_place(extracted(config_for(SAMPLE, backbone=PRITHVI, region=region, tiles=tiles), tmp_path / name))
        for name, region in (("wide", wide), ("small", {"bounds_lonlat": [-75.69, 37.61, -75.68, 37.62]}))
    )  # fmt: skip
    assert len(in_wide) > len(in_small) > 10
    differences = [
        np.abs(values[:-1] - in_wide[place][:-1]).max() / np.abs(in_wide[place][:-1]).max()
        for place, values in in_small.items()
    ]
    assert max(differences) < 0.02  # bfloat16, in batches of other tiles


def test_at_half_a_tile_no_border_shows_with_an_encoder_that_knows_the_place_in_a_tile(
    tmp_path: Path,
) -> None:
    """Random weights; patches from the middles alone score far higher, for the position tables do not meet."""
    score = {}
    for merge in ("deepest", "blend"):
        tiles = {"size_px": 224, "overlap_px": 112, "merge": merge}
        region = {"bounds_lonlat": [-75.70, 37.60, -75.62, 37.66]}
        *_, done = job.extract(config_for(SAMPLE, backbone=PRITHVI, region=region, tiles=tiles),
                               tmp_path / merge, tmp_path)  # fmt: skip
        assert isinstance(done, ExtractDone) and done.seam is not None
        score[merge] = done.seam
    assert score["blend"] < 1.1 < score["deepest"]


@pytest.mark.parametrize("after", [3, 11, 20])
def test_a_stopped_run_ends_row_for_row_like_an_undisturbed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    monkeypatch.setattr(writer, "ROWS_A_PART", 16)
    tiles = {"size_px": 64, "overlap_px": 32, "merge": "blend"}
    config = config_for(SAMPLE, backbone=PRITHVI, region=REGION, tiles=tiles, batch_size=2)
    extracted(config, tmp_path / "whole")
    interrupted(job.extract(config, tmp_path / "cut", tmp_path), after)
    extracted(config, tmp_path / "cut")
    parts = [sorted((tmp_path / name / "store").glob("part-*.parquet")) for name in ("whole", "cut")]
    assert len(parts[0]) == len(parts[1]) > 3
    assert all(pq.read_table(a).equals(pq.read_table(b)) for a, b in zip(*parts, strict=True))


def test_only_two_rows_of_tiles_wait_however_many_there_are(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    scene = write_raster("tall.tif", np.ones((6, 640, 96), np.int16), transform=GRID)
    config = config_for(scene)
    plan = make_plan(config, tmp_path)
    blending, most, given = Blending(plan, ()), 0, []
    across = len({item.tile.transform.c for item in plan.tiles})
    for item in plan.tiles:
        read: TileRead = read_tile(item, plan)
        batch = batch_of([read], plan)
        assert batch is not None
        (window,) = rows_of([begin(open_backbone(plan, choose("cpu")), plan, batch)[0]], [read], plan)
        given += [rows.tile.id for rows in blending.take(read, window)]
        most = max(most, len(blending._sums))
    assert given == [item.tile.id for item in plan.tiles]
    assert most <= 2 * across + 2 < len(plan.tiles) / 4


def test_blending_without_overlap_or_with_one_row_a_tile_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="overlap_px"):
        config_for(SAMPLE, tiles={"size_px": 32, "merge": "blend"})
    with pytest.raises(ConfigError, match="granularity: patch"):
        config_for(SAMPLE, granularity="tile", pooling="mean")


def test_stores_from_before_there_was_a_choice_keep_their_checksum() -> None:
    plain = config_for(SAMPLE, tiles={"size_px": 32, "overlap_px": 16})
    named = config_for(SAMPLE, tiles={"size_px": 32, "overlap_px": 16, "merge": "deepest"})
    assert config_hash(plain) == config_hash(named) != config_hash(config_for(SAMPLE))
