"""The test of a decoder: every test tile is mapped once, and everything that is told of it is counted from that map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.learning.baselines.table import BASELINES
from engine.learning.judging.curves import best_step
from engine.learning.judging.ground import canvases
from engine.learning.judging.judgement import AT_THRESHOLD, DECODER, Judgement, Method, Place
from engine.learning.judging.numbers import Scatter
from engine.learning.judging.place_counts import PlaceCounts
from engine.learning.judging.severity import severity_of
from engine.learning.judging.strata import Stratum, by_distance, by_severity, by_size, summed
from engine.learning.judging.tally import Tally, tallies_of
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.predict import classes_of, tile_outputs
from engine.learning.tasks.task import Task
from engine.learning.truth import LabelledTile, indices_of, labelled_tiles
from engine.store.footprints import footprints
from engine.store.store import EmbeddingStore
from engine.views.maps.probability_map import STEPS

_HECTARE_M2 = 10_000.0


@dataclass(frozen=True)
class Judged:
    """A test.

    Attributes:
        predicted: what the decoder makes of each test tile, by tile id, in the terms of labels.
    """

    judgement: Judgement
    predicted: Mapping[str, np.ndarray]
    tiles: Sequence[LabelledTile]


def judge(
    run: TrainRun, store: EmbeddingStore, labels: np.ndarray, raws: Mapping[str, EmbeddingStore], root: Path
) -> Judged:
    """Map the test tiles, and count.

    Args:
        labels: (rows, L) in the order of the store.
        raws: reflectances on the same tiles by baseline; those that are not there are not compared with.
        root: where the extraction keeps what it made itself.
    """
    card, task = run.decoder, run.task
    chosen = indices_of(store, card.split["test"])
    tiles = labelled_tiles(store, labels, chosen, task.is_per_tile)
    predicted, of_tile, tallies = _mapped(run, store, labels)
    counts = np.stack([task.counts_of_pixels(one.pixels, predicted[one.tile.id]) for one in tiles])
    by_place = PlaceCounts.of_tiles(store.tiles, chosen, counts)
    methods = [Method(DECODER, "Decoder", "", by_place)]
    step = _step(task, tallies)
    if step is not None:
        above = np.stack([of_tile[one.tile.id][0].confusion_above(step) for one in tiles])
        note = (
            f"The probability is cut at {step / STEPS:g}, which gave the best IoU on the validation places."
        )
        name = f"Decoder at the threshold {step / STEPS:g}"
        methods.append(
            Method(
                AT_THRESHOLD,
                name,
                note,
                PlaceCounts.of_tiles(store.tiles, chosen, above),
            )
        )
    methods += _baselines(run, store, labels, tiles, raws)
    strata, source = _strata(task, store, by_place, tiles, predicted, raws.get("dnbr"), root)
    judgement = Judgement(
        tuple(methods), _places(task, by_place, tiles), tallies, None if step is None else step / STEPS,
        tuple(strata), source, None if task.classes else Scatter.of(tiles, predicted),
    )  # fmt: skip
    return Judged(judgement, predicted, tiles)


def _mapped(
    run: TrainRun, store: EmbeddingStore, labels: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, list[Tally]], dict[str, tuple[Tally, ...]]]:
    """What the test tiles are, their tallies one by one, and the tallies of the test and of the validation tiles."""
    task, split = run.task, run.decoder.split
    test = frozenset(split["test"])
    predicted: dict[str, np.ndarray] = {}
    of_tile: dict[str, list[Tally]] = {}
    together: dict[str, list[Tally]] = {}
    for found in tile_outputs(run, store, test | frozenset(split["validation"])):
        tile = found.span.tile
        own = tallies_of(task, found.outputs, labels[found.span.rows], found.is_valid)
        name = "test" if tile.id in test else "validation"
        together[name] = (
            [a + b for a, b in zip(together[name], own, strict=True)] if name in together else own
        )
        if tile.id in test:
            predicted[tile.id] = classes_of(found, task)
            of_tile[tile.id] = own[:1] if task.values == 1 else []
    return predicted, of_tile, {name: tuple(own) for name, own in together.items() if own}


def _step(task: Task, tallies: Mapping[str, Sequence[Tally]]) -> int | None:
    """The step of the threshold that the validation tiles choose; None but for two classes."""
    if not task.classes or task.values != 1 or "validation" not in tallies:
        return None
    return best_step(tallies["validation"][0])


def _baselines(
    run: TrainRun, store: EmbeddingStore, labels: np.ndarray, tiles: Sequence[LabelledTile], raws: Mapping[str, EmbeddingStore]
) -> list[Method]:  # fmt: skip
    split, found = run.decoder.split, []
    chosen = indices_of(store, split["test"])
    fitted = run.decoder.fitted_baselines
    for rule in BASELINES.get(run.task.name, ()):
        if rule.key not in raws or rule.key not in fitted:
            continue
        counts = rule.counts(
            raws[rule.key], tiles, fitted[rule.key], lambda: labelled_tiles(store, labels, indices_of(store, split["train"])),
        )  # fmt: skip
        threshold = fitted[rule.key].get("threshold")
        note = (
            ""
            if threshold is None
            else f"The threshold, {_written(threshold)}, was chosen on the training places."
        )
        found.append(Method(rule.key, rule.name, note, PlaceCounts.of_tiles(store.tiles, chosen, counts)))
    return found


def _places(task: Task, by_place: PlaceCounts, tiles: Sequence[LabelledTile]) -> tuple[Place, ...]:
    of_id = {one.tile.id: one for one in tiles}
    found = []
    for ids in by_place.tiles:
        own = [of_id[name] for name in ids]
        bounds = footprints([replace(one.tile, h=1, w=1) for one in own]).total_bounds
        hectares = None
        if len(task.classes) == 2 and not task.is_per_tile:
            hectares = sum(float((one.pixels == 1).sum()) * _hectares_a_pixel(one) for one in own)
        found.append(Place(ids[0], ids, (bounds[0], bounds[1], bounds[2], bounds[3]), hectares))
    return tuple(found)


def _strata(
    task: Task,
    store: EmbeddingStore,
    by_place: PlaceCounts,
    tiles: Sequence[LabelledTile],
    predicted: Mapping[str, np.ndarray],
    dated: EmbeddingStore | None,
    root: Path,
) -> tuple[list[Stratum], str]:
    """Counts by distance, size and severity, place by place, and what severity was taken from."""
    if len(task.classes) != 2 or task.is_per_tile:
        return [], ""
    severity = severity_of(store, tiles, dated, root) if task.name == "burn_scars" else None
    maps = {"called": predicted, **({"severity": severity.of_tile} if severity and severity.of_tile else {})}
    of_id, missing = {one.tile.id: one for one in tiles}, task.label_reading.missing_label
    found: list[Stratum] = []
    for ids in by_place.tiles:
        own = [of_id[name] for name in ids]
        for canvas in canvases(own, maps, int(missing)):
            truth, called = canvas["truth"], canvas["called"]
            found += by_distance(truth, called, abs(own[0].tile.transform[0]))
            found += by_size(truth, called, _hectares_a_pixel(own[0]))
            if severity and "severity" in canvas:
                found += by_severity(truth, called, canvas["severity"], severity.titles)
    return summed(found), severity.source if severity else ""


def _written(number: float) -> str:
    return f"{number:.3f}".replace("-", "−")


def _hectares_a_pixel(one: LabelledTile) -> float:
    return abs(one.tile.transform[0] * one.tile.transform[4]) / _HECTARE_M2
