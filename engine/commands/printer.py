"""What a command says while it works: events as lines on standard error."""

from __future__ import annotations

import math
import sys
import time

from engine.jobs import events as happened
from engine.jobs.dataset_events import DatasetPlanned, FireDone
from engine.jobs.leaderboard_events import DecoderTaught


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
                left_s = (event.total - event.done) / rate
                left = f"  {left_s:.0f} s left" if event.done < event.total else ""
                self._say(f"tile {event.done}/{event.total}  {rate:.1f} tiles/s{left}")
            case happened.MeasureStep(step=step, done=done, total=total) if (
                time.monotonic() - self._last >= 1 or done in (0, total)
            ):
                self._say(f"{step}: {done} of {total}" if total else step)
            case happened.TileSkipped(tile_id=tile, reason=reason):
                self._say(f"tile {tile} skipped: {reason}")
            case happened.EpochDone():
                best = " *" if event.is_best else ""
                names = dict.fromkeys(("loss", event.watch))
                self._say(
                    "  ".join(
                        (f"epoch {event.epoch}/{event.epochs}", *(_pair(event, name) for name in names))
                    )
                    + best
                )
            case DecoderTaught():
                score = "" if event.validation is None else f"  validation {event.validation:.4f}"
                left = f"  {event.seconds_left:.0f} s left" if event.done < event.total else ""
                self._say(
                    f"decoder {event.done}/{event.total}  {event.head} on {event.backbone}, seed {event.seed}{score}{left}"
                )
            case DatasetPlanned(fires=fires, done=done):
                self._say(f"{fires} fire(s)" + (f", {done} of them done before" if done else ""))
            case FireDone():
                left = f"  {event.seconds_left:.0f} s left" if event.done < event.total else ""
                self._say(
                    f"fire {event.done}/{event.total}  {event.fire}  {event.chips} chip(s) so far{left}"
                )
            case _:
                pass

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        say(text)


def _pair(event: happened.EpochDone, name: str) -> str:
    """A metric on the training and on the validation split."""
    train, validation = event.train.get(name, math.nan), event.validation.get(name, math.nan)
    return f"{name} {train:.4f} / {validation:.4f}"
