"""Label: what is clicked on the map is kept, taught, drawn as a lens, and handed to Train."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from affine import Affine
from shapely.geometry import Point
from streamlit.testing.v1 import AppTest

from engine.labels.clicked.geojson import change_labels, labels_path, read_labels
from engine.labels.clicked.label_set import Label
from engine.labels.clicked.on_store import middle_of, rows_of
from engine.store.importing.taking import import_embeddings
from engine.store.store import EmbeddingStore
from tests.pages.conftest import OpenPage, words
from tests.unit.store.products.made import ALPHAEARTH_BANDS, in_8_bits, unit_vectors, write_tiff

MAP = "label_run-extract"


@pytest.fixture
def store(filled_home: Path) -> Iterator[EmbeddingStore]:
    """The store of the filled workspace, without labels before and after."""
    found = EmbeddingStore.open(filled_home / "run-extract")
    labels_path(found.folder).unlink(missing_ok=True)
    yield found
    labels_path(found.folder).unlink(missing_ok=True)


def click(at: AppTest, store: EmbeddingStore, row: int, serial: int, class_name: str) -> AppTest:
    """A click on the middle of a patch, as the map tells it."""
    at.radio(key="label_class").set_value(class_name).run()
    geometry = {"type": "Point", "coordinates": list(middle_of(store.tiles, row))}
    properties = {"isLabel": True, "serial": serial, "of": "labels 0"}
    at.session_state[MAP] = {"last_active_drawing": {"properties": properties, "geometry": geometry}}
    return at.run()


def options_of(drawn: dict[str, Any]) -> dict[str, Any]:
    groups = drawn["feature_group_to_add"]
    calls = [child for group in groups for child in group._children.values() if hasattr(child, "options")]
    return next(child.options for child in calls if "lens" in child.options)


def lens_of(drawn: dict[str, Any]) -> dict[str, Any]:
    return options_of(drawn)["lens"]  # type: ignore[no-any-return]


def test_two_clicks_recolour_the_map_survive_a_visit_and_lead_to_a_training(
    open_page: OpenPage, store: EmbeddingStore, drawn_maps: list[dict[str, Any]]
) -> None:
    at = click(open_page("label", job="run-extract"), store, 3, 1, "burnt")
    assert lens_of(drawn_maps[-1])["kind"] == "rgb"
    at = click(at, store, store.rows - 4, 2, "not burnt")
    assert lens_of(drawn_maps[-1])["names"] == ["not burnt", "burnt"]
    assert "too few" in words(at)
    again = open_page("label", job="run-extract", show="Probability", of="burnt")
    assert not again.exception
    assert lens_of(drawn_maps[-1])["kind"] == "probability"
    assert [one.source for one in read_labels(labels_path(store.folder)).labels] == ["clicked", "clicked"]
    again.button(key="label_jump").click().run()
    assert not again.exception
    goto = options_of(drawn_maps[-1])["goto"]
    assert goto["zoom"] >= 15 and len(goto["corners"]) == 5
    assert again.button(key="label_train").disabled  # validation would have no label
    assert "Keep as a decoder needs no more labels" in words(again)
    labels = read_labels(labels_path(store.folder))
    for row in range(10, store.rows, 36):
        for number, name in enumerate(("burnt", "not burnt")):
            labels = labels.with_label(Label(name, Point(middle_of(store.tiles, row + number))))
    change_labels(labels_path(store.folder), lambda _: labels)
    train = again.run().button(key="label_train").click().run()
    assert train.title[0].value == "Train"
    assert train.text_area(key="t_classes").value.splitlines()[1] == "1 burnt #d55e00"
    assert Path(train.text_input(key="t_label_path").value).is_file()


def test_a_click_counts_once_and_one_beside_the_store_is_refused_in_words(
    open_page: OpenPage, store: EmbeddingStore
) -> None:
    at = open_page("label", job="run-extract")
    at.button(key="label_jump").click().run()  # "least sure" of nothing: told, and the map stays
    assert "Label a patch of each of two classes" in words(at)
    at = click(at, store, 3, 1, "burnt")
    at.run()
    assert len(read_labels(labels_path(store.folder)).labels) == 1
    told = json.loads(json.dumps(at.session_state[MAP]))
    told["last_active_drawing"] = {
        "properties": {"isLabel": True, "serial": 2, "of": "labels 0"},
        "geometry": {"type": "Point", "coordinates": [0, 0]},
    }
    at.session_state[MAP] = told
    at.run()
    assert "no patch with data there" in " ".join(one.value for one in (*at.error, *at.warning))
    at.button(key="label_undo").click().run()
    assert not read_labels(labels_path(store.folder)).labels
    at.text_input(key="label_new_class").set_value("water").run()
    at.button(key="label_add_class").click().run()
    assert at.text_input(key="label_new_class").value == ""
    assert at.radio(key="label_class").value == "water"
    assert not at.exception


def test_a_cluster_that_is_named_becomes_labels_of_its_typical_patches_once(
    open_page: OpenPage, store: EmbeddingStore
) -> None:
    at = open_page("embeddings", job="run-extract", lens="Clusters", clusters="3")
    at.selectbox(key="cluster_3").set_value(1).run()
    at.text_input(key="cluster_name_3_1").set_value("<b>open</b> water").run()
    at.button(key="cluster_rename").click().run()
    assert not at.exception
    for most in (4, 6):  # the second time the first ones are replaced
        at.slider(key="cluster_patches").set_value(most).run()
        at.button(key="cluster_label").click().run()
        assert not at.exception
    labels = read_labels(labels_path(store.folder))
    assert labels.classes[-1].name == "<b>open</b> water"
    assert [one.source for one in labels.labels] == ["cluster"] * 6
    assert len(rows_of(labels, store).rows) == 6
    seen = at.button(key="cluster_to_label").click().run()
    assert seen.title[0].value == "Label"
    assert "open" in words(seen)
    assert not seen.exception
    labels_path(store.folder).with_name("clusters.json").unlink()


def test_nearest_neighbours_draw_the_map_too_jump_and_are_kept_as_a_decoder(
    open_page: OpenPage,
    store: EmbeddingStore,
    drawn_maps: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = click(open_page("label", job="run-extract"), store, 3, 1, "burnt")
    at = click(at, store, store.rows - 4, 2, "not burnt")
    at.segmented_control(key="label_method").set_value("knn").run()
    assert not at.exception
    drawn = lens_of(drawn_maps[-1])
    assert (drawn["kind"], drawn["names"], len(drawn["rows"][0])) == ("classes", ["not burnt", "burnt"], 2)
    for shown in ("Probability", "Where unsure"):
        at.segmented_control(key="label_show").set_value(shown).run()
        assert lens_of(drawn_maps[-1])["kind"] == "ramp"
    at.button(key="label_jump").click().run()
    asked: list[list[str]] = []
    done = subprocess.CompletedProcess([], 0, "", "")
    monkeypatch.setattr(subprocess, "run", lambda command, **_: asked.append(command) or done)
    at.button(key="label_keep").click().run()
    assert not at.exception
    assert asked[0][asked[0].index("--method") + 1] == "knn"


def test_labels_of_one_store_teach_a_classifier_on_another_of_the_same_ground(
    open_page: OpenPage,
    store: EmbeddingStore,
    drawn_maps: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tile = store.tiles[0]
    vectors = unit_vectors(48, 48) + np.where(np.arange(48) < 24, 0.4, -0.4)[None, :, None]
    vectors = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    where = Affine(
        tile.transform[0] * tile.width_px / 48,
        0,
        tile.transform[2],
        0,
        -tile.transform[0] * tile.width_px / 48,
        tile.transform[5],
    )
    file = write_tiff(
        tmp_path / "2024" / "x.tif", in_8_bits(vectors), ALPHAEARTH_BANDS, -128, transform=where, crs=tile.crs
    )
    home = tmp_path / "home"
    shutil.copytree(store.folder.parents[1], home, symlinks=True)
    import_embeddings(file, home / "run-annual", in_place=True)
    monkeypatch.setenv("EMBERSCOPE_HOME", str(home))
    at = open_page("label", job="run-extract", beside="run-annual")
    west, east = 2, tile.w - 3  # both on the first tile, which the other store has
    at = click(at, store, west, 1, "burnt")
    at.radio(key="label_class").set_value("not burnt").run()
    at.session_state["label_beside_run-annual"] = {
        "last_active_drawing": {
            "properties": {"isLabel": True, "serial": 1, "of": "labels beside run-annual"},
            "geometry": {"type": "Point", "coordinates": list(middle_of(store.tiles, east))},
        }
    }
    at.run()
    assert not at.exception and not at.error
    assert [lens_of(one)["kind"] for one in drawn_maps[-2:]] == ["classes", "classes"]
    assert len(read_labels(labels_path(home / "run-extract" / "store")).labels) == 2
    assert "alphaearth" in words(at)
    # The imagery of the annual store is not here: its labels come from a raster.
    train = open_page("train", {"store_job": "run-annual"})
    assert train.segmented_control(key="t_labels").value == "raster"
    assert train.selectbox(key="train_store").value == "run-annual"
    assert not train.exception
