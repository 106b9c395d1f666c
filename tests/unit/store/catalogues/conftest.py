"""A server of files on loopback, which a test's catalogues lie on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.imagery.remote import http
from tests.stac.range_server import RangeServer, range_server
from tests.unit.store.catalogues.made import SIDE, alphaearth_file, alphaearth_index, vectors_of


@pytest.fixture
def server(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    """Files below the test's folder; tries follow one another at once."""
    monkeypatch.setattr(http, "_PAUSE_S", 0.001)
    (tmp_path / "files").mkdir()
    with range_server(tmp_path / "files") as made:
        yield made


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """The embeddings of AlphaEarth's file of 2024."""
    return vectors_of(SIDE, SIDE)


@pytest.fixture(scope="module")
def alphaearth_folder(tmp_path_factory: pytest.TempPathFactory, vectors: np.ndarray) -> Path:
    """A file of 2023 and one of 2024, and their index among those of others."""
    folder = tmp_path_factory.mktemp("alphaearth")
    rows = [
        alphaearth_file(folder, 2023, "18N", vectors[:128, :128]),
        alphaearth_file(folder, 2024, "18N", vectors, block=128),
    ]
    alphaearth_index(folder, rows, others=3000)
    return folder
