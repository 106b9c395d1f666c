"""`python -m engine import --catalogue` says what is there, fetches it, and goes on where a try has ended."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine.__main__ import main
from engine.errors import ConfigError
from engine.extraction.extract import ensure_store, store_folder
from engine.imagery.sources import PublishedEmbeddings
from engine.jobs.configuration.config import config_hash, load_config, parse_config
from engine.jobs.job import Job
from engine.store.catalogues.table import PRESETS, catalogue
from engine.store.store import EmbeddingStore
from tests.stac.range_server import RangeServer, range_server
from tests.unit.store.catalogues.made import BELOW, config_of, region_of, settle

REGION = ",".join(f"{edge:.6f}" for edge in region_of(70, 80, 100, 120).bounds_lonlat)


def test_a_region_is_told_fetched_and_taken_again_by_the_same_command(
    alphaearth_folder: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    command = ["import", "--catalogue", "aef", "--region", REGION, "--year", "2024", "--json"]
    with range_server(alphaearth_folder) as server:
        settle(home, server, aef=("alphaearth", f"{BELOW}/aef_index.parquet"))
        assert main([*command, "--dry-run"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["store"] is None and told["bytes_to_fetch"] > 100_000 and told["years"] == [2023, 2024]
        assert main([*command, "--out", str(out)]) == 0
        found = json.loads(capsys.readouterr().out)
    assert (
        Job(out).state == "finished"
        and found["store"] == str(out / "store")
        and found["model"] == "alphaearth_v1"
    )
    sources = json.loads((out / "sources.json").read_text())
    assert sources["files"][0]["address"].endswith(".tiff") and len(sources["accessed"]) == 10
    config = load_config(out / "config.yaml")
    assert isinstance(config.scene, PublishedEmbeddings) and config.scene.catalogue == "aef"
    assert main([*command, "--out", str(tmp_path / "offline")]) == 0  # the server is gone
    stores = [EmbeddingStore.open(folder / "store").read() for folder in (out, tmp_path / "offline")]
    assert np.array_equal(*stores)
    assert main(["extract", str(out / "config.yaml"), "--out", str(tmp_path / "yaml")]) == 0
    assert main([*command[:-3], "--year", "2016", "--out", str(tmp_path / "none")]) == 2
    assert "it has 2023, 2024" in capsys.readouterr().err and not (tmp_path / "none").exists()


def test_the_catalogues_are_listed_with_those_of_the_settings(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settle(home, RangeServer(tmp_path, "http://127.0.0.1:1"), ours=("stac", "collection.json"))
    assert main(["import", "--list", "--json"]) == 0
    assert {one["catalogue"] for one in json.loads(capsys.readouterr().out)} == {*PRESETS, "ours"}


def test_a_way_to_list_that_there_is_not_is_refused(home: Path, tmp_path: Path) -> None:
    settle(home, RangeServer(tmp_path, "http://127.0.0.1:1"), ours=("stack", "collection.json"))
    with pytest.raises(ConfigError, match=r"like 'stack', which is no way to list embeddings.*stac"):
        catalogue("ours")


def test_files_keep_their_hash_and_path_and_catalogue_exclude_each_other() -> None:
    tree = {
        "kind": "extract", "scene": {"source": "embeddings", "path": "/x.tif"}, "backbone": {"name": "alphaearth_v1", "layers": [0]},
        "device": "cpu",
    }  # fmt: skip
    before = "8ab763cfbdce"
    assert config_hash(parse_config(tree))[:12] == before
    with pytest.raises(ConfigError, match=r"path or catalogue, one of them"):
        parse_config({**tree, "scene": {"source": "embeddings", "path": "/x.tif", "catalogue": "alphaearth"}})


def test_a_training_that_names_a_catalogue_has_its_store_made(alphaearth_folder: Path, home: Path) -> None:
    with range_server(alphaearth_folder) as server:
        settle(home, server, aef=("alphaearth", f"{BELOW}/aef_index.parquet"))
        config = config_of("aef", region_of(70, 80, 80, 90), 2024)
        list(ensure_store(config, home))
    assert EmbeddingStore.open(store_folder(config, home)).meta.backbone == "alphaearth_v1"
