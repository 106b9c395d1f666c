"""How far a job is, in words: its share, its place in the queue, its speed and the time that is left."""

from __future__ import annotations

from collections.abc import Sequence

from engine.jobs import events as happened
from engine.jobs.dataset_events import DatasetDone, FireDone
from engine.jobs.device_queue import place_of
from engine.jobs.job import Job
from engine.jobs.leaderboard_events import DecoderTaught, LeaderboardDone
from pages.ui.look import wording

CANCELLING = "Cancelling: it closes what it writes, which may take a moment"
Events = list[tuple[float, happened.Event]]
# Speed is measured over the last so many tiles: it follows a machine that gets busy, and does not jump.
_SPEED_OVER = 24


def progress_of(job: Job, events: Events, state: str) -> tuple[float, str]:
    """As `progress`, with the place in the queue; of a job that was asked to end, that it does."""
    share, words = progress(events, state, place_of(job.folder) if state == "queued" else None)
    return share, CANCELLING if job.is_cancelling else words


def progress(events: Events, state: str, place: int | None = None) -> tuple[float, str]:
    """Share done, 0 to 1, and a few words on it.

    Args:
        place: in the queue of the device, 1 for the next job.
    """
    if state == "queued":
        return 0.0, _queue_words(events, place)
    if state == "finished":
        return 1.0, _verdict(events) or _outcome(events)
    return _step(events, state)


def _step(events: Events, state: str) -> tuple[float, str]:
    """Share done and words of the last event that tells either."""
    for index, (_, event) in reversed(list(enumerate(events))):
        match event:
            case happened.TileDone(done=done, total=total) | DecoderTaught(done=done, total=total):
                noun = "decoder" if isinstance(event, DecoderTaught) else "tile"
                return done / max(total, 1), f"{done:,} of {wording.count(total, noun)}"
            case happened.MapTileDone(done=done, total=total) | FireDone(done=done, total=total):
                return done / max(total, 1), _counted(event)
            case happened.MeasureStep(step=step, done=done, total=total):
                return done / max(total, 1), f"{step}: {done:,} of {total:,}" if total else f"{step} …"
            case happened.EpochDone(epoch=epoch, epochs=most):
                return epoch / max(most, 1), f"Epoch {epoch} of {most}"
            case happened.StepStarted(step=step):
                return _share_before(events[:index]), f"{step} …" if state == "running" else step
    return 0.0, "Starting"


def _counted(event: happened.MapTileDone | FireDone) -> str:
    if isinstance(event, FireDone):
        return f"{event.done:,} of {wording.count(event.total, 'fire')}, {wording.count(event.chips, 'chip')}"
    return f"Mapped {event.done:,} of {wording.count(event.total, 'tile')}"


def _share_before(events: Events) -> float:
    """Share done when a step without a known length began: what was counted before it, unless that had ended."""
    for _, event in reversed(events):
        match event:
            case (
                happened.TileDone(done=done, total=total)
                | happened.MapTileDone(done=done, total=total)
                | DecoderTaught(done=done, total=total)
                | FireDone(done=done, total=total)
            ):
                return done / max(total, 1)
            case happened.EpochDone():
                return 1.0
            case happened.ExtractDone():
                return 0.0
    return 0.0


def _queue_words(events: Events, place: int | None) -> str:
    """For what a job waits."""
    queued = [event for _, event in events if isinstance(event, happened.Queued)]
    if not queued:
        return "Starting"
    if place is not None and place > 1:
        return f"Number {place} in the queue: workspaces take turns"
    waits = f"aits for {queued[-1].behind}" if queued[-1].behind else "aits for the device"
    return f"Next in the queue, w{waits}" if place == 1 else f"W{waits}"


def _outcome(events: Events) -> str:
    """What a finished job left, in a few words."""
    learned = [event for event in epochs(events) if event.is_best]
    if learned:
        return f"Kept epoch {learned[-1].epoch}, the best on validation, and tested it once"
    mapped = next((event for _, event in reversed(events) if isinstance(event, happened.ApplyDone)), None)
    if mapped is not None:
        areas = "; ".join(f"{name}: {area:,.1f} ha" for name, area in mapped.hectares.items())
        return areas or f"{wording.count(len(mapped.maps), 'map')} of numbers"
    measured = next((event for _, event in reversed(events) if isinstance(event, happened.MeasureDone)), None)
    if measured is not None:
        told = ", ".join(f"{name} {value:g}" for name, value in measured.found.items())
        return f"{measured.measure}: {told}"
    came = next((event for _, event in reversed(events) if isinstance(event, happened.FetchDone)), None)
    if came is not None:
        return f"{wording.count(len(came.files), 'file')} fetched" if came.files else "All was here already"
    made = next((event for _, event in reversed(events) if isinstance(event, happened.ExtractDone)), None)
    if made is None:
        return _dataset_words(events) or "Done"
    seam = "" if made.seam is None else f" · seam score {made.seam:.2f} (1: none)"
    return f"{wording.count(made.patches, 'patch', 'patches')} in the store{seam}"


