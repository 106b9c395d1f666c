"""Every command of `python -m engine` is called: with --json, in words, and with input that it refuses."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from engine.__main__ import main
from engine.commands.arguments.parser import parser
from tests.unit.commands.conftest import Workplace
from tests.unit.commands.made import (
    application,
    beside,
    board,
    kept,
    labelled,
    laid_out,
    mapped,
    perimeters,
    published,
    series,
    stopped,
    waiting,
    zipped,
)

PROJECT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Call:
    """How a command is called.

    Attributes:
        good: arguments that work, in a folder of the test's own.
        gives: what --json must hold: keys of an object, or of each object of a list.
        bad: arguments that are refused, and what the refusal names.
    """

    good: Callable[[Workplace, Path], list[str]]
    gives: set[str]
    bad: list[tuple[list[str], str]]


STORE = {"tiles", "patches", "dim", "store"}
SCORES = {"iou_burned", "confusion"}
CALLS: dict[str, Call] = {
    "backbones": Call(lambda *_: [], {"name", "title", "licence", "weights_present"}, []),
    "fetch": Call(
        lambda *_: ["--list"], {"name", "here", "licence", "source", "sha256"}, [(["nothing"], "nothing"), (["--list", "nothing"], "nothing")]
    ),
    "search": Call(
        lambda *_: ["--list"], {"catalogue", "collection", "access", "bands"},
        [([], "--list"), (["{extract}"], "source: file"), (["none.yaml"], "none.yaml"), (["{extract}", "--list"], "asks no catalogue"),
         (["{extract}", "--set", "scene.source=stac"], "catalogue")],
    ),
    "offline": Call(
        lambda at, to: [str(kept(at, to)), "--out", str(to / "here")], {"out", "scenes", "rasters", "bytes"},
        [(["{extract}", "--out", "{folder}/o"], "source: file"), (["none.yaml", "--out", "{folder}/o"], "none.yaml")],
    ),
    "sensors": Call(lambda *_: [], {"name", "title", "bands", "scale", "level"}, []),
    "extract": Call(
        lambda at, to: [str(at.extract), "--out", str(to / "run")], STORE,
        [(["none.yaml"], "none.yaml"), (["{train}"], "train"), (["{extract}", "--set", "tiles.size=3"], "tiles.size"),
         (["{extract}", "--out", "{folder}"], "already holds files"), (["{extract}", "--translate"], "TerraTorch")],
    ),
    "train": Call(
        lambda at, to: [str(at.train), "--out", str(to / "run")], SCORES,
        [(["none.yaml"], "none.yaml"), (["{extract}"], "extract"), (["{train}", "--out", "{run}"], "another run")],
    ),
    "cut": Call(
        lambda at, to: [str(at.extract), "--out", str(to / "cut.tif")], {"out", "scene", "bands", "bytes"},
        [(["none.yaml", "--out", "{folder}/c.tif"], "none.yaml"), (["{extract}", "--out", "{folder}/c.png"], "end in .tif"),
         (["{extract}", "--out", "{folder}/c.tif", "--scene", "other"], "other"),
         (["{extract}", "--out", "{folder}/c.tif", "--region", "1,2,3,x"], "four numbers"),
         (["{extract}", "--out", "{folder}/c.tif", "--region", "1,2,1.1,2.1"], "do not overlap")],
    ),
    "import": Call(
        lambda at, to: [published(to), "--out", str(to / "run")], {"store", "model", "dim", "decoding", "licence", "patches", "notes"},
        [(["none.tif", "--look"], "none.tif"), (["{folder}/labels.tif"], "--out"), (["{folder}/labels.tif", "--look"], "bands"),
         (["none.tif", "--out", "{folder}/none"], "none.tif"), (["{extract}", "--out", "{folder}/none"], "extract.yaml"),
         (["{folder}/labels.tif", "--out", "{folder}/none"], "bands"), (["{folder}/labels.tif", "--out", "{run}"], "already holds files"),
         (["{folder}/labels.tif", "--out", "{folder}/none", "--model", "<b>"], "<b>"),
         (["{folder}/labels.tif", "--out", "{folder}/none", "--region", "1,2,3,x"], "four numbers"),
         (["{folder}/labels.tif", "--look", "--images", "none"], "none"),
         ([], "--catalogue"), (["{folder}/labels.tif", "--catalogue", "alphaearth"], "--catalogue"),
         (["{folder}/labels.tif", "--look", "--year", "2024"], "no Zarr group"), (["--catalogue", "alphaearth"], "--region"),
         (["--catalogue", "nothing", "--region", "1,2,3,4"], "nothing"), (["--catalogue", "tessera", "--region", "1,2,3,4", "--in-place"], "--in-place")],
    ),
    "evaluate": Call(lambda at, _: [str(at.trained)], SCORES, [(["{run}"], "run"), (["none"], "none")]),
    "report": Call(
        lambda at, to: [str(at.trained), "--out", str(to / "report.html")], {"out"},
        [(["{run}", "--out", "{folder}/r.html"], "run"), (["{trained}", "--out", "{run}"], "is a folder")],
    ),
    "predict": Call(
        lambda at, to: [str(at.trained), str(at.run), "--out", str(to / "map.tif"), "--polygons", str(to / "map.gpkg"),
                        str(to / "map.geojson"), "--smallest-ha", "0.5"],
        {"out", "polygons", "hectares", "count"},
        [(["{trained}", "none", "--out", "{folder}/m.tif"], "none"), (["{trained}", "{run}", "--out", "{run}"], "is a folder"),
         (["{run}", "{run}", "--out", "{folder}/m.tif"], "run"),
         (["{trained}", "{run}", "--out", "{folder}/m.tif", "--polygons", "{folder}/m.shp"], ".gpkg"),
         (["{trained}", "{run}", "--out", "{folder}/m.tif", "--threshold", "1.5"], "1.5"),
         (["{trained}", "{run}", "--out", "{folder}/m.tif", "--png", "{folder}/m.jpg"], "m.jpg")],
    ),
    "apply": Call(
        lambda at, to: [str(application(at, to)), "--out", str(to / "run")], {"maps", "hectares", "seconds"},
        [(["none.yaml"], "none.yaml"), (["{train}"], "train"), (["{extract}", "--out", "{run}"], "extract")],
    ),
    "leaderboard": Call(
        lambda at, to: [str(board(at, to)), "--out", str(to / "run")], {"rows", "verdict", "pairs", "baselines", "notes"},
        [(["none.yaml"], "none.yaml"), (["{train}"], "train"), (["{extract}", "--out", "{run}"], "extract")],
    ),
    "annual-against-dated": Call(
        beside, {"rows", "verdict", "pairs", "notes"},
        [(["none", "{run}"], "none"), (["{other}", "{run}", "--labels", "none.tif", "--out", "{folder}/b"], "none.tif"), (["{run}", "{run}"], "twice")],
    ),
    "map-files": Call(
        lambda at, to: [mapped(at, to), "--classes", str(to / "m.tif"), "--png", str(to / "m.png"), "--smallest-ha", "1"],
        {"threshold", "hectares"}, [(["none"], "none"), (["{run}", "--smallest-ha", "-1"], "-1")],
    ),
    "pca": Call(
        lambda at, to: [str(at.run), "--out", str(to / "pca.tif")], {"out", "window", "explained_variance_ratio", "position", "position_share"},
        [(["none", "--out", "{folder}/m.tif"], "none"), (["{run}", "--out", "{run}"], "is a folder"),
         (["{run}", "--out", "{extract}/m.tif"], "is a file"), (["{run}", "--out", "{folder}/m.tif", "--window", "2"], "odd"),
         (["{run}", "--out", "{folder}/m.tif", "--layer", "7"], "layer 7"), (["{run}", "--out", "{folder}/m.tif", "--basis", "none"], "none")],
    ),
    "film": Call(
        lambda at, to: [series(to), "--out", str(to / "film.webp"), "--seconds", "0.5"], {"out", "bytes", "days", "bands", "notes"},
        [(["none.yaml", "--out", "{folder}/f.webp"], "none.yaml"), (["{run}", "--out", "{folder}/f.webp"], "has one date"),
         (["{run}", "--out", "{folder}/f.mp4"], "f.mp4"), (["{extract}", "--out", "{folder}/f.gif"], "no date"),
         (["none", "--out", "{folder}/f.gif"], "none"), (["{run}", "--out", "{folder}/f.gif", "--seconds", "0"], "not 0"),
         (["{extract}", "{extract}", "--out", "{folder}/f.gif"], "one configuration")],
    ),
    "cluster": Call(
        lambda at, to: [str(at.run), "--out", str(to / "c.tif"), "--clusters", "3"], {"out", "window", "patches"},
        [(["none", "--out", "{folder}/m.tif"], "none"), (["{run}", "--out", "{run}"], "is a folder"),
         (["{run}", "--out", "{folder}/m.tif", "--clusters", "99"], "2 to 24")],
    ),
    "umap": Call(
        lambda at, to: [*laid_out(at), "--out", str(to / "u.parquet")], {"out", "kept", "patches", "layer", "position", "seed"},
        [(["none"], "none"), (["{run}", "--out", "{folder}/u.csv"], ".parquet"), (["{run}", "--patches", "1"], "patches"),
         (["{run}", "--layer", "7"], "layer 7"), (["{run}", "--date", "1999"], "1999")],
    ),
    "similar": Call(
        lambda at, to: [str(at.run), "--at=-76.11,37.03", "--top", "5", "--stores", str(at.run), "--out", str(to / "s.tif"), str(to / "s.parquet")],
        {"like", "unlike", "matches", "out"},
        [(["none", "--at", "1,2"], "none"), (["{run}"], "no patch to be similar to"), (["{run}", "--at", "1,2"], "no patch at"),
         (["{run}", "--patch", "x"], "names no patch"), (["{run}", "--at", "1,2", "--out", "{folder}/s.csv"], ".parquet")],
    ),
    "change": Call(
        lambda at, to: [str(at.run), str(at.other), "--out", str(to / "c.tif"), str(to / "c.png"), str(to / "c.gpkg"), str(to / "c.parquet")],
        {"out", "patches", "percentiles", "threshold", "before", "after", "notes"},
        [(["none", "{run}", "--out", "{folder}/m.tif"], "none"), (["{run}", "--out", "{folder}/m.tif"], "given twice"),
         (["{run}", "{run}", "--dates", "1999", "--out", "{folder}/m.tif"], "1999"), (["{run}", "{other}", "--out", "{run}"], "is a folder"),
         (["{run}", "{other}", "--layers", "0", "0", "0", "--out", "{folder}/m.tif"], "3 values for 2 stores"),
         (["{run}", "{other}", "--out", "{folder}/c.csv"], "c.csv"), (["{run}", "{other}", "--smallest-ha", "-1"], "-1")],
    ),
    "compare": Call(
        lambda at, to: [str(at.run), str(at.other), "--out", str(to / "maps"), "--labels", str(at.folder / "labels.tif"), "--window", "1"],
        {"views", "patches", "pairs", "correlations", "out", "scores", "notes"},
        [(["{run}"], "2 to 4"), (["{run}", "none"], "none"), (["{run}", "{other}", "--out", "{extract}"], "is a file"),
         (["{run}", "{other}", "--labels", "none.tif"], "none.tif"), (["{run}", "{other}", "--labels", "scene"], "mask"),
         (["{run}", "{other}", "--labels", "{folder}/labels.tif", "--classes", "water"], "VALUE=NAME")],
    ),
    "label": Call(
        lambda at, to: [str(at.run / "store"), str(labelled(to)), "--out", str(to / "l.tif")], {"out", "classes", "patches", "accuracy", "notes"},
        [(["{run}/store", "none.geojson", "--out", "{folder}/l.tif"], "none.geojson"),
         (["{run}/store", "{extract}", "--out", "{folder}/l.tif"], "extract.yaml"), (["{run}/store", "none", "--out", "l.png"], "l.png")],
    ),
    "open": Call(
        lambda at, to: [str(zipped(at, to))], {"id", "state", "folder"}, [(["none.zip"], "none.zip"), (["{extract}"], "neither a zip nor a tar")]
    ),
    "health": Call(lambda at, _: [str(at.run), "--shift", "--device", "cpu"], {"store", "backbone", "layers"}, [(["none"], "none"), (["{folder}"], "store")]),
    "check": Call(lambda at, _: [str(at.run)], {"store", "problems"}, [(["{folder}"], "store"), (["none"], "none")]),
    "export": Call(
        lambda at, to: [str(at.run), "--out", str(to / "e.npz"), "--format", "npz", "--dtype", "int8"],
        {"out", "format", "dtype", "notes", "loss", "is_simulated", "is_random", "licence", "attribution"},
        [(["none", "--out", "{folder}/e.tif"], "none"), (["{run}", "--out", "{run}"], "is a folder"),
         (["{run}", "--out", "{folder}/e.csv", "--format", "csv"], "geoparquet"), (["{run}", "--out", "{run}", "--format", "zarr"], "already holds"),
         (["{run}", "--out", "{folder}/e.tif", "--dtype", "float16"], "float16"),
         (["{run}", "--out", "{folder}/e.tif", "--dtype", "int8", "--labels", "none.tif"], "--labels")],
    ),
    "bench": Call(
        lambda *_: ["csmask_b4_l2a", "--device", "cpu"], {"backbone", "tiles_per_s", "chip_px", "device"},
        [(["nothing"], "nothing"), (["csmask_b4_l2a", "--device", "cuda:77"], "cuda:77")],
    ),
    "verify": Call(lambda *_: [str(PROJECT / "tests/golden/open")], {"case", "errors"}, [(["none"], "none"), (["{run}"], "run")]),
    "dataset": Call(
        lambda at, to: [str(perimeters(at, to)), "--out", str(to / "d")], {"dataset", "chips", "fires", "splits", "not_had"},
        [(["none.yaml"], "none.yaml"), (["{extract}"], "kind extract"), (["{extract}", "--set", "kind=dataset"], "unknown key")],
    ),
    "fires": Call(lambda *_: ["camp-fire"], {"name", "start", "end", "bounds_lonlat", "source", "page", "scene"}, [(["camp-fir"], "camp-fire")]),
    "run": Call(stopped, STORE, [(["none"], "none")]),
    "jobs": Call(lambda *_: [], {"id", "state", "folder"}, []),
    "cancel": Call(waiting, {"id", "state"}, [(["{run}"], "finished"), (["none"], "none")]),
    "resume": Call(stopped, STORE, [(["none"], "none")]),
    "simulate": Call(
        lambda _, to: ["--out", str(to / "season"), "--seed", "3", "--chips", "3"], {"out", "seed"},
        [(["--out", "{run}"], "already holds files"), (["--out", "{extract}"], "is a file"),
         (["--out", "{folder}/season", "--seed", "-1"], "-1")],
    ),
}  # fmt: skip
BAD = [(name, arguments, says) for name, call in CALLS.items() for arguments, says in call.bad]
# What takes long is called once, with --json.
ONCE = {"bench", "simulate", "train", "verify"}


@pytest.fixture
def held_device(at_home: Workplace) -> Iterator[None]:
    """A device that another job is on."""
    (at_home.home / ".devices").mkdir(exist_ok=True)
    with FileLock(at_home.home / ".devices" / "cpu.lock"):
        yield


def held_where_needed(name: str, request: pytest.FixtureRequest) -> None:
    if name == "cancel":
        request.getfixturevalue("held_device")


def commands() -> set[str]:
    subparsers = [each for each in parser()._actions if isinstance(each, argparse._SubParsersAction)]
    return set(subparsers[0].choices)


def said_as_json(out: str) -> Any:
    return json.loads(out.splitlines()[-1])


def test_every_command_stands_in_the_table() -> None:
    assert set(CALLS) == commands()


@pytest.mark.parametrize("name", CALLS)
def test_a_command_ends_with_0_and_its_last_line_is_json(
    name: str,
    at_home: Workplace,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    held_where_needed(name, request)
    assert main([name, *CALLS[name].good(at_home, tmp_path), "--json"]) == 0
    found = said_as_json(capsys.readouterr().out)
    for each in found if isinstance(found, list) else [found]:
        assert each.keys() >= CALLS[name].gives
    assert found


@pytest.mark.parametrize("name", [name for name in CALLS if name not in ONCE])
def test_a_command_without_json_says_in_words_what_it_did(
    name: str,
    at_home: Workplace,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    held_where_needed(name, request)
    assert main([name, *CALLS[name].good(at_home, tmp_path)]) == 0
    captured = capsys.readouterr()
    assert (captured.out + captured.err).strip()


@pytest.mark.parametrize(("name", "arguments", "says"), BAD, ids=[f"{name}-{says}" for name, _, says in BAD])
def test_bad_input_ends_with_2_and_one_line_that_names_it(
    name: str, arguments: list[str], says: str, at_home: Workplace, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    filled = [argument.format(**vars(at_home)) for argument in arguments]
    assert main([name, *filled, "--json"]) == 2
    captured = capsys.readouterr()
    last = captured.err.splitlines()[-1]
    assert last.startswith("error: ") and says in last
    assert "Traceback" not in captured.err and not captured.out


def test_a_command_that_is_not_known_ends_with_2() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["fly"])
    assert ended.value.code == 2


def test_a_golden_case_beyond_its_tolerance_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in filter(Path.is_file, (PROJECT / "tests/golden/open").iterdir()):
        shutil.copy(path, tmp_path)
    first = sorted(tmp_path.glob("*.safetensors"))[0]
    first.write_bytes(b"\0" * 64)
    assert main(["verify", str(tmp_path)]) == 1
    captured = capsys.readouterr()
    assert captured.err.splitlines()[-1].startswith("error: Outputs of") and first.stem in captured.err
    assert "Traceback" not in captured.err
