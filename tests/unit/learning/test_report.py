"""A training on one page: complete, without a link, and with nothing of a person's text taken for HTML."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.errors import JobError
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import TrainConfig
from engine.jobs.event_log import append_event
from engine.learning.judging.comparison import titled
from engine.learning.keeping.result import TrainRun
from engine.learning.report.page import write_report
from engine.learning.report.pictures import most_of_the_class
from engine.learning.train import train
from engine.views.maps.filled_blocks import trimmed


def test_a_report_holds_scores_baseline_caveats_pictures_and_yaml_and_asks_for_nothing(
    train_config: TrainConfig, home: Path, tmp_path: Path
) -> None:
    folder = home / "a <script>run"
    with pytest.raises(JobError, match="run folder"):
        write_report(folder, tmp_path / "none.html")
    run_folder.create(folder, train_config)
    for event in train(train_config, folder, home):
        append_event(folder, event)
    text = write_report(folder, tmp_path / "report.html").read_text(encoding="utf-8")
    scores = TrainRun.open(folder).scores
    assert f"{scores['iou_burned']:.3f}" in text
    assert f"{scores['baseline']['iou_burned']:.3f}" in text
    assert "NBR" in text
    assert "Only 3 test places" in text
    has_interval = any(name.endswith("_interval") and value for name, value in scores.items())
    for words in ("95 % interval", "see the interval", "The interval comes from"):
        assert (words in text) == has_interval, "of an interval only where there is one"
    assert text.count("data:image/png;base64,") == 3
    assert (
        text.count("<polyline") == 4 + 3
    )  # curves of the training; precision and recall, reliability with its diagonal
    for said in (
        "What it beats",
        "Test places, the worst first",
        "Where and how it fails",
        "Area of the scar",
    ):
        assert said in text
    for one in scores["methods"]:
        assert titled(one["name"]) in text
    assert "too few places" not in text
    assert "kind: train" in text
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "http" not in text.replace("http-equiv", "")


def test_the_picture_of_a_report_is_of_one_place_though_two_lie_in_blocks_that_touch(tmp_path: Path) -> None:
    values = np.full((256, 512), 255, np.uint8)
    values[10:90, 20:120], values[150:240, 300:420] = 0, 0
    values[40:60, 40:60], values[160:230, 320:400] = 1, 1
    shape = {"height": 256, "width": 512, "count": 1, "dtype": "uint8", "nodata": 255}
    tiling = {"tiled": True, "blockxsize": 128, "blockysize": 128}
    path = tmp_path / "map.tif"
    with rasterio.open(path, "w", driver="GTiff", crs="EPSG:32610", transform=Affine(30, 0, 5e5, 0, -30, 4e6), **shape, **tiling) as out:  # fmt: skip
        out.write(values, 1)
    with rasterio.open(path) as dataset:
        window = trimmed(dataset, most_of_the_class(dataset, {1}))
    assert (window.row_off, window.col_off, window.height, window.width) == (150, 300, 90, 120)
