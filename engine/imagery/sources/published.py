"""Embeddings that others published, in the place of scenes: a store made of them has no imagery of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field

from engine.errors import LabelError, SceneError
from engine.frozen import Frozen
from engine.imagery.scene import Scene
from engine.paths import modified, resolve_path


class PublishedEmbeddings(Frozen):
    """A file of embeddings that an import took into a store, or opened where it lies; it holds no scene."""

    added_later: ClassVar[tuple[str, ...]] = ("images", "in_place")
    overlaps: ClassVar[bool] = False

    source: Literal["embeddings"]
    path: str = Field(
        description="The file or folder of embeddings: GeoTIFF, GeoParquet, NPY, Zarr and others."
    )
    images: str | None = Field(
        None,
        description="Folder with the images of chips, where a folder of embeddings does not say where they lie.",
    )
    in_place: bool | None = Field(
        None, description="Read embeddings from the file when they are looked at; null: make a store of them."
    )

    @property
    def title(self) -> str:
        """The file's name in words."""
        return Path(self.path).stem.replace("_", " ")

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
            f"The embeddings of {Path(self.path).name} bring no labels named {name}. Give a label raster (labels: source: raster)."
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
            f"{Path(self.path).name} holds embeddings that others made, without the imagery that they were made of."
        )

    def find_readable(self, root: Path) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
        """As `find`."""
        return self.find(root), ()

    def stamp(self, root: Path) -> float:
        """When the file changed last."""
        del root
        return modified(resolve_path(self.path))

    def last_date(self) -> Self:
        """The same: it is one file."""
        return self
