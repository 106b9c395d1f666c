"""A folder of chips as a source: many small rasters, each a tile of its own."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from engine.imagery.places import Declared as DeclaredBands
from engine.imagery.places import chip_scenes, folder_scenes
from engine.imagery.scene import Scene
from engine.imagery.sources.source import Declared
from engine.paths import modified, resolve_path


class ChipsScene(Declared):
    """Many small rasters, each a tile of its own; without `images` in the layout of HLS Burn Scars."""

    overlaps: ClassVar[bool] = False
    added_later: ClassVar[tuple[str, ...]] = (*Declared.added_later, "images", "sensor")

    source: Literal["chips"]
    path: str = Field(description="Folder with data/ and splits/, or with the rasters that images names.")
    images: str | None = Field(
        None, min_length=1, description="Pattern of file names, e.g. *.tif; null: data/*_merged.tif."
    )

    @model_validator(mode="after")
    def _images_stay_in_the_folder(self) -> ChipsScene:
        if self.images and (PurePath(self.images).is_absolute() or ".." in PurePath(self.images).parts):
            raise ValueError("images is a pattern of names inside the folder, without '..'")
        return self

    @property
    def title(self) -> str:
        """The folder's name."""
        return Path(self.path).name.replace("_", " ")

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The chips in the order of their names.

        Raises:
            SceneError: absent, unreadable or not understood.
        """
        del root
        declared = DeclaredBands(self.bands, self.scale)
        if self.images is None:
            return chip_scenes(resolve_path(self.path), declared=declared)
        return folder_scenes(resolve_path(self.path), self.images, declared)

    def stamp(self, root: Path) -> float:
        """When the list of the chips changed last."""
        del root
        folder = resolve_path(self.path)
        return modified(folder if self.images else folder / "data")
