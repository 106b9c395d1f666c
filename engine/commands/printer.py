"""What a command says while it works: events as lines on standard error."""

from __future__ import annotations

import sys
import time

from engine.jobs import events as happened


def say(text: str) -> None:
    """One line for a person, on standard error: standard output belongs to results."""
    print(text, file=sys.stderr)


class Printer:
    """Prints events as they come, tiles at most once a second."""

    def __init__(self) -> None:
        self._last = 0.0

    def __call__(self, event: happened.Event) -> None:
        match event:
            case happened.StepStarted(step=text) | happened.Noticed(message=text):
                self._say(text)
            case happened.Queued(behind=behind):
                self._say(f"Queued: the device is held by {behind or 'another job'}.")
            case happened.ExtractPlanned():
                self._say(
                    f"{event.tiles} tiles, {event.patches} patches with {event.backbone} on {event.device}"
                )
            case happened.TileDone() if time.monotonic() - self._last >= 1 or event.done == event.total:
                rate = event.done / max(event.seconds, 1e-9)
                self._say(
                    f"tile {event.done}/{event.total}  {rate:.1f} tiles/s  {(event.total - event.done) / rate:.0f} s left"
                )
            case happened.TileSkipped(tile_id=tile, reason=reason):
                self._say(f"tile {tile} skipped: {reason}")
            case happened.EpochDone():
                best = " *" if event.is_best else ""
                self._say(f"epoch {event.epoch}/{event.epochs}  loss {event.train_loss:.4f} / {event.validation_loss:.4f}"
                          f"  IoU burnt {event.train_iou_burned:.3f} / {event.validation_iou_burned:.3f}{best}")  # fmt: skip
            case _:
                pass

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        say(text)
