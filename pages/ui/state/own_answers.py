"""What a person corrected of the rasters of a folder, kept for the next raster of the same layout from there.

The date is not kept: the next raster is of another. What was said of rasters of several layouts together is kept for
the same layouts together, never for one of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.files import make_folder, read_json, write_atomic, write_errors
from engine.imagery.raster.layout import RasterLayout
from engine.imagery.sources.source import Declared
from pages.ui import workspace

_KEPT = ("sensor", "bands", "scale", "offset", "nodata", "level")


def recall(folder: Path, layouts: Sequence[RasterLayout]) -> dict[str, Any]:
    """What was said of rasters of these layouts in a folder; empty where nothing was, or where it cannot be read."""
    try:
        tree = read_json(_path(folder, layouts))
        said = {name: value for name, value in tree["said"].items() if name in _KEPT and value is not None}
        return Declared.model_validate(said).model_dump(include=set(said))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError):
        return {}


def remember(folder: Path, layouts: Sequence[RasterLayout], said: Mapping[str, Any]) -> None:
    """Keep what was said; nothing said is nothing kept.

    Raises:
        DiskFull, BadInput, RunFailure: it cannot be written.
    """
    kept = {name: said[name] for name in _KEPT if said.get(name) is not None}
    if not kept:
        forget(folder, layouts)
        return
    make_folder(_folder())
    text = json.dumps({"folder": str(folder), "bands": layouts[0].bands, "said": kept}, indent=1)
    write_atomic(_path(folder, layouts), lambda temporary: temporary.write_text(text, encoding="utf-8"))


def forget(folder: Path, layouts: Sequence[RasterLayout]) -> None:
    """Take rasters of these layouts in a folder as they are from now on."""
    with write_errors(_path(folder, layouts)):
        _path(folder, layouts).unlink(missing_ok=True)


def _path(folder: Path, layouts: Sequence[RasterLayout]) -> Path:
    distinct = sorted({(layout.bands, layout.dtypes) for layout in layouts})
    key = json.dumps([str(folder), *(part for layout in distinct for part in layout)])
    return _folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


def _folder() -> Path:
    return workspace.folder() / "places" / "answers"
