"""Windows of an rslearn dataset become one store, each on its own grid and with its own time."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
from affine import Affine

from engine.errors import EngineError
from engine.store.importing.forms import is_folder_of_embeddings, understand
from engine.store.importing.taking import import_embeddings
from tests.unit.store.products.made import NORTH, WEST, write_tiff
from tests.unit.store.products.test_raster_products import region_of_pixels


def dataset(root: Path, dims: tuple[int, int] = (16, 16)) -> Path:
    """Two windows, 40 m a pixel, in two zones of UTM and two years."""
    for number, (crs, dim) in enumerate(zip(("EPSG:32618", "EPSG:32617"), dims, strict=True)):
        window = root / "windows" / "spring" / f"w{number}"
        values = np.full((8, 6, dim), number + 1, np.float32)
        transform = Affine(40, 0, WEST + 5_000 * number, 0, -40, NORTH)
        write_tiff(
            window / "layers" / "embeddings" / "B0_B1" / "geotiff.tif", values, transform=transform, crs=crs
        )
        told = {
            "time_range": [f"202{number + 3}-03-01T00:00:00+00:00", f"202{number + 3}-09-01T00:00:00+00:00"]
        }
        (window / "metadata.json").write_text(json.dumps(told))
    return root


@pytest.mark.parametrize("part", [".", "windows", "windows/spring"])
def test_windows_become_one_store_with_their_places_and_times(tmp_path: Path, part: str) -> None:
    folder = dataset(tmp_path / "olmo") / part
    assert is_folder_of_embeddings(folder)
    told, store = import_embeddings(folder, tmp_path / "run", model="olmoearth", in_place=part == "windows")
    assert (told.rows, told.dim, told.gsd_m, store.meta.backbone) == (96, 16, 40.0, "olmoearth")
    assert [tile.crs for tile in store.tiles] == ["EPSG:32618", "EPSG:32617"]
    assert [str(tile.datetimes[0])[:10] for tile in store.tiles] == ["2023-03-01", "2024-03-01"]
    assert store.read(0)[0, 0] == 1 and store.read(0)[-1, 0] == 2


def test_a_region_takes_the_windows_that_meet_it_and_windows_of_other_lengths_are_refused(
    tmp_path: Path,
) -> None:
    told, store = import_embeddings(
        dataset(tmp_path / "olmo"), tmp_path / "run", region_of_pixels(0, 0, 20, 20)
    )
    assert [tile.crs for tile in store.tiles] == ["EPSG:32618"] and told.rows < 48
    with pytest.raises(EngineError, match=r"24 dimensions.*do not fit into one store"):
        import_embeddings(dataset(tmp_path / "other", (16, 24)), tmp_path / "mixed")


def test_two_layers_of_embeddings_for_the_same_ground_are_refused(tmp_path: Path) -> None:
    folder = dataset(tmp_path / "olmo")
    window = folder / "windows/spring/w0/layers"
    copytree(window / "embeddings", window / "embeddings_large")
    with pytest.raises(EngineError, match="the layers embeddings, embeddings_large"):
        understand(folder)
