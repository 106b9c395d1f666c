"""What a run keeps of each decoder: a small file, from which a leaderboard that was cut off goes on."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.files import read_json, write_atomic

FOLDER = "decoders"


@dataclass(frozen=True)
class Result:
    """How one decoder learned, and its counts on test tiles.

    Attributes:
        epoch: whose state was kept, from 1; epochs: that were run.
        validation: metrics on the validation tiles.
        tests: number of a store -> (its test tiles, N) counts.
        places: that it learned from.
        seconds: of its training with its validation, without the test.
    """

    epoch: int
    epochs: int
    validation: Mapping[str, float]
    tests: Mapping[int, np.ndarray]
    places: int
    seconds: float


def write_result(folder: Path, name: str, learned_from: str, result: Result) -> None:
    """Write the file of a decoder.

    Args:
        folder: of the run.
        learned_from: identifies the stores, the labels and the split.

    Raises:
        DiskFull: no room.
    """
    tree = {
        "learned_from": learned_from, "epoch": result.epoch, "epochs": result.epochs, "places": result.places,
        "seconds": round(result.seconds, 3),
        "validation": {key: None if math.isnan(value) else value for key, value in result.validation.items()},
        "tests": {str(store): counts.tolist() for store, counts in result.tests.items()},
    }  # fmt: skip
    text = json.dumps(tree)
    write_atomic(
        folder / FOLDER / f"{name}.json", lambda temporary: temporary.write_text(text, encoding="utf-8")
    )


def read_result(folder: Path, name: str, learned_from: str) -> Result | None:
    """The result in a file; None where there is none, or it was learned from something else."""
    try:
        tree = read_json(folder / FOLDER / f"{name}.json")
        if tree["learned_from"] != learned_from:
            return None
        validation = {key: math.nan if value is None else value for key, value in tree["validation"].items()}
        tests = {int(store): np.array(counts) for store, counts in tree["tests"].items()}
        return Result(tree["epoch"], tree["epochs"], validation, tests, tree["places"], tree["seconds"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
