"""The simulated season is reproducible, physically plausible, labelled, and neither trivial nor hopeless."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

from engine.errors import ConfigError, LabelError
from engine.imagery.season_version import SEASON_VERSION
from engine.imagery.simulation.chip import simulate_chip
from engine.imagery.simulation.endmembers import BANDS, NIR, SPECTRA, SWIR_2, Endmember
from engine.imagery.simulation.land.cover import MIXTURES, Cover
from engine.imagery.simulation.land.terrain import sun_position
from engine.imagery.simulation.location import MOST_CHIPS, make_location
from engine.imagery.simulation.season import simulate_season
from engine.imagery.simulation.views import VIEWS
from engine.imagery.sources.simulated import SimulatedScene, season_folder

pytestmark = pytest.mark.xdist_group("simulated_season")
CHIPS = 16


@pytest.fixture(scope="module")
def season(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "season"
    simulate_season(folder, seed=0, chips=CHIPS)
    return folder


@pytest.fixture(scope="module")
def chips():
    return [simulate_chip(0, index) for index in range(4)]


def digests(folder: Path) -> dict[str, str]:
    rasters = sorted(folder.rglob("*.tif"))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in rasters}


def read_split(season: Path, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Normalised Burn Ratio and label of all labelled pixels of a split."""
    ratios, labels = [], []
    for stem in (season / "splits" / f"{name}.txt").read_text().split():
        with rasterio.open(season / "data" / f"{stem}_merged.tif") as image:
            pixels = image.read()
        with rasterio.open(season / "data" / f"{stem}.mask.tif") as mask:
            label = mask.read(1)
        ratio = (pixels[NIR] - pixels[SWIR_2]) / (pixels[NIR] + pixels[SWIR_2])
        ratios.append(ratio[label >= 0])
        labels.append(label[label >= 0] == 1)
    return np.concatenate(ratios), np.concatenate(labels)


def overlap(predicted: np.ndarray, true: np.ndarray) -> float:
    return float((predicted & true).sum() / (predicted | true).sum())


def test_severity_is_a_class_of_each_burnt_pixel_and_dnbr_is_what_the_two_images_show(season: Path) -> None:
    found = set()
    for mask_path in sorted((season / "data").glob("*.mask.tif"))[:6]:
        stem = mask_path.name.removesuffix(".mask.tif")
        images = [season / part / f"{stem}_merged.tif" for part in ("pre", "data")]
        others = [mask_path.with_name(f"{stem}.{name}.tif") for name in ("severity", "dnbr")]
        mask, severity, dnbr = (rasterio.open(path).read(1) for path in (mask_path, *others))
        before, after = (rasterio.open(path).read() for path in images)
        assert ((severity > 0) == (mask == 1)).all()
        assert ((severity < 0) == (mask < 0)).all()
        known = ~np.isnan(dnbr)
        assert not known[mask < 0].any()
        ratios = [(one[NIR] - one[SWIR_2]) / (one[NIR] + one[SWIR_2]) for one in (before, after)]
        assert np.abs((ratios[0] - ratios[1] - dnbr)[known]).max() < 0.05 or (before[NIR] < 0).any()
        found |= set(np.unique(severity).tolist())
    assert {0, 1, 2, 3} <= found


def test_a_season_of_an_earlier_version_gets_the_labels_that_it_lacks(tmp_path: Path) -> None:
    source = SimulatedScene(source="simulated", seed=0)
    folder = season_folder(0, tmp_path)
    simulate_season(folder, seed=0, chips=3)
    whole = digests(folder)
    for path in (*folder.glob("data/*.severity.tif"), *folder.glob("data/*.dnbr.tif")):
        path.unlink()
    assert list(source.prepare_labels(tmp_path, "mask")) == []
    assert len(list(source.prepare_labels(tmp_path, "severity"))) == 1
    assert digests(folder) == whole
    assert list(source.prepare_labels(tmp_path, "dnbr")) == []
    mask = next(folder.glob("data/*.mask.tif"))
    with rasterio.open(mask, "r+") as dataset:
        dataset.write(1 - np.abs(dataset.read(1)), 1)
    next(folder.glob("data/*.severity.tif")).unlink()
    with pytest.raises(LabelError, match="simulated by another version"):
        list(source.prepare_labels(tmp_path, "severity"))


def test_same_seed_gives_same_bytes_and_another_seed_gives_others(season, tmp_path):
    simulate_season(tmp_path / "again", seed=0, chips=3)
    simulate_season(tmp_path / "other", seed=1, chips=3)
    whole, again, other = digests(season), digests(tmp_path / "again"), digests(tmp_path / "other")
    assert len(again) == 15
    assert again.items() <= whole.items()
    assert not set(other.values()) & set(again.values())


