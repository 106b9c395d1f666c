"""What the maps show of rasters on disk: a bounded table of layers.

A page registers a layer and gets a token, made from the content and the server's secret; the address carries the token
and three numbers, so nothing that a visitor types becomes a path, and only rasters that a page has shown can be read.
"""

from __future__ import annotations

import functools
import os
import stat
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from engine.errors import SceneError
from engine.imagery.cubes.opening import changed_ns
from engine.imagery.cubes.zarr_store import is_zarr
from engine.paths import PROJECT
from engine.workspace import is_of_another
from pages.ui import workspace
from pages.ui.door.secret import token_of
from pages.ui.map.routes import by_token

MAX_LAYERS = 1024  # some of each of twenty people's open pages
Bounds = tuple[float, float, float, float]
Colour = tuple[int, int, int, int]
Stretch = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Band:
    """One band of a raster file.

    Attributes:
        index: from 1.
        scale, offset: value shown = stored value * scale + offset.
        nodata: stored values that are transparent, besides what the file itself masks.
    """

    path: Path
    index: int = 1
    scale: float = 1.0
    offset: float = 0.0
    nodata: tuple[float, ...] = ()


@dataclass(frozen=True)
class Meaning:
    """What the values of a layer say to a person who points at it.

    Attributes:
        kind: "measured": each band by its name; "class": one of `titles`; "share": 0 to 1, told as a percentage;
            "probability": one of `titles`, and the step of its probability;
            "colour": nothing can be read off it.
        bands: names of a picture's bands, in their order.
        unit: of measured values.
        titles: class value -> title.
        dates: of each picture, in words; empty where nobody knows them.
    """

    kind: Literal["measured", "class", "share", "probability", "colour"] = "colour"
    bands: tuple[str, ...] = ()
    unit: str = ""
    titles: tuple[tuple[int, str], ...] = ()
    dates: tuple[str, ...] = ()


_SILENT = Meaning()


@dataclass(frozen=True)
class Layer:
    """What a map shows of some rasters.

    Attributes:
        pictures: together they are one layer; where they overlap the first wins. Each is three bands for red, green and
            blue, or one with `colours`; the bands of a picture may lie in files of their own.
        stretch: for each band the values that become 0 and 255; empty for 8-bit colour as it is.
        stretches: of each picture its own, instead.
        colours: class value -> red, green, blue, alpha; values without a colour are transparent.
        meaning: what is said of the place under the pointer.
    """

    pictures: tuple[tuple[Band, ...], ...]
    stretch: Stretch = ()
    colours: tuple[tuple[int, Colour], ...] = ()
    meaning: Meaning = _SILENT
    stretches: tuple[Stretch, ...] = ()

    def stretch_of(self, index: int) -> Stretch:
        """The stretch of a picture."""
        return self.stretches[index] if self.stretches else self.stretch

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, each once."""
        return tuple(dict.fromkeys(band.path for picture in self.pictures for band in picture))


_layers: OrderedDict[str, Layer] = OrderedDict()


def register(layer: Layer) -> str:
    """The token of a layer, the same for the same content; the oldest of too many is forgotten.

    Raises:
        SceneError: a raster is absent, or lies outside the folders that the app may show.
    """
    real = require_all_shown(layer.paths)
    stamps = [_stamp(path) for path in real.values()]
    pictures = tuple(
        tuple(replace(band, path=real[band.path]) for band in picture) for picture in layer.pictures
    )
    token = token_of("tiles", stamps, pictures, layer.stretch, layer.colours, layer.meaning, layer.stretches)
    by_token.keep(_layers, token, replace(layer, pictures=pictures), MAX_LAYERS)
    return token


def roots() -> tuple[Path, ...]:
    """Folders whose rasters may be shown: the project's assets, shared data, the workspace, and EMBERSCOPE_DATA."""
    named = [Path(part) for part in os.environ.get("EMBERSCOPE_DATA", "").split(os.pathsep) if part]
    return tuple(
        path.resolve()
        for path in (PROJECT / "assets", workspace.shared() / "data", workspace.folder(), *named)
    )


def require_shown(path: Path) -> Path:
    """A file or folder with its links followed, once it lies in a folder that the app may show.

    Raises:
        SceneError: it does not.
    """
    return require_all_shown([path])[path]


def require_all_shown(paths: Iterable[Path]) -> dict[Path, Path]:
    """Files or folders with their links followed, once all lie in folders that the app may show.

    The links of a folder are followed once for all that lie in it: a season is a hundred files, and each step of a path
    is a question to the file system.

    Raises:
        SceneError: one does not.
    """
    own, allowed = workspace.folder(), roots()
    resolve_folder = functools.cache(Path.resolve)
    found: dict[Path, Path] = {}
    for path in paths:
        is_plain = path.name not in ("", "..") and not path.is_symlink()
        real = resolve_folder(path.parent) / path.name if is_plain else path.resolve()
        if is_of_another(real, own) or not any(real.is_relative_to(root) for root in allowed):
            raise SceneError(
                f"{real} lies in a folder that the app may not show. "
                f"Name that folder in EMBERSCOPE_DATA before the app starts, or copy it below {workspace.shared() / 'data'}."
            )
        found[path] = real
    return found


def find(token: str) -> Layer:
    """The layer of a token.

    Raises:
        LookupError: no such layer, or no longer.
    """
    return by_token.find(_layers, token)


def _stamp(path: Path) -> tuple[str, int, int]:
    """Path, time of modification and size of a file, or of the folder of a Zarr store.

    Raises:
        SceneError: it is absent.
    """
    try:
        found = path.stat()
    except OSError:
        found = None
    if found is not None and is_zarr(path):
        return str(path), changed_ns(path), found.st_size
    if found is None or not stat.S_ISREG(found.st_mode):
        raise SceneError(f"{path} is not there: it was moved or deleted. Choose another raster.")
    return str(path), found.st_mtime_ns, found.st_size
