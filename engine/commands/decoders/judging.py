"""The commands that tell how good a decoder is: its scores, tables and report."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from engine.commands.printer import say
from engine.files import make_folder


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


def report(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write the report of a training, or of the maps that a decoder made."""
    from engine.learning.report.map_page import write_map_report
    from engine.learning.report.page import write_report

    run, out = Path(chosen.run), Path(chosen.out)
    write = write_map_report if (run / "maps").is_dir() else write_report
    write(run, out)
    say(f"Wrote {out}")
    return {"out": str(out)}


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
