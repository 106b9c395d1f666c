"""A linear layer whose products are oneDNN's on a CPU, where they take half of the time that torch's usual ones take."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Linear(nn.Linear):
    """torch's linear layer, with the same weights and the same values up to rounding.

    torch leaves products of float32 to MKL, which uses the wide registers of Intel's processors only: on a core of an EPYC
    100 GFLOPS, where oneDNN, which torch brings too, reaches 230.
    """

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., D) -> (..., outputs)."""
        if not _is_for_onednn(x):
            return functional.linear(x, self.weight, self.bias)
        return functional.linear(x.to_mkldnn(), self.weight, self.bias).to_dense()


def _is_for_onednn(x: torch.Tensor) -> bool:
    """Whether these are numbers that oneDNN takes: rows of float32 on a CPU that it knows."""
    return (
        x.device.type == "cpu" and x.dtype == torch.float32 and x.dim() > 1 and x.numel() > 0
        and torch.backends.mkldnn.is_available() and not torch.is_autocast_enabled("cpu")
    )  # fmt: skip
