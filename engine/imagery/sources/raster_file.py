"""One raster file, or one product's folder, as a source."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from engine.errors import SceneError
from engine.imagery.raster.edges import without_dark_edges
from engine.imagery.raster.facts import NO_OVERRIDES, Overrides, RasterFacts, cloud_pct_of, raster_facts
from engine.imagery.scene import Scene, scene_id
from engine.imagery.sources.band_files import group_scene
from engine.imagery.sources.product_files import grouped, product_place, rasters_in
from engine.imagery.sources.source import Declared
from engine.paths import modified, resolve_path


class FileScene(Declared):
    """One raster: GeoTIFF or JPEG 2000, or the folder of one product with a file a band."""

    overlaps: ClassVar[bool] = False

    source: Literal["file"]
    path: str = Field(
        description="GeoTIFF or JPEG 2000 with a CRS, or a product's folder (SAFE, HLS, Landsat Collection 2)."
    )

    @property
    def title(self) -> str:
        """The file's name in words."""
        return Path(self.path).stem.replace("_", " ")

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The one scene in the file or folder.

        Raises:
            SceneError: absent, unreadable or not understood.
        """
        del root
        path = product_place(resolve_path(self.path))
        return (folder_scene(path, self.overrides) if path.is_dir() else file_scene(path, self.overrides),)

    def find_readable(self, root: Path) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
        """All scenes: without one of its files the ground would be seen otherwise."""
        return self.find(root), ()

    def stamp(self, root: Path) -> float:
        """When the file changed last."""
        del root
        return modified(resolve_path(self.path))


def file_scene(path: Path, overrides: Overrides = NO_OVERRIDES) -> Scene:
    """The scene in one raster.

    Raises:
        SceneError: it cannot be opened, has no place on Earth, or bands that nothing tells.
    """
    facts = raster_facts(path, overrides)
    grid, note = without_dark_edges(facts.grid, facts.assets)
    facts = replace(facts, grid=grid, notes=(*facts.notes, *([note] if note else [])))
    return scene_of(facts, path.stem, facts.tags.get("emberscope_title") or path.stem.replace("_", " "))


def folder_scene(folder: Path, overrides: Overrides = NO_OVERRIDES) -> Scene:
    """The scene in the folder of one product.

    Raises:
        SceneError: the folder holds no scene, or several.
    """
    alone, groups = grouped(rasters_in(folder))
    if len(alone) + len(groups) != 1:
        names = ", ".join([path.name for path in alone] + [group.name for group in groups])
        raise SceneError(
            f"{folder} holds {len(alone) + len(groups)} scenes ({names[:200]}). "
            f"Name one of them, or set scene.source: files to take them all."
        )
    return group_scene(groups[0], overrides) if groups else file_scene(alone[0], overrides)


def scene_of(facts: RasterFacts, name: str, title: str) -> Scene:
    """The scene that a raster's facts describe."""
    return Scene(
        id=scene_id(name),
        title=title,
        sensor=facts.sensor,
        assets=facts.assets,
        datetime=facts.datetime,
        grid=facts.grid,
        level=facts.level,
        source=facts.tags.get("emberscope_source", ""),
        licence=facts.tags.get("emberscope_licence", ""),
        is_simulated=facts.tags.get("emberscope_simulated") == "yes",
        cloud_pct=cloud_pct_of(facts.tags),
        notes=facts.notes,
    )
