"""What the browser draws of a store's components is what the server computes from the embeddings themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.store.store import EmbeddingStore
from engine.views.clusters import fit_clusters
from engine.views.layer_view import view_of
from engine.views.lens.kinds import anomaly_lens, clusters_lens, components_lens, similarity_lens
from engine.views.lens.lens import Lens, ramp
from engine.views.lens.reduction import reduction_of
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at
from tests.unit.views.lens.browser import in_browser

_DIM, _POSITIVE, _NEGATIVE = 96, (40, 41), (200,)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingStore:
    """Twelve tiles of embeddings as an encoder's: correlated numbers of few directions, and a little noise."""
    mix = np.random.default_rng(0).standard_normal((12, _DIM)) * np.geomspace(3, 0.3, 12)[:, None]
    tiles = []
    for column in range(12):
        rows = rows_at(tile_at(column, side=6), dims=(_DIM,), gaps=column % 3)
        rng = np.random.default_rng([column, 1])
        directions = rng.standard_normal((36, 12)) + rng.integers(0, 3, (36, 1)) * np.array(
            [3.0, -2, 2, *[0] * 9]
        )
        values = directions @ mix + 0.1 * rng.standard_normal((36, _DIM)) + 2
        rows.embeddings[0][rows.valid_fraction > 0] = values[rows.valid_fraction > 0]
        tiles.append(rows)
    return make_store(tmp_path_factory.mktemp("run"), tiles, meta_of(dims=(_DIM,), dtype="float32"))


def test_the_browser_agrees_with_the_server_on_every_kind_of_lens(
    store: EmbeddingStore, tmp_path: Path
) -> None:
    view = view_of(store, window=1)
    reduction = reduction_of(view)
    exact = {
        "rgb": components_lens(reduction.basis, (0, 1, 2)),
        "whitened": components_lens(reduction.basis, (2, 0, 1), reduction.deviations),
        "one component": components_lens(reduction.basis, (1,)),
        "clusters": clusters_lens(fit_clusters(view, 3)),
        "unusual": anomaly_lens(reduction.basis, reduction.deviations),
        "similarity": similarity_lens(reduction.basis.mean, view.rows(_POSITIVE), view.rows(_NEGATIVE)),
    }
    three = reduction.basis.components[:3] / reduction.deviations[:3, None]
    shares = Lens(
        "probability", three, reduction.basis.mean, np.zeros(3), np.zeros(1), np.ones(1), ramp(), shown=1
    )
    exact = {"probability": shares, "uncertainty": replace(shares, kind="uncertainty")} | exact
    asked = [lens.reduced(reduction.basis).to_json() for lens in exact.values()]
    asked[-1]["picked"] = {
        "positive": _POSITIVE,
        "negative": _NEGATIVE,
    }  # the browser finds its own direction
    found = in_browser(reduction.path, tmp_path, lenses=asked)["steps"]
    is_shown = store.read_valid_fraction() > 0
    values = store.read()[is_shown]
    for (name, lens), steps in zip(exact.items(), found, strict=True):
        mine = lens.steps(values).astype(float)
        theirs = np.array(steps, float).reshape(len(is_shown), -1)[is_shown]
        assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] >= 0.99, name
        assert np.median(np.abs(mine - theirs)) < 3, name
        if lens.kind == "classes":
            assert (mine == theirs).mean() > 0.99


def test_values_and_colours_of_a_lens_are_those_of_its_formula(store: EmbeddingStore) -> None:
    values = view_of(store, window=1).rows(range(5, 30))
    basis = reduction_of(view_of(store, window=1)).basis
    cosine = similarity_lens(basis.mean, values[:1], threshold=0.5)
    centred = values - basis.mean
    wanted = centred @ centred[0] / np.linalg.norm(centred, axis=1) / np.linalg.norm(centred[0])
    assert cosine.values(values)[:, 0] == pytest.approx(wanted, abs=1e-5)
    colours = cosine.colours(values)
    assert tuple(colours[0]) == (253, 231, 37, 255)
    assert (colours[wanted < 0.49, 3] == 0).all()
    assert isinstance(cosine, Lens)
