"""The embeddings of a store as files: size and terms are told before, a job writes them, links hand them out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.jobs.configuration.config import ExportConfig, load_config
from tests.pages.conftest import OpenPage, words


def test_a_form_in_8_bits_is_asked_for_written_by_a_job_and_offered_with_what_it_lost(
    open_page: OpenPage, filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Path(shutil.copytree(filled, tmp_path / "home"))
    monkeypatch.setenv("EMBERSCOPE_HOME", str(home))
    monkeypatch.setattr("engine.jobs.job._spawn", lambda folder: None)
    at = open_page("embeddings", job="run-extract")
    assert "Up to about" in words(at) and "no satellite has seen" in words(at)
    at.selectbox(key="store_files_form").set_value("zarr").run()
    at.segmented_control(key="store_files_dtype_zarr").set_value("int8").run()
    assert not at.text_input(key="store_files_labels").value  # empty: the masks of the season
    at.button(key="store_files_start").click().run()
    assert not at.exception
    (made,) = home.glob("*-export-*/config.yaml")
    assert load_config(made) == ExportConfig(
        store=str(home / "run-extract" / "store"), format="zarr", layer=0, dtype="int8"
    )
    assert main(["run", str(made.parent)]) == 0
    at.run()
    assert not at.exception
    shown = words(at)
    assert "run-extract-layer-0-int8-SIMULATED.zip" in shown and "Mean IoU of a linear probe" in shown
    assert str(made.parent / "files") in shown
    at.text_input(key="store_files_labels").set_value("/none/classes.tif").run()
    at.button(key="store_files_start").click().run()
    (asked,) = set(home.glob("*-export-*/config.yaml")) - {made}
    assert load_config(asked) == ExportConfig(
        store=str(home / "run-extract" / "store"),
        format="zarr",
        layer=0,
        dtype="int8",
        labels="/none/classes.tif",
    )
    assert main(["run", str(asked.parent)]) == 0
    at.run()
    assert not at.exception
    assert "There is no label raster" in words(at), words(at)[-900:]
