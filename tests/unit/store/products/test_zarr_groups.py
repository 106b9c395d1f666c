"""Zarr groups of embeddings, as TESSERA publishes its zones, become stores; what is torn or missing is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from pyproj import CRS

from engine.errors import EngineError
from engine.imagery.geobox import from_lonlat
from engine.store.importing.forms import is_folder_of_embeddings, understand
from engine.store.importing.taking import import_embeddings
from engine.views.comparing.change import change
from engine.views.comparing.dated_view import dated
from engine.views.layer_view import view_of
from tests.unit.store.products.made import NORTH, WEST, in_8_bits, unit_vectors
from tests.unit.store.products.test_raster_products import on_grid, region_of_pixels

_H, _W = 96, 70


def tessera(folder: Path, with_scales: bool = True) -> tuple[Path, np.ndarray]:
    """A zone of TESSERA's Zarr v3 with shards, two years, and the leading numbers of version 2; (h, w, 128) of 2024."""
    drawn = np.random.default_rng(0)
    group = zarr.open_group(folder / "utm18", mode="w", zarr_format=3)
    group.update_attributes(
        {"proj:code": "EPSG:32618", "spatial:transform": [10.0, 0.0, WEST, 0.0, -10.0, NORTH]}
    )
    numbers = drawn.integers(-127, 128, (2, 128, _H, _W)).astype(np.int8)
    scales = drawn.uniform(0.01, 0.1, (2, _H, _W)).astype(np.float32)
    scales[1, :10, :20], scales[1, 10:20, :20] = np.nan, np.inf
    names = ("time", "band", "y", "x")
    for name, values in (("embeddings", numbers), ("embeddings_d4", numbers[:, :4])):
        made = group.create_array(
            name, shape=values.shape, dtype="int8", chunks=(1, values.shape[1], 32, 32), shards=(1, values.shape[1], 64, 64),
            dimension_names=names, fill_value=0,
        )  # fmt: skip
        made[:] = values
    if with_scales:
        group.create_array("scales", data=scales, chunks=(1, 32, 32), dimension_names=("time", "y", "x"))
    group.create_array("time", data=np.array([2023, 2024], np.int32), dimension_names=("time",))
    known = np.where(np.isfinite(scales[1]), scales[1], np.nan)
    return folder / "utm18", np.moveaxis(numbers[1].astype(np.float32) * known, 0, -1)


@pytest.mark.parametrize("in_place", [False, True])
def test_each_year_of_a_zone_is_a_date_of_the_store(tmp_path: Path, in_place: bool) -> None:
    group, expected = tessera(tmp_path / "v2.zarr")
    assert is_folder_of_embeddings(tmp_path / "v2.zarr") and is_folder_of_embeddings(group)
    told, store = import_embeddings(group, tmp_path / "run", in_place=in_place)
    assert (told.model, told.dim, told.year, told.decoding) == ("tessera", 128, 2024, "v times its scale")
    assert told.rows == 2 * _H * _W
    assert any("2023, 2024: each is a date" in note for note in told.notes)
    assert any("embeddings_d4" in note for note in told.notes)
    assert {tile.datetimes[0][:4] for tile in store.tiles if tile.datetimes[0]} == {"2023", "2024"}
    newest = dated(view_of(store, 0), "last")
    is_newest = np.repeat(
        [tile.datetimes[0][:4] == "2024" for tile in store.tiles], [tile.rows for tile in store.tiles]
    )
    assert len(newest.chosen) * 2 == len(store.tiles)
    assert (store.read_valid_fraction() > 0)[is_newest].sum() == np.isfinite(expected[..., 0]).sum()
    changed = change(dated(view_of(store, 0), "first"), newest)
    assert changed.percentiles["euclidean"][1] > 0


@pytest.mark.parametrize("in_place", [False, True])
def test_a_year_of_a_zone_is_taken_alone(tmp_path: Path, in_place: bool) -> None:
    group, expected = tessera(tmp_path / "v2.zarr")
    told, store = import_embeddings(group, tmp_path / "run", in_place=in_place, year=2024)
    assert any("2023, 2024; one is read" in note for note in told.notes)
    found = on_grid(store, _H, _W)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.nanmax(np.abs(found - expected)) < 0.01
    assert understand(group, year=2023).year == 2023
    with pytest.raises(EngineError, match="no date of 2019"):
        understand(group, year=2019)


def test_the_one_zone_of_a_store_is_tesseras_unless_it_states_another_model(tmp_path: Path) -> None:
    group, _ = tessera(tmp_path / "v2.zarr")
    assert [understand(one).model for one in (group, group.parent)] == ["tessera", "tessera"]
    zarr.open_group(group, mode="a").update_attributes({"geoemb:model": "https://example.org/encoder"})
    for one in (group, group.parent):
        told = understand(one)
        assert (told.model, told.licence, told.attribution) == ("encoder", "", "")


