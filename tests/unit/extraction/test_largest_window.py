"""An encoder that learned from small windows is shown such, also where chips are larger, and it is said where it is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.extraction.plan import Plan, make_plan
from engine.jobs.configuration.config import ExtractConfig, parse_config

WriteRaster = Callable[..., Path]


@pytest.fixture
def planned(write_raster: WriteRaster, tmp_path: Path) -> Callable[..., Plan]:
    """The plan of an extraction of one chip."""

    def plan(side_px: int, size_px: int | None = None, patch_px: str = "4") -> Plan:
        (tmp_path / "chips").mkdir(exist_ok=True)
        pixels = np.random.default_rng(0).integers(100, 4000, (6, side_px, side_px)).astype(np.int16)
        write_raster("chips/a_merged.tif", pixels)
        config = parse_config({
            "kind": "extract", "scene": {"source": "chips", "path": str(tmp_path / "chips"), "images": "*.tif"},
            "backbone": {"name": "galileo_nano", "weights": "random", "settings": {"patch_px": patch_px}},
            "tiles": {"size_px": size_px},
        })  # fmt: skip
        assert isinstance(config, ExtractConfig)
        return make_plan(config, tmp_path)

    return plan


@pytest.mark.parametrize(("side_px", "patch_px", "window_px"), [
    (64, "4", 64), (96, "4", 32), (128, "8", 128), (224, "8", 64), (24, "2", 24),
])  # fmt: skip
def test_a_chip_is_seen_whole_up_to_the_largest_window_and_cut_beyond(
    side_px: int, patch_px: str, window_px: int, planned: Callable[..., Plan]
) -> None:
    plan = planned(side_px, patch_px=patch_px)
    assert {item.window.height for item in plan.tiles} == {window_px}
    assert plan.patches == (side_px // int(patch_px)) ** 2
    assert not any("learned from smaller ones" in note for note in plan.notes)


def test_larger_windows_are_made_where_they_are_asked_for_and_told(planned: Callable[..., Plan]) -> None:
    plan = planned(224, size_px=224)
    assert {item.window.height for item in plan.tiles} == {224}
    assert any("windows of 224 px" in note and "tiles.size_px to 32" in note for note in plan.notes)
