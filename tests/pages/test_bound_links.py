"""What a link asks for and a page cannot show is told: for every name that a page or a map reads from the address."""

from __future__ import annotations

import ast
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from engine.__main__ import main
from engine.labels.clicked.geojson import labels_path
from engine.labels.clicked.on_store import middle_of
from engine.paths import PROJECT
from engine.store.store import EmbeddingStore
from pages.ui.apply import panel
from pages.ui.frame import frame
from pages.ui.state import bound
from tests.pages.conftest import ROOT

_NONSENSE = "Nonsense <b>"
OpenInFrame = Callable[..., AppTest]
# A page, what its link asks for rightly, and what no page can show.
_CASES: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("start", {}, {"guide": "91", "place": "own-none", "region": "file:0123456789abcdef"}),
    ("explore", {}, {"bands": _NONSENSE, "place": "own-none", "region": "1,2,3"}),
    ("extract", {}, {"backbone": "none-such", "job": "run-none"}),
    ("embeddings", {}, {"lens": _NONSENSE, "embeddings_layer": "99", "date": "1999-01-01", "red": "PC 99", "whitened": "perhaps",
                        "below": "Radar", "components_of": "none-such", "embeddings_window": "9 × 9 patches"}),
    ("embeddings", {"lens": "Clusters"}, {"clusters": "99"}),
    ("embeddings", {"lens": "Change"}, {"since": "date 1999-01-01"}),
    ("embeddings", {"lens": "Similarity"}, {"patch": "east", "threshold": "7"}),
    ("embeddings", {"lens": "Similarity", "patch": "3"}, {"nearest_everywhere": "perhaps"}),
    ("embeddings", {"lens": "Similarity"}, {"patch": "99999999"}),
    ("compare", {}, {"compare_show": _NONSENSE, "compare_layout": "Beneath", "compare": "run-none", "compare_position": "perhaps"}),
    ("label", {"job": "run-extract"}, {"class": "water", "method": "oracle", "show": _NONSENSE, "beside": "run-none"}),
    ("label", {"job": "run-extract", "show": "Probability"}, {"of": "water"}),
    ("evaluate", {}, {"show": _NONSENSE, "bands": "Radar", "plot": "Lines", "test_place": "atlantis"}),
    ("leaderboard", {}, {"lb_seeds": "999", "lb_epochs": "many", "lb_travel": _NONSENSE, "lb_heads": "none such", "ground": "Moon", "ask": "Nobody"}),
    ("apply", {}, {"ground": "store:none"}),
    ("apply", {"job": "run-apply"}, {"map": "71", "show": _NONSENSE, "threshold": "high", "smallest": "-12"}),
    ("backbones", {}, {"backbone": "none-such"}),
    ("runs", {}, {"state": "exploded", "kind": "Dream", "sort": "By colour", "runs": "run-none"}),
]  # fmt: skip
# Names of which no value is wrong, or which are refused elsewhere.
_OTHERWISE = {
    "find": "any words can be sought",
    "scene": "the map refuses it, as it does view, layers and base (assets/tests/refused.test.mjs)",
    "workspace": "a dialog refuses it before there is a page (test_workspaces.py)",
}


