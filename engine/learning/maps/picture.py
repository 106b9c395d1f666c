"""The picture of a finished map, with what has to be said of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from engine.extraction.stored_scenes import scenes_of_store
from engine.learning.maps.facts import PROBABILITY, MapFacts, read_map
from engine.learning.maps.numbers import in_words, legend_of, write_number_picture
from engine.views.maps.picture import Caption, write_map_picture

if TYPE_CHECKING:
    from engine.learning.tasks.task import Colour


def write_picture(folder: Path, out: Path, threshold: float) -> Path:
    """Write the PNG of a map at a threshold: legend with hectares, scale bar, dates, source.

    Raises:
        JobError: the folder holds no finished map.
        DiskFull: no room.
    """
    facts = read_map(folder)
    if facts.is_of_numbers:
        return write_number_picture(folder, facts, out, caption_of(facts, threshold))
    colours: dict[int, Colour] = {value: facts.style.colours[value] for value in facts.style.sought}
    scenes = scenes_of_store(Path(facts.store))
    return write_map_picture(
        folder / PROBABILITY, out, colours, threshold, caption_of(facts, threshold), scenes
    )


def caption_of(facts: MapFacts, threshold: float) -> Caption:
    days = (
        f"of {facts.dates[0]}"
        if len(set(facts.dates)) == 1
        else f"of {facts.dates[0]} to {facts.dates[-1]}"
        if facts.dates
        else "without a stated date"
    )
    above = (
        f", probability above {threshold:g}"
        if threshold
        else ""
        if facts.is_of_numbers
        else ", the likeliest class"
    )
    lines = [
        *([in_words(facts)] if facts.is_of_numbers else []),
        f"Imagery {days}. Source: {facts.source or 'not stated'}.",
        f"Mapped by a decoder ({facts.head}) on {facts.backbone}{above}; taught on: {facts.taught_on or 'not stated'}.",
    ]  # fmt: skip
    if facts.is_simulated:
        lines.append("SIMULATED: no satellite has seen this ground, and no such fires burned.")
    if facts.is_taught_on_simulated:
        lines.append(
            "The decoder was taught on SIMULATED scenes: how good it is on real ground is not known."
        )
    if facts.is_random:
        lines.append("RANDOM WEIGHTS: the backbone was never trained.")
    what = facts.quantity[:1].upper() + facts.quantity[1:]
    legend = legend_of(facts) if facts.is_of_numbers else _legend_of_classes(facts, threshold)
    return Caption(f"{what}: {facts.title}", legend, (*lines, *facts.notes))


def _legend_of_classes(facts: MapFacts, threshold: float) -> list[tuple[tuple[int, int, int], str]]:
    """Each class with its hectares above a threshold."""
    style, hectares = facts.style, facts.hectares_above(threshold)
    return [
        (style.colours[value][:3], f"{name}: {hectares[name]:,.1f} ha")
        for value, name in style.sought.items()
    ]
