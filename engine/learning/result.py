"""What a training leaves: the decoder's card, the scores and the maps, read without torch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.errors import JobError, StoreError
from engine.files import write_atomic
from engine.jobs import folder as run_folder
from engine.jobs.config import HeadConfig, TrainConfig, load_config
from engine.jobs.event_log import read_events
from engine.jobs.events import EpochDone, TrainPlanned
from engine.store.schema import StoreMeta
from engine.store.store import EmbeddingStore

CARD, WEIGHTS, SCORES = "decoder.json", "decoder.safetensors", "scores.json"
PREDICTIONS, ERRORS = "predictions.tif", "errors.tif"
SCHEMA_VERSION = 1
NODATA = 255
RIGHT, HIT, FALSE_ALARM, MISS = 0, 1, 2, 3
# Red, green, blue, opacity, told apart with any colour vision (Okabe & Ito 2008, "Color universal design").
CLASS_COLOURS = {0: (204, 204, 204, 64), 1: (213, 94, 0, 255), NODATA: (0, 0, 0, 0)}
ERROR_COLOURS = {
    RIGHT: (204, 204, 204, 64), HIT: (0, 158, 115, 255), FALSE_ALARM: (230, 159, 0, 255),
    MISS: (204, 121, 167, 255), NODATA: (0, 0, 0, 0),
}  # fmt: skip


@dataclass(frozen=True)
class DecoderCard:
    """What must hold of a store for a decoder to read it, and what the decoder was taught with.

    Attributes:
        weights_sha256: of the encoder's checkpoint, or the word "random".
        layers, dims: columns of the store that are joined, and their widths.
        epoch: the one whose state is kept, from 1.
        split: tile ids of each split.
        store, labels, raw_store: paths from the run folder (`raw_store` "" without a baseline).
        baseline_threshold: NBR at or below which the baseline calls a pixel burnt.
    """

    schema_version: int
    backbone: str
    weights_sha256: str
    layers: tuple[int, ...]
    dims: tuple[int, ...]
    patch_px: int
    bands: tuple[str, ...]
    temporal: str
    is_simulated: bool
    source: str
    head: dict[str, Any]
    epoch: int
    seed: int
    split: dict[str, list[str]]
    store: str
    labels: str
    raw_store: str = ""
    baseline_threshold: float | None = None

    @property
    def is_random(self) -> bool:
        """Whether the encoder's weights were random."""
        return self.weights_sha256 == "random"

    @property
    def head_config(self) -> HeadConfig:
        """The head as it was configured."""
        return HeadConfig.model_validate(self.head)

    def require_fit(self, store: EmbeddingStore) -> None:
        """Check that a store is what this decoder learned to read.

        Raises:
            StoreError: another backbone, checkpoint, layer, width, patch or joining of dates.
        """
        wanted = {
            "backbone": self.backbone, "weights": _short(self.weights_sha256), "patch": f"{self.patch_px} px",
            "dates joined by": self.temporal,
        }  # fmt: skip
        meta = store.meta
        found = {
            "backbone": meta.backbone, "weights": _short(meta.weights_sha256), "patch": f"{meta.patch_px} px",
            "dates joined by": temporal_of(meta),
        }  # fmt: skip
        widths = dict(zip(meta.layers, meta.dims, strict=True))
        for layer, dim in zip(self.layers, self.dims, strict=True):
            wanted[f"layer {layer}"] = f"{dim} wide"
            found[f"layer {layer}"] = f"{widths[layer]} wide" if layer in widths else "absent"
        other = [key for key in wanted if wanted[key] != found[key]]
        if other or meta.granularity != "patch":
            raise StoreError(
                f"a store of {', '.join(f'{key} {wanted[key]}' for key in other) or 'patches'} was wanted by this decoder "
                f"(trained on {self.backbone}), found {', '.join(f'{key} {found[key]}' for key in other) or 'tiles'} in "
                f"{store.folder} ({meta.backbone}). Extract with the decoder's backbone, or train a decoder on this store."
            )


