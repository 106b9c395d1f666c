"""Twelve clicks on the real sample scene teach a map of water, marsh, field and sand."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from engine.labels.clicked.geojson import labels_path, read_labels
from engine.store.store import EmbeddingStore
from tests.journeys.conftest import App
from tests.journeys.visitor import PATIENCE_MS, Visitor

pytestmark = pytest.mark.timeout(600)

# A person looks for the next patch; a click within the moment in which the map takes over new colours is lost.
_BETWEEN_CLICKS_MS = 500
# Longitude and latitude of ground that the true-colour picture of the sample scene shows.
PLACES = {
    "water": ((-75.6423, 37.6490), (-75.6496, 37.6441), (-75.6235, 37.6593)),
    "marsh": ((-75.6145, 37.6792), (-75.6136, 37.6477), (-75.6282, 37.6456)),
    "field": ((-75.6603, 37.6765), (-75.6651, 37.6717), (-75.6437, 37.6669)),
    "sand": ((-75.6376, 37.6689), (-75.6363, 37.6696), (-75.6382, 37.6678)),
}


def test_twelve_patches_are_labelled_and_the_whole_map_follows(
    visitor: Visitor, app: App, coast: str
) -> None:
    visitor.open(f"label?job={coast}")
    visitor.sees_page("Label")
    visitor.sees_lens()
    for name in PLACES:
        add_class(visitor, name)
    labelled = 0
    for name, places in PLACES.items():
        pick_class(visitor, name)
        for place in places:
            visitor.page.wait_for_timeout(_BETWEEN_CLICKS_MS)
            visitor.page.mouse.click(*visitor.on_map(*place))
            labelled += 1
            expect(visitor.page.get_by_text(f"{labelled} label", exact=False).first).to_be_visible(
                timeout=PATIENCE_MS
            )
            visitor.is_idle()
    labels = read_labels(labels_path(EmbeddingStore.open(app.home / coast).folder))
    assert {name: count for name, count in labels.counts.items() if count} == dict.fromkeys(PLACES, 3)
    legend = visitor.page.locator(".es-legend")
    for name in PLACES:
        expect(legend.get_by_text(name).first).to_be_visible(timeout=PATIENCE_MS)
    visitor.sees("right when their place is left out")
    visitor.sees_lens()
    visitor.take_screenshot("label")
    visitor.pick("label_method", "k nearest neighbours")
    visitor.sees_lens()
    visitor.press("label_undo")
    expect(visitor.page.get_by_text("11 labels").first).to_be_visible(timeout=PATIENCE_MS)


def add_class(visitor: Visitor, name: str) -> None:
    field = visitor.page.locator(".st-key-label_new_class input")
    if not field.is_visible():  # it stays open from class to class
        visitor.page.get_by_role("button", name="Classes").click(timeout=PATIENCE_MS)
    field.fill(name, timeout=PATIENCE_MS)
    field.press("Enter")
    visitor.press("label_add_class")
    expect(visitor.page.locator(".st-key-label_class").get_by_text(f"{name} (0)")).to_be_visible(
        timeout=PATIENCE_MS
    )
    visitor.is_idle()


def pick_class(visitor: Visitor, name: str) -> None:
    visitor.page.locator(".st-key-label_class").get_by_text(f"{name} (").click(timeout=PATIENCE_MS)
    visitor.is_idle()
