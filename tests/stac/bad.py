"""A catalogue of one item that does as a test says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from engine.errors import RemoteError
from engine.imagery.remote import http
from engine.imagery.sources import StacScene
from tests.stac.items import SIDE_PX, item, lonlat, write
from tests.stac.range_server import RangeServer, range_server

CORE = ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search"]


@pytest.fixture
def server(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    """A catalogue of one item that does as a test says, known as `bad`; tries follow one another at once."""
    monkeypatch.setattr(http, "_PAUSE_S", 0.001)
    with range_server(tmp_path / "files") as files:
        digital = np.random.default_rng(4).integers(3000, 9000, (SIDE_PX, SIDE_PX), dtype=np.uint16)
        for name in ("blue", "green", "red"):
            write(files.folder / f"{name}.tif", digital, 10, 0)
        assets = {
            name: {"href": f"{files.address}/{name}.tif", "proj:shape": [SIDE_PX, SIDE_PX]}
            for name in ("blue", "green", "red")
        }
        found = item(
            "S2A_33TWK_20230710_0_L2A", "sentinel-2-l2a", "2023-07-10", 2.0, assets, **{"proj:epsg": 32633}
        )
        links = [
            {
                "rel": "search",
                "href": f"{files.address}/search",
                "method": "POST",
                "type": "application/geo+json",
            }
        ]
        files.pages["/"] = {
            "type": "Catalog", "id": "bad", "stac_version": "1.0.0", "description": "", "links": links, "conformsTo": CORE,
        }  # fmt: skip
        files.pages["/search"] = {"type": "FeatureCollection", "features": [found], "links": []}
        settings = {
            "hosts": [files.host],
            "catalogues": {"bad": {"title": "Bad one", "like": "earth-search", "address": f"{files.address}/"},
                           "signed": {"title": "Signed", "like": "planetary-computer", "address": f"{files.address}/"}},
            "tokens": {"planetary-computer": f"{files.address}/token"},
        }  # fmt: skip
        (home / "catalogues.yaml").write_text(yaml.safe_dump(settings))
        yield files


def wanted(**more: Any) -> StacScene:
    return StacScene.model_validate({
        "source": "stac", "catalogue": "bad", "collection": "sentinel-2-l2a", "bounds_lonlat": lonlat(200),
        "dates": ("2023-07-01", "2023-07-15"), **more,
    })  # fmt: skip


def refused(home: Path, match: str, kind: type[Exception] = RemoteError, **more: Any) -> str:
    source = wanted(**more)
    with pytest.raises(kind, match=match) as caught:
        list(source.prepare(home))
    assert not source.is_ready(home)
    return str(caught.value)


def feature(server: RangeServer) -> dict[str, Any]:
    found: dict[str, Any] = server.pages["/search"]["features"][0]
    return found
