"""Weights that a backbone draws from the scenes of the run: drawn once, kept with the store, read from there by everyone."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np

from engine.backbones.core.batch import Batch, as_reflectance
from engine.backbones.families import family_of
from engine.errors import SceneError, StoreError, WeightsError
from engine.extraction.encode import batch_of
from engine.extraction.pixels.tile_reader import read_tile
from engine.extraction.plan import Plan
from engine.files import write_atomic
from engine.imagery.raster.rasters import OpenRasters
from engine.jobs.events import Event, Noticed, StepStarted
from engine.store.store import ENCODER, FINISHED, UNFINISHED

# Tiles that are looked at: of 256 px, 4 million pixels.
_TILES = 64


def with_drawn_weights(plan: Plan, folder: Path) -> Generator[Event, None, Plan]:
    """The plan with its weights at their path in the store; unchanged where the backbone draws none.

    What an unfinished run has drawn is kept, so that its rows stay alike. Weights that the configuration names by path are
    copied into the store: it can be asked for the same features as well.

    Args:
        folder: the run folder.

    Raises:
        SceneError: no tile has a pixel.
        BackboneError: too few patches.
        WeightsError: the path that the configuration names is no file.
        StoreError: the run folder holds the store of another backbone.
        DiskFull: no room.
    """
    if plan.spec.weights.kind != "scenes" or plan.weights == "random":
        return plan
    begun = next(
        (folder / name for name in (FINISHED, UNFINISHED) if any((folder / name).glob("part-*"))), None
    )
    path = (begun or folder / UNFINISHED) / ENCODER
    if begun is not None and not path.is_file():
        raise StoreError(f"{folder} already holds the store of another backbone. Choose another --out.")
    if begun is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if plan.weights == "pretrained":
            yield StepStarted("Drawing patches from the scenes")
            _draw(plan, path)
        else:
            _copy(Path(plan.weights), path)
    yield Noticed(
        f"{plan.spec.title} is a baseline without pretraining: its weights are drawn from scenes, and kept in {ENCODER}."
    )
    return dataclasses.replace(plan, weights=str(path))


def _draw(plan: Plan, path: Path) -> None:
    from safetensors.torch import save

    batches = list(_batches(plan))
    if not batches:
        raise SceneError("The tiles hold only gaps and no valid pixel. Choose another region or scene.")
    state = dict(family_of(plan.spec).adapter().draw(plan.spec, batches, plan.seed))
    write_atomic(path, lambda temporary: temporary.write_bytes(save(state)))


def _copy(given: Path, path: Path) -> None:
    if not given.is_file():
        raise WeightsError(f"{str(given)!r} is not a file. Set backbone.weights to the {ENCODER} of a store.")
    write_atomic(path, lambda temporary: shutil.copyfile(given, temporary))


def _batches(plan: Plan) -> Iterator[Batch]:
    """Pixels of some tiles, drawn by the seed of the plan; tiles without pixels are passed over."""
    order = np.random.default_rng(plan.seed).permutation(len(plan.tiles))
    rasters, found = OpenRasters(), 0
    try:
        for index in order:
            batch = batch_of([read_tile(plan.tiles[index], plan, rasters)], plan)
            if batch is None:
                continue
            yield as_reflectance(batch)
            found += 1
            if found == _TILES:
                return
    finally:
        rasters.close()
