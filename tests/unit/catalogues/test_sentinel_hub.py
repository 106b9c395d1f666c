"""Sentinel Hub's process API: asked in its own form, with an account of the environment, and read as reflectance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
import yaml
from rasterio.io import MemoryFile
from rasterio.transform import from_bounds

from engine.errors import RemoteError
from engine.imagery.chip import read_chip
from engine.imagery.grid import Tile
from engine.imagery.remote import access, http
from engine.imagery.sources import SentinelHubScene
from tests.stac.range_server import Handler, RangeServer, range_server

WANTED = SentinelHubScene(
    source="sentinel_hub",
    bounds_lonlat=(15.0, 45.0, 15.02, 45.015),
    dates=("2023-07-01", "2023-07-31"),
    bands=("red", "nir_narrow"),
)  # type: ignore[arg-type]


def _picture(asked: dict[str, Any]) -> bytes:
    """What the service makes: 3000 in the first band, 5000 in the second, no data in a corner."""
    width, height = asked["output"]["width"], asked["output"]["height"]
    pixels = np.stack([np.full((height, width), value, np.uint16) for value in (3000, 5000)])
    pixels[:, :4, :4] = 0
    grid = from_bounds(*asked["input"]["bounds"]["bbox"], width, height)
    code = asked["input"]["bounds"]["properties"]["crs"].rsplit("/", 1)[1]
    with MemoryFile() as held:
        with held.open(
            driver="GTiff",
            count=2,
            width=width,
            height=height,
            dtype="uint16",
            crs=f"EPSG:{code}",
            transform=grid,
        ) as file:
            file.write(pixels)
        return bytes(held.read())


@pytest.fixture
def service(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    monkeypatch.setattr(http, "_PAUSE_S", 0.001)
    monkeypatch.setenv("SH_CLIENT_ID", "me")
    monkeypatch.setenv("SH_CLIENT_SECRET", "hush")
    access.forget("sentinel-hub")

    def answers(handler: Handler) -> bool:
        if handler.path == "/oauth/token":
            is_mine = handler.body == b"grant_type=client_credentials&client_id=me&client_secret=hush"
            handler.answer(200 if is_mine else 401, b'{"access_token": "made-up", "expires_in": 3600}')
        elif handler.headers["Authorization"] != "Bearer made-up":
            handler.answer(401, b"")
        else:
            handler.answer(200, _picture(json.loads(handler.body)), {"Content-Type": "image/tiff"})
        return True

    with range_server(tmp_path) as server:
        server.fault = answers
        settings = {"hosts": [server.host], "tokens": {"sentinel-hub": f"{server.address}/oauth/token"},
                    "services": {"sentinel-hub": f"{server.address}/api/v1/process"}}  # fmt: skip
        (home / "catalogues.yaml").write_text(yaml.safe_dump(settings))
        yield server


def test_a_picture_is_asked_for_once_and_read_as_reflectance(service: RangeServer, home: Path) -> None:
    list(WANTED.prepare(home))
    (scene,) = WANTED.find(home)
    chip = read_chip([scene], Tile("all", scene.grid), ("red", "nir_narrow"))
    assert chip.image[0, :, -1, -1] == pytest.approx([0.3, 0.5])
    assert not chip.valid[0, :4, :4].any()
    assert chip.valid[0].sum() == chip.valid[0].size - 16
    assert (scene.crs, scene.gsd_m) == ("EPSG:32633", 20.0)
    asked = len(service.asked)
    list(WANTED.prepare(home))
    assert len(service.asked) == asked
    with rasterio.open(WANTED.file(home)) as kept:
        assert "hush" not in str(kept.tags())


def test_no_account_a_refused_one_and_too_many_pixels_are_told(
    service: RangeServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SH_CLIENT_SECRET", "wrong")
    with pytest.raises(RemoteError, match="refused the login") as told:
        list(WANTED.prepare(home))
    assert "wrong" not in str(told.value)
    monkeypatch.delenv("SH_CLIENT_SECRET")
    with pytest.raises(RemoteError, match="Set SH_CLIENT_ID and SH_CLIENT_SECRET"):
        list(WANTED.prepare(home))
    with pytest.raises(RemoteError, match="at most 2500 pixels"):
        list(WANTED.model_copy(update={"bounds_lonlat": (15.0, 45.0, 16.0, 45.5)}).prepare(home))
    assert not WANTED.is_ready(home)


def test_what_is_no_picture_is_not_kept(service: RangeServer, home: Path) -> None:
    good = service.fault
    assert good is not None
    service.fault = lambda handler: (handler.path.endswith("process") and (handler.answer(400, b'{"error": {"message": "bad bbox"}}') or True)) or good(handler)  # fmt: skip
    with pytest.raises(RemoteError, match=r"2023-07-01 to 2023-07-31: it answered 400 \(bad bbox\)"):
        list(WANTED.prepare(home))
    assert not WANTED.is_ready(home)
