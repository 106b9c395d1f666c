"""Which decoders can be averaged, and how their disagreement is shown; read without torch."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import ConfigError
from engine.learning.keeping.result import TrainRun
from engine.learning.tasks.task import Ramp, Task

DISAGREEMENT = "disagreement.tif"
# Okabe & Ito 2008, "Color universal design": from nothing to orange-red, so that agreement stays clear.
_COLOURS = ((240, 228, 66, 0), (230, 159, 0, 160), (213, 94, 0, 255))
# Of the colour bar of numbers: a standard deviation of a quarter of it is as strong a disagreement as one of 0.5 of a
# probability, which is half of its range.
_SHARE_OF_NUMBERS = 0.25


def disagreement_ramp(task: Task) -> Ramp:
    """The colour bar of where decoders of a task disagree: the standard deviation of what they say."""
    numbers = task.prediction_style.ramp
    if numbers is None:
        return Ramp(0.0, 0.5, _COLOURS, "disagreement of the decoders (std of probability)")
    reach = _SHARE_OF_NUMBERS * (numbers.high - numbers.low)
    return Ramp(0.0, reach, _COLOURS, f"disagreement of the decoders (std of {numbers.title})")


def require_alike(runs: Sequence[TrainRun]) -> None:
    """Check that decoders can be averaged: of one task, on the same columns of the same backbone.

    Raises:
        ConfigError: they cannot, naming what differs.
    """
    first = runs[0].decoder
    for run in runs[1:]:
        card = run.decoder
        for what, own, other in (
            ("the task", first.task, card.task), ("backbone", first.backbone, card.backbone),
            ("weights", first.weights_sha256, card.weights_sha256), ("layers", first.layers, card.layers),
            ("patch", first.patch_px, card.patch_px),
        ):  # fmt: skip
            if own != other:
                raise ConfigError(
                    f"{runs[0].folder.name} and {run.folder.name} are not of one kind: {what} {_short(own)} and {_short(other)}. "
                    f"Average decoders of one task on one store's embeddings, such as those of several seeds."
                )
    if len({run.folder for run in runs}) < len(runs):
        raise ConfigError("A decoder is named twice. Name each decoder of an ensemble once.")


def _short(value: object) -> str:
    return str(value)[:40]
