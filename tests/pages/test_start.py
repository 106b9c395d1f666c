"""The first page and the guided path: four ways in, six steps, one highlighted button."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.start import guide
from tests.pages.conftest import OpenPage, words

WAYS = ("go_scar", "go_embeddings", "go_own", "go_on")


def primary(at: object) -> list[str]:
    """Keys of the highlighted buttons."""
    return [
        button.key
        for button in at.button
        if button.proto.type == "primary" and not button.key.startswith("workspace")
    ]  # type: ignore[attr-defined]


def test_a_new_workspace_offers_all_ways_in_and_the_first_step(open_page: OpenPage, home: Path) -> None:
    at = open_page("start")
    assert not at.exception
    assert all(at.button(key=key).label for key in WAYS)
    assert at.button(key="go_on").disabled
    assert primary(at) == ["go_scar", "do_step_1"]
    assert [at.button(key=f"do_step_{number}").disabled for number in range(1, 7)] == [False] + [True] * 5
    assert "Nothing has been run here yet" in words(at)


def test_the_path_begins_on_a_burn_scar(open_page: OpenPage, home: Path) -> None:
    at = open_page("start").button(key="go_scar").click().run()
    assert not at.exception
    assert at.title[0].value == "Explore"
    assert at.session_state["place_key"] == "fire"
    assert at.query_params["guide"] in ("1", ["1"])


def test_a_refresh_goes_on_at_the_step_of_the_address(open_page: OpenPage, home: Path) -> None:
    at = open_page("start", guide="1")
    assert "1 of 6" in words(at)
    assert at.button(key="guide_next").label == guide.STEPS[1].button


def test_whoever_leaves_has_no_bar_and_no_step_in_the_address(home: Path) -> None:
    at = AppTest.from_function(_bar)  # the bar alone: AppTest draws the frame around a page only once
    at.query_params["guide"] = "1"
    assert "1 of 6" in words(at.run())
    at = at.button(key="guide_leave").click().run()
    for _ in range(2):
        assert not at.exception
        assert not at.button
        assert "guide" not in at.query_params
        at = at.run()


def _bar() -> None:
    from pages.ui.start import guide_bar

    guide_bar.show()


@pytest.mark.parametrize("number", ["2", "3", "4", "5", "6"])
def test_a_step_whose_work_is_not_here_leads_to_where_it_is(
    open_page: OpenPage, home: Path, number: str
) -> None:
    at = open_page("start", guide=number)
    assert not at.exception
    assert at.button(key="guide_next").label


@pytest.mark.parametrize("number", ["0", "7", "-1", "x", "<b>", "1.0"])
def test_an_address_that_names_no_step_has_no_bar(open_page: OpenPage, home: Path, number: str) -> None:
    at = open_page("start", guide=number)
    assert not at.exception
    assert not any(button.key == "guide_next" for button in at.button)


def test_going_on_leads_to_the_newest_run(open_page: OpenPage, filled_home: Path) -> None:
    at = open_page("start").button(key="go_on").click().run()
    assert at.title[0].value in ("Evaluate", "Embeddings", "Train", "Extract")
    assert at.query_params["job"]
