"""What works on a store works on one of published embeddings: training and its map; and a file is looked at before one is made."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from scipy.ndimage import gaussian_filter

from engine.__main__ import main
from tests.unit.store.products.made import alphaearth, unit_vectors, write_tiff


def burnt_and_green(h: int, w: int) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, 64) embeddings of length 1 about one of two directions, and (h, w) which one."""
    drawn = np.random.default_rng(2)
    burnt = (gaussian_filter(drawn.normal(size=(h, w)), 5) > 0).astype(np.uint8)
    seen = unit_vectors(1, 2)[0][burnt] + drawn.normal(scale=0.05, size=(h, w, 64))
    return (seen / np.linalg.norm(seen, axis=-1, keepdims=True)).astype(np.float32), burnt


def test_a_decoder_learns_on_alphaearth_in_place_and_maps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBERSCOPE_HOME", str(tmp_path / "home"))
    vectors, burnt = burnt_and_green(70, 200)
    path = alphaearth(tmp_path / "annual/2023/18N/x.tiff", vectors)
    labels = write_tiff(tmp_path / "labels.tif", burnt[..., None])
    assert main(["import", str(path), "--in-place", "--out", str(tmp_path / "run")]) == 0
    (tmp_path / "train.yaml").write_text(
        f"kind: train\nstore: {tmp_path}/run\nlabels: {{source: raster, path: {labels}}}\nsplit: {{by: block, block_m: 640}}\n"
        "head: {name: linear}\nepochs: 3\nlearning_rate: 0.05\nbaselines: []\ndevice: cpu\n"
    )
    assert main(["train", str(tmp_path / "train.yaml"), "--out", str(tmp_path / "trained")]) == 0
    assert (
        main(["predict", str(tmp_path / "trained"), str(tmp_path / "run"), "--out", str(tmp_path / "m.tif")])
        == 0
    )
    with rasterio.open(tmp_path / "m.tif") as found:
        assert (found.read(1) == burnt).mean() > 0.99
        assert found.crs.to_epsg() == 32618 and found.bounds == (400_000, 4_099_300, 402_000, 4_100_000)


def test_a_look_says_what_a_file_is_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = alphaearth(tmp_path / "annual/2023/18N/x.tiff", burnt_and_green(40, 40)[0])
    before = sorted(tmp_path.rglob("*"))
    assert main(["import", str(path), "--look", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["model"], told["year"], told["is_unit_length"]) == ("alphaearth_v1", 2023, True)
    assert main(["import", str(path), "--look"]) == 0
    assert "Attribution: The AlphaEarth Foundations" in capsys.readouterr().out
    assert sorted(tmp_path.rglob("*")) == before
