"""JOB 5: a leaderboard: stores opened or made, decoders taught one after the other, and one comparison on the test places."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from engine.jobs.configuration.config import LeaderboardConfig
from engine.jobs.events import Event, Noticed, StepStarted
from engine.jobs.leaderboard_events import DecoderTaught, LeaderboardDone, LeaderboardPlanned
from engine.learning.leaderboard.cells import Cell, cells_of
from engine.learning.leaderboard.entries import Entry, layer_sets, open_entries, variant
from engine.learning.leaderboard.few_labels import drawn_places, tiles_of_places, training_places
from engine.learning.leaderboard.groups import Group, groups_of, within_reach
from engine.learning.leaderboard.report.files import write_files
from engine.learning.leaderboard.report.words import row_name
from engine.learning.leaderboard.results import FOLDER, Result, read_result, write_result
from engine.learning.leaderboard.shared_ground.testing import tested
from engine.learning.leaderboard.shared_ground.words import told_of
from engine.learning.leaderboard.summary import summarised
from engine.learning.leaderboard.teaching import Ended, Loaded, counts_of_tiles, load, restricted, teach
from engine.learning.leaderboard.time_left import seconds_left
from engine.learning.train import choose_device

# Decoders that learn at once on a CPU; each holds its own weights and batches.
_MOST_AT_ONCE = 8


@dataclass(frozen=True)
class Bench:
    """What the decoders of one variant of a store have in common.

    Attributes:
        elsewhere: other stores that they are tested on.
        learned_from: identifies stores, labels and split.
        has_ended: set when nobody wants decoders any more.
    """

    config: LeaderboardConfig
    folder: Path
    entries: Sequence[Entry]
    groups: Sequence[Group]
    loaded: Loaded
    elsewhere: Mapping[int, Loaded]
    learned_from: str
    has_ended: threading.Event


def leaderboard(config: LeaderboardConfig, folder: Path, root: Path) -> Iterator[Event]:
    """Teach every decoder and compare them, in a run folder that gets the table, the pictures and the files for others.

    Choices are made on validation; test counts are put together once, when all decoders have been taught.

    Args:
        folder: the run folder; a run that was cut off goes on after the decoders whose files are there.
        root: where extractions that are made on the way, and the simulated season, are kept.

    Yields:
        The extractions' events where stores are made first, steps, LeaderboardPlanned, DecoderTaught, LeaderboardDone.

    Raises:
        BadInput: a store, labels, a split or a head that cannot be used.
    """
    device = choose_device(config.device)
    entries = yield from open_entries(config, root)
    groups, notes = groups_of(entries, config.travels)
    notes += told_of([(one.title, one.prepared) for one in entries]) if config.ground == "shared" else []
    yield from map(Noticed, notes)
    numbers = [
        [one.number for one in groups if one.store == store and one.taught_as == one.number]
        for store in range(len(entries))
    ]
    cells = cells_of(config, [layer_sets(config, one.prepared) for one in entries], numbers)
    learned_from = _identity(entries)
    found = {cell: read_result(folder, cell.key, learned_from) for cell in cells}
    results = {cell: result for cell, result in found.items() if result is not None}
    yield _planned(config, entries, cells, len(results))
    for own in _by_variant(cells):
        # Every head with one seed first: the time that is left is known early.
        missing = sorted(
            (cell for cell in own if cell not in results), key=lambda one: config.seeds.index(one.seed)
        )
        if missing:
            yield from _teach_variant(
                config, folder, entries, groups, missing, cells, results, learned_from, device
            )
    yield StepStarted("Comparing on the test places, once")
    summary = summarised(config, entries, groups, results, notes)
    write_files(folder, summary)
    shutil.rmtree(folder / FOLDER / "unfinished", ignore_errors=True)
    yield LeaderboardDone(summary)


def _teach_variant(
    config: LeaderboardConfig, folder: Path, entries: Sequence[Entry], groups: Sequence[Group], missing: Sequence[Cell],
    cells: Sequence[Cell], results: dict[Cell, Result], learned_from: str, device: torch.device,
) -> Generator[Event, None, None]:  # fmt: skip
    """The decoders that read the same embeddings, which are read once; `results` gets theirs."""
    store, layers, position = missing[0].variant
    yield StepStarted(f"Reading embeddings of {entries[store].title}")
    loaded = load(variant(entries[store].prepared, layers, position), device)
    is_first = layers == layer_sets(config, entries[store].prepared)[0] and position == config.positions[0]
    others = {group.store for group in within_reach(entries, groups, store)} - {store} if is_first else set()
    elsewhere = {
        other: load(variant(entries[other].prepared, layers, "keep"), device, loaded.prepared.positions)
        for other in sorted(others)
    }
    bench = Bench(config, folder, entries, groups, loaded, elsewhere, learned_from, threading.Event())
    workers = min(os.cpu_count() or 1, _MOST_AT_ONCE, len(missing)) if device.type == "cpu" else 1
    usual = torch.get_num_threads()
    with ThreadPoolExecutor(workers, "decoder", initializer=_alone if workers > 1 else None) as pool:
        waiting = [pool.submit(_taught, bench, cell) for cell in missing]
        try:
            for cell, future in zip(missing, waiting, strict=True):
                results[cell] = future.result()
                yield _told(config, entries, cell, cells, results, workers)
        finally:
            bench.has_ended.set()
            for future in waiting:
                future.cancel()
            torch.set_num_threads(usual)


def _taught(bench: Bench, cell: Cell) -> Result:
    """Teach one decoder, count it on the test tiles, and keep the result in its file."""
    if bench.has_ended.is_set():
        raise Ended
    entry, head = bench.entries[cell.store], bench.config.heads[cell.head]
    config = bench.config.training_of(str(entry.store.folder), head, cell.seed, cell.layers, cell.position)
    data, task, places = bench.loaded.data, bench.loaded.prepared.task, len(training_places(entry.prepared))
    tiles = _own_tiles(bench, cell)
    if tiles is not None:
        data, task = restricted(bench.loaded, tiles, config)
        places = len(np.unique(entry.prepared.split.places[tiles["train"]]))
    unfinished = bench.folder / FOLDER / "unfinished" / cell.key
    taught = teach(config, task, data, unfinished, f"{cell.key} {bench.learned_from}", bench.has_ended)
    tests = {
        cell.store: tested(
            entry.judged,
            entry.prepared.split.tiles["test"],
            taught.decoder,
            task,
            bench.loaded.data,
            bench.has_ended,
        )
    }
    if cell.share == 1:
        tests |= {
            store: counts_of_tiles(taught.decoder, task, one.data, "test", bench.has_ended)
            for store, one in bench.elsewhere.items()
        }
    result = Result(taught.epoch, taught.epochs, taught.validation, tests, places, taught.seconds)
    write_result(bench.folder, cell.key, bench.learned_from, result)
    shutil.rmtree(unfinished, ignore_errors=True)
    return result


def _own_tiles(bench: Bench, cell: Cell) -> Mapping[str, np.ndarray] | None:
    """The tiles that a decoder learns from where these are not all: of few places, or of a group."""
    if cell.group is not None:
        tiles = bench.groups[cell.group].tiles
        return {name: tiles[name] for name in ("train", "validation")}
    if cell.share < 1:
        drawn = drawn_places(bench.entries[0].prepared, cell.share, cell.seed)
        return {"train": tiles_of_places(bench.entries[cell.store].prepared, drawn)}
    return None


def _planned(
    config: LeaderboardConfig, entries: Sequence[Entry], cells: Sequence[Cell], done: int
) -> LeaderboardPlanned:
    split = entries[0].prepared.split
    places = {name: split.places_of(name) for name in split.tiles}
    backbones = [entry.title for entry in entries if entry.is_on_board]
    return LeaderboardPlanned(len(cells), done, backbones, list(config.head_titles), places)


def _told(
    config: LeaderboardConfig, entries: Sequence[Entry], cell: Cell, cells: Sequence[Cell], results: Mapping[Cell, Result],
    workers: int,
) -> DecoderTaught:  # fmt: skip
    """What is said of a decoder while others learn: its validation, never its test."""
    result = results[cell]
    value = result.validation.get(entries[cell.store].prepared.task.watch)
    return DecoderTaught(
        len(results), len(cells), cell.what, _named(config, entries[cell.store], cell), config.head_titles[cell.head], cell.seed,
        None if value is None or np.isnan(value) else round(value, 4), round(result.seconds, 3),
        round(seconds_left(cells, results, workers), 1),
    )  # fmt: skip


def _named(config: LeaderboardConfig, entry: Entry, cell: Cell) -> str:
    """The backbone of a decoder, with its layers and position where rows differ in them."""
    row = {
        "backbone": entry.title, "layers": cell.layers, "position": cell.position if len(config.positions) > 1 else "keep",
        "has_other_layers": len(layer_sets(config, entry.prepared)) > 1,
    }  # fmt: skip
    return row_name(row)


def _by_variant(cells: Sequence[Cell]) -> list[list[Cell]]:
    """The decoders that read the same embeddings, store after store."""
    found: dict[object, list[Cell]] = {}
    for cell in cells:
        found.setdefault(cell.variant, []).append(cell)
    return list(found.values())


def _identity(entries: Sequence[Entry]) -> str:
    """sha256 of what is learned from: results of another key are not used again."""
    told = [
        [entry.store.meta.config_hash, entry.store.meta.scene_fingerprints, entry.prepared.labels.path.name]
        for entry in entries
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _alone() -> None:
    """Several decoders learn at once, each on one core."""
    torch.set_num_threads(1)
