"""Commands that hold stores against each other: change between dates, and likeness with colours that mean the same."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.printer import say
from engine.errors import BadInput
from engine.files import make_folder, require_file_path, slug

if TYPE_CHECKING:
    from engine.learning.probe import ProbeScores
    from engine.learning.tasks.task import Task
    from engine.store.store import EmbeddingStore
    from engine.views.comparing.comparison import Comparison
    from engine.views.comparing.dated_view import DatedView
    from engine.views.position import Position


def similar(chosen: argparse.Namespace) -> dict[str, Any]:
    """Rank the patches of one or several stores by how much they are like some."""
    from engine.views.lens.similar import (
        patch_of,
        ranked,
        similarity,
        similarity_overlay,
        write_matches,
    )

    outs = [Path(name) for name in chosen.out]
    for out in outs:
        if out.suffix.lower() not in (".tif", ".tiff", ".parquet"):
            raise BadInput(
                f"{out} has no ending that is written here. Give .tif for a map, .parquet for the patches."
            )
        require_file_path(out)
    if not chosen.patch and not chosen.at:
        raise BadInput("similar was given no patch to be similar to. Give one with --patch or --at.")
    views = _views([chosen.store, *chosen.stores], chosen)
    positive, negative = (
        [patch_of(views[0], words) for words in given]
        for given in ([*chosen.patch, *chosen.at], chosen.against)
    )
    lens = similarity(views[0], positive, negative)
    matches = ranked(lens, views, chosen.top, [*positive, *negative])
    for out in outs:
        if out.suffix.lower() == ".parquet":
            write_matches(out, matches, views)
            say(f"Wrote {out}: {len(matches)} patches")
        for number, view in enumerate(views if out.suffix.lower() != ".parquet" else (), start=1):
            own = out if number == 1 else out.with_stem(f"{out.stem}_{number}")
            similarity_overlay(lens, view, own)
            say(f"Wrote {own}: similarity in {view.store.folder}")
    if not chosen.json:
        for rank, match in enumerate(matches[:20], start=1):
            print(f"  {rank:3}  {match.cosine:.4f}  {match.patch.name}  {views[match.view].store.folder}")
    told = [
        {"rank": rank, "cosine": round(match.cosine, 6), "store": str(views[match.view].store.folder), "patch": match.patch.name}
        for rank, match in enumerate(matches, start=1)
    ]  # fmt: skip
    return {"like": [patch.name for patch in positive], "unlike": [patch.name for patch in negative], "matches": told,
            "layer": views[0].view.layer, "position": views[0].view.position, "out": chosen.out}  # fmt: skip


def change(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write how far the embeddings of two dates lie apart: as a raster, a picture, or polygons above a threshold."""
    from engine.views.comparing.change import change as prepared
    from engine.views.comparing.change import patches_of_both
    from engine.views.health.imagery import scenes_of_store
    from engine.views.lens.change_files import ChangeCut, require_change_file, write_change
    from engine.workspace import workspace_of

    outs = [Path(name) for name in chosen.out]
    for out in outs:
        require_change_file(out)
    cut = ChangeCut(chosen.distance, chosen.threshold, _hectares(chosen.smallest_ha))
    before, after = _views([chosen.before, chosen.after or chosen.before], chosen)
    found = prepared(before, after)
    patches = patches_of_both(found)
    for note in found.notes:
        say(note)
    low, middle, high = found.percentiles[cut.distance]
    say(
        f"{cut.distance} distance of {patches} patches: median {middle:.3f}, 5 % below {low:.3f}, 5 % above {high:.3f}"
    )
    for out in outs:
        below = (
            scenes_of_store(after.view, workspace_of(after.store.folder.parent))
            if out.suffix.lower() == ".png"
            else {}
        )
        say(f"Wrote {write_change(found, out, cut, tuple(below.values()))}")
    percentiles = {name: [round(value, 6) for value in row] for name, row in found.percentiles.items()}
    return {"out": chosen.out, "patches": patches, "percentiles": percentiles, "threshold": round(cut.least(found), 6),
            "distance": cut.distance, "before": before.days, "after": after.days, "layer": before.view.layer,
            "position": before.view.position, "notes": list(found.notes)}  # fmt: skip


def _hectares(smallest: float) -> float:
    """A smallest area that can be used."""
    if not smallest >= 0:
        raise BadInput(f"A smallest area of {smallest:g} ha cannot be used. Give 0 or more hectares.")
    return smallest


def compare(chosen: argparse.Namespace) -> dict[str, Any]:
    """Measure how alike stores are, and write their colours so that they mean the same."""
    from engine.views.comparing.comparison import compare as compared

    out = Path(chosen.out) if chosen.out else None
    if out is not None:
        make_folder(out)
    found = compared(_views(chosen.stores, chosen))
    written = [] if out is None else _write_colours(found, out)
    scores = None if chosen.labels is None else _scores(found, chosen.labels, chosen.classes)
    for note in found.ground.notes:
        say(note)
    if not chosen.json:
        _print(found, scores)
    return {
        "views": [_view_facts(view) for view in found.ground.views],
        "patches": found.ground.count,
        "pairs": [
            {"first": pair.first, "second": pair.second, "cka": round(pair.cka, 6),
             "neighbour_overlap": round(pair.overlap.share, 6), "by_chance": round(pair.overlap.by_chance, 6)}
            for pair in found.pairs
        ],
        "correlations": [[round(value, 6) for value in one.correlations] for one in found.colours],
        "out": written,
        "scores": scores and asdict(scores),
        "notes": list(found.ground.notes),
    }  # fmt: skip


