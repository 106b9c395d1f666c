"""k nearest neighbours: a patch gets the mean labels of the training patches whose embeddings are nearest."""

from __future__ import annotations

import torch
from torch import nn

from engine.learning.heads.averaging import as_outputs
from engine.learning.tasks.task import Link

# Distances that are held at once.
_DISTANCES = 16_000_000


class NearestPatches(nn.Module):
    """The training patches themselves, asked by Euclidean distance of standardised embeddings.

    Attributes:
        features: (M, D) of training patches.
        expected: (M, outputs) labels of their pixels, NaN where missing.
        prior: (outputs,) mean labels of all, for pixels that none of the nearest knows.
        neighbours: how many are asked.
    """

    features: torch.Tensor
    expected: torch.Tensor
    prior: torch.Tensor

    def __init__(
        self, features: torch.Tensor, expected: torch.Tensor, prior: torch.Tensor, neighbours: int, link: Link
    ) -> None:
        super().__init__()
        self.register_buffer("features", features)
        self.register_buffer("expected", expected)
        self.register_buffer("prior", prior)
        self.neighbours, self.link = neighbours, link

    @classmethod
    def fitted(
        cls, features: torch.Tensor, expected: torch.Tensor, neighbours: int, link: Link
    ) -> NearestPatches:
        """The head of some training patches."""
        prior = expected.nanmean(dim=0).nan_to_num(float(expected.nanmean()))
        return cls(features, expected.half(), prior, neighbours, link)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., D) -> (..., outputs)."""
        rows = x.reshape(-1, x.shape[-1])
        block = max(1, _DISTANCES // max(1, len(self.features)))
        found = torch.cat([self._mean_labels(part) for part in rows.split(block)])
        return as_outputs(found, self.link).view(*x.shape[:-1], -1)

    def _mean_labels(self, rows: torch.Tensor) -> torch.Tensor:
        nearest = torch.cdist(rows, self.features).topk(
            min(self.neighbours, len(self.features)), largest=False
        )
        means = self.expected[nearest.indices].float().nanmean(dim=1)  # (N, outputs)
        return torch.where(means.isnan(), self.prior, means)
