"""The leaderboard's picture: a finished comparison is opened by its address, told in words and drawn, and taken home."""

from __future__ import annotations

from pathlib import Path

from tests.journeys.conftest import App, done_by_command
from tests.journeys.visitor import PATIENCE_MS, Visitor

_DOTS = """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap(plot => plot.data)
  .filter(trace => trace.mode === 'markers').flatMap(trace => trace.x)"""


def test_a_leaderboard_is_drawn_told_in_words_and_taken_home(
    visitor: Visitor, app: App, tmp_path: Path
) -> None:
    config = {
        "kind": "leaderboard", "scene": {"source": "simulated", "seed": 0, "date": "post", "chips": 12}, "backbones": ["raw"],
        "heads": ["linear", "knn"], "seeds": [0], "device": "cpu", "training": {"baselines": [], "epochs": 1},
    }  # fmt: skip
    done_by_command(app.home, config, "board")
    visitor.open("leaderboard?job=board")
    visitor.sees_page("Leaderboard")
    visitor.sees("SIMULATED")
    visitor.page.wait_for_function(f"() => ({_DOTS})().length === 2", timeout=PATIENCE_MS)
    first, second = visitor.page.evaluate(_DOTS)
    assert 0 <= min(first, second) < max(first, second) <= 1
    visitor.is_idle()
    visitor.take_screenshot("leaderboard")
    with visitor.page.expect_download(timeout=PATIENCE_MS) as taken:
        visitor.page.get_by_role("link", name="Table, CSV").click()
    taken.value.save_as(tmp_path / "table.csv")
    assert f",{max(first, second):.5f}"[:-1] in (tmp_path / "table.csv").read_text()
