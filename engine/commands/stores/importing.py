"""The command that takes embeddings of others into a store: those of a file, or what a catalogue has of a region."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from engine.commands import jobs
from engine.commands.imagery.cut import region_given
from engine.commands.printer import say
from engine.errors import BadInput
from engine.jobs.configuration.config import RegionConfig
from engine.paths import resolve_path

_MODEL = re.compile(r"[A-Za-z0-9][\w./-]{0,63}")


def import_embeddings(chosen: argparse.Namespace) -> Any:
    """Say what embeddings are, and make a store of them; or list the catalogues."""
    if chosen.list:
        return _listed()
    if (chosen.path is None) == (chosen.catalogue is None):
        raise BadInput(
            "Give a file or folder of embeddings, or --catalogue NAME with --region; --list shows the catalogues."
        )
    return _import_file(chosen) if chosen.catalogue is None else _import_region(chosen)


def _listed() -> list[dict[str, Any]]:
    from engine.store.catalogues.table import catalogues

    found = []
    for one in catalogues().values():
        say(f"{one.name}: {one.title}, {one.address}")
        found.append({
            "catalogue": one.name, "title": one.title, "address": one.address, "model": one.product.model, "licence": one.product.licence,
        })  # fmt: skip
    return found


def _import_region(chosen: argparse.Namespace) -> dict[str, Any]:
    """Say what a catalogue has of a region in a year, and fetch it into a store."""
    from engine.jobs import folder as run_folder
    from engine.store.catalogues.job import catalogue_config
    from engine.store.catalogues.offer import offer_of
    from engine.store.catalogues.table import catalogue

    if chosen.region is None:
        raise BadInput(
            "--region says which part of the catalogue is meant. Give W,S,E,N in degrees, or a file with one polygon."
        )
    given = [name for name in ("model", "images", "in_place") if getattr(chosen, name)]
    if given:
        raise BadInput(
            f"--{given[0].replace('_', '-')} goes with a file, and a catalogue is asked. Leave it out."
        )
    offer = offer_of(catalogue(chosen.catalogue), region_given(chosen.region), chosen.year)
    if not chosen.json:
        print("\n".join(offer.in_lines()))
    if chosen.look:
        return {"store": None, **offer.facts()}
    if chosen.out is None:
        raise BadInput(
            "--out names the run folder that the store is made in. Give it, or --look to fetch nothing."
        )
    out = Path(chosen.out).resolve()
    config = catalogue_config(offer, _region_config(chosen.region))
    run_folder.create(out, config)
    done = jobs.run_in(out, config)
    say(f"Wrote {done['store']}")
    return {**offer.facts(), **done}


def _region_config(given: str) -> RegionConfig:
    """A region of the command line as a configuration has it."""
    numbers = given.split(",")
    if len(numbers) != 4:
        return RegionConfig(file=str(resolve_path(given)))
    west, south, east, north = map(float, numbers)
    return RegionConfig(bounds_lonlat=(west, south, east, north))


def _import_file(chosen: argparse.Namespace) -> dict[str, Any]:
    """Say what a file of embeddings is, and make a store of it."""
    from engine.store.importing.forms import understand
    from engine.store.importing.taking import import_embeddings as take

    if chosen.model is not None and not _MODEL.fullmatch(chosen.model):
        raise BadInput(
            f"The model {chosen.model!r} is no name: letters, digits and . _ / - are allowed. Give another --model."
        )
    region = None if chosen.region is None else region_given(chosen.region)
    images = None if chosen.images is None else Path(chosen.images)
    if images is not None and not images.is_dir():
        raise BadInput(f"{images} is no folder of images. Check --images.")
    if chosen.look:
        seen = understand(Path(chosen.path), region, chosen.model, images, chosen.year)
        if not chosen.json:
            print("\n".join(seen.in_lines()))
        return {"store": None, "patches": seen.rows, **seen.facts()}
    if chosen.out is None:
        raise BadInput(
            "--out names the run folder that the store is made in. Give it, or --look to write nothing."
        )
    told, store = take(
        Path(chosen.path),
        Path(chosen.out).resolve(),
        region,
        chosen.model,
        say,
        images,
        chosen.in_place,
        chosen.year,
    )
    say(f"Opened in place: {store.folder}" if chosen.in_place else f"Wrote {store.folder}")
    return {"store": str(store.folder), "tiles": len(store.tiles), "patches": store.rows, **told.facts()}
