"""A folder of chips brought into the layout of HLS Burn Scars: data/ with images and masks, splits/ with text files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import rasterio
from rasterio.errors import RasterioError

from engine.errors import BadInput
from engine.files import make_folder, write_atomic
from engine.imagery.sources.product_files import RASTER_ENDINGS

_IMAGE, _MASK = "_merged.tif", ".mask.tif"


@dataclass(frozen=True)
class Layout:
    """Chips in data/.

    Attributes:
        folder: holds data/ and splits/.
        came_from: stem -> name of the folder that held the chip before.
    """

    folder: Path
    came_from: Mapping[str, str]


def arrange(folder: Path) -> Layout:
    """Move the chips of all folders below one into its data/, and split files into its splits/.

    Raises:
        BadInput: two chips of one name, or none.
    """
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    came_from: dict[str, str] = {}
    make_folder(folder / "data")
    for path in found:
        if path.suffix == ".txt" and path.parent.name == "splits":
            _move(path, folder / "splits" / path.name)
        elif path.name.endswith((_IMAGE, _MASK)) and path.suffix in RASTER_ENDINGS:
            _move(path, folder / "data" / path.name)
            if path.name.endswith(_IMAGE):
                came_from[path.name.removesuffix(_IMAGE)] = path.parent.name
    if not came_from:
        raise BadInput(
            f"{folder.name.strip('.')} holds no chips (*{_IMAGE}). Look at what is published, and fetch it by hand."
        )
    for place in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if not any(place.iterdir()):
            place.rmdir()
    return Layout(folder, came_from)


def _move(path: Path, target: Path) -> None:
    if target == path:
        return
    if target.exists():
        raise BadInput(f"Two files are named {path.name}, so nothing tells which one is meant.")
    make_folder(target.parent)
    path.rename(target)


def check(layout: Layout, title: str, chips: int, side_px: int, bands: int) -> None:
    """Open every image and mask, without their pixels.

    Raises:
        BadInput: another number of chips than was published, or one of another size, unreadable or without a mask.
    """
    stems = sorted(layout.came_from)
    if len(stems) != chips:
        raise BadInput(
            f"{title} holds {len(stems)} chips, and {chips} are published. Fetch it again; if that repeats, it was changed."
        )
    for stem in stems:
        for ending, count in ((_IMAGE, bands), (_MASK, 1)):
            path = layout.folder / "data" / f"{stem}{ending}"
            try:
                with rasterio.open(path, driver="GTiff") as raster:
                    shape = (raster.count, raster.height, raster.width)
            except RasterioError as err:
                raise BadInput(
                    f"{path.name} of {title} is absent or cannot be read. Fetch it again."
                ) from err
            if shape != (count, side_px, side_px):
                raise BadInput(
                    f"{path.name} of {title} has {shape[0]} band(s) of {shape[1]} x {shape[2]} px, and {count} of {side_px} x {side_px} "
                    f"are published. Fetch it again."
                )


def split_by_names(layout: Layout, names: Mapping[str, Sequence[str]]) -> None:
    """Write split files from names that are stems, or the part of them that tells chips apart.

    Raises:
        BadInput: a name that fits no chip or several, or chips that no file names.
    """
    splits: dict[str, list[str]] = {}
    for split, own in names.items():
        splits[split] = [_stem_of(layout, name) for name in own]
    named = [stem for stems in splits.values() for stem in stems]
    if len(set(named)) != len(named) or set(named) != set(layout.came_from):
        raise BadInput(f"they name {len(set(named))} of {len(layout.came_from)} chips")
    _write(layout, splits)


def _stem_of(layout: Layout, name: str) -> str:
    if name in layout.came_from:
        return name
    plain = name.removesuffix(_IMAGE).removesuffix(_MASK)
    fitting = [stem for stem in layout.came_from if plain and plain in stem]
    if len(fitting) != 1:
        raise BadInput(f"{name[:60]!r} in them fits {len(fitting)} chips")
    return fitting[0]


def split_by_folders(layout: Layout) -> dict[str, int]:
    """Write split files from the folders `training` and `validation`: every second chip of the latter tests.

    Returns:
        Chips of each split.
    """
    stems = sorted(layout.came_from)
    validation = [stem for stem in stems if layout.came_from[stem].startswith("val")]
    train = [stem for stem in stems if stem not in set(validation)]
    splits = {"train": train, "val": validation[::2], "test": validation[1::2]}
    _write(layout, splits)
    return {name: len(own) for name, own in splits.items()}


def _write(layout: Layout, splits: Mapping[str, Sequence[str]]) -> None:
    make_folder(layout.folder / "splits")
    for name, own in splits.items():
        text = "".join(f"{stem}\n" for stem in own)
        path = layout.folder / "splits" / f"{name}.txt"
        write_atomic(path, lambda temporary, text=text: temporary.write_text(text, encoding="utf-8"))  # type: ignore[misc]