def _views(stores: Sequence[str], chosen: argparse.Namespace) -> list[DatedView]:
    """A view of each store, with its layer and its date."""
    from engine.store.store import EmbeddingStore
    from engine.views.comparing.dated_view import dated
    from engine.views.layer_view import view_of

    layers, dates = (_one_each(given, len(stores), name) for given, name in (
        (chosen.layers, "--layers"), (chosen.dates, "--dates")))  # fmt: skip
    opened = [EmbeddingStore.open(Path(store)) for store in stores]
    return [
        dated(
            view_of(store, layer, chosen.window, _position(store, layer, chosen.position), chosen.windows),
            date,
        )
        for store, layer, date in zip(opened, layers, dates, strict=True)
    ]


def _position(store: EmbeddingStore, layer: int | None, asked: str) -> Position:
    """Kept or taken off, as asked; auto: taken off where it shows."""
    from engine.views.health.words import usual_position
    from engine.views.position import position_share

    if asked != "auto":
        return "remove" if asked == "remove" else "keep"
    number = store.meta.layers[store.meta.columns.index(store.column(layer))]
    return usual_position(position_share(store, number))


def _one_each(given: list[Any] | None, count: int, name: str) -> list[Any]:
    """One value a store: as many as there are, or one for all."""
    if not given:
        return [None] * count
    if len(given) not in (1, count):
        raise BadInput(
            f"{name} has {len(given)} values for {count} stores. Give one for all, or one a store."
        )
    return given if len(given) == count else given * count


def _write_colours(found: Comparison, out: Path) -> list[str]:
    """A map a view, named by its number, backbone and layer."""
    from engine.views.maps.overlay import colours_overlay

    written = []
    for number, (view, colours) in enumerate(zip(found.ground.views, found.colours, strict=True), start=1):
        name = f"{number}_{slug(view.store.meta.backbone, keep='_.')}_layer{view.view.layer}.tif"
        path = out / name
        require_file_path(path)
        tags = {"EMBERSCOPE_ALIGNED_WITH": found.ground.views[0].title,
                "EMBERSCOPE_ALIGNED_CORRELATIONS": ", ".join(f"{value:.3f}" for value in colours.correlations)}  # fmt: skip
        colours_overlay(view.view, colours.pca, path, tags, view.tiles())
        say(f"Wrote {path}")
        written.append(str(path))
    return written


def _scores(found: Comparison, labels: str, classes: Sequence[str]) -> ProbeScores:
    from engine.jobs.configuration.config import LabelsConfig
    from engine.learning.probe import probe
    from engine.workspace import workspace_of

    config = LabelsConfig() if labels == "scene" else LabelsConfig(source="raster", path=labels)
    ground = found.ground
    base = ground.views[ground.coarsest]
    root = workspace_of(base.store.folder.parent)
    return probe(
        base.store, base.chosen, ground.embeddings, (ground.tiles, ground.rows), config, _task(classes), root
    )


def _task(classes: Sequence[str]) -> Task:
    """Burn scars, or a segmentation with classes of one's own (VALUE=NAME each)."""
    from pydantic import ValidationError

    from engine.jobs.configuration.config import ClassConfig, SegmentationConfig
    from engine.learning.tasks.table import BURN_SCARS, task_of

    if not classes:
        return BURN_SCARS
    try:
        named = [one.split("=", 1) for one in classes]
        own = tuple(ClassConfig(value=int(value), name=name) for value, name in named)
        return task_of(SegmentationConfig(classes=own))
    except (ValueError, ValidationError) as err:
        raise BadInput(
            f"--classes {' '.join(classes)} is not understood. Give two or more as VALUE=NAME, such as 0=water 1=field."
        ) from err


def _view_facts(view: DatedView) -> dict[str, Any]:
    return {"store": str(view.store.folder), "backbone": view.store.meta.backbone, "layer": view.view.layer,
            "date": view.days, "position": view.view.position, "patch_m": view.patch_m}  # fmt: skip


def _print(found: Comparison, scores: ProbeScores | None) -> None:
    """Tables for a person."""
    views = found.ground.views
    print(f"{len(views)} views on {found.ground.count} shared patches")
    for number, view in enumerate(views, start=1):
        print(f"  {number}  {view.title}  {view.store.folder}")
    for pair in found.pairs:
        print(
            f"  {pair.first + 1} and {pair.second + 1}: linear CKA {pair.cka:.3f}; of {pair.overlap.neighbours} nearest patches "
            f"{pair.overlap.share:.1%} the same ({pair.overlap.by_chance:.1%} by chance)"
        )
    for number, colours in enumerate(found.colours[1:], start=2):
        told = ", ".join(f"{value:.2f}" for value in colours.correlations)
        print(f"  colours of {number} turned onto those of 1: correlations {told}")
    if scores is None:
        return
    print(f"Labels: {scores.source}; {scores.patches}; {scores.places} places")
    for method, of_views in scores.by_method.items():
        for number, one in enumerate(of_views, start=1):
            interval = (
                "no interval below three places" if one.low is None else f"{one.low:.3f} to {one.high:.3f}"
            )
            print(f"  {number} {method:7} mean IoU {one.mean_iou:.3f} ({interval})")
