"""The report of maps that a decoder made: what they show, of which ground, made how and how good, as one HTML file without a link."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterator
from pathlib import Path

from engine.errors import EngineError, JobError
from engine.files import require_file_path, write_atomic
from engine.jobs.configuration.config import to_yaml
from engine.jobs.job import Job
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.facts import FACTS, PROBABILITY, MapFacts, read_map
from engine.learning.maps.numbers import in_words
from engine.learning.maps.picture import write_picture
from engine.learning.report.parts import caveats, document, facts, lead, safe, table
from engine.views.maps.class_polygons import class_polygons

# Hectares are told at these thresholds besides the usual one.
_THRESHOLDS = (0.3, 0.5, 0.7, 0.9)
_MOST_POLYGONS, _SMALLEST_HA = 10, 1.0


def write_map_report(run_folder: Path, out: Path) -> Path:
    """Write the report of a finished application of a decoder.

    Raises:
        JobError: the run holds no finished map.
        DiskFull, BadInput: it cannot be written.
    """
    require_file_path(out)
    folders = sorted(
        (path.parent for path in (run_folder / "maps").glob(f"*/{FACTS}")), key=lambda one: int(one.name)
    )
    if not folders:
        raise JobError(f"{run_folder} holds no finished map. Make one with `python -m engine apply`.")
    text = _html(run_folder, [(folder, read_map(folder)) for folder in folders])
    write_atomic(out, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return out


def _html(run_folder: Path, maps: list[tuple[Path, MapFacts]]) -> str:
    first = maps[0][1]
    what = first.quantity if first.of_class is None else "Classes of tiles"
    title = f"{what[:1].upper()}{what[1:]}: {'; '.join(told.title for _, told in maps)}"
    body = [
        f"<h1>{safe(title)}</h1><p class='lead'>{safe(lead(run_folder))}</p>",
        caveats(dict.fromkeys(one for _, told in maps for one in _caveats_of(told))),
        *(part for folder, told in maps for part in _one_map(folder, told)),
        "<h2>How it was made</h2>", _made(first, run_folder),
        "<h2>Configuration</h2>", f"<pre>{safe(to_yaml(Job.open(run_folder).config))}</pre>",
    ]  # fmt: skip
    return document(title, body)


def _caveats_of(told: MapFacts) -> Iterator[str]:
    if told.is_random:
        yield "RANDOM WEIGHTS: the backbone was never trained."
    if told.is_simulated:
        yield "SIMULATED ground: no satellite has seen it, and no such fires burned."
    if told.is_taught_on_simulated:
        yield "The decoder was taught on SIMULATED scenes: how good it is on real ground is not known."
    measured = (
        "numbers are the decoder's"
        if told.is_of_numbers
        else "hectares are those of pixels above a probability"
    )
    yield f"Nobody has compared this map with the ground: its {measured}."
    yield from told.notes


def _one_map(folder: Path, told: MapFacts) -> Iterator[str]:
    """Picture, and what it says: of classes hectares and the largest polygons, of numbers their mean and spread."""
    usual = 0.0 if told.is_of_numbers else told.style.default_threshold
    yield f"<h2>{safe(told.title)}</h2>"
    yield f"<figure><img src='{_picture(folder, usual)}' alt='The map of {safe(told.title)}, its legend and its scale'></figure>"
    if told.is_of_numbers:
        covered = f"{told.numbers['hectares']:,.1f} ha have a number."
        yield f"<p>{safe(told.quantity)}: {safe(in_words(told))} {covered}</p>"
    else:
        yield from _classes(folder, told, usual)
    yield facts((
        ("Imagery of", ", ".join(told.dates) or "date not stated"), ("Source", told.source or "not stated"),
        ("Pixel", f"{told.gsd_m:g} m"), ("Embeddings", told.store),
    ))  # fmt: skip


def _classes(folder: Path, told: MapFacts, usual: float) -> Iterator[str]:
    """Hectares of each class at several thresholds, and the largest polygons."""
    names = list(told.style.sought.values())
    rows = []
    for threshold in sorted({usual, *_THRESHOLDS}):
        areas = told.hectares_above(threshold)
        words = f"{threshold:.2f}{', the usual one' if threshold == usual else ''}"
        rows.append((words, [f"{areas[name]:,.1f}" for name in names]))
    yield table(("Threshold", *(f"{name} (ha)" for name in names)), rows)
    found = class_polygons(folder / PROBABILITY, told.style.sought, usual, _SMALLEST_HA)
    count = f"{len(found):,} polygon{'' if len(found) == 1 else 's'} of {_SMALLEST_HA:g} ha or more above {usual:g}"
    largest = found.head(_MOST_POLYGONS)
    yield f"<p>{count}{', the largest:' if len(found) > len(largest) else ':' if len(found) else '.'}</p>"
    if len(largest):
        points = largest.geometry.representative_point().to_crs("OGC:CRS84")
        yield table(
            ("Class", "ha", "mean probability", "longitude", "latitude"),
            [
                (str(name), [f"{area:,.1f}", f"{probability:.2f}", f"{lon:.5f}", f"{lat:.5f}"])
                for name, area, probability, lon, lat in zip(
                    largest["name"],
                    largest["hectares"],
                    largest["probability"],
                    points.x,
                    points.y,
                    strict=True,
                )
            ],
        )


def _picture(folder: Path, threshold: float) -> str:
    """The map's PNG inside the page."""
    with tempfile.TemporaryDirectory() as held:
        content = write_picture(folder, Path(held) / "map.png", threshold).read_bytes()
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def _made(told: MapFacts, run_folder: Path) -> str:
    """The decoder, what it learned from, and how good it was on its own test places."""
    return facts((
        ("Decoder", f"{told.head}, {Path(told.decoder).name}" + (f", averaged with {told.members - 1} more" if told.members > 1 else "")),
        ("Backbone", told.backbone), ("Taught on", told.taught_on or "not stated"), ("On its own test places", _tested(told, run_folder)),
    ))  # fmt: skip


def _tested(told: MapFacts, run_folder: Path) -> str:
    """The watched score; of maps that came as a zip, of a training that came likewise."""
    decoder = Path(told.decoder)
    try:
        run = TrainRun.open(decoder if decoder.is_dir() else run_folder.parent / decoder.name)
        scores, watch = run.scores, run.task.watch
    except (EngineError, OSError):
        return "the training has gone since"
    if watch not in scores:
        return "not tested"
    interval = scores.get(f"{watch}_interval")
    between = f" (95 % interval {interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
    name = watch.replace("_", " ").replace("iou", "IoU")
    return f"{name} {scores[watch]:.3f}{between} on {scores.get('places', 0)} places"
