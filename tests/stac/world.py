"""A small piece of ground in a real STAC API: COGs that these tests write, items in the form of each preset, one server.

The API is `rustac serve` with its items in memory; files come from `range_server`, tokens too. All items show the same ground.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from tests.stac.items import (
    L30_CODES,
    S2_CODES,
    copernicus,
    earth_search,
    ground,
    hls,
    landsat,
    lonlat,
    plain,
    planetary_s2,
)
from tests.stac.range_server import Handler, RangeServer, range_server

SECRET, BEARER = "sig=made-up-signature", "made-up-bearer"
# A day between the scenes.
FIRE = "2023-07-25"
# Days of HLS S30 in the Planetary Computer's form, whose ground darkens.
HLS_DAYS = ("2023-06-11", "2023-08-11", "2023-09-20")


@dataclass
class World:
    """What runs.

    Attributes:
        truth: (6, H, W) surface reflectance on the grid of 10 m.
        bounds_lonlat: within the ground.
    """

    files: RangeServer
    api: str
    settings: Path
    truth: np.ndarray
    bounds_lonlat: tuple[float, float, float, float]


def _guard(handler: Handler) -> bool:
    """Files of Planetary Computer want the signature, those of NASA and Copernicus the login."""
    path = handler.path
    if path.startswith("/token/"):
        handler.answer(200, json.dumps({"token": SECRET, "msft:expiry": "2099-01-01T00:00:00Z"}).encode())
        return True
    if path in ("/earthdata", "/copernicus"):
        handler.answer(200, json.dumps({"access_token": BEARER, "expires_in": 600}).encode())
        return True
    is_signed = SECRET in path
    has_login = handler.headers.get("Authorization") == f"Bearer {BEARER}"
    if (path.startswith("/pc/") and not is_signed) or (
        path.startswith(("/nasa/", "/cdse/")) and not has_login
    ):
        handler.answer(403, b"")
        return True
    return False


@contextmanager
def stac_world(folder: Path) -> Iterator[World]:
    """The ground, its files and the API, until the context ends."""
    with range_server(folder) as files:
        truth = ground()
        items = [
            earth_search(files, truth, "2023-07-10", 2.0, applied=True),
            earth_search(files, truth * 0.8, "2023-07-20", 55.0, applied=True),
            earth_search(files, truth * 0.5, "2023-08-05", 4.0, applied=False),
            earth_search(files, truth * 0.6, "2023-10-03", 1.0, applied=False),
            planetary_s2(files, truth, "2023-06-10"),
            *(
                hls(files, truth * share, day, "hls2-s30", S2_CODES, "pc")
                for day, share in zip(HLS_DAYS, (1.0, 0.8, 0.6), strict=True)
            ),
            hls(files, truth, "2023-06-12", "hls2-l30", L30_CODES, "pc"),
            hls(files, truth, "2023-05-11", "HLSS30_2.0", S2_CODES, "nasa"),
            landsat(files, truth, "2023-06-13", "landsat-8"),
            copernicus(files, truth, "2023-05-10"),
            *plain(files, "2023-06-14"),
        ]
        listed = folder / "items.json"
        listed.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
        files.fault = _guard
        with _served(listed) as api:
            likes = {"es": "earth-search", "pc": "planetary-computer", "nasa": "lpdaac", "cdse": "copernicus"}
            settings = folder / "catalogues.yaml"
            settings.write_text(yaml.safe_dump({
                "hosts": [files.host, api.removeprefix("http://")],
                "catalogues": {name: {"title": f"Test {name}", "like": like, "address": api} for name, like in likes.items()},
                "tokens": {"planetary-computer": f"{files.address}/token", "earthdata": f"{files.address}/earthdata",
                           "copernicus": f"{files.address}/copernicus"},
            }))  # fmt: skip
            yield World(files, api, settings, truth, lonlat(200))


@contextmanager
def _served(items: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).parent / "rustac"
    address = f"127.0.0.1:{port}"
    with subprocess.Popen(
        [program, "serve", "-a", address, "--create-collections", items],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            _wait(f"http://{address}/")
            yield f"http://{address}"
        finally:
            server.terminate()


def _wait(address: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(address, timeout=1).close()  # noqa: S310 - loopback
            return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(address)
