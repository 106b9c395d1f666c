"""The version of a simulated season: what the same seed gave when its folder was made."""

from __future__ import annotations

import json
from pathlib import Path

SEASON_VERSION = (
    3  # counts up when the same seed gives other pixels; a season states its own in simulated.json
)
FACTS = "simulated.json"


def version_note(folder: Path) -> str:
    """What is to be said of a season that another version has simulated; empty for one of today's."""
    told = folder / FACTS
    if not told.is_file():
        return ""
    version = json.loads(told.read_text(encoding="utf-8")).get("version", 1)
    if version == SEASON_VERSION:
        return ""
    return (
        f"{folder.name} is version {version} of the simulated season, and this version of Emberscope simulates version "
        f"{SEASON_VERSION}. It is used as it is; delete its folder to have it simulated anew."
    )