def geoemb(folder: Path, numbers: np.ndarray, time: np.ndarray, **told: object) -> Path:
    """A group of the geoemb convention with dates in days, and a scale and offset for all."""
    group = zarr.open_group(folder, mode="w", zarr_format=3)
    group.update_attributes(
        {"proj:code": "EPSG:32618", "spatial:transform": [10.0, 0.0, WEST, 0.0, -10.0, NORTH], "geoemb:type": "pixel",
         "geoemb:dimensions": numbers.shape[1], "geoemb:data_type": "int8", "geoemb:model": "https://example.org/encoder", **told}
    )  # fmt: skip
    group.create_array(
        "embeddings",
        data=numbers,
        chunks=(1, numbers.shape[1], 16, 16),
        dimension_names=("time", "band", "y", "x"),
    )
    dates = group.create_array("time", data=time, dimension_names=("time",))
    dates.attrs.update({"units": "days since 1970-01-01", "calendar": "standard"})
    return folder


def linear(scale: float, offset: float = 0.0) -> dict[str, object]:
    return {
        "method": "linear",
        "original_dtype": "float32",
        "scale": {"type": "scalar", "scale": scale, "offset": offset},
    }


def test_dates_and_the_scale_of_the_geoemb_convention_are_read(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).integers(1, 100, (2, 12, 20, 20)).astype(np.int8)
    path = geoemb(
        tmp_path / "any.zarr", numbers, np.array([19600, 19966]), **{"geoemb:quantization": linear(0.5, 2)}
    )
    told, store = import_embeddings(path, tmp_path / "run", in_place=True)
    assert told.model == "encoder"
    assert {tile.datetimes[0][:10] for tile in store.tiles if tile.datetimes[0]} == {
        "2023-08-31",
        "2024-08-31",
    }
    first = [index for index, tile in enumerate(store.tiles) if str(tile.datetimes[0]).startswith("2023")]
    assert store.read(0)[: store.tiles[first[0]].rows][0] == pytest.approx(numbers[0, :, 0, 0] * 0.5 + 2)


def test_a_group_of_alphaearth_whose_decoding_is_stated_linearly_is_corrected(tmp_path: Path) -> None:
    vectors = unit_vectors(20, 20)
    numbers = np.moveaxis(in_8_bits(vectors), -1, 0)[None]
    source = [
        "https://developers.google.com/earth-engine/datasets/catalog/GOOGLE_SATELLITE_EMBEDDING_V1_ANNUAL"
    ]
    path = geoemb(
        tmp_path / "aef.zarr", numbers, np.array([19723]),
        **{"geoemb:source_data": source, "geoemb:quantization": linear(1 / 128), "geoemb:model": "https://arxiv.org/abs/2507.22291"},
    )  # fmt: skip
    told, store = import_embeddings(path, tmp_path / "run")
    assert (told.model, told.year, told.licence, told.is_unit_length) == (
        "alphaearth_v1",
        2024,
        "CC-BY-4.0",
        True,
    )
    assert np.abs(on_grid(store, 20, 20) - vectors).max() < 0.02


