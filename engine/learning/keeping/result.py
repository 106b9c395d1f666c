"""What a training leaves: the decoder's card, the scores and the maps, read without torch."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.errors import JobError
from engine.files import read_json, write_atomic
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import TrainConfig, load_config
from engine.jobs.event_log import read_events
from engine.jobs.events import EpochDone, TrainPlanned
from engine.learning.keeping.card import SCHEMA_VERSION, DecoderCard
from engine.learning.tasks.table import task_of
from engine.learning.tasks.task import Task

CARD, WEIGHTS, SCORES = "decoder.json", "decoder.safetensors", "scores.json"
POSITIONS = "positions.safetensors"
PREDICTIONS, ERRORS = "predictions.tif", "errors.tif"


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
            raise JobError(f"{folder} is not the run folder of a training. See `python -m engine jobs`.")
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
                f"{self.folder} is a run of kind {config.kind}, not a training. Open it on its own page."
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
                f"The decoder in {self.folder} is of schema {tree.get('schema_version')}, and this version reads schema "
                f"{SCHEMA_VERSION}. Train it again with this version."
            )
        return DecoderCard.from_json(tree)

    @property
    def task(self) -> Task:
        """What is or was learned: the classes with their names and colours, the metrics, the maps' legends."""
        return self.decoder.taught if (self.folder / CARD).is_file() else task_of(self.config.task)

    @property
    def weights(self) -> Path:
        """The decoder's weights, a safetensors file."""
        return self.folder / WEIGHTS

    @property
    def positions(self) -> Path:
        """Means of places in the window, a safetensors file, where the decoder was trained with position removed."""
        return self.folder / POSITIONS

    @property
    def predictions(self) -> Path:
        """Map of the test tiles: values as `task.prediction_style` says (burn scars: 0 not burnt, 1 burnt), 255 nothing."""
        return self.folder / PREDICTIONS

    @property
    def errors(self) -> Path:
        """Map of the test tiles: values as `task.error_style` says, 255 no data or no label."""
        return self.folder / ERRORS

    @property
    def store_folder(self) -> Path:
        """The store that it learned from."""
        return (self.folder / self.decoder.store).resolve()


def write_card(folder: Path, card: DecoderCard) -> None:
    """Write decoder.json.

    Raises:
        DiskFull: no room.
    """
    write_json(folder / CARD, asdict(card))


def write_json(path: Path, tree: dict[str, Any]) -> None:
    """Write a JSON file.

    Raises:
        DiskFull: no room.
    """
    text = json.dumps(tree, indent=1, allow_nan=False)
    write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _read_json(path: Path) -> dict[str, Any]:
    try:
        tree = read_json(path)
    except FileNotFoundError as err:
        raise JobError(
            f"{path.parent} has no {path.name}: the training there has not finished. Wait for it, or run it again."
        ) from err
    except ValueError as err:
        raise JobError(f"{path} is damaged and cannot be read. Train again.") from err
    if not isinstance(tree, dict):
        raise JobError(f"{path} is damaged and cannot be read. Train again.")
    return tree
