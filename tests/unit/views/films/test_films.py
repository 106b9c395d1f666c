"""A film shows each date of a series once, in colours and a stretch that all dates share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

from engine.errors import BadInput, RegionError, SceneError
from engine.extraction.extract import extract
from engine.imagery.region import Region
from engine.imagery.sources import ZarrScene
from engine.jobs.configuration.config import parse_config
from engine.store.store import EmbeddingStore
from engine.views.films.imagery_film import write_imagery_film
from engine.views.films.lens_film import dates_of, write_lens_film
from engine.views.layer_view import view_of
from engine.views.lens.kinds import components_lens
from engine.views.pca import pca_of
from tests.unit.cubes.made import DAYS, write_cube


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> ZarrScene:
    return ZarrScene(
        source="zarr", path=str(write_cube(tmp_path_factory.mktemp("cube") / "cube.zarr", "band"))
    )


def pictures(path: Path) -> list[np.ndarray]:
    with Image.open(path) as film:
        return [np.asarray(one.convert("RGB"), np.float32) for one in ImageSequence.Iterator(film)]


@pytest.mark.parametrize("ending", [".webp", ".gif", ".png"])
def test_a_film_of_imagery_has_a_picture_a_date_in_one_stretch(
    cube: ZarrScene, tmp_path: Path, ending: str
) -> None:
    scenes = cube.find(tmp_path)
    made = write_imagery_film(scenes, tmp_path / f"film{ending}", 0.3, ["red"])
    assert made.days == DAYS
    shown = pictures(made.path)
    assert len(shown) == 3
    middle = [float(one[one.shape[0] // 2 - 40 :, 100:600].mean()) for one in shown]
    assert middle[0] < middle[1] < middle[2]  # the cube becomes brighter from date to date


def test_a_film_of_a_region_and_what_makes_no_film(cube: ZarrScene, tmp_path: Path) -> None:
    scenes = cube.find(tmp_path)
    west, south, east, north = scenes[0].footprint.bounds
    half = Region.from_bounds(west, south, (west + east) / 2, north)
    whole, part = (
        write_imagery_film(scenes, tmp_path / f"{name}.webp", 1, region=region).path
        for name, region in (("whole", None), ("part", half))
    )
    with Image.open(whole) as first, Image.open(part) as second:
        assert first.height <= second.height  # the same side is shown, of half of the ground
    with pytest.raises(RegionError, match="meets none"):
        write_imagery_film(scenes, tmp_path / "far.webp", 1, region=Region.from_bounds(0, 0, 1, 1))
    with pytest.raises(SceneError, match="one band or three"):
        write_imagery_film(scenes, tmp_path / "two.webp", 1, ["red", "green"])
    with pytest.raises(BadInput, match="does not end in"):
        write_imagery_film(scenes, tmp_path / "film.mp4", 1)
    assert not list(tmp_path.glob("*.mp4"))


def test_a_film_of_a_store_of_several_dates_or_of_a_store_a_date_has_common_colours(
    cube: ZarrScene, tmp_path: Path, home: Path
) -> None:
    def stored(name: str, scene: ZarrScene) -> EmbeddingStore:
        tree = {"kind": "extract", "scene": scene.model_dump(mode="json"), "tiles": {"size_px": 32}, "device": "cpu",
                "backbone": {"name": "raw", "temporal": "keep"}}  # fmt: skip
        list(extract(parse_config(tree), tmp_path / name, home))  # type: ignore[arg-type]
        return EmbeddingStore.open(tmp_path / name)

    view = view_of(stored("all", cube), None, 1)
    lens = components_lens(pca_of(view, components=3), (0, 1, 2))
    dates = dates_of([view])
    assert dates.days == DAYS
    shown = pictures(write_lens_film(dates, lens, tmp_path / "film.png", 0.5, "Components"))
    assert len(shown) == 3
    assert np.abs(shown[0][200:600] - shown[2][200:600]).mean() > 1
    alone = [
        view_of(stored(day, ZarrScene.model_validate({**cube.model_dump(), "dates": (day, day)})), None, 1)
        for day in DAYS[1:]
    ]
    assert dates_of(alone).days == DAYS[1:]
    again = pictures(write_lens_film(dates_of(alone), lens, tmp_path / "again.png", 0.5, "Components"))
    body = np.s_[100:600, 60:700]
    assert np.abs(again[1][body] - shown[2][body]).max() < 2
