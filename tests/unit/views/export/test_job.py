"""An export as a job tells its steps and leaves whole files, or none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.errors import DiskFull, StoreError
from engine.jobs.configuration.config import ExportConfig, parse_config
from engine.jobs.events import MeasureDone, MeasureStep, Noticed
from engine.store.store import EmbeddingStore
from engine.views.export.forms import FORMS, bytes_of, dtype_of, export
from engine.views.export.job import FILES, export_job
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at


@pytest.mark.parametrize("form", FORMS)
def test_a_job_writes_each_form_into_its_run_folder_and_says_so(
    hard_store: EmbeddingStore, tmp_path: Path, form: str
) -> None:
    config = parse_config({"kind": "export", "store": str(hard_store.folder), "format": form})
    assert isinstance(config, ExportConfig)
    events = list(export_job(config, tmp_path, tmp_path))
    assert isinstance(events[0], MeasureStep) and isinstance(events[-1], MeasureDone)
    assert events[-1].found["MB"] > 0 and events[-1].measure == f"{FORMS[form].title} written"
    written = sorted(path.name for path in (tmp_path / FILES).iterdir())
    promised = bytes_of(hard_store, None, FORMS[form], dtype_of(FORMS[form], form, hard_store.meta, None))
    assert FORMS[form].is_folder or events[-1].found["MB"] * 1e6 < promised + 40_000 * len(written)  # headers
    assert written and all("SIMULATED-RANDOM-WEIGHTS" in name for name in written)


def test_a_job_in_8_bits_tells_what_is_lost_and_what_a_probe_finds(
    hard_store: EmbeddingStore, tmp_path: Path
) -> None:
    config = ExportConfig(store=str(hard_store.folder), format="zarr", dtype="int8")

    def probe(store: EmbeddingStore, layer: int, back: object) -> dict[str, float]:
        values = store.read(layer)[2:16].astype(np.float32)
        assert np.abs(back(values) - values).max() < 0.01 * np.abs(values).max()  # type: ignore[operator]
        return {"mean_iou": 0.5, "mean_iou_after": 0.25}

    told = [
        event.message for event in export_job(config, tmp_path, tmp_path, probe) if isinstance(event, Noticed)
    ]
    assert "0.5000 before, 0.2500 after" in told[-1]
    (folder,) = (tmp_path / FILES).iterdir()
    assert json.loads((folder / "quantisation.json").read_text())["probe"]["mean_iou_after"] == 0.25


def test_a_cancelled_job_leaves_nothing(hard_store: EmbeddingStore, tmp_path: Path) -> None:
    steps = export_job(ExportConfig(store=str(hard_store.folder), format="zarr"), tmp_path, tmp_path)
    next(steps)
    steps.close()
    steps = export_job(ExportConfig(store=str(hard_store.folder), format="zarr"), tmp_path, tmp_path)
    with pytest.raises(SystemExit):
        next(steps)
        steps.throw(SystemExit)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("form", "name"), [("npz", "e.npz"), ("zarr", "z"), ("stac", "s"), ("geoparquet", "e.parquet")]
)
def test_an_export_that_breaks_off_leaves_what_was_there_before(
    hard_store: EmbeddingStore, tmp_path: Path, form: str, name: str
) -> None:
    out = tmp_path / name
    if not FORMS[form].is_folder:
        out.write_text("an earlier one")

    def full(step: str, done: int, total: int) -> None:
        if done == 2:
            raise OSError(28, "No space left on device")

    with pytest.raises(DiskFull, match="is full"):
        export(hard_store, None, out, form, tell=full)
    assert [path.name for path in tmp_path.iterdir()] == ([] if FORMS[form].is_folder else [name])
    assert FORMS[form].is_folder or out.read_text() == "an earlier one"


def test_a_folder_that_holds_something_is_kept(hard_store: EmbeddingStore, tmp_path: Path) -> None:
    (tmp_path / "z").mkdir()
    (tmp_path / "z/mine.txt").write_text("kept")
    with pytest.raises(Exception, match="already holds something"):
        export(hard_store, None, tmp_path / "z", "zarr")
    assert (tmp_path / "z/mine.txt").read_text() == "kept"


def extreme(tmp_path: Path) -> EmbeddingStore:
    """One patch of one number; beyond float16."""
    tile = tile_at(0, side=1)
    rows = rows_at(tile, (1,))
    rows.embeddings[0][:] = -3e30
    return make_store(tmp_path / "run", [rows], meta_of((1,), "float32"))


@pytest.mark.parametrize("form", FORMS)
def test_one_patch_of_one_number_beyond_float16_leaves_in_every_form(tmp_path: Path, form: str) -> None:
    store = extreme(tmp_path)
    for dtype in [None, *(["int8"] if "int8" in FORMS[form].dtypes else [])]:
        made = export(store, None, tmp_path / f"{dtype}{FORMS[form].ending}", form, dtype)
        assert made.loss is None or (made.loss.rows == 1 and made.loss.cosine_worst < 1e-6)
    if "float16" in FORMS[form].dtypes:
        with pytest.raises(StoreError, match=r"reach 3e\+30.*--dtype float32"):
            export(store, None, tmp_path / f"small{FORMS[form].ending}", form, "float16")
        assert not (tmp_path / f"small{FORMS[form].ending}").exists()
