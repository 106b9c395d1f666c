"""The commands that map a store with a decoder, and write the files of a map that is there."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

from engine.commands.decoders.map_files import AskedFiles, asked_files, require_files, write_files
from engine.commands.printer import say
from engine.errors import BadInput
from engine.files import require_file_path, write_atomic


def predict(chosen: argparse.Namespace) -> dict[str, Any]:
    """Map a store with a trained run, and write the files of the map."""
    from engine.jobs.events import Noticed
    from engine.learning.keeping.result import TrainRun
    from engine.learning.maps.alike import DISAGREEMENT, require_alike
    from engine.learning.maps.apply import map_store
    from engine.learning.maps.dates import tiles_of
    from engine.learning.maps.facts import has_several
    from engine.store.store import EmbeddingStore
    from engine.workspace import workspace_of

    out = Path(chosen.out)
    files = asked_files(chosen, out)
    if chosen.disagreement:
        if not chosen.ensemble:
            raise BadInput("--disagreement is of several decoders. Name the others with --ensemble.")
        require_file_path(Path(chosen.disagreement))
    task = TrainRun.open(Path(chosen.run)).task
    if has_several(task):
        return _classes_of_tiles(chosen, files)
    require_files(task, files)
    runs = [TrainRun.open(Path(one)) for one in (chosen.run, *chosen.ensemble)]
    require_alike(runs)
    store = EmbeddingStore.open(Path(chosen.store))
    date, only = tiles_of(store, chosen.date)
    if date and chosen.date is None:
        say(
            f"{chosen.store} holds several dates of the same ground; the last one is mapped, {date}. --date chooses another."
        )
    with tempfile.TemporaryDirectory(prefix=f".{out.stem}-", dir=out.parent) as held:
        for event in map_store(
            runs, store, Path(held), workspace_of(runs[0].folder), date, only, adapt=chosen.adapt
        ):
            if isinstance(event, Noticed):
                say(event.message)
        written = {"out": chosen.out} | write_files(Path(held), files)
        if chosen.disagreement:
            write_atomic(
                Path(chosen.disagreement),
                lambda temporary: shutil.copyfile(Path(held) / DISAGREEMENT, temporary),
            )
            say(f"Wrote {chosen.disagreement}")
            written["disagreement"] = chosen.disagreement
        return written


def _classes_of_tiles(chosen: argparse.Namespace, files: AskedFiles) -> dict[str, Any]:
    """The map of a decoder that gives a tile several classes: each tile in the colour of its last one."""
    from engine.learning.keeping.result import TrainRun
    from engine.learning.maps.adaptation import note_of_adaptation, settled
    from engine.learning.maps.dates import tiles_of
    from engine.learning.maps.facts import map_tags
    from engine.learning.maps.predict import note_of, predict_tiles, write_map
    from engine.store.store import EmbeddingStore

    if chosen.ensemble or not files.is_map_alone:
        raise BadInput(
            f"{chosen.run} gives a tile several classes, each with its own probability: one picture, threshold or file of "
            f"polygons is of one class. `python -m engine apply` makes a map of each class, and `map-files` its files."
        )
    run, store = TrainRun.open(Path(chosen.run)), EmbeddingStore.open(Path(chosen.store))
    task, (_, only) = run.task, tiles_of(store, chosen.date)
    run.decoder.require_fit(store)
    several = (
        "Of several classes on a tile the map shows the last one. `python -m engine apply` maps each class."
    )
    adapt = settled(chosen.adapt, [run.decoder], store, only)
    notes = [note for note in (several, note_of(run, store), note_of_adaptation(adapt, chosen.adapt)) if note]
    pieces = ((tile, task.map_values(found)) for tile, found in predict_tiles(run, store, only, adapt=adapt))
    tags = map_tags(store, [run.decoder], adapt)
    for note in notes:
        say(note)
    say(f"Wrote {write_map(Path(chosen.out), pieces, task, task.prediction_style, tags)}")
    return {"out": chosen.out, "notes": notes}


def map_files(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write the files of a finished map."""
    return write_files(Path(chosen.map), asked_files(chosen, chosen.classes and Path(chosen.classes)))
