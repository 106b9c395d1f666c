"""The simulated fire season as a source: made from its seed, kept among the runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal, Self

from filelock import FileLock
from pydantic import Field

from engine.errors import SceneError
from engine.frozen import Frozen
from engine.imagery.scene import Scene
from engine.imagery.season_version import version_note
from engine.imagery.simulation.splits import splits_of_first
from engine.imagery.sources.chip_folder import chip_scenes
from engine.paths import modified
from engine.workspace import shared_root

SEASON_VERSION = (
    2  # counts up when the same seed gives other pixels; a season states its own in simulated.json
)


class SimulatedScene(Frozen):
    """The simulated fire season, made from its seed when it is not there yet."""

    overlaps: ClassVar[bool] = False
    added_later: ClassVar[tuple[str, ...]] = ("chips",)

    source: Literal["simulated"]
    seed: int = Field(0, ge=0, description="The same seed gives the same bytes.")
    date: Literal["post", "pre", "both"] = Field(
        "post", description="Before or after the fires, or both dates."
    )
    chips: int | None = Field(
        None, ge=3, le=47, description="Only so many of the season's places; null: all 48."
    )

    @property
    def title(self) -> str:
        """The season, its date and its seed."""
        words = {"post": "after", "pre": "before", "both": "before and after"}[self.date]
        some = f", {self.chips} places" if self.chips else ""
        return f"Simulated fire season {self.seed}{some}, {words}"

    def prepare(self, root: Path) -> Iterator[str]:
        """Simulate the season where it is not there yet."""
        if not self.is_ready(root):
            folder = season_folder(self.seed, root, self.chips)
            yield "Simulating the fire season (once for each seed)"
            from engine.imagery.simulation.location import MOST_CHIPS
            from engine.imagery.simulation.season import simulate_season  # scipy: not for every page

            simulate_season(folder, self.seed, chips=self.chips or MOST_CHIPS)

    def prepare_labels(self, root: Path, name: str) -> Iterator[str]:
        """Add severity and dNBR to a season that an earlier version has made.

        Raises:
            LabelError: its chips are not those that this version simulates.
        """
        folder, _ = self._held(root)
        if name == "mask" or not folder.is_dir():
            return
        from engine.imagery.simulation.labels import add_labels, lacks  # scipy: not for every page

        if lacks(folder, name):
            yield "Adding labels of severity and dNBR to the fire season (once)"
            with FileLock(folder.with_name(f".{folder.name}.labels.lock")):
                add_labels(folder, self.seed)

    def is_ready(self, root: Path) -> bool:
        """Whether the season has been simulated."""
        return self._held(root)[0].is_dir()

    def find(self, root: Path) -> tuple[Scene, ...]:
        """The chips of the season, date by date.

        Raises:
            SceneError: the season has not been made.
        """
        folder, splits = self._held(root)
        if not folder.is_dir():
            raise SceneError(
                f"The simulated fire season of seed {self.seed} is not there yet. "
                f"Make it with `python -m engine simulate`, or start the extraction, which makes it first."
            )
        dates = ("pre", "post") if self.date == "both" else (self.date,)
        scenes = [(date, scene) for date in dates for scene in chip_scenes(folder, date, splits=splits)]
        note = version_note(folder)
        if note:
            scenes[0] = (scenes[0][0], replace(scenes[0][1], notes=(*scenes[0][1].notes, note)))
        # The masks show what has burnt: the ground before the fires has no labels.
        return tuple(scene if date == "post" else replace(scene, mask_path=None) for date, scene in scenes)

    def find_readable(self, root: Path) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
        """All chips: the season is ours, and can be made again."""
        return self.find(root), ()

    def stamp(self, root: Path) -> float:
        """When the season was made."""
        return modified(self._held(root)[0] / "data")

    def last_date(self) -> Self:
        """Only after the fires, where both dates are asked for."""
        return self.model_copy(update={"date": "post"}) if self.date == "both" else self

    def _held(self, root: Path) -> tuple[Path, Mapping[str, str] | None]:
        """The folder that holds the places, and their splits where it is a season that holds more than these.

        Where no folder holds them, the one that they are made in.
        """
        own, whole = season_folder(self.seed, root, self.chips), season_folder(self.seed, root)
        if self.chips and not own.is_dir() and whole.is_dir():
            splits = splits_of_first(whole, self.seed, self.chips)
            if splits is not None:
                return whole, splits
        return own, None


def season_folder(seed: int, root: Path, chips: int | None = None) -> Path:
    """Where the simulated season of a seed, or its first places, are kept, once for all workspaces."""
    some = f"-{chips}" if chips else ""
    return shared_root(root) / "data" / f"simulated-{seed}{some}"
