"""From dated perimeters to a labelled data set, fire by fire; it gets its name when it is complete."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.datasets.asking import images_after
from engine.datasets.chips import bands_of, read_pixels, write_chip
from engine.datasets.cutting import cuts_of, size_px
from engine.datasets.images import Images, NoImage
from engine.datasets.masks import BURNT, MISSING, Ground, Numbers, class_numbers
from engine.datasets.perimeters.fire import Fire, NotHad
from engine.datasets.perimeters.reading import Perimeters, read_perimeters
from engine.datasets.records import ChipRecord, FireRecord, Records
from engine.datasets.report import write_report, write_splits
from engine.datasets.splitting import divided
from engine.errors import BadInput, RemoteError, SceneError
from engine.files import read_json, write_errors
from engine.imagery.raster.rasters import OpenRasters
from engine.imagery.scene import Scene
from engine.jobs.configuration.dataset import AskedForEachFire, DatasetConfig
from engine.jobs.dataset_events import DatasetDone, DatasetPlanned, FireDone
from engine.jobs.events import Event, Noticed, StepStarted
from engine.paths import resolve_path

FOLDER = "dataset"
_UNFINISHED = f"{FOLDER}.unfinished"
# So many fires after another whose images cannot be had, and the network is held to be down.
_MOST_FAILURES = 3


@dataclass(frozen=True)
class _Work:
    """What all fires of a data set share."""

    config: DatasetConfig
    root: Path
    perimeters: Perimeters
    scenes: tuple[Scene, ...]
    side_px: int
    numbers: Numbers | None
    ground: Ground
    records: Records


def build_dataset(config: DatasetConfig, folder: Path, root: Path) -> Iterator[Event]:
    """Make a data set in a run folder, or go on with one.

    Args:
        root: the workspace.

    Yields:
        StepStarted, Noticed, DatasetPlanned, FireDone for each fire, and DatasetDone at the end.

    Raises:
        BadInput: perimeters or scenes that cannot be used, or none of the fires can be had.
        RemoteError: the network is down; a resumed run goes on.
        DiskFull, RunFailure: it cannot be written.
    """
    began = time.monotonic()
    done = folder / FOLDER
    if done.is_dir():
        yield made_before(done)
        return
    work = yield from _prepared(config, folder, root)
    records, not_had = yield from _made(work)
    lost = [*work.perimeters.not_had, *not_had]
    if not any(record.chips for record in records):
        reasons = "; ".join(f"{one.fire}: {one.reason}" for one in lost[:3])
        raise BadInput(f"No chip could be made of {len(records) or len(lost)} fire(s). {reasons}")
    splits, note = divided(records, config.splits)
    if note:
        yield Noticed(note)
    notes = [*work.perimeters.notes, *([work.numbers.note] if work.numbers else []), *([note] if note else [])]  # fmt: skip
    unfinished = work.records.folder
    _remove_strangers(unfinished / "data", records)
    write_splits(unfinished, splits)
    facts = write_report(unfinished, config, records, lost, splits, [one for one in notes if one])
    with write_errors(done):
        unfinished.rename(done)
    yield DatasetDone(
        str(done), facts["chips"], facts["fires"], facts["splits"], facts["could_not_be_had"], facts["burnt_share"],
        round(time.monotonic() - began, 1), facts["notes"],
    )  # fmt: skip


def made_before(folder: Path) -> DatasetDone:
    """What a complete data set says of itself.

    Raises:
        BadInput: it does not.
    """
    try:
        facts = read_json(folder / "dataset.json")
        return DatasetDone(
            str(folder), facts["chips"], facts["fires"], facts["splits"], facts["could_not_be_had"], facts["burnt_share"], 0.0,
            facts["notes"],
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise BadInput(
            f"{folder} is there already and does not say what it is. Choose another --out."
        ) from err


def _prepared(config: DatasetConfig, folder: Path, root: Path) -> Generator[Event, None, _Work]:
    """Everything that can be refused is refused here, before a pixel is read."""
    yield StepStarted("Reading the perimeters")
    classes = config.labels.classes
    perimeters = read_perimeters(config.perimeters, classes.column if classes else None)
    numbers = class_numbers(classes, perimeters.fires) if classes else None
    for note in (*perimeters.notes, *([numbers.note] if numbers and numbers.note else [])):
        yield Noticed(note)
    scenes: tuple[Scene, ...] = ()
    if not isinstance(config.imagery, AskedForEachFire):
        for step in config.imagery.prepare(root):
            yield StepStarted(step)
        yield StepStarted("Finding the scenes")
        scenes, damaged = config.imagery.find_readable(root)
        for note in damaged:
            yield Noticed(note)
        for note in dict.fromkeys(note for scene in scenes for note in scene.notes):
            yield Noticed(note)
    side_px = size_px(config.chips, scenes)
    if side_px < config.chips.size_px:
        yield Noticed(f"Chips have {side_px} px a side, as no scene is larger.")
    records = Records.begun(folder / _UNFINISHED, resolve_path(config.perimeters.file), side_px)
    return _Work(config, root, perimeters, scenes, side_px, numbers, Ground(perimeters, config), records)


def _made(work: _Work) -> Generator[Event, None, tuple[list[FireRecord], list[NotHad]]]:
    """The record of each fire, made now or before; and what could not be had."""
    fires = work.perimeters.asked
    held = {fire.key: work.records.get(fire.key) for fire in fires}
    yield DatasetPlanned(len(fires), sum(1 for one in held.values() if one is not None))
    records, began, fresh, failures = list[FireRecord](), time.monotonic(), 0, 0
    bands = next((one.bands for one in held.values() if one and one.bands), ())
    for number, fire in enumerate(fires, 1):
        record = held[fire.key]
        if record is None:
            fresh += 1
            try:
                record = yield from _fire(fire, work, bands)
                work.records.put(record)
                failures = 0
            except RemoteError as err:
                failures += 1
                if failures == _MOST_FAILURES:
                    raise
                record = _without(fire, str(err))  # not kept, so that a resumed run tries again
            yield from (Noticed(f"{fire.title}: {reason}.") for reason in record.reasons)
        records.append(record)
        bands = bands or record.bands
        seconds = time.monotonic() - began
        left = seconds / fresh * (len(fires) - number) if fresh else 0.0
        yield FireDone(
            number, len(fires), fire.title, sum(len(one.chips) for one in records), round(seconds, 1), round(left)
        )  # fmt: skip
    lost = [NotHad(one.title, one.image_day or one.start, reason) for one in records for reason in one.reasons]  # fmt: skip
    return records, lost


def _fire(fire: Fire, work: _Work, bands: tuple[str, ...]) -> Generator[Event, None, FireRecord]:
    """Make the chips of one fire.

    Raises:
        RemoteError: its images cannot be had.
    """
    try:
        searching = images_after(fire, work.config, work.scenes, work.root)
        images = yield from _steps(fire, searching)
        return _cut(fire, images, work, bands)
    except NoImage as err:
        return _without(fire, str(err))
    except RemoteError:
        raise
    except SceneError as err:
        return _without(fire, str(err).rstrip("."))


def _steps(fire: Fire, searching: Generator[str, None, Images]) -> Generator[Event, None, Images]:
    """The words of a search as events."""
    while True:
        try:
            yield StepStarted(f"{fire.title}: {next(searching)}")
        except StopIteration as stop:
            found: Images = stop.value
            return found


def _cut(fire: Fire, images: Images, work: _Work, bands: tuple[str, ...]) -> FireRecord:
    config, folder = work.config, work.records.folder / "data"
    cuts = cuts_of(fire, images, config.chips, work.side_px)
    bands = bands or bands_of(images.scenes[0], config.chips.bands)
    chips, unseen = list[ChipRecord](), 0
    with OpenRasters() as rasters:
        for tile in cuts.tiles:
            pixels = read_pixels(images, tile, bands, rasters, config.clouds == "mask")
            if pixels.valid.mean() < config.chips.least_valid or not pixels.valid.any():
                unseen += 1
                continue
            mask = work.ground.mask(tile, images.day)
            labels = {"mask": mask, **_classes(work, tile, images.day, mask)}
            write_chip(folder, tile, pixels, labels, images, fire)
            chips.append(_chip_record(tile, mask, pixels.valid))
    reasons = _reasons(chips, unseen, cuts.left, config, images)
    return FireRecord(
        fire.key, fire.title, str(fire.start), str(fire.end or ""), str(images.day),
        tuple(scene.id for scene in images.scenes), tuple(chips), reasons, bands,
        any(scene.is_simulated for scene in images.scenes),
    )  # fmt: skip


def _classes(work: _Work, tile: Any, day: dt.date, mask: np.ndarray) -> Mapping[str, np.ndarray]:
    classes = work.config.labels.classes
    if classes is None or work.numbers is None:
        return {}
    return {classes.name: work.ground.classes(tile, day, mask, work.numbers.of)}


def _chip_record(tile: Any, mask: np.ndarray, valid: np.ndarray) -> ChipRecord:
    known = valid & (mask != MISSING)
    burnt = float((mask[known] == BURNT).mean()) if known.any() else 0.0
    west, south, east, north = tile.footprint.bounds
    return ChipRecord(tile.id, (west, south, east, north), round(burnt, 6), round(float(known.mean()), 6))


def _reasons(
    chips: Sequence[ChipRecord], unseen: int, left: int, config: DatasetConfig, images: Images
) -> tuple[str, ...]:
    """Why there are no chips, or fewer than there could be."""
    found = []
    if unseen:
        found.append(
            f"{unseen} chip(s) of {images.day} are left out, as less than {100 * config.chips.least_valid:g} % of them is seen"
        )
    if left:
        found.append(f"{left} chip(s) are left out, as chips.most_per_fire is {config.chips.most_per_fire}")
    if chips and not any(one.burnt for one in chips):
        found.append("no pixel of it is burnt in its chips: it is smaller than a pixel, or not seen")
    return tuple(found)


def _without(fire: Fire, reason: str) -> FireRecord:
    return FireRecord(fire.key, fire.title, str(fire.start), str(fire.end or ""), "", (), (), (reason.rstrip("."),))  # fmt: skip


def _remove_strangers(data: Path, records: Sequence[FireRecord]) -> None:
    """Remove files that an interrupted start has left, of chips that no record names."""
    stems = {chip.stem for record in records for chip in record.chips}
    for path in data.iterdir():
        if path.name.removesuffix("_merged.tif").partition(".")[0] not in stems:
            path.unlink()
