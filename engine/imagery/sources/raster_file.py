"""One raster file as a source: GeoTIFF or JPEG 2000."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from engine.imagery.places import file_scene
from engine.imagery.scene import Scene
from engine.imagery.sources.source import Declared
from engine.paths import modified, resolve_path


class FileScene(Declared):
    """One raster: GeoTIFF (or JPEG 2000) with a CRS and named or declared bands."""

    overlaps: ClassVar[bool] = False

    source: Literal["file"]
    path: str = Field(description="GeoTIFF with a CRS; band descriptions name the bands.")

    @property
    def title(self) -> str:
        """The file's name in words."""
        return Path(self.path).stem.replace("_", " ")

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The one scene in the file.

        Raises:
            SceneError: absent, unreadable or not understood.
        """
        del root
        return (file_scene(resolve_path(self.path), self.sensor),)

    def stamp(self, root: Path) -> float:
        """When the file changed last."""
        del root
        return modified(resolve_path(self.path))
