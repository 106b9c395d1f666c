"""A chosen region is written into a folder, and read from there alike without a network; the command line does all of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from engine.__main__ import main
from engine.extraction.fetching import fetch
from engine.imagery.chip import read_chip
from engine.imagery.grid import Tile
from engine.imagery.sources import StacScene
from engine.jobs.configuration.fetch import FetchConfig
from engine.jobs.events import FetchDone, MeasureStep
from tests.stac.items import BANDS
from tests.stac.world import FIRE, World


def said(capsys: pytest.CaptureFixture[str]) -> object:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_pair_is_searched_written_and_read_without_the_network(
    stac: World,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree = {"source": "stac", "catalogue": "es", "collection": "sentinel-2-l2a", "bounds_lonlat": list(stac.bounds_lonlat),
            "dates": ["2023-07-01", "2023-10-31"], "choose": "pair", "fire_date": FIRE}  # fmt: skip
    config = tmp_path / "scene.yaml"
    config.write_text(yaml.safe_dump({"scene": tree}))
    assert main(["search", str(config), "--json"]) == 0
    found = said(capsys)
    assert isinstance(found, list)
    assert [day["is_taken"] for day in found] == [True, False, True, False]
    assert main(["search", str(config)]) == 0
    assert "* 2023-07-10      2 % cloud  100 % covered  1 item(s)" in capsys.readouterr().err
    out = tmp_path / "kept"
    assert main(["offline", str(config), "--out", str(out), "--json"]) == 0
    written = said(capsys)
    assert isinstance(written, dict)
    assert (written["scenes"], written["rasters"]) == (2, 14)
    online = StacScene.model_validate(tree).find(home)
    there = [read_chip([scene], Tile("all", scene.grid), BANDS) for scene in online]
    monkeypatch.setenv("EMBERSCOPE_CATALOGUES", str(tmp_path / "none"))  # from here on nothing may be asked
    shutil.rmtree(home)
    offline = StacScene.model_validate({**tree, "folder": str(out)}).find(home)
    assert [(one.id, one.grid, one.notes) for one in offline] == [
        (one.id, one.grid, one.notes) for one in online
    ]
    for one, wanted in zip(offline, there, strict=True):
        here = read_chip([one], Tile("all", one.grid), BANDS)
        assert not wanted.valid.all()  # clouds
        assert np.array_equal(here.valid, wanted.valid)
        assert np.abs(here.image - wanted.image).max() < 1e-6


def test_a_job_brings_a_place_here_and_goes_on_from_what_came(stac: World, home: Path) -> None:
    scene = StacScene.model_validate({
        "source": "stac", "catalogue": "es", "collection": "sentinel-2-l2a", "bounds_lonlat": stac.bounds_lonlat,
        "dates": ["2023-07-01", "2023-08-31"], "choose": "all",
    })  # fmt: skip
    job = fetch(FetchConfig(scene=scene), home)
    steps = [next(one for one in job if isinstance(one, MeasureStep)) for _ in range(3)]
    job.close()  # as a cancelled job is
    assert [(one.done, one.total) for one in steps] == [(1, 21), (2, 21), (3, 21)]
    assert scene.here(home) == scene  # a part is no copy
    kept = {path: path.stat().st_mtime_ns for path in scene.offline_folder(home).glob("*.tif")}
    assert len(kept) >= 3
    done = [one for one in fetch(FetchConfig(scene=scene), home) if isinstance(one, FetchDone)]
    assert len(done[0].files) == 21
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    copy = scene.here(home)
    assert copy.folder == str(scene.offline_folder(home))
    assert [one.id for one in copy.find(home)] == [one.id for one in scene.find(home)]


def test_a_fetch_asks_for_weights_or_for_scenes() -> None:
    for said in ({}, {"names": []}):
        with pytest.raises(ValidationError, match="names, dataset, or a scene"):
            FetchConfig.model_validate(said)
