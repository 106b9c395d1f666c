"""Matrices of decoders that are taught on one group of ground and tested on the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.jobs.events import Noticed
from engine.jobs.leaderboard_events import LeaderboardPlanned
from tests.unit.learning import chips as made
from tests.unit.learning.leaderboard.conftest import RunBoard, extraction, summary_of


def test_decoders_travel_between_stores_and_parts_of_the_ground(run_board: RunBoard, ground: Path) -> None:
    changes = {"stores": [str(ground / "four")], "heads": ["linear"], "seeds": [0]}
    _, events = run_board("far", travel="store", travel_stores=[str(ground / "far")], **changes)
    (matrix,) = summary_of(events)["travel"]
    assert len(matrix["tested_on"]) == 2
    assert [line["trained_on"] for line in matrix["lines"]] == matrix["tested_on"]
    scores = np.array([[one["mean"] for one in line["scores"]] for line in matrix["lines"]])
    assert scores.shape == (2, 2)
    planned = next(event for event in events if isinstance(event, LeaderboardPlanned))
    assert planned.decoders == 2  # the row's decoder has learned from the whole of the first store


def test_decoders_travel_between_sensors_levels_and_dates_in_one_board(
    run_board: RunBoard, ground: Path
) -> None:
    changes = {"stores": [seen_as(ground, "hls", "surface", "2021-08-02")], "heads": ["linear"], "seeds": [0]}
    others = [
        seen_as(ground, "landsat_c2l2", "surface", "2021-11-20"),
        seen_as(ground, "hls", "top of atmosphere", "2022-05-01"),
    ]
    _, events = run_board("all", travel=["sensor", "level", "date"], travel_stores=others, **changes)
    matrices = {one["by"]: one for one in summary_of(events)["travel"]}
    assert [title.partition(",")[0] for title in matrices["sensor"]["tested_on"]] == [
        "hls",
        "landsat_c2l2",
        "hls",
    ]
    assert {title.partition(",")[0] for title in matrices["level"]["tested_on"]} == {
        "surface",
        "top of atmosphere",
    }
    assert matrices["date"]["tested_on"] == ["2021-08", "2021-11", "2022-05"]
    for matrix in matrices.values():
        scores = [[one["mean"] for one in line["scores"]] for line in matrix["lines"]]
        assert np.shape(scores) == (3, 3)
        assert np.isfinite(scores).all()
    planned = next(event for event in events if isinstance(event, LeaderboardPlanned))
    assert planned.decoders == 3  # each store's decoder serves the three matrices


def seen_as(ground: Path, sensor: str, level: str, day: str) -> dict[str, Any]:
    """An extraction of the chips that says of them what they are not."""
    tree: dict[str, Any] = extraction(ground / "chips", 4).model_dump(mode="json")
    tree["scene"] |= {
        "sensor": sensor,
        "bands": list(made.BANDS),
        "level": level,
        "datetime": f"{day}T18:00:00Z",
    }
    return tree


def test_no_decoder_is_tested_on_ground_that_it_learned_from(
    run_board: RunBoard, ground: Path, tmp_path: Path
) -> None:
    made.write_chips(tmp_path / "chips_shifted", east_m=495_480)  # half of a chip over the one before it
    shifted = extraction(tmp_path / "chips_shifted", 4).model_dump(mode="json")
    changes = {"stores": [str(ground / "four")], "heads": ["linear"], "seeds": [0]}
    _, events = run_board("shifted", travel="store", travel_stores=[shifted], **changes)
    # the first validation chip lies on a training chip, the first test chip on one of validation
    assert any("2 tile(s)" in event.message for event in events if isinstance(event, Noticed))
    (matrix,) = summary_of(events)["travel"]
    assert [score["places"] for score in matrix["lines"][0]["scores"]] == [3, 2]
