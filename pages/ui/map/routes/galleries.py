"""The scenes of a layer side by side: a bounded table of galleries, and what is told of each scene.

A page registers a gallery and gets a token made from its content, as with layers. What takes time (looking into the
label masks) is done when the browser asks, not while the page is drawn.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from pages.ui.door.secret import token_of
from pages.ui.map.routes import by_token, tiles

_MOST = 64
# Masks are looked at on a grid of so many pixels a side: enough to see whether anything burned.
_LOOK_PX = 256


@dataclass(frozen=True)
class Item:
    """One scene.

    Attributes:
        picture: its index among the pictures of the layer.
        box: west, south, east, north in degrees.
        cloud_pct: None where nobody states it.
        mask: its label raster, if there is one.
        score: how well it was mapped, in words; "" where nobody has.
    """

    id: str
    title: str
    date: str
    picture: int
    box: tiles.Bounds
    cloud_pct: float | None = None
    split: str | None = None
    mask: Path | None = None
    score: str = ""


@dataclass(frozen=True)
class Gallery:
    """Scenes of one layer.

    Attributes:
        layer: token of the layer whose pictures are shown.
        has_labels: whether scenes of this kind have labels at all, so that one without is worth a word.
        scored_by: the decoder that the scores are of; empty where the page says it.
        is_worst_first: the items stand in the order of their scores.
    """

    layer: str
    items: tuple[Item, ...]
    has_labels: bool
    scored_by: str = ""
    is_worst_first: bool = False


_galleries: OrderedDict[str, Gallery] = OrderedDict()


def register(gallery: Gallery) -> str:
    """The token of a gallery, the same for the same content; the oldest of too many is forgotten.

    Raises:
        SceneError: a mask lies outside the folders that the app may show.
    """
    tiles.require_all_shown(item.mask for item in gallery.items if item.mask is not None)
    token = token_of("galleries", gallery)
    by_token.keep(_galleries, token, gallery, _MOST)
    return token


def told(token: str) -> dict[str, object]:
    """What the browser shows of a gallery.

    Raises:
        LookupError: no such gallery, or no longer.
    """
    gallery = by_token.find(_galleries, token)
    scenes = [_told(item, gallery.has_labels) for item in gallery.items]
    return {
        "layer": gallery.layer, "scenes": scenes, "scoredBy": gallery.scored_by, "isWorstFirst": gallery.is_worst_first,
    }  # fmt: skip


def _told(item: Item, has_labels: bool) -> dict[str, object]:
    west, south, east, north = item.box
    return {
        "id": item.id,
        "title": item.title,
        "date": item.date,
        "picture": item.picture,
        "box": [[south, west], [north, east]],
        "cloud": None if item.cloud_pct is None else f"{item.cloud_pct:.0f} % cloud",
        "split": item.split or "",
        "label": _label(item.mask) if has_labels else "",
        "score": item.score,
    }


@dataclass(frozen=True)
class Labelled:
    """What the labels of a scene say.

    Attributes:
        unseen_pct: of the scene, which the labels call not seen, because of clouds or gaps.
        burned_pct: of the pixels with a label; None where the labels are no 0 and 1, or there are none.
    """

    unseen_pct: float = 0.0
    burned_pct: float | None = None


def labelled(mask: Path | None) -> Labelled | None:
    """What the labels of a scene say; None where it has none that can be read."""
    try:
        return None if mask is None else _labelled(str(mask), mask.stat().st_mtime_ns)
    except OSError:
        return None


def _label(mask: Path | None) -> str:
    """The same in a word or two."""
    found = labelled(mask)
    if found is None or found.unseen_pct == 100:
        return "unlabelled"
    burned = found.burned_pct
    if burned is None:
        return "labelled"
    return f"{burned:.0f} % burned" if burned >= 1 else "under 1 % burned" if burned else "fire-free"


@functools.lru_cache(maxsize=4096)
def _labelled(mask: str, modified_ns: int) -> Labelled:
    """Looks at a small picture of a mask.

    Raises:
        OSError: it cannot be read.
    """
    del modified_ns
    import numpy as np
    import rasterio
    from rasterio.errors import RasterioError

    try:
        with rasterio.open(mask) as source:
            shape = tuple(min(_LOOK_PX, side) for side in (source.height, source.width))
            values = source.read(1, out_shape=shape, masked=True).compressed()
    except RasterioError as err:
        raise OSError(str(err)) from err
    is_whole = np.issubdtype(values.dtype, np.integer)
    known = values[(values >= 0) & (values != 255)] if is_whole else values
    is_burned = known.size > 0 and set(np.unique(known).tolist()) <= {0, 1}
    unseen = 100 * (1 - known.size / (shape[0] * shape[1]))
    return Labelled(unseen, 100 * float(np.mean(known)) if is_burned else None)
