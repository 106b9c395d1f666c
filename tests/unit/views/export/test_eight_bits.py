"""Embeddings that were published in 8 bits leave in these, or it is told that they are quantised a second time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import rasterio

from engine.store.importing.taking import import_embeddings
from engine.views.export.forms import FORMS, export
from engine.views.export.quantisation import by_row, published_by_row
from tests.unit.store.products.made import alphaearth, unit_vectors
from tests.unit.store.products.test_zarr_groups import tessera
from tests.unit.views.export.conftest import ground


@pytest.mark.parametrize("form", ["geotiff", "stac"])
def test_alphaearths_8_bits_leave_as_they_were_published_and_come_back_to_the_bit(
    tmp_path: Path, form: str
) -> None:
    vectors, gaps = unit_vectors(20, 24), np.zeros((20, 24), bool)
    gaps[2:5, 3:9] = True
    source = alphaearth(tmp_path / "v1/annual/2021/18N/x.tiff", vectors, gaps)
    _, store = import_embeddings(source, tmp_path / "run", in_place=True)
    made = export(store, None, tmp_path / f"e{FORMS[form].ending}", form, "int8")
    assert "lose nothing" in made.notes[-1] and made.loss is not None and made.loss.cosine_worst < 1e-6
    (path,) = made.files if form == "geotiff" else tmp_path.glob("e/*/*.tif")
    with rasterio.open(source) as first, rasterio.open(path) as second:
        assert np.array_equal(first.read()[:, ::-1], second.read())  # the publisher's file is south-up
        assert (first.descriptions, first.nodata) == (second.descriptions, second.nodata)
        assert set(second.scales) == {1.0}
    told, back = import_embeddings(tmp_path / f"e{FORMS[form].ending}", tmp_path / "back")
    assert (told.model, told.year, told.is_unit_length) == ("alphaearth_v1", 2021, True)
    before, after = ground(store), ground(back)
    assert before.keys() == after.keys()
    assert all(np.abs(after[key] - before[key]).max() < 2e-4 for key in before)


def test_other_forms_tell_that_8_bits_are_quantised_a_second_time(tmp_path: Path) -> None:
    source = alphaearth(tmp_path / "v1/annual/2021/18N/x.tiff", unit_vectors(8, 8))
    _, store = import_embeddings(source, tmp_path / "run", in_place=True)
    made = export(store, None, tmp_path / "e.npz", "npz", "int8")
    assert "quantised a second time" in made.notes[0] and "--dtype float16" in made.notes[0]
    assert json.loads((tmp_path / "e.quantisation.json").read_text())["notes"] == list(made.notes)
    assert export(store, None, tmp_path / "f.npz", "npz", "float16").notes == ()


def test_tesseras_8_bits_leave_as_they_were_published_also_where_no_number_of_an_embedding_is_127(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(0)
    numbers = rng.integers(-127, 128, (9, 7, 128)).astype(np.int8)
    numbers[0] = rng.integers(-90, 91, (7, 128))
    numbers[1, 0], numbers[1, 1, 1:] = 0, 0  # nothing but zeros, and one number alone
    scales = rng.uniform(0.003, 0.2, (9, 7)).astype(np.float32)
    values = (numbers * scales[..., None]).astype(np.float16)
    found, steps = published_by_row(values)
    alike = np.ones((9, 7), bool)
    alike[1, :2] = False
    assert np.array_equal(found[alike], numbers[alike]) and np.allclose(
        steps[alike], scales[alike], rtol=2e-4
    )
    back = found * steps[..., None]
    assert np.allclose(back, numbers * scales[..., None], rtol=6e-4)
    drawn = rng.normal(size=(5, 128)).astype(np.float32)  # of no 8 bits
    assert np.array_equal(published_by_row(drawn)[0], by_row(drawn)[0])
    drawn[2] = np.nan
    assert np.isnan(published_by_row(drawn)[1][2])


@pytest.mark.parametrize("dim", [4, 128])
def test_not_one_embedding_of_thousands_leaves_in_other_8_bits_than_it_was_published_in(dim: int) -> None:
    rng = np.random.default_rng(3)
    numbers = rng.integers(-127, 128, (6_000, dim)).astype(np.int8)
    numbers[:, 0] = 127
    scales = rng.uniform(0.0390, 0.0391, 6_000).astype(
        np.float32
    )  # where 16 bits round most in one direction
    found, _ = published_by_row((numbers * scales[:, None]).astype(np.float16))
    assert np.array_equal(found, numbers)


@pytest.mark.parametrize("form", ["zarr", "npz", "geoparquet"])
def test_a_store_of_tessera_loses_nothing_in_8_bits_with_a_scale_a_row(tmp_path: Path, form: str) -> None:
    group, _ = tessera(tmp_path / "v2.zarr")
    _, store = import_embeddings(group, tmp_path / "run", in_place=True, year=2024)
    made = export(store, None, tmp_path / f"e{FORMS[form].ending}", form, "int8")
    assert "lose nothing" in made.notes[-1] and made.loss is not None and made.loss.relative_mean < 3e-4
    _, back = import_embeddings(tmp_path / f"e{FORMS[form].ending}", tmp_path / "back")
    before, after = ground(store), ground(back)
    assert before.keys() == after.keys()
    assert all(np.allclose(after[key], before[key], rtol=1e-3) for key in before)
