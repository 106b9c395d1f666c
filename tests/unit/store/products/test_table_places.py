"""Tables of embeddings lie where their geometries have them: in any CRS and encoding, and what says no place is told at once."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import CRS, Transformer

from engine.errors import EngineError
from engine.imagery.region import Region
from engine.store.importing.forms import understand
from engine.store.importing.preview import preview
from engine.store.importing.taking import import_embeddings
from tests.unit.store.products.test_tables import squares, vectors_of

_COUNT = 4
_WEST, _SOUTH, _SIDE_M = 400_000.0, 4_100_000.0, 2240.0


def into(crs: str) -> list[shapely.Geometry]:
    """The squares in a CRS."""
    convert = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform
    return [shapely.transform(one, lambda c: np.column_stack(convert(*c.T))) for one in squares(_COUNT)]


def written(
    path: Path, places: dict[str, Any], crs: object = "left out", **columns: Any
) -> tuple[Path, np.ndarray]:
    """A table with vectors and these columns for their places; and the vectors."""
    drawn, _ = vectors_of(_COUNT, 16)
    column: dict[str, Any] = {"encoding": "WKB", **({} if crs == "left out" else {"crs": crs})}
    geo = {b"geo": json.dumps({"primary_column": "geometry", "columns": {"geometry": column}}).encode()}
    table = pa.table({"embedding": columns.pop("embedding", drawn.tolist()), **places, **columns})
    pq.write_table(
        table.replace_schema_metadata(geo if "geometry" in places else None), path, row_group_size=3
    )
    return path, drawn


def wkb(shapes: list[shapely.Geometry]) -> Any:
    return pa.array([shapely.to_wkb(one) for one in shapes], pa.binary())


def boxes() -> list[dict[str, float]]:
    return [dict(zip(("xmin", "ymin", "xmax", "ymax"), one.bounds, strict=True)) for one in squares(_COUNT)]


@pytest.mark.parametrize(
    "crs", ["EPSG:3857", "EPSG:32618", "EPSG:32617", "EPSG:4258", "OGC:CRS84", "EPSG:5070"]
)
def test_squares_of_a_zone_are_found_in_any_crs(tmp_path: Path, crs: str) -> None:
    path, drawn = written(
        tmp_path / "x.parquet", {"geometry": wkb(into(crs))}, CRS.from_user_input(crs).to_json_dict()
    )
    _, store = import_embeddings(path, tmp_path / "run", in_place=True)
    assert [tile.crs for tile in store.tiles] == ["EPSG:32618"] * _COUNT and np.array_equal(
        store.read(0), drawn
    )
    west = [tile.transform[2] for tile in store.tiles]
    assert west == pytest.approx([_WEST + number * _SIDE_M for number in range(_COUNT)], abs=0.01)
    assert store.tiles[0].width_px == 224


@pytest.mark.parametrize("way", ["wkt", "rings", "bbox", "large", "no footer"])
def test_footprints_are_read_however_they_are_stored(tmp_path: Path, way: str) -> None:
    shapes = squares(_COUNT)
    rings = [[[{"x": x, "y": y} for x, y in one.exterior.coords]] for one in shapes]
    places = {
        "wkt": {"geometry": [shapely.to_wkt(one, rounding_precision=12) for one in shapes]}, "rings": {"geometry": rings},
        "bbox": {"bbox": boxes()}, "large": {"geometry": wkb(shapes).cast(pa.large_binary())}, "no footer": {"geom": wkb(shapes)},
    }[way]  # fmt: skip
    path, drawn = written(tmp_path / "x.parquet", places, year=[2019] * _COUNT)
    told, store = import_embeddings(path, tmp_path / "run", in_place=True)
    assert told.year == 2019 and np.array_equal(store.read(0), drawn)
    assert store.tiles[1].transform[2] == pytest.approx(_WEST + _SIDE_M, abs=60 if way == "bbox" else 0.01)


def test_a_footprint_in_two_parts_at_the_antimeridian_is_one(tmp_path: Path) -> None:
    cut = shapely.MultiPolygon([shapely.box(179.99, 10, 180, 10.02), shapely.box(-180, 10, -179.99, 10.02)])
    path, _ = written(tmp_path / "x.parquet", {"geometry": wkb([cut] * _COUNT)})
    _, store = import_embeddings(path, tmp_path / "run")
    width = store.tiles[0].width_px * store.tiles[0].transform[0]
    assert width == pytest.approx(2 * 0.01 * 111_320 * np.cos(np.radians(10)), rel=0.02)


@pytest.mark.parametrize(
    ("places", "says"),
    [
        ({"lat": [1.0] * _COUNT, "lon": [2.0] * _COUNT}, "only points, in lon and lat"),
        ({"h3_index": ["8a2a1072b59ffff"] * _COUNT}, "only the names of cells, in h3_index"),
        ({"name": ["a"] * _COUNT}, "has no geometry column"),
        ({"geometry": pa.array([None] * _COUNT, pa.binary())}, f"{_COUNT} of {_COUNT} rows without a geometry"),
        ({"geometry": [b"\x01 junk"] * _COUNT}, "no WKB"),
        ({"geometry": wkb([shapely.box(500_000, 4_000_000, 500_100, 4_000_100)] * _COUNT)}, "no longitudes and latitudes"),
    ],
)  # fmt: skip
def test_rows_that_nothing_places_are_refused_in_words(
    tmp_path: Path, places: dict[str, Any], says: str
) -> None:
    path, _ = written(tmp_path / "x.parquet", places)
    with pytest.raises(EngineError, match=says):
        understand(path)


def test_a_million_rows_without_a_place_are_refused_at_once(tmp_path: Path) -> None:
    rows = 1_000_000
    vectors = pa.FixedSizeListArray.from_arrays(pa.nulls(rows * 8, pa.float32()).fill_null(1.0), 8)
    pq.write_table(pa.table({"embedding": vectors}), tmp_path / "a.parquet")
    nowhere = pa.table({"embedding": vectors, "geometry": pa.nulls(rows, pa.binary())})
    pq.write_table(nowhere, tmp_path / "b.parquet")
    began = time.monotonic()
    for name, says in (("a", "no geometry column"), ("b", "1,000,000 of 1,000,000 rows without a geometry")):
        with pytest.raises(EngineError, match=says):
            understand(tmp_path / f"{name}.parquet")
    assert time.monotonic() - began < 2


def test_a_table_too_large_for_a_store_is_looked_at_and_a_region_takes_a_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.store.products.tables.rows_read.MOST_ROWS", 3)
    monkeypatch.setattr("engine.store.products.tables.told.MOST_ROWS", 3)
    monkeypatch.setattr("engine.store.products.tables.rows_read._LOOKED_ROWS", 2)
    path, _ = written(tmp_path / "x.parquet", {"geometry": wkb(squares(_COUNT))})
    seen = preview(path, None, None, None)
    assert seen.understood.rows == _COUNT > seen.understood.most_rows and seen.is_middle
    with pytest.raises(EngineError, match=r"at most 3.*--region"):
        import_embeddings(path, tmp_path / "run")
    west, south, _, north = squares(_COUNT)[0].bounds
    _, store = import_embeddings(
        path, tmp_path / "run", Region.from_bounds(west, south, west + 0.01, north), in_place=True
    )
    assert [tile.id for tile in store.tiles] == ["row_0"]


def test_whole_numbers_are_decoded_by_the_scale_of_the_footer_or_refused(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).integers(-127, 128, (_COUNT, 16)).astype(np.int8)
    column = pa.array(numbers.tolist(), pa.list_(pa.int8()))
    path, _ = written(tmp_path / "x.parquet", {"geometry": wkb(squares(_COUNT))}, embedding=column)
    with pytest.raises(EngineError, match="whole numbers in embedding"):
        understand(path)
    emb = {"embedding": {"dim": 16, "quantization": {"method": "linear", "scale": 0.25, "offset": 1.0}}}
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({b"emb": json.dumps(emb).encode()}), path)
    told, store = import_embeddings(path, tmp_path / "run", in_place=True)
    assert told.decoding == "v times 0.25, plus 1" and np.array_equal(store.read(0), numbers * 0.25 + 1)


@pytest.mark.parametrize("named", ["earth_index.parquet", "emb", "form"])
def test_earth_index_is_called_by_its_name(tmp_path: Path, named: str) -> None:
    dim = 384 if named == "form" else 16
    column = pa.array(vectors_of(_COUNT, dim)[0].tolist(), pa.list_(pa.float32(), dim))
    places = {"geometry": wkb(squares(_COUNT)), "id": ["a"] * _COUNT}
    path, _ = written(tmp_path / (named if "." in named else "x.parquet"), places, embedding=column)
    if named != "earth_index.parquet":
        told = {
            "model": {"id": "softcon"},
            **({"providers": [{"name": "Earth Genome"}]} if named == "emb" else {}),
        }
        pq.write_table(pq.read_table(path).replace_schema_metadata({b"emb": json.dumps(told).encode()}), path)
    assert understand(path).form == "Earth Index embeddings in GeoParquet"
    assert understand(path).attribution.startswith("Earth Genome")
