"""A model of a known product that a person states decides how a file is decoded that tells nothing of itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import BadInput, StoreError
from engine.store.importing.forms import opened, understand
from engine.store.importing.job import import_job
from engine.store.importing.preview import preview
from engine.store.importing.settled import config_of
from engine.store.importing.taking import import_embeddings
from engine.store.store import EmbeddingStore
from tests.unit.store.products.made import in_8_bits, unit_vectors, write_tiff


def test_8_bits_without_names_are_decoded_by_the_stated_alphaearth_in_every_way_in(tmp_path: Path) -> None:
    vectors = unit_vectors(20, 24)
    path = write_tiff(tmp_path / "no_names.tif", in_8_bits(vectors))
    with pytest.raises(StoreError, match="--model alphaearth_v1"):
        understand(path)
    told = understand(path, None, "alphaearth_v1")
    assert told.is_unit_length and told.licence == "CC-BY-4.0" and "127.5" in told.decoding
    assert any("stated to be AlphaEarth" in note for note in told.notes)
    assert preview(path, None, "alphaearth_v1", None).understood == told
    _, copied = import_embeddings(path, tmp_path / "copy", model="alphaearth_v1")
    _, in_place = import_embeddings(path, tmp_path / "place", model="alphaearth_v1", in_place=True)
    with opened(path, None, model="alphaearth_v1") as found:
        config = config_of(path, found, found.understood, None)
    (tmp_path / "job").mkdir()
    list(import_job(config, tmp_path / "job"))
    of_job = EmbeddingStore.open(tmp_path / "job")
    for store in (copied, in_place, of_job):
        values = store.read_tile(store.tiles[0].id)
        assert np.abs(values.astype(np.float32) - vectors).max() < 0.02
        assert store.meta.backbone == "alphaearth_v1"


def test_a_stated_model_is_checked_by_its_length_and_never_overrules_the_file(tmp_path: Path) -> None:
    wrong = write_tiff(tmp_path / "x.tif", unit_vectors(20, 20) * 5)
    with pytest.raises(StoreError, match="no known decoding gives that"):
        import_embeddings(wrong, tmp_path / "run", model="alphaearth_v1")
    assert not (tmp_path / "run").exists()
    fewer = write_tiff(tmp_path / "y.tif", in_8_bits(unit_vectors(20, 20, 16)))
    with pytest.raises(StoreError, match="no scale"):
        understand(fewer, None, "alphaearth_v1")
    other = write_tiff(tmp_path / "grid_-76.15_37.05_2024.tiff", unit_vectors(20, 20, 128))
    with pytest.raises(BadInput, match="is of the model tessera"):
        understand(other, None, "alphaearth_v1")
    scaled = understand(write_tiff(tmp_path / "z.tif", unit_vectors(20, 20, 128) * 3), None, "tessera")
    assert scaled.model == "tessera" and scaled.licence == "CC0-1.0" and not scaled.is_unit_length
