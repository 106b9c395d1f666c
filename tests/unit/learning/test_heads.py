from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from sklearn.ensemble import RandomForestRegressor
from sklearn.neighbors import KNeighborsRegressor

from engine.errors import ConfigError
from engine.jobs.configuration.config import HeadConfig
from engine.learning.dataset import statistics
from engine.learning.heads.cells import cells_to_grid
from engine.learning.heads.dropout import SeededDropout
from engine.learning.heads.forest import Forest
from engine.learning.heads.linear import Linear
from engine.learning.heads.sizes import Level, Shape
from engine.learning.heads.table import build_decoder, fit_decoder, restore_decoder

CPU = torch.device("cpu")


def decoder(name: str, levels: tuple[Level, ...] = (Level(6),), **settings: object) -> torch.nn.Module:
    config = HeadConfig.model_validate({"name": name, "hidden": (8,), "dropout": 0.5, **settings})
    shape = Shape(levels, 4, 1)
    statistics = torch.zeros(shape.dim), torch.ones(shape.dim)
    return build_decoder(config, shape, statistics, torch.Generator().manual_seed(0), CPU)


@pytest.mark.parametrize("name", ["mlp", "linear", "conv"])
def test_a_head_gives_each_patch_as_many_outputs_as_were_asked_for(name: str) -> None:
    assert decoder(name)(torch.randn(2, 5, 7, 6).half()).shape == (2, 5, 7, 16)


def test_an_mlp_sees_its_own_patch_only_and_a_convolution_its_neighbours() -> None:
    tiles = torch.randn(1, 5, 5, 6)
    changed = tiles.clone()
    changed[0, 0, 0] += 1
    for name, reach in (("mlp", 0), ("conv", 1)):
        head = decoder(name).eval()
        moved = (head(tiles) != head(changed)).any(dim=-1)[0]
        row, column = torch.nonzero(moved, as_tuple=True)
        assert int(row.max()) == int(column.max()) == reach


def test_features_are_standardised_by_the_decoder_itself() -> None:
    plain = decoder("linear").eval()
    shifted = decoder("linear").eval()
    shifted.mean += 3
    shifted.std *= 2
    x = torch.randn(9, 6)
    torch.testing.assert_close(plain(x), shifted(x * 2 + 3))


@pytest.mark.parametrize("rows", [(1, 6), (70, 6), (2, 5, 7, 6), (0, 6), (6,)])
def test_a_linear_layer_has_the_values_and_gradients_of_torchs_own_and_the_same_ones_twice(
    rows: tuple[int, ...],
) -> None:
    own, usual = Linear(6, 4), torch.nn.Linear(6, 4)
    usual.load_state_dict(own.state_dict())
    x = torch.randn(rows, generator=torch.Generator().manual_seed(0), requires_grad=True)
    slope = torch.randn((*rows[:-1], 4), generator=torch.Generator().manual_seed(1))
    found, again, expected = (
        (one(x), *torch.autograd.grad(one(x), (x, *one.parameters()), slope)) for one in (own, own, usual)
    )
    torch.testing.assert_close(found, expected)
    assert all(torch.equal(one, other) for one, other in zip(found, again, strict=True))
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.inference_mode():
        assert torch.equal(own(x), usual(x))


