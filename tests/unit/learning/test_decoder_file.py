"""A decoder is one file: it opens on another machine, maps what fits it, and refuses what it was not trained on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from engine.errors import BadInput, StoreError
from engine.jobs.configuration.config import TrainConfig
from engine.jobs.job import Job
from engine.learning.keeping.decoder_file import open_decoder
from engine.learning.keeping.result import POSITIONS, TrainRun
from engine.learning.maps.predict import predict_tiles
from engine.learning.train import train
from engine.store.store import EmbeddingStore
from tests.unit.learning.conftest import ConfigOf, WriteChips


@pytest.fixture
def trained(train_config: TrainConfig, home: Path) -> TrainRun:
    list(train(train_config.model_copy(update={"epochs": 2, "position": "remove"}), home / "run", home))
    return TrainRun.open(home / "run")


def test_a_file_alone_is_the_same_decoder_on_another_machine(
    trained: TrainRun, tmp_path: Path, write_chips: WriteChips, config_of: ConfigOf
) -> None:
    kept, held = load_file(trained.folder / POSITIONS), load_file(trained.weights)
    assert {f"positions.{name}" for name in kept} == {name for name in held if name.startswith("positions.")}
    alone = tmp_path / "carried" / "decoder.safetensors"
    alone.parent.mkdir()
    alone.write_bytes(trained.weights.read_bytes())
    there = tmp_path / "there"
    there.mkdir()
    opened = open_decoder(alone, there)
    store = EmbeddingStore.open(trained.store_folder)
    for (_, own), (_, other) in zip(predict_tiles(trained, store), predict_tiles(opened, store), strict=True):
        np.testing.assert_array_equal(own, other)
    assert opened.is_finished
    assert opened.scores == trained.scores
    assert (opened.decoder.backbone, opened.decoder.weights_sha256) == ("raw", trained.decoder.weights_sha256)
    assert Job.open(opened.folder).state == "finished"
    assert str(tmp_path / "home") not in (opened.folder / "decoder.json").read_text()
    other = config_of(write_chips("other"), patch_px=8)
    list(train(other.model_copy(update={"epochs": 1}), there / "other", there))
    with pytest.raises(StoreError, match="patch 4 px in training and 8 px here"):
        next(predict_tiles(opened, EmbeddingStore.open(TrainRun.open(there / "other").store_folder)))


def test_the_fields_of_stac_are_as_its_schema_wants_them(trained: TrainRun) -> None:
    with safe_open(trained.weights, "np") as file:
        fields = json.loads(file.metadata()["card"])["stac_mlm"]
    # Of https://github.com/stac-extensions/mlm/blob/main/json-schema/schema.json, version 1.3.
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9_.\-\s]+[a-zA-Z0-9]", fields["mlm:name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+(\+[0-9a-zA-Z.-]+)?", fields["mlm:framework_version"])
    assert fields["mlm:framework"] == "PyTorch"
    assert all(re.fullmatch(r"[0-9a-zA-Z_.-]+", key) for key in fields["mlm:hyperparameters"])
    for told, kind in (("mlm:input", "input"), ("mlm:output", "result")):
        for one in fields[told]:
            assert {"shape", "dim_order", "data_type"} <= one[kind].keys()
            assert len(one[kind]["shape"]) == len(one[kind]["dim_order"])
    assert {band["name"] for band in fields["bands"]} >= set(fields["mlm:input"][0]["bands"])
    assert fields["mlm:total_parameters"] > 0


def test_what_is_no_decoder_or_lacks_its_means_is_refused_and_leaves_nothing(
    trained: TrainRun, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    there.mkdir()
    tensors = load_file(trained.weights)
    with safe_open(trained.weights, "np") as file:
        header = file.metadata()
    own = {name: value for name, value in tensors.items() if not name.startswith("positions.")}
    card = json.loads(header["card"])
    strange = {**card, "emberscope": {**card["emberscope"], "backbone": "../../etc"}}
    for name, content, said in (
        ("no-card", {}, "carries no card"),
        ("no-means", header, "means that were taken off"),
        ("strange", {"card": json.dumps(strange)}, "cannot be read"),
        ("broken", {"card": "{"}, "cannot be read"),
    ):
        save_file(own, tmp_path / f"{name}.safetensors", content)
        with pytest.raises(BadInput, match=said):
            open_decoder(tmp_path / f"{name}.safetensors", there)
    (tmp_path / "text.safetensors").write_text("no tensors")
    with pytest.raises(BadInput, match="no file of safetensors"):
        open_decoder(tmp_path / "text.safetensors", there)
    assert list(there.iterdir()) == []
