"""Labels beside chips: which there are, by the names of their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.imagery.sources import ChipsScene
from engine.labels.label_names import label_names


def write(path: Path, bands: int) -> None:
    with rasterio.open(path, "w", driver="GTiff", count=bands, dtype="float32", height=8, width=8, crs="EPSG:32633",
                       transform=Affine(10, 0, 400_000, 0, -10, 5_000_000)) as out:  # fmt: skip
        out.write(np.full((bands, 8, 8), 0.1, np.float32))


@pytest.mark.parametrize("is_layout", [True, False])
@pytest.mark.parametrize("names", [(), ("height",), ("mask", "cover-2020", "height")])
def test_the_labels_of_chips_are_found_by_their_names_the_mask_first(
    tmp_path: Path, is_layout: bool, names: tuple[str, ...]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for stem in ("plot[1]_a", "plot[1]_ab"):  # a name that begins like another one, and signs of a pattern
        write(folder / f"{stem}{'_merged' if is_layout else ''}.tif", 6)
        for name in names:
            write(folder / f"{stem}.{name}.tif", 1)
    images = None if is_layout else "plot?1?_a.tif"
    scene = ChipsScene(
        source="chips", path=str(tmp_path if is_layout else folder), images=images, sensor="hls_l30"
    )
    assert label_names(scene.find(tmp_path)) == tuple(sorted(names, key=lambda name: (name != "mask", name)))
