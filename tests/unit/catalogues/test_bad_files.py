"""What is wrong with files of a catalogue: signatures that end, other files than promised, and pixels that cannot be had."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import RemoteError, SceneError
from engine.imagery.chip import read_chip
from engine.imagery.grid import Tile
from engine.imagery.remote import access, cache
from tests.stac.bad import feature, refused, server, wanted
from tests.stac.items import SIDE_PX, write
from tests.stac.range_server import Handler, RangeServer
from tests.stac.world import SECRET

__all__ = ["server"]


def test_an_expired_signature_is_renewed_once(server: RangeServer, home: Path) -> None:
    given: list[str] = []

    def guard(handler: Handler) -> bool:
        if handler.path.startswith("/token/"):
            given.append(f"{SECRET}{len(given)}")
            handler.answer(
                200, json.dumps({"token": given[-1], "msft:expiry": "2099-01-01T00:00:00Z"}).encode()
            )
            return True
        if handler.path.partition("?")[0].endswith(".tif") and not handler.path.endswith(f"{SECRET}1"):
            handler.answer(403, b"expired")
            return True
        return False

    feature(server)["assets"] = {"B04": feature(server)["assets"]["red"]}
    server.fault = guard
    access.forget("planetary-computer")
    list(wanted(catalogue="signed").prepare(home))
    assert len(given) == 2
    cache.cache_folder().rename(home / "elsewhere")
    access.forget("planetary-computer")
    given[:] = [f"{SECRET}x"] * 5  # from now on no signature is the right one
    told = refused(home, r"B04 of .* of 2023-07-10 .* wants a signature that is valid \(it answered 403\)",
                   catalogue="signed", dates=("2023-07-02", "2023-07-15"))  # fmt: skip
    assert SECRET not in told


def test_readers_whose_signature_ends_in_the_middle_of_a_run_ask_for_one_new_one(
    server: RangeServer, home: Path
) -> None:
    given: list[str] = []

    def guard(handler: Handler) -> bool:
        if handler.path.startswith("/token/"):
            given.append(f"{SECRET}{len(given)}")
            body = {"token": given[-1], "msft:expiry": "2099-01-01T00:00:00Z"}
            return handler.answer(200, json.dumps(body).encode()) or True
        is_signed = bool(given) and handler.path.endswith(given[-1])
        return (
            handler.path.partition("?")[0].endswith(".tif")
            and not is_signed
            and (handler.answer(403, b"") or True)
        )

    (server.folder / "held").mkdir()  # a signature is that of a container
    for code, name in (("B02", "blue"), ("B03", "green"), ("B04", "red")):
        (server.folder / f"{name}.tif").rename(server.folder / f"held/{name}.tif")
        asset = feature(server)["assets"].pop(name)
        feature(server)["assets"][code] = {**asset, "href": f"{server.address}/held/{name}.tif"}
    server.fault = guard
    access.forget("planetary-computer")
    source = wanted(catalogue="signed", clouds="keep")
    list(source.prepare(home))
    (scene,) = source.find(home)
    assert len(given) == 1
    given.append(f"{SECRET}ended")  # the server takes the one that was given for ended
    chip = read_chip([scene], Tile("t", scene.grid), ("blue", "green", "red"))
    assert chip.valid.all()
    assert len(given) == 3


@pytest.mark.parametrize(
    ("said", "match"),
    [({"proj:shape": [100, 100]}, "has 384 x 384 pixels, and its catalogue promises 100 x 100"),
     ({"proj:epsg": 32634}, "is in EPSG:32633, and its catalogue promises EPSG:32634")],
)  # fmt: skip
def test_a_file_of_another_size_or_crs_than_promised_is_refused(
    server: RangeServer, home: Path, said: dict[str, Any], match: str
) -> None:
    feature(server)["assets"]["red"] |= said
    refused(home, f"red of .* of 2023-07-10 {match}", SceneError)


def test_a_file_that_went_away_or_is_no_raster_is_told_with_its_date(server: RangeServer, home: Path) -> None:
    (server.folder / "red.tif").write_bytes(b"<html>" * 5000)
    refused(home, r"red of S2A_33TWK_20230710_0_L2A of 2023-07-10 cannot be opened", SceneError)
    (server.folder / "green.tif").unlink()
    cache.cache_folder().rename(home / "elsewhere")
    refused(
        home, r"green of .* of 2023-07-10 \(http://127.*/green.tif\) cannot be had: it is not there any more"
    )


def test_pixels_that_cannot_be_had_are_never_zeros(server: RangeServer, home: Path) -> None:
    list(wanted(clouds="keep").prepare(home))
    (scene,) = wanted(clouds="keep").find(home)
    server.fault = lambda handler: handler.answer(503, b"") or True
    with pytest.raises(RemoteError, match=r"of 2023-07-10 .* the server answered 503"):
        read_chip([scene], Tile("t", scene.grid), ("red",))
    server.fault = None
    assert read_chip([scene], Tile("t", scene.grid), ("red",)).stored.min() >= 3000
    server.fault = lambda handler: handler.answer(503, b"") or True  # what is in the cache stays usable
    assert read_chip([scene], Tile("t", scene.grid), ("red",)).stored.min() >= 3000


def test_a_file_that_changes_on_its_server_is_not_mixed(server: RangeServer, home: Path) -> None:
    list(wanted(clouds="keep").prepare(home))
    (scene,) = wanted(clouds="keep").find(home)
    write(
        server.folder / "red.tif",
        np.random.default_rng(1).integers(1, 9000, (SIDE_PX, SIDE_PX), dtype=np.uint16),
        10,
        0,
    )
    with pytest.raises(RemoteError, match="changed on its server"):
        read_chip([scene], Tile("t", scene.grid), ("red",))
