"""Some of a catalogue's days are read as a series of their own, without asking the catalogue again."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from engine.errors import SceneError
from engine.imagery.sources import StacScene
from engine.jobs.configuration.config import config_hash, parse_config
from tests.stac.world import FIRE, World

DAYS = (date(2023, 7, 10), date(2023, 8, 5), date(2023, 10, 3))


def monthly(stac: World, **more: Any) -> StacScene:
    return StacScene.model_validate({
        "source": "stac", "catalogue": "es", "collection": "sentinel-2-l2a", "bounds_lonlat": stac.bounds_lonlat,
        "dates": ("2023-07-01", "2023-10-31"), "choose": "monthly", **more,
    })  # fmt: skip


def days_of(source: StacScene, home: Path) -> list[date]:
    return [one.datetime.date() for one in source.find(home) if one.datetime]


def test_days_of_a_series_are_read_from_the_same_search(stac: World, home: Path) -> None:
    whole = monthly(stac)
    list(whole.prepare(home))
    asked = len(stac.files.asked)
    two = monthly(stac, days=DAYS[::2])
    assert two.is_ready(home)
    assert days_of(whole, home) == list(DAYS)
    assert days_of(two, home) == [DAYS[0], DAYS[2]]
    assert two.days_held(home) == DAYS
    assert len(stac.files.asked) == asked
    with pytest.raises(SceneError, match=r"names 2023-09-01, .* it has 2023-07-10, 2023-08-05, 2023-10-03"):
        monthly(stac, days=(DAYS[0], date(2023, 9, 1))).find(home)


def test_days_belong_to_series_and_leave_hashes_of_before_as_they_were(stac: World) -> None:
    with pytest.raises(ValidationError, match="days goes with choose: pair, monthly or all"):
        monthly(stac, choose="best", days=DAYS)
    tree = {"kind": "extract", "backbone": {"name": "raw"}, "scene": monthly(stac).model_dump(mode="json")}
    before = {**tree, "scene": {key: value for key, value in tree["scene"].items() if key != "days"}}
    assert config_hash(parse_config(tree)) == config_hash(parse_config(before))
    some = {**tree, "scene": monthly(stac, days=DAYS[:1]).model_dump(mode="json")}
    assert config_hash(parse_config(some)) != config_hash(parse_config(tree))


@pytest.mark.parametrize(("more", "last"), [({}, DAYS[2]), ({"days": DAYS[:2]}, DAYS[1])])
def test_the_last_date_of_a_series_is_one_day(
    stac: World, home: Path, more: dict[str, Any], last: date
) -> None:
    source = monthly(stac, **more)
    list(source.prepare(home))
    assert days_of(source.last_date(), home) == [last]
    pair = monthly(stac, choose="pair", fire_date=FIRE)
    assert pair.last_date().choose == "after"  # not searched yet
    list(pair.prepare(home))
    assert days_of(pair.last_date(), home) == [DAYS[1]]
