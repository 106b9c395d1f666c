"""A link's value that a widget bound to the address cannot take is told, for every such widget."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from engine.paths import PROJECT
from pages.ui.frame import frame
from pages.ui.state import bound
from tests.pages.conftest import ROOT

_NONSENSE = "Nonsense <b>"
OpenInFrame = Callable[..., AppTest]
# A page, what its link asks for rightly, and what no page can show.
_CASES: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("embeddings", {}, {"lens": _NONSENSE, "embeddings_layer": "99", "date": "1999-01-01", "red": "PC 99", "whitened": "perhaps"}),
    ("embeddings", {"lens": "Clusters"}, {"clusters": "99"}),
    ("embeddings", {"lens": "Similarity"}, {"patch": "east", "threshold": "7"}),
    ("compare", {}, {"compare_show": _NONSENSE, "compare_layout": "Beneath", "compare": "gone"}),
    ("runs", {}, {"state": "exploded"}),
    ("start", {}, {"guide": "9"}),
    ("leaderboard", {}, {"lb_seeds": "999", "lb_epochs": "many", "lb_travel": _NONSENSE, "lb_heads": "none such"}),
]  # fmt: skip


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
    open_in_frame: OpenInFrame, filled_home: Path, page: str, right: dict[str, str], wrong: dict[str, str]
) -> None:
    at = open_in_frame(page, **right, **wrong)
    told = "\n".join(
        re.sub(r"\\(.)", r"\1", info.value) for info in at.info if "The link asks for" in info.value
    )
    assert [asked for asked in wrong.values() if f"“{asked}”" not in told] == []
    assert not at.exception


@pytest.mark.parametrize(
    ("page", "asked"),
    [
        ("embeddings", {"lens": "Clusters", "clusters": "5"}),
        ("embeddings", {"red": "PC 1", "green": "PC 3", "whitened": "true"}),
        ("compare", {"compare_layout": "Side by side"}),
        ("leaderboard", {"lb_seeds": "3", "lb_travel": "Not asked", "lb_heads": "linear"}),
    ],
)
def test_a_link_that_is_followed_says_nothing(
    open_in_frame: OpenInFrame, filled_home: Path, page: str, asked: dict[str, str]
) -> None:
    at = open_in_frame(page, **asked)
    assert not [info.value for info in at.info if "The link asks for" in info.value]


def test_every_widget_bound_to_the_address_is_in_the_table() -> None:
    channels = {"red", "green", "blue", "component"}
    assert set(_bound_keys()) | channels == set(bound.WIDGETS)


def _bound_keys() -> Iterator[str]:
    for path in (PROJECT / "pages").rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            given = {one.arg: one.value for one in call.keywords} if isinstance(call, ast.Call) else {}
            if "bind" in given and isinstance(given["key"], ast.Constant):
                yield str(given["key"].value)
