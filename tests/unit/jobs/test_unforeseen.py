"""What libraries and the file system throw becomes one line, bad input or a failure, and never a traceback."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pyproj
import pytest
import rasterio
import shapely
import yaml

from engine.__main__ import main
from engine.errors import BadInput, DiskFull, EngineError, RunFailure, SceneError
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import parse_config
from engine.jobs.events import Event, Failed
from engine.jobs.job import Job
from engine.jobs.record import run_job
from engine.jobs.unforeseen import in_words

DEEP = "[" * 5000 + "]" * 5000


def open_nothing() -> None:
    Path("/none/of/this").read_text(encoding="utf-8")


def fail_for_want_of_memory() -> None:
    raise MemoryError


def fill_the_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: json.loads("{"), BadInput, "cannot be read"),
        (lambda: json.loads(DEEP), BadInput, "nested too deeply"),
        (lambda: yaml.safe_load("a: [\n- b"), BadInput, "cannot be read"),
        (lambda: b"\xff".decode("utf-8"), BadInput, "cannot be read"),
        (open_nothing, BadInput, "/none/of/this: no such file"),
        (lambda: pyproj.CRS.from_user_input("nothing"), BadInput, "A CRS cannot be used"),
        (lambda: rasterio.open("/none/of/this.tif"), BadInput, "A raster or its CRS cannot be used"),
        (lambda: shapely.from_wkt("POLYGON ((0"), BadInput, "A geometry cannot be used"),
        (fail_for_want_of_memory, RunFailure, "memory"),
        (fill_the_disk, DiskFull, "full"),
        (lambda: {}["none"], RunFailure, "not foreseen: KeyError"),
    ],
)
def test_an_error_of_a_library_becomes_one_line(
    call: Callable[[], object], kind: type[EngineError], words: str
) -> None:
    with pytest.raises(Exception) as thrown:
        call()
    assert isinstance(thrown.value, Exception)
    told = in_words(thrown.value)
    assert type(told) is kind and words in str(told)
    assert "\n" not in str(told) and len(str(told)) < 400


def test_an_error_of_ours_stays_as_it_is() -> None:
    ours = SceneError("scene.tif has no CRS. Give it one.")
    assert in_words(ours) is ours


def test_the_traceback_of_a_job_goes_to_its_log_and_the_words_to_its_events(
    home: Path, scene_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def events() -> Iterator[Event]:
        yield from ()
        raise KeyError("none")

    tree = {
        "kind": "extract",
        "scene": {"source": "file", "path": str(scene_file)},
        "backbone": {"name": "raw"},
    }
    run_folder.create(tmp_path / "run", parse_config(tree))
    with pytest.raises(RunFailure, match="not foreseen: KeyError"):
        run_job(tmp_path / "run", events, "cpu")
    job = Job(tmp_path / "run")
    assert "Traceback" in job.log_tail() and "Traceback" not in capsys.readouterr().err
    assert isinstance(job.events()[-1][1], Failed) and job.state == "failed"


@pytest.mark.parametrize("name", ["region.geojson", "decoder.json", "_manifest.json"])
def test_five_thousand_brackets_are_refused_in_words_that_name_the_file(
    name: str, home: Path, scene_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text(DEEP)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(
        {"kind": "train", "store": "none"} if name == "decoder.json" else {
            "kind": "extract", "scene": {"source": "file", "path": str(scene_file)}, "backbone": {"name": "raw"},
            "region": {"file": str(tmp_path / name)},
        }
    ))  # fmt: skip
    arguments = {
        "region.geojson": ["extract", str(tmp_path / "config.yaml"), "--out", str(tmp_path / "run")],
        "decoder.json": ["evaluate", str(tmp_path)],
        "_manifest.json": ["check", str(tmp_path)],
    }[name]
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert name in told.splitlines()[-1] and "Traceback" not in told
