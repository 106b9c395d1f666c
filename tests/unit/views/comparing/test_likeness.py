"""Likeness of embeddings agrees with its definitions, and does not depend on the axes that they are written in."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from engine.errors import StoreError
from engine.views.comparing.aligned_colours import rotation_onto
from engine.views.comparing.likeness import linear_cka, neighbour_overlap

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(200, 7)) @ RNG.normal(size=(7, 7)) + 4, RNG.normal(size=(200, 5))


def rotated(values: np.ndarray) -> np.ndarray:
    """Turned, scaled and moved."""
    turn, _ = np.linalg.qr(RNG.normal(size=(values.shape[1],) * 2))
    return 3.7 * values @ turn + 11


def cka_by_kernels(x: np.ndarray, y: np.ndarray) -> float:
    """Equations 1 and 2 of Kornblith et al. 2019: HSIC of linear kernels that are centred by H = I - 11'/n."""
    centring = np.eye(len(x)) - 1 / len(x)

    def hsic(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.trace(one @ one.T @ centring @ other @ other.T @ centring))

    return hsic(x, y) / np.sqrt(hsic(x, x) * hsic(y, y))


def test_linear_cka_is_that_of_kernels() -> None:
    mixed = np.hstack([X[:, :2], Y])
    for x, y in ((X, Y), (X, mixed), (Y, mixed)):
        assert linear_cka(x, y) == pytest.approx(cka_by_kernels(x, y), abs=1e-10)


def test_likeness_does_not_depend_on_rotation_scale_and_origin() -> None:
    mixed = np.hstack([X[:, :2], Y])
    for measured in (linear_cka, lambda x, y: neighbour_overlap(x, y).share):
        assert measured(X, rotated(X)) == pytest.approx(1.0, abs=1e-6)
        assert measured(rotated(X), rotated(mixed)) == pytest.approx(measured(X, mixed), abs=1e-6)
        assert measured(X, mixed) == pytest.approx(measured(mixed, X), abs=0.05)
    assert linear_cka(X, Y) < 0.1


def test_unrelated_embeddings_have_the_neighbours_in_common_that_chance_gives() -> None:
    found = neighbour_overlap(RNG.normal(size=(600, 8)), RNG.normal(size=(600, 8)))
    assert found.neighbours == 10
    assert found.share == pytest.approx(found.by_chance, abs=0.01)


def test_the_rotation_is_that_of_scipy() -> None:
    x, y = X - X.mean(axis=0), rotated(X) + RNG.normal(size=X.shape)
    expected, _ = scipy.linalg.orthogonal_procrustes(x, y - y.mean(axis=0))
    found = rotation_onto(X, y)
    assert np.allclose(found, expected, atol=1e-8)
    assert np.allclose(found @ found.T, np.eye(7), atol=1e-10)


def test_what_is_the_same_everywhere_is_like_nothing() -> None:
    constant = np.full((200, 4), 0.3, np.float32)
    for measured in (linear_cka, neighbour_overlap):
        with pytest.raises(StoreError, match="same embedding everywhere"):
            measured(X, constant)
