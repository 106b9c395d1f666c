"""What an extraction is asked to do: scenes, a region, a backbone, tiles."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from engine.frozen import Frozen
from engine.imagery.sources import SceneConfig


class RegionConfig(Frozen):
    """Where to look: exactly one of bounds, a file or a polygon, in lon/lat degrees (EPSG:4326)."""

    bounds_lonlat: tuple[float, float, float, float] | None = Field(
        None, description="West, south, east, north in degrees."
    )
    polygon_lonlat: tuple[tuple[float, float], ...] | None = Field(
        None, description="Corners as [lon, lat] in degrees, as drawn on the map."
    )
    file: str | None = Field(
        None,
        description="File with one polygon: GeoJSON in lon/lat, or GeoPackage, Shapefile, FlatGeobuf, GeoParquet with a CRS.",
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> RegionConfig:
        given = [self.bounds_lonlat, self.polygon_lonlat, self.file]
        if sum(value is not None for value in given) != 1:
            raise ValueError("give exactly one of bounds_lonlat, polygon_lonlat and file")
        return self


class BackboneConfig(Frozen):
    """Which encoder is run, with which weights, and which of its layers are stored."""

    name: str = Field(description="A name of `python -m engine backbones`.")
    weights: str = Field(
        "pretrained",
        description="pretrained (for rcf: drawn from the scenes), random (said wherever it shows), or a checkpoint's path.",
    )
    layers: tuple[int, ...] | None = Field(
        None, description="Layers to keep, one column each; negative counts from the end; null: the card's."
    )
    temporal: Literal["mean", "max", "difference", "concatenate", "keep"] = Field(
        "mean", description="How dates are joined by a backbone that takes one date at a time."
    )
    settings: dict[str, str] = Field(
        default_factory=dict, description="Conventions that upstream leaves open; see the card."
    )


class TilesConfig(Frozen):
    """The chips that the encoder is given."""

    size_px: int | None = Field(
        None, ge=16, le=2048, description="Side of a tile in pixels; null: the card's chip size."
    )
    overlap_px: int = Field(
        0,
        ge=0,
        le=1024,
        description="Pixels that neighbouring tiles share; see merge.",
    )
    merge: Literal["deepest", "blend"] = Field(
        "deepest",
        description="Where tiles overlap: deepest takes each patch from the tile where it is farthest from an edge; blend "
        "takes the weighted mean over all tiles that hold it, so that no border shows.",
    )
    stride_px: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="Rows this far apart, by shifted passes; divides the patch; null: the patch.",
    )
    gsd_m: float | None = Field(
        None, gt=0, description="Resample to this ground sampling distance in metres; null: never."
    )
    unreadable: Literal["fail", "skip"] = Field(
        "fail", description="A tile that cannot be read ends the run, or is skipped and recorded."
    )

    @model_validator(mode="after")
    def _overlap_is_less_than_a_tile(self) -> TilesConfig:
        if self.size_px is not None and self.overlap_px >= self.size_px:
            raise ValueError(f"overlap_px is less than size_px ({self.size_px})")
        if self.merge == "blend" and not self.overlap_px:
            raise ValueError("merge: blend wants an overlap_px (half of size_px is usual)")
        return self


class OutputConfig(Frozen):
    """How embeddings are stored."""

    dtype: Literal["float16", "float32"] = Field("float16", description="float16 halves the store.")


class ExtractConfig(Frozen):
    """JOB 1: pixels through a frozen backbone into an embedding store."""

    kind: Literal["extract"] = "extract"
    scene: SceneConfig
    region: RegionConfig | None = Field(None, description="null: everything that the scenes cover.")
    backbone: BackboneConfig
    clouds: Literal["keep", "mask"] = Field(
        "keep", description="mask: clouds and shadows, as DLR's ukis-csmask sees them, become gaps."
    )
    granularity: Literal["patch", "tile"] = Field("patch", description="One row a patch, or a tile.")
    pooling: Literal["mean", "max", "cls"] | None = Field(
        None, description="How a tile's patches become one row; only with granularity: tile."
    )
    tiles: TilesConfig = TilesConfig()
    output: OutputConfig = OutputConfig()
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto, cpu, cuda, cuda:1, mps."
    )
    engine: Literal["local", "ray"] = Field(
        "local",
        description="local: this process; ray: readers and encoders over a Ray cluster, the same rows.",
    )
    batch_size: int | None = Field(None, ge=1, le=4096, description="Chips a batch; null: found by itself.")
    compile: bool = Field(
        False, description="Compile the encoder first: pays on long runs, wants a C++ compiler (or Triton)."
    )
    seed: int = Field(0, ge=0, description="The only source of chance in the run.")

    @model_validator(mode="after")
    def _pooling_goes_with_tiles(self) -> ExtractConfig:
        if (self.granularity == "tile") != (self.pooling is not None):
            raise ValueError("pooling (mean, max or cls) goes with granularity: tile, and only with it")
        if self.granularity == "tile" and self.tiles.stride_px is not None:
            raise ValueError("tiles.stride_px goes with granularity: patch, and only with it")
        if self.granularity == "tile" and self.tiles.merge == "blend":
            raise ValueError("tiles.merge: blend goes with granularity: patch, and only with it")
        return self

    @model_validator(mode="after")
    def _ray_picks_the_device_of_an_encoder(self) -> ExtractConfig:
        if self.engine == "ray" and self.device not in ("auto", "cpu", "cuda"):
            raise ValueError(
                f"with engine: ray device is auto, cpu or cuda, for Ray numbers the GPUs; found {self.device}"
            )
        return self
