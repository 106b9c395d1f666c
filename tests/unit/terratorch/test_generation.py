"""TerraTorch's generation files become extractions: no key unread, nothing refused in silence."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from engine.__main__ import main
from engine.backbones.cards import CARDS
from engine.errors import ConfigError
from engine.jobs.configuration.config import ExtractConfig, load_config
from engine.store.store import EmbeddingStore
from engine.terratorch.generation import is_terratorch, translate
from engine.terratorch.report import in_lines
from tests.unit.terratorch.files import SIX, older, present

WriteRaster = Callable[..., Path]


def leaves(tree: dict[str, Any], above: str = "") -> Iterator[str]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def test_a_present_file_becomes_the_extraction_that_it_describes() -> None:
    found = translate(present(), "file.yaml")
    config = found.config
    assert config.backbone.name == "prithvi_eo_v2_tiny_tl"
    assert config.backbone.weights == "random"
    assert config.backbone.layers == (3, -1)
    assert config.backbone.temporal == "difference"
    assert config.scene.model_dump(exclude_none=True) == {
        "source": "chips", "path": "chips", "bands": tuple(name.lower() for name in SIX)
    }  # fmt: skip
    assert (config.granularity, config.pooling) == ("patch", None)
    assert (config.seed, config.device, config.batch_size) == (7, "cpu", 4)
    assert found.out == Path("out")


def test_the_older_keys_of_the_same_wish_become_the_same_extraction() -> None:
    assert translate(older(), "file.yaml").config == translate(present(), "file.yaml").config


@pytest.mark.parametrize("make", [present, older])
def test_every_key_of_a_file_has_a_line_that_says_how_it_was_read(make: Callable[[], dict[str, Any]]) -> None:
    tree = make()
    said = [line.key for line in translate(tree, "file.yaml").lines]
    assert set(leaves(tree)) <= set(said)
    order = [said.index(key) for key in leaves(tree)]
    assert order == sorted(order)


def test_an_emberscope_file_is_not_taken_for_one_of_terratorch() -> None:
    assert is_terratorch(present())
    assert not is_terratorch(translate(present(), "file.yaml").config.model_dump())


@pytest.mark.parametrize(
    ("pooling", "become"),
    [("mean", "mean"), ("max", "max"), ("cls", "cls"), ("vit_mean", "mean"), ("vit_cls", "cls")],
)
def test_a_pooling_makes_one_row_a_tile(pooling: str, become: str) -> None:
    config = translate(present(embedding_pooling=pooling), "file.yaml").config
    assert (config.granularity, config.pooling) == ("tile", become)


@pytest.mark.parametrize("nothing", [None, "None", "keep"])
def test_no_pooling_keeps_one_row_a_patch(nothing: str | None) -> None:
    assert translate(present(embedding_pooling=nothing), "file.yaml").config.granularity == "patch"


@pytest.mark.parametrize(("accelerator", "devices", "become"), [
    ("auto", "auto", "auto"), ("cpu", 1, "cpu"), ("gpu", 1, "cuda"), ("gpu", [1], "cuda:1"), ("gpu", "0,", "cuda:0"),
    ("cuda", 4, "cuda"), ("mps", -1, "mps"),
])  # fmt: skip
def test_accelerator_and_devices_become_one_device(accelerator: str, devices: Any, become: str) -> None:
    tree = present()
    tree["trainer"] |= {"accelerator": accelerator, "devices": devices}
    found = translate(tree, "file.yaml")
    assert found.config.device == become
    (line,) = [line for line in found.lines if line.key == "trainer.devices"]
    assert (line.verdict == "not honoured") == (devices == 4)


def test_bands_by_modality_choose_the_modality_and_drop_what_is_left_out() -> None:
    model_args = {"backbone": "terramind_v1_base", "backbone_modalities": ["S2L1C"],
                  "backbone_bands": {"S2L1C": SIX[:3]}}  # fmt: skip
    config = translate(present(model_args=model_args, has_cls=False), "file.yaml").config
    assert config.backbone.settings == {"s2l2a": "ignore", "s2l1c": "use", "bands": "available"}
    assert config.scene.model_dump()["bands"] == ("blue", "green", "red")


def test_bands_of_the_files_that_are_not_passed_on_are_not_read() -> None:
    changes = {"dataset_bands": ["SWIR_2", *SIX[:5]], "output_bands": SIX[:5]}
    tree = present(changes, model_args={"backbone_bands": SIX[:5]})
    config = translate(tree, "file.yaml").config
    assert config.scene.model_dump()["bands"] == (None, *(name.lower() for name in SIX[:5]))
    assert config.backbone.settings == {"bands": "available"}


def test_a_folder_that_is_not_in_the_layout_of_burn_scars_is_read_by_its_pattern() -> None:
    scene = translate(
        present({"predict_data_root": "my/tiles", "img_grep": "*.tif"}), "f"
    ).config.scene.model_dump()
    assert (scene["path"], scene["images"]) == ("my/tiles", "*.tif")


def test_what_cannot_be_honoured_is_refused_by_name_and_all_at_once() -> None:
    tree = present(
        {"predict_data_root": "none", "test_transform": [{"class_path": "albumentations.Resize"}]},
        embedding_pooling="min",
        layers=[40],
        output_format="zarr",
        model_args={"backbone_bands": ["ULTRAVIOLET"], "backbone_temporal_pooling": "median"},
    )
    tree["trainer"]["accelerator"] = "tpu"
    tree["model"]["init_args"]["embeding_pooling"] = "mean"
    with pytest.raises(ConfigError) as refused:
        translate(tree, "mine.yaml")
    words = str(refused.value)
    for culprit in ("predict_data_root", "Resize", "embedding_pooling (min)", "layers ([40])", "zarr", "ultraviolet",
                    "median", "tpu", "embeding_pooling", "did you mean 'embedding_pooling'", "mine.yaml"):  # fmt: skip
        assert culprit in words, culprit
    assert refused.value.exit_code == 2


def test_a_file_for_the_downstream_task_is_refused_by_its_task_alone() -> None:
    tree = present()
    tree["model"] = {"class_path": "terratorch.tasks.SemanticSegmentationTask", "init_args": {"loss": "ce"}}
    with pytest.raises(ConfigError, match="SemanticSegmentationTask") as refused:
        translate(tree, "file.yaml")
    assert "loss" not in str(refused.value)


def test_a_misspelt_backbone_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="prithvi_eo_v2_300"):
        translate(present(model_args={"backbone": "prithvi_eo_v2_30"}), "file.yaml")


def test_a_key_in_both_spellings_is_refused() -> None:
    with pytest.raises(ConfigError, match="keep one"):
        translate(present(model_args={"bands": SIX}), "file.yaml")


def test_other_means_are_warned_of_in_the_files_own_unit_with_numbers_in_any_writing() -> None:
    means = ["3.335e-2", "570120e-7", 0.058897, 0.232325, 0.197285, "1.19449e-1"]
    stds = [0.022691, 0.026808, 0.040041, 0.077917, 0.087087, 0.07242]
    found = translate(present({"means": means, "stds": stds}), "file.yaml")
    (warning,) = found.warnings
    assert "reflectance, 0 to 1" in warning
    assert "blue 0.03335 ± 0.02269 against 0.1087 ± 0.2248" in warning
    assert warning in "\n".join(in_lines(found.lines, found.warnings))


def test_means_in_digital_numbers_tell_the_scale_of_float_rasters() -> None:
    own = CARDS["prithvi_eo_v2_tiny_tl"].normalisation
    found = translate(present({"means": list(own.mean), "stds": list(own.std)}), "file.yaml")
    assert not found.warnings
    assert found.config.scene.model_dump()["scale"] == pytest.approx(1e-4)
    scaled = {
        "means": [m / 1e4 for m in own.mean],
        "stds": [s / 1e4 for s in own.std],
        "constant_scale": "1e-4",
    }
    assert translate(present(scaled), "f").config.scene.model_dump()["scale"] == pytest.approx(1e-4)


@pytest.mark.parametrize(
    "wrong", [{"means": [1, 2]}, {"means": [0.1] * 5, "stds": [0.1] * 6}, {"stds": "none"}]
)
def test_means_that_are_not_one_a_band_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"means|stds"):
        translate(present(wrong), "file.yaml")


@pytest.mark.parametrize("key", ["allow_substring_split_file", "allow_substring_file_names"])
def test_keys_that_say_how_files_are_matched_with_a_split_are_read_over(key: str) -> None:
    found = translate(present({key: True}), "file.yaml")
    (line,) = [line for line in found.lines if line.key.endswith(key)]
    assert line.verdict == "ignored"


@pytest.mark.parametrize("name", ["prithvi_eo_v2_30", "terramind_v2_base", "my_own_encoder"])
def test_a_backbone_that_is_not_known_gives_one_complaint_about_the_backbone(name: str) -> None:
    statistics = {"means": [0.1] * 6, "stds": [0.1] * 6}
    with pytest.raises(ConfigError) as refused:
        translate(present(statistics, model_args={"backbone": name}, layers=[3], has_cls=True), "f")
    assert str(refused.value).count(" is not ") == 1
    assert f"({name}) is not a backbone" in str(refused.value)


@pytest.fixture
def chips(write_raster: WriteRaster, tmp_path: Path) -> Path:
    """Three chips of one patch row each, without band names."""
    for seed in range(3):
        pixels = np.random.default_rng(seed).uniform(0.01, 0.4, (6, 32, 48)).astype(np.float32)
        write_raster(f"chips/place{seed}.tif", pixels, names=None)
    return tmp_path / "chips"


def test_the_command_runs_a_terratorch_file_as_it_is(
    chips: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = present(
        {"predict_data_root": str(chips), "img_grep": "*.tif"},
        output_dir=str(tmp_path / "out"),
        layers=[0],
        model_args={"backbone_temporal_pooling": "mean"},  # the chips have one date
    )
    file = tmp_path / "tt.yaml"
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    assert main(["extract", str(file)]) == 0
    store = EmbeddingStore.open(tmp_path / "out/store")
    assert [tile.id for tile in store.tiles] == ["place0", "place1", "place2"]
    assert store.rows == 3 * 2 * 3
    assert "read as" in capsys.readouterr().err


def test_train_says_where_a_terratorch_file_belongs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tt.yaml"
    file.write_text(yaml.safe_dump(present()), encoding="utf-8")
    assert main(["train", str(file)]) == 2
    assert "`extract`" in capsys.readouterr().err


def test_translate_prints_a_configuration_that_extract_takes(
    chips: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = present({"predict_data_root": str(chips), "img_grep": "*.tif"})
    file, translated = tmp_path / "tt.yaml", tmp_path / "ours.yaml"
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    assert main(["extract", str(file), "--translate", "--set", "output.dtype=float32"]) == 0
    printed = capsys.readouterr()
    translated.write_text(printed.out, encoding="utf-8")
    config = load_config(translated)
    assert isinstance(config, ExtractConfig)
    assert config.output.dtype == "float32"
    assert (
        config.model_copy(update={"output": translate(tree, "f").config.output})
        == translate(tree, "f").config
    )
    assert not list(home.iterdir())
    assert main(["extract", str(translated), "--translate"]) == 2
