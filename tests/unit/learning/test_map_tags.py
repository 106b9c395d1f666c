"""What the files of a map say of the decoder that made it, apart from the ground that it was made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import rasterio

from engine.__main__ import main
from engine.store.schema import StoredTile, TileRows
from engine.store.store import EmbeddingStore
from engine.store.writer import StoreWriter
from tests.unit.learning.test_apply import META_OF_DATES, decoder_that_burns_from


def test_files_of_real_ground_say_whether_the_decoder_was_taught_on_simulated_fires(
    home: Path, tmp_path: Path
) -> None:
    season, real = (
        _store(home / name, is_simulated) for name, is_simulated in (("season", True), ("real", False))
    )
    for taught, said in ((season, "yes"), (real, "no")):
        run = decoder_that_burns_from(1.5, taught, home / f"trained-{said}")
        classes, probability = tmp_path / f"{said}.tif", tmp_path / f"{said}-p.tif"
        asked = ["--out", str(classes), "--probability", str(probability)]
        assert main(["predict", str(run.folder), str(real.folder), *asked]) == 0
        for path in (classes, probability):
            with rasterio.open(path) as written:
                tags = written.tags()
            assert (tags["EMBERSCOPE_SIMULATED"], tags["EMBERSCOPE_SOURCE"]) == ("no", "real")
            assert tags["EMBERSCOPE_DECODER_SIMULATED"] == said
            assert tags["EMBERSCOPE_DECODER_TAUGHT_ON"] == taught.meta.source


def _store(folder: Path, is_simulated: bool) -> EmbeddingStore:
    """One tile of four patches that burn."""
    tile = StoredTile("t", "EPSG:32610", (30, 0, 5e5, 0, -30, 4.5e6), 2, 2, 4, 4, (None,), ("s",), None)
    writer = StoreWriter(folder, replace(META_OF_DATES, is_simulated=is_simulated, source=folder.name))
    writer.append(TileRows(tile, (np.full((4, 2), 2, np.float32),), np.ones(4, np.float32)))
    return EmbeddingStore.open(writer.finish())
