"""All commands with their arguments, in one table."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from engine.commands import backbones, bench, comparing, cut, jobs, labels, sensors, stores, views

Command = Callable[[argparse.Namespace], Any]
Add = Callable[..., argparse.ArgumentParser]


def parser() -> argparse.ArgumentParser:
    """The command line; `command` of what it parses is the function to call."""
    root = argparse.ArgumentParser(prog="python -m engine", description="Emberscope without the browser.")
    commands = root.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str, *positional: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        for argument in positional:
            sub.add_argument(argument)
        sub.add_argument(
            "--json", action="store_true", help="the last line of standard output is one JSON value"
        )
        sub.set_defaults(command=command)
        return sub

    add("backbones", backbones.backbones, "List the backbones and whether their weights are here.")
    sub = add("fetch", backbones.fetch, "Fetch the weights of backbones, or list which are here.")
    sub.add_argument("names", nargs="*", metavar="NAME", help="backbones (none: list them all)")
    sub.add_argument("--list", action="store_true", help="only list them: here or not, size, licence, source")
    add("sensors", sensors.sensors, "List the sensors whose rasters are read, as a table.")
    for kind, command, text in (
        ("extract", jobs.extract, "Embed scenes with a frozen backbone; CONFIG may be one of TerraTorch's."),
        (
            "train",
            jobs.train,
            "Train a decoder on a store and its labels; CONFIG may be one of TerraTorch's.",
        ),
        (
            "apply",
            jobs.apply,
            "Map ground with a trained decoder; embeddings are made first where they are missing.",
        ),
    ):
        sub = add(kind, command, text, "config")
        sub.add_argument("--out", help="the run folder (default: a new one)")
        sub.add_argument(
            "--set", action="append", default=[], metavar="KEY.PATH=VALUE", help="override a key; repeatable"
        )
        sub.add_argument(
            "--workspace",
            default="",
            metavar="NAME",
            help="whose runs it belongs to (default: the common one)",
        )
        sub.set_defaults(kind=kind)
        if kind in ("extract", "train"):
            sub.add_argument(
                "--translate", action="store_true", help="only print what a TerraTorch file becomes, and stop"
            )
    add("evaluate", stores.evaluate, "Score a trained run on its test split again.", "run")
    sub = add(
        "report", stores.report, "Write a training as one HTML page that holds all that it shows.", "run"
    )
    sub.add_argument("--out", required=True, help="the page: .html")
    _add_maps(add)
    _add_label(add)
    _add_pictures(add)
    _add_cut(add)
    add("check", stores.check, "Read every part of a store and say what is wrong with it.", "store")
    sub = add("export", stores.export, "Write a store's embeddings for other programs.", "store")
    sub.add_argument("--out", required=True)
    sub.add_argument("--format", choices=("geotiff", "npz", "terratorch"), default="geotiff")
    sub.add_argument("--layer", type=int, help="layer of the store (default: its first)")
    sub = add(
        "bench", bench.bench, "Measure tiles per second by backbone on this machine, with random weights."
    )
    sub.add_argument("names", nargs="*", help="backbones (default: those whose weights are embedded)")
    sub.add_argument("--all", action="store_true", help="every backbone that fits in memory; minutes")
    sub.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps (default: auto)")
    sub = add("verify", backbones.verify, "Hold the encoders against golden cases.", "folder")
    sub.add_argument("--dump", help="folder for our outputs, one .npz a case")
    sub.add_argument("--weights", help="checkpoint for cases that come without one")
    add("run", jobs.run, "Run the job of a run folder (what the app starts).", "folder")
    sub = add("jobs", jobs.jobs, "List the jobs, newest first.")
    sub.add_argument("--workspace", metavar="NAME", help="only this one's (default: those of all)")
    sub = add(
        "open", jobs.unpack, "Make a run of a zip that was downloaded from Runs, here or elsewhere.", "zip"
    )
    sub.add_argument(
        "--workspace", default="", metavar="NAME", help="whose run it becomes (default: the common one)"
    )
    add("cancel", jobs.cancel, "Ask a job to end; what it finished is kept.", "folder")
    add("resume", jobs.resume, "Go on with a job that was cancelled, failed or interrupted.", "folder")
    sub = add("simulate", stores.simulate, "Write the simulated fire season of a seed.")
    sub.add_argument("--out", required=True)
    sub.add_argument("--seed", type=int, default=0)
    sub.add_argument(
        "--chips", type=int, default=48, metavar="N", help="only the first N places, 3 to 48 (default: 48)"
    )
    return root


def _add_cut(add: Add) -> None:
    """The command that cuts a scene."""
    sub = add("cut", cut.cut, "Write a scene, or its part in a region, as one GeoTIFF.", "scene_yaml")
    sub.add_argument("--out", required=True, help="the file: .tif")
    sub.add_argument("--scene", metavar="ID", help="which scene, where the file names several")
    sub.add_argument(
        "--region", metavar="W,S,E,N|FILE",
        help="bounds in degrees, or a vector file with one polygon (default: the region of SCENE_YAML, else all)",
    )  # fmt: skip
    sub.add_argument(
        "--workspace",
        default="",
        metavar="NAME",
        help="whose simulated scenes are meant (default: the common one)",
    )


def _add_maps(add: Add) -> None:
    """The commands that make a map of a store, and files of a map that is there."""
    sub = add("predict", stores.predict, "Map a store with a trained run.", "run", "store")
    sub.add_argument("--out", required=True, help="the map of classes, a GeoTIFF")
    _add_map_files(sub)
    sub = add("map-files", stores.map_files, "Write the files of a finished map at a threshold.", "map")
    sub.add_argument("--classes", metavar="FILE", help="classes with a colour table: .tif")
    _add_map_files(sub)


def _add_label(add: Add) -> None:
    """The command that maps a store by a few labels."""
    sub = add(
        "label",
        labels.label,
        "Map a store by a few labelled points or polygons (GeoJSON).",
        "store",
        "labels",
    )
    sub.add_argument("--out", required=True, help="the map of classes: .tif")
    sub.add_argument("--raster", metavar="FILE", help="the labels as a raster to train on: .tif")
    sub.add_argument("--decoder", metavar="FOLDER", help="keep the classifier as a decoder in a run folder")
    sub.add_argument(
        "--method",
        choices=("logistic", "knn"),
        default="logistic",
        help="logistic regression, or k nearest neighbours",
    )
    sub.add_argument("--layer", type=int, help="layer of the store (default: its first)")
    sub.add_argument(
        "--date", help="first, last or a day, where a store has several dates of the same ground"
    )
    _add_position(sub)


def _add_map_files(sub: argparse.ArgumentParser) -> None:
    """The arguments of a map: its threshold, and the files that are wanted besides the classes."""
    sub.add_argument(
        "--threshold", type=float, metavar="P",
        help="pixels of a higher probability count (default: 0.5, with more than two classes 0)",
    )  # fmt: skip
    sub.add_argument(
        "--probability", metavar="FILE", help="the probability, float32 with NaN for nothing: .tif"
    )
    sub.add_argument(
        "--polygons", nargs="+", default=[], metavar="FILE",
        help="polygons with hectares and mean probability: .geojson, .gpkg, .parquet",
    )  # fmt: skip
    sub.add_argument("--png", metavar="FILE", help="a picture with legend, scale bar, date and source: .png")
    sub.add_argument(
        "--smallest-ha", type=float, default=0.0, metavar="HA", help="leave out smaller polygons (default: 0)"
    )


def _add_pictures(add: Add) -> None:
    """The commands that show what backbones see."""
    sub = add("pca", views.pca, "Write the PCA colours of a store as a GeoTIFF.", "store")
    _add_view(sub, "gets a colour")
    sub = add("cluster", views.cluster, "Write clusters of a store's embeddings as a GeoTIFF.", "store")
    _add_view(sub, "is clustered")
    sub.add_argument("--clusters", type=int, default=8, metavar="K", help="how many (default: 8)")
    sub.add_argument("--seed", type=int, default=0, help="of the first centres (default: 0)")
    sub = add(
        "umap",
        views.umap,
        "Lay out some patches of a store in a plane (UMAP), and keep it beside the store.",
        "store",
    )
    sub.add_argument("--out", metavar="FILE", help="the patches with their points as a table: .parquet")
    sub.add_argument("--layer", type=int, help="layer of the store (default: its first)")
    sub.add_argument(
        "--date", help="first, last or a day, where a store has several dates of the same ground"
    )
    sub.add_argument(
        "--window", type=int, help="patches along a side whose mean is laid out (default: about 16 px)"
    )
    sub.add_argument("--patches", type=int, metavar="N", help="how many, evenly spread (default: 10000)")
    sub.add_argument(
        "--neighbours", type=int, metavar="K", help="nearest patches that stay near (default: 15)"
    )
    sub.add_argument(
        "--min-distance", type=float, metavar="D", help="how close points may lie (default: 0.1)"
    )
    sub.add_argument("--seed", type=int, help="of the layout (default: 0)")
    _add_position(sub)
    sub = add("similar", comparing.similar, "Rank patches by how much they are like some.", "store")
    sub.add_argument("--patch", nargs="+", default=[], metavar="TILE/ROW/COL", help="patches to be like")
    sub.add_argument("--at", nargs="+", default=[], metavar="LON,LAT", help="places of patches to be like")
    sub.add_argument(
        "--against", nargs="+", default=[], metavar="PATCH", help="patches or places to be unlike"
    )
    sub.add_argument("--stores", nargs="+", default=[], help="more stores of the same backbone to look in")
    sub.add_argument("--top", type=int, default=100, metavar="N", help="patches to find (default: 100)")
    sub.add_argument(
        "--out", nargs="+", default=[], metavar="FILE",
        help="the similarity of every patch (.tif, one a store), the patches that were found (.parquet)",
    )  # fmt: skip
    _add_views(sub)
    sub = add(
        "change",
        comparing.change,
        "Write how far the embeddings of two dates lie apart, as a map, a picture or polygons.",
        "before",
    )
    sub.add_argument("after", nargs="?", help="the later store (default: another date of the first one)")
    sub.add_argument(
        "--out", nargs="+", default=[], metavar="FILE",
        help="distances (.tif), a picture with legend (.png), polygons above the threshold (.gpkg, .parquet, .geojson)",
    )  # fmt: skip
    sub.add_argument(
        "--distance",
        choices=("cosine", "euclidean"),
        default="cosine",
        help="what is drawn and cut (default: cosine)",
    )
    sub.add_argument(
        "--threshold", type=float, metavar="D", help="of polygons (default: what 5 %% of the ground exceed)"
    )
    sub.add_argument(
        "--smallest-ha", type=float, default=0.0, metavar="HA", help="leave out smaller polygons (default: 0)"
    )
    _add_views(sub)
    sub = add(
        "compare",
        comparing.compare,
        "Measure how alike 2 to 4 stores are, and give them colours that mean the same.",
    )
    sub.add_argument("stores", nargs="+", help="of the same ground; one twice to compare its layers or dates")
    sub.add_argument("--out", help="a folder for a GeoTIFF a store in colours turned onto those of the first")
    sub.add_argument(
        "--labels", metavar="scene|RASTER",
        help="score a linear probe and k nearest neighbours with labels: the scenes' masks, or a raster",
    )  # fmt: skip
    sub.add_argument(
        "--classes", nargs="+", default=[], metavar="VALUE=NAME", help="of the labels (default: burnt or not)"
    )
    _add_views(sub)
    sub = add("health", views.health, "Measure what a store's embeddings tell of, layer by layer.", "store")
    sub.add_argument(
        "--shift",
        action="store_true",
        help="also encode some tiles again, shifted by a pixel, and measure what moves",
    )
    sub.add_argument(
        "--device", default="auto", help="for --shift: auto, cpu, cuda, cuda:1, mps (default: auto)"
    )
    _add_position(sub)


def _add_view(sub: argparse.ArgumentParser, what_happens: str) -> None:
    """The arguments of a picture: where to, which layer, and how it is looked at."""
    sub.add_argument("--out", required=True)
    sub.add_argument("--layer", type=int, help="layer of the store (default: its first)")
    _add_look(sub, what_happens)


def _add_views(sub: argparse.ArgumentParser) -> None:
    """The arguments of several pictures: one layer and date a store, and how all are looked at."""
    sub.add_argument(
        "--layers",
        type=int,
        nargs="+",
        metavar="N",
        help="one layer a store, or one for all (default: their first)",
    )
    sub.add_argument(
        "--dates", nargs="+", metavar="DATE",
        help="first, last or a day (2021-03-18), one a store, where a store has several dates of the same ground",
    )  # fmt: skip
    _add_look(sub, "is compared")


def _add_look(sub: argparse.ArgumentParser, what_happens: str) -> None:
    sub.add_argument(
        "--window",
        type=int,
        help=f"patches along a side whose mean {what_happens}, odd (default: about 16 px)",
    )
    _add_position(sub)
    sub.add_argument(
        "--windows", choices=("whole", "all"), default="whole",
        help="fit on rows whose window was whole, or on all rows with data (default: whole)",
    )  # fmt: skip


def _add_position(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--position", choices=("keep", "remove"), default="keep",
        help="remove: take off the mean of each place in the window (default: keep)",
    )  # fmt: skip
