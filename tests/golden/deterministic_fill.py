"""Full-size weights and images that are the same on every machine, for the fingerprints.

The scheme is that of the reference run: numpy's frozen legacy generator, seeded by the first four bytes of
the sha256 of the name.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import torch


def normal_numbers(name: str, shape: Sequence[int]) -> torch.Tensor:
    """Standard normal float32 numbers that belong to a name."""
    digest = hashlib.sha256(name.encode()).digest()
    generator = np.random.RandomState(int.from_bytes(digest[:4], "little"))
    return torch.from_numpy(generator.standard_normal(tuple(shape)).astype(np.float32))


def weight(key: str, shape: Sequence[int]) -> torch.Tensor:
    """The weight of a key of the official layout."""
    leaf = key.rsplit(".", 1)[-1]
    if leaf == "scale":  # of Prithvi's time and place
        return torch.full(tuple(shape), 0.3)
    numbers = normal_numbers(key, shape)
    if numbers.ndim == 1:
        return 1 + 0.25 * numbers if leaf in ("weight", "gamma") else 0.1 * numbers
    gain = 1.6 if "qkv" in key or "in_proj" in key else 1.0
    return numbers * np.float32(gain / math.sqrt(math.prod(shape[1:])))


def image(name: str, shape: Sequence[int]) -> torch.Tensor:
    """A standardised image."""
    return normal_numbers(f"image:{name}", shape)


def fingerprint(tokens: torch.Tensor) -> dict[str, list[float] | list[int] | list[list[float]] | float]:
    """(1, N, D) tokens as the few numbers that are compared."""
    count, table = tokens.shape[1], tokens[0].double()
    rows = [0, 1, 2, count // 3, count // 2, count - 1]
    return {
        "shape": list(tokens.shape),
        "rows": rows,
        "first8": table[rows, :8].tolist(),
        "last4": table[rows, -4:].tolist(),
        "row_norms": table[rows].norm(dim=1).tolist(),
        "mean": float(table.mean()),
        "std": float(table.std()),
    }
