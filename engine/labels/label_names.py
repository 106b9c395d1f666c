"""Labels beside scenes, told apart by their names: the mask, and others such as `<chip>.height.tif`."""

from __future__ import annotations

import dataclasses
import glob
import re
from collections.abc import Sequence
from pathlib import Path

from engine.errors import LabelError
from engine.imagery.scene import Scene

MASK = "mask"
_LOOKED_AT = 5  # scenes whose folder is searched for the names of labels


def named_labels(scenes: Sequence[Scene], name: str | None) -> tuple[Scene, ...]:
    """The scenes with the labels of a name (`<chip>.<name>.tif`) in place of their masks; None or mask: the masks themselves."""
    if name in (None, MASK):
        return tuple(scenes)
    beside = [_label_path(scene, str(name)) for scene in scenes]
    if scenes and not any(path.is_file() for path in beside):
        raise LabelError(
            f"The scenes have no labels named {name}: there is no file at {beside[0]}. Write them there, or give a label "
            f"raster (labels: source: raster, path: ...)."
        )
    return tuple(
        dataclasses.replace(scene, mask_path=path if path.is_file() else None)
        for scene, path in zip(scenes, beside, strict=True)
    )


def label_names(scenes: Sequence[Scene]) -> tuple[str, ...]:
    """Names of the labels that lie beside the first of some scenes: mask, and those of `<chip>.<name>.tif`."""
    found: set[str] = set()
    for scene in scenes[:_LOOKED_AT]:
        beside = _label_path(scene, "NAME")
        start, end = beside.name.split("NAME")
        names = (
            path.name.removeprefix(start).removesuffix(end)
            for path in beside.parent.glob(f"{glob.escape(start)}*{end}")
        )
        found.update(name for name in names if re.fullmatch(r"[A-Za-z0-9_-]+", name))
    return tuple(sorted(found, key=lambda name: (name != MASK, name)))


def _label_path(scene: Scene, name: str) -> Path:
    """Where the labels of a name lie: beside the scene's mask, or beside its image."""
    if scene.mask_path is not None:
        return scene.mask_path.with_name(scene.mask_path.name.replace(f".{MASK}.", f".{name}."))
    image = next(iter(scene.assets.values())).path
    return image.with_name(f"{image.stem.removesuffix('_merged')}.{name}.tif")
