"""A lens: a small linear map from an embedding to what is drawn.

    y = A (x - m) + b        A: (r, D), m: (D,), b: (r,)
    colour = f(y)            f: three numbers as red, green and blue | one number on a ramp | the largest of r as a class |
                             the length of y on a ramp | the softmax of y: one of its shares, or how unsure it is, on a ramp

The server applies it to the embeddings themselves, and the browser to their first components (`reduced`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from engine.errors import StoreError
from engine.views.pca import Pca

Kind = Literal["rgb", "ramp", "classes", "norm", "probability", "uncertainty"]
# Matplotlib's viridis at every ninth (CC0, van der Walt and Smith 2015): as light as its value, for all kinds of eyes.
_VIRIDIS = (
    (68, 1, 84), (72, 40, 120), (62, 73, 137), (49, 104, 142), (38, 130, 142), (31, 158, 137), (53, 183, 121),
    (110, 206, 88), (181, 222, 43), (253, 231, 37),
)  # fmt: skip


@dataclass(frozen=True)
class Lens:
    """How embeddings become colours.

    Attributes:
        kind: what becomes of y.
        rows: A, (r, D) float64.
        offset: m, (D,).
        bias: b, (r,).
        low, high: (r,) for rgb, else (1,): the values of the first and the last colour; unused for classes.
        palette: (n, 4) uint8 red, green, blue, opacity: of the classes, or of 256 steps of a ramp; empty for rgb.
        is_unit: x - m is scaled to length one first, so that a row of length one gives a cosine.
        threshold: values below are transparent; None: none are. Not for rgb and classes.
        names: of what is drawn (one but for rgb) or of the classes.
        shown: the row whose probability is drawn, for that kind; uncertainty is 1 minus the largest probability's lead.
    """

    kind: Kind
    rows: np.ndarray
    offset: np.ndarray
    bias: np.ndarray
    low: np.ndarray
    high: np.ndarray
    palette: np.ndarray
    is_unit: bool = False
    threshold: float | None = None
    names: tuple[str, ...] = ()
    shown: int = 0

    def values(self, embeddings: np.ndarray) -> np.ndarray:
        """(..., r) float32 y of (..., D) embeddings; (..., 1) for a norm, a probability or an uncertainty."""
        flat: np.ndarray = embeddings.reshape(-1, embeddings.shape[-1]).astype(
            np.float32
        ) - self.offset.astype(np.float32)
        if self.is_unit:
            lengths = np.linalg.norm(flat, axis=1, keepdims=True)
            flat = flat / np.where(lengths > 0, lengths, 1)
        y: np.ndarray = flat @ self.rows.T.astype(np.float32) + self.bias.astype(np.float32)
        if self.kind == "norm":
            y = np.sqrt((y**2).sum(axis=1, keepdims=True))
        elif self.kind in ("probability", "uncertainty"):
            y = self._of_shares(y)
        return y.reshape(*embeddings.shape[:-1], y.shape[-1])

    def _of_shares(self, y: np.ndarray) -> np.ndarray:
        """(n, 1) of the softmax of (n, r)."""
        shares = np.exp(y - y.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        if self.kind == "probability":
            return shares[:, self.shown : self.shown + 1]
        ordered = np.sort(shares, axis=1)
        return 1 - (ordered[:, -1:] - ordered[:, -2:-1])

    def classes(self, embeddings: np.ndarray) -> np.ndarray:
        """(...) uint8: the row with the largest y."""
        return self.values(embeddings).argmax(axis=-1).astype(np.uint8)

    def steps(self, embeddings: np.ndarray) -> np.ndarray:
        """(..., 3) uint8 for rgb, (..., 1) for ramp, norm and classes: what the palette is asked for."""
        if self.kind == "classes":
            return self.classes(embeddings)[..., None]
        span = self.high - self.low
        share = (self.values(embeddings) - self.low) / np.where(span > 0, span, 1)
        share = np.where(span > 0, np.nan_to_num(share, nan=0.0, posinf=0.0, neginf=0.0), 0.5)
        return (np.clip(share, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)

    def colours(self, embeddings: np.ndarray) -> np.ndarray:
        """(..., 4) uint8 red, green, blue, opacity."""
        steps = self.steps(embeddings)
        if self.kind == "rgb":
            return np.concatenate([steps, np.full_like(steps[..., :1], 255)], axis=-1)
        painted = self.palette[np.minimum(steps[..., 0], len(self.palette) - 1)]
        if self.kind != "classes" and self.threshold is not None:
            painted[self.values(embeddings)[..., 0] < self.threshold] = 0
        return painted

    def reduced(self, basis: Pca) -> Lens:
        """The same lens for coordinates on some components: y = A V' (z - V (m - mean)) + what lies across them.

        Raises:
            StoreError: a lens of other embeddings, or one on unit vectors about another mean.
        """
        if self.rows.shape[1] != len(basis.mean):
            raise StoreError(
                f"The lens is for embeddings of {self.rows.shape[1]} numbers, and these have {len(basis.mean)}. "
                f"Choose a store of the same backbone and layer."
            )
        directions, shift = basis.components, self.offset - basis.mean
        within = directions @ shift
        if self.is_unit and np.linalg.norm(shift) > 1e-6 * float(np.linalg.norm(basis.mean)) + 1e-30:
            raise StoreError(
                "A lens of cosines has another mean than the components. Give both the same store's mean."
            )
        across = self.rows @ (directions.T @ within - shift)
        return replace(self, rows=self.rows @ directions.T, offset=within, bias=self.bias + across)

    def to_json(self) -> dict[str, Any]:
        """For a browser, whose numbers have no offset."""
        bias = self.bias if self.is_unit else self.bias - self.rows @ self.offset
        return {
            "kind": self.kind,
            "rows": [[float(f"{number:.7g}") for number in row] for row in self.rows],
            "bias": [float(f"{number:.7g}") for number in bias],
            "low": [float(f"{number:.7g}") for number in self.low],
            "high": [float(f"{number:.7g}") for number in self.high],
            "palette": self.palette.tolist(),
            "unit": self.is_unit,
            "threshold": self.threshold,
            "names": list(self.names),
            "shown": self.shown,
        }


def ramp() -> np.ndarray:
    """(256, 4) uint8 colours from dark to light."""
    stops = np.linspace(0, 255, len(_VIRIDIS))
    parts = [np.interp(np.arange(256), stops, part) for part in zip(*_VIRIDIS, strict=True)]
    return np.stack([*parts, np.full(256, 255.0)], axis=1).round().astype(np.uint8)


def no_palette() -> np.ndarray:
    """(0, 4) uint8: red, green and blue need none."""
    return np.zeros((0, 4), np.uint8)
