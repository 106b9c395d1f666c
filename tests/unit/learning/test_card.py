"""A decoder is applied to what it was trained on, and to nothing else; what differs is named."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import StoreError
from engine.learning.keeping.card import DecoderCard, encoder_facts
from engine.store.schema import SCHEMA_VERSION, StoredTile, StoreMeta, TileRows
from engine.store.store import ENCODER, EmbeddingStore
from engine.store.writer import StoreWriter

META = StoreMeta(
    schema_version=SCHEMA_VERSION, backbone="raw", weights_sha256="none", layers=(0,), dims=(32,), columns=("embedding",),
    granularity="patch", pooling=None, patch_px=4, gsd_m=30.0, dtype="float32", bands=("red", "nir_narrow"),
    is_simulated=False, source="", config_hash="x", config={"backbone": {"name": "raw", "settings": {}}},
)  # fmt: skip


def store_with(folder: Path, **changes: Any) -> EmbeddingStore:
    meta = dataclasses.replace(META, **changes)
    tile = StoredTile(
        "t", "EPSG:32610", (meta.gsd_m, 0, 0, 0, -meta.gsd_m, 0), 1, 1, 4, 4, (None,), ("s",), None
    )
    writer = StoreWriter(folder, meta)
    rows = tuple(np.zeros((1, dim), np.float32) for dim in meta.dims)
    writer.append(TileRows(tile, rows, np.ones(1, np.float32)))
    return EmbeddingStore.open(writer.finish())


def card_of(meta: StoreMeta, **changes: Any) -> DecoderCard:
    facts = {**encoder_facts(meta), "layers": meta.layers, "dims": meta.dims, **changes}
    return DecoderCard(
        schema_version=1, head={"name": "linear"}, epoch=1, seed=0, split={}, store="", labels="", **facts
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"backbone": "csmask_b4_l2a"}, "backbone raw in training and csmask_b4_l2a here"),
        ({"weights_sha256": "a" * 64}, "weights none in training and aaaaaaaaaaaa here"),
        ({"bands": ("red", "swir_2")}, "bands red, nir_narrow in training and red, swir_2 here"),
        ({"bands": ("nir_narrow", "red")}, "bands red, nir_narrow in training and nir_narrow, red here"),
        ({"gsd_m": 10.0}, "ground sampling distance 30 m in training and 10 m here"),
        ({"patch_px": 2}, "patch 4 px in training and 2 px here"),
        ({"layers": (1,)}, "layer 0 32 wide in training and absent here"),
        ({"dims": (64,)}, "layer 0 32 wide in training and 64 wide here"),
        ({"config": {"backbone": {"temporal": "max"}}}, "dates joined by mean in training and max here"),
        ({"config": {"backbone": {"settings": {"patch_px": "8"}}}}, "settings patch_px: 4 in training and patch_px: 8"),
    ],
)  # fmt: skip
def test_another_store_is_refused_by_name_of_what_differs(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    card_of(META).require_fit(store_with(tmp_path / "same"))
    with pytest.raises(StoreError, match=words):
        card_of(META).require_fit(store_with(tmp_path / "other", **changes))


def test_the_level_is_compared_where_both_state_it(tmp_path: Path) -> None:
    card = card_of(META, level="surface")
    card.require_fit(store_with(tmp_path / "silent"))
    card.require_fit(store_with(tmp_path / "same", level="surface"))
    with pytest.raises(StoreError, match="level surface in training and top of atmosphere here"):
        card.require_fit(store_with(tmp_path / "other", level="top of atmosphere"))


def test_a_decoder_of_two_levels_reads_ground_of_either(tmp_path: Path) -> None:
    card = card_of(META, level="surface, top of atmosphere")
    for number, level in enumerate(("surface", "top of atmosphere", "surface, top of atmosphere")):
        card.require_fit(store_with(tmp_path / str(number), level=level))
    with pytest.raises(StoreError, match="level"):
        card_of(META, level="surface").require_fit(
            store_with(tmp_path / "both", level="surface, top of atmosphere")
        )


def test_another_sensor_of_the_same_bands_and_level_may_be_mapped(tmp_path: Path) -> None:
    card = card_of(META, level="surface", sensor="hls")
    card.require_fit(store_with(tmp_path / "other", level="surface", sensor="sentinel2_l2a"))


def test_everything_that_differs_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"bands .*; ground sampling distance .*; patch "):
        card_of(META).require_fit(store_with(tmp_path / "s", bands=("a", "b"), gsd_m=5.0, patch_px=1))


def test_defaults_that_are_written_out_are_no_difference(tmp_path: Path) -> None:
    written = {"backbone": {"name": "raw", "settings": {"patch_px": "4"}, "temporal": "mean"}}
    card_of(META).require_fit(store_with(tmp_path / "s", config=written, gsd_m=30.2))


def test_a_card_of_the_first_version_is_compared_in_what_it_says(tmp_path: Path) -> None:
    tree = json.loads(json.dumps(dataclasses.asdict(card_of(META))))
    for key in ("sensor", "level", "gsd_m", "settings", "task", "baseline"):
        del tree[key]
    card = DecoderCard.from_json({**tree, "baseline_threshold": 0.25})
    assert card.baseline == {"threshold": 0.25}
    settings = {"backbone": {"settings": {"patch_px": "8"}}}
    card.require_fit(store_with(tmp_path / "s", gsd_m=10.0, config=settings))
    with pytest.raises(StoreError, match="patch 4 px"):
        card.require_fit(store_with(tmp_path / "other", patch_px=8))


def test_a_card_read_back_is_the_same() -> None:
    card = card_of(
        META, task={"name": "segmentation", "classes": [{"value": 1, "name": "a"}, {"value": 2, "name": "b"}]}
    )
    assert DecoderCard.from_json(json.loads(json.dumps(dataclasses.asdict(card)))) == card
    assert [one.title for one in card.taught.classes] == ["a", "b"]


def test_patches_drawn_from_other_scenes_are_refused_with_what_to_do(tmp_path: Path) -> None:
    trained = dataclasses.replace(META, backbone="rcf", weights_sha256="a" * 64)
    there = store_with(tmp_path / "other", backbone="rcf", weights_sha256="b" * 64)
    (there.folder / ENCODER).write_bytes(b"patches")
    with pytest.raises(
        StoreError, match=r"weights aaaaaaaaaaaa .* bbbbbbbbbbbb here\. .* the _encoder.safetensors of their"
    ):
        card_of(trained).require_fit(there)
