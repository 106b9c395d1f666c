"""What this machine does: measured once, said with its conditions, and used by the estimate until a run knows better."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from engine.__main__ import main
from engine.backbones.cards import CARDS
from engine.extraction import extract as job
from engine.extraction.cost import bench
from engine.extraction.cost.estimate import estimate
from engine.extraction.cost.measured_speed import Pace, pace_of, read, record, this_machine
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.jobs.record import recorded

WriteRaster = Callable[..., Path]
RAW = Pace(
    "raw", "auto", "cuda:0", "bfloat16", "a GPU", 100, 8, 100.0, this_machine(), "2026-01-01T00:00:00+00:00"
)


@pytest.fixture
def config(write_raster: WriteRaster) -> ExtractConfig:
    pixels = np.random.default_rng(7).integers(100, 4000, (6, 256, 256)).astype(np.int16)
    path = write_raster("scene.tif", pixels)
    parsed = parse_config({"kind": "extract", "scene": {"source": "file", "path": str(path)},
                           "backbone": {"name": "raw"}, "tiles": {"size_px": 128}, "device": "cuda"})  # fmt: skip
    assert isinstance(parsed, ExtractConfig)
    return parsed


def test_the_command_measures_says_its_conditions_and_keeps_the_figure(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "_SECONDS", 0.0)
    assert main(["bench", "efficientnet_lite0", "--device", "cpu", "--json"]) == 0
    said = capsys.readouterr()
    (figure,) = json.loads(said.out.strip().splitlines()[-1])
    assert figure["tiles_per_s"] > 0
    assert "random weights" in said.err
    assert "float32" in said.err
    assert pace_of("efficientnet_lite0", "cpu", home) == Pace(**figure)


def test_embedded_encoders_are_measured_unless_asked_otherwise_and_only_those_that_fit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    embedded = {name for name, spec in CARDS.items() if spec.weights.kind == "package"}
    assert set(bench.names_of((), everything=False)) == embedded
    largest = max(CARDS.values(), key=lambda spec: spec.parameters)
    room = dataclasses.make_dataclass("room", ["available"])(available=largest.parameters)
    monkeypatch.setattr("psutil.virtual_memory", lambda: room)
    fitting = bench.names_of((), everything=True)
    assert embedded <= set(fitting)
    assert largest.name not in fitting


@pytest.mark.parametrize("name", ["raw", "prithvi_eo_v2_30"])
def test_what_cannot_be_measured_is_refused(
    home: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert main(["bench", name]) == 2
    assert name in capsys.readouterr().err


def test_nothing_is_measured_beside_a_running_job(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".devices").mkdir()
    (home / ".devices" / "cpu.holder").write_text("the-job")
    with FileLock(home / ".devices" / "cpu.lock"):
        assert main(["bench", "efficientnet_lite0", "--device", "cpu"]) == 2
    assert "the-job" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "device"), [("raw", "cpu"), ("prithvi_eo_v2_600", "cpu"), ("rcf", "cuda")])
def test_a_process_that_only_waits_measures_no_large_encoder_and_no_gpu(
    home: Path, name: str, device: str
) -> None:
    bench.measure_shortly(name, device, home)
    assert read(home) == ()


def test_what_is_measured_already_is_not_measured_again(home: Path) -> None:
    known = dataclasses.replace(RAW, backbone="rcf", asked="cpu", device="cpu")
    record([known], home)
    bench.measure_shortly("rcf", "cpu", home)
    assert read(home) == (known,)


def test_a_newer_figure_replaces_the_older_of_its_device_and_no_other(home: Path) -> None:
    on_cpu = dataclasses.replace(RAW, asked="cpu", device="cpu", tiles_per_s=3.0)
    faster = dataclasses.replace(RAW, tiles_per_s=200.0)
    for pace in (RAW, on_cpu, faster):
        record([pace], home)
    assert set(read(home)) == {on_cpu, faster}


@pytest.mark.parametrize(("device", "is_known"), [("auto", True), ("cuda", True), ("cuda:0", True), ("cuda:1", False), ("cpu", False)])  # fmt: skip
def test_a_figure_counts_for_every_name_of_its_device(home: Path, device: str, is_known: bool) -> None:
    record([RAW], home)
    assert (pace_of("raw", device, home) is not None) == is_known


def test_a_figure_of_another_machine_or_a_damaged_file_says_nothing(home: Path) -> None:
    path = record([dataclasses.replace(RAW, machine="elsewhere, 96 cores")], home)
    assert pace_of("raw", "cuda", home) is None
    path.write_text('[{"backbone": 1}', encoding="utf-8")
    assert read(home) == ()
    record([RAW], home)
    assert read(home) == (RAW,)


def test_the_estimate_takes_the_bench_and_a_finished_run_before_it(config: ExtractConfig, home: Path) -> None:
    before = estimate(config, home)
    assert (before.minutes, before.minutes_source) == (None, "unknown")
    record([RAW], home)  # a megapixel a second
    found = estimate(config, home)
    assert found.minutes_source == "bench"
    assert found.minutes is not None
    slower = dataclasses.replace(RAW, tiles_per_s=1.0)
    record([slower], home)
    later = estimate(config, home)
    assert later.minutes is not None
    pixels = found.tiles * 128 * 128 / 1e6
    assert (later.minutes - found.minutes) * 60 == pytest.approx(99 * pixels, rel=1e-6)
    on_cpu = config.model_copy(update={"device": "cpu"})
    folder = home / "earlier"
    run_folder.create(folder, on_cpu)
    list(recorded(folder, job.extract(on_cpu, folder, home)))
    record([dataclasses.replace(RAW, asked="cpu", device="cpu")], home)
    assert estimate(on_cpu, home).minutes_source == "measured on this machine"


def test_what_one_machine_does_says_nothing_of_a_cluster(config: ExtractConfig, home: Path) -> None:
    record([RAW], home)
    spread = config.model_copy(update={"engine": "ray"})
    assert estimate(config, home).minutes_source == "bench"
    assert (estimate(spread, home).minutes, estimate(spread, home).minutes_source) == (None, "unknown")
