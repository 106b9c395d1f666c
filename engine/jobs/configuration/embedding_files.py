"""Embeddings that another program left as one raster a chip, such as TerraTorch, beside label rasters and split files."""

from __future__ import annotations

from pathlib import PurePath
from typing import Literal

from pydantic import Field, field_validator

from engine.frozen import Frozen


class FilesPart(Frozen):
    """The chips of one split."""

    embeddings: str = Field(
        description="Folder of the embeddings, one GeoTIFF a chip with a band a dimension; or a store of Emberscope."
    )
    labels: str = Field(description="Folder of the label rasters; a chip's name begins like its label's.")
    split: str | None = Field(
        None, description="Text file with the names of the split's chips; null: all of the folder."
    )


class EmbeddingFilesConfig(Frozen):
    """A store made of embeddings that are there already; label rasters say where each chip lies."""

    kind: Literal["embedding_files"]
    images: str = Field("*_embedding.tif", min_length=1, description="Pattern of the embeddings' names.")
    label_files: str = Field("*.mask.tif", min_length=1, description="Pattern of the label rasters' names.")
    train: FilesPart
    validation: FilesPart
    test: FilesPart | None = Field(
        None, description="null: every second chip of the validation, by name, tests instead."
    )

    @field_validator("images", "label_files")
    @classmethod
    def _pattern_stays_in_the_folder(cls, pattern: str) -> str:
        if PurePath(pattern).is_absolute() or ".." in PurePath(pattern).parts:
            raise ValueError("is a pattern of names inside the folder, without '..'")
        return pattern

    @property
    def parts(self) -> dict[str, FilesPart]:
        """The splits that have files of their own, by the name that stored tiles give them."""
        named = {"train": self.train, "val": self.validation}
        return named if self.test is None else {**named, "test": self.test}

    @property
    def label_folders(self) -> tuple[str, ...]:
        """Every folder of labels, once."""
        return tuple(dict.fromkeys(part.labels for part in self.parts.values()))
