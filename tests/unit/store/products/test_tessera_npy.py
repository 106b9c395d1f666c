"""TESSERA's NPY files with their scales become stores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import EngineError
from engine.store.importing.taking import import_embeddings
from tests.unit.store.products.made import write_tiff

NAME = "grid_-76.15_37.05"


def tessera(
    folder: Path, scales: np.ndarray | None, mask: Path | None, shape: tuple[int, int] = (30, 20)
) -> tuple[Path, np.ndarray]:
    """A tile of a year, its scales and its land mask."""
    folder.mkdir(parents=True)
    numbers = np.random.default_rng(0).integers(-127, 128, (30, 20, 128)).astype(np.int8)
    np.save(folder / f"{NAME}.npy", numbers)
    if scales is not None:
        np.save(folder / f"{NAME}_scales.npy", scales.astype(np.float32))
    if mask is not None:
        write_tiff(mask, np.ones((*shape, 1), np.uint8))
    return folder / f"{NAME}.npy", numbers


@pytest.mark.parametrize("is_one_a_dimension", [False, True])
def test_numbers_times_their_scales_lie_where_the_land_mask_does(
    tmp_path: Path, is_one_a_dimension: bool
) -> None:
    scales = np.random.default_rng(1).uniform(0.01, 0.1, (30, 20, 128) if is_one_a_dimension else (30, 20))
    scales[3, 4], scales[5, 6] = np.nan, np.inf
    folder = tmp_path / "global_0.1_degree_representation/2024" / NAME
    path, numbers = tessera(folder, scales, tmp_path / "global_0.1_degree_tiff_all" / f"{NAME}.tiff")
    told, store = import_embeddings(path, tmp_path / "run")
    assert (told.model, told.year, told.decoding) == ("tessera", 2024, "v times its scale")
    meant = numbers * (scales if is_one_a_dimension else scales[..., None])
    valid = store.read_valid_fraction().reshape(30, 20) > 0
    assert np.argwhere(~valid).tolist() == [[3, 4], [5, 6]]
    assert np.allclose(store.read().reshape(30, 20, 128)[valid], meant[valid], rtol=1e-3, atol=1e-4)
    assert store.tiles[0].transform[:6] == (10, 0, 400_000, 0, -10, 4_100_000)


@pytest.mark.parametrize(
    ("scales", "mask", "shape", "says"),
    [
        (None, "beside", (30, 20), "has no grid_-76.15_37.05_scales.npy beside it"),
        (np.ones((30, 20)), None, (30, 20), "no land mask"),
        (np.ones((30, 21)), "beside", (30, 20), "shape"),
        (np.ones((30, 20)), "beside", (31, 20), "31 x 20 pixels"),
    ],
)  # fmt: skip
def test_a_missing_or_wrong_file_beside_it_is_said(
    tmp_path: Path, scales: np.ndarray | None, mask: str | None, shape: tuple[int, int], says: str
) -> None:
    folder = tmp_path / "2024"
    path, _ = tessera(folder, scales, folder / f"{NAME}.tiff" if mask else None, shape)
    with pytest.raises(EngineError, match=says):
        import_embeddings(path, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_file_of_scales_is_no_file_of_embeddings(tmp_path: Path) -> None:
    path, _ = tessera(tmp_path / "2024", np.ones((30, 20)), None)
    with pytest.raises(EngineError, match="Give the file without _scales"):
        import_embeddings(path.with_name(f"{NAME}_scales.npy"), tmp_path / "run")
