"""Commands about the encoders themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from engine.commands.printer import Printer, say
from engine.datasets.published import PUBLISHED, dataset_folder, fetch_dataset
from engine.errors import RunFailure
from engine.workspace import workspace_folder


def backbones(chosen: argparse.Namespace) -> list[dict[str, Any]] | None:
    """List the cards."""
    from engine.backbones import cards
    from engine.backbones.weights import locate as weights

    rows = []
    for name, spec in cards.CARDS.items():
        there = not spec.weights.is_published or weights.present(spec) is not None
        rows.append({"name": name, "title": spec.title, "bands": list(spec.bands), "any_bands": spec.any_bands,
                     "patch_px": spec.patch_px, "dim": spec.dim, "parameters": spec.parameters,
                     "licence": spec.licence, "weights_present": there})  # fmt: skip
        if not chosen.json:
            size = f"{spec.parameters / 1e6:.1f} M"
            print(
                f"{name:36} {size:>10}  dim {spec.dim:<5} {'weights here' if there else 'no weights here':15} {spec.licence}"
            )
    return rows if chosen.json else None


def fetch(chosen: argparse.Namespace) -> dict[str, Any] | list[dict[str, Any]] | None:
    """Fetch weights or data sets by name, or list what can be fetched and what is here already."""
    from engine.extraction.weights.fetching import fetch_backbones
    from engine.jobs.events import Event, FetchDone

    if chosen.list or not chosen.names:
        return _fetchable(chosen)
    sets = [name for name in chosen.names if name in PUBLISHED]
    backbones = [name for name in chosen.names if name not in PUBLISHED]
    works: list[Iterator[Event]] = [fetch_backbones(backbones)] if backbones else []
    works += [fetch_dataset(PUBLISHED[name], workspace_folder("")) for name in sets]
    printer, files, seconds = Printer(), list[str](), 0.0
    for event in chain.from_iterable(works):
        printer(event)
        if isinstance(event, FetchDone):
            files, seconds = files + event.files, seconds + event.seconds
    say(f"{len(files)} file(s) fetched in {seconds:.0f} s.")
    return {"files": files, "seconds": seconds}


def _sets(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """The published data sets that are asked for, all where no name is given."""
    rows = []
    for one in PUBLISHED.values():
        if chosen.names and one.name not in chosen.names:
            continue
        folder = dataset_folder(one, workspace_folder(""))
        is_here, size = folder.is_dir(), one.size_bytes / 1e6
        rows.append({"name": one.name, "here": is_here, "path": str(folder) if is_here else "", "size_mb": round(size),
                     "licence": one.licence, "source": one.page, "sha256": None})  # fmt: skip
        if not chosen.json:
            print(
                f"{one.name:42} {'here' if is_here else 'not here':9} {f'{size:,.0f} MB':>16}  {one.licence}  {one.page}"
            )
    return rows


def _fetchable(chosen: argparse.Namespace) -> list[dict[str, Any]] | None:
    from engine.backbones import cards
    from engine.backbones.weights import locate as weights

    asked = [name for name in chosen.names if name not in PUBLISHED]
    specs = [cards.card(name) for name in asked] if chosen.names else list(cards.CARDS.values())
    rows = _sets(chosen)
    for spec in specs:
        if not spec.weights.is_published:
            continue
        path = weights.present(spec)
        rows.append({"name": spec.name, "here": path is not None, "path": str(path or ""), "size_mb": spec.weights.size_mb,
                     "licence": spec.licence, "source": spec.weights.page, "sha256": spec.weights.sha256})  # fmt: skip
        if not chosen.json:
            print(
                f"{spec.name:42} {'here' if path else 'not here':9} {spec.size_words:>16}  {spec.licence}  {spec.weights.page}"
            )
    return rows if chosen.json else None


def verify(chosen: argparse.Namespace) -> list[dict[str, Any]]:
    """Hold the encoders against golden cases."""
    from engine.backbones.golden.verify import verify_folder

    dump, weights = (Path(path) if path else None for path in (chosen.dump, chosen.weights))
    results = verify_folder(Path(chosen.folder), dump, weights)
    for result in results:
        for name, error in result.errors.items():
            print(f"{result.case:36} {name:26} {error:.2e}")
        if result.failure:
            print(f"{result.case:36} {result.failure}")
    failed = [result.case for result in results if not result.passed]
    if failed:
        raise RunFailure(f"Outputs of {', '.join(failed)} are beyond the tolerance. See the table.")
    return [{"case": result.case, "errors": dict(result.errors)} for result in results]
