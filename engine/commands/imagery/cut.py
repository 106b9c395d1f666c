"""The command that cuts a scene to a region as a GeoTIFF."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.commands.printer import say
from engine.errors import BadInput, ConfigError
from engine.files import require_file_path
from engine.frozen import Frozen
from engine.imagery.region import Region
from engine.imagery.region_file import region_from_file, region_from_text
from engine.imagery.scene import Scene
from engine.imagery.sources import SceneConfig
from engine.jobs.complaints import in_words
from engine.jobs.configuration.config import overridden, read_yaml
from engine.jobs.configuration.extract import RegionConfig
from engine.paths import resolve_path
from engine.workspace import workspace_folder


class CutConfig(Frozen):
    """What of an extraction's configuration a cut needs."""

    scene: SceneConfig
    region: RegionConfig | None = None


def cut(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write a scene's bands, or the part of them in a region, as one GeoTIFF."""
    from engine.imagery.cut import cut_of, write_cut

    out = Path(chosen.out)
    if out.suffix.lower() not in (".tif", ".tiff"):
        raise BadInput(f"{out} does not end in .tif. Give the file that ending.")
    require_file_path(out)
    config = config_of(Path(chosen.scene_yaml))
    scene = _scene(config, chosen)
    found = cut_of(scene, _region(config, chosen.region))
    for note in scene.notes:
        say(note)
    megabytes = found.most_bytes / 1e6
    say(
        f"{found.grid.width} x {found.grid.height} px, {len(scene.bands)} bands, {found.dtype}: at most {megabytes:,.1f} MB"
    )
    say(f"Wrote {write_cut(found, out)}")
    return {"out": str(out), "scene": scene.id, "bands": list(scene.bands), "bytes": out.stat().st_size}


def config_of(path: Path, overrides: Sequence[str] = ()) -> CutConfig:
    """The scene and the region of a YAML file: an extraction's configuration, or these two keys alone.

    Raises:
        ConfigError: the file is absent, or says something else.
    """
    tree = overridden(read_yaml(path), overrides)
    try:
        return CutConfig.model_validate({key: tree[key] for key in ("scene", "region") if key in tree})
    except ValidationError as err:
        raise ConfigError(f"{path}: {in_words(err, CutConfig)}") from err


def _scene(config: CutConfig, chosen: argparse.Namespace) -> Scene:
    """The scene that is named; of one scene no name is needed.

    Raises:
        BadInput: there is none of that name, or there are several and none is named.
    """
    root, wanted = workspace_folder(chosen.workspace), chosen.scene
    for step in config.scene.prepare(root):
        say(step)
    scenes = config.scene.find(root)
    named = [scene for scene in scenes if wanted is None or scene.id == wanted]
    if len(named) == 1:
        return named[0]
    names = ", ".join(scene.id for scene in scenes[:8]) + (", ..." if len(scenes) > 8 else "")
    if wanted is None:
        raise BadInput(f"The file names {len(scenes)} scenes: {names}. Choose one with --scene.")
    raise BadInput(f"The scene {wanted} is not among {names}. Choose one of these with --scene.")


def _region(config: CutConfig, given: str | None) -> Region | None:
    """The region of the command line, else that of the file."""
    from engine.jobs.configuration.region import region_of

    return region_of(config.region) if given is None else region_given(given)


def region_given(given: str) -> Region:
    """The region of the command line: W,S,E,N in degrees, a polygon as WKT or GeoJSON, or a vector file.

    Raises:
        BadInput: none of them.
    """
    if given.lstrip().startswith("{") or "((" in given:
        return region_from_text(given)
    numbers = given.split(",")
    if len(numbers) != 4:
        return region_from_file(resolve_path(given))
    try:
        west, south, east, north = map(float, numbers)
    except ValueError as err:
        raise BadInput(
            f"The region {given} is no W,S,E,N in degrees. Give four numbers, a polygon as WKT, or a file."
        ) from err
    return Region.from_bounds(west, south, east, north)
