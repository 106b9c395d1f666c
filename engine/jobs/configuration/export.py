"""What an export of a store is asked to do: the form, the layer and the type of the numbers."""

from __future__ import annotations

import shlex
from typing import Literal

from pydantic import Field

from engine.frozen import Frozen

FormName = Literal["geotiff", "geoparquet", "zarr", "stac", "terratorch", "npz"]
Dtype = Literal["float32", "float16", "int8"]


class ExportConfig(Frozen):
    """The embeddings of a store, written for other programs into the run's folder."""

    kind: Literal["export"] = "export"
    store: str = Field(description="Run folder, or folder of a store.")
    format: FormName = Field("geotiff", description="The form that is written.")
    layer: int | None = Field(
        None, description="As counted by the backbone; null: the first, or all where the form holds several."
    )
    dtype: Dtype | None = Field(
        None, description="Type of the numbers; null: the store's, or float32 where the form holds no other."
    )

    labels: str | None = Field(
        None,
        description="Raster of classes on which a probe tells what smaller numbers lose; null: the masks of the scenes, where they have some.",
    )

    @property
    def device(self) -> str:
        """An export computes on no device."""
        return "cpu"

    @property
    def title(self) -> str:
        """The form and the type, in words."""
        return f"{self.format} {self.dtype}" if self.dtype else self.format

    @property
    def command(self) -> str:
        """Arguments of `python -m engine` that write the same, but for --out."""
        layer = [] if self.layer is None else ["--layer", str(self.layer)]
        dtype = [] if self.dtype is None else ["--dtype", self.dtype]
        labels = [] if self.labels is None else ["--labels", self.labels]
        return shlex.join(["export", self.store, "--format", self.format, *layer, *dtype, *labels])