@dataclass(frozen=True)
class TrainRun:
    """A reader over the run folder of a training, finished or running."""

    folder: Path

    @classmethod
    def open(cls, folder: Path) -> TrainRun:
        """The training in a folder.

        Raises:
            JobError: the folder holds no training.
        """
        if not (folder / CARD).is_file() and not (folder / run_folder.CONFIG).is_file():
            raise JobError(
                f"the run folder of a training was wanted, found none at {folder}. See `python -m engine jobs`."
            )
        run = cls(folder.resolve())
        if (folder / run_folder.CONFIG).is_file():
            run.config  # noqa: B018  (reads it, and so refuses the folder of an extraction)
        return run

    @cached_property
    def config(self) -> TrainConfig:
        """The configuration that it was started with.

        Raises:
            JobError: the folder belongs to another kind of job.
        """
        config = load_config(self.folder / run_folder.CONFIG)
        if not isinstance(config, TrainConfig):
            raise JobError(
                f"a training was wanted, found a run of kind {config.kind} in {self.folder}. Open it on its own page."
            )
        return config

    @property
    def history(self) -> list[EpochDone]:
        """Epochs so far, oldest first; those of the last start when the run was started more than once."""
        epochs: list[EpochDone] = []
        for _, event in read_events(self.folder):
            if isinstance(event, TrainPlanned):
                epochs = []
            elif isinstance(event, EpochDone):
                epochs.append(event)
        return epochs

    @property
    def is_finished(self) -> bool:
        """Whether the decoder and its scores are there."""
        return (self.folder / CARD).is_file() and (self.folder / SCORES).is_file()

    @property
    def scores(self) -> dict[str, Any]:
        """Scores on the test split.

        Raises:
            JobError: the training has not come to its test yet.
        """
        return _read_json(self.folder / SCORES)

    @cached_property
    def decoder(self) -> DecoderCard:
        """The decoder's card.

        Raises:
            JobError: the training has not come to its end yet.
        """
        tree = _read_json(self.folder / CARD)
        if tree.get("schema_version") != SCHEMA_VERSION:
            raise JobError(
                f"a decoder of schema {SCHEMA_VERSION} was wanted, found {tree.get('schema_version')} in {self.folder}. Train again."
            )
        return DecoderCard(**{**tree, **{key: tuple(tree[key]) for key in ("layers", "dims", "bands")}})

    @property
    def weights(self) -> Path:
        """The decoder's weights, a safetensors file."""
        return self.folder / WEIGHTS

    @property
    def predictions(self) -> Path:
        """Map of the test places: 0 not burnt, 1 burnt, 255 no data."""
        return self.folder / PREDICTIONS

    @property
    def errors(self) -> Path:
        """Map of the test places: 0 rightly not, 1 hit, 2 false alarm, 3 miss, 255 no data or no label."""
        return self.folder / ERRORS

    @property
    def store_folder(self) -> Path:
        """The store that it learned from."""
        return (self.folder / self.decoder.store).resolve()


def encoder_facts(meta: StoreMeta) -> dict[str, Any]:
    """What a card repeats of the store's meta."""
    return {
        "backbone": meta.backbone, "weights_sha256": meta.weights_sha256, "patch_px": meta.patch_px, "bands": meta.bands,
        "temporal": temporal_of(meta), "is_simulated": meta.is_simulated, "source": meta.source,
    }  # fmt: skip


def temporal_of(meta: StoreMeta) -> str:
    """How the store's dates were joined."""
    return str(meta.config.get("backbone", {}).get("temporal", "mean"))


def write_card(folder: Path, card: DecoderCard) -> None:
    """Write decoder.json whole.

    Raises:
        DiskFull: no room.
    """
    write_json(folder / CARD, asdict(card))


def write_json(path: Path, tree: dict[str, Any]) -> None:
    """Write a JSON file whole.

    Raises:
        DiskFull: no room.
    """
    text = json.dumps(tree, indent=1, allow_nan=False)
    write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        tree: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as err:
        raise JobError(
            f"a finished training was wanted, found no {path.name} in {path.parent}. Wait for it, or run it again."
        ) from err
    except ValueError as err:
        raise JobError(
            f"a whole {path.name} was wanted, found it damaged in {path.parent}. Train again."
        ) from err
    return tree


def _short(sha256: str) -> str:
    return sha256[:12]
