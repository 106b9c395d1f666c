"""UMAP of a view: some of its patches in a plane, laid out so that near ones stay near, and kept beside the store."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import warnings
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.concurrency.steps import in_thread
from engine.errors import BadInput, EngineError, StoreError
from engine.files import make_folder, write_atomic
from engine.jobs.configuration.measure import UmapConfig
from engine.jobs.events import MeasureStep
from engine.store.store import FINISHED
from engine.views.comparing.dated_view import DatedView
from engine.views.comparing.likeness import unit_about_mean
from engine.views.comparing.shared_ground import require_varied, shared_ground
from engine.views.pca import identity_of

logger = logging.getLogger(__name__)
INSTALL = "pip install -r requirements-umap.txt"
# Counts up when layouts are made otherwise: those of earlier versions are made again.
_VERSION = 1
_ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class UmapLayout:
    """Patches of a view in a plane.

    Attributes:
        points: (n, 2) float32; distances mean near and far, their unit means nothing.
        tiles: (n,) which of the view's chosen tiles a patch belongs to.
        rows: (n,) the row of the patch in its tile.
    """

    points: np.ndarray
    tiles: np.ndarray
    rows: np.ndarray


def is_installed() -> bool:
    """Whether umap-learn is here; it is not imported."""
    return importlib.util.find_spec("umap") is not None


def kept_layout(view: DatedView, asked: UmapConfig) -> UmapLayout | None:
    """The layout that was made before, of the store as it is now; None where there is none."""
    try:
        with np.load(layout_path(view, asked), allow_pickle=False) as kept:
            if str(kept["key"]) == identity_of(view.store):
                return UmapLayout(kept["points"], kept["tiles"], kept["rows"])
    except (OSError, ValueError, KeyError, EOFError) as err:
        logger.info("No layout to read: %s", err)
    return None


def make_layout(view: DatedView, asked: UmapConfig) -> Generator[MeasureStep, None, UmapLayout]:
    """Lay out some patches of a view, and keep the result beside the store.

    Neighbours are the nearest by the cosine about the mean, found exactly; the layout starts from the first two
    components, so that it is the same for the same seed.

    Yields:
        How far it is.

    Raises:
        BadInput: umap-learn is not installed.
        StoreError: fewer than ten patches with data; embeddings of one number, the same everywhere, or not finite.
    """
    if not is_installed():
        raise BadInput(f"UMAP needs the library umap-learn, which is not here. Install it: {INSTALL}")
    yield MeasureStep("Reading embeddings", 0, 0)
    ground = shared_ground((view,), asked.patches)
    require_varied(ground)
    if ground.embeddings[0].shape[1] < 2:
        raise StoreError(
            f"{view.store.folder} has embeddings of one number, which lie on a line. Choose another layer."
        )
    unit = unit_about_mean(ground.embeddings[0])

    def work(tell: Callable[[MeasureStep], None]) -> np.ndarray:
        return _laid_out(unit, asked, tell)

    points = yield from in_thread(work)
    found = UmapLayout(points, ground.tiles, ground.rows)
    keep_layout(view, asked, found)
    return found


def layout_path(view: DatedView, asked: UmapConfig) -> Path:
    """Where a layout is kept: one file for each view and each setting."""
    store = view.store
    folder = store.folder.parent / "umap" if store.folder.name == FINISHED else store.folder / "_umap"
    how = asked.model_dump(include={"patches", "neighbours", "min_distance", "seed"})
    facts = [_VERSION, view.view.layer, view.view.window, view.view.position, view.date, how]
    name = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    return folder / f"layer{view.view.layer}_{name}.npz"


def _laid_out(unit: np.ndarray, asked: UmapConfig, tell: Callable[[MeasureStep], None]) -> np.ndarray:
    """(n, 2) points of (n, D) rows of length one."""
    near = _nearest(unit, min(asked.neighbours, len(unit) - 1), tell)
    tell(MeasureStep("Compiling UMAP", 0, 0))
    import umap

    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", category=UserWarning, module="umap"
        )  # one thread, no new points: meant
        fitted = umap.UMAP(
            n_neighbors=near[0].shape[1], min_dist=asked.min_distance, random_state=asked.seed, n_jobs=1,
            init=_start(unit), precomputed_knn=near,
            tqdm_kwds={"file": _Epochs(tell), "disable": False, "bar_format": "{n_fmt} {total_fmt}", "mininterval": 0.5},
        ).fit_transform(unit)  # fmt: skip
    return np.asarray(fitted, np.float32)


def _nearest(
    unit: np.ndarray, count: int, tell: Callable[[MeasureStep], None]
) -> tuple[np.ndarray, np.ndarray]:
    """(n, count) the nearest rows of each row, itself first, and their distances."""
    numbers, distances, done = [], [], 0
    for rows in np.array_split(np.arange(len(unit)), -(-len(unit) // _ROWS_AT_ONCE)):
        cosines = unit[rows] @ unit.T
        cosines[np.arange(len(rows)), rows] = 2.0  # itself before all others, also before its doubles
        found = np.argpartition(-cosines, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(cosines, found, 1), axis=1, kind="stable")
        found = np.take_along_axis(found, order, 1)
        numbers.append(found)
        distances.append(np.sqrt(np.clip(2 - 2 * np.take_along_axis(cosines, found, 1), 0, None)))
        done += len(rows)
        tell(MeasureStep("Looking for the nearest patches", done, len(unit)))
    return np.concatenate(numbers), np.concatenate(distances).astype(np.float32)


def _start(unit: np.ndarray) -> np.ndarray:
    """(n, 2) first two components."""
    _, directions = np.linalg.eigh(unit.T @ unit)
    kept = directions[:, ::-1][:, :2]
    kept = kept * np.sign(np.take_along_axis(kept, np.abs(kept).argmax(axis=0)[None], axis=0))
    return np.asarray(unit @ kept, np.float32)


class _Epochs:
    """What a progress bar is written to: it passes on the epoch and how many there are."""

    def __init__(self, tell: Callable[[MeasureStep], None]) -> None:
        self._tell = tell

    def write(self, text: str) -> None:
        numbers = text.split()
        if len(numbers) == 2 and all(one.isdigit() for one in numbers):
            self._tell(MeasureStep("Laying out", int(numbers[0]), int(numbers[1])))

    def flush(self) -> None:
        """Nothing is held back."""


def keep_layout(view: DatedView, asked: UmapConfig, found: UmapLayout) -> None:
    """Write a layout beside its store.

    Raises:
        StoreError: the folder cannot be written.
    """
    path = layout_path(view, asked)

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.savez(
                file,
                key=np.array(identity_of(view.store)),
                points=found.points,
                tiles=found.tiles,
                rows=found.rows,
            )

    try:
        make_folder(path.parent)
        write_atomic(path, write)
    except EngineError as err:
        raise StoreError(f"The UMAP of {view.store.folder} cannot be kept beside it: {err}") from err
