"""Scenes of a catalogue (STAC) as a source: searched once, then read by window over the network, and from the cache.

Preparing it asks the catalogue, chooses the days, reads the headers of the files and keeps the scenes in a folder of its own;
after that, finding them needs no network, and their pixels only where they are not in the cache.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator
from shapely.geometry.base import BaseGeometry

from engine.errors import NotSeen, SceneError
from engine.frozen import Frozen
from engine.imagery.catalogues import choosing
from engine.imagery.catalogues.choosing import Day, days_of
from engine.imagery.catalogues.manifest import FILE, Manifest, of_days, read_manifest, write_manifest
from engine.imagery.catalogues.presets import catalogue
from engine.imagery.region import Region
from engine.imagery.scene import Scene
from engine.imagery.sources.series import MOST_DATES, gaps_told, on_one_grid
from engine.imagery.sources.source import require_order
from engine.paths import modified, resolve_path
from engine.workspace import runs_root, shared_root

if TYPE_CHECKING:
    from engine.imagery.catalogues.search import Item

Choice = Literal["best", "mosaic", "before", "after", "pair", "monthly", "all"]
CHOICES: dict[Choice, str] = {
    "best": "the day that shows most of the region",
    "mosaic": "all days, the least cloudy first; gaps are filled from the next",
    "before": "the last clear day before the fire",
    "after": "the first clear day after the fire",
    "pair": "the days before and after the fire, as two dates",
    "monthly": "the best day of each month, as a series",
    "all": "each day, as a series",
}
_OF_A_FIRE: tuple[Choice, ...] = ("before", "after", "pair")
# One day each, in which tiles may take their pixels from several items.
_FILLING: tuple[Choice, ...] = ("best", "mosaic", "before", "after")


class StacScene(Frozen):
    """Imagery of a catalogue over a rectangle, by dates and cloud."""

    added_later: ClassVar[tuple[str, ...]] = ("days",)

    source: Literal["stac"]
    catalogue: str = Field(description="A catalogue of `python -m engine search --list`.")
    collection: str = Field(description="One of its collections, such as sentinel-2-l2a.")
    bounds_lonlat: tuple[float, float, float, float] = Field(
        description="West, south, east, north in degrees; scenes end there."
    )
    dates: tuple[dt.date, dt.date] = Field(description="First and last day, both counted.")
    most_cloud_pct: float = Field(60.0, ge=0, le=100, description="Items with more cloud are left out.")
    choose: Choice = Field(
        "best", description="; ".join(f"{name}: {words}" for name, words in CHOICES.items()) + "."
    )
    fire_date: dt.date | None = Field(None, description="Day of the fire, for before, after and pair.")
    items: tuple[str, ...] | None = Field(
        None,
        min_length=1,
        max_length=500,
        description="Only the items of these ids; null: all that are found.",
    )
    days: tuple[dt.date, ...] | None = Field(
        None,
        min_length=1,
        max_length=MOST_DATES,
        description="Only these days of a series (pair, monthly, all), of those that were chosen; null: all of them.",
    )
    clouds: Literal["mask", "keep"] = Field(
        "mask",
        description="mask: what the product's own mask (SCL, Fmask, QA_PIXEL) calls cloud or shadow is a gap.",
    )
    offset: float | None = Field(
        None, description="Offset of reflectance, where the catalogue states a wrong one; null: as it states."
    )
    folder: str | None = Field(
        None,
        description="Folder of `python -m engine offline`, read instead of the catalogue; null: the catalogue.",
    )

    @model_validator(mode="after")
    def _dates_make_sense(self) -> Self:
        require_order(self.dates)
        if (self.choose in _OF_A_FIRE) != (self.fire_date is not None):
            raise ValueError("fire_date goes with choose: before, after or pair, and only with these")
        if self.days is not None and self.overlaps:
            raise ValueError("days goes with choose: pair, monthly or all, which are series")
        return self

    @property
    def overlaps(self) -> bool:
        """Whether scenes fill one another; the scenes of a series are its dates."""
        return self.choose in _FILLING

    @property
    def title(self) -> str:
        """The collection, and when."""
        when = f"{self.dates[0]} to {self.dates[1]}" if self.dates[0] != self.dates[1] else f"{self.dates[0]}"
        return f"{self.collection}, {self.choose} of {when}"

    @property
    def region(self) -> BaseGeometry:
        """The rectangle in lon/lat.

        Raises:
            RegionError: it is none.
        """
        return Region.from_bounds(*self.bounds_lonlat).polygon

    def place(self, root: Path) -> Path:
        """Where its scenes are kept, once for all workspaces."""
        if self.folder is not None:
            return resolve_path(self.folder)
        text = self.model_dump_json(exclude={"clouds", "days", "folder"})
        return shared_root(root) / "data" / "catalogues" / hashlib.sha256(text.encode()).hexdigest()[:16]

    def offline_folder(self, root: Path) -> Path:
        """Where a copy of its rasters is kept for use without a network, once for all workspaces."""
        online = self.model_copy(update={"folder": None}).place(root)
        return online.with_name(f"{online.name}-here")

    def here(self, root: Path) -> Self:
        """The same, read from its copy on this machine, where that is complete."""
        copy = self.offline_folder(root)
        return (
            self.model_copy(update={"folder": str(copy)})
            if self.folder is None and (copy / FILE).is_file()
            else self
        )

    def prepare(self, root: Path) -> Iterator[str]:
        """Search the catalogue, choose the days and read the headers, where this was not done yet."""
        folder = self.place(root)
        if self.is_ready(root):
            return
        if self.folder is not None:
            raise SceneError(
                f"{folder} holds no scenes of a catalogue. Write them with `python -m engine offline`."
            )
        yield f"Searching {catalogue(self.catalogue).title}"
        days, notes = self.chosen(days_of(self.found(), self.region))
        items = [item for day in days for item in choosing.items_of(day, self.overlaps)]
        yield f"Reading the headers of {len(items)} item(s)"
        write_manifest(folder, self._read(items, notes, folder))

    def prepare_labels(self, root: Path, name: str) -> Iterator[str]:
        """Catalogues bring no labels."""
        del root, name
        yield from ()

    def found(self) -> tuple[Item, ...]:
        """What the catalogue has, before days are chosen.

        Raises:
            RemoteError, ConfigError, RegionError: it cannot be asked.
        """
        from engine.imagery.catalogues.search import search  # pystac-client: not for every page

        own = catalogue(self.catalogue)
        dates = self.dates if own.collection(self.collection).has_dates else None
        return search(own, self.collection, self.region, dates, self.most_cloud_pct, self.items)

    def chosen(self, days: Sequence[Day]) -> tuple[list[Day], list[str]]:
        """The days that are taken, and what is to be said of them.

        Raises:
            NotSeen: there is none, or none before or after the fire.
            SceneError: too many.
        """
        if not days:
            raise NotSeen(
                f"No item of {self.collection} was found from {self.dates[0]} to {self.dates[1]} with at most "
                f"{self.most_cloud_pct:g} % cloud. Choose more days, or allow more cloud."
            )
        notes: list[str] = []
        match self.choose:
            case "best":
                found = [choosing.best(days)]
            case "before" | "after" | "pair":
                assert self.fire_date is not None
                found = [choosing.before(days, self.fire_date)] if self.choose != "after" else []
                found += [choosing.after(days, self.fire_date)] if self.choose != "before" else []
            case "monthly":
                found = list(choosing.monthly(days))
                absent = choosing.absent_months(found)
                notes += [f"The series has no scene of {', '.join(absent)}."] if absent else []
            case "mosaic" | "all":
                found = sorted(days, key=lambda one: -one.usable) if self.choose == "mosaic" else list(days)
        if len(found) > MOST_DATES:
            raise SceneError(
                f"{len(found)} days were found, and at most {MOST_DATES} are taken. Choose fewer days, or monthly."
            )
        return found, notes + list(choosing.partial(found, self.overlaps))

    def _read(self, items: Sequence[Item], notes: list[str], folder: Path) -> Manifest:
        from engine.imagery.catalogues.items import read_items, sensor_of  # rasterio: not for every page

        own = catalogue(self.catalogue)
        collection = own.collection(self.collection)
        count = Counter(sensor_of(item, collection).name for item in items)
        (most, _), *others = count.most_common()
        kept = [item for item in items if sensor_of(item, collection).name == most]
        if others:
            notes = [
                *notes,
                f"{len(items) - len(kept)} item(s) of another sensor ({others[0][0]}) are left out: their bands differ.",
            ]
        return Manifest(
            scenes=tuple(read_items(kept, own, collection, self.region, folder, self.offset)),
            notes=tuple(notes),
        )

    def is_ready(self, root: Path) -> bool:
        """Whether its scenes were found before."""
        return (self.place(root) / FILE).is_file()

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The scenes, best first where they fill one another.

        Raises:
            SceneError: the catalogue was not searched yet.
        """
        folder = self.place(root)
        if not self.is_ready(root):
            raise SceneError(
                f"The catalogue {self.catalogue} was not searched for this yet. Start the extraction, or open the place, with a network."
            )
        held = read_manifest(folder)
        records = of_days(held.scenes, self.days)
        made = [one.scene(folder, self.clouds == "mask") for one in records]
        if (
            self.clouds == "mask"
            and any(one.mask is None for one in records)
            and made[0].sensor.quantity == "reflectance"
        ):
            held = held.model_copy(
                update={"notes": (*held.notes, "Some scenes have no mask of clouds: clouds stay in them.")}
            )
        notes = held.notes
        if not self.overlaps:
            made, changed = on_one_grid(sorted(made, key=lambda one: str(one.datetime)))
            gaps = gaps_told(self.collection, [one.datetime for one in made]) if self.choose == "all" else ()
            notes = (*notes, *changed, *gaps)
        return replace(made[0], notes=(*notes, *made[0].notes)), *made[1:]

    def days_held(self, root: Path) -> tuple[dt.date, ...]:
        """The days of its scenes by the sun, oldest first, also those that `days` leaves out.

        Raises:
            SceneError: the catalogue was not searched yet.
        """
        return tuple(sorted({one.day for one in read_manifest(self.place(root)).scenes}))

    def find_readable(self, root: Path) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
        """All scenes: their headers were read before."""
        return self.find(root), ()

    def stamp(self, root: Path) -> float:
        """When the catalogue was searched."""
        return modified(self.place(root) / FILE)

    def last_date(self) -> Self:
        """Only the last day of a series that was searched before; of a pair that was not, the day after the fire."""
        if self.overlaps:
            return self
        try:
            held = of_days(read_manifest(self.place(runs_root())).scenes, self.days)
        except SceneError:  # told where its scenes are found
            is_searched_anew = self.choose == "pair" and self.folder is None
            return self.model_copy(update={"choose": "after", "days": None}) if is_searched_anew else self
        return self.model_copy(update={"days": (max(one.day for one in held),)})
