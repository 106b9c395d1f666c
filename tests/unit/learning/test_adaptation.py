"""A decoder adapted to another place: what it standardises by, what the files say of it, and what stays as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
import torch
from torch import nn

from engine.__main__ import main
from engine.errors import StoreError
from engine.jobs.configuration.config import ApplyConfig, config_hash
from engine.learning.heads.decoder import Decoder
from engine.learning.keeping.result import write_card
from engine.learning.maps.adaptation import FEWEST_PATCHES, adapted, note_of_adaptation, settled
from engine.learning.maps.apply import map_store
from engine.learning.maps.facts import PROBABILITY, read_map
from engine.store.schema import StoredTile, TileRows
from engine.store.store import EmbeddingStore
from engine.store.writer import StoreWriter
from tests.unit.learning.test_apply import META_OF_DATES, decoder_that_burns_from


def _place(folder: Path, side: int = 20) -> EmbeddingStore:
    """One tile of side x side patches whose embeddings are around 10 with a deviation of about 2."""
    values = np.random.default_rng(0).normal(10, 2, (side * side, 2)).astype(np.float32)
    pixels = side * META_OF_DATES.patch_px
    tile = StoredTile(
        "t", "EPSG:32610", (30, 0, 5e5, 0, -30, 4.5e6), side, side, pixels, pixels, (None,), ("s",), None
    )
    writer = StoreWriter(folder, META_OF_DATES)
    writer.append(TileRows(tile, (values,), np.ones(side * side, np.float32)))
    return EmbeddingStore.open(writer.finish())


def _decoder() -> Decoder:
    return Decoder(nn.Identity(), torch.zeros(2), torch.full((2,), 0.5), False, torch.Generator())


def test_the_mean_lies_half_way_and_the_deviation_is_the_geometric_mean_of_both(tmp_path: Path) -> None:
    place, taught = _place(tmp_path / "place"), _decoder()
    features, is_valid = place.read(0), np.ones(400, dtype=bool)
    found = adapted(taught, features, is_valid, place, None)
    own = features.astype(float)
    assert found.mean.numpy() == pytest.approx(own.mean(axis=0) / 2, rel=1e-5)
    assert found.std.numpy() == pytest.approx(np.sqrt(0.5 * own.std(axis=0)), rel=1e-5)
    assert (taught.mean.sum().item(), taught.std.sum().item()) == (0, 1)
    centred = adapted(taught, features, is_valid, place, None, "centre")
    assert centred.mean.equal(found.mean)
    assert centred.std.equal(taught.std)


def test_what_has_no_data_does_not_count_and_too_little_of_a_place_is_refused(tmp_path: Path) -> None:
    place = _place(tmp_path / "place")
    features = place.read(0).astype(np.float32).copy()
    is_valid = np.arange(400) < 300
    clean = adapted(_decoder(), features, is_valid, place, None).mean
    features[~is_valid] = 1e6
    assert adapted(_decoder(), features, is_valid, place, None).mean.equal(clean)
    with pytest.raises(StoreError, match="has 255 patches with data to map"):
        adapted(_decoder(), features, np.arange(400) < FEWEST_PATCHES - 1, place, None)
    with pytest.raises(StoreError, match="has 0 patches"):
        adapted(_decoder(), features, is_valid, place, frozenset(["elsewhere"]))


def test_a_map_and_its_files_say_that_the_decoder_was_adapted_and_others_do_not(
    home: Path, tmp_path: Path
) -> None:
    place = _place(home / "place")
    run = decoder_that_burns_from(1.5, place, home / "trained")
    list(map_store([run], place, home / "plain", home))
    list(map_store([run], place, home / "adapted", home, adapt="standardise"))
    plain, moved = read_map(home / "plain"), read_map(home / "adapted")
    assert (plain.adapt, moved.adapt) == ("none", "standardise")
    assert note_of_adaptation("standardise") in moved.notes
    assert note_of_adaptation("none") == ""
    assert "EMBERSCOPE_ADAPT" not in plain.taught_tags
    out = tmp_path / "m.tif"
    assert (
        main(["predict", str(run.folder), str(place.folder), "--out", str(out), "--adapt", "standardise"])
        == 0
    )
    for path in (out, home / "adapted" / PROBABILITY):
        with rasterio.open(path) as raster:
            assert raster.tags()["EMBERSCOPE_ADAPT"] == "standardise"


def test_auto_adapts_decoders_of_simulated_burn_scars_to_real_ground_alone(home: Path) -> None:
    real, small = _place(home / "real"), _place(home / "small", side=15)
    run = decoder_that_burns_from(1.5, real, home / "trained")
    card = replace(run.decoder, is_simulated=True, task="burn_scars")
    simulated = replace(real, meta=replace(real.meta, is_simulated=True))
    assert settled("auto", [card, card], real, None) == "centre"
    for cards, ground in (
        ([card], simulated),
        ([card], small),
        ([card, replace(card, is_simulated=False)], real),
        ([replace(card, task="burn_severity")], real),
    ):
        assert settled("auto", cards, ground, None) == "none"
    assert settled("auto", [card], real, frozenset(["elsewhere"])) == "none"
    assert [settled(asked, [card], simulated, None) for asked in ("none", "standardise")] == [
        "none",
        "standardise",
    ]


def test_predict_adapts_a_decoder_of_the_season_to_real_ground_and_says_why(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = _place(home / "place")
    run = decoder_that_burns_from(1.5, place, home / "trained")
    card = replace(run.decoder, is_simulated=True, task="burn_scars")
    write_card(run.folder, card)
    out = tmp_path / "m.tif"
    for chosen, tag in (([], "centre"), (["--adapt", "none"], None)):
        assert main(["predict", str(run.folder), str(place.folder), "--out", str(out), *chosen]) == 0
        assert ("it learned from simulated scenes" in capsys.readouterr().err) == (tag is not None)
        with rasterio.open(out) as raster:
            assert raster.tags().get("EMBERSCOPE_ADAPT") == tag


def test_a_configuration_without_adaptation_keeps_its_hash() -> None:
    plain = ApplyConfig(decoder="d", ground=("g",))
    assert config_hash(plain) == config_hash(ApplyConfig(decoder="d", ground=("g",), adapt="none"))
    assert config_hash(plain) != config_hash(ApplyConfig(decoder="d", ground=("g",), adapt="standardise"))
