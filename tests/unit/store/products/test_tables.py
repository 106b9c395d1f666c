"""GeoParquet files of embeddings that others published become stores of one row a footprint."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import Transformer

from engine.errors import EngineError
from engine.imagery.region import Region
from engine.store.check import check_store
from engine.store.importing.taking import import_embeddings
from engine.store.products.tables.footprint_tiles import footprints_of
from engine.store.products.tables.row_groups import groups_that_meet
from engine.views.layer_view import view_of
from engine.views.pca import pca_of
from tests.unit.store.products.made import unit_vectors

_SIDE_M = 2240.0


def squares(count: int, zone: int = 18, west_m: float = 400_000.0) -> list[shapely.Polygon]:
    """Squares of a UTM zone beside each other, as polygons in lon/lat."""
    lonlat = Transformer.from_crs(f"EPSG:{32600 + zone}", "EPSG:4326", always_xy=True)
    boxes = [
        shapely.box(west_m + n * _SIDE_M, 4_100_000, west_m + (n + 1) * _SIDE_M, 4_100_000 + _SIDE_M)
        for n in range(count)
    ]
    return [
        shapely.Polygon(list(zip(*lonlat.transform(*np.array(one.exterior.coords).T), strict=True)))
        for one in boxes
    ]


def write_table(
    path: Path, columns: dict[str, Any], shapes: list[Any], emb: dict[str, Any] | None = None, rows_a_group: int = 1000,
    crs: object = "left out",
) -> Path:  # fmt: skip
    """GeoParquet 1.1 with a bbox covering."""
    boxes = [
        dict(zip(("xmin", "ymin", "xmax", "ymax"), one.bounds, strict=True)) if one else None
        for one in shapes
    ]
    table = pa.table(
        {
            **columns,
            "geometry": pa.array([one and shapely.to_wkb(one) for one in shapes], pa.binary()),
            "bbox": boxes,
        }
    )
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": ["Polygon"]}
    column["covering"] = {"bbox": {side: ["bbox", side] for side in ("xmin", "ymin", "xmax", "ymax")}}
    if crs != "left out":
        column["crs"] = crs
    told = {
        b"geo": json.dumps(
            {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
        ).encode()
    }
    if emb is not None:
        told[b"emb"] = json.dumps(emb).encode()
    pq.write_table(table.replace_schema_metadata(told), path, row_group_size=rows_a_group)
    return path


def vectors_of(rows: int, dim: int, kind: pa.DataType | None = None) -> tuple[np.ndarray, pa.Array]:
    """(n, D) vectors of length 1, and their column."""
    drawn = unit_vectors(1, rows, dim)[0]
    return drawn, pa.array(drawn.tolist(), kind or pa.list_(pa.float32()))


def test_clays_rows_become_tiles_with_their_dates_and_footprints(tmp_path: Path) -> None:
    drawn, column = vectors_of(6, 1024)
    days = [datetime(2023, 5, day, tzinfo=UTC) for day in range(1, 7)]
    path = write_table(
        tmp_path / "clay.parquet",
        {"index": range(6), "source_url": ["x"] * 6, "datetime": days, "embeddings": column},
        squares(6),
    )
    told, store = import_embeddings(path, tmp_path / "run")
    assert (told.model, told.dim, told.year, told.is_unit_length) == ("clay_v1.5", 1024, 2023, True)
    assert store.meta.granularity == "tile" and store.meta.patch_px == 224 and store.meta.gsd_m == 10
    assert np.array_equal(store.read(), drawn)
    assert store.tiles[2].datetimes == ("2023-05-03T00:00:00+00:00",)
    west, north = store.tiles[1].transform[2], store.tiles[1].transform[5]
    assert (west, north) == pytest.approx((400_000 + _SIDE_M, 4_100_000 + _SIDE_M), abs=0.01)
    assert check_store(tmp_path / "run") == []
    assert pca_of(view_of(store, 0), components=3).components.shape == (3, 1024)


def test_earth_index_says_its_model_and_licence_in_the_footer(tmp_path: Path) -> None:
    _, column = vectors_of(3, 384, pa.list_(pa.float32(), 384))
    emb = {
        "model": {"id": "ssl4eo-dino", "source": "x"},
        "license": "CC-BY-4.0",
        "providers": [{"name": "Earth Genome"}],
    }
    path = write_table(tmp_path / "ei.parquet", {"id": ["a", "b", "c"], "embedding": column}, squares(3), emb)
    told, store = import_embeddings(path, tmp_path / "run")
    assert (told.model, told.year) == ("ssl4eo-dino", None)
    assert store.meta.credit == "Earth Genome (CC-BY-4.0)"
    assert any("no date" in note for note in told.notes)


def test_major_tom_has_a_time_a_row_and_a_model_that_must_be_said(tmp_path: Path) -> None:
    _, column = vectors_of(4, 64)
    path = write_table(
        tmp_path / "mt.parquet",
        {"unique_id": list("abcd"), "embedding": column, "grid_cell": ["922D_249L"] * 4, "grid_row_u": [922] * 4, "grid_col_r": [-249] * 4,
         "timestamp": ["2021-06-01 10:20:31", "2022-06-01 10:20:31", None, "2022-06-02"], "centre_lat": [37.0] * 4},
        squares(4),
    )  # fmt: skip
    told, store = import_embeddings(path, tmp_path / "run", model="ssl4eo")
    assert told.form == "Major TOM embeddings in GeoParquet" and told.model == "ssl4eo" and told.year is None
    assert told.licence == "CC-BY-SA-4.0" and told.attribution == "Major TOM"
    assert [tile.datetimes[0] and tile.datetimes[0][:10] for tile in store.tiles] == [
        "2021-06-01",
        "2022-06-01",
        None,
        "2022-06-02",
    ]


def test_a_square_of_the_next_zone_is_a_rectangle_of_its_own_zone(tmp_path: Path) -> None:
    beyond = squares(2, zone=18, west_m=768_000.0)  # east of 72 W, where zone 19 begins
    _, column = vectors_of(2, 16)
    path = write_table(tmp_path / "seam.parquet", {"embedding": column}, beyond)
    _, store = import_embeddings(path, tmp_path / "run")
    assert {tile.crs for tile in store.tiles} == {"EPSG:32618"}
    assert [tile.transform[2] for tile in store.tiles] == pytest.approx([768_000, 770_240], abs=0.01)


def test_a_region_reads_only_the_row_groups_that_it_meets(tmp_path: Path) -> None:
    shapes = squares(40)
    _, column = vectors_of(40, 16)
    path = write_table(tmp_path / "many.parquet", {"embedding": column}, shapes, rows_a_group=5)
    west, south, east, north = shapes[12].buffer(-1e-3).bounds
    region = Region.from_bounds(west, south, east, north)
    with pq.ParquetFile(path) as file:
        assert groups_that_meet(file, "geometry", region) == [2]
        assert groups_that_meet(file, "geometry", None) == list(range(8))
    told, store = import_embeddings(path, tmp_path / "run", region)
    assert [tile.id for tile in store.tiles] == ["row_12"] and told.rows == 1


def test_rows_without_numbers_are_left_out_and_counted(tmp_path: Path) -> None:
    drawn, _ = vectors_of(5, 16)
    drawn[1], drawn[2, 3] = 0, np.nan
    path = write_table(tmp_path / "gaps.parquet", {"embedding": [*drawn[:4].tolist(), None]}, squares(5))
    told, store = import_embeddings(path, tmp_path / "run", in_place=True)
    assert [tile.id for tile in store.tiles] == ["row_0", "row_3"]
    assert np.array_equal(store.read(0), drawn[[0, 3]])
    assert any(note.startswith("3 rows hold no embedding") for note in told.notes)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"vectors": [[1.0] * 16, [1.0] * 17]}, "changes its length: 16 to 17"),
        ({"vectors": [[1.0] * 16, [*[1.0] * 15, None]]}, "1 missing numbers inside"),
        ({"vectors": [[1.0] * 3] * 2}, "too few for embeddings"),
        ({"name": "other", "vectors": ["a", "b"]}, "no column of vectors"),
        ({"shapes": [None, 0]}, "1 of 2 rows without a geometry"),
        ({"shapes": [shapely.Point(1, 2), 0]}, "no single polygon"),
        ({"crs": None}, "have no CRS"),
        ({"crs": "EPSG:32618"}, "longitude and latitude"),
    ],
)  # fmt: skip
def test_a_table_that_is_not_understood_is_refused_and_leaves_nothing(
    tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    good = squares(2)
    shapes = [good[0] if one == 0 else one for one in change.get("shapes", good)]
    numbers = change.get("vectors", [[1.0] * 16] * 2)
    crs = change.get("crs", "left out")
    path = write_table(tmp_path / "x.parquet", {change.get("name", "embedding"): numbers}, shapes, crs=crs)
    with pytest.raises(EngineError, match=says):
        import_embeddings(path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_no_parquet_and_a_region_elsewhere_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and nothing more")
    with pytest.raises(EngineError, match="cannot be read as Parquet"):
        import_embeddings(tmp_path / "x.parquet", tmp_path / "run")
    _, column = vectors_of(2, 16)
    path = write_table(tmp_path / "y.parquet", {"embedding": column}, squares(2))
    with pytest.raises(EngineError, match="No footprint"):
        import_embeddings(path, tmp_path / "run", Region.from_bounds(1, 2, 1.1, 2.1))


def test_footprints_of_many_degrees_are_placed_at_once() -> None:
    corners = [(lon, lat) for lon in range(6) for lat in range(-70, 70)]
    shapes = np.array([shapely.box(lon + 0.4, lat + 0.4, lon + 0.6, lat + 0.6) for lon, lat in corners])
    began = time.monotonic()
    found = {corner: one.crs for corner, one in zip(corners, footprints_of(shapes), strict=True)}
    assert time.monotonic() - began < 10
    assert (found[2, 3], found[4, -3]) == ("EPSG:32631", "EPSG:32731")
