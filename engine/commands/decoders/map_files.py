"""The files of a map at a threshold: classes, probability, polygons and a picture, as the page offers them."""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.printer import say
from engine.errors import BadInput
from engine.files import require_file_path, write_atomic

if TYPE_CHECKING:
    from engine.learning.maps.facts import MapFacts
    from engine.learning.tasks.task import Task


@dataclass(frozen=True)
class AskedFiles:
    """What is wanted of a map; a threshold of None is the task's usual one."""

    threshold: float | None
    smallest_ha: float
    classes: Path | None
    probability: Path | None
    polygons: tuple[Path, ...]
    png: Path | None

    @property
    def is_map_alone(self) -> bool:
        """Whether nothing is asked for that only a map with probabilities has."""
        return self.threshold is None and not (self.probability or self.polygons or self.png)


def asked_files(chosen: argparse.Namespace, classes: Path | None) -> AskedFiles:
    """The files of the arguments, each of which can be written.

    Raises:
        BadInput: a path, an ending, a threshold or a smallest area that cannot be used; told before the work starts.
    """
    from engine.views.maps.polygon_files import require_format
    from engine.views.maps.probability_map import step_of

    polygons = tuple(Path(name) for name in chosen.polygons)
    probability, png = (Path(name) if name else None for name in (chosen.probability, chosen.png))
    for path in polygons:
        require_format(path)
    if png is not None and png.suffix.lower() != ".png":
        raise BadInput(f"{png} does not end in .png. Give the picture that ending.")
    if chosen.threshold is not None:
        step_of(chosen.threshold)
    if not chosen.smallest_ha >= 0:
        raise BadInput(
            f"A smallest area of {chosen.smallest_ha:g} ha cannot be used. Give 0 or more hectares."
        )
    for wanted in (classes, probability, *polygons, png):
        if wanted is not None:
            require_file_path(wanted)
    return AskedFiles(chosen.threshold, chosen.smallest_ha, classes, probability, polygons, png)


def require_files(task: Task, files: AskedFiles) -> None:
    """Check that a map of a task can have the files.

    Raises:
        BadInput: a threshold, probabilities or polygons of a map of numbers.
    """
    if task.classes:
        return
    asked = {
        "--threshold": files.threshold is not None,
        "--probability": files.probability,
        "--polygons": files.polygons,
    }
    wrong = [name for name, is_asked in asked.items() if is_asked]
    if wrong:
        raise BadInput(
            f"{' and '.join(wrong)} cannot be had of a map of numbers ({task.name}): it has no classes and no "
            f"probability. Leave {'it' if len(wrong) == 1 else 'them'} out; the map itself and --png are written."
        )


def write_files(folder: Path, files: AskedFiles) -> dict[str, Any]:
    """Write what is asked for of the map in a folder, and say how much there is of each class.

    Raises:
        JobError: the folder holds no finished map.
        DiskFull: no room.
    """
    from engine.learning.maps.facts import PROBABILITY, read_map
    from engine.views.maps.probability_map import write_classes, write_probability

    facts, path = read_map(folder), folder / PROBABILITY
    if facts.is_of_numbers:
        return _files_of_numbers(folder, facts, files)
    style = facts.style
    threshold = style.default_threshold if files.threshold is None else files.threshold
    for note in facts.notes:
        say(note)
    if files.classes:
        say(f"Wrote {write_classes(path, files.classes, style, threshold, facts.taught_tags)}")
    if files.probability:
        say(f"Wrote {write_probability(path, files.probability, style, facts.taught_tags)}")
    told = _polygons(folder, files, threshold) if files.polygons else {}
    if files.png:
        from engine.learning.maps.picture import write_picture

        say(f"Wrote {write_picture(folder, files.png, threshold)}")
    hectares = facts.hectares_above(threshold)
    said = f"Above {threshold:g}" if style.other is not None or threshold else "Most likely class"
    say(f"{said}: " + "; ".join(f"{name}: {area:,.1f} ha" for name, area in hectares.items()))
    return {"threshold": threshold, "hectares": hectares, "notes": list(facts.notes)} | told


def _files_of_numbers(folder: Path, facts: MapFacts, files: AskedFiles) -> dict[str, Any]:
    """Write the numbers and their picture."""
    from engine.learning.maps.facts import VALUES
    from engine.learning.maps.numbers import in_words
    from engine.learning.maps.picture import write_picture

    require_files(facts.taught, files)
    for note in facts.notes:
        say(note)
    if files.classes:
        write_atomic(files.classes, lambda temporary: shutil.copyfile(folder / VALUES, temporary))
        say(f"Wrote {files.classes}")
    if files.png:
        say(f"Wrote {write_picture(folder, files.png, 0.0)}")
    say(in_words(facts))
    return {"quantity": facts.quantity, "numbers": dict(facts.numbers), "notes": list(facts.notes)}


def _polygons(folder: Path, files: AskedFiles, threshold: float) -> dict[str, Any]:
    from engine.learning.maps.facts import PROBABILITY, read_map
    from engine.views.maps.class_polygons import class_polygons
    from engine.views.maps.polygon_files import write_polygons
    from engine.views.maps.probability_map import cut_tags

    facts, path = read_map(folder), folder / PROBABILITY
    found = class_polygons(path, facts.style.sought, threshold, files.smallest_ha)
    tags = cut_tags(path, threshold, facts.taught_tags) | {"EMBERSCOPE_SMALLEST_HA": f"{files.smallest_ha:g}"}
    for table in files.polygons:
        say(f"Wrote {write_polygons(table, found, tags)}: {len(found)} polygons")
    if found.empty:
        smaller = " or --smallest-ha" if files.smallest_ha else ""
        say(
            f"No polygon of {files.smallest_ha:g} ha or more lies above {threshold:g}. Lower --threshold{smaller}."
        )
    kept = round(float(found["hectares"].sum()), 2)
    return {
        "polygons": [str(one) for one in files.polygons],
        "count": len(found),
        "hectares_of_polygons": kept,
    }
