"""What the maps say of a place: the value that the picture shows there, or that there is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyproj import Transformer
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.ui.map.routes import serving, tiles, values
from tests.conftest import WriteRaster


@pytest.fixture(autouse=True)
def _may_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", str(tmp_path))


@pytest.fixture
def measured(write_raster: WriteRaster) -> tuple[tiles.Band, ...]:
    """Three bands of 20 m; the west of the first is a gap."""
    stored = np.stack([np.full((64, 64), value, np.int16) for value in (1000, 2000, 3000)])
    stored[0, :, :32] = -9
    path = write_raster("bands.tif", stored, names=None)
    return tuple(tiles.Band(path, index, 1e-4, 0.0, (-9.0,)) for index in (1, 2, 3))


def test_the_value_is_what_was_measured_with_the_names_of_the_bands_and_the_date(
    measured: tuple[tiles.Band, ...],
) -> None:
    meaning = tiles.Meaning("measured", ("swir_2", "nir_narrow", "red"), dates=("1 May 2021",))
    token = tiles.register(tiles.Layer((measured,), ((0.0, 1.0),) * 3, meaning=meaning))
    found = values.at(token, *_place(400_000 + 20 * 50, 4_100_000 - 20 * 10))
    assert found == values.Value(("swir_2 0.100", "nir_narrow 0.200", "red 0.300"), "1 May 2021")


@pytest.mark.parametrize(("x_m", "y_m"), [(400_200, 4_099_800), (390_000, 4_099_800)])
def test_a_gap_and_a_place_beside_the_scene_have_no_value(
    measured: tuple[tiles.Band, ...], x_m: float, y_m: float
) -> None:
    token = tiles.register(tiles.Layer((measured,), meaning=tiles.Meaning("measured", ("a", "b", "c"))))
    assert values.at(token, *_place(x_m, y_m)) == values.Value()


def test_where_scenes_overlap_the_one_that_is_shown_is_told(
    measured: tuple[tiles.Band, ...], write_raster: WriteRaster
) -> None:
    below = tiles.Band(write_raster("below.tif", np.full((1, 64, 64), 7, np.int16), names=None))
    meaning = tiles.Meaning("measured", ("red",), dates=("first", "second"))
    token = tiles.register(tiles.Layer((measured[:1], (below,)), meaning=meaning))
    assert values.at(token, *_place(400_000 + 20 * 50, 4_099_800)).date == "first"
    assert values.at(token, *_place(400_200, 4_099_800)) == values.Value(("red 7.000",), "second")


@pytest.mark.parametrize(
    ("meaning", "words"),
    [
        (tiles.Meaning("class", titles=((0, "not burned"), (3, "burned"))), ("burned",)),
        (tiles.Meaning("class", titles=((0, "not burned"),)), ()),
        (tiles.Meaning("colour"), ()),
    ],
)
def test_a_class_is_told_by_its_title(
    write_raster: WriteRaster, meaning: tiles.Meaning, words: tuple[str, ...]
) -> None:
    band = tiles.Band(write_raster("classes.tif", np.full((1, 64, 64), 3, np.uint8), names=None))
    token = tiles.register(tiles.Layer(((band,),), meaning=meaning))
    assert values.at(token, *_place(400_200, 4_099_800)).words == words


def test_a_probability_is_told_as_a_percentage(write_raster: WriteRaster) -> None:
    band = tiles.Band(write_raster("share.tif", np.full((1, 64, 64), 63, np.uint8), names=None), scale=0.01)
    token = tiles.register(tiles.Layer(((band,),), meaning=tiles.Meaning("share", ("burned",))))
    assert values.at(token, *_place(400_200, 4_099_800)).words == ("burned 63 %",)


def test_the_address_answers_for_known_layers_alone(measured: tuple[tiles.Band, ...]) -> None:
    token = tiles.register(tiles.Layer((measured,), meaning=tiles.Meaning("measured", ("a", "b", "c"))))
    client = TestClient(Starlette(routes=serving.routes()), base_url="http://127.0.0.1")
    lon, lat = _place(401_000, 4_099_800)
    answer = client.get(
        "/tiles/values", params={"lon": lon, "lat": lat, "layers": f"{token},{'0' * 32},../etc"}
    )
    assert list(answer.json()) == [token]
    assert client.get("/tiles/values", params={"lon": "x", "lat": "1", "layers": token}).status_code == 400
    assert client.get("/tiles/values", params={"lon": "999", "lat": "1", "layers": token}).json() == {}


def _place(x_m: float, y_m: float) -> tuple[float, float]:
    """Longitude and latitude of a place of EPSG:32618."""
    lon, lat = Transformer.from_crs(32618, 4326, always_xy=True).transform(x_m, y_m)
    return float(lon), float(lat)
