"""The report of a training: what was done, on what, how it went and how good it is, as one HTML file without a link."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from engine.errors import EngineError
from engine.files import require_file_path, write_atomic
from engine.jobs.configuration.config import to_yaml
from engine.learning.judging.comparison import compared
from engine.learning.judging.judgement import Judgement
from engine.learning.judging.untaught import beside
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.numbers import rounded
from engine.learning.report import tested
from engine.learning.report.curves import curve
from engine.learning.report.parts import caveats, document, facts, lead, safe, table
from engine.learning.report.pictures import pictures_of
from engine.learning.tasks.table import TITLES
from engine.learning.tasks.task import Task
from engine.store.store import EmbeddingStore

# Scores of numbers: what they are called, and whether they are in the unit of the numbers.
_OF_NUMBERS = {
    "r2": ("R²", False),
    "rmse": ("RMSE", True),
    "mae": ("MAE", True),
    "bias": ("mean error", True),
}


def write_report(run_folder: Path, out: Path) -> Path:
    """Write the report of a finished training.

    Raises:
        JobError: the run is no finished training.
        DiskFull, BadInput: it cannot be written.
    """
    require_file_path(out)
    text = report_html(TrainRun.open(run_folder))
    write_atomic(out, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return out


def report_html(run: TrainRun) -> str:
    """The whole page; every word that is not ours is escaped."""
    scores, card = run.scores, run.decoder
    what = TITLES.get(run.task.name) or _title_of(run.task)
    title = f"{what}: a decoder ({card.head_config.name}) on {card.backbone}"
    body = [
        f"<h1>{safe(title[:1].upper() + title[1:])}</h1><p class='lead'>{safe(lead(run.folder))}</p>",
        _caveats_of(run, scores),
        "<h2>On what</h2>", _facts_of(run),
        _pictures(run),
        *_tested(run, scores),
        "<h2>Every score</h2>", _scores(run, scores),
        "<h2>How it learned</h2>", _curves(run),
        "<h2>Configuration</h2>", f"<pre>{safe(to_yaml(run.config))}</pre>",
    ]  # fmt: skip
    return document(title, body)


def _tested(run: TrainRun, scores: dict[str, Any]) -> Iterator[str]:
    """What the decoder beats, place by place, and where it fails; less of a run that an earlier version judged."""
    rows, judgement = scores.get("methods"), Judgement.read(run.folder)
    words = functools.partial(_words, task=run.task)
    if judgement is not None and (others := beside(run)):
        rows = compared([*judgement.methods, *others.values()], run.task, run.decoder.seed)
    if rows:
        yield f"<h2>What it beats</h2>{tested.methods(run.task, rows, words, table)}"
    if judgement is not None:
        yield f"<h2>Test places, the worst first</h2>{tested.places(run.task, judgement, words, table)}"
        if plots := tested.plots(run.task, judgement):
            yield f"<h2>Where and how it fails</h2>{plots}"


def _caveats_of(run: TrainRun, scores: dict[str, Any]) -> str:
    card = run.decoder
    found = ["The test places were scored once, with the epoch that was best on the validation places."]
    if card.is_simulated:
        found.insert(
            0,
            "SIMULATED data: no satellite has seen these scenes, and no such fires burned. Scores say nothing of real ground.",
        )
    if card.is_random:
        found.insert(0, "RANDOM WEIGHTS: the backbone was never trained.")
    if scores.get("touching"):
        found.append(
            f"{100 * scores['touching']:.0f} % of the test tiles touch a training tile: scores may be a little too good."
        )
    if (scores.get("places") or 0) < 10:
        found.append(
            f"Only {scores.get('places', 0)} test places: another draw of places would give other scores"
            f"{', see the interval' if _has_interval(scores) else ', and there are too few for an interval'}."
        )
    if not scores.get("baseline"):
        found.append("There is no baseline to compare with.")
    return caveats(found)


def _facts_of(run: TrainRun) -> str:
    card = run.decoder
    pairs = [
        ("Source", card.source or "not stated"), ("Sensor and level", f"{card.sensor or 'not stated'}, {card.level or 'level not stated'}"),
        ("Bands", ", ".join(card.bands)), ("Backbone", f"{card.backbone}, layers {', '.join(map(str, card.layers))}, {sum(card.dims)} numbers a patch"),
        ("Weights (sha256)", card.weights_sha256), ("Patch", f"{card.patch_px} px"), *_store_facts(run),
        ("Tiles", ", ".join(f"{name}: {len(ids)}" for name, ids in card.split.items())), ("Seed", str(card.seed)),
    ]  # fmt: skip
    return facts(pairs)


def _store_facts(run: TrainRun) -> list[tuple[str, str]]:
    try:
        store = EmbeddingStore.open(run.store_folder)
    except (EngineError, OSError):
        return [("Store", "has gone since")]
    days = sorted({time[:10] for tile in store.tiles for time in tile.datetimes if time})
    span = "not stated" if not days else days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return [
        ("Dates", span),
        ("Ground sampling distance", f"{store.meta.gsd_m:g} m"),
        ("Patches", f"{store.rows:,}"),
    ]


def _pictures(run: TrainRun) -> str:
    found = pictures_of(run)
    if not found:
        return ""
    figures = "".join(
        f"<figure><img src='{address}' alt='{safe(words)}'><figcaption>{safe(words)}</figcaption></figure>"
        for words, address in found
    )
    style, shown = run.task.error_style, run.task.prediction_style
    if shown.ramp is not None and style.ramp is not None:
        bars = "; ".join(
            f"{one.title}: {rounded(one.low)} to {rounded(one.high)}" for one in (shown.ramp, style.ramp)
        )
        return f"<h2>A test place</h2><div class='row'>{figures}</div><p class='legend'>{safe(bars)}</p>"
    swatches = "".join(
        f"<span><i style='background:rgb({r} {g} {b} / {a / 255:.2f})'></i>{safe(style.names[value])}</span>"
        for value, (r, g, b, a) in style.colours.items() if value in style.names
    )  # fmt: skip
    return f"<h2>The test place with most of it</h2><div class='row'>{figures}</div><p class='legend'>{swatches}</p>"


def _scores(run: TrainRun, scores: dict[str, Any]) -> str:
    task, baseline = run.task, scores.get("baseline") or {}
    names = [
        name
        for name, value in scores.items()
        if isinstance(value, float) and not name.startswith("baseline") and name != "touching"
    ]
    ordered = dict.fromkeys((task.watch, *names))
    rows, has_interval = [], _has_interval(scores)
    for name in (one for one in ordered if one in scores):
        interval = scores.get(f"{name}_interval")
        between = f"{interval[0]:.3f} to {interval[1]:.3f}" if interval else ""
        cells = [_number(scores[name]), *([between] if has_interval else [])]
        rows.append((_words(name, run.task), [*cells, _number(baseline.get(name)) if baseline else ""]))
    other = str(baseline.get("name", "baseline")) if baseline else ""
    made = table(("Test places", "Decoder", *(("95 % interval",) if has_interval else ()), other), rows)
    judged = "tiles" if task.is_per_tile else f"pixels on {scores.get('tiles', 0)} tiles"
    number = scores.get("labelled_tiles" if task.is_per_tile else "pixels", 0)
    counts = f"{number:,} labelled {judged} of {scores.get('places', 0)} places."
    of_interval = " The interval comes from drawing the test places anew." if has_interval else ""
    return f"{made}<p>{safe(counts)}{of_interval}</p>{_confusion(run, scores)}"


def _has_interval(scores: Mapping[str, Any]) -> bool:
    """Whether any score has one: of very few places none is drawn."""
    return any(name.endswith("_interval") and value for name, value in scores.items())


def _confusion(run: TrainRun, scores: dict[str, Any]) -> str:
    counts = scores.get("confusion")
    if not counts or not run.task.classes:
        return ""
    names = [one.title for one in run.task.classes]
    rows = [
        (f"truly {name}", [f"{value:,}" for value in row]) for name, row in zip(names, counts, strict=True)
    ]
    return table(("Tiles" if run.task.is_per_tile else "Pixels", *(f"called {name}" for name in names)), rows)


def _curves(run: TrainRun) -> str:
    history = run.history
    drawn = [curve(history, name, _words(name, run.task)) for name in dict.fromkeys(("loss", run.task.watch))]
    kept = f"<p>Kept: epoch {run.decoder.epoch} of {len(history)}.</p>"
    return (
        f"<div class='row'>{''.join(drawn)}</div>{kept}" if any(drawn) else "<p>No epochs are on record.</p>"
    )


def _title_of(task: Task) -> str:
    """What is learned: the quantity with its unit, or the classes."""
    if task.prediction_style.ramp is not None:
        return task.prediction_style.ramp.title
    names = ", ".join(one.title for one in task.classes)
    return f"{'Tiles' if task.is_per_tile else 'Pixels'} of {names}"


def _words(name: str, task: Task) -> str:
    """A score as people write it, with the unit where it has one."""
    if name in _OF_NUMBERS:
        words, has_unit = _OF_NUMBERS[name]
        return f"{words} ({task.unit})" if has_unit and task.unit else words
    for one in task.classes:
        name = name.replace(f"_{one.key}", f" {one.title}")
    return name.replace("_", " ").replace("iou", "IoU").replace("mIoU", "mean IoU")


def _number(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else "undefined"
