"""Several raster files of one sensor as a source: they may overlap, differ in date and lie in several UTM zones."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from engine.imagery.overlap import files_scenes
from engine.imagery.scene import Scene
from engine.imagery.sources.source import Declared
from engine.paths import modified, resolve_path


class FilesScene(Declared):
    """Rasters of one sensor that may overlap, differ in date and lie in several UTM zones."""

    overlaps: ClassVar[bool] = True

    source: Literal["files"]
    paths: tuple[str, ...] = Field(
        min_length=1,
        description="GeoTIFFs, or folders of them; where they overlap, the least cloudy counts, then the newest.",
    )

    @property
    def title(self) -> str:
        """The first path's name, and how many there are."""
        first = Path(self.paths[0]).stem.replace("_", " ")
        return first if len(self.paths) == 1 else f"{first} and {len(self.paths) - 1} more"

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The scenes, best first: the least cloudy, then the newest.

        Raises:
            SceneError: absent, unreadable or not understood.
        """
        del root
        return files_scenes([resolve_path(path) for path in self.paths], self.sensor)

    def stamp(self, root: Path) -> float:
        """When a file, or the list of a folder, changed last."""
        del root
        return max(modified(resolve_path(path)) for path in self.paths)
