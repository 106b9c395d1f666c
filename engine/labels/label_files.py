"""Label rasters of chips, joined by name: `x.mask.tif` is the label of the chip `x`, and of `x_merged`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from engine.errors import LabelError
from engine.store.schema import StoredTile

# What may follow a label's stem in the name of its chip: `x1` is not the chip of the label `x`.
_BETWEEN = "_.-"


def stem_of(name: str, pattern: str) -> str:
    """A file's name without what its pattern fixes at the end: `x` of `x.mask.tif` and `*.mask.tif`."""
    return name.removesuffix(pattern.rpartition("*")[2]) or name


def files_by_stem(folders: Iterable[Path], pattern: str) -> dict[str, Path]:
    """The files of some folders that fit a pattern, by their stems.

    Raises:
        LabelError: a folder that is not there, none that fit, or two of one name.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        if not folder.is_dir():
            raise LabelError(f"{folder} is no folder. Name the folder that holds {pattern}.")
        for path in sorted(folder.glob(pattern)):
            stem = stem_of(path.name, pattern)
            if path.is_file() and found.setdefault(stem, path) != path:
                raise LabelError(
                    f"{path} and {found[stem]} have one name, so that it is not told which one is meant. Rename one."
                )
    if not found:
        raise LabelError(f"No file of {', '.join(map(str, folders))} fits {pattern}. Mend the pattern.")
    return found


def files_by_name(folders: Iterable[Path], pattern: str) -> dict[str, Path]:
    """The files of some folders that fit a pattern, each by a name of its own.

    A name is the file's stem; where several folders hold the same names, as a `0001` in each of train/ and val/, what the
    folders differ in stands before all of them: `train-0001`.

    Raises:
        LabelError: a folder that is not there, or none that fit.
    """
    every = list(dict.fromkeys(folders))
    by_folder = {folder: files_by_stem([folder], pattern) for folder in every}
    words = _differing(every)
    is_shared = len({stem for own in by_folder.values() for stem in own}) < sum(map(len, by_folder.values()))
    return {
        f"{words[folder]}-{stem}" if is_shared else stem: path
        for folder, own in by_folder.items()
        for stem, path in own.items()
    }


def _differing(folders: Sequence[Path]) -> dict[Path, str]:
    """What tells folders apart: the parts of their paths that not all of them have, joined by hyphens; else their numbers."""
    shared = set.intersection(*(set(one.parts) for one in folders))
    words = ["-".join(part for part in one.parts if part not in shared) for one in folders]
    is_told = len(set(words)) == len(words) and all(words)
    return {
        one: word if is_told else str(number)
        for number, (one, word) in enumerate(zip(folders, words, strict=True))
    }


def joined(name: str, stems: Mapping[str, Path]) -> Path | None:
    """The file that belongs to a chip: of the same stem, or of the longest one that the chip's name begins with."""
    if name in stems:
        return stems[name]
    ends = [at for at, sign in enumerate(name) if sign in _BETWEEN]
    return next((stems[name[:at]] for at in reversed(ends) if name[:at] in stems), None)


def label_files_of(tiles: Sequence[StoredTile], folders: Sequence[Path], pattern: str) -> list[Path]:
    """The label raster of each tile, in their order.

    Raises:
        LabelError: a tile without one, or as `files_by_stem`.
    """
    stems = files_by_name(folders, pattern)
    found = [
        next(filter(None, (joined(name, stems) for name in (tile.id, *tile.scene_ids))), None)
        for tile in tiles
    ]
    lacking = [tile.id for tile, path in zip(tiles, found, strict=True) if path is None]
    if lacking:
        files_by_stem(folders, pattern)  # two of one name are told as such
        raise LabelError(
            f"{len(lacking)} of {len(tiles)} chips have no label named like them ({', '.join(lacking[:3])}"
            f"{', ...' if len(lacking) > 3 else ''}): {pattern} in {', '.join(map(str, folders))}. Mend labels.folders "
            f"or labels.pattern."
        )
    return [path for path in found if path is not None]
