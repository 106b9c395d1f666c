"""Label rasters that belong to chips by their names."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import LabelError
from engine.jobs.configuration.config import LabelsConfig, TrainConfig, config_hash
from engine.labels.label_files import files_by_stem, joined, label_files_of, stem_of
from tests.unit.labels.test_labels import tile_at


def named(*names: str) -> dict[str, Path]:
    return {name: Path(f"{name}.mask.tif") for name in names}


@pytest.mark.parametrize(
    ("chip", "label"),
    [
        ("x", "x"), ("x_merged", "x"), ("x.v1.4_merged", "x.v1.4"), ("x1", None), ("xy_merged", None), ("x_1_merged", "x_1"),
        ("x_12", "x"), ("", None),
    ],
)  # fmt: skip
def test_a_chip_has_the_label_of_its_name_or_of_the_longest_name_that_it_begins_with(
    chip: str, label: str | None
) -> None:
    found = joined(chip, named("x", "x_1", "x.v1.4"))
    assert (found and stem_of(found.name, "*.mask.tif")) == label


def test_folders_that_hold_no_labels_or_two_of_one_name_and_chips_without_one_are_refused(
    tmp_path: Path,
) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "t0.mask.tif").touch()
    one, two = tmp_path / "one", tmp_path / "two"
    assert label_files_of([tile_at(0)], [one], "*.mask.tif") == [one / "t0.mask.tif"]
    with pytest.raises(LabelError, match="have one name"):
        files_by_stem([one, two], "*.mask.tif")
    with pytest.raises(LabelError, match=r"1 of 2 chips have no label named like them \(t1\)"):
        label_files_of([tile_at(0), tile_at(1)], [one], "*.mask.tif")
    with pytest.raises(LabelError, match="is no folder"):
        files_by_stem([tmp_path / "three"], "*.mask.tif")
    with pytest.raises(LabelError, match=r"fits \*\.label\.tif"):
        files_by_stem([one], "*.label.tif")


def test_folders_go_with_their_source_and_leave_the_hash_of_other_trainings_alone() -> None:
    with pytest.raises(ValueError, match="folders goes with source: files"):
        LabelsConfig(source="files")
    with pytest.raises(ValueError, match="folders goes with source: files"):
        LabelsConfig(folders=("x",))
    plain = TrainConfig(store="x")
    files = plain.model_copy(update={"labels": LabelsConfig(source="files", folders=("x",))})
    assert config_hash(plain) != config_hash(files)
    assert config_hash(plain) == config_hash(
        plain.model_copy(update={"labels": LabelsConfig(pattern="*.mask.tif")})
    )
