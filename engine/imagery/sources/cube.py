"""A cube (netCDF, Zarr) as a source: each of its dates is a scene, read by window."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from engine.errors import SceneError
from engine.files import slug
from engine.imagery.cubes.cube import Cube
from engine.imagery.cubes.opening import changed_ns, cube_of
from engine.imagery.cubes.zarr_store import ENDING
from engine.imagery.raster.facts import Overrides
from engine.imagery.remote.access import AccessKind
from engine.imagery.remote.fetching import RemoteRaster
from engine.imagery.remote.remote_file import remote_raster
from engine.imagery.remote.store_files import bring_description
from engine.imagery.scene import Scene
from engine.imagery.sources.dated_bands import DatedBands, DatedImage, dated_scenes
from engine.imagery.sources.series import require_few, within
from engine.imagery.sources.source import OfDates
from engine.paths import resolve_path
from engine.workspace import runs_root, shared_root


class _CubeScene(OfDates):
    """A cube in the CF conventions, with one date or several."""

    overlaps: ClassVar[bool] = False

    path: str

    @property
    def title(self) -> str:
        """The file's or folder's name in words."""
        return Path(self.path).stem.replace("_", " ")

    def place(self, root: Path) -> Path:
        """Where it lies; of one on another computer, the small file that names it."""
        del root
        return resolve_path(self.path)

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The dates, the first one first.

        Raises:
            SceneError: absent, unreadable, not understood, or too many dates.
        """
        return cube_scenes(self.place(root), self.overrides, self.dates)

    def find_readable(self, root: Path) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
        """All dates: they lie in one file."""
        return self.find(root), ()

    def stamp(self, root: Path) -> float:
        """When the cube changed last."""
        return changed_ns(self.place(root)) / 1e9

    def last_date(self) -> Self:
        """Only the last of its dates."""
        try:
            days = [when.date() for _, when in chosen(cube_of(self.place(runs_root())), self.dates) if when]
        except SceneError:  # told where the scenes are found
            return self
        return self.model_copy(update={"dates": (days[-1], days[-1])}) if len(days) > 1 else self


class NetcdfScene(_CubeScene):
    """A netCDF file in the CF conventions, with one date or several."""

    source: Literal["netcdf"]
    path: str = Field(
        description="netCDF 4 or classic netCDF; bands are variables, or one variable with a dimension of bands."
    )


class ZarrScene(_CubeScene):
    """A Zarr store in the CF conventions, with one date or several, here or on another computer."""

    added_later: ClassVar[tuple[str, ...]] = (*OfDates.added_later, "access")

    source: Literal["zarr"]
    path: str = Field(
        description="Folder of a Zarr store (format 2 or 3), or of a group in it; or the https address of a store with consolidated "
        "metadata, whose host is allowed. Bands as in netCDF."
    )
    access: AccessKind | None = Field(
        None, description="What the server of an address wants: a signature or a login; null: nothing."
    )

    @model_validator(mode="after")
    def _address_is_plain(self) -> Self:
        if is_address(self.path) and (set("?#@") & set(self.path) or not self.path.startswith("http")):
            raise ValueError("path is an https address without a query or a login, or a folder")
        if self.access is not None and not is_address(self.path):
            raise ValueError("access goes with an address")
        return self

    @property
    def title(self) -> str:
        """The store's name in words."""
        return Path(self.path.rstrip("/")).stem.replace("_", " ")

    def place(self, root: Path) -> Path:
        """The folder; of a store on another computer the file that names it, once for all workspaces."""
        if not is_address(self.path):
            return resolve_path(self.path)
        name = hashlib.sha256(f"{self._store.address} {self._store.access}".encode()).hexdigest()[:16]
        stem = slug(self._store.address.rpartition("/")[2].removesuffix(ENDING), keep="_", most=60)
        return shared_root(root) / "data" / "cubes" / name / f"{stem}{ENDING}"

    @classmethod
    def elsewhere(cls, file: Path) -> Self:
        """The source of a store on another computer, by the small file that names it.

        Raises:
            SceneError: it names none.
        """
        store = remote_raster(file)
        return cls(source="zarr", path=store.address, access=None if store.access == "open" else store.access)

    @property
    def _store(self) -> RemoteRaster:
        address = self.path.strip().rstrip("/")
        return RemoteRaster(address, self.access or "open", address.rpartition("/")[2])

    def is_ready(self, root: Path) -> bool:
        """Whether what describes a store on another computer was fetched before."""
        return not is_address(self.path) or self.place(root).is_file()

    def prepare(self, root: Path) -> Iterator[str]:
        """Fetch what describes a store on another computer, where that was not done yet."""
        if not self.is_ready(root):
            yield f"Asking for the description of {self._store.what}"
            bring_description(self._store, self.place(root))

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The dates, the first one first; raises as for a folder.

        Raises:
            SceneError: the store on another computer was not asked for yet.
        """
        if not self.is_ready(root):
            raise SceneError(
                f"The store {self._store.what} was not asked for yet. Start the extraction, or open it, with a network."
            )
        return super().find(root)


def is_address(path: str) -> bool:
    """Whether a path is the address of something on another computer."""
    return "://" in path


def cube_scenes(path: Path, overrides: Overrides, dates: tuple[dt.date, dt.date] | None) -> tuple[Scene, ...]:
    """The scenes of a cube, by date.

    Raises:
        SceneError: absent, unreadable, not understood, or too many dates.
    """
    cube = cube_of(path)
    count = len(cube.bands)
    images = tuple(
        DatedImage(tuple(range(1 + index * count, 1 + (index + 1) * count)), when)
        for index, when in chosen(cube, dates)
    )
    held = DatedBands(
        tuple(band.name for band in cube.bands), images, cube.dtype.name, {key.lower(): value for key, value in cube.tags},
        tuple(band.nodata for band in cube.bands), cube.notes,
    )  # fmt: skip
    return dated_scenes(path, held, overrides)


def chosen(cube: Cube, dates: tuple[dt.date, dt.date] | None) -> list[tuple[int, dt.datetime | None]]:
    """Images of a cube, from 0, with their times, the first one first.

    Raises:
        SceneError: none, or too many.
    """
    if not cube.dates:
        return [(0, None)]
    own = sorted(enumerate(cube.dates), key=lambda one: one[1])
    found = [one for one in own if within(one[1], dates)]
    require_few(cube.path.name, [when for _, when in own], len(found))
    return [*found]
