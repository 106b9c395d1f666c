"""Known fires have days in order, a rectangle that can be searched, and a page where their days are read."""

from __future__ import annotations

import pytest

from engine.commands.imagery.fires import scene_of
from engine.datasets.named_fires import NAMED_FIRES, NamedFire, named_fire
from engine.imagery.region import Region
from engine.imagery.sources import StacScene


@pytest.mark.parametrize("fire", NAMED_FIRES, ids=lambda fire: fire.name)
def test_a_known_fire_can_be_searched(fire: NamedFire) -> None:
    assert fire.start < fire.end
    assert Region.from_bounds(*fire.bounds_lonlat).area_km2 > 100
    assert fire.page.startswith("https://") and fire.source
    assert StacScene.model_validate(scene_of(fire)).fire_date == fire.end


def test_names_are_told_apart() -> None:
    assert len({fire.name for fire in NAMED_FIRES}) == len(NAMED_FIRES)


@pytest.mark.parametrize(
    ("name", "latitude", "longitude"),
    [("dixie-fire", 39.819, -121.419), ("caldor-fire", 38.584, -120.534), ("carr-fire", 40.6543, -122.6236),
     ("creek-fire", 37.19147, -119.261175), ("woolsey-fire", 34.235, -118.7013), ("park-fire", 39.8186, -121.8025)],
)  # fmt: skip
def test_a_rectangle_holds_the_point_that_the_fires_page_states(
    name: str, latitude: float, longitude: float
) -> None:
    west, south, east, north = named_fire(name).bounds_lonlat
    assert west < longitude < east
    assert south < latitude < north
