"""What the making of a data set is asked to do: perimeters with dates, imagery after them, chips, labels and splits."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from engine.frozen import Frozen
from engine.imagery.sources import (
    ChipsScene,
    FileScene,
    FilesScene,
    NetcdfScene,
    SimulatedScene,
    StackScene,
    ZarrScene,
)

Publisher = Literal["auto", "nifc", "mtbs", "effis", "ems", "calfire", "other"]


class PerimetersConfig(Frozen):
    """Polygons of fires, each with a date."""

    file: str = Field(
        description="GeoJSON, KML, KMZ, GeoPackage, GeoParquet, FlatGeobuf, Shapefile, or a zip of one."
    )
    layer: str | None = Field(
        None, description="Of a GeoPackage or a zip with several; null: the only one there is."
    )
    publisher: Publisher = Field(
        "auto", description="Whose names of columns are meant; auto: told by the columns, and said."
    )
    date: str | None = Field(
        None,
        description="Column with the day that the fire began, or a day for all of them; null: the publisher's.",
    )
    end: str | None = Field(
        None,
        description="Column with the day of the perimeter, or a day for all; null: the publisher's, if any.",
    )
    name: str | None = Field(None, description="Column with the fire's name; null: the publisher's, if any.")
    day_before_month: bool | None = Field(
        None,
        description="How dates such as 07/08/2021 are meant; null: they are refused where both would do.",
    )

    names: tuple[str, ...] = Field(
        (), max_length=500, description="Only fires of these names, whatever their capitals; none: all."
    )
    days: tuple[dt.date, dt.date] | None = Field(
        None, description="Only fires that began from the first to the last of these days, both counted."
    )
    bounds_lonlat: tuple[float, float, float, float] | None = Field(
        None, description="Only fires in this rectangle: west, south, east, north in degrees."
    )
    smallest_ha: float = Field(0.0, ge=0, description="Only fires of so many hectares or more.")

    @field_validator("date", "end", mode="before")
    @classmethod
    def _day_as_text(cls, value: object) -> object:
        """YAML makes a date of 2021-08-14."""
        return value.isoformat()[:10] if isinstance(value, dt.date) else value


class FireCatalogue(Frozen):
    """A catalogue (STAC) that is asked for each fire by itself: its rectangle and its days follow from the fire."""

    source: Literal["stac"]
    catalogue: str = Field(description="A catalogue of `python -m engine search --list`.")
    collection: str = Field(description="One of its collections, such as hls2-s30.")
    most_cloud_pct: float = Field(60.0, ge=0, le=100, description="Items with more cloud are left out.")
    clouds: Literal["mask", "keep"] = Field(
        "mask", description="mask: what the product's own mask calls cloud or shadow is a gap."
    )
    offset: float | None = Field(
        None, description="Offset of reflectance, where the catalogue states a wrong one."
    )

    @property
    def title(self) -> str:
        """The collection and its catalogue."""
        return f"{self.collection} of {self.catalogue}"


class FireSentinelHub(Frozen):
    """Sentinel Hub, for those with an account, asked for each fire by itself: one day's picture of its rectangle."""

    source: Literal["sentinel_hub"]
    bands: tuple[str, ...] = Field(
        ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2"),
        min_length=1,
        description="Bands of Sentinel-2 by their common names.",
    )
    gsd_m: float = Field(20.0, ge=10, le=1000, description="Side of a pixel in metres.")
    most_cloud_pct: float = Field(60.0, ge=0, le=100, description="Scenes with more cloud are left out.")

    @property
    def title(self) -> str:
        """What it is."""
        return "Sentinel-2 L2A by Sentinel Hub"


AskedForEachFire = FireCatalogue | FireSentinelHub
"""Sources whose rectangle and days follow from each fire; of the others, all scenes are found before the first."""

Imagery = Annotated[
    FireCatalogue
    | FireSentinelHub
    | FileScene
    | FilesScene
    | ChipsScene
    | SimulatedScene
    | NetcdfScene
    | ZarrScene
    | StackScene,
    Field(discriminator="source"),
]


