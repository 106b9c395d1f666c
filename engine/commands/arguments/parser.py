"""All commands with their arguments, in one table."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from engine.commands import jobs
from engine.commands.arguments.common import add_set, add_workspace
from engine.commands.arguments.examples import example_of
from engine.commands.arguments.of_imagery import add_imagery
from engine.commands.arguments.of_views import add_pictures, add_position
from engine.commands.decoders import annual, judging, labels, mapping
from engine.commands.encoders import backbones, bench
from engine.commands.stores import checking, exporting

Command = Callable[[argparse.Namespace], Any]
Add = Callable[..., argparse.ArgumentParser]


def parser() -> argparse.ArgumentParser:
    """The command line; `command` of what it parses is the function to call."""
    root = argparse.ArgumentParser(prog="python -m engine", description="Emberscope without the browser.")
    commands = root.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Command, text: str, *positional: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(
            name, help=text, description=text, epilog=example_of(name), formatter_class=argparse.RawDescriptionHelpFormatter
        )  # fmt: skip
        for argument in positional:
            sub.add_argument(argument)
        sub.add_argument(
            "--json", action="store_true", help="the last line of standard output is one JSON value"
        )
        sub.set_defaults(command=command)
        return sub

    add("backbones", backbones.backbones, "List the backbones and whether their weights are here.")
    sub = add(
        "fetch",
        backbones.fetch,
        "Fetch the weights of backbones or a published data set, or list which are here.",
    )
    sub.add_argument(
        "names", nargs="*", metavar="NAME", help="backbones or hls_burn_scars (none: list them all)"
    )
    sub.add_argument("--list", action="store_true", help="only list them: here or not, size, licence, source")
    add_imagery(add)
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
        (
            "leaderboard",
            jobs.leaderboard,
            "Teach decoders on several backbones and compare them on the same test places.",
        ),
        (
            "dataset",
            jobs.dataset,
            "Make chips, masks and splits in the layout of HLS Burn Scars from dated polygons of fires.",
        ),
    ):
        sub = add(kind, command, text, "config")
        sub.add_argument("--out", help="the run folder (default: a new one)")
        add_set(sub)
        add_workspace(sub, "runs it belongs to")
        sub.set_defaults(kind=kind)
        if kind in ("extract", "train"):
            sub.add_argument(
                "--translate", action="store_true", help="only print what a TerraTorch file becomes, and stop"
            )
    _add_annual(add)
    _add_judging(add)
    _add_maps(add)
    _add_label(add)
    add_pictures(add)
    add("check", checking.check, "Read every part of a store and say what is wrong with it.", "store")
    _add_export(add)
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
        "open",
        jobs.unpack,
        "Make a run of a zip from Runs, or of a decoder.safetensors, made here or elsewhere.",
        "zip",
    )
    add_workspace(sub, "run it becomes")
    add("cancel", jobs.cancel, "Ask a job to end; what it finished is kept.", "folder")
    add("resume", jobs.resume, "Go on with a job that was cancelled, failed or interrupted.", "folder")
    return root


def _add_annual(add: Add) -> None:
    """The leaderboard that asks whether an annual product serves as well as embeddings of one date."""
    sub = add(
        "annual-against-dated", annual.annual_against_dated,
        "Teach one head on an annual product and on a dated extraction, and judge both on the labelled ground that they share.",
        "annual", "dated",
    )  # fmt: skip
    sub.add_argument(
        "--labels", metavar="RASTER", help="label raster (default: the masks of the dated store's scenes)"
    )
    sub.add_argument(
        "--beside",
        nargs="+",
        action="extend",
        default=[],
        metavar="STORE",
        help="further stores as rows of their own",
    )
    sub.add_argument("--out", help="the run folder (default: a new one)")
    add_set(sub)
    add_workspace(sub, "run it belongs to")
    sub.set_defaults(kind="leaderboard")


def _add_judging(add: Add) -> None:
    """The commands that tell how good a training is."""
    sub = add("evaluate", judging.evaluate, "Score a trained run on its test split again.", "run")
    sub.add_argument("--tables", metavar="FOLDER", help="write every table of the test there as CSV")
    sub.add_argument(
        "--untaught", action="store_true",
        help="first train the same decoder on random convolutional features and on random weights of the backbone, to compare with",
    )  # fmt: skip
    sub = add(
        "report",
        judging.report,
        "Write a training, or the maps of a decoder, as one HTML page that holds all that they show.",
        "run",
    )
    sub.add_argument("--out", required=True, help="the page: .html")


def _add_maps(add: Add) -> None:
    """The commands that make a map of a store, and files of a map that is there."""
    sub = add("predict", mapping.predict, "Map a store with a trained run.", "run", "store")
    sub.add_argument("--out", required=True, help="the map of classes, or of numbers, a GeoTIFF")
    sub.add_argument(
        "--ensemble", nargs="+", action="extend", default=[], metavar="RUN",
        help="more runs of the same task on the same embeddings, such as other seeds: their probabilities are averaged",
    )  # fmt: skip
    sub.add_argument(
        "--disagreement", metavar="FILE", help="where the decoders of an ensemble disagree: .tif"
    )
    sub.add_argument(
        "--date", help="first, last or a day, where a store has several dates of the same ground"
    )
    sub.add_argument(
        "--adapt", choices=("none", "centre", "standardise", "auto"), default="auto",
        help="centre: the mean that embeddings are standardised by is drawn half way to that of the mapped ground; standardise: the "
        "deviation too; none: as the decoder was taught; auto: centre where a decoder of burn scars learned from simulated scenes "
        "and maps real ones (default: auto)",
    )  # fmt: skip
    _add_map_files(sub)
    sub = add("map-files", mapping.map_files, "Write the files of a finished map at a threshold.", "map")
    sub.add_argument(
        "--classes",
        metavar="FILE",
        help="classes with a colour table, or the numbers of a map of numbers: .tif",
    )
    _add_map_files(sub)


def _add_export(add: Add) -> None:
    """The command that writes embeddings for other programs."""
    sub = add("export", exporting.export, "Write a store's embeddings for other programs.", "store")
    sub.add_argument("--out", required=True, help="a file, or an empty folder for zarr, stac and terratorch")
    sub.add_argument(
        "--format", default="geotiff", metavar="FORM",
        help="geotiff, geoparquet, zarr, stac, terratorch or npz (default: geotiff)",
    )  # fmt: skip
    sub.add_argument("--layer", type=int, help="layer of the store (default: its first; of terratorch: all)")
    sub.add_argument(
        "--dtype", choices=("float32", "float16", "int8"),
        help="of the numbers (default: the store's, or float32 where the form holds no other); what smaller ones cost is measured",
    )  # fmt: skip
    sub.add_argument(
        "--labels", metavar="FILE",
        help="raster of classes on which a probe tells what smaller numbers lose (default: the masks of the scenes, where they have some)",
    )  # fmt: skip


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
    add_position(sub)


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
        "--polygons", nargs="+", action="extend", default=[], metavar="FILE",
        help="polygons with hectares and mean probability: .geojson, .gpkg, .parquet",
    )  # fmt: skip
    sub.add_argument("--png", metavar="FILE", help="a picture with legend, scale bar, date and source: .png")
    sub.add_argument(
        "--smallest-ha", type=float, default=0.0, metavar="HA", help="leave out smaller polygons (default: 0)"
    )