def test_dropout_is_ruled_by_its_generator_and_absent_in_use() -> None:
    x = torch.ones(1000)
    first, again = (SeededDropout(0.3, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first(x), again(x))
    assert float(first(x).mean()) == pytest.approx(1, abs=0.1)
    assert torch.equal(first.eval()(x), x)


def test_statistics_equal_numpys_and_spare_features_that_do_not_move() -> None:
    features = np.random.default_rng(0).normal(300, 2, (5000, 3)).astype(np.float32)
    features[:, 2] = 7
    rows = np.arange(100, 4900)
    mean, std = statistics(features, rows)
    np.testing.assert_allclose(mean[:2], features[rows, :2].astype(np.float64).mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(std[:2], features[rows, :2].astype(np.float64).std(axis=0), rtol=1e-4)
    assert std[2] == 1


def test_a_head_of_several_layers_takes_each_at_its_own_resolution() -> None:
    fine, coarse = Level(3, cells=4), Level(5)
    head = decoder("fusion", (fine, coarse)).eval()
    tiles = torch.randn(1, 6, 6, fine.width + coarse.width)
    assert head(tiles.half()).shape == (1, 6, 6, 16)
    changed = tiles.clone()
    changed[0, 2, 2, : fine.dim] += 5  # the north-west cell of one patch
    moved = (head(tiles) - head(changed)).abs()[0, 2, 2].view(4, 4)
    assert moved[0, 0] > moved[3, 3]


def test_fusion_of_one_layer_is_refused_not_done_by_halves() -> None:
    with pytest.raises(ConfigError, match="fusion joins two layers or more"):
        decoder("fusion", (Level(6),))
    with pytest.raises(ConfigError, match="3 cells along a patch of 4 px"):
        decoder("fusion", (Level(6), Level(2, cells=3)))


@pytest.mark.parametrize("name", ["linear", "mlp", "conv", "fusion"])
def test_interpolated_pixels_run_from_centre_to_centre_and_do_not_jump_at_patches(name: str) -> None:
    head = decoder(name, (Level(4), Level(3)), pixels="interpolate").eval()
    assert head.sees_neighbours
    steps = cells_to_grid(head(torch.randn(1, 5, 5, 7)), 4)[0, 0].diff(dim=1)
    across = steps[:, 3::4]  # from the last pixel of a patch to the first of the next one
    torch.testing.assert_close(steps[:, 2:-1:4], across)
    torch.testing.assert_close(steps[:, 4::4], across)


@pytest.fixture
def patches() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Embeddings and labels of 2 x 2 pixels, without a gap; and embeddings to map."""
    chance = np.random.default_rng(3)
    features = chance.normal(size=(300, 5)).astype(np.float32)
    labels = (features[:, :4] + chance.normal(0, 0.3, (300, 4)) > 0).astype(np.float32)
    return features, labels, chance.normal(size=(80, 5)).astype(np.float32)


def fitted(name: str, features: np.ndarray, labels: np.ndarray, **settings: object) -> torch.nn.Module:
    config = HeadConfig.model_validate({"name": name, **settings})
    plain = torch.zeros(5), torch.ones(5)
    shape = Shape((Level(5),), 2, 1, "identity")
    made = fit_decoder(config, shape, plain, torch.from_numpy(features), torch.from_numpy(labels), 0)
    again = restore_decoder(config, shape, load(save(dict(made.state_dict()))))
    x = torch.randn(7, 5)
    assert torch.equal(made.eval()(x), again(x))
    return again


def test_nearest_patches_are_those_of_scikit_learn(patches: tuple[np.ndarray, ...]) -> None:
    features, labels, other = patches
    expected = KNeighborsRegressor(7).fit(features, labels).predict(other)
    found = fitted("knn", features, labels, neighbours=7)(torch.from_numpy(other))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-3)


def test_nearest_patches_leave_missing_pixels_out_and_fall_back_on_the_mean() -> None:
    features = np.zeros((4, 5), np.float32)
    labels = np.array(
        [[1, np.nan, 0, 0], [1, np.nan, 0, 1], [0, np.nan, 0, np.nan], [1, np.nan, 0, np.nan]], np.float32
    )
    found = fitted("knn", features, labels, neighbours=4)(torch.zeros(1, 5))[0].tolist()
    assert found == pytest.approx([0.75, 4 / 10, 0, 0.5], abs=1e-3)


def test_a_forest_of_arrays_predicts_what_scikit_learns_does(patches: tuple[np.ndarray, ...]) -> None:
    features, labels, other = patches
    oracle = RandomForestRegressor(20, min_samples_leaf=3, max_features="sqrt", random_state=0)
    expected = oracle.fit(features, labels, sample_weight=np.ones(300)).predict(other)
    found = fitted("forest", features, labels, trees=20)(torch.from_numpy(other))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_labels_of_many_pixels_are_learned_as_their_components(patches: tuple[np.ndarray, ...]) -> None:
    features, labels, other = patches
    large = np.repeat(labels, 16, axis=1)
    head = Forest.fitted(features, large, 20, 0, "identity")
    assert head.value.shape[1] == 16
    small = Forest.fitted(features, labels, 20, 0, "identity")
    found, expected = head(torch.from_numpy(other)), small(torch.from_numpy(other))
    assert float((found[:, ::16] - expected).abs().mean()) < 0.1