class ChipsConfig(Frozen):
    """How the ground is cut."""

    size_px: int = Field(
        512, ge=32, le=2048, description="Side of a chip; smaller where all scenes are, which is said."
    )
    gsd_m: float | None = Field(None, gt=0, le=1000, description="Side of a pixel; null: that of the scenes.")
    bands: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        description="By common names; null: the six of HLS Burn Scars, else all there are.",
    )
    surroundings_m: float = Field(
        2_000.0, ge=0, le=50_000, description="Unburnt ground around a perimeter that chips may show."
    )
    least_valid: float = Field(
        0.5, ge=0, le=1, description="Share of a chip's pixels that must have been seen; others are left out."
    )
    most_per_fire: int = Field(
        64, ge=1, le=4096, description="Chips of one fire; those that show most of it are kept."
    )


class ClassesConfig(Frozen):
    """A second label raster beside the mask: severity, or a class, from an attribute of the polygons."""

    column: str = Field(description="Attribute of the polygons.")
    name: str = Field(
        "severity",
        pattern=r"^[a-z0-9_]{1,20}$",
        description="The rasters become data/<chip>.<name>.tif; severity is what the task burn_severity reads.",
    )
    values: dict[str, int] | None = Field(
        None,
        description="Attribute to class, 1 to 254; null: whole numbers as they are, words by the alphabet, which is said.",
    )

    @field_validator("name")
    @classmethod
    def _name_is_free(cls, name: str) -> str:
        if name in ("mask", "merged"):
            raise ValueError("is taken by the burnt mask; choose another name")
        return name

    @field_validator("values")
    @classmethod
    def _values_are_classes(cls, values: dict[str, int] | None) -> dict[str, int] | None:
        if values is not None and not all(1 <= one <= 254 for one in values.values()):
            raise ValueError("classes are whole numbers from 1 to 254; 0 is unburnt")
        return values


class DatasetLabelsConfig(Frozen):
    """What the masks say."""

    buffer_m: float = Field(
        60.0, ge=0, le=5_000, description="Ring around each perimeter that is neither burnt nor unburnt (-1)."
    )
    classes: ClassesConfig | None = Field(
        None, description="Severity or class from an attribute; null: none."
    )


class DatasetSplitsConfig(Frozen):
    """How fires are divided; chips of one fire, and fires that share ground, stay together."""

    validation: float = Field(0.2, ge=0, lt=1, description="Share of the chips.")
    test: float = Field(0.15, ge=0, lt=1, description="Share of the chips.")
    seed: int = Field(0, ge=0, description="Of the draw.")

    @model_validator(mode="after")
    def _something_is_left_to_train_on(self) -> Self:
        if self.validation + self.test >= 0.9:
            raise ValueError("validation and test leave less than a tenth for training")
        return self


class DatasetConfig(Frozen):
    """JOB 6: a labelled data set in the layout of HLS Burn Scars, made from dated polygons."""

    kind: Literal["dataset"] = "dataset"
    perimeters: PerimetersConfig
    imagery: Imagery = Field(
        description="Where pixels come from: stac or sentinel_hub, asked for each fire, or scenes as an extraction has them."
    )
    burning_days: int = Field(
        30,
        ge=0,
        le=365,
        description="Days that a fire burns where no end is stated; images count after them.",
    )
    days_after: int = Field(
        60, ge=1, le=730, description="Images count until so many days after the end of the fire."
    )
    clouds: Literal["keep", "mask"] = Field(
        "keep",
        description="mask: what DLR's network calls cloud or shadow is a gap, in scenes that bring no mask of their own.",
    )
    chips: ChipsConfig = ChipsConfig()
    labels: DatasetLabelsConfig = DatasetLabelsConfig()
    splits: DatasetSplitsConfig = DatasetSplitsConfig()

    @property
    def title(self) -> str:
        """The name of the perimeters' file in words."""
        stem = re.split(r"[\\/]", self.perimeters.file)[-1].rpartition(".")[0]
        return stem.replace("_", " ") or "polygons"


def given_day(text: str | None) -> dt.date | None:
    """The day that a setting states for all fires; None where it names a column."""
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        return None