def _dataset_words(events: Events) -> str:
    """What a data set holds; empty where none was made."""
    cut = next((event for _, event in reversed(events) if isinstance(event, DatasetDone)), None)
    if cut is None:
        return ""
    lost = f", {wording.count(len(cut.not_had), 'remark')} on what could not be had" if cut.not_had else ""
    return f"{wording.count(cut.chips, 'chip')} of {wording.count(cut.fires, 'fire')}{lost}"


def _verdict(events: Events) -> str:
    """What a leaderboard says of its first two; empty where there is none."""
    done = next((event for _, event in reversed(events) if isinstance(event, LeaderboardDone)), None)
    return "" if done is None else str(done.summary["verdict"]["sentences"][0])


def current(events: Events) -> Events:
    """Events since the job was started last."""
    first = max(
        (i for i, (_, event) in enumerate(events) if isinstance(event, happened.Submitted)), default=0
    )
    return events[first:]


def speed(events: Events) -> float | None:
    """Tiles a second over the last tiles by the job's own clock; None before the first is done.

    Tiles are told batch by batch, so a window starts at the first tile of the run or at an earlier batch's end.
    """
    done = [event for _, event in events if isinstance(event, happened.TileDone)]
    if not done:
        return None
    last, before = done[-1], [event for event in done[:-_SPEED_OVER] if event.seconds < done[-1].seconds]
    tiles = last.done - (before[-1].done if before else done[0].done - 1)
    seconds = last.seconds - (before[-1].seconds if before else 0.0)
    return tiles / seconds if seconds > 0 else None


def time_left(events: Events, now: float = 0.0, then: str = "") -> str | None:
    """Until what is counted is done; None while a step of unknown length goes on, or nothing has been counted.

    Args:
        now: seconds since 1970: of a decoder that takes long, what has passed since the last one is taken off.
        then: what a job does after its tiles; empty: nothing.
    """
    at, last = next(((at, event) for at, event in reversed(events) if _counts(event)), (0.0, None))
    match last:
        case happened.MeasureStep(step=step, done=done, total=total) if 0 < done < total:
            return _left_of_step(events, step)
        case happened.EpochDone(epoch=epoch, epochs=most, seconds=seconds, seconds_left=left) if epoch < most:
            return f"at most {wording.duration(max(1, left or (most - epoch) * seconds))}, then the test"
        case DecoderTaught(seconds_left=seconds) | FireDone(seconds_left=seconds) if seconds > 0:
            left = seconds - max(0.0, now - at)
            return wording.duration(left) if left > 0 else "longer than expected"
        case happened.TileDone(done=done, total=total) if done < total:
            rate = speed(events)
            return (
                f"{wording.duration((total - done) / rate)}{then and f' of tiles, then {then}'}"
                if rate
                else "measuring"
            )
        case happened.MapTileDone(done=done, total=total, seconds=seconds) if (
            0 < done < total and seconds > 0
        ):
            return wording.duration(max(1, (total - done) * seconds / done))
    return None


def _left_of_step(events: Events, step: str) -> str | None:
    """Until a counted step is done, by the time between its first and its last sign of life."""
    own = [
        (at, event) for at, event in events if isinstance(event, happened.MeasureStep) and event.step == step
    ]
    (began, first), (now, last) = own[0], own[-1]
    if now <= began or last.done <= first.done:
        return None
    return wording.duration(max(1, (last.total - last.done) * (now - began) / (last.done - first.done)))


def _counts(event: happened.Event) -> bool:
    """Whether an event says how far a job is, or that something that is not counted has begun."""
    return isinstance(
        event,
        happened.TileDone
        | happened.EpochDone
        | happened.MeasureStep
        | happened.StepStarted
        | happened.MapTileDone
        | DecoderTaught
        | FireDone,
    )


def epochs(events: Sequence[tuple[float, happened.Event]]) -> list[happened.EpochDone]:
    """The epochs of a training so far."""
    return [event for _, event in events if isinstance(event, happened.EpochDone)]
