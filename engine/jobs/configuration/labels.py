"""Where the labels of a training come from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from engine.frozen import Frozen


class LabelsConfig(Frozen):
    """Where the labels come from: the masks of the scenes, one raster over them, or a raster a chip, joined by name."""

    source: Literal["scene", "raster", "files"] = "scene"
    path: str | None = Field(
        None,
        description="Label raster with the values of the task's classes (burn scars: 1 burnt, 0 not) for source: raster; "
        "-1, nodata and masked pixels are missing.",
    )
    name: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Which labels of the scenes: mask is <chip>.mask.tif, another name <chip>.<name>.tif beside it; null: "
        "those of the task.",
    )

    folders: tuple[str, ...] = Field(
        (),
        description="Folders of label rasters, one a chip, for source: files; x.mask.tif is the label of chip x.",
    )
    pattern: str = Field(
        "*.mask.tif", pattern=r"^[^/\\]+$", description="Pattern of the label rasters' names (source: files)."
    )

    @model_validator(mode="after")
    def _path_goes_with_raster(self) -> LabelsConfig:
        if (self.source == "raster") != (self.path is not None):
            raise ValueError("path goes with source: raster, and only with it")
        if (self.source == "files") != bool(self.folders):
            raise ValueError("folders goes with source: files, and only with it")
        return self
