"""Where scenes come from: one file a source. Nothing outside this room asks which source a scene came from."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.imagery.sources.chip_folder import ChipsScene
from engine.imagery.sources.raster_file import FileScene
from engine.imagery.sources.scene_stack import FilesScene
from engine.imagery.sources.simulated import SimulatedScene

__all__ = ["ChipsScene", "FileScene", "FilesScene", "SceneConfig", "SimulatedScene"]

SceneConfig = Annotated[FileScene | FilesScene | ChipsScene | SimulatedScene, Field(discriminator="source")]
"""A source as a configuration names it. Every source has the fields and methods of `source.SceneSource`."""
