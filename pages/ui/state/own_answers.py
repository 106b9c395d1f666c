"""What a person corrected of the rasters of a folder, kept for the next raster of the same layout from there.

The date is not kept: the next raster is of another.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.files import make_folder, read_json, write_atomic, write_errors
from engine.imagery.raster.layout import RasterLayout
from engine.imagery.sources.source import Declared
from pages.ui import workspace

_KEPT = ("sensor", "bands", "scale", "offset", "nodata", "level")


def recall(folder: Path, layout: RasterLayout) -> dict[str, Any]:
    """What was said of rasters of this layout in a folder; empty where nothing was, or where it cannot be read."""
    try:
        tree = read_json(_path(folder, layout))
        said = {name: value for name, value in tree["said"].items() if name in _KEPT and value is not None}
        return Declared.model_validate(said).model_dump(include=set(said))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError):
        return {}


def remember(folder: Path, layout: RasterLayout, said: Mapping[str, Any]) -> None:
    """Keep what was said; nothing said is nothing kept.

    Raises:
        DiskFull, BadInput, RunFailure: it cannot be written.
    """
    kept = {name: said[name] for name in _KEPT if said.get(name) is not None}
    if not kept:
        forget(folder, layout)
        return
    make_folder(_folder())
    text = json.dumps({"folder": str(folder), "bands": layout.bands, "said": kept}, indent=1)
    write_atomic(_path(folder, layout), lambda temporary: temporary.write_text(text, encoding="utf-8"))


def forget(folder: Path, layout: RasterLayout) -> None:
    """Take rasters of this layout in a folder as they are from now on."""
    with write_errors(_path(folder, layout)):
        _path(folder, layout).unlink(missing_ok=True)


def _path(folder: Path, layout: RasterLayout) -> Path:
    key = json.dumps([str(folder), layout.bands, layout.dtypes])
    return _folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"


def _folder() -> Path:
    return workspace.folder() / "places" / "answers"
