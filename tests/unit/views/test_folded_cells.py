"""A layer that is finer than the rows of its store is said to be, where it is asked for and where it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.extraction.plan import make_plan
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.views.folded_cells import cells_along_side, folded_words
from tests.unit.store.stores import meta_of

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("layers", "said"), [([0, 2, 3], "0 (2 px), 2 (8 px)"), ([1], ""), ([-1, -2], "3 (16 px)"), (None, "")]
)
def test_a_plan_says_which_layers_it_makes_coarser(
    layers: list[int] | None, said: str, tmp_path: Path
) -> None:
    config = parse_config({
        "kind": "extract", "scene": {"source": "file", "path": str(ROOT / "assets/samples/fire_scar.tif")},
        "backbone": {"name": "csmask_b4_l2a", "layers": layers},
    })  # fmt: skip
    assert isinstance(config, ExtractConfig)
    notes = [note for note in make_plan(config, tmp_path).notes if "in full resolution" in note]
    assert bool(notes) == bool(said) and all(said in note for note in notes)


def test_a_picture_of_a_finer_layer_says_that_it_is_coarser() -> None:
    meta = meta_of((64 * 24, 32), backbone="csmask_b4_l2a", patch_px=16)
    assert cells_along_side(meta, 0) == 8 and "patches of 2 px" in folded_words(meta, 0)
    assert cells_along_side(meta_of((5,), backbone="of another program"), 0) == 1
    assert folded_words(meta_of((448,), backbone="csmask_b4_l2a", patch_px=2), 0) == ""
