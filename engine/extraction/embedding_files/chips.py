"""Which chips a configuration of embedding files means: each with its embeddings, its label raster and its split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from engine.errors import ConfigError, LabelError, StoreError
from engine.imagery.scene import scene_id
from engine.jobs.configuration.config import EmbeddingFilesConfig, FilesPart
from engine.labels.label_files import files_by_name, files_by_stem, joined, stem_of
from engine.paths import resolve_path
from engine.store.store import FINISHED, EmbeddingStore

_SHOWN = 3
# What may follow the name in a split file in the name of a chip's embeddings: `x1` is not the chip `x`.
_BETWEEN = "_.-"


@dataclass(frozen=True)
class ChipEmbeddings:
    """One chip whose embeddings are there.

    Attributes:
        id: of its tile: the label's name, behind what its folder differs in where labels of several folders share one.
        stem: of the embeddings: the name of the image that they were made of.
        found: the GeoTIFF of its embeddings, or the store that holds them under the tile id `stem`.
        split: "train", "val" or "test".
    """

    id: str
    stem: str
    found: Path | EmbeddingStore
    label: Path
    split: str


def chips_of(config: EmbeddingFilesConfig) -> list[ChipEmbeddings]:
    """The chips of all splits, by split and name.

    Raises:
        StoreError: a folder without embeddings.
        LabelError: a chip without a label.
        ConfigError: names in a split file that no chip has, or a chip in two splits.
    """
    every = files_by_name([resolve_path(one) for one in config.label_folders], config.label_files)
    names = {path: name for name, path in every.items()}
    chips = [chip for split, part in config.parts.items() for chip in _of_part(config, part, split, names)]
    if config.test is None:
        chips = _with_test(chips)
    _require_once(chips)
    return chips


def store_of(folder: Path) -> EmbeddingStore | None:
    """The store of Emberscope that a folder is or holds; None where it is a folder of files.

    Raises:
        StoreError: the store is damaged.
    """
    is_store = (folder / FINISHED).is_dir() or any(folder.glob("part-*.parquet"))
    return EmbeddingStore.open(folder) if is_store else None


def _of_part(
    config: EmbeddingFilesConfig, part: FilesPart, split: str, names: Mapping[Path, str]
) -> Iterator[ChipEmbeddings]:
    """The chips of a split: their embeddings in its folder, their labels in its folder of labels.

    Args:
        names: of each label raster of all splits.
    """
    folder = resolve_path(part.embeddings)
    labels = files_by_stem([resolve_path(part.labels)], config.label_files)
    there = _embeddings(folder, config.images)
    chosen = list(there) if part.split is None else _named(resolve_path(part.split), list(there))
    lacking = [stem for stem in chosen if joined(stem, labels) is None]
    if lacking:
        raise LabelError(
            f"{len(lacking)} of {len(chosen)} chips have no label in {part.labels} named like them "
            f"({_few(lacking)}): labels are {config.label_files}, and the chip of x.mask.tif is x or x_merged."
        )
    for stem in sorted(chosen):
        label = joined(stem, labels)
        assert label is not None
        yield ChipEmbeddings(scene_id(names[label]), stem, there[stem], label, split)


def _embeddings(folder: Path, pattern: str) -> dict[str, Path | EmbeddingStore]:
    """Embeddings by the name of their chip."""
    if not folder.is_dir():
        raise StoreError(f"{folder} is no folder. Name the folder that holds the embeddings ({pattern}).")
    store = store_of(folder)
    if store is not None:
        return {tile.id: store for tile in store.tiles}
    found: dict[str, Path | EmbeddingStore] = {
        stem_of(path.name, pattern): path for path in sorted(folder.glob(pattern)) if path.is_file()
    }
    if not found:
        inner = sorted(one.name for one in folder.glob("layer_*") if one.is_dir())
        step = f"It holds {_few(inner)}: name one of these." if inner else "Mend the folder or the pattern."
        raise StoreError(f"{folder} holds no embeddings named {pattern}. {step}")
    return found


def _named(file: Path, stems: Sequence[str]) -> list[str]:
    """The chips that a split file names, by their whole name or by what it begins with.

    Raises:
        ConfigError: the file is absent or empty, or a name fits no chip or several.
    """
    try:
        names = file.read_text(encoding="utf-8-sig").split()
    except (OSError, UnicodeDecodeError) as err:
        raise ConfigError(f"The split file {file} cannot be read. Check the path.") from err
    if not names:
        raise ConfigError(f"The split file {file} names no chips.")
    begins: dict[str, list[str]] = {}
    for stem in stems:
        for start in {stem, *(stem[:at] for at, sign in enumerate(stem) if sign in _BETWEEN)}:
            begins.setdefault(start, []).append(stem)
    fits = {
        name: [name] if name in stems else begins.get(name) or begins.get(Path(name).stem, [])
        for name in names
    }
    unknown = [name for name, found in fits.items() if not found]
    unclear = [name for name, found in fits.items() if len(found) > 1]
    if unknown:
        raise ConfigError(
            f"{file} names {len(unknown)} of {len(fits)} chips that have no embeddings ({_few(unknown)}). Make their "
            f"embeddings, or take their names out of the file."
        )
    if unclear:
        raise ConfigError(
            f"{file} names {unclear[0]}, and {_few(fits[unclear[0]])} begin like it. Give whole names."
        )
    return list(dict.fromkeys(stem for name in names for stem in fits[name]))


def _with_test(chips: list[ChipEmbeddings]) -> list[ChipEmbeddings]:
    """Every second chip of the validation tests."""
    second = [chip.stem for chip in chips if chip.split == "val"][1::2]
    return [
        replace(chip, split="test") if chip.split == "val" and chip.stem in second else chip for chip in chips
    ]


def _require_once(chips: Sequence[ChipEmbeddings]) -> None:
    found: dict[str, ChipEmbeddings] = {}
    for chip in chips:
        other = found.setdefault(chip.id, chip)
        if other.split != chip.split:
            raise ConfigError(
                f"{chip.id} stands in the splits {other.split} and {chip.split}. Keep each chip in one: a test split that is "
                f"also another one measures nothing."
            )
        if other is not chip:
            raise LabelError(
                f"The embeddings {other.stem} and {chip.stem} have one label, {chip.label.name}. Name one split of files each."
            )


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