@pytest.fixture(scope="module")
def linked(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the filled workspace with a map of its decoder and a clicked label of each class."""
    home = tmp_path_factory.mktemp("linked") / "home"
    shutil.copytree(filled, home)
    store = EmbeddingStore.open(home / "run-extract")
    labels_path(store.folder).parent.mkdir()
    labels_path(store.folder).write_text(json.dumps(_two_labels(store)), encoding="utf-8")
    apply = {"kind": "apply", "decoder": str(home / "run-train"), "ground": [str(home / "run-extract" / "store")], "device": "cpu"}  # fmt: skip
    (home / "apply.yaml").write_text(yaml.safe_dump(apply), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBERSCOPE_HOME", str(home))
        assert main(["apply", str(home / "apply.yaml"), "--out", str(home / "run-apply")]) == 0
    return home


def _two_labels(store: EmbeddingStore) -> dict[str, Any]:
    """A label of each class as GeoJSON."""
    features = [
        {"type": "Feature", "properties": {"class": name},
         "geometry": {"type": "Point", "coordinates": list(middle_of(store.tiles, row))}}
        for row, name in ((3, "burnt"), (store.rows - 4, "not burnt"))
    ]  # fmt: skip
    classes = [{"name": "not burnt", "colour": "#009e73"}, {"name": "burnt", "colour": "#d55e00"}]
    return {"type": "FeatureCollection", "classes": classes, "features": features}


@pytest.fixture
def linked_home(linked: Path, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMBERSCOPE_DATA", str(filled / "data"))
    monkeypatch.setenv("EMBERSCOPE_HOME", str(linked))
    monkeypatch.setattr(panel.st.components.v2, "component", lambda *_, **__: lambda **_: None)
    return linked


@pytest.fixture
def open_in_frame(drawn_maps: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> OpenInFrame:
    """Opens a page by a link with the app's frame around it, which AppTest leaves out of all but the first page."""

    def draw(page: str, **address: str) -> AppTest:
        monkeypatch.setattr(frame, "_NAMES", (page, *(name for name in frame._NAMES if name != page)))
        at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
        for key, value in address.items():
            at.query_params[key] = value
        return at.run()

    return draw


@pytest.mark.parametrize(("page", "right", "wrong"), _CASES)
def test_a_link_says_what_a_page_refused(
    open_in_frame: OpenInFrame, linked_home: Path, page: str, right: dict[str, str], wrong: dict[str, str]
) -> None:
    at = open_in_frame(page, **right, **wrong)
    told = "\n".join(re.sub(r"\\(.)", r"\1", info.value) for info in at.info)
    assert [asked for asked in wrong.values() if asked not in told] == []
    assert not at.exception


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("embeddings", {"lens": "Clusters", "clusters": "5"}),
        ("embeddings", {"red": "PC 1", "green": "PC 3", "whitened": "true"}),
        ("compare", {"compare_layout": "Side by side"}),
        ("leaderboard", {"lb_seeds": "3", "lb_travel": "places", "lb_heads": "linear"}),
    ],
)
def test_a_link_that_is_followed_says_nothing(
    open_in_frame: OpenInFrame, filled_home: Path, page: str, asked: dict[str, str]
) -> None:
    at = open_in_frame(page, **asked)
    assert not [info.value for info in at.info if "The link asks for" in info.value]


def test_a_link_to_a_run_that_is_gone_says_so_on_every_page_that_shows_runs(
    open_in_frame: OpenInFrame, linked_home: Path
) -> None:
    for page in ("extract", "embeddings", "label", "train", "evaluate", "leaderboard", "apply", "runs"):
        at = open_in_frame(page, job="run-none")
        assert any("not among the runs" in info.value for info in at.info), page


def test_every_widget_bound_to_the_address_is_in_the_table() -> None:
    channels = {"red", "green", "blue", "component"}
    assert set(_bound_keys()) | channels == set(bound.WIDGETS)


def test_every_name_that_pages_read_from_the_address_has_a_value_above_that_is_refused() -> None:
    refused = {name for _, _, wrong in _CASES for name in wrong}
    assert set(_names_read()) - refused == set(_OTHERWISE)


def _names_read() -> Iterator[str]:
    """Names given to `address.read`, `address.restore` and `_restore` of the pages, and to the query parameters themselves."""
    for path in (PROJECT / "pages").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = dict(_constants(tree))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args):
            if re.fullmatch(
                r"(address\.(read|restore)|_restore|st\.query_params\.get)", ast.unparse(call.func)
            ):
                named = call.args[0]
                if isinstance(named, ast.Constant):
                    yield str(named.value)
                elif isinstance(named, ast.Name) and named.id in constants:
                    yield constants[named.id]


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Words that a file gives names to at its top, one by one or several on a line."""
    for line in (one for one in tree.body if isinstance(one, ast.Assign)):
        for target, value in _pairs(line.targets[0], line.value):
            if (
                isinstance(target, ast.Name)
                and isinstance(value, ast.Constant)
                and isinstance(value.value, str)
            ):
                yield target.id, value.value


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


def _bound_keys() -> Iterator[str]:
    for path in (PROJECT / "pages").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            given = {one.arg: one.value for one in call.keywords} if isinstance(call, ast.Call) else {}
            if "bind" in given and isinstance(given["key"], ast.Constant):
                yield str(given["key"].value)
