"""A random forest, grown by scikit-learn and kept as plain arrays.

Trees of many outputs are slow to grow, and the labels of a patch's pixels are much alike: they are learned as their
first principal components, which is the same mean of leaves, since the way back is linear.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from engine.learning.heads.averaging import as_outputs, without_gaps
from engine.learning.tasks.task import Link

_MOST_COMPONENTS = 16
_LEAST_IN_A_LEAF = 3
_ROWS_A_BLOCK = 4096


class Forest(nn.Module):
    """Trees as arrays: a node goes left where its feature is at or below its threshold; a leaf goes to itself.

    Attributes:
        feature, threshold, left, right: (nodes,) of all trees, one after the other.
        value: (nodes, C) mean of the labels' components.
        roots: (trees,) first nodes; depth: steps from a root to the deepest leaf, (1,).
        basis, centre: (C, outputs) and (outputs,), from components to labels.
    """

    feature: torch.Tensor
    threshold: torch.Tensor
    left: torch.Tensor
    right: torch.Tensor
    value: torch.Tensor
    roots: torch.Tensor
    depth: torch.Tensor
    basis: torch.Tensor
    centre: torch.Tensor

    def __init__(self, arrays: dict[str, torch.Tensor], link: Link) -> None:
        super().__init__()
        for name in ARRAYS:
            self.register_buffer(name, arrays[name])
        self.link = link

    @classmethod
    def fitted(cls, features: np.ndarray, expected: np.ndarray, trees: int, seed: int, link: Link) -> Forest:
        """The forest of some training patches.

        Args:
            features: (N, D) float32, standardised.
            expected: (N, outputs) labels of their pixels, NaN where missing; each row knows one or more.
        """
        from sklearn.ensemble import RandomForestRegressor

        filled, weights = without_gaps(expected)
        components, basis, centre = _components(filled)
        grown = RandomForestRegressor(
            trees, min_samples_leaf=_LEAST_IN_A_LEAF, max_features="sqrt", random_state=seed, n_jobs=-1
        ).fit(features, components, sample_weight=weights)
        arrays = _arrays([tree.tree_ for tree in grown.estimators_])
        arrays |= {"basis": basis.astype(np.float32), "centre": centre.astype(np.float32)}
        return cls({name: torch.from_numpy(values) for name, values in arrays.items()}, link)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., D) -> (..., outputs)."""
        rows = x.reshape(-1, x.shape[-1])
        found = torch.cat([self._mean_leaf(part) for part in rows.split(_ROWS_A_BLOCK)])
        return as_outputs(found @ self.basis + self.centre, self.link).view(*x.shape[:-1], -1)

    def _mean_leaf(self, rows: torch.Tensor) -> torch.Tensor:
        node = self.roots.long().expand(len(rows), -1)  # (N, trees)
        for _ in range(int(self.depth)):
            goes_left = rows.gather(1, self.feature[node].long()) <= self.threshold[node]
            node = torch.where(goes_left, self.left[node], self.right[node]).long()
        return self.value[node].mean(dim=1)


ARRAYS = ("feature", "threshold", "left", "right", "value", "roots", "depth", "basis", "centre")


def _components(expected: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels as their first components (N, C), and the way back."""
    columns = expected.shape[1]
    if columns <= _MOST_COMPONENTS:
        return expected, np.eye(columns), np.zeros(columns)
    centre = expected.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(expected, rowvar=False))
    basis = vectors[:, ::-1][:, :_MOST_COMPONENTS].T
    return (expected - centre) @ basis.T, basis, centre


def _arrays(trees: list) -> dict[str, np.ndarray]:  # type: ignore[type-arg]  # scikit-learn's own type is private
    """All trees as one set of arrays."""
    ends = np.cumsum([tree.node_count for tree in trees])
    roots = np.concatenate([[0], ends[:-1]])
    left, right, features, thresholds = [], [], [], []
    for tree, root in zip(trees, roots, strict=True):
        own = np.arange(tree.node_count)
        is_leaf = tree.children_left < 0
        left.append(root + np.where(is_leaf, own, tree.children_left))
        right.append(root + np.where(is_leaf, own, tree.children_right))
        features.append(np.where(is_leaf, 0, tree.feature))
        thresholds.append(_at_or_below(tree.threshold))
    return {
        "feature": np.concatenate(features).astype(np.int32),
        "threshold": np.concatenate(thresholds),
        "left": np.concatenate(left).astype(np.int32),
        "right": np.concatenate(right).astype(np.int32),
        "value": np.concatenate([tree.value[:, :, 0] for tree in trees]).astype(np.float32),
        "roots": roots.astype(np.int32),
        "depth": np.array([max(tree.max_depth for tree in trees)], np.int32),
    }


def _at_or_below(thresholds: np.ndarray) -> np.ndarray:
    """Thresholds as the largest float32 that is not above them: the same float32 features pass."""
    rounded = thresholds.astype(np.float32)
    above = rounded > thresholds
    rounded[above] = np.nextafter(rounded[above], np.float32(-np.inf))
    return rounded
