"""A raster that labels few of the tiles, as clicked labels do: the split is drawn among them, and that is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.errors import LabelError
from engine.jobs.configuration.config import TrainConfig
from engine.jobs.events import Noticed
from engine.learning.keeping.result import TrainRun
from tests.unit.learning.chips import SIDE
from tests.unit.learning.recorded_run import run, scores_of

WriteChips = Callable[..., Path]
ConfigOf = Callable[..., TrainConfig]


def raster_on(chips: tuple[int, ...], path: Path) -> Path:
    """Both classes on some of the chips, which lie 5,000 m apart, and nothing elsewhere."""
    values = np.full((SIDE, 1400), -1, np.int16)
    for index in chips:
        first = round(index * 5000 / 30)
        values[:8, first : first + 8], values[8:16, first : first + 8] = 0, 1
    with rasterio.open(path, "w", driver="GTiff", count=1, dtype="int16", height=SIDE, width=1400, crs="EPSG:32610",
                       transform=Affine(30, 0, 500_000, 0, -30, 4_500_000)) as out:  # fmt: skip
        out.write(values, 1)
    return path


@pytest.mark.parametrize("by", ["auto", "chip", "place"])
def test_a_split_without_labels_is_drawn_anew_among_the_tiles_that_have_some(
    by: str, write_chips: WriteChips, config_of: ConfigOf, home: Path, tmp_path: Path
) -> None:
    labels = {"source": "raster", "path": str(raster_on((1, 4, 7), tmp_path / "few.tif"))}
    config = config_of(write_chips(masks=False, splits=False), labels=labels, split={"by": by}, epochs=1)
    folder, events = run(config, home)
    said = [
        event.message for event in events if isinstance(event, Noticed) and "drawn among" in event.message
    ]
    assert said
    assert "3 of the 9 tiles" in said[0]
    split = TrainRun.open(folder).decoder.split
    assert sorted(name for own in split.values() for name in own) == ["chip1", "chip4", "chip7"]
    assert all(len(own) == 1 for own in split.values())


def test_what_is_told_of_a_split_is_told_of_the_one_that_was_drawn_anew(
    write_chips: WriteChips, config_of: ConfigOf, home: Path, tmp_path: Path
) -> None:
    labels = {"source": "raster", "path": str(raster_on((1, 4, 7), tmp_path / "few.tif"))}
    split = {
        "by": "chip",
        "buffer_m": 6000,
    }  # the neighbours of a chip lie within it, and those with labels do not
    config = config_of(write_chips(masks=False, splits=False), labels=labels, split=split, epochs=1)
    _, events = run(config, home)
    said = [event.message for event in events if isinstance(event, Noticed)]
    assert any("drawn among" in text for text in said)
    assert not any("buffer_m" in text for text in said), "that was said of the first split"


def test_places_without_labels_are_no_test_and_give_no_interval(
    write_chips: WriteChips, config_of: ConfigOf, home: Path, tmp_path: Path
) -> None:
    labels = {"source": "raster", "path": str(raster_on((0, 4, 6, 7), tmp_path / "few.tif"))}
    _, events = run(
        config_of(write_chips(masks=False), labels=labels, epochs=1), home
    )  # 6, 7 and 8 are the test
    scores = scores_of(events)
    assert scores["tiles"] == 3
    assert scores["places"] == 2
    assert scores["iou_burned_interval"] is None


def test_too_few_labelled_tiles_for_a_split_are_refused_with_what_lacks(
    write_chips: WriteChips, config_of: ConfigOf, home: Path, tmp_path: Path
) -> None:
    labels = {"source": "raster", "path": str(raster_on((1, 4), tmp_path / "few.tif"))}
    config = config_of(write_chips(masks=False, splits=False), labels=labels, epochs=1)
    with pytest.raises(LabelError, match="Label more ground"):
        run(config, home)
