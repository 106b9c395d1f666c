"""The first page: four ways in, and steps of which the next one is highlighted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pages.conftest import OpenPage, words

WAYS = ("go_scar", "go_embeddings", "go_own", "go_on")


def primary(at: object) -> list[str]:
    """Labels of the highlighted buttons."""
    return [button.label for button in at.button if button.proto.type == "primary"]  # type: ignore[attr-defined]


def test_a_new_workspace_offers_all_ways_in_and_the_first_step(open_page: OpenPage, home: Path) -> None:
    at = open_page("start")
    assert not at.exception
    assert all(at.button(key=key).label for key in WAYS)
    assert at.button(key="go_on").disabled
    assert primary(at) == ["Next step", "Look at the fires"]
    assert "Nothing has been run here yet" in words(at)


def test_the_first_step_opens_the_ground_with_known_fires(open_page: OpenPage, home: Path) -> None:
    at = open_page("start").button(key="go_scar").click().run()
    assert at.title[0].value == "Explore"
    assert at.session_state["place_key"] == "season"


def test_the_next_step_follows_from_what_the_workspace_holds(open_page: OpenPage, filled_home: Path) -> None:
    at = open_page("start")
    assert not at.exception
    assert primary(at) == ["Next step", "See the scores"]
    after = at.button(key="go_scar").click().run()
    assert after.title[0].value == "Evaluate"
    assert "Map other ground with it" in primary(after)


def test_going_on_leads_to_the_newest_run(open_page: OpenPage, filled_home: Path) -> None:
    at = open_page("start").button(key="go_on").click().run()
    assert at.title[0].value in ("Evaluate", "Embeddings", "Train", "Extract")
    assert at.query_params["job"]


@pytest.mark.parametrize("number", range(1, 7))
def test_every_step_can_be_opened_at_any_time(open_page: OpenPage, home: Path, number: int) -> None:
    at = open_page("start").button(key=f"do_step_{number}").click().run()
    assert not at.exception