def test_rasters_open_with_bands_grid_and_tags(season):
    images = sorted(season.glob("data/*_merged.tif"))
    assert len(images) == CHIPS
    for path in images:
        with rasterio.open(path) as image, rasterio.open(season / "pre" / path.name) as before:
            assert image.descriptions == before.descriptions == BANDS
            assert image.shape == (256, 256)
            assert image.res == (30.0, 30.0)
            assert image.crs.to_epsg() in {32610, 32611}
            assert image.dtypes[0] == "float32"
            assert image.nodata == -9999
            assert image.bounds == before.bounds
            for raster in (image, before):
                assert raster.tags()["EMBERSCOPE_SIMULATED"] == "yes"
                assert raster.tags()["EMBERSCOPE_SENSOR"] in {view.sensor for view in VIEWS}
            fire = image.tags()["EMBERSCOPE_FIRE_DATETIME"]
            assert before.tags()["EMBERSCOPE_DATETIME"] < fire < image.tags()["EMBERSCOPE_DATETIME"]
        with rasterio.open(str(path).replace("_merged.tif", ".mask.tif")) as mask:
            assert mask.dtypes == ("int16",)
            assert mask.nodata == -1
            assert mask.tags()["EMBERSCOPE_SIMULATED"] == "yes"
            assert set(np.unique(mask.read(1))) <= {-1, 0, 1}


def test_splits_are_disjoint_and_complete(season):
    splits = {
        name: (season / "splits" / f"{name}.txt").read_text().split() for name in ("train", "val", "test")
    }
    stems = [stem for members in splits.values() for stem in members]
    assert len(stems) == len(set(stems)) == CHIPS
    assert set(stems) == {path.name.removesuffix("_merged.tif") for path in season.glob("data/*_merged.tif")}
    assert all(stem.startswith("simulated_") for stem in stems)
    assert min(len(members) for members in splits.values()) >= 3


def test_folder_says_in_words_and_json_that_it_is_simulated(season):
    facts = json.loads((season / "simulated.json").read_text())
    assert facts["version"] == SEASON_VERSION
    assert facts["simulated"] is True
    assert facts["seed"] == 0
    assert "Nothing here was seen by a satellite" in (season / "SIMULATED.md").read_text()


def test_nbr_threshold_is_neither_trivial_nor_hopeless(season):
    ratios, labels = read_split(season, "train")
    thresholds = np.linspace(-0.5, 0.5, 51)
    best = thresholds[np.argmax([overlap(ratios < threshold, labels) for threshold in thresholds])]
    ratios, labels = read_split(season, "test")
    assert (
        0.25 <= overlap(ratios < best, labels) <= 0.8
    )  # one threshold for two levels of reflectance, clear and hazy


def test_reflectance_is_physical_and_gaps_are_marked_in_both(chips):
    for chip in chips:
        for image in (chip.pre, chip.post):
            seen = image[:, image[0] != -9999]
            assert seen.min() > 0
            assert seen.max() < 1.5
            assert np.median(seen) < 0.4
        assert (chip.mask[chip.post[0] == -9999] == -1).all()
        assert 0.02 < (chip.mask == 1).mean() < 0.5


def test_fire_darkens_the_near_infrared_and_leaves_the_rest_alone(chips):
    for chip in chips:
        clear = (chip.mask >= 0) & (chip.shadow < 0.05) & (chip.pre[0] < 0.2)
        change = chip.post[NIR] - chip.pre[NIR]
        severe = clear & (chip.mask == 1) & (chip.severity > 0.6)
        untouched = clear & (chip.mask == 0) & np.isin(chip.cover, (Cover.FOREST, Cover.SHRUB))
        assert np.median(change[severe]) < np.median(change[untouched]) - 0.03


def test_confusers_look_burned_to_nbr_and_are_not():
    chips = [simulate_chip(0, index) for index in (3, 6, 0)]
    ratio, label, cover, shadow = (np.concatenate(parts) for parts in zip(*map(_flat, chips), strict=True))
    as_light_burn = ratio < np.quantile(ratio[label == 1], 0.75)
    farmed = np.isin(cover, (Cover.STUBBLE, Cover.PLOUGHED)) & (label == 0)
    assert as_light_burn[farmed].mean() > 0.1
    assert {Cover.WATER, Cover.RECENT_CUT} <= set(np.unique(cover))
    assert (shadow > 0.4).any()


