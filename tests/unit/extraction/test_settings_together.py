"""Settings that meet: each pair is done as both say, or refused in words before a pixel is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from affine import Affine

from engine.backbones.core.batch import Batch
from engine.backbones.core.device import choose
from engine.errors import ConfigError, SceneError
from engine.extraction import extract as job
from engine.extraction.batches import batches_of, tiles_a_batch
from engine.extraction.encode import batch_of
from engine.extraction.pixels.tile_reader import read_tile
from engine.extraction.plan import make_plan
from engine.extraction.tile_limits import MOST_TILES
from engine.extraction.workers import local_workers
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.store.store import EmbeddingStore

WriteRaster = Callable[..., Path]
PRITHVI = {"name": "prithvi_eo_v2_tiny_tl", "weights": "random"}


def config_for(scene: dict[str, object], **changes: object) -> ExtractConfig:
    parsed = parse_config({
        "kind": "extract", "scene": scene, "backbone": {"name": "raw"}, "device": "cpu", "output": {"dtype": "float32"},
        **changes,
    })  # fmt: skip
    assert isinstance(parsed, ExtractConfig)
    return parsed


def extracted(config: ExtractConfig, folder: Path) -> EmbeddingStore:
    list(job.extract(config, folder, folder.parent))
    return EmbeddingStore.open(folder)


@pytest.fixture
def two_dates(write_raster: WriteRaster) -> dict[str, object]:
    """A season of one place, before and after, in the tests' own pixels."""
    for folder, day, seed in (("pre", "2021-06-01", 1), ("data", "2021-08-01", 2)):
        pixels = np.random.default_rng(seed).integers(100, 4000, (6, 32, 32)).astype(np.int16)
        write_raster(
            f"data/simulated-0/{folder}/a_merged.tif", pixels, EMBERSCOPE_DATETIME=f"{day}T16:00:00+00:00"
        )
    return {"source": "simulated", "seed": 0, "date": "both"}


@pytest.fixture
def chips_of_all_kinds(write_raster: WriteRaster, tmp_path: Path) -> dict[str, object]:
    """Chips of two sizes and two ground sampling distances, side by side."""
    for number, (side, gsd_m) in enumerate([(32, 10), (32, 30), (48, 30)] * 3):
        pixels = np.random.default_rng(number).integers(100, 4000, (6, side, side)).astype(np.int16)
        write_raster(
            f"chips/{number}.tif",
            pixels,
            transform=Affine(gsd_m, 0, 400_000 + 960 * number, 0, -gsd_m, 4_100_000),
        )
    return {"source": "chips", "path": str(tmp_path / "chips"), "images": "*.tif"}


@pytest.mark.parametrize("backbone", [{"name": "raw"}, PRITHVI])
def test_a_difference_of_one_date_is_refused(
    two_dates: dict[str, object], tmp_path: Path, backbone: dict[str, str]
) -> None:
    config = config_for(two_dates | {"date": "post"}, backbone=backbone | {"temporal": "difference"})
    with pytest.raises(ConfigError, match="difference needs two dates; these scenes have 1"):
        make_plan(config, tmp_path)


@pytest.mark.parametrize("temporal", ["max", "concatenate", "keep"])
def test_joining_the_dates_of_one_date_is_said_to_change_nothing(
    two_dates: dict[str, object], tmp_path: Path, temporal: str
) -> None:
    config = config_for(two_dates | {"date": "post"}, backbone={"name": "raw", "temporal": temporal})
    assert any(
        f"backbone.temporal ({temporal}) has no effect" in note for note in make_plan(config, tmp_path).notes
    )
    assert not make_plan(config_for(two_dates | {"date": "post"}), tmp_path).notes


@pytest.mark.parametrize("temporal", ["mean", "difference", "keep"])
def test_an_encoder_that_takes_all_dates_at_once_says_that_joining_them_changes_nothing(
    two_dates: dict[str, object], tmp_path: Path, temporal: str
) -> None:
    config = config_for(two_dates, backbone=PRITHVI | {"temporal": temporal}, tiles={"size_px": 32})
    assert any("takes all 2 dates at once" in note for note in make_plan(config, tmp_path).notes)


@pytest.mark.parametrize("pooling", ["cls", "mean", "max"])
@pytest.mark.parametrize("date", ["post", "both"])
def test_every_pooling_of_every_number_of_dates_is_as_wide_as_the_store_says(
    two_dates: dict[str, object], tmp_path: Path, pooling: str, date: str
) -> None:
    config = config_for(two_dates | {"date": date}, backbone=PRITHVI, granularity="tile", pooling=pooling)
    store = extracted(config, tmp_path / "run")
    dates = 2 if date == "both" and pooling != "cls" else 1  # one class token attends to all dates
    assert store.read().shape == (1, 192 * dates)


def test_each_row_of_a_date_that_stands_alone_knows_its_date(
    two_dates: dict[str, object], tmp_path: Path
) -> None:
    store = extracted(config_for(two_dates, backbone={"name": "raw", "temporal": "keep"}), tmp_path / "run")
    days = {tile.id: tile.datetimes for tile in store.tiles}
    assert days == {"a_date1": ("2021-06-01T16:00:00+00:00",), "a_date2": ("2021-08-01T16:00:00+00:00",)}
    table = pq.read_table(store.folder, columns=["tile_id", "datetime"])
    rows = zip(table["tile_id"].to_pylist(), table["datetime"].to_pylist(), strict=True)
    assert all(when.isoformat() == days[tile_id][0] for tile_id, when in rows)


def test_a_ground_sampling_distance_that_leaves_no_pixel_is_refused(
    chips_of_all_kinds: dict[str, object], tmp_path: Path
) -> None:
    for size_px in (None, 32):
        config = config_for(chips_of_all_kinds, tiles={"gsd_m": 5000, "size_px": size_px})
        with pytest.raises(ConfigError, match=r"gsd_m 5000 leaves no pixel .* Choose 320 or less"):
            make_plan(config, tmp_path)


