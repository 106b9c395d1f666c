"""The files of TerraTorch's chips: a folder a layer, in it a GeoTIFF or a Parquet a chip, or one Parquet for all chips."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import StoreError
from engine.store.products.tables.nested import is_list
from engine.store.products.terratorch.summary import layer_of, read_summary

# Columns of its tables (terratorch/tasks/embedding_generation.py, release 1.2).
_VALUES, _STEM = ("embedding", "embeddings"), "file_id"
_TIFF_END, _TABLE_END, _JOINT = "_embedding.tif", "_embedding.parquet", "embeddings.parquet"
_IMAGE_ENDINGS = (".tif", ".tiff", ".nc", ".npy")


@dataclass(frozen=True)
class ChipFile:
    """Where the embeddings of a chip are.

    Attributes:
        row: of a Parquet file; None for a GeoTIFF.
    """

    path: Path
    row: int | None = None


@dataclass(frozen=True)
class ChipLayers:
    """The chips of each layer, by the layer's number and the chip's stem; all layers have the same stems."""

    folders: Mapping[int, Path]
    chips: Mapping[int, Mapping[str, ChipFile]]
    summary: dict[str, Any]

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of the layers, in order."""
        return tuple(sorted(self.chips))

    @property
    def stems(self) -> tuple[str, ...]:
        """Of the chips, in order."""
        return tuple(sorted(self.chips[self.numbers[0]]))

    @property
    def is_table(self) -> bool:
        """Whether they are in Parquet files."""
        return next(iter(self.chips[self.numbers[0]].values())).row is not None

    def first(self, layer: int) -> ChipFile:
        """The first chip of a layer."""
        return self.chips[layer][self.stems[0]]


def is_terratorch(path: Path) -> bool:
    """Whether a folder holds TerraTorch's embeddings, or folders of their layers; or a file is one of its tables."""
    if path.is_file():
        return path.name.lower().endswith((".parquet", ".pq")) and is_table_of_chips(path)
    return any(_holds_chips(folder) for folder in (path, *path.glob("layer_*")))


def is_table_of_chips(path: Path) -> bool:
    """Whether a Parquet file has TerraTorch's columns, or patches nested in a list a chip."""
    try:
        schema = pq.read_schema(path)
    except (OSError, pa.ArrowException):
        return False
    name = values_column(schema)
    if name is None or b"emberscope" in (schema.metadata or {}):
        return False
    return _STEM in schema.names or is_list(schema.field(name).type.value_type)


def values_column(schema: pa.Schema) -> str | None:
    """The column of lists that holds embeddings; None where there is none."""
    return next((one for one in _VALUES if one in schema.names and is_list(schema.field(one).type)), None)


def chip_layers(path: Path) -> ChipLayers:
    """The layers of a folder, or the one that it is; or those of a table.

    Raises:
        StoreError: a layer lacks chips that another has, or a table names a chip twice.
    """
    if path.is_file():
        return ChipLayers({0: path.parent}, {0: _of_table(path)}, read_summary(path.parent))
    folders = (
        [path] if _holds_chips(path) else sorted(one for one in path.glob("layer_*") if _holds_chips(one))
    )
    summary, found = read_summary(folders[0]), [_of_folder(folder) for folder in folders]
    for folder, own in zip(folders, found, strict=True):
        odd = sorted(own.keys() ^ found[0].keys())
        if odd:
            raise StoreError(
                f"{folder.name} and {folders[0].name} do not hold the same chips: {len(odd)} stand in one of them only, such as "
                f"{odd[0]}. Give the folder of one layer."
            )
    numbers = [_number(summary, folder, place) for place, folder in enumerate(folders)]
    if len(set(numbers)) < len(folders):
        numbers = list(range(len(folders)))
    return ChipLayers(
        dict(zip(numbers, folders, strict=True)), dict(zip(numbers, found, strict=True)), summary
    )


def _number(summary: dict[str, Any], folder: Path, place: int) -> int:
    """The layer of a folder: as the summary says, else its place in the order of names."""
    return layer_of(summary, folder.name) if summary.get("layers") else place


def _holds_chips(folder: Path) -> bool:
    if any(folder.glob(f"*{_TIFF_END}")) or any(folder.glob(f"*{_TABLE_END}")):
        return True
    return (folder / _JOINT).is_file() and is_table_of_chips(folder / _JOINT)


def _of_folder(folder: Path) -> dict[str, ChipFile]:
    """The chips of a folder: its GeoTIFFs, else its tables of a chip each, else the table of all."""
    tiffs = {file.name.removesuffix(_TIFF_END): ChipFile(file) for file in folder.glob(f"*{_TIFF_END}")}
    if tiffs:
        return tiffs
    tables = {file.name.removesuffix(_TABLE_END): ChipFile(file, 0) for file in folder.glob(f"*{_TABLE_END}")}
    return tables or _of_table(folder / _JOINT)


def _of_table(path: Path) -> dict[str, ChipFile]:
    """The rows of a table by their stems; by their numbers where it names none."""
    try:
        with pq.ParquetFile(path) as file:
            if _STEM not in file.schema_arrow.names:
                return {f"row_{row}": ChipFile(path, row) for row in range(file.metadata.num_rows)}
            named = file.read(columns=[_STEM])[_STEM].to_pylist()
    except (OSError, pa.ArrowException) as err:
        raise StoreError(
            f"{path} cannot be read as Parquet ({' '.join(str(err).split())[:100]}). Copy or download it again."
        ) from err
    if not named:
        raise StoreError(f"{path} has no rows. Give a file with embeddings.")
    stems = [_stem(str(name)) for name in named]
    twice = [stem for stem, count in Counter(stems).items() if count > 1]
    if twice:
        raise StoreError(
            f"{path} names {len(twice)} chips more than once in {_STEM}, such as {twice[0]}: nothing tells which of them is which. "
            f"Give chips of different names, or leave the second ones out."
        )
    return {stem: ChipFile(path, row) for row, stem in enumerate(stems)}


def _stem(name: str) -> str:
    """A chip's name without folders and the ending of an image; dots inside it are kept."""
    plain = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    ending = next((end for end in _IMAGE_ENDINGS if plain.lower().endswith(end)), "")
    return plain[: len(plain) - len(ending)] or name