def _flat(chip) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    known = chip.mask >= 0
    ratio = (chip.post[NIR] - chip.post[SWIR_2]) / (chip.post[NIR] + chip.post[SWIR_2])
    return ratio[known], chip.mask[known], chip.cover[known], chip.shadow[known]


def test_no_two_places_of_a_season_overlap():
    places = [
        make_location(np.random.default_rng([5, index]), index, "HLS.L30", (175, 275), 70)
        for index in range(MOST_CHIPS)
    ]
    assert len({location.stem for location in places}) == MOST_CHIPS
    for one in places:
        for other in places:
            if one is not other and one.crs == other.crs:
                east = abs(one.transform.c - other.transform.c)
                north = abs(one.transform.f - other.transform.f)
                assert east >= 256 * 30 or north >= 256 * 30


def test_every_cover_is_a_whole_mixture_of_known_spectra():
    assert SPECTRA.shape == (len(Endmember), len(BANDS))
    for sparse, dense in MIXTURES.values():
        assert sum(sparse.values()) == pytest.approx(1.0)
        assert sum(dense.values()) == pytest.approx(1.0)


def test_sun_stands_due_south_at_noon_as_high_as_the_almanac_says():
    sun = sun_position(40.0, day_of_year=172, solar_hour=12.0)
    assert np.rad2deg(sun.zenith_rad) == pytest.approx(40.0 - 23.44, abs=0.1)
    assert np.rad2deg(sun.azimuth_rad) == pytest.approx(180.0, abs=0.1)
    assert np.rad2deg(sun_position(40.0, 172, 10.5).azimuth_rad) < 180


def test_progress_is_reported_after_each_chip(tmp_path):
    heard: list[tuple[int, int]] = []
    simulate_season(
        tmp_path / "season", seed=3, on_chip=lambda done, total: heard.append((done, total)), chips=3
    )
    assert heard == [(1, 3), (2, 3), (3, 3)]


def test_an_interrupted_season_leaves_nothing(tmp_path):
    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate_season(tmp_path / "season", seed=0, on_chip=interrupt, chips=3)
    assert not list(tmp_path.iterdir())


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(ConfigError, match="in use"):
        simulate_season(tmp_path, seed=0)
    assert (tmp_path / "mine.txt").read_text() == "keep"


@pytest.mark.parametrize(("seed", "chips"), [(-1, 3), (0, 2), (0, MOST_CHIPS + 1)])
def test_seed_and_number_out_of_range_are_refused(tmp_path, seed, chips):
    with pytest.raises(ConfigError, match=r"Choose a number|Give a whole number"):
        simulate_season(tmp_path / "season", seed=seed, chips=chips)


def test_a_season_of_an_earlier_version_opens_and_says_so(tmp_path: Path) -> None:
    source = SimulatedScene(source="simulated", seed=0, chips=3)
    folder = season_folder(0, tmp_path, 3)
    simulate_season(folder, seed=0, chips=3)
    assert not source.find(tmp_path)[0].notes
    facts = json.loads((folder / "simulated.json").read_text())
    (folder / "simulated.json").write_text(json.dumps({**facts, "version": 1}))
    (note,) = source.find(tmp_path)[0].notes
    assert "version 1 of the simulated season" in note


def test_the_first_places_are_taken_from_a_season_that_holds_more_as_if_they_had_been_made_alone(
    tmp_path: Path,
) -> None:
    few = SimulatedScene(source="simulated", seed=0, chips=3)
    larger, own = season_folder(0, tmp_path / "larger"), season_folder(0, tmp_path / "alone", 3)
    simulate_season(larger, seed=0, chips=4)
    simulate_season(own, seed=0, chips=3)
    assert few.is_ready(tmp_path / "larger")
    assert not list(few.prepare(tmp_path / "larger"))
    taken, alone = few.find(tmp_path / "larger"), few.find(tmp_path / "alone")
    assert [(scene.id, scene.split) for scene in taken] == [(scene.id, scene.split) for scene in alone]
    for one, other in zip(taken, alone, strict=True):
        assert one.assets["red"].path.read_bytes() == other.assets["red"].path.read_bytes()
    facts = json.loads((larger / "simulated.json").read_text())
    (larger / "simulated.json").write_text(json.dumps({**facts, "version": 1}))
    assert not few.is_ready(tmp_path / "larger"), "another version's places are others"
    assert not SimulatedScene(source="simulated", seed=0, chips=5).is_ready(tmp_path / "larger")
