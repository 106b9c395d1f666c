"""Evaluate tells of a training what it beats, where it fails and by how much, and gives every number away."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine.jobs.parent import PARENT, write_parent
from engine.learning.judging.comparison import titled
from engine.learning.judging.judgement import JUDGEMENT, Judgement
from engine.learning.judging.tables import of_places
from engine.learning.keeping.result import TrainRun
from engine.learning.tasks.table import BURN_SCARS
from pages.ui.jobs import inner
from pages.ui.state import cached, downloads
from tests.pages.conftest import OpenPage, words

_LINK = re.compile(r'<a class="es-take" href="([^"]+)" download>([^<]+)</a>')


@pytest.fixture
def run(filled_home: Path) -> TrainRun:
    return TrainRun(filled_home / "run-train")


def test_every_plot_can_be_looked_at_and_taken_with_the_numbers_that_it_shows(
    open_page: OpenPage, run: TrainRun
) -> None:
    client = TestClient(Starlette(routes=downloads.routes()), base_url="http://127.0.0.1")
    at = open_page("evaluate", job=run.folder.name)
    names = at.selectbox(key="evaluate_plot").options
    assert {
        "Precision and recall",
        "Distance to the edge",
        "Size of the scar",
        "Severity",
        "Confusion",
    } < set(names)
    taken = set()
    for name in names:
        at.selectbox(key="evaluate_plot").set_value(name).run()
        assert not at.exception, name
        for address, label in _LINK.findall(words(at)):
            if label.endswith("CSV") and label not in taken and not label.startswith("Curves"):
                rows = list(csv.reader(io.StringIO(client.get(address).text)))
                assert len({len(row) for row in rows}) == 1, label
                assert len(rows) > 1, label
                taken.add(label)
    assert {
        "Methods, CSV",
        "Places, CSV",
        "Precision recall, CSV",
        "Reliability, CSV",
        "Distance, CSV",
        "Size, CSV",
    } <= taken


def test_each_method_stands_beside_the_decoder_and_what_is_not_beaten_is_said(
    open_page: OpenPage, run: TrainRun
) -> None:
    said = words(open_page("evaluate", job=run.folder.name))
    for one in run.scores["methods"]:
        assert titled(one["name"]) in said
        assert f"{one['iou_burned']:.3f}" in said
    assert "too few for intervals" in said  # two test places
    assert "too few places for an interval" in said


def test_the_worst_place_is_opened_on_the_map_and_a_link_opens_it_again(
    open_page: OpenPage, run: TrainRun, drawn_maps: list[dict[str, Any]]
) -> None:
    judgement = Judgement.read(run.folder)
    assert judgement is not None
    worst = str(of_places(judgement, BURN_SCARS)[1][0])
    at = open_page("evaluate", job=run.folder.name)
    whole = _looked_at(drawn_maps)
    at.button(key="worst_place").click().run()
    assert not at.exception
    assert at.query_params["test_place"] in (worst, [worst])
    assert f"{worst}, number 1 of 2 from the worst" in words(at)
    place = next(one for one in judgement.places if one.name == worst)
    assert _looked_at(drawn_maps) == pytest.approx(place.bounds_lonlat)
    assert whole != pytest.approx(place.bounds_lonlat)
    linked = open_page("evaluate", job=run.folder.name, test_place=worst)
    assert f"{worst}, number 1 of 2" in words(linked)
    linked.button(key="all_places").click().run()
    assert "from the worst" not in words(linked)
    assert "from the worst" not in words(open_page("evaluate", job=run.folder.name, test_place="<b>nowhere"))


def test_a_run_of_an_earlier_version_keeps_its_scores_and_is_judged_in_detail_on_demand(
    open_page: OpenPage, run: TrainRun
) -> None:
    held = (run.folder / JUDGEMENT).read_bytes()
    (run.folder / JUDGEMENT).unlink()
    try:
        at = open_page("evaluate", job=run.folder.name)
        assert not at.exception
        assert f"{run.scores['iou_burned']:.3f}" in words(at)
        at.button(key="judge_again").click().run()
        assert not at.exception
        assert at.selectbox(key="evaluate_plot").options
        assert (run.folder / JUDGEMENT).read_bytes() == held
    finally:
        (run.folder / JUDGEMENT).write_bytes(held)


def test_what_is_compared_with_a_training_is_folded_under_it_on_runs(
    filled_home: Path, run: TrainRun
) -> None:
    everything = cached.jobs()
    training = next(item for item in everything if item.job.folder == run.folder)
    store = next(item for item in everything if item.job.id == "run-extract")
    assert store not in inner.made_by(training, everything)
    write_parent(store.job.folder, training.job.id)
    try:
        assert inner.is_inner(store)
        assert store in inner.made_by(training, everything)
    finally:
        (store.job.folder / PARENT).unlink()
    assert not inner.is_inner(store)


def _looked_at(drawn_maps: list[dict[str, Any]]) -> tuple[float, ...]:
    """West, south, east and north that the map opens on."""
    for child in drawn_maps[-1]["figure"]._children.values():
        if "home" in getattr(child, "options", {}):
            (south, west), (north, east) = child.options["home"]
            return west, south, east, north
    raise AssertionError("no view on the map")
