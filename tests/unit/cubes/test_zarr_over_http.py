"""A Zarr store on another computer is read as one here: with the same pixels, checks of addresses, retries and cache."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
import zarr
from pydantic import ValidationError

from engine.errors import EngineError, RemoteError, SceneError
from engine.imagery.chip import Chip, read_chip
from engine.imagery.cubes import opening, virtual_tiff
from engine.imagery.grid import Tile
from engine.imagery.remote import access, cache, http
from engine.imagery.scene import Scene
from engine.imagery.sources import ZarrScene, source_of
from engine.jobs.configuration.config import config_hash, parse_config
from tests.stac.range_server import Handler, RangeServer, range_server
from tests.unit.cubes.made import BANDS, write_cube


@pytest.fixture
def server(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RangeServer]:
    """A server of files with a store of each format, which may be asked; tries follow one another at once."""
    monkeypatch.setattr(http, "_PAUSE_S", 0.001)
    with range_server(tmp_path / "files") as files:
        zarr.consolidate_metadata(write_cube(files.folder / "cube.zarr"))
        write_cube(files.folder / "cube.2.zarr", "band")
        (home / "catalogues.yaml").write_text(yaml.safe_dump({"hosts": [files.host]}))
        yield files


def away(server: RangeServer, name: str = "cube.zarr", **more: Any) -> ZarrScene:
    return ZarrScene.model_validate({"source": "zarr", "path": f"{server.address}/{name}", **more})


def found(source: ZarrScene, home: Path) -> tuple[Scene, ...]:
    list(source.prepare(home))
    return source.find(home)


def read(scene: Scene, bands: tuple[str, ...] = BANDS) -> Chip:
    return read_chip([scene], Tile("all", scene.grid), bands)


def refused(source: ZarrScene, home: Path, match: str, kind: type[EngineError] = SceneError) -> None:
    with pytest.raises(kind, match=match):
        found(source, home)
    assert not source.is_ready(home)


@pytest.mark.parametrize("name", ["cube.zarr", "cube.2.zarr"])
def test_a_store_elsewhere_is_read_as_the_same_store_here_and_again_without_the_network(
    server: RangeServer, home: Path, name: str
) -> None:
    source, here = away(server, name), source_of(server.folder / name).find(home)
    there = found(source, home)
    assert [(one.datetime, one.grid, one.bands) for one in there] == [
        (one.datetime, one.grid, one.bands) for one in here
    ]
    for one, other in zip(there, here, strict=True):
        assert np.array_equal(read(one).stored, read(other).stored)
        assert np.array_equal(read(one).valid, read(other).valid)
    server.fault = lambda handler: handler.answer(503, b"") or True
    assert np.array_equal(read(source.find(home)[1]).stored, read(here[1]).stored)
    assert source_of(source.place(home)) == source


def test_only_the_chunks_that_are_read_are_brought_and_each_once(server: RangeServer, home: Path) -> None:
    one = found(away(server, "cube.2.zarr"), home)[2]
    server.sent.clear()
    cache.cache_folder().rename(home / "elsewhere")
    read_chip([one], Tile("corner", one.grid[:30, :30]), ("red", "swir_2"))
    read_chip([one], Tile("corner", one.grid[:30, :30]), ("red", "swir_2"))
    chunks = [path for path, _, _ in server.sent]
    assert len(chunks) == len(set(chunks))
    corner = {
        f"/cube.2.zarr/reflectance/2.{band}.{row}.{column}"
        for band in (2, 5)
        for row in (0, 1)
        for column in (0, 1)
    }
    assert corner - {f"/cube.2.zarr/reflectance/2.{band}.1.1" for band in (2, 5)} <= set(chunks) <= corner


def test_a_chunk_that_its_server_does_not_have_is_a_gap_or_told(server: RangeServer, home: Path) -> None:
    (server.folder / "cube.2.zarr/reflectance/1.0.1.1").unlink()
    (server.folder / "cube.zarr/blue/c/1/1/1").unlink()
    plain = found(away(server, "cube.2.zarr"), home)  # its fill value is that of gaps
    assert not any("does not have" in note for note in plain[0].notes)
    assert not read(plain[1]).valid[0, 50:70, 50:70].any()
    told = found(away(server), home)
    assert "that its server does not have are read as 0, which marks no gap" in " ".join(told[0].notes)


def _server_says(status: int, body: bytes = b"") -> Callable[[Handler], bool]:
    return lambda handler: handler.answer(status, body) or True


@pytest.mark.parametrize(
    ("answers", "match"),
    [(_server_says(500), "the server answered 500, 4 times"), (_server_says(403), r"its server refuses it \(403\)"),
     (_server_says(404), "neither zarr.json nor .zmetadata"), (_server_says(200, b"<html>"), "no description of a Zarr"),
     (_server_says(200, b"[" * 100_000), "no description of a Zarr"), (_server_says(302), "answered 302")],
)  # fmt: skip
def test_a_server_that_has_no_store_is_told(
    server: RangeServer, home: Path, answers: Callable[[Handler], bool], match: str
) -> None:
    server.fault = answers
    refused(away(server), home, match)


def test_what_a_description_asks_for_is_looked_at(server: RangeServer, home: Path) -> None:
    write_cube(server.folder / "plain.zarr")
    refused(away(server, "plain.zarr"), home, "no consolidated metadata")
    path = server.folder / "cube.zarr/zarr.json"
    before = path.read_text()
    said = json.loads(before)
    blue = said["consolidated_metadata"]["metadata"]["blue"]
    blue["codecs"] = [{"name": "numcodecs.pickle", "configuration": {}}]
    path.write_text(json.dumps(said))
    with pytest.raises(SceneError, match="pickle"):
        found(away(server, access="open"), home)
    said = json.loads(before)
    said["consolidated_metadata"]["metadata"]["../blue"] = said["consolidated_metadata"]["metadata"].pop(
        "blue"
    )
    path.write_text(json.dumps(said))
    with pytest.raises(SceneError):
        found(away(server, access="planetary-computer"), home)


@pytest.mark.parametrize(
    ("fault", "match"),
    [(_server_says(500), "blue/c/.* of cube.zarr .* the server answered 500, 4 times"), (_server_says(403), "it answered 403"),
     (_server_says(200, b"half"), "the chunk .* is damaged or cut short")],
)  # fmt: skip
def test_chunks_that_cannot_be_had_are_told_and_never_numbers(
    server: RangeServer, home: Path, fault: Callable[[Handler], bool], match: str
) -> None:
    one = found(away(server), home)[0]
    cache.cache_folder().rename(home / "elsewhere")
    opening._held.cache_clear()
    virtual_tiff._layout.cache_clear()
    list(away(server).find(home))  # the coordinates
    cache.cache_folder().rename(home / "further")
    opening._held.cache_clear()
    server.fault = lambda handler: "/blue/" in handler.path and fault(handler)
    with pytest.raises(SceneError, match=match):
        read(one, ("blue",))


def test_addresses_pass_the_same_door_as_rasters(server: RangeServer, home: Path, tmp_path: Path) -> None:
    refused(
        ZarrScene(source="zarr", path="https://example.org/a.zarr"),
        home,
        "not one that may be asked",
        RemoteError,
    )
    refused(ZarrScene(source="zarr", path="http://127.0.0.1:1/a.zarr"), home, "not https", RemoteError)
    server.fault = lambda handler: (
        handler.answer(302, b"", {"Location": "http://127.0.0.1:1/zarr.json"}) or True
    )
    refused(away(server), home, "not https", RemoteError)
    for path in (
        "https://a.org/x.zarr?sig=SECRET",
        "https://me:SECRET@a.org/x.zarr",
        "s3://bucket/x.zarr",
        "file:///etc",
    ):
        with pytest.raises(ValidationError, match="https address without a query or a login"):
            ZarrScene(source="zarr", path=path)
    with pytest.raises(ValidationError, match="access goes with an address"):
        ZarrScene(source="zarr", path=str(tmp_path), access="open")
    with pytest.raises(SceneError, match="was not asked for yet"):
        away(server, "other.zarr").find(home)


def test_a_signature_goes_along_and_stands_nowhere(
    server: RangeServer, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    settings = {"hosts": [server.host], "tokens": {"planetary-computer": f"{server.address}/token"}}
    (home / "catalogues.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.setattr(access, "_tokens", {})

    def guard(handler: Handler) -> bool:
        if handler.path.startswith("/token/"):
            return (
                handler.answer(200, b'{"token": "sig=SECRET", "msft:expiry": "2099-01-01T00:00:00Z"}') or True
            )
        return "SECRET" not in handler.path and (handler.answer(403, b"") or True)

    server.fault = guard
    source = away(server, access="planetary-computer")
    read(found(source, home)[0], ("blue",))
    kept = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    assert not any(b"SECRET" in content for content in kept)
    assert not [
        one for one in caplog.records if one.name.startswith("engine") and "SECRET" in one.getMessage()
    ]


def test_hashes_of_before_stay_as_they_were(home: Path) -> None:
    tree = {"kind": "extract", "backbone": {"name": "raw"}, "scene": {"source": "zarr", "path": "cube.zarr"}}
    assert config_hash(parse_config(tree)) == config_hash(
        parse_config({**tree, "scene": {**tree["scene"], "access": None}})
    )  # type: ignore[dict-item]
