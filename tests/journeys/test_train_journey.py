"""From labelled embeddings to a burn-scar map that is judged."""

from __future__ import annotations

import os
import re
from pathlib import Path

import geopandas as gpd
import pytest
from playwright.sync_api import expect

from engine.learning.judging.judgement import Judgement
from engine.learning.judging.tables import of_places
from engine.learning.tasks.table import BURN_SCARS
from tests.journeys.conftest import App
from tests.journeys.held import events, held_after_first
from tests.journeys.visitor import PATIENCE_MS, Visitor

_EPOCHS = 20 if os.environ.get("EMBERSCOPE_SCREENSHOTS") else 12
# Of its own: where the guided path has been gone, its button on Start leads on to Apply.
_WORKSPACE = "teaching"
_POINTS = "document.querySelector('.st-key-job_panel .js-plotly-plot')?.data?.[0]?.x?.length ?? 0"
# The plot of the watched metric with two runs, in which the first has as many epochs as it was told.
_BOTH = """[...document.querySelectorAll('.js-plotly-plot')].some(plot =>
  plot.data?.length === 2 && plot.data.some(run => run.x.length === 3) && plot.data.some(run => run.x.length > 3))"""


@pytest.mark.timeout(600)  # it extracts the season first
def test_a_decoder_learns_under_ones_eyes_and_is_judged_beside_the_baseline(
    visitor: Visitor, app: App, tmp_path: Path
) -> None:
    visitor.open(f"?workspace={_WORKSPACE}")
    visitor.sees_page("Start")
    visitor.take_screenshot("start")
    visitor.press("go_scar")
    visitor.sees_page("Explore")
    visitor.sees_map()
    visitor.sees("SIMULATED")
    visitor.sees_tile_with_pixels()
    visitor.take_screenshot("explore")
    visitor.press("guide_leave")
    visitor.is_idle()
    visitor.go_to("Train")
    visitor.sees("SIMULATED")
    visitor.type_number("t_epochs", _EPOCHS)
    visitor.is_idle()
    visitor.press("start_train")
    folder = app.home / "workspaces" / _WORKSPACE / visitor.job
    with held_after_first("EpochDone", folder, 3 * PATIENCE_MS) as epochs:
        visitor.page.wait_for_function(f"() => {_POINTS} === {epochs}", timeout=PATIENCE_MS)
        visitor.progress_matches(rf"Epoch {epochs} of {_EPOCHS}")
        visitor.sees("The map as it is learned")
        expect(visitor.page.get_by_text(f"Epoch {epochs}", exact=True).first).to_be_visible(
            timeout=PATIENCE_MS
        )
    visitor.page.wait_for_function(f"() => {_POINTS} > {epochs}", timeout=PATIENCE_MS)
    visitor.sees_state("finished", 3 * PATIENCE_MS)
    expect(visitor.button("to_evaluate")).to_be_enabled(timeout=PATIENCE_MS)
    visitor.is_idle()
    visitor.take_screenshot("train")

    visitor.press("fork_train")
    visitor.page.wait_for_url(
        re.compile(r"^(?!.*[?&]job=)"), timeout=PATIENCE_MS
    )  # the form is filled by then
    visitor.is_idle()
    visitor.type_number("t_epochs", 3)
    visitor.is_idle()
    expect(visitor.page.locator(".st-key-t_epochs input")).to_have_value("3", timeout=PATIENCE_MS)
    visitor.press("start_train")
    visitor.page.wait_for_url(re.compile(rf"[?&]job=(?!{folder.name})"), timeout=PATIENCE_MS)
    visitor.sees_state("finished", PATIENCE_MS)
    visitor.page.wait_for_function(f"() => {_BOTH}", timeout=PATIENCE_MS)
    visitor.open(f"train?workspace={_WORKSPACE}&job={folder.name}")
    visitor.sees_state("finished", PATIENCE_MS)

    visitor.press("to_evaluate")
    visitor.sees_page("Evaluate")
    table = visitor.page.locator(".es-wraps")
    expect(table).to_contain_text("NBR threshold", timeout=PATIENCE_MS)
    methods = {one["key"]: one for one in events(folder, "TestDone")[0]["scores"]["methods"]}
    for key, title in (
        ("decoder", "Decoder"),
        ("nbr", "NBR threshold"),
        ("forest", "Random forest on raw bands"),
    ):
        row = table.get_by_role("row").filter(
            has=visitor.page.get_by_role("rowheader", name=title, exact=True)
        )
        expect(row.get_by_role("cell").nth(0)).to_contain_text(f"{methods[key]['iou_burned']:.3f}")
    expect(visitor.map.locator(".ember-swatch", has_text="false alarm")).to_be_attached(timeout=PATIENCE_MS)
    visitor.sees_overlay()
    visitor.is_idle()
    visitor.take_screenshot("evaluate")
    visitor.press("worst_place")
    visitor.sees("from the worst")
    visitor.is_idle()
    judgement = Judgement.read(folder)
    assert judgement is not None
    worst = of_places(judgement, BURN_SCARS)[1][0]
    expect(visitor.page).to_have_url(re.compile(f"test_place={worst}"))

    visitor.press("to_apply")
    visitor.sees_page("Apply")
    visitor.press("make_map")
    visitor.sees("Take it home")
    visitor.is_idle()
    mapped = visitor.map.locator(".leaflet-overlay-pane canvas.leaflet-tile-loaded").first
    expect(mapped).to_be_attached(timeout=PATIENCE_MS)
    visitor.take_screenshot("apply")
    said = visitor.page.locator(".es-areas dd").first.inner_text()
    with visitor.page.expect_download(timeout=PATIENCE_MS) as taken:
        visitor.page.get_by_role("link", name="Polygons, GeoPackage").click()
    taken.value.save_as(tmp_path / taken.value.suggested_filename)
    (package,) = tmp_path.glob("*.gpkg")
    burnt = gpd.read_file(package, engine="pyogrio")
    assert burnt["hectares"].sum() <= float(said.removesuffix(" ha").replace(",", "")) + 0.05
    assert burnt["hectares"].min() >= 1
    assert burnt.crs is not None
    assert burnt.crs.is_projected
