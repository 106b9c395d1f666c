"""A link opens exactly what it names, or says what is missing; it never shows something else without a word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from engine.paths import PROJECT
from tests.pages.conftest import OpenPage, words


@pytest.mark.parametrize(
    ("page", "asked", "widget", "kind"),
    [
        ("explore", {"bands": "Infrared"}, "explore_bands_virginia", "segmented_control"),
        ("extract", {"backbone": "raw"}, "extract_backbone", "selectbox"),
        ("evaluate", {"show": "Predicted"}, "evaluate_view", "segmented_control"),
        ("evaluate", {"bands": "Infrared"}, "evaluate_base", "segmented_control"),
    ],
)
def test_a_link_opens_what_it_names(
    open_page: OpenPage, filled_home: Path, page: str, asked: dict[str, str], widget: str, kind: str
) -> None:
    at = open_page(page, **asked)
    (name, value) = next(iter(asked.items()))
    assert getattr(at, kind)(key=widget).value == value
    assert at.query_params[name] in (value, [value])
    assert not any("not here" in info.value for info in at.info)


def test_a_link_opens_the_card_that_it_names(open_page: OpenPage, filled_home: Path) -> None:
    at = open_page("backbones", backbone="raw")
    assert "None: raw pixels." in words(at)
    at = open_page("backbones", backbone="nothing")
    assert any("no such card" in info.value for info in at.info)


@pytest.mark.parametrize(
    ("page", "asked", "name"),
    [
        ("explore", {"bands": "Nonsense <b>"}, "bands"),
        ("apply", {"ground": "store:gone"}, "ground"),
        ("explore", {"region": "file:0123456789abcdef"}, "region"),
    ],
)
def test_a_link_that_names_what_is_not_here_says_so(
    open_page: OpenPage, filled_home: Path, page: str, asked: dict[str, str], name: str
) -> None:
    at = open_page(page, **asked)
    assert any("The link asks for" in info.value and name in info.value for info in at.info)
    assert not at.exception
    assert any("The link asks for" in info.value for info in at.run().info), "it is told until one chooses"


def test_a_choice_stands_in_the_address_and_ends_what_is_said_of_the_link(
    open_page: OpenPage, home: Path
) -> None:
    at = open_page("explore", bands="Nonsense")
    at.segmented_control(key="explore_bands_virginia").set_value("Infrared").run()
    assert at.query_params["bands"] in ("Infrared", ["Infrared"])
    assert not any("The link asks for" in info.value for info in at.run().info)


def test_a_choice_is_kept_for_when_one_comes_back_to_the_page(open_page: OpenPage, home: Path) -> None:
    at = open_page("explore")
    at.segmented_control(key="explore_bands_virginia").set_value("Infrared").run()
    at.switch_page(str(Path(__file__).resolve().parents[2] / "pages" / "backbones.py")).run()
    at.switch_page(str(Path(__file__).resolve().parents[2] / "pages" / "explore.py")).run()
    assert at.segmented_control(key="explore_bands_virginia").value == "Infrared"


@pytest.mark.parametrize("place", ["season", "season-before", "fires"])
def test_fires_that_are_not_made_yet_leave_no_empty_ground(
    open_page: OpenPage, home: Path, drawn_maps: list[dict[str, Any]], place: str
) -> None:
    at = open_page("explore", place=place)
    assert at.button(key="make_season").label == "Make them now"
    assert drawn_maps[-1]["key"] == "explore_not_made"
    assert "simulated scar" in words(at)


def test_every_turn_to_another_page_says_what_its_address_has() -> None:
    """Left alone, Streamlit refuses to leave a page some of whose widgets stand in the address (1.67, query_params.py)."""
    for path in (PROJECT / "pages").rglob("*.py"):
        for call in re.findall(r"switch_page\([^)]*\)", path.read_text(encoding="utf-8")):
            assert "query_params=" in call, f"{path}: {call}"
