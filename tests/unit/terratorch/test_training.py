"""TerraTorch's downstream file, as it is: on our export, on its own files, and on our store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml

from engine.__main__ import main
from engine.errors import BadInput, ConfigError
from engine.extraction.embedding_files.chips import chips_of
from engine.extraction.embedding_files.taking import take, taken_folder
from engine.extraction.extract import extract
from engine.jobs.configuration.config import EmbeddingFilesConfig, parse_config
from engine.learning.keeping.result import TrainRun
from engine.learning.maps.predict import predict_tiles
from engine.store.check import check_store
from engine.store.store import EmbeddingStore
from engine.terratorch.training import translate_training
from engine.views.export.forms import export
from tests.burn_scars_layout import SPLITS, STEMS, write_layout
from tests.unit.terratorch.downstream_files import downstream


class Place:
    """Chips in the layout of HLS Burn Scars, a store of their raw patches, and its export."""

    def __init__(self, folder: Path) -> None:
        self.chips = write_layout(folder / "hls_burn_scars")
        config = parse_config({
            "kind": "extract", "scene": {"source": "chips", "path": str(self.chips)}, "device": "cpu",
            "backbone": {"name": "raw"}, "output": {"dtype": "float32"},
        })  # fmt: skip
        list(extract(config, folder / "run", folder))  # type: ignore[arg-type]
        self.store = EmbeddingStore.open(folder / "run")
        export(self.store, None, folder / "exported", "terratorch")
        self.exported = folder / "exported"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("terratorch"))


def taken(tree: dict[str, Any], root: Path) -> EmbeddingStore:
    config = translate_training(tree, "file.yaml").config.store
    assert isinstance(config, EmbeddingFilesConfig)
    list(take(config, root))
    return EmbeddingStore.open(taken_folder(chips_of(config), root))


def as_terratorch_writes(place: Place, folder: Path) -> Path:
    """The same embeddings as TerraTorch's own task leaves them: of the image's name, without CRS, bounds or nodata."""
    folder.mkdir(parents=True)
    for path in (place.exported / "layer_00").glob("*.tif"):
        with rasterio.open(path) as there:
            values = there.read()
        stem = path.name.removesuffix("_embedding.tif")
        with rasterio.open(folder / f"{stem}_merged_embedding.tif", "w", driver="GTiff", count=len(values),
                           height=values.shape[1], width=values.shape[2], dtype="float32") as out:  # fmt: skip
            out.write(values)
    return folder


def test_every_key_is_said_and_becomes_a_setting(place: Place) -> None:
    found = translate_training(downstream(place.chips, place.exported / "layer_00"), "file.yaml")
    config = found.config
    assert (config.head.name, config.head.hidden, config.head.dropout) == ("conv", (16,), 0.1)
    assert (config.optimizer, config.learning_rate, config.weight_decay) == ("adamw", 0.01, 0.05)
    assert (config.epochs, config.patience, config.seed, config.schedule) == (4, 2, 3, "plateau")
    assert (config.loss.name, config.augment, config.batch_patches) == ("cross_entropy", "flips", 2 * 8 * 8)
    assert config.task == "burn_scars"
    tree = downstream(place.chips, place.exported / "layer_00")
    leaves = {f"data.init_args.{key}" for key in tree["data"]["init_args"]}
    assert leaves <= {line.key for line in found.lines}
    assert not found.warnings


def test_our_export_read_back_gives_the_same_training_data(place: Place, tmp_path: Path) -> None:
    read = taken(downstream(place.chips, place.exported / "layer_00"), tmp_path)
    assert read.meta.backbone == "raw"
    assert (read.meta.weights_sha256, read.meta.bands) == (
        place.store.meta.weights_sha256,
        place.store.meta.bands,
    )
    by_id = {tile.id: tile for tile in place.store.tiles}
    assert {tile.split: [one.id for one in read.tiles if one.split == tile.split] for tile in read.tiles} == {
        name: list(stems) for name, stems in SPLITS.items()
    }
    for tile in read.tiles:
        assert (tile.transform, tile.h, tile.width_px) == (
            by_id[tile.id].transform, by_id[tile.id].h, by_id[tile.id].width_px
        )  # fmt: skip
        np.testing.assert_array_equal(read.read_tile(tile.id), place.store.read_tile(tile.id))


@pytest.fixture(scope="module")
def scores() -> dict[str, Any]:
    """Scores on the test chips by the form of the embeddings."""
    return {}


@pytest.mark.parametrize("form", ["exported", "terratorch", "store"])
def test_a_file_trains_as_it_is_on_every_form_of_the_same_embeddings(
    form: str,
    place: Place,
    scores: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EMBERSCOPE_HOME", str(tmp_path / "home"))
    embeddings = {
        "exported": place.exported / "layer_00",
        "store": place.store.folder,
        "terratorch": tmp_path / "made" / "layer_00",
    }[form]
    if form == "terratorch":
        as_terratorch_writes(place, embeddings)
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(downstream(place.chips, embeddings)))
    assert main(["train", str(file), "--out", str(tmp_path / "run"), "--json"]) == 0
    said = capsys.readouterr()
    assert "FCNDecoder" in said.out + said.err
    run = TrainRun.open(tmp_path / "run")
    assert list(check_store(run.store_folder)) == []
    assert run.scores["iou_burned"] > 0.6
    assert run.scores["tiles"] == len(SPLITS["test"])
    assert run.scores["baseline"]["name"] == "NBR threshold"
    assert scores.setdefault("first", run.scores) == run.scores
    if form == "terratorch":
        assert run.decoder.backbone == "unknown"
        return
    assert len(list(predict_tiles(run, place.store))) == len(STEMS)


def test_without_a_test_split_every_second_validation_chip_tests(place: Place, tmp_path: Path) -> None:
    tree = downstream(
        place.chips, place.exported / "layer_00", {"test_split": str(place.chips / "splits" / "val.txt")}
    )
    (warning,) = translate_training(tree, "file.yaml").warnings
    assert "Every second" in warning
    splits = {tile.id: tile.split for tile in taken(tree, tmp_path).tiles}
    assert [splits[stem] for stem in SPLITS["val"]] == ["val", "test"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model_args": {"decoder": "UperNetDecoder"}}, "UperNetDecoder"),
        ({"model_args": {"backbone": "prithvi_eo_v2_300"}}, "IdentityBackbone"),
        ({"model_args": {"necks": [{"name": "SelectIndices", "indices": [2]}]}}, "SelectIndices"),
        ({"model_args": {"backbone_out_channels": 768}}, "96 dimensions"),
        ({"model_args": {"decoder_chanels": 3}}, "decoder_chanels"),
        ({"loss": "hinge"}, "hinge"),
        ({"freeze_decoder": True}, "freeze_decoder"),
        ({"class_weights": [1, 2, 3]}, "class_weights"),
        ({"data": {"train_transform": [{"class_path": "albumentations.RandomCrop"}]}}, "RandomCrop"),
        ({"data": {"train_data_root": "none"}}, "train_data_root"),
        ({"data": {"img_grep": "../*.tif"}}, "img_grep"),
        ({"data": {"reduce_zero_label": True}}, "reduce_zero_label"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(changes: dict[str, Any], said: str, place: Place) -> None:
    data = changes.pop("data", None)
    with pytest.raises(ConfigError, match=said):
        translate_training(downstream(place.chips, place.exported / "layer_00", data, **changes), "file.yaml")


def test_a_checkpoint_is_refused_and_none_is_passed_over(place: Place) -> None:
    tree = downstream(place.chips, place.exported / "layer_00")
    assert translate_training(tree | {"ckpt_path": None}, "file.yaml")
    with pytest.raises(ConfigError, match="ckpt_path"):
        translate_training(tree | {"ckpt_path": "best.ckpt"}, "file.yaml")


def test_other_losses_and_classes_are_honoured(place: Place) -> None:
    names = ["water", "field", "forest"]
    tree = downstream(
        place.chips, place.exported / "layer_00", {"num_classes": 3}, loss={"ce": 1, "dice": 0.5}, class_names=names,
        model_args={"decoder": "MLPDecoder", "num_classes": 3}, class_weights=[1, 2, 3], ignore_index=9,
    )  # fmt: skip
    config = translate_training(tree, "file.yaml").config
    assert config.loss.summed == {"cross_entropy": 1, "dice": 0.5}
    assert not isinstance(config.task, str)
    assert [(one.name, one.weight) for one in config.task.classes] == list(zip(names, (1, 2, 3), strict=True))  # type: ignore[union-attr]
    assert config.task.missing == (9,)
    assert (config.head.name, config.augment) == ("mlp", "none")


def test_a_name_in_a_split_file_that_no_chip_has_is_refused(place: Place, tmp_path: Path) -> None:
    split = tmp_path / "train.txt"
    split.write_text("\n".join([*SPLITS["train"], "subsetted_512x512_HLS.S30.T99ZZZ.2020001.v1.4"]))
    with pytest.raises(BadInput, match="T99ZZZ"):
        taken(downstream(place.chips, place.exported / "layer_00", {"train_split": str(split)}), tmp_path)


def test_files_that_do_not_belong_together_are_refused(place: Place, tmp_path: Path) -> None:
    folder = as_terratorch_writes(place, tmp_path / "other")
    odd = next(iter(sorted(folder.glob("*.tif"))))
    for shape, said in (((96, 5, 5), "do not divide"), ((7, 8, 8), "dimensions")):
        with rasterio.open(
            odd, "w", driver="GTiff", count=shape[0], height=shape[1], width=shape[2], dtype="float32"
        ) as out:
            out.write(np.zeros(shape, np.float32))
        with pytest.raises(BadInput, match=said):
            taken(downstream(place.chips, folder), tmp_path)
    odd.write_bytes(b"no raster")
    with pytest.raises(BadInput, match="cannot be opened"):
        taken(downstream(place.chips, folder), tmp_path)
    assert not list(tmp_path.glob("embedding_files-*/store"))
    with pytest.raises(BadInput, match="layer_00"):
        taken(downstream(place.chips, place.exported), tmp_path)


def test_an_export_is_whole_or_not_there(place: Place, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="already holds"):
        export(place.store, None, place.exported, "terratorch")
    summary = json.loads((place.exported / "configuration_summary.json").read_text())
    (layer,) = summary["layers"]
    assert (layer["output_folder_name"], layer["layer_number"]) == ("layer_00", 1)
    assert summary["backbone"] == "raw"
    assert len(list((place.exported / "layer_00").glob("*_embedding.tif"))) == len(STEMS)
    assert [path.name for path in place.exported.parent.iterdir() if path.name.startswith(".exported")] == []
