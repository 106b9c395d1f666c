"""What an extraction is asked to do: scenes, a region, a backbone, tiles."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Frozen(BaseModel):
    """Immutable, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FileScene(Frozen):
    """One raster: GeoTIFF (or JPEG 2000) with a CRS and named or declared bands."""

    source: Literal["file"]
    path: str = Field(description="GeoTIFF with a CRS; band descriptions name the bands.")
    sensor: str | None = Field(None, description="Sensor of the table; null reads it from the file.")


class ChipsScene(Frozen):
    """Many small rasters, each a tile of its own; without `images` in the layout of HLS Burn Scars."""

    source: Literal["chips"]
    path: str = Field(description="Folder with data/ and splits/, or with the rasters that images names.")
    images: str | None = Field(
        None, min_length=1, description="Pattern of file names, e.g. *.tif; null: data/*_merged.tif."
    )
    bands: tuple[str | None, ...] | None = Field(
        None,
        min_length=1,
        description="Bands of a raster in order, null for one not to be read; null: as it says.",
    )
    scale: float | None = Field(
        None,
        gt=0,
        description="Reflectance of a stored 1 where a raster states no scale; null: 1 for floats, else the sensor's.",
    )

    @model_validator(mode="after")
    def _images_stay_in_the_folder(self) -> ChipsScene:
        if self.images and (PurePath(self.images).is_absolute() or ".." in PurePath(self.images).parts):
            raise ValueError("images is a pattern of names inside the folder, without '..'")
        return self


class FilesScene(Frozen):
    """Rasters of one sensor that may overlap, differ in date and lie in several UTM zones."""

    source: Literal["files"]
    paths: tuple[str, ...] = Field(
        min_length=1,
        description="GeoTIFFs, or folders of them; where they overlap, the least cloudy counts, then the newest.",
    )
    sensor: str | None = Field(None, description="Sensor of the table; null reads it from the files.")


class SimulatedScene(Frozen):
    """The simulated fire season, made from its seed when it is not there yet."""

    source: Literal["simulated"]
    seed: int = Field(0, ge=0, description="The same seed gives the same bytes.")
    date: Literal["post", "pre", "both"] = Field(
        "post", description="Before or after the fires, or both dates."
    )


SceneConfig = Annotated[FileScene | FilesScene | ChipsScene | SimulatedScene, Field(discriminator="source")]


class RegionConfig(Frozen):
    """Where to look: exactly one of bounds, a file or a polygon, in lon/lat degrees (EPSG:4326)."""

    bounds_lonlat: tuple[float, float, float, float] | None = Field(
        None, description="West, south, east, north in degrees."
    )
    polygon_lonlat: tuple[tuple[float, float], ...] | None = Field(
        None, description="Corners as [lon, lat] in degrees, as drawn on the map."
    )
    file: str | None = Field(None, description="GeoJSON with one polygon in lon/lat.")

    @model_validator(mode="after")
    def _exactly_one(self) -> RegionConfig:
        given = [self.bounds_lonlat, self.polygon_lonlat, self.file]
        if sum(value is not None for value in given) != 1:
            raise ValueError("give exactly one of bounds_lonlat, polygon_lonlat and file")
        return self


class BackboneConfig(Frozen):
    """Which encoder looks, with which weights, and which of its layers are kept."""

    name: str = Field(description="A name of `python -m engine backbones`.")
    weights: str = Field(
        "pretrained", description="pretrained, random (said wherever it shows), or a checkpoint's path."
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
        description="Where tiles overlap, a patch comes from the tile in which it lies deepest, or is the weighted "
        "mean of all that hold it: no border shows, also with encoders that tell where in a tile a patch lies.",
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
    """How embeddings are kept."""

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
