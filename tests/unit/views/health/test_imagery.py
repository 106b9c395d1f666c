"""The card tells how far components follow the imagery, and is read again where it was measured before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.concurrency.steps import heard
from engine.extraction import extract as job
from engine.extraction.shift_sensitivity import shift_steps
from engine.jobs.configuration.config import ExtractConfig, parse_config
from engine.store.store import EmbeddingStore
from engine.views.health import kept
from engine.views.health.card import health
from engine.views.health.kept import measured, with_shift


@pytest.fixture
def store(write_raster: Callable[..., Path], tmp_path: Path) -> EmbeddingStore:
    """Raw pixels of ground whose bands all follow one slope."""
    rng = np.random.default_rng(0)
    slope = np.add.outer(np.linspace(500, 2500, 96), np.linspace(0, 1500, 96))
    pixels = (slope * np.linspace(0.8, 1.2, 6)[:, None, None] + rng.normal(0, 20, (6, 96, 96))).astype(
        np.int16
    )
    config = parse_config({
        "kind": "extract", "scene": {"source": "file", "path": str(write_raster("slope.tif", pixels))}, "device": "cpu",
        "backbone": {"name": "raw"}, "tiles": {"size_px": 32}, "output": {"dtype": "float32"},
    })  # fmt: skip
    assert isinstance(config, ExtractConfig)
    list(job.extract(config, tmp_path / "run", tmp_path))
    return EmbeddingStore.open(tmp_path / "run")


def test_pixels_follow_brightness_and_hardly_move_with_the_window(
    store: EmbeddingStore, tmp_path: Path
) -> None:
    (found,) = health(store, tmp_path)
    assert found.following is not None
    assert found.following.shares["brightness"] > 0.98
    assert abs(found.following.correlations["brightness"][0]) > 0.98
    assert found.spectrum[0] > 0.95 and sum(found.spectrum) == pytest.approx(1, abs=0.02)
    moved = heard(shift_steps(store, tmp_path, "cpu"))[0]
    assert 0 < moved < 0.1


def test_scenes_that_are_gone_or_have_changed_are_not_correlated(
    store: EmbeddingStore, tmp_path: Path
) -> None:
    (tmp_path / "slope.tif").write_bytes(b"")
    assert health(store, tmp_path)[0].following is None
    (tmp_path / "slope.tif").unlink()
    assert health(store, tmp_path)[0].following is None


def test_a_card_is_kept_beside_its_store_until_the_store_changes(
    store: EmbeddingStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = measured(store, tmp_path)
    told = with_shift(store, found, {0: 0.25})
    with monkeypatch.context() as patched:
        patched.setattr(kept, "health", lambda *_: pytest.fail("measured twice"))
        assert measured(store, tmp_path) == told
        assert told[0].shift_sensitivity == 0.25
    part = store.parts[0].path
    part.touch()
    assert measured(store, tmp_path) == found
    (store.folder.parent / "health" / "position_keep.json").write_text("{")
    assert measured(store, tmp_path) == found
