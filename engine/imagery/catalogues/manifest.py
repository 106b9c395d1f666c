"""Scenes of a catalogue as they are kept on disk, so that they are found again without the network."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from affine import Affine
from odc.geo.geobox import GeoBox
from pydantic import ValidationError

from engine.errors import SceneError
from engine.files import write_atomic
from engine.frozen import Frozen
from engine.imagery.scene import Asset, MaskKind, Scene
from engine.imagery.sensors.table import SENSORS

FILE = "scenes.json"


class GridRecord(Frozen):
    """A grid: rows and columns, the first six numbers of its affine, its CRS."""

    shape: tuple[int, int]
    transform: tuple[float, float, float, float, float, float]
    crs: str

    @classmethod
    def of(cls, grid: GeoBox) -> GridRecord:
        height, width = grid.shape
        a, b, c, d, e, f = (float(value) for value in grid.transform[:6])
        return cls(shape=(int(height), int(width)), transform=(a, b, c, d, e, f), crs=str(grid.crs))

    def grid(self) -> GeoBox:
        """The same as a GeoBox."""
        return GeoBox(self.shape, Affine(*self.transform), self.crs)


class AssetRecord(Frozen):
    """Where a band is; `file` lies beside the manifest."""

    file: str
    index: int
    crs: str
    sensor: str
    scale: float = 1.0
    offset: float = 0.0
    nodata: tuple[float, ...] = ()

    def asset(self, folder: Path) -> Asset:
        """The same as an asset."""
        return Asset(
            folder / Path(self.file).name,
            self.index,
            self.crs,
            SENSORS[self.sensor],
            self.scale,
            self.offset,
            self.nodata,
        )


class MaskRecord(Frozen):
    """The mask of clouds of a scene."""

    asset: AssetRecord
    kind: MaskKind


class SceneRecord(Frozen):
    """One scene."""

    id: str
    title: str
    sensor: str
    datetime: dt.datetime | None
    day: dt.date
    grid: GridRecord
    assets: dict[str, AssetRecord]
    mask: MaskRecord | None
    cloud_pct: float | None
    source: str
    licence: str
    notes: tuple[str, ...]

    def scene(self, folder: Path, uses_mask: bool, notes: Sequence[str] = ()) -> Scene:
        """The same as a scene."""
        sensor = SENSORS[self.sensor]
        return Scene(
            id=self.id,
            title=self.title,
            sensor=sensor,
            assets={band: one.asset(folder) for band, one in self.assets.items()},
            datetime=self.datetime,
            grid=self.grid.grid(),
            level=sensor.level,
            source=self.source,
            licence=self.licence,
            cloud_pct=self.cloud_pct,
            notes=(*self.notes, *notes),
            mask=(self.mask.asset.asset(folder), self.mask.kind) if self.mask and uses_mask else None,
        )


class Manifest(Frozen):
    """The scenes that were chosen, best first where they fill one another, else oldest first."""

    scenes: tuple[SceneRecord, ...]
    notes: tuple[str, ...] = ()


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Keep scenes; the file appears when everything that it names is there."""
    text = manifest.model_dump_json(indent=1)
    write_atomic(folder / FILE, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def read_manifest(folder: Path) -> Manifest:
    """The scenes of a folder.

    Raises:
        SceneError: it is absent or damaged.
    """
    try:
        return Manifest.model_validate_json((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValidationError, ValueError) as err:
        raise SceneError(
            f"{folder / FILE} cannot be read as scenes of a catalogue. Remove its folder and search again."
        ) from err


def of_days(held: Sequence[SceneRecord], days: Sequence[dt.date] | None) -> list[SceneRecord]:
    """The scenes of some days of a series; None: all.

    Raises:
        SceneError: a day of which there is none.
    """
    if days is None:
        return list(held)
    there = sorted({one.day for one in held})
    absent = sorted(set(days) - set(there))
    if absent:
        raise SceneError(
            f"scene.days names {absent[0]}, of which this series has no scene; it has {', '.join(map(str, there))}."
        )
    return [one for one in held if one.day in days]
