"""The regions that were used last in a workspace, so that they can be chosen again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.errors import EngineError
from engine.files import make_folder, read_json, write_atomic
from engine.imagery.places import nearest_place
from engine.jobs.configuration.config import RegionConfig
from pages.ui import workspace
from pages.ui.look import wording
from pages.ui.state import regions

_FILE = "recent.json"
_MOST = 12


@dataclass(frozen=True)
class Recent:
    """A region that was used.

    Attributes:
        words: as the address carries it.
        title: its size, what it lies near, and when it was used.
    """

    words: str
    title: str


def remember(region: RegionConfig | None) -> None:
    """Keep a region as the newest; one that cannot be kept is left out, for the work goes on without it."""
    words = regions.to_words(region)
    if region is None or words is None:
        return
    kept = {"words": words, "at": datetime.now(UTC).isoformat(timespec="seconds")}
    lines = [kept, *(one for one in _lines() if one["words"] != words)][:_MOST]
    try:
        path = workspace.folder() / "regions" / _FILE
        make_folder(path.parent)
        write_atomic(path, lambda temporary: temporary.write_text(json.dumps(lines), encoding="utf-8"))
    except EngineError:
        return


def listed() -> list[Recent]:
    """Regions of this workspace that can still be read, the newest first."""
    found = []
    for one in _lines():
        region = regions.from_words(one["words"])
        if region is not None:
            found.append(Recent(one["words"], _title(region, one["at"])))
    return found


def _title(region: RegionConfig, at: str) -> str:
    checked = regions.checked(region)
    middle = checked.polygon.representative_point()
    place, km = nearest_place(middle.y, middle.x)
    where = f"at {place.name}" if km < 1 else f"{km:,.0f} km from {place.name}"
    return f"{wording.area(checked.area_km2)} {where}, {place.country}, used {at[:10]}"


def _lines() -> list[dict[str, str]]:
    """What the file holds; nothing where it is absent or damaged."""
    try:
        tree = read_json(workspace.folder() / "regions" / _FILE)
        return [{"words": str(one["words"]), "at": str(one["at"])} for one in tree][:_MOST]
    except (OSError, ValueError, KeyError, TypeError):
        return []
