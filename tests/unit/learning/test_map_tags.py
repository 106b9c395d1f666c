"""What the files of a map say of the decoder that made it, apart from the ground that it was made of."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow.parquet as pq
import pyogrio
import pytest
import rasterio

from engine.__main__ import main
from engine.jobs import folder as run_folder
from engine.jobs.configuration.config import ApplyConfig
from engine.learning.maps.apply import apply, map_store
from engine.learning.maps.facts import FACTS, read_map
from engine.learning.maps.picture import caption_of
from engine.store.schema import StoredTile, TileRows
from engine.store.store import EmbeddingStore
from engine.store.writer import StoreWriter
from tests.unit.learning.test_apply import META_OF_DATES, decoder_that_burns_from

SIMULATED, TAUGHT_ON = "EMBERSCOPE_DECODER_SIMULATED", "EMBERSCOPE_DECODER_TAUGHT_ON"


@pytest.mark.parametrize(("taught_on", "said"), [("season", "yes"), ("real", "no")])
def test_files_of_real_ground_say_whether_the_decoder_was_taught_on_simulated_fires(
    home: Path, tmp_path: Path, taught_on: str, said: str
) -> None:
    taught, real = _store(home / taught_on, taught_on == "season"), _store(home / "ground", False)
    run = decoder_that_burns_from(1.5, taught, home / "trained")
    classes, probability = tmp_path / "m.tif", tmp_path / "p.tif"
    tables = [tmp_path / f"m.{ending}" for ending in ("geojson", "gpkg", "parquet")]
    asked = ["--out", str(classes), "--probability", str(probability)]
    for table in tables:
        asked += ["--polygons", str(table)]
    assert main(["predict", str(run.folder), str(real.folder), *asked]) == 0
    told = [_tags(path) for path in (classes, probability)] + [
        json.loads(tables[0].read_text())["emberscope"],
        pyogrio.read_info(tables[1])["layer_metadata"],
        {key.decode(): value.decode() for key, value in pq.read_schema(tables[2]).metadata.items()},
    ]
    for tags in told:
        assert (tags["EMBERSCOPE_SIMULATED"], tags["EMBERSCOPE_SOURCE"]) == ("no", "ground")
        assert (tags[SIMULATED], tags[TAUGHT_ON]) == (said, taught_on)
    for table in tables:
        rows = gpd.read_parquet(table) if table.suffix == ".parquet" else gpd.read_file(table)
        assert len(rows)
        assert set(zip(rows["simulated"], rows["taught_on_simulated"], strict=True)) == {("no", said)}
        assert set(zip(rows["source"], rows["taught_on"], strict=True)) == {("ground", taught_on)}


def test_the_picture_says_it_and_a_map_of_an_earlier_version_says_what_its_decoder_says(
    home: Path, tmp_path: Path
) -> None:
    taught, real = _store(home / "season", True), _store(home / "ground", False)
    run = decoder_that_burns_from(1.5, taught, home / "trained")
    list(map_store([run], real, tmp_path, home))
    tree = json.loads((tmp_path / FACTS).read_text())
    (tmp_path / FACTS).write_text(json.dumps({key: tree[key] for key in tree if "taught_on_simu" not in key}))
    facts = read_map(tmp_path)
    assert facts.is_taught_on_simulated
    assert any("taught on SIMULATED" in line for line in caption_of(facts, 0.5).lines)
    (tmp_path / FACTS).write_text(
        json.dumps({**tree, "decoder": str(home / "gone"), "is_taught_on_simulated": None})
    )
    assert read_map(tmp_path).taught_tags[SIMULATED] == "not stated"


def test_the_report_of_a_map_says_it_too_with_its_picture_and_no_link_anywhere(
    home: Path, tmp_path: Path
) -> None:
    taught, real = _store(home / "season", True), _store(home / "ground", False)
    run = decoder_that_burns_from(1.5, taught, home / "trained")
    config = ApplyConfig(decoder=str(run.folder), ground=(str(real.folder),), titles=("Nord <b>",))
    run_folder.create(home / "applied", config)
    list(apply(config, home / "applied", home))
    page = tmp_path / "map.html"
    assert main(["report", str(home / "applied"), "--out", str(page)]) == 0
    text = page.read_text()
    assert "taught on SIMULATED scenes" in text and "SIMULATED ground" not in text
    assert "Nord &lt;b&gt;" in text and "Nord <b>" not in text
    assert "data:image/png;base64," in text and "1 polygon of 1 ha or more" in text
    assert "http" not in text
    assert main(["report", str(real.folder), "--out", str(tmp_path / "none.html")]) == 2


def _tags(path: Path) -> dict[str, str]:
    with rasterio.open(path) as written:
        return dict(written.tags())


def _store(folder: Path, is_simulated: bool) -> EmbeddingStore:
    """One tile of four patches that burn."""
    tile = StoredTile("t", "EPSG:32610", (30, 0, 5e5, 0, -30, 4.5e6), 2, 2, 4, 4, (None,), ("s",), None)
    writer = StoreWriter(folder, replace(META_OF_DATES, is_simulated=is_simulated, source=folder.name))
    writer.append(TileRows(tile, (np.full((4, 2), 2, np.float32),), np.ones(4, np.float32)))
    return EmbeddingStore.open(writer.finish())
