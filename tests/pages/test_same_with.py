"""The same ground with further backbones: those that fit, what they cost, and jobs in the queue."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.jobs.configuration.config import ExtractConfig, load_config
from pages.ui.embeddings.same_with import with_backbone
from tests.pages.conftest import OpenPage, words


def test_one_click_queues_an_extraction_of_the_same_ground_with_each_backbone_chosen(
    open_page: OpenPage, filled_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)
    before = set(filled_home.glob("*/config.yaml"))
    at = open_page("embeddings", job="run-extract")
    offered = at.multiselect(key="same_names").options
    assert not any(label.startswith("raw") for label in offered)
    assert not any(label.startswith("terramind") for label in offered)
    assert "Not these" in words(at)
    at.multiselect(key="same_names").set_value(["rcf", "efficientnet_lite0"]).run()
    assert "Together about" in words(at)
    at.button(key="same_start").click().run()
    assert not at.exception
    made = sorted(set(filled_home.glob("*/config.yaml")) - before)
    try:
        configs = [load_config(path) for path in made]
        assert {config.backbone.name for config in configs if isinstance(config, ExtractConfig)} == {
            "rcf", "efficientnet_lite0",
        }  # fmt: skip
        first = load_config(filled_home / "run-extract" / "config.yaml")
        assert isinstance(first, ExtractConfig)
        assert all(config.scene == first.scene for config in configs)
        assert with_backbone(first, "rcf", ()).region == first.region
    finally:
        for path in made:
            for file in path.parent.iterdir():
                file.unlink()
            path.parent.rmdir()
