"""Commands about what jobs left: stores, scores and maps; and the simulated season."""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from engine.commands.printer import say
from engine.errors import BadInput, StoreError
from engine.files import make_folder, require_file_path, write_atomic


def check(chosen: argparse.Namespace) -> dict[str, Any]:
    """Read every part of a store."""
    from engine.store.check import check_store

    report = check_store(Path(chosen.store))
    problems = [str(problem) for problem in report]
    if problems:
        raise StoreError(
            f"{chosen.store} has {len(problems)} problem(s): {'; '.join(problems)}. Extract it again."
        )
    if not chosen.json:
        print(f"{chosen.store}: complete, nothing is wrong with it.")
    return {"store": chosen.store, "problems": problems}


def evaluate(chosen: argparse.Namespace) -> dict[str, Any]:
    """Score a trained run again, beside the same decoder on encoders without pretraining where these were trained."""
    from engine.learning.evaluate import evaluate as score

    scores = score(Path(chosen.run))
    if chosen.untaught:
        _train_untaught(Path(chosen.run))
    scores["methods"] = _with_untaught(Path(chosen.run), scores["methods"])
    scores |= _in_detail(Path(chosen.run), scores, chosen.tables)
    if not chosen.json:
        print(json.dumps(scores, indent=2))
    return scores


def _train_untaught(folder: Path) -> None:
    """Train the same decoder on each encoder without pretraining that is not there yet, in run folders beside the run."""
    from engine.commands.jobs import run_in
    from engine.jobs import folder as run_folder
    from engine.jobs.parent import write_parent
    from engine.learning.baselines.encoders import NAMES, UNTAUGHT, makes_sense, untaught
    from engine.learning.judging.untaught import beside
    from engine.learning.keeping.result import TrainRun
    from engine.workspace import workspace_of

    run = TrainRun.open(folder)
    wanted = [kind for kind in UNTAUGHT if makes_sense(run, kind) and kind not in beside(run)]
    for kind in wanted:
        config = untaught(run, kind)
        own = run_folder.new_folder(config, workspace_of(run.folder))
        run_folder.create(own, config)
        write_parent(own, run.folder.name)
        say(f"Training the {NAMES[kind]} in {own}")
        run_in(own, config)


def _with_untaught(folder: Path, methods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of the test with those of the encoders without pretraining."""
    from engine.learning.judging.comparison import compared
    from engine.learning.judging.judgement import Judgement
    from engine.learning.judging.untaught import beside
    from engine.learning.keeping.result import TrainRun

    run, judgement = TrainRun.open(folder), Judgement.read(folder)
    others = beside(run)
    if judgement is None or not others:
        return methods
    return compared([*judgement.methods, *others.values()], run.task, run.decoder.seed)


def _in_detail(run: Path, scores: dict[str, Any], folder: str | None) -> dict[str, Any]:
    """The scores by place and by kind of pixel; every table as CSV where a folder is named."""
    from engine.learning.judging.judgement import Judgement
    from engine.learning.judging.tables import tables, write_table
    from engine.learning.keeping.result import TrainRun

    judgement = Judgement.read(run)
    if judgement is None:
        return {}
    found = tables(judgement, TrainRun.open(run).task, scores["methods"])
    if folder:
        make_folder(Path(folder))
        for name, table in found.items():
            say(f"Wrote {write_table(table, Path(folder) / f'{name}.csv')}")
    told = ("places", "distance", "size", "severity")
    return {
        f"by_{name.removesuffix('s') if name == 'places' else name}": [
            dict(zip(found[name][0], row, strict=True)) for row in found[name][1:]
        ]
        for name in told
        if name in found
    }


def report(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write the report of a trained run."""
    from engine.learning.report.page import write_report

    out = write_report(Path(chosen.run), Path(chosen.out))
    say(f"Wrote {out}")
    return {"out": str(out)}


def predict(chosen: argparse.Namespace) -> dict[str, Any]:
    """Map a store with a trained run, and write the files of the map."""
    from engine.commands.map_files import asked_files, write_files
    from engine.jobs.events import Noticed
    from engine.learning.keeping.result import TrainRun
    from engine.learning.maps.alike import DISAGREEMENT, require_alike
    from engine.learning.maps.apply import map_store
    from engine.learning.maps.dates import tiles_of
    from engine.learning.maps.facts import class_style, has_probabilities
    from engine.store.store import EmbeddingStore
    from engine.workspace import workspace_of

    out = Path(chosen.out)
    files = asked_files(chosen, out)
    if chosen.disagreement:
        if not chosen.ensemble:
            raise BadInput("--disagreement is of several decoders. Name the others with --ensemble.")
        require_file_path(Path(chosen.disagreement))
    task = TrainRun.open(Path(chosen.run)).task
    if not has_probabilities(task) and files.is_map_alone:
        return _values(chosen, out)
    class_style(task)
    runs = [TrainRun.open(Path(one)) for one in (chosen.run, *chosen.ensemble)]
    require_alike(runs)
    store = EmbeddingStore.open(Path(chosen.store))
    date, only = tiles_of(store, chosen.date)
    if date and chosen.date is None:
        say(
            f"{chosen.store} holds several dates of the same ground; the last one is mapped, {date}. --date chooses another."
        )
    with tempfile.TemporaryDirectory(prefix=f".{out.stem}-", dir=out.parent) as held:
        for event in map_store(runs, store, Path(held), workspace_of(runs[0].folder), date, only):
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


def _values(chosen: argparse.Namespace, out: Path) -> dict[str, Any]:
    """The map of a decoder that gives numbers, or a class a tile."""
    from engine.extraction.pixels.pixel_gaps import pixels_with_data
    from engine.learning.keeping.result import TrainRun
    from engine.learning.maps.predict import note_of, predict_tiles, without_gaps, write_map
    from engine.store.store import EmbeddingStore
    from engine.workspace import workspace_of

    run, store = TrainRun.open(Path(chosen.run)), EmbeddingStore.open(Path(chosen.store))
    task = run.task
    has_data, gaps = (None, "") if task.is_per_tile else pixels_with_data(store, workspace_of(run.folder))
    notes = [note for note in (gaps, note_of(run, store)) if note]
    pieces = (
        (tile, task.map_values(without_gaps(found, tile, task, has_data)))
        for tile, found in predict_tiles(run, store)
    )
    say(f"Wrote {write_map(out, pieces, task, task.prediction_style)}")
    return {"out": str(out), "notes": notes}


def map_files(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write the files of a finished map."""
    from engine.commands.map_files import asked_files, write_files

    return write_files(Path(chosen.map), asked_files(chosen, chosen.classes and Path(chosen.classes)))


def simulate(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write the simulated fire season."""
    from engine.imagery.simulation.season import simulate_season

    out = Path(chosen.out)
    make_folder(out)
    if any(out.iterdir()):
        raise BadInput(f"{out} already holds files. Choose another --out.")
    simulate_season(out, chosen.seed, chips=chosen.chips)
    say(f"Wrote a simulated fire season (seed {chosen.seed}) to {out}")
    return {"out": str(out), "seed": chosen.seed}
