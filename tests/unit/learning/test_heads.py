from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.jobs.config import HeadConfig
from engine.learning.dataset import statistics
from engine.learning.heads import SeededDropout, build_decoder

CPU = torch.device("cpu")


def decoder(name: str, dim: int = 6, outputs: int = 16, seed: int = 0) -> torch.nn.Module:
    config = HeadConfig(name=name, hidden=(8,), dropout=0.5)
    return build_decoder(
        config, torch.zeros(dim), torch.ones(dim), outputs, torch.Generator().manual_seed(seed), CPU
    )


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
