"""What is kept of a test beside its scores: counts by place, probabilities, where it fails; read without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from engine.errors import JobError
from engine.files import read_json
from engine.learning.judging import strata as strata_of
from engine.learning.judging.numbers import Scatter
from engine.learning.judging.place_counts import PlaceCounts
from engine.learning.judging.strata import Stratum
from engine.learning.judging.tally import Tally

JUDGEMENT = "judgement.json"
_VERSION = 2
DECODER, AT_THRESHOLD = "decoder", "decoder_at_threshold"


@dataclass(frozen=True)
class Method:
    """A decoder, or what it is compared with, on the test places.

    Attributes:
        key: decoder, decoder_at_threshold, or a baseline's.
        note: what was fitted on which places, in words; may be empty.
    """

    key: str
    name: str
    note: str
    counts: PlaceCounts


@dataclass(frozen=True)
class Place:
    """A test place.

    Attributes:
        name: its first tile.
        tile_ids: of all its tiles.
        bounds_lonlat: west, south, east, north in degrees; west > east over the antimeridian.
        sought_ha: labelled area of the class that is looked for, hectares; None where the task has no such class.
    """

    name: str
    tile_ids: tuple[str, ...]
    bounds_lonlat: tuple[float, float, float, float]
    sought_ha: float | None


@dataclass(frozen=True)
class Judgement:
    """The test of a decoder in detail.

    Attributes:
        methods: the decoder first.
        places: in the order of the decoder's counts.
        tallies: "test" and "validation" -> one for each class that has a probability of its own.
        threshold: the probability above which the class counts, as the validation places chose it; None without one.
        strata: counts of test pixels by distance, size and severity; empty but for maps of two classes.
        severity: what severity was taken from, or why there is none, in words.
        scatter: of a task of numbers.
    """

    methods: tuple[Method, ...]
    places: tuple[Place, ...]
    tallies: Mapping[str, tuple[Tally, ...]]
    threshold: float | None
    strata: tuple[Stratum, ...]
    severity: str
    scatter: Scatter | None

    @classmethod
    def read(cls, folder: Path) -> Judgement | None:
        """That of a run folder; None where the run has none, as those of earlier versions.

        Raises:
            JobError: it is damaged.
        """
        path = folder / JUDGEMENT
        try:
            tree = read_json(path)
            return cls._from_json(tree) if tree["version"] == _VERSION else None
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, IndexError) as err:
            raise JobError(
                f"{path} is damaged and cannot be read. Run `python -m engine evaluate` on its folder to write it again."
            ) from err

    def to_json(self) -> dict[str, Any]:
        """All of it, fit for JSON."""
        return {
            "version": _VERSION,
            "methods": [
                {"key": one.key, "name": one.name, "note": one.note, "places": one.counts.to_json()}
                for one in self.methods
            ],
            "places": [asdict(one) for one in self.places],
            "tallies": {split: [one.to_json() for one in own] for split, own in self.tallies.items()},
            "threshold": self.threshold,
            "strata": strata_of.to_json(self.strata),
            "severity": self.severity,
            "scatter": None if self.scatter is None else self.scatter.to_json(),
        }

    @classmethod
    def _from_json(cls, tree: Mapping[str, Any]) -> Judgement:
        return cls(
            tuple(
                Method(one["key"], one["name"], one["note"], PlaceCounts.from_json(one["places"]))
                for one in tree["methods"]
            ),
            tuple(
                Place(one["name"], tuple(one["tile_ids"]), tuple(one["bounds_lonlat"]), one["sought_ha"])
                for one in tree["places"]
            ),
            {split: tuple(Tally.from_json(one) for one in own) for split, own in tree["tallies"].items()},
            tree["threshold"],
            strata_of.from_json(tree["strata"]),
            tree["severity"],
            None if tree["scatter"] is None else Scatter.from_json(tree["scatter"]),
        )
