"""Commands about what jobs left: stores, scores and maps; and the simulated season."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from engine.commands.printer import say
from engine.errors import BadInput, StoreError
from engine.files import make_folder, require_file_path


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


def export(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write a store's embeddings for other programs."""
    from engine.store.store import EmbeddingStore
    from engine.views.maps.export import export as write

    require_file_path(Path(chosen.out))
    written = write(EmbeddingStore.open(Path(chosen.store)), chosen.layer, Path(chosen.out), chosen.format)
    for path in written:
        say(f"Wrote {path}")
    return {"out": [str(path) for path in written]}


def evaluate(chosen: argparse.Namespace) -> dict[str, Any]:
    """Score a trained run again."""
    from engine.learning.evaluate import evaluate as score

    scores = score(Path(chosen.run))
    if not chosen.json:
        print(json.dumps(scores, indent=2))
    return scores


def predict(chosen: argparse.Namespace) -> dict[str, Any]:
    """Map a store with a trained run."""
    from engine.learning.predict import predict_map
    from engine.learning.result import TrainRun
    from engine.views.maps.class_polygons import class_polygons, hectares_of, require_format, write_polygons

    require_file_path(Path(chosen.out))
    tables = [Path(name) for name in chosen.polygons]
    for table in tables:
        require_format(table)
        require_file_path(table)
    written = predict_map(Path(chosen.run), Path(chosen.store), Path(chosen.out))
    for note in written.notes:
        say(note)
    say(f"Wrote {written.path}")
    sought = TrainRun.open(Path(chosen.run)).task.sought
    polygons = class_polygons(written.path, sought, chosen.smallest_ha)
    hectares = hectares_of(polygons, sought)
    for table in tables:
        say(f"Wrote {write_polygons(table, polygons)}: {len(polygons)} polygons")
    say("; ".join(f"{name}: {area:,.1f} ha" for name, area in hectares.items()))
    return {
        "out": str(written.path), "notes": list(written.notes), "polygons": chosen.polygons, "count": len(polygons),
        "hectares": hectares,
    }  # fmt: skip


def simulate(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write the simulated fire season."""
    from engine.imagery.simulation.season import simulate_season

    out = Path(chosen.out)
    make_folder(out)
    if any(out.iterdir()):
        raise BadInput(f"{out} already holds files. Choose another --out.")
    simulate_season(out, chosen.seed)
    say(f"Wrote a simulated fire season (seed {chosen.seed}) to {out}")
    return {"out": str(out), "seed": chosen.seed}
