"""Embeddings that others published, in the place of scenes: a store made of them has no imagery of its own.

They are a file or folder of this machine, or what a catalogue has of the configuration's region in a year.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from engine.errors import LabelError, SceneError
from engine.frozen import Frozen
from engine.imagery.scene import Scene
from engine.paths import modified, resolve_path


class PublishedEmbeddings(Frozen):
    """A file of embeddings that an import took into a store, or opened where it lies; it holds no scene."""

    added_later: ClassVar[tuple[str, ...]] = ("images", "in_place", "catalogue", "year")
    overlaps: ClassVar[bool] = False

    source: Literal["embeddings"]
    path: str | None = Field(
        None, description="The file or folder of embeddings: GeoTIFF, GeoParquet, NPY, Zarr and others."
    )
    catalogue: str | None = Field(
        None,
        description="Instead of a path: the catalogue of embeddings that is asked for the region and the year.",
    )
    year: int | None = Field(
        None,
        ge=1984,
        le=2100,
        description="The year of a catalogue, or of a Zarr group that holds several; null: the only one, or of a group all.",
    )
    images: str | None = Field(
        None,
        description="Folder with the images of chips, where a folder of embeddings does not say where they lie.",
    )
    in_place: bool | None = Field(
        None, description="Read embeddings from the file when they are looked at; null: make a store of them."
    )

    @model_validator(mode="after")
    def _from_one_place(self) -> Self:
        if (self.path is None) == (self.catalogue is None):
            raise ValueError("path or catalogue, one of them, says where the embeddings are")
        if self.catalogue is not None and (self.in_place or self.images is not None):
            raise ValueError(
                "in_place and images go with a path: what a catalogue has is fetched into a store"
            )
        return self

    @property
    def title(self) -> str:
        """The file's name in words; of a catalogue its name and the year."""
        if self.path is None:
            return " ".join(map(str, filter(None, (self.catalogue, self.year))))
        return Path(self.path).stem.replace("_", " ")

    @property
    def _name(self) -> str:
        return self.title if self.path is None else Path(self.path).name

    def prepare(self, root: Path) -> Iterator[str]:
        """Nothing can be made."""
        del root
        yield from ()

    def prepare_labels(self, root: Path, name: str) -> Iterator[str]:
        """Refuse: labels come from another file.

        Raises:
            LabelError: always.
        """
        del root
        raise LabelError(
            f"The embeddings of {self._name} bring no labels named {name}. Give a label raster (labels: source: raster)."
        )

    def is_ready(self, root: Path) -> bool:
        """Always: nothing has to be made first."""
        del root
        return True

    def find(self, root: Path) -> tuple[Scene, ...]:
        """Refuse: there is no imagery.

        Raises:
            SceneError: always.
        """
        del root
        raise SceneError(
            f"{self._name} holds embeddings that others made, without the imagery that they were made of."
        )

    def find_readable(self, root: Path) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
        """As `find`."""
        return self.find(root), ()

    def stamp(self, root: Path) -> float:
        """When the file changed last."""
        del root
        return 0.0 if self.path is None else modified(resolve_path(self.path))

    def last_date(self) -> Self:
        """The same: it is one file."""
        return self
