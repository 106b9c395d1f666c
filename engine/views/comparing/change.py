"""Change between two dates: how far the embeddings of the same patch lie apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.errors import StoreError
from engine.store.schema import StoredTile
from engine.store.store import ENCODER
from engine.views.comparing.dated_view import DatedView
from engine.views.comparing.footprints import OnFootprints
from engine.views.comparing.shared_ground import shared_ground
from engine.views.maps.overlay import store_tags, write_mosaic

DISTANCES = ("cosine", "euclidean")
_PERCENTS = (5.0, 50.0, 95.0)


@dataclass(frozen=True)
class Change:
    """How two dates are compared.

    Attributes:
        before, after: the same layer of the same backbone on two dates.
        mean: (D,) that cosines are taken about: of both dates on the ground they share.
        percentiles: distance -> its 5th percentile, median and 95th on the shared ground.
        notes: what a person should know of it.
    """

    before: DatedView
    after: DatedView
    mean: np.ndarray
    percentiles: dict[str, tuple[float, ...]]
    notes: tuple[str, ...]

    def distances(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """(2, ...) float32 of (..., D) embeddings of the same patches: cosine distance 0 to 2, Euclidean distance."""
        x, y = (each.astype(np.float32) - self.mean.astype(np.float32) for each in (before, after))
        lengths = np.linalg.norm(x, axis=-1) * np.linalg.norm(y, axis=-1)
        cosine = (x * y).sum(axis=-1) / np.where(lengths > 0, lengths, 1)
        # Rounding: a cosine does not exceed 1.
        return np.stack([np.clip(1 - cosine, 0.0, 2.0), np.linalg.norm(x - y, axis=-1)])


def change(before: DatedView, after: DatedView) -> Change:
    """Prepare the comparison of two dates.

    Raises:
        StoreError: other backbones, weights or layers, the same tiles twice, dates that share no ground, embeddings that
            are not finite.
    """
    require_same_space(before, after)
    if before.store.folder == after.store.folder and before.chosen == after.chosen:
        raise StoreError(
            f"{before.store.folder} was given twice with the same date, and nothing changes. Choose two dates with --dates, or "
            f"another store."
        )
    ground = shared_ground((before, after))
    mean = np.mean([values.mean(axis=0, dtype=np.float64) for values in ground.embeddings], axis=0)
    found = Change(before, after, mean, {}, (*ground.notes, *_notes(before, after)))
    sample = np.percentile(found.distances(*ground.embeddings), _PERCENTS, axis=1).T
    percentiles = {name: tuple(map(float, row)) for name, row in zip(DISTANCES, sample, strict=True)}
    return Change(before, after, mean, percentiles, found.notes)


def patches_of_both(found: Change) -> int:
    """How many patches have data on both dates."""
    return sum(int(np.isfinite(distances[0]).sum()) for _, distances in change_tiles(found))


def change_overlay(found: Change, out: Path) -> None:
    """Write both distances as two float32 bands, NaN where one of the dates has no data.

    Raises:
        StoreError, DiskFull: as `write_mosaic`.
    """
    write_mosaic(
        out, change_tiles(found), level="patch", nodata=float("nan"), dtype="float32", tags=change_tags(found),
        band_names=tuple(f"{name} distance" for name in DISTANCES),
    )  # fmt: skip


def change_tiles(found: Change) -> Iterator[tuple[StoredTile, np.ndarray]]:
    """Tile by tile of the date with the coarser patches: the distances (2, h, w), NaN without data."""
    is_after_coarser = found.after.patch_m > found.before.patch_m
    base, other = (found.after, found.before) if is_after_coarser else (found.before, found.after)
    reader = OnFootprints(other)
    for tile, values, valid in base.tiles():
        there, covered = reader.onto(tile)
        if not covered.any():
            yield tile, np.full((len(DISTANCES), tile.h, tile.w), np.nan, np.float32)
            continue
        distances = found.distances(*((there, values) if is_after_coarser else (values, there)))
        yield tile, np.where(covered & (valid > 0), distances, np.float32("nan"))


def require_same_space(first: DatedView, second: DatedView) -> None:
    """Check that the embeddings of two views may be subtracted.

    Raises:
        StoreError: other backbones, weights, settings or layers.
    """
    here, there = first.store.meta, second.store.meta
    for name, one, other in (
        ("backbones", here.backbone, there.backbone),
        ("weights", here.weights_sha256[:12], there.weights_sha256[:12]),
        ("seeds of random weights", _seed(first), _seed(second)),
        ("settings", _settings(first), _settings(second)),
        ("bands", ", ".join(here.bands), ", ".join(there.bands)),
        ("layers", str(first.view.layer), str(second.view.layer)),
    ):
        if one != other:
            raise StoreError(
                f"{first.store.folder} and {second.store.folder} have other {name} ({one} and {other}), and their embeddings "
                f"cannot be held against each other number by number. {_remedy(first, second, name)}"
            )


def _remedy(first: DatedView, second: DatedView, name: str) -> str:
    """What to do about stores that differ in something; those that drew their weights can share them."""
    kept = first.store.folder / ENCODER
    if name == "weights" and kept.is_file() and (second.store.folder / ENCODER).is_file():
        return (
            f"{first.store.meta.backbone} draws its weights from the scenes of each extraction: extract the other again "
            f"with backbone.weights: {kept}, or use compare."
        )
    return "Choose stores of one backbone and layer, or use compare."


def _seed(view: DatedView) -> str:
    """What random weights depend on; empty for weights from a file."""
    return str(view.store.meta.config.get("seed", 0)) if view.store.meta.is_random else ""


def _settings(view: DatedView) -> str:
    given = view.store.meta.config.get("backbone", {}).get("settings", {})
    return ", ".join(f"{key}={value}" for key, value in sorted(given.items())) or "defaults"


def _notes(before: DatedView, after: DatedView) -> Iterator[str]:
    here, there = before.store.meta, after.store.meta
    if here.sensor != there.sensor or here.level != there.level:
        yield (
            f"The dates are of {here.sensor or 'an unnamed sensor'} ({here.level or 'level not stated'}) and "
            f"{there.sensor or 'an unnamed sensor'} ({there.level or 'level not stated'}): what differs between sensors shows as "
            f"change."
        )
    if here.gsd_m != there.gsd_m:
        yield f"The dates were seen at {here.gsd_m:g} m and {there.gsd_m:g} m, which shows as change."
    if (before.days, after.days) == ("", ""):
        yield "Neither source states a date."
    elif before.days == after.days:
        yield f"Both are of {before.days}."


def change_tags(found: Change) -> dict[str, str]:
    return store_tags(found.before.store, found.before.view.layer) | found.before.view.tags | {
        "EMBERSCOPE_BEFORE": found.before.days or "no date stated",
        "EMBERSCOPE_AFTER": found.after.days or "no date stated",
        "EMBERSCOPE_AFTER_SOURCE": found.after.store.meta.source,
    }  # fmt: skip
