"""A configuration is read whole or refused in one line that says which key."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.jobs.configuration.config import ExtractConfig, config_hash, load_config, parse_config, to_yaml

SAMPLE = {
    "kind": "extract",
    "scene": {"source": "file", "path": "a.tif"},
    "backbone": {"name": "raw"},
}


@given(
    st.integers(0, 99),
    st.sampled_from(["float16", "float32"]),
    st.lists(st.integers(-3, 3), min_size=1, max_size=3),
)
def test_yaml_written_reads_back_as_the_same_configuration(seed: int, dtype: str, layers: list[int]) -> None:
    config = parse_config(
        {**SAMPLE, "seed": seed, "output": {"dtype": dtype}, "backbone": {"name": "x", "layers": layers}}
    )
    again = parse_config(yaml.safe_load(to_yaml(config)))
    assert again == config
    assert config_hash(again) == config_hash(config)


def test_the_device_does_not_change_what_is_computed() -> None:
    assert config_hash(parse_config({**SAMPLE, "device": "cpu"})) == config_hash(parse_config(SAMPLE))
    assert config_hash(parse_config({**SAMPLE, "seed": 1})) != config_hash(parse_config(SAMPLE))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"granularty": "patch"}, "granularty.*did you mean 'granularity'"),
        ({"backbone": {"nam": "raw"}}, "nam.*did you mean 'name'"),
        ({"granularity": "tile"}, "pooling"),
        ({"pooling": "mean"}, "pooling"),
        ({"region": {}}, "exactly one"),
        ({"region": {"bounds_lonlat": [1, 2, 3]}}, "bounds_lonlat"),
        ({"output": {"dtype": "float64"}}, "float16"),
        ({"tiles": {"size_px": 64, "overlap_px": 64}}, "less than size_px"),
        ({"tiles": {"stride_px": 8}, "granularity": "tile", "pooling": "mean"}, "stride_px goes with"),
        ({"scene": {"source": "files", "paths": []}}, "paths"),
        ({"scene": {"source": "stars"}}, "stars"),
        ({"device": "tpu; rm -rf /"}, "device"),
        ({"kind": "extrct"}, "apply, leaderboard or dataset"),
    ],
)
def test_a_key_or_value_that_cannot_be_used_is_named_in_one_line(
    change: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        parse_config({**SAMPLE, **change})
    assert "\n" not in str(refused.value) and "{'" not in str(refused.value)


CLASSES = [{"value": 1, "name": "Water"}, {"value": 2, "name": "bare soil"}]


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("burn_scar", "did you mean 'burn_scars'"),
        ("segmentation", "classes: "),
        ("tile_classification", "tile_classification needs its classes"),
        ({"name": "tile_classification"}, "classes"),
        ({"name": "regresion"}, "'regresion'"),
        ({"name": "regression", "shown": [2, 1]}, "lowest, highest"),
        ({"classes": CLASSES[:1]}, "classes"),
        ({"classes": [*CLASSES, {"value": 1, "name": "c"}]}, "two classes have the value 1"),
        ({"classes": [*CLASSES, {"value": 3, "name": "Bare-Soil"}]}, "two classes have the name bare_soil"),
        ({"classes": [*CLASSES, {"value": 255, "name": "c"}]}, "254"),
        (3, "name of a preset"),
    ],
)
def test_a_task_that_cannot_be_trained_is_refused_in_words(task: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_config({"kind": "train", "store": "x", "task": task})


def test_a_training_with_classes_of_its_own_reads_back_and_has_a_hash_of_its_own() -> None:
    config = parse_config(
        {"kind": "train", "store": "x", "task": {"name": "segmentation", "classes": CLASSES}}
    )
    assert parse_config(yaml.safe_load(to_yaml(config))) == config
    plain = {"kind": "train", "store": "x"}
    hashes = {config_hash(parse_config({**plain, **more})) for more in (
        {}, {"split": {"seed": 1}}, {"split": {"buffer_m": 30}}, {"task": config.task.model_dump()},
    )}  # fmt: skip
    assert len(hashes) == 4


def test_the_weight_of_the_burnt_class_is_refused_for_other_classes() -> None:
    with pytest.raises(ConfigError, match=r"burned_weight goes with task: burn_scars"):
        parse_config(
            {"kind": "train", "store": "x", "task": {"classes": CLASSES}, "loss": {"burned_weight": 2}}
        )


@pytest.mark.parametrize(
    ("tree", "before"),
    [
        (SAMPLE, "6054466c8bcd501e"),
        ({**SAMPLE, "scene": {"source": "chips", "path": "a"}, "tiles": {"size_px": 64}}, "6e30deeb13273031"),
        ({"kind": "train", "store": "x"}, "f76a14f9c4dde3a3"),
        (
            {"kind": "train", "store": {**SAMPLE, "scene": {"source": "chips", "path": "a.tif"}}},
            "302a4b8b94ebe4ad",
        ),
    ],
)
def test_keys_that_came_later_leave_the_hash_of_earlier_stores_alone(
    tree: dict[str, object], before: str
) -> None:
    """Hashes of the first version: a store made by it is found, resumed and checked by this one."""
    assert config_hash(parse_config(tree)).startswith(before)
    if tree["kind"] == "extract":
        overlapping = {**tree, "tiles": {"size_px": 64, "overlap_px": 16}}
        assert not config_hash(parse_config(overlapping)).startswith(before)
        assert config_hash(parse_config({**tree, "compile": True})).startswith(before)


def test_overrides_apply_in_order_and_make_branches(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(SAMPLE))
    config = load_config(
        path, ["backbone.name=one", "backbone.name=two", "tiles.size_px=64", "backbone.layers=[0, -1]"]
    )
    assert isinstance(config, ExtractConfig)
    assert (config.backbone.name, config.tiles.size_px, config.backbone.layers) == ("two", 64, (0, -1))


@pytest.mark.parametrize("override", ["seed", "=1", "kind.deep=1", "seed=[", "seed=-1"])
def test_an_override_that_cannot_be_applied_is_refused(tmp_path: Path, override: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(SAMPLE))
    with pytest.raises(ConfigError):
        load_config(path, [override])


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "\x00"])
def test_a_file_that_is_not_keys_and_values_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        load_config(path)
