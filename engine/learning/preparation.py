"""What a training needs, refused before anything is computed and then opened: its store, its layers, its labels, its baselines."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from engine.errors import BackboneError, ConfigError, SceneError, StoreError
from engine.extraction.embedding_files.chips import chips_of
from engine.extraction.embedding_files.taking import take, taken_folder
from engine.extraction.extract import ensure_store, store_folder
from engine.extraction.pixels.pixel_gaps import pixels_with_data
from engine.extraction.plan import make_plan, resolve_layers
from engine.extraction.store_layout import stored_tile
from engine.extraction.weights.store_encoder import cells_of, layers_of, require_layers
from engine.jobs.configuration.config import EmbeddingFilesConfig, ExtractConfig, LabelsConfig, TrainConfig
from engine.jobs.events import Event, Noticed, StepStarted
from engine.labels.build import PixelsWithData, label_steps, labels_for, masks_of_tiles
from engine.labels.label_files import label_files_of
from engine.labels.label_names import named_labels
from engine.labels.label_raster import check_label_raster, require_overlap
from engine.labels.remembered import remember, remembered
from engine.labels.sidecar import Labels, read_labels
from engine.learning.baselines.baseline import Baseline
from engine.learning.baselines.raw_pixels import tiles_off
from engine.learning.baselines.table import BASELINES
from engine.learning.dataset import labels_of_splits
from engine.learning.heads.sizes import Shape, shape_of
from engine.learning.heads.table import check_head, check_layers
from engine.learning.labelled_split import with_labels
from engine.learning.positions import Positions, measure_positions
from engine.learning.splits.split import Split, split_tiles
from engine.learning.tasks.table import task_of
from engine.learning.tasks.task import Task
from engine.paths import resolve_path
from engine.store.store import EmbeddingStore

PixelGaps = Callable[[], tuple[PixelsWithData | None, str]]


@dataclass(frozen=True)
class Prepared:
    """Everything that a training learns from and is scored with.

    Attributes:
        layers: columns of the store that are joined.
        truth: (rows, p * p) labels in the order of the store.
        pixels_with_data: gives what `pixel_gaps.pixels_with_data` does, read when it is asked first.
        positions: what the place in the window adds, to be taken off; None: position is kept.
        cells: along a side of a patch, of each layer.
        shape: what a decoder is given for a row, and what it gives.
        class_counts: labels of each class by its title, by split.
        raws: reflectances on the same tiles for each baseline that can be had, by its key; of `with_baselines`.
    """

    task: Task
    store: EmbeddingStore
    layers: tuple[int, ...]
    split: Split
    labels: Labels
    truth: np.ndarray
    pixels_with_data: PixelGaps
    positions: Positions | None
    cells: tuple[int, ...]
    shape: Shape
    class_counts: dict[str, dict[str, int]]
    raws: dict[str, EmbeddingStore] = field(default_factory=dict)


def prepare(config: TrainConfig, root: Path) -> Generator[Event, None, Prepared]:
    """Open or make everything that a training needs.

    Args:
        with_baseline: False: `raw` is None, and no reflectances are read.

    Raises:
        BadInput: a store, labels, layers or a split that cannot be used.
    """
    task = task_of(config.task)
    store = yield from open_store(config, task, root)
    layers, cells, shape = shaped(config, task, store)
    split = split_tiles(store.tiles, config.split, config.seed)
    _require_watched(config, store, split)
    gaps = functools.cache(lambda: pixels_with_data(store, root))
    labels = yield from read_from_files(config, task, store, root, gaps)
    truth = read_labels(labels, store)
    split = yield from with_labels(config, task, store, truth, split)
    yield from (Noticed(text) for text in _notes(split))
    by_split = labels_of_splits(store, truth, split.tiles)
    positions = None
    if config.position == "remove":
        yield StepStarted("Measuring position")
        positions = measure_positions(store, layers, split.tiles["train"])
        if left := positions.note(store):
            yield Noticed(left)
    counts = {name: task.label_reading.counts_of(own) for name, own in by_split.items()}
    fitted = task.fitted(by_split["train"], config.loss)
    return Prepared(fitted, store, layers, split, labels, truth, gaps, positions, cells, shape, counts)


def shaped(
    config: TrainConfig, task: Task, store: EmbeddingStore
) -> tuple[tuple[int, ...], tuple[int, ...], Shape]:
    """The layers that a training reads, cells along a side of a patch of each, and what a decoder is given.

    Raises:
        BadInput: the store lacks a layer, or the head cannot take them.
    """
    layers = layers_of(store.meta, config.layers)
    cells = cells_of(store.meta, layers)
    widths = dict(zip(store.meta.layers, store.meta.dims, strict=True))
    shape = shape_of(task, [widths[layer] for layer in layers], cells, store.meta.patch_px)
    check_head(config.head, shape)
    return layers, cells, shape


def read_from_files(
    config: TrainConfig, task: Task, store: EmbeddingStore, root: Path, gaps: PixelGaps
) -> Generator[Event, None, Labels]:  # fmt: skip
    """The labels of a store, and what is to be said of them."""
    yield StepStarted("Reading labels")
    labels, note = yield from _labels(config, task, store, root, gaps)
    yield from (Noticed(text) for text in (*labels.notes, note) if text)
    return labels


def _labels(
    config: TrainConfig, task: Task, store: EmbeddingStore, root: Path, gaps: PixelGaps
) -> Generator[Event, None, tuple[Labels, str]]:
    """The labels and what is to be said of gaps: those of an earlier training, or read from their rasters."""
    asked, reading = named(config.labels, task), task.label_reading
    if found := remembered(store, asked, reading):
        return found.labels, found.note
    yield from map(StepStarted, label_steps(store, asked, root))
    has_data, note = gaps()
    labels = labels_for(store, asked, root, reading, has_data)
    remember(store, asked, reading, labels, note)
    return labels, note


def named(labels: LabelsConfig, task: Task) -> LabelsConfig:
    """Labels with the name of those that a task learns, where the configuration names none."""
    if labels.source != "scene" or labels.name is not None:
        return labels
    return labels.model_copy(update={"name": task.labels_name})


def open_store(config: TrainConfig, task: Task, root: Path) -> Generator[Event, None, EmbeddingStore]:
    """The store that a configuration names, made first when it is not there.

    Raises:
        BadInput: what the configuration asks for cannot be trained; told before an extraction begins.
    """
    if config.labels.path is not None:
        check_label_raster(resolve_path(config.labels.path), task.label_reading)
    if isinstance(config.store, EmbeddingFilesConfig):
        yield from take(config.store, root)
        store = EmbeddingStore.open(taken_folder(chips_of(config.store), root))
        task.require_rows(store.meta.granularity)
        return store
    if isinstance(config.store, ExtractConfig):
        task.require_rows(config.store.granularity)
        if not store_folder(config.store, root).is_dir():
            yield from _check_extraction(config, config.store, root)
        yield from ensure_store(config.store, root)
        return EmbeddingStore.open(store_folder(config.store, root))
    yield StepStarted("Opening the store")
    given = Path(config.store).expanduser()
    store = EmbeddingStore.open(given if given.is_absolute() or given.exists() else root / given)
    task.require_rows(store.meta.granularity)
    return store


def with_baselines(config: TrainConfig, prepared: Prepared, root: Path) -> Generator[Event, None, Prepared]:
    """The same with the reflectances of each baseline that can be had, read or made from the scenes.

    Learning needs none of them, so a training asks for them once it has learned.
    """
    raws: dict[str, EmbeddingStore] = {}
    for rule in BASELINES.get(prepared.task.name, ()):
        if rule.key in config.baselines and (
            raw := (yield from open_baseline_store(rule, prepared.store, root))
        ):
            raws[rule.key] = raw
    return replace(prepared, raws=raws)


def open_baseline_store(
    baseline: Baseline, store: EmbeddingStore, root: Path
) -> Generator[Event, None, EmbeddingStore | None]:
    """Raw reflectances on the same tiles, for the baseline; None where it cannot be had, with a notice if it lacks bands."""
    try:
        config = baseline.extraction(store)
        if config is None:
            return None
        yield StepStarted(f"Reading reflectances for the {baseline.name}")
        there = store_folder(config, root)
        bands = EmbeddingStore.open(there).meta.bands if there.is_dir() else make_plan(config, root).bands
        lacking = [band for band in baseline.bands if band not in bands]
        if lacking:
            yield Noticed(
                f"No {baseline.name} to compare with: it needs {' and '.join(baseline.bands)}, and the scenes have "
                f"{', '.join(bands)}."
            )
            return None
        yield from (event for event in ensure_store(config, root) if not isinstance(event, Noticed))
        raw = EmbeddingStore.open(store_folder(config, root))
    except (BackboneError, ConfigError, SceneError, StoreError) as err:
        yield Noticed(f"No {baseline.name} to compare with: the scenes' pixels cannot be read again. {err}")
        return None
    if _zones(store) - _zones(raw):
        yield Noticed(
            f"No {baseline.name} to compare with: the scenes lie in other CRSs or dates than the embeddings say."
        )
        return None
    if off := tiles_off(raw, store.tiles):
        yield Noticed(
            f"No {baseline.name} to compare with: the scenes' pixels are found again for {len(store.tiles) - off} of the "
            f"{len(store.tiles)} tiles only."
        )
        return None
    return raw


def _zones(store: EmbeddingStore) -> set[tuple[object, ...]]:
    """CRSs and last dates of the tiles, by which pixels are found again."""
    return {(tile.crs, *tile.datetimes[-1:]) for tile in store.tiles}


def _check_extraction(
    config: TrainConfig, extraction: ExtractConfig, root: Path
) -> Generator[Event, None, None]:
    """Refuse what the plan of an extraction already tells: layers, masks and splits that are not there."""
    yield from (StepStarted(step) for step in extraction.scene.prepare(root))
    yield StepStarted("Checking layers, labels and split before the extraction")
    asked = named(config.labels, task_of(config.task))
    if asked.name is not None:
        yield from map(StepStarted, extraction.scene.prepare_labels(root, asked.name))
    plan = make_plan(extraction, root)
    if config.layers is not None:
        require_layers(resolve_layers(plan.spec, config.layers), plan.layers)
    check_layers(config.head, len(config.layers or plan.layers))
    tiles = [stored_tile(item, plan) for item in plan.tiles]
    if config.labels.folders:
        label_files_of(tiles, [resolve_path(one) for one in config.labels.folders], config.labels.pattern)
    elif config.labels.path is None:
        masks_of_tiles(tiles, named_labels(plan.scenes, asked.name))
    else:
        require_overlap(resolve_path(config.labels.path), tiles)
    split_tiles(tiles, config.split, config.seed)


def _require_watched(config: TrainConfig, store: EmbeddingStore, split: Split) -> None:
    """Check that the tile that is to be watched is one of the validation.

    Raises:
        ConfigError: it is not.
    """
    there = sorted(store.tiles[index].id for index in split.tiles["validation"])
    if config.watch_tile is not None and config.watch_tile not in there:
        raise ConfigError(
            f"watch_tile {config.watch_tile} is no validation tile; there are "
            f"{', '.join(there[:5])}{', ...' if len(there) > 5 else ''}."
        )


def _notes(split: Split) -> Iterator[str]:
    """What a person should know of the split."""
    yield from split.leaks
    if split.left_out:
        yield f"{split.left_out} training tile(s) within split.buffer_m of a test tile are left out."
    if split.touching and not split.leaks:
        yield (
            f"{100 * split.touching:.0f} % of the test tiles touch a training tile, so that test scores may be a little too "
            f"good. Set split.buffer_m to leave a gap between them."
        )
