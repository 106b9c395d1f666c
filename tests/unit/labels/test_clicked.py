"""Clicked labels: kept as GeoJSON, checked feature by feature, found on the patches of a store."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pyproj import Transformer
from shapely.geometry import Point, Polygon, box, mapping

from engine.errors import LabelError
from engine.labels.clicked.geojson import change_labels, parse_labels, read_labels, to_geojson
from engine.labels.clicked.label_set import Label, LabelSet
from engine.labels.clicked.on_store import middle_of, require_rows, rows_of
from engine.store.store import EmbeddingStore
from tests.unit.store.stores import make_store, rows_at, tile_at

TO_UTM = Transformer.from_crs("OGC:CRS84", "EPSG:32618", always_xy=True).transform


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingStore:
    """Two tiles of 4 x 4 patches side by side; the first patch of each has no data."""
    return make_store(tmp_path_factory.mktemp("run"), [rows_at(tile_at(column), gaps=1) for column in (0, 1)])


def clicked(store: EmbeddingStore, row: int, name: str) -> Label:
    return Label(name, Point(middle_of(store.tiles, row)))


def test_labels_are_the_same_after_a_round_trip_through_geojson(tmp_path: Path) -> None:
    outline = Polygon([(10, 50), (10.1, 50), (10.1, 50.1)])
    made = (
        LabelSet()
        .with_class("Salt märsh <b>")
        .with_label(Label("burnt", Point(10.123456789, 50), "anna", "2026-01-01"))
    )
    made = made.with_label(Label("Salt märsh <b>", outline, source="drawn", store="run", patches=("t/0/1",)))
    change_labels(tmp_path / "a" / "labels.geojson", lambda _: made)
    assert read_labels(tmp_path / "a" / "labels.geojson") == made
    assert read_labels(tmp_path / "none.geojson") == LabelSet()
    assert made.without_last().without([made.labels[0].id]).labels == ()
    assert made.without_class("burnt").counts == {"not burnt": 0, "Salt märsh <b>": 1}


def test_labels_of_another_crs_are_reprojected_and_it_is_said(store: EmbeddingStore) -> None:
    here = Point(middle_of(store.tiles, 5))
    tree = json.loads(to_geojson(LabelSet(labels=(Label("burnt", here),))))
    tree["features"][0]["geometry"] = mapping(Point(*TO_UTM(here.x, here.y)))
    tree["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32618"}}
    found, notes = parse_labels(json.dumps(tree).encode(), "field.geojson")
    assert found.labels[0].shape.distance(here) < 1e-9
    assert "field.geojson is in WGS 84 / UTM zone 18N and was reprojected" in notes[0]


def test_a_class_that_was_not_there_is_added_and_it_is_said() -> None:
    feature = {"type": "Feature", "properties": {"class": "water"}, "geometry": mapping(Point(1, 2))}
    found, notes = parse_labels(json.dumps({"features": [feature]}).encode(), "f.geojson", LabelSet().classes)
    assert [one.name for one in found.classes] == ["not burnt", "burnt", "water"]
    assert "added: water" in notes[0]
    assert found.labels[0].source == "imported"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"properties": {}}, "Feature 1 of f.geojson has no class"),
        ({"properties": {"class": "!!"}}, "cannot name a class"),
        ({"geometry": mapping(Point(400_000, 4_100_000))}, "no degrees"),
        ({"geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}}, "no point and no polygon"),
        ({"geometry": {"type": "Polygon", "coordinates": [[["a"]]]}}, "cannot be read"),
        ({"geometry": None}, "no point"),
    ],
)  # fmt: skip
def test_a_feature_that_is_no_label_is_refused_by_its_number(change: dict[str, object], said: str) -> None:
    feature = {"type": "Feature", "properties": {"class": "burnt"}, "geometry": mapping(Point(1, 2))} | change
    with pytest.raises(LabelError, match=said):
        parse_labels(json.dumps({"features": [feature]}).encode(), "f.geojson")


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b'{"features": [1]}', b'{"features": [], "crs": {"properties": {"name": "EPSG:1"}}}'],
)
def test_a_file_that_is_no_geojson_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(LabelError, match=r"f\.geojson"):
        parse_labels(content, "f.geojson")


def test_a_label_lies_on_the_patches_whose_middle_it_covers_and_the_newest_counts(
    store: EmbeddingStore,
) -> None:
    corner, opposite = middle_of(store.tiles, 5), middle_of(store.tiles, 10)
    made = LabelSet(
        labels=(
            Label("burnt", box(corner[0] - 1e-4, opposite[1] - 1e-4, opposite[0] + 1e-4, corner[1] + 1e-4)),
            clicked(store, 6, "not burnt"), clicked(store, 16, "burnt"), Label("burnt", Point(0, 0)), clicked(store, 20, "burnt"),
            Label("burnt", Point(middle_of(store.tiles, 31)).buffer(1e-5)),
        )
    )  # fmt: skip
    found = rows_of(made, store)
    assert found.rows.tolist() == [5, 6, 9, 10, 20, 31]
    assert found.classes.tolist() == [1, 0, 1, 1, 1, 1]
    assert found.outside == 2  # on no patch, and on one without data
    assert rows_of(made, store, store.tiles[:1]).rows.tolist() == [5, 6, 9, 10]


def test_labels_that_teach_nothing_are_refused_with_the_reason(store: EmbeddingStore) -> None:
    for made, said in (
        (LabelSet(), "no labels"), (LabelSet(labels=(Label("burnt", Point(0, 0)),)), "None of the 1 labels"),
        (LabelSet(labels=(clicked(store, 5, "burnt"),)), "one class, burnt"),
    ):  # fmt: skip
        with pytest.raises(LabelError, match=said):
            require_rows(made, rows_of(made, store), "mine.geojson")
    assert np.isfinite(middle_of(store.tiles, 31)).all()