def test_a_region_needs_only_its_own_chunks_and_a_torn_one_is_named(tmp_path: Path) -> None:
    group, _ = tessera(tmp_path / "v2.zarr")
    shard = next((group / "embeddings").rglob("c/1/0/1/0"))
    shard.write_bytes(shard.read_bytes()[:50])
    import_embeddings(group, tmp_path / "north", region_of_pixels(25, 2, 60, 60))
    with pytest.raises(EngineError, match=r"v2|utm18.*embeddings"):
        import_embeddings(group, tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_whole_numbers_without_their_scales_and_a_group_without_a_place_are_refused(tmp_path: Path) -> None:
    group, _ = tessera(tmp_path / "v2.zarr", with_scales=False)
    with pytest.raises(EngineError, match="no array named scales"):
        understand(group)
    group, _ = tessera(tmp_path / "other.zarr")
    zarr.open_group(group, mode="a").attrs.clear()
    with pytest.raises(EngineError, match="where its embeddings lie"):
        understand(group)


# Ways in which a group says where its pixels lie and how its numbers are decoded: attributes, coordinates, and the step of rows.
_NORTH_UP, _SOUTH_UP = [10.0, 0.0, WEST, 0.0, -10.0, NORTH], [10.0, 0.0, WEST, 0.0, 10.0, NORTH - 330]
_CODE = {"proj:code": "EPSG:32618"}


def plain(
    folder: Path, values: np.ndarray, order: str, told: dict[str, object], coordinates: bool = False
) -> Path:
    """A group without dates whose axes are named by their letters: d, y and x."""
    group = zarr.open_group(folder, mode="w", zarr_format=3)
    group.update_attributes(told)
    placed = np.transpose(values, ["yxd".index(axis) for axis in order])
    chunks = tuple({"d": 5, "y": 13, "x": 17}[axis] for axis in order)
    group.create_array("embeddings", data=placed, chunks=chunks, dimension_names=tuple(order))
    if coordinates:
        for name, first, step, size in (
            ("x", WEST + 5, 10, values.shape[1]),
            ("y", NORTH - 5, -10, values.shape[0]),
        ):
            group.create_array(
                name, data=first + step * np.arange(size, dtype=float), dimension_names=(name,)
            )
        group.create_array("spatial_ref", data=np.array(0)).attrs["crs_wkt"] = CRS.from_epsg(32618).to_wkt()
    return folder


@pytest.mark.parametrize(
    ("order", "told", "way"),
    [
        ("yxd", {**_CODE, "spatial:transform": _NORTH_UP}, ""),
        ("dyx", {"proj:epsg": 32618, "spatial:transform": [*_NORTH_UP, 0, 0, 1]}, ""),
        ("dyx", {**_CODE, "spatial:transform": _SOUTH_UP}, "south-up"),
        ("dyx", {**_CODE, "spatial:bbox": [WEST, NORTH - 330, WEST + 410, NORTH]}, ""),
        ("xyd", {"grid_mapping": "spatial_ref"}, "coordinates"),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_pixels_lie_where_attributes_or_coordinates_have_them(
    tmp_path: Path, order: str, told: dict[str, object], way: str, dtype: str
) -> None:
    values = unit_vectors(33, 41, 12).astype(dtype)
    values[3:6, 7:9] = np.nan
    stored = values[::-1] if way == "south-up" else values
    path = plain(tmp_path / "any.zarr", stored, order, told, way == "coordinates")
    _, store = import_embeddings(path, tmp_path / "run", in_place=True)
    assert store.tiles[0].transform == pytest.approx((10, 0, WEST, 0, -10, NORTH))
    assert np.array_equal(on_grid(store, 33, 41), values.astype(np.float32), equal_nan=True)


def test_a_group_in_degrees_is_brought_to_metres_by_its_nearest_pixels(tmp_path: Path) -> None:
    values = np.arange(1, 31 * 29 + 1, dtype=np.float32).reshape(31, 29)[..., None] * np.ones(8, np.float32)
    told = {"proj:code": "EPSG:4326", "spatial:transform": [0.0001, 0, -75.0, 0, -0.0001, 37.0]}
    seen, store = import_embeddings(
        plain(tmp_path / "x.zarr", values, "dyx", told), tmp_path / "run", in_place=True
    )
    assert any("takes the nearest embedding" in note for note in seen.notes)
    tile, found, valid = next(store.iterate())
    row, column = np.nonzero(valid)
    x, y = tile.pixel_transform @ (column + 0.5, row + 0.5)
    lon, lat = from_lonlat(tile.crs).transform(x, y, direction="INVERSE")
    expected = values[np.floor((37 - lat) / 0.0001).astype(int), np.floor((lon + 75) / 0.0001).astype(int)]
    assert np.array_equal(found[row, column], expected) and len(row) > 700


@pytest.mark.parametrize(
    ("dtype", "scale", "offset", "gap", "told"),
    [
        ("int8", 0.05, 0.0, -128, {"type": "scalar", "scale": 0.05}),
        ("uint8", 0.1, -12.8, 0, {"type": "scalar", "scale": 0.1, "offset": -12.8}),
        ("int16", 0.01, 0.0, -9999, {"type": "scalar", "scale": 0.01}),
        ("int8", np.linspace(0.1, 0.3, 12), np.linspace(1, 2, 12), 77, {"scale": np.linspace(0.1, 0.3, 12).tolist(), "offset": np.linspace(1, 2, 12).tolist()}),
    ],
)  # fmt: skip
def test_whole_numbers_are_decoded_as_the_group_says_and_its_gaps_stay_gaps(
    tmp_path: Path, dtype: str, scale: Any, offset: Any, gap: int, told: dict[str, object]
) -> None:
    info = np.iinfo(dtype)
    numbers = np.random.default_rng(1).integers(max(info.min, -100), 100, (20, 20, 12)).astype(dtype)
    numbers[2:4] = gap
    stated = {
        **_CODE,
        "spatial:transform": _NORTH_UP,
        "geoemb:quantization": {"method": "linear", "scale": told},
    }
    if gap not in (-128, 0):
        stated["nodata"] = gap
    _, store = import_embeddings(
        plain(tmp_path / "x.zarr", numbers, "dyx", stated), tmp_path / "run", in_place=True
    )
    expected = (numbers * scale + offset).astype(np.float32)
    expected[2:4] = np.nan
    found = on_grid(store, 20, 20)
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    assert np.nanmax(np.abs(found - expected)) < 0.03


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"geoemb:quantization": {"scale": [0.1, 0.2]}}, "2 scales and 1 offsets for embeddings of 12"),
        ({"geoemb:quantization": {"scale": {"scale": "small"}}}, "is no number"),
        ({"proj:code": "EPSG:999999"}, r"CRS of x\.zarr cannot be read"),
        ({"spatial:transform": [0, 0, 0, 0, 0, 0]}, "without an area"),
    ],
)  # fmt: skip
def test_what_a_group_states_wrongly_is_named(tmp_path: Path, told: dict[str, object], says: str) -> None:
    numbers = np.ones((9, 9, 12), np.int8)
    path = plain(tmp_path / "x.zarr", numbers, "dyx", {**_CODE, "spatial:transform": _NORTH_UP, **told})
    with pytest.raises(EngineError, match=says):
        understand(path)
