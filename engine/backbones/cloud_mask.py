"""Clouds and their shadows on scenes that bring no mask: DLR's ukis-csmask 1.0.0, run as published."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from engine.backbones.cards import CARDS
from engine.backbones.weights import locate as weights
from engine.errors import SceneError, WeightsError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# Classes of the published model: ukis-csmask 1.0.0, mask.py, docstring of _csm.
CLOUD, SHADOW = 1, 2
_STEP_PX = 32  # the network halves the image five times
_WINDOW_PX = 256  # model_6b_*.json, data.target_size
_LARGEST_PX = (
    288  # seen at once: a usual tile of 256 px and the ground around it, in one pass instead of four
)


def cloud_and_shadow(
    image: npt.NDArray[np.float32],
    valid: npt.NDArray[np.bool_],
    level: Literal["l1c", "l2a"],
    buffer_px: int = 4,
) -> npt.NDArray[np.bool_]:
    """Where a cloud or its shadow lies; False where the image has a gap.

    Args:
        image: (6, H, W) reflectance 0 to 1: blue, green, red, near infrared, SWIR 1, SWIR 2; about 30 m a pixel.
        valid: (H, W).
        level: l1c for top-of-atmosphere reflectance, l2a for surface reflectance.
        buffer_px: clouds and shadows grow by this, because their edges are soft. The publisher's default is 4
            (ukis-csmask 1.0.0, mask.py, invalid_buffer).

    Returns:
        (H, W) bool.

    Raises:
        SceneError: not six bands, or sizes that do not fit together.
    """
    found = classes(image, valid, level)
    cloudy = (found == CLOUD) | (found == SHADOW)
    return _grown(cloudy & valid, buffer_px) & valid


def classes(
    image: npt.NDArray[np.float32], valid: npt.NDArray[np.bool_], level: Literal["l1c", "l2a"]
) -> npt.NDArray[np.uint8]:
    """The model's own classes: 0 background, 1 cloud, 2 cloud shadow; (H, W)."""
    normalisation = CARDS[f"csmask_b4_{level}"].normalisation
    if image.ndim != 3 or image.shape[0] != len(normalisation.mean) or valid.shape != image.shape[1:]:
        raise SceneError(
            f"The image of a cloud mask is {image.shape} with valid pixels {valid.shape}; it must be (6, H, W) and (H, W). "
            f"Read the bands blue, green, red, nir_narrow, swir_1 and swir_2."
        )
    mean = np.array(normalisation.mean, np.float32).reshape(-1, 1, 1)
    std = np.array(normalisation.std, np.float32).reshape(-1, 1, 1)
    standard = np.where(valid, (image - mean) / std, np.float32(0))
    best: npt.NDArray[np.uint8] = _scores(standard, level).argmax(axis=0).astype(np.uint8)
    return best


def _scores(standard: npt.NDArray[np.float32], level: Literal["l1c", "l2a"]) -> npt.NDArray[np.float32]:
    """(3, H, W) class scores.

    The network weighs its channels by their mean over what it is given at once (squeeze and excitation), so
    that it is given windows of about the size it was trained on: a smaller image once mirrored around itself and
    once amid means, and the scores are added. (Of 20 painted clouds on clear pieces of 64 to 96 px, read as l2a, 17
    were found whole, by mirroring alone 10; amid means alone, a fifth of the clear ground became shadow.)
    """
    height, width = standard.shape[1:]
    margins = ((0, 0), _margin(height), _margin(width))
    total = _in_windows(np.pad(standard, margins, mode="symmetric"), level)
    if min(height, width) < _WINDOW_PX:
        total += _in_windows(np.pad(standard, margins), level)
    (top, _), (left, _) = margins[1:]
    return total[:, top : top + height, left : left + width]


def _in_windows(padded: npt.NDArray[np.float32], level: Literal["l1c", "l2a"]) -> npt.NDArray[np.float32]:
    """(3, H, W) class scores, averaged where windows overlap."""
    session = _session(level)
    name = session.get_inputs()[0].name
    total = np.zeros((3, *padded.shape[1:]), np.float32)
    counts = np.zeros(padded.shape[1:], np.float32)
    for rows in _windows(padded.shape[1]):
        for columns in _windows(padded.shape[2]):
            window = np.ascontiguousarray(padded[None, :, rows, columns], np.float32)
            total[:, rows, columns] += session.run(None, {name: window})[0][0]
            counts[rows, columns] += 1
    total /= counts
    return total


def _margin(side: int) -> tuple[int, int]:
    """Pixels to add on both ends of a side, to a window's size at least, and so that it is halved five times evenly."""
    missing = _WINDOW_PX - side if side < _WINDOW_PX else -side % _STEP_PX
    return missing // 2, missing - missing // 2


def _windows(side: int) -> list[slice]:
    """Windows that overlap by a quarter and cover the side; the last ends with it."""
    if side <= _LARGEST_PX:
        return [slice(0, side)]
    size = _WINDOW_PX
    starts = [*range(0, side - size, _WINDOW_PX * 3 // 4), side - size]
    return [slice(start, start + size) for start in starts]


@functools.lru_cache(maxsize=2)
def _session(level: Literal["l1c", "l2a"]) -> InferenceSession:
    """The published graph, its fixed 256 px freed: it holds no operation that depends on the size."""
    import onnx
    import onnxruntime

    spec = CARDS[f"csmask_b4_{level}"]
    path: Path = weights.obtain(spec)
    weights.check(spec, path)
    try:
        model = onnx.load(str(path))
        for value in (*model.graph.input, *model.graph.output):
            for axis, name in ((2, "height"), (3, "width")):
                value.type.tensor_type.shape.dim[axis].dim_param = name
        del model.graph.value_info[:]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        return onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    except (ValueError, RuntimeError) as err:
        raise WeightsError(
            f"{path.name} of ukis-csmask 1.0.0, the cloud mask, cannot be run here ({err}). Reinstall it with "
            f"`pip install -r requirements.txt`."
        ) from err


def _grown(mask: npt.NDArray[np.bool_], steps: int) -> npt.NDArray[np.bool_]:
    """The mask and everything within `steps` moves to a direct neighbour."""
    for _ in range(steps):
        grown = mask.copy()
        grown[1:] |= mask[:-1]
        grown[:-1] |= mask[1:]
        grown[:, 1:] |= mask[:, :-1]
        grown[:, :-1] |= mask[:, 1:]
        mask = grown
    return mask
