"""Which decoders can be averaged, and how their disagreement is shown; read without torch."""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import ConfigError
from engine.learning.keeping.result import TrainRun
from engine.learning.tasks.task import Ramp

DISAGREEMENT = "disagreement.tif"
# Okabe & Ito 2008, "Color universal design": from nothing to orange-red, so that agreement stays clear.
DISAGREEMENT_RAMP = Ramp(
    0.0,
    0.5,
    ((240, 228, 66, 0), (230, 159, 0, 160), (213, 94, 0, 255)),
    "disagreement of the decoders (std of probability)",
)


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