@pytest.mark.parametrize("region", [None, {"bounds_lonlat": [-76.2, 37.0, -76.1, 37.1]}])
def test_more_tiles_than_can_be_planned_are_refused_before_they_are_listed(
    write_raster: WriteRaster, tmp_path: Path, region: dict[str, object] | None
) -> None:
    path = write_raster(
        "scene.tif", np.ones((6, 96, 96), np.int16), transform=Affine(20, 0, 400_000, 0, -20, 4_100_000)
    )
    for source in ({"source": "file", "path": str(path)}, {"source": "files", "paths": [str(path)]}):
        config = config_for(source, tiles={"gsd_m": 0.01, "size_px": 16}, region=region)
        with pytest.raises(
            ConfigError, match=rf"about [\d,]+ tiles at tiles.gsd_m 0.01; at most {MOST_TILES:,}"
        ):
            make_plan(config, tmp_path)


def test_a_chip_of_more_pixels_than_a_tile_may_have_is_refused(
    chips_of_all_kinds: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=r"one tile of 32,000 x 32,000 px"):
        make_plan(config_for(chips_of_all_kinds, tiles={"gsd_m": 0.01}), tmp_path)


@pytest.mark.parametrize("batch_size", [None, 1, 2, 5])
def test_batches_never_mix_chips_of_different_size_or_ground_sampling_distance(
    chips_of_all_kinds: dict[str, object], tmp_path: Path, batch_size: int | None
) -> None:
    plan = make_plan(config_for(chips_of_all_kinds, batch_size=batch_size), tmp_path)
    pixels = 4 * 32**2
    batches = batches_of(plan, pixels)
    assert [item for batch in batches for item in batch] == list(plan.tiles)
    assert all(len({(item.window.height, item.window.gsd_m) for item in batch}) == 1 for batch in batches)
    assert len(batches) == (5 if batch_size is None else {1: 9, 2: 6, 5: 3}[batch_size])
    assert [tiles_a_batch(replace(plan, batch_size=None), batch[0], pixels) for batch in batches][-1] == 1

    def told(batch: Batch | None) -> float:
        assert batch is not None
        return batch.gsd_m

    reads = [[read_tile(item, plan) for item in batch] for batch in batches]
    assert {told(batch_of(batch, plan)) for batch in reads} == {10.0, 30.0}


@pytest.mark.parametrize("tiles", [{}, {"size_px": 16}, {"size_px": 16, "overlap_px": 8, "merge": "blend"}])
def test_chips_of_all_kinds_give_the_same_rows_in_batches_and_alone(
    chips_of_all_kinds: dict[str, object], tmp_path: Path, tiles: dict[str, object]
) -> None:
    alone, together = (
        extracted(config_for(chips_of_all_kinds, tiles=tiles, batch_size=size), tmp_path / str(size))
        for size in (1, 5)
    )
    assert [tile.id for tile in alone.tiles] == [tile.id for tile in together.tiles]
    assert np.array_equal(alone.read(), together.read())


def test_the_batch_that_a_device_likes_holds_fewer_of_larger_chips(
    chips_of_all_kinds: dict[str, object], tmp_path: Path
) -> None:
    plan = make_plan(config_for(chips_of_all_kinds), tmp_path)
    pixels = local_workers.batch_pixels(plan, choose("cpu"))
    by_side = {item.window.height: tiles_a_batch(plan, item, pixels) for item in plan.tiles}
    assert by_side[48] * 48**2 <= pixels
    assert by_side[32] > by_side[48]


@pytest.mark.parametrize("images", [None, "data/*_merged.tif"])
@pytest.mark.parametrize("kept_bytes", [0, 60])
def test_a_chip_whose_header_is_damaged_is_skipped_and_said_or_refused(
    write_raster: WriteRaster, tmp_path: Path, images: str | None, kept_bytes: int
) -> None:
    for number in range(3):
        grid = Affine(30, 0, 400_000 + 3000 * number, 0, -30, 4_100_000)
        path = write_raster(
            f"chips/data/c{number}_merged.tif", np.full((6, 32, 32), 800, np.int16), transform=grid
        )
    path.write_bytes(path.read_bytes()[:kept_bytes])
    source = {"source": "chips", "path": str(tmp_path / "chips"), "images": images}
    with pytest.raises(SceneError, match="c2_merged"):
        make_plan(config_for(source), tmp_path)
    config = config_for(source, tiles={"unreadable": "skip"})
    assert any("c2_merged.tif is left out" in note for note in make_plan(config, tmp_path).notes)
    assert len(extracted(config, tmp_path / "run").tiles) == 2
    for other in (tmp_path / "chips/data").glob("*.tif"):
        other.write_bytes(b"")
    with pytest.raises(SceneError, match="None of the 3 chips can be read"):
        make_plan(config, tmp_path)


@pytest.mark.parametrize(("merge", "width"), [("mean", 128), ("concat", 3 * 128)])
def test_an_encoder_that_joins_dates_itself_gives_one_embedding_for_all_of_them(
    two_dates: dict[str, object], merge: str, width: int, tmp_path: Path
) -> None:
    encoder = {"name": "galileo_nano", "weights": "random", "settings": {"merge": merge}}
    both = extracted(config_for(two_dates, backbone=encoder), tmp_path / "both")
    assert both.meta.dims == (width,)
    assert all(len(tile.datetimes) == 2 for tile in both.tiles)
    after = extracted(config_for(two_dates | {"date": "post"}, backbone=encoder), tmp_path / "after")
    assert after.meta.dims == both.meta.dims
