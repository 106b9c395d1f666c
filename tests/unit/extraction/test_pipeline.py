"""Threads that read ahead, encode and write: in order, bounded, tidy at the end, and their errors come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.backbones.build import build
from engine.backbones.cards import card
from engine.backbones.core.device import Device, choose
from engine.concurrency.background_writer import BackgroundWriter
from engine.errors import DiskFull
from engine.extraction import extract as job
from engine.extraction.batches import batches_of
from engine.extraction.encode import encode, open_backbone
from engine.extraction.pixels.tile_reader import read_ahead, read_tile
from engine.extraction.plan import make_plan
from engine.extraction.workers.batch_reader import read_batches, read_in_pieces
from engine.extraction.workers.parallel_passes import parallel_passes
from engine.imagery.raster.rasters import OpenRasters
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.events import TileDone
from engine.store import writer
from engine.store.store import EmbeddingStore

WriteRaster = Callable[..., Path]
CPU = choose("cpu", torch.float32)


def ours() -> list[str]:
    names = ("reader", "joiner", "pass", "writer", "fetch")
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(names)]


def config_for(path: Path, **changes: object) -> ExtractConfig:
    parsed = parse_config({
        "kind": "extract", "scene": {"source": "file", "path": str(path)}, "backbone": {"name": "raw"},
        "tiles": {"size_px": 32}, "device": "cpu", "batch_size": 2, **changes,
    })  # fmt: skip
    assert isinstance(parsed, ExtractConfig)
    return parsed


def test_batches_come_in_order_and_no_more_are_read_than_there_are_readers() -> None:
    begun: list[int] = []

    def read(batch: list[int], rasters: OpenRasters) -> int:
        begun.append(batch[0])
        time.sleep(0.002 * (batch[0] % 3))
        return batch[0]

    for taken, number in enumerate(read_ahead([[n] for n in range(20)], read, readers=3)):  # type: ignore[list-item]
        time.sleep(0.004)
        assert number == taken
        assert len(begun) <= taken + 4
    assert not ours()


def test_a_reading_thread_keeps_its_rasters_and_closes_them(scene_file: Path) -> None:
    kept: list[OpenRasters] = []

    def read(batch: list[Path], rasters: OpenRasters) -> bool:
        kept.append(rasters)
        return rasters.get(batch[0]) is rasters.get(batch[0])

    assert all(read_ahead([[scene_file]] * 6, read, readers=1))  # type: ignore[list-item]
    assert len({id(rasters) for rasters in kept}) == 1
    dataset = kept[0].get(scene_file)
    kept[0].close()
    assert dataset.closed


def test_only_so_many_rasters_stay_open(write_raster: WriteRaster) -> None:
    paths = [write_raster(f"{n}.tif", np.ones((6, 32, 32), np.int16)) for n in range(4)]
    with OpenRasters(kept_open=2) as rasters:
        handles = [rasters.get(path) for path in paths]
        assert [handle.closed for handle in handles] == [True, True, False, False]


def test_an_error_in_the_background_comes_back_to_the_one_who_puts() -> None:
    def work(item: int) -> None:
        if item == 2:
            raise DiskFull("no room")

    with pytest.raises(DiskFull), BackgroundWriter(work, depth=1) as background:
        for item in range(100):
            background.put(item)
    assert not ours()


def test_the_last_items_are_done_before_the_block_is_left_and_dropped_after_an_error() -> None:
    done: list[int] = []
    with BackgroundWriter(done.append, depth=5) as background:
        for item in range(5):
            background.put(item)
    assert done == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError), BackgroundWriter(lambda _: time.sleep(0.2), depth=50) as slow:
        began = time.monotonic()
        for item in range(50):
            slow.put(item)
        raise KeyError
    assert time.monotonic() - began < 5


def test_a_full_disk_ends_the_run_in_words_and_all_threads(
    scene_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writer, "ROWS_A_PART", 64)
    monkeypatch.setattr(writer, "_write_table", full)
    with pytest.raises(DiskFull, match=r"disk of .* is full"):
        list(job.extract(config_for(scene_file), tmp_path / "run", tmp_path))
    assert not ours()
    assert not (tmp_path / "run/store").exists()


def test_leaving_a_run_early_ends_all_threads(scene_file: Path, tmp_path: Path) -> None:
    events = job.extract(config_for(scene_file, batch_size=1), tmp_path / "run", tmp_path)
    next(event for event in events if isinstance(event, TileDone))
    events.close()  # type: ignore[attr-defined]
    assert not ours()


def counted(numbers: range, closed: list[bool]) -> Generator[tuple[int, int]]:
    try:
        for number in numbers:
            yield number, number
    finally:
        closed.append(True)


@pytest.mark.parametrize("device", [CPU, Device("meta", torch.float32, "as a GPU is driven")])
def test_passes_come_in_the_order_of_their_batches(device: Device) -> None:
    def begin(number: int) -> list[int]:
        time.sleep(0.003 * (number % 2))
        return [number]

    closed: list[bool] = []
    threads = torch.get_num_threads()
    backbone = build(card("raw"), "random", CPU, bands=("blue",))
    found = list(parallel_passes(counted(range(9), closed), begin, backbone, device))  # type: ignore[arg-type]
    assert found == [(number, [number]) for number in range(9)]
    assert closed == [True]
    assert torch.get_num_threads() == threads


def test_reading_and_encoding_alone_give_the_rows_of_the_run(scene_file: Path, tmp_path: Path) -> None:
    """What a process on another machine does: no state but the plan and the backbone."""
    config = config_for(scene_file, output={"dtype": "float32"})
    list(job.extract(config, tmp_path / "run", tmp_path))
    store = EmbeddingStore.open(tmp_path / "run")
    plan = replace(make_plan(config, tmp_path), batch_size=3)
    backbone = open_backbone(plan, CPU)
    for batch in batches_of(plan, 0):
        for rows in encode(backbone, plan, [read_tile(item, plan) for item in batch]):
            stored = store.read_tile(rows.tile.id)
            assert np.array_equal(stored.reshape(rows.tile.rows, -1), rows.embeddings[0])


@pytest.mark.parametrize("tiles_a_batch", [1, 3, 4, 9])
def test_batches_that_several_threads_read_in_pieces_are_those_that_one_thread_reads(
    write_raster: WriteRaster, tmp_path: Path, tiles_a_batch: int
) -> None:
    plan = make_plan(
        config_for(
            write_raster("scene.tif", np.random.default_rng(0).integers(1, 9000, (6, 96, 128), np.int16)),
            batch_size=tiles_a_batch,
        ),
        tmp_path,
    )
    batches = batches_of(plan, 0)
    one = list(read_batches(batches, plan, CPU))
    many = list(read_in_pieces(batches, plan, 3, is_pinned=False))
    for (reads, batch), (reads_too, batch_too) in zip(one, many, strict=True):
        assert [read.planned.tile.id for read in reads] == [read.planned.tile.id for read in reads_too]
        assert batch is not None
        assert batch_too is not None
        assert torch.equal(batch.image, batch_too.image)
        assert torch.equal(batch.valid, batch_too.valid)
    assert ours() == []


def test_leaving_batches_that_are_read_in_pieces_ends_the_threads(
    write_raster: WriteRaster, tmp_path: Path
) -> None:
    plan = make_plan(
        config_for(
            write_raster("scene.tif", np.random.default_rng(0).integers(1, 9000, (6, 96, 128), np.int16))
        ),
        tmp_path,
    )
    left = read_in_pieces(batches_of(plan, 0), plan, 3, is_pinned=False)
    next(left)
    left.close()
    assert ours() == []
