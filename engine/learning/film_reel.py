"""The pictures of a watched tile in a run folder: written by a training, read by pages without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.files import read_json
from engine.learning.tasks.task import MapStyle, Ramp

FILM, TRUTH, TILES, WATCH = "film", "labels.png", "tiles.json", "watch"
# Longer sides are thinned to this many pixels: a picture is looked at, not measured.
_LARGEST_PX = 320


@dataclass(frozen=True)
class Frame:
    """One picture of the film.

    Attributes:
        epoch: 0 for the labels.
        tile_id: what it shows.
    """

    path: Path
    epoch: int
    tile_id: str


def frame_path(folder: Path, epoch: int) -> Path:
    """The picture of an epoch in a run folder."""
    return folder / FILM / f"epoch-{epoch:04d}.png"


def frame_paths(folder: Path) -> list[Path]:
    """The pictures so far, oldest first."""
    return sorted((folder / FILM).glob("epoch-*.png"))


def frames(folder: Path) -> list[Frame]:
    """The pictures so far, oldest first, with what they show; what is damaged is left out."""
    return [frame for path in frame_paths(folder) if (frame := frame_of(path))]


def tiles_of(folder: Path) -> list[str]:
    """Ids of the tiles that can be watched; none before the first epoch."""
    try:
        found = read_json(folder / FILM / TILES)
    except (OSError, ValueError):
        return []
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def labels_frame(folder: Path) -> Frame | None:
    """The labels of the tile that was watched last."""
    return frame_of(folder / FILM / TRUTH)


def watch(folder: Path, tile_id: str) -> None:
    """Ask a running training for another tile, from its next epoch on."""
    (folder / WATCH).write_text(tile_id, encoding="utf-8")


def write_picture(path: Path, values: np.ndarray, style: MapStyle, tile_id: str, epoch: int) -> None:
    """Write a map as a small PNG with its colours; it appears complete or not at all.

    Args:
        values: (H, W) as the task writes maps.
    """
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    step = -(-max(values.shape) // _LARGEST_PX)
    colours = colour(values[::step, ::step], style)
    said = PngInfo()
    said.add_text("tile", tile_id)
    said.add_text("epoch", str(epoch))
    temporary = path.with_name(f"{path.name}.writing")
    Image.fromarray(colours, "RGBA").save(temporary, "PNG", pnginfo=said, compress_level=1)
    temporary.replace(path)


def colour(values: np.ndarray, style: MapStyle) -> np.ndarray:
    """(H, W, 4) uint8 of a map in its colours; what has none is transparent."""
    if style.ramp is not None:
        return ramped(values, style.ramp)
    table = np.zeros((256, 4), np.uint8)
    for value, own in style.colours.items():
        table[value] = own
    return table[values]


def ramped(values: np.ndarray, ramp: Ramp) -> np.ndarray:
    """(..., 4) uint8 of numbers along a colour bar; NaN is transparent."""
    at = np.clip((values - ramp.low) / (ramp.high - ramp.low), 0, 1) * (len(ramp.colours) - 1)
    stops = np.arange(len(ramp.colours))
    channels = [np.interp(np.nan_to_num(at), stops, channel) for channel in zip(*ramp.colours, strict=True)]
    found = np.stack(channels, axis=-1).round().astype(np.uint8)
    found[np.isnan(values)] = 0
    return found


def frame_of(path: Path) -> Frame | None:
    """A picture with what it shows; None where it is absent or damaged."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return Frame(path, int(picture.info["epoch"]), str(picture.info["tile"]))
    except (OSError, KeyError, ValueError):
        return None
