"""What every source of scenes can do, and what a configuration may say of its rasters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Protocol, Self

from pydantic import Field, model_validator

from engine.frozen import Frozen
from engine.imagery.raster.facts import Overrides
from engine.imagery.scene import Scene
from engine.imagery.sensors.sensor import Level

# How names of label rasters end that may lie beside their images.
LABEL_ENDINGS = (".mask.tif", ".severity.tif", ".dnbr.tif")


class SceneSource(Protocol):
    """A source of scenes: a configuration model that finds them."""

    @property
    def overlaps(self) -> bool:
        """Whether scenes may overlap, so that each patch of ground takes its pixels from the best of them."""

    added_later: ClassVar[tuple[str, ...]]
    """Keys, null by default, that the first version did not have: they do not change the hash of its stores."""

    @property
    def title(self) -> str:
        """What lists call it."""

    def prepare(self, root: Path) -> Iterator[str]:
        """Make what must be there before scenes can be found; yields each step in words before it is done."""

    def prepare_labels(self, root: Path, name: str) -> Iterator[str]:
        """Make the labels of a name where the source makes its own; yields each step in words before it is done.

        Raises:
            LabelError: they cannot be made.
        """

    def is_ready(self, root: Path) -> bool:
        """Whether `prepare` has nothing left to make."""

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The scenes, without a side effect.

        Args:
            root: where runs, and what they made themselves, are kept.

        Raises:
            SceneError: absent, unreadable or not understood.
        """

    def find_readable(self, root: Path) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
        """As `find`, but without rasters that are damaged where there are others; and each of them in words."""

    def stamp(self, root: Path) -> float:
        """Unix seconds of the last change of its files, 0 when they are not there."""

    def last_date(self) -> Self:
        """The same source with only the last of its dates, where it has several dates of one place."""


class Declared(Frozen):
    """What a configuration says of rasters that say too little themselves, or the wrong thing."""

    added_later: ClassVar[tuple[str, ...]] = ("bands", "scale", "offset", "nodata", "datetime", "level")

    sensor: str | None = Field(None, description="Sensor of the table; null reads it from the rasters.")
    bands: tuple[str | None, ...] | None = Field(
        None,
        min_length=1,
        description="Bands of a raster in order, null for one not to be read; null: as it says.",
    )
    scale: float | None = Field(
        None,
        gt=0,
        description="Reflectance of a stored 1; null: as the raster states, else 1 for floats and the sensor's for integers.",
    )
    offset: float | None = Field(
        None,
        description="Added after scale; null: as the raster or its product states, else the sensor's.",
    )
    nodata: float | None = Field(
        None, description="Stored value that marks a gap; null: as the raster states, else the sensor's."
    )
    datetime: dt.datetime | None = Field(
        None,
        description="Acquisition time, UTC unless it says otherwise; null: as the raster or its name states.",
    )
    level: Level | None = Field(
        None, description="Level of the reflectance; null: that of the sensor's products."
    )

    @property
    def overrides(self) -> Overrides:
        """The same, as the readers of rasters take it."""
        return Overrides(
            self.sensor, self.bands, self.scale, self.offset, self.nodata, self.datetime, self.level
        )

    def prepare(self, root: Path) -> Iterator[str]:
        """Nothing has to be made first."""
        del root
        yield from ()

    def prepare_labels(self, root: Path, name: str) -> Iterator[str]:
        """Labels are brought along, or not there."""
        del root, name
        yield from ()

    def is_ready(self, root: Path) -> bool:
        """Always: nothing has to be made first."""
        del root
        return True

    def last_date(self) -> Self:
        """The same: a scene is one date."""
        return self


class OfDates(Declared):
    """What a configuration says of rasters of several dates."""

    dates: tuple[dt.date, dt.date] | None = Field(
        None, description="First and last day that are read, both counted; null: all."
    )

    @model_validator(mode="after")
    def _dates_make_sense(self) -> Self:
        if self.dates is not None:
            require_order(self.dates)
        return self


def require_order(dates: tuple[dt.date, dt.date]) -> None:
    """Refuse a first day that is after the last one.

    Raises:
        ValueError: it is; pydantic makes a message of the configuration of it.
    """
    if dates[0] > dates[1]:
        raise ValueError("dates is the first and the last day, in this order")
