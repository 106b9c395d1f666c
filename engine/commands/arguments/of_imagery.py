"""The arguments of the commands about imagery: catalogues, sensors, cutting a scene, and embeddings that others made of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from engine.commands.arguments.common import add_region, add_set, add_workspace
from engine.commands.imagery import catalogues, cut, fires, season, sensors
from engine.commands.stores import importing

Add = Callable[..., argparse.ArgumentParser]


def add_imagery(add: Add) -> None:
    """The commands about imagery."""
    add("sensors", sensors.sensors, "List the sensors whose rasters are read, as a table.")
    _add_catalogues(add)
    sub = add("fires", fires.fires, "List known fires with their days, or write the search that shows one.")
    sub.add_argument("name", nargs="?", help="one of them: print its scene as a configuration has it")
    _add_cut(add)
    sub = add("simulate", season.simulate, "Write the simulated fire season of a seed.")
    sub.add_argument("--out", required=True)
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument(
        "--chips", type=int, default=48, metavar="N", help="only the first N places, 3 to 48 (default: 48)"
    )
    _add_import(add)


def _add_catalogues(add: Add) -> None:
    """The commands that ask catalogues."""
    sub = add("search", catalogues.search, "Search a catalogue of imagery (STAC) as a configuration says.")
    sub.add_argument("config", nargs="?", help="YAML with a scene of source: stac, as an extraction has it")
    sub.add_argument(
        "--list", action="store_true", help="only list the catalogues, their collections and the cache"
    )
    add_set(sub)
    sub = add(
        "offline",
        catalogues.offline,
        "Write scenes of a catalogue into a folder, for use without a network.",
        "config",
    )
    sub.add_argument("--out", required=True, help="the folder")
    add_workspace(sub, "files it may use")
    add_set(sub)


def _add_cut(add: Add) -> None:
    """The command that cuts a scene."""
    sub = add("cut", cut.cut, "Write a scene, or its part in a region, as one GeoTIFF.", "scene_yaml")
    sub.add_argument("--out", required=True, help="the file: .tif")
    sub.add_argument("--scene", metavar="ID", help="which scene, where the file names several")
    add_region(sub, "the region of SCENE_YAML, else all")
    add_workspace(sub, "simulated scenes are meant")


def _add_import(add: Add) -> None:
    """The command that takes embeddings of others into a store."""
    sub = add(
        "import",
        importing.import_embeddings,
        "Say what embeddings are that others made, a file's or a catalogue's of a region, and make a store of them.",
    )
    sub.add_argument("path", nargs="?", help="the file or folder; none with --catalogue")
    sub.add_argument("--out", help="the run folder that holds the store; a new one")
    sub.add_argument(
        "--look", "--dry-run", action="store_true",
        help="only say what the file is, or what the catalogue has, and write nothing",
    )  # fmt: skip
    sub.add_argument("--list", action="store_true", help="only list the catalogues of embeddings")
    sub.add_argument(
        "--catalogue", metavar="NAME", help="fetch what this catalogue has of --region in --year (see --list)"
    )
    sub.add_argument(
        "--year",
        type=int,
        help="the year of a catalogue, or of a Zarr group with several (default: the only one, or all of a group)",
    )
    sub.add_argument(
        "--in-place", action="store_true",
        help="leave the embeddings where they are, and read them when they are looked at",
    )  # fmt: skip
    add_region(sub, "all")
    sub.add_argument("--model", metavar="NAME", help="the model's name, where the file does not tell it")
    sub.add_argument(
        "--images", metavar="FOLDER",
        help="images of the chips, by the same stems, for TerraTorch's folders, whose files often say nowhere where they lie",
    )  # fmt: skip
