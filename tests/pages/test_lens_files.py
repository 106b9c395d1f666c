"""The numbers of a lens over the wire: to pages of this server only, by token, and of a large store tile by tile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from engine.errors import StoreError
from engine.views.layer_view import view_of
from engine.views.lens.reduction import reduction_of
from pages.ui.map.routes import lens_files, serving
from tests.unit.store.stores import make_store, meta_of, rows_at, tile_at


def test_pieces_come_by_token_and_numbers_of_tiles_and_by_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", str(tmp_path))
    store = make_store(tmp_path / "run", [rows_at(tile_at(column, side=5), (20,), 0) for column in range(4)], meta_of((20,), "float32"))  # fmt: skip
    overview = reduction_of(view_of(store, window=1), most_bytes=1000)
    token = lens_files.register(overview.path, overview.header.identity)
    visitor = TestClient(Starlette(routes=serving.routes()), base_url="http://127.0.0.1")
    found = visitor.get(f"/lens/{token}/2-1,0-2.bin")
    assert (found.status_code, len(found.content)) == (200, 75 * overview.header.stored)
    assert found.headers["cache-control"] == "private, max-age=86400, immutable"
    assert np.frombuffer(found.content, np.int8).any()
    assert len(visitor.get(f"/lens/{token}.bin").content) == overview.path.stat().st_size
    refused = {
        "3-2": 404,
        "0-0": 404,
        "1": 400,
        "0-1,": 400,
        "..%2F0-1": 404,
        "0-1;rm": 400,
        "9" * 9 + "-1": 400,
    }
    for runs, status in refused.items():
        assert visitor.get(f"/lens/{token}/{runs}.bin").status_code == status, runs
    assert visitor.get("/lens/other/0-1.bin").status_code == 404
    for headers in ({"origin": "http://elsewhere"}, {"sec-fetch-site": "cross-site"}):
        assert visitor.get(f"/lens/{token}/0-1.bin", headers=headers).status_code == 403


def test_a_file_that_is_deleted_while_a_page_is_drawn_is_said_to_be_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBERSCOPE_DATA", str(tmp_path))
    with pytest.raises(StoreError, match=r"own\.bin is gone"):
        lens_files.register(tmp_path / "own.bin", "of a run that was deleted")
