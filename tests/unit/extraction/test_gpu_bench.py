"""The bench for a GPU runs in small without one, and what it says of halved batches, resumed runs and precision holds."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from engine.paths import PROJECT
from tests.bench import wheels
from tests.bench.gpu import measured
from tests.bench.wheels import install


def needs(name: str, known: set[str]) -> set[str]:
    """A distribution and all that it requires, added to those known."""
    if name not in known:
        known.add(name)
        with contextlib.suppress(metadata.PackageNotFoundError):  # for another system or Python
            for line in metadata.requires(name) or []:
                if "extra ==" not in line:
                    needs(re.split(r"[^A-Za-z0-9._-]", line)[0].lower().replace("_", "-"), known)
    return known


@pytest.fixture(scope="module")
def bare_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of libraries with nothing but the wheels, torch and what torch needs."""
    folder = tmp_path_factory.mktemp("bare")
    for name in needs("torch", needs("torchvision", set(wheels.NEEDED))):
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        for top in {
            file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")
        }:
            link = folder / top
            if not link.exists():
                link.symlink_to(Path(str(found.locate_file(top))))
    return folder


def run(library: Path) -> dict[str, Any]:
    command = [sys.executable, "-S", "tests/bench/gpu.py", "--tiles", "8"]
    home = os.environ | {"PYTHONPATH": str(library)}
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, env=home)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return found


def test_the_bench_in_small_needs_only_the_wheels_and_says_what_a_card_would_be_asked(
    bare_library: Path,
) -> None:
    found = run(bare_library)
    assert found["left_out"] == []
    assert found["prithvi_eo_v2_tiny_tl"]["ratio"] > 0
    assert found["out_of_memory"]["is_halved"]
    assert found["out_of_memory"]["difference"] < 0.05
    assert all(one["bfloat16"]["is_within"] for one in found["agreement"].values())
    assert found["kill_and_resume"]["are_rows_equal"]
    assert found["training"]["epochs_per_s"] > 0


def test_what_the_limit_leaves_no_time_for_is_named(tmp_path: Path) -> None:
    left_out = measured(tmp_path, limit_s=0, tiles=1)["left_out"]
    assert {"out_of_memory", "agreement", "kill_and_resume", "training"} <= set(left_out)


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(None, tmp_path)  # nothing is missing here
    monkeypatch.setitem(wheels.NEEDED, "not-there", "not_there.at_all")
    with pytest.raises(SystemExit, match=r"libraries are missing: not-there\. Give their wheels"):
        install(None, tmp_path)


def test_what_is_missing_comes_from_the_wheels_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    carried, facts = tmp_path / "wheels", "not_there-1.0.dist-info"
    carried.mkdir()
    with zipfile.ZipFile(carried / "not_there-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("not_there.py", "HERE = True")
        wheel.writestr(f"{facts}/METADATA", "Metadata-Version: 2.1\nName: not-there\nVersion: 1.0\n")
        wheel.writestr(f"{facts}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{facts}/RECORD", "")
    monkeypatch.setitem(wheels.NEEDED, "not-there", "not_there")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PYTHONPATH", "")
    install(carried, tmp_path / "libraries")
    assert sys.path[0] == str(tmp_path / "libraries")
    assert (tmp_path / "libraries/not_there.py").is_file()
