"""Everything that a decoder of burn scars is compared with, on chips of two dates: the same pixels, paired by place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from engine.errors import JobError
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import TrainConfig, parse_config
from engine.labels.sidecar import open_labels, read_labels
from engine.learning.baselines.encoders import kind_of, untaught
from engine.learning.baselines.nbr import DnbrThreshold
from engine.learning.evaluate import evaluate
from engine.learning.judging.judgement import JUDGEMENT, Judgement
from engine.learning.judging.place_counts import on_same_places
from engine.learning.judging.untaught import beside
from engine.learning.keeping.result import TrainRun
from engine.learning.metrics import Confusion
from engine.learning.report.page import report_html
from engine.learning.tasks.table import BURN_SCARS
from engine.learning.train import train
from engine.learning.truth import indices_of, labelled_tiles
from engine.store.store import EmbeddingStore

DAYS = {"pre": "2020-05-01", "data": "2020-09-01"}


@pytest.fixture
def run(home: Path, write_chips: Callable[..., Path]) -> TrainRun:
    """A training on chips before and after the fires: green ground and water before."""
    folder = write_chips("home/data/simulated-0")
    (folder / "pre").mkdir()
    for path in folder.glob("data/*_merged.tif"):
        with rasterio.open(path) as dataset:
            after, profile, names = dataset.read(), dataset.profile, dataset.descriptions
        before = np.where(
            after[3:4] > 0.05, np.array([0.03, 0.06, 0.04, 0.35, 0.2, 0.1])[:, None, None], after
        )
        for part, pixels in (("pre", before.astype(np.float32)), ("data", after)):
            with rasterio.open(folder / part / path.name, "w", **profile) as out:
                out.write(pixels)
                out.descriptions = names
                out.update_tags(EMBERSCOPE_DATETIME=DAYS[part])
    config = parse_config({
        "kind": "train", "device": "cpu", "epochs": 4, "head": {"name": "linear"},
        "store": {
            "kind": "extract", "scene": {"source": "simulated", "date": "both"}, "device": "cpu", "backbone": {"name": "raw"},
        },
    })  # fmt: skip
    assert isinstance(config, TrainConfig)
    run_folder.create(home / "run", config)
    list(train(config, home / "run", home))
    return TrainRun.open(home / "run")


def test_with_two_dates_every_baseline_is_scored_on_the_pixels_of_the_decoder(run: TrainRun) -> None:
    scores = run.scores
    rows = {row["key"]: row for row in scores["methods"]}
    assert next(iter(rows)) == "decoder"
    assert {"nbr", "dnbr", "forest"} < set(rows)
    assert rows["decoder"]["iou_burned"] == scores["iou_burned"]
    assert rows["dnbr"]["iou_burned"] > 0.95  # water is dark on both dates
    assert rows["dnbr"]["iou_burned"] > rows["nbr"]["iou_burned"] + 0.05
    assert rows["forest"]["iou_burned"] > rows["nbr"]["iou_burned"] + 0.05
    for row in rows.values():
        low, high = row["iou_burned_interval"]
        assert low <= row["iou_burned"] <= high
        assert row["places"] == 3
        assert ("gain" in row) == (row["key"] in ("nbr", "dnbr", "forest"))
    for key in ("nbr", "dnbr", "forest"):
        expected = scores["iou_burned"] - rows[key]["iou_burned"]
        assert rows[key]["gain"] == pytest.approx(expected)
    judgement = Judgement.read(run.folder)
    assert judgement is not None
    pixels = {one.key: one.counts.counts.sum() for one in judgement.methods}
    assert set(pixels.values()) == {scores["pixels"]}
    _untaught_encoders_are_paired_with_it(run, judgement)
    _everything_comes_out_again(run, scores, judgement)
    _dnbr_is_that_of_the_files(run)


def _untaught_encoders_are_paired_with_it(run: TrainRun, judgement: Judgement) -> None:
    """The same training on random convolutional features is found, and has the same test places."""
    config = untaught(run, "rcf")
    assert config.model_dump(exclude={"store", "layers", "baselines"}) == run.config.model_dump(
        exclude={"store", "layers", "baselines"}
    )
    folder = run.folder.parent / "rcf"
    run_folder.create(folder, config)
    list(train(config, folder, run.folder.parent))
    other = TrainRun.open(folder)
    assert kind_of(run, other) == "rcf"
    assert kind_of(run, run) is kind_of(other, run) is None
    found = Judgement.read(folder)
    assert found is not None
    names, _ = on_same_places([judgement.methods[0].counts, found.methods[0].counts])
    assert names == judgement.methods[0].counts.names
    assert list(beside(run)) == ["rcf"]
    assert beside(other) == {}
    assert "andom convolutional features" in report_html(run)


def _everything_comes_out_again(run: TrainRun, scores: dict[str, object], judgement: Judgement) -> None:
    raw = (run.folder / run.decoder.fitted_baselines["forest"]["raw_store"]).resolve()
    (kept,) = (raw.parent / "baselines").glob(
        "*.json"
    )  # of this split and these labels, also for the run on rcf
    counts = next(one.counts.counts for one in judgement.methods if one.key == "forest")
    assert json.loads(kept.read_text()) == counts.tolist()
    kept.write_text("damaged")
    written = (run.folder / JUDGEMENT).read_text()
    (run.folder / JUDGEMENT).unlink()
    assert Judgement.read(run.folder) is None
    assert evaluate(run.folder) == scores
    assert (run.folder / JUDGEMENT).read_text() == written
    assert json.loads(json.dumps(judgement.to_json())) == json.loads(written)
    assert judgement.severity.startswith("dNBR of the scenes' two dates")
    severity = [one for one in judgement.strata if one.kind == "severity"]
    assert sum(one.pixels for one in severity) == scores["pixels_burned"]
    sizes = [one for one in judgement.strata if one.kind == "size"]
    assert sum(one.scars for one in sizes) == 3
    hectares = sum(place.sought_ha or 0 for place in judgement.places)
    assert hectares == pytest.approx(0.09 * scores["pixels_burned"])
    for place in judgement.places:
        west, south, east, north = place.bounds_lonlat
        assert -130 < west < east < -110
        assert 30 < south < north < 50
    (run.folder / JUDGEMENT).write_text('{"version": 2}')
    with pytest.raises(JobError, match="damaged"):
        Judgement.read(run.folder)


def _dnbr_is_that_of_the_files(run: TrainRun) -> None:
    store = EmbeddingStore.open(run.store_folder)
    labels = read_labels(open_labels((run.folder / run.decoder.labels).resolve()), store)
    fitted = run.decoder.fitted_baselines["dnbr"]
    raw = EmbeddingStore.open((run.folder / fitted["raw_store"]).resolve())
    (one,) = tiles = labelled_tiles(store, labels, indices_of(store, ["chip7"]))
    season = run.folder.parent / "data" / "simulated-0"
    ratios = []
    for part in DAYS:
        with rasterio.open(season / part / "chip7_merged.tif") as dataset:
            nir, swir = dataset.read([4, 6])
        ratios.append((nir - swir) / (nir + swir))
    expected = Confusion.of(one.pixels, ratios[0] - ratios[1] >= fitted["threshold"]).counts
    assert DnbrThreshold(BURN_SCARS).counts(raw, tiles, fitted, list)[0].tolist() == expected.ravel().tolist()
