"""The health card tells random weights by itself, and measures what a shift by one pixel does as a job."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from engine.jobs.job import Job, list_jobs
from tests.journeys.conftest import App, done_by_command
from tests.journeys.visitor import PATIENCE_MS, Visitor

NAME = "health-random"


@pytest.fixture
def random_store(app: App) -> Iterator[str]:
    """A store made with random weights, for as long as the test runs."""
    config = {
        "kind": "extract", "scene": {"source": "file", "path": "assets/samples/virginia.tif"}, "device": "cpu",
        "region": {"bounds_lonlat": [-75.64, 37.64, -75.59, 37.68]}, "tiles": {"size_px": 64},
        "backbone": {"name": "efficientnet_lite0", "weights": "random"},
    }  # fmt: skip
    yield done_by_command(app.home, config, NAME)
    for job in list_jobs(app.home):
        if job.id == NAME or "measure-shift" in job.id:
            Job(job.folder).delete()


def test_random_weights_are_told_by_the_card_and_a_shift_is_measured_from_it(
    visitor: Visitor, random_store: str
) -> None:
    page = visitor.page
    visitor.open(f"embeddings?job={random_store}")
    visitor.sees_page("Embeddings")
    visitor.press("health")
    card = page.get_by_role("dialog")
    expect(card).to_contain_text("look like those of random weights", timeout=PATIENCE_MS)
    expect(card.locator(".js-plotly-plot").first).to_be_visible(timeout=PATIENCE_MS)
    visitor.take_screenshot("health-card")
    card.get_by_role("button", name="Measure it").click()
    expect(card).to_contain_text(
        "A window that lies one pixel further moves an embedding by", timeout=PATIENCE_MS
    )
    card.get_by_role("button", name="Close").click()
    expect(card).not_to_be_attached(timeout=PATIENCE_MS)
    visitor.is_idle()  # the run is deleted next, and nothing may be drawing it then
    visitor.sees_no_breakdown()
    assert not visitor.errors and not visitor.outside
