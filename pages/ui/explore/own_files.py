"""Files of one's own: which rasters a source reads, what folder they are of, and whether anything still needs them."""

from __future__ import annotations

import time
from pathlib import Path

from engine.errors import SceneError
from engine.imagery.cubes.opening import is_cube
from engine.imagery.raster.layout import RasterLayout, layout_of
from engine.imagery.raster.rasters import open_raster
from engine.imagery.sources import ChipsScene, FilesScene, SceneConfig, StackScene, source_of
from engine.imagery.sources.product_files import grouped, product_place, rasters_in
from engine.jobs.folder import CONFIG
from engine.paths import modified
from pages.ui import workspace
from pages.ui.state import own_places, uploads

_KEPT_S = 86_400
_MOST_APART = 12


def readable_source(path: Path) -> tuple[SceneConfig, tuple[str, ...]]:
    """The source of a file or folder without the rasters that cannot be opened, and the names of those.

    Raises:
        SceneError: nothing of it can be read, or a file of a product cannot, without which it would be another one.
    """
    plain = source_of(path)
    if not isinstance(plain, FilesScene):
        return plain, ()
    files = rasters_in(path)
    damaged = [file for file in files if not _opens(file)]
    if not damaged or len(damaged) == len(files):
        return plain, ()
    rest = [file for file in files if file not in damaged]
    kept = FilesScene(source="files", paths=tuple(map(str, rest))) if len(rest) > 1 else source_of(rest[0])
    return kept, tuple(file.name for file in damaged)


def places_apart(scene: SceneConfig) -> tuple[SceneConfig, ...]:
    """A source of each raster, and of each product with a file a band; none where there are too many."""
    if not isinstance(scene, FilesScene | StackScene):
        return ()
    paths = [product_place(path) for path in own_places.paths_of(scene)]
    try:
        alone, groups = grouped(
            [one for path in paths for one in (rasters_in(path) if path.is_dir() else [path])]
        )
        if len(alone) + len(groups) > _MOST_APART:
            return ()
        products = [[str(member.path) for member in group.files] for group in groups]
        return (
            *(source_of(file) for file in alone),
            *(FilesScene(source="files", paths=tuple(files)) for files in products),
        )
    except SceneError:  # told where the scenes are found
        return ()


def first_raster(scene: SceneConfig) -> Path:
    """The first raster that a source reads, before anything is understood of it.

    Raises:
        SceneError: there is none.
    """
    return _rasters(scene, own_places.paths_of(scene)[0])[0]


def layouts_of(scene: SceneConfig) -> list[RasterLayout]:
    """The layout of every raster that a source reads; chips have one in common.

    Raises:
        SceneError: there is no raster, or one cannot be opened.
    """
    return [layout_of(raster) for path in own_places.paths_of(scene) for raster in _rasters(scene, path)]


def folder_of(scene: SceneConfig) -> Path:
    """The folder that answers are kept for; rasters that were dropped into the page have one in common."""
    path = own_places.paths_of(scene)[0]
    if uploads.is_upload(path):
        return uploads.uploads_folder()
    return path if path.is_dir() else path.parent


def uploads_of(scene: SceneConfig) -> list[Path]:
    """The paths of a source that were dropped into the page."""
    return [path for path in own_places.paths_of(scene) if uploads.is_upload(path)]


def release(scene: SceneConfig) -> bool:
    """Delete the files of a source that were dropped into the page, unless a place or a run of the workspace needs them.

    Returns:
        Whether they are gone, or were none of ours.
    """
    dropped = uploads_of(scene)
    if any(_is_needed(path) for path in dropped):
        return False
    for path in dropped:
        uploads.discard(path)
    return True


def tidy_up() -> None:
    """Delete what was dropped more than a day ago and never became a place: its tab was closed while the dialog was open."""
    before = time.time() - _KEPT_S
    for folder in uploads.uploads_folder().glob("*"):
        if modified(folder) < before and (folder.name.startswith(".") or not _is_needed(folder)):
            uploads.discard(folder)


def _opens(file: Path) -> bool:
    try:
        with open_raster(file):
            return True
    except SceneError:
        return False


def _rasters(scene: SceneConfig, named: Path) -> list[Path]:
    """The rasters of a path that a source names; of chips the first."""
    path = product_place(named)
    if not path.is_dir() or is_cube(path):
        return [path]
    if isinstance(scene, ChipsScene):
        found = sorted(path.glob(scene.images or "data/*_merged.tif"))
        if not found:
            raise SceneError(f"{path} holds no chips. Check the folder.")
        return found[:1]
    return rasters_in(path)


def _is_needed(path: Path) -> bool:
    """Whether a place, or the configuration of a run, names the folder of an upload."""
    name = path.resolve().relative_to(uploads.uploads_folder().resolve()).parts[0]
    files = [*(workspace.folder() / "places").glob("own-*.json"), *workspace.folder().glob(f"*/{CONFIG}")]
    return any(name in file.read_text(encoding="utf-8", errors="replace") for file in files)
