"""What a data set in the making holds already: one small file a fire, written when its chips are complete."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.errors import JobError, StoreError
from engine.files import file_sha256, make_folder, read_json, write_atomic

_FACTS = "made_from.json"


@dataclass(frozen=True)
class ChipRecord:
    """A chip that is there.

    Attributes:
        bounds_lonlat: of its outline; shares: of burnt and of known pixels, 0 to 1.
    """

    stem: str
    bounds_lonlat: tuple[float, float, float, float]
    burnt: float
    known: float


@dataclass(frozen=True)
class FireRecord:
    """What became of a fire.

    Attributes:
        image_day: of the scenes that were taken; "" where there are none.
        scenes: their ids.
        reasons: why there are no chips, or fewer than there could be; empty where nothing is to be said.
        bands: of its chips.
    """

    key: str
    title: str
    start: str
    end: str
    image_day: str
    scenes: tuple[str, ...]
    chips: tuple[ChipRecord, ...]
    reasons: tuple[str, ...]
    bands: tuple[str, ...] = ()
    is_simulated: bool = False


@dataclass(frozen=True)
class Records:
    """The records in the folder of an unfinished data set."""

    folder: Path

    @classmethod
    def begun(cls, folder: Path, perimeters_file: Path, side_px: int) -> Records:
        """The records of a new data set, or of one that is continued.

        Raises:
            JobError: it was begun with other perimeters.
        """
        facts = {"perimeters_sha256": file_sha256(perimeters_file), "side_px": side_px}
        path = folder / _FACTS
        if path.is_file() and _mapping(path) != facts:
            raise JobError(
                f"{folder.parent} was begun with another {perimeters_file.name}, or with scenes of another size. Start a new run."
            )
        make_folder(folder / "fires")
        make_folder(folder / "data")
        write_atomic(path, lambda temporary: temporary.write_text(json.dumps(facts), encoding="utf-8"))
        return cls(folder)

    def get(self, key: str) -> FireRecord | None:
        """The record of a fire that is done; None where it is still to be done."""
        path = self.folder / "fires" / f"{key}.json"
        if not path.is_file():
            return None
        found = _mapping(path)
        chips = tuple(
            ChipRecord(one["stem"], tuple(one["bounds_lonlat"]), one["burnt"], one["known"]) for one in found.pop("chips")
        )  # fmt: skip
        found |= {name: tuple(found[name]) for name in ("scenes", "reasons", "bands")}
        return FireRecord(chips=chips, **found)

    def put(self, record: FireRecord) -> None:
        """Write that a fire is done."""
        text = json.dumps(asdict(record))
        path = self.folder / "fires" / f"{record.key}.json"
        write_atomic(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _mapping(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path)
    except (OSError, ValueError) as err:
        raise StoreError(f"{path} cannot be read ({str(err)[:80]}). Start a new run.") from err
    if not isinstance(found, Mapping):
        raise StoreError(f"{path} holds no record. Start a new run.")
    return dict(found)
