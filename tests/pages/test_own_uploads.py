"""Rasters dropped into the page: kept by their content below names of our own, or refused in words without a trace."""

from __future__ import annotations

import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from streamlit import config
from streamlit.testing.v1 import AppTest

from engine.errors import BadInput
from pages.ui.explore import own_files
from pages.ui.state import cached, uploads
from tests.conftest import WriteRaster
from tests.pages.conftest import OpenPage, place_of

RING = [[-75.66, 37.62], [-75.56, 37.62], [-75.56, 37.70], [-75.66, 37.62]]
REGION = json.dumps({"type": "Polygon", "coordinates": [RING]}).encode()
Small = Callable[..., bytes]


@pytest.fixture
def raster(write_raster: WriteRaster) -> bytes:
    """The content of a GeoTIFF of six bands."""
    pixels = np.random.default_rng(1).integers(100, 4000, (6, 48, 48)).astype(np.int16)
    return write_raster("made/six.tif", pixels).read_bytes()


@pytest.fixture
def one_megabyte() -> Iterator[None]:
    """A server that takes files of one megabyte."""
    before = config.get_option("server.maxUploadSize")
    config.set_option("server.maxUploadSize", 1)
    yield
    config.set_option("server.maxUploadSize", before)


def drop(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    key = next(field.key for field in at.file_uploader if field.key.startswith("own_drop_"))
    return at.file_uploader(key=key).set_value([(name, content, "") for name, content in files]).run()


def kept(home: Path) -> list[str]:
    """Files that a drop has left, without the server's own secret, which opening any page makes."""
    files = [path for path in home.rglob("*") if path.is_file() and path != home / ".secret"]
    return sorted(path.relative_to(home).as_posix() for path in files)


def test_a_dropped_raster_becomes_a_place_that_a_fresh_visit_finds_by_its_address(
    open_page: OpenPage, home: Path, raster: bytes
) -> None:
    at = drop(open_page("explore"), ("mine.tif", raster))
    assert not at.warning, [warning.value for warning in at.warning]
    turn = at.session_state["own_draft"].turn
    at.text_input(key=f"own_title_{turn}").set_value("Long Canyon <b>").run()
    at.button(key="own_use").click().run()
    key = at.session_state["place_key"]
    again = open_page("explore", place=key)
    assert not again.exception
    assert again.session_state["place_key"] == key
    assert place_of(again).title == "Long Canyon <b>"
    assert "Long Canyon <b>" in again.segmented_control(key="explore_place").options


def test_what_a_refusal_of_a_drop_says_names_no_folder_of_the_server(open_page: OpenPage, home: Path) -> None:
    at = drop(open_page("explore"), ("notes.tif", b"no raster"))
    (said,) = [warning.value for warning in at.warning]
    assert "notes.tif" in said and str(home) not in re.sub(r"\\(.)", r"\1", said)
    assert kept(home) == []


def test_a_raster_and_an_outline_in_one_drop_are_told_apart(
    open_page: OpenPage, home: Path, raster: bytes
) -> None:
    at = drop(open_page("explore"), ("area.geojson", REGION), ("mine.tif", raster))
    assert at.session_state["region"] is None, "a region holds once its place is used"
    at.button(key="own_use").click().run()
    assert at.session_state["place_key"].startswith("own-")
    assert at.session_state["region"] is not None
    at = drop(open_page("explore"), ("area.geojson", REGION))
    assert at.session_state["place_key"] == "virginia"
    assert at.session_state["region"] is not None


def test_what_is_left_without_being_used_is_deleted(open_page: OpenPage, home: Path, raster: bytes) -> None:
    at = drop(open_page("explore"), ("mine.tif", raster))
    assert kept(home)
    at.button(key="own_leave").click().run()
    assert not kept(home)
    assert at.session_state["place_key"] == "virginia"


def _bomb(tmp_path: Path) -> bytes:
    path = tmp_path / "bomb.tif"
    with rasterio.open(path, "w", driver="GTiff", width=90_000, height=90_000, count=1, dtype="uint8", tiled=True, compress="deflate",
                       sparse_ok=True, crs="EPSG:32618", transform=Affine.scale(10, -10)):  # fmt: skip
        pass
    return path.read_bytes()


REFUSED: dict[str, Callable[[bytes, Path], list[tuple[str, bytes]]]] = {
    "no raster": lambda _raster, _folder: [("mine.tif", b"not a raster")],
    "a header alone": lambda raster, _folder: [("mine.tif", raster[:100])],
    "nothing": lambda _raster, _folder: [("mine.tif", b"")],
    "a raster that points elsewhere": lambda _raster, _folder: [("a.tif", b'<VRTDataset rasterXSize="1" rasterYSize="1"/>')],
    "a bomb": lambda _raster, folder: [("mine.tif", _bomb(folder))],
    "a side-car": lambda raster, _folder: [("mine.tif", raster), ("mine.tif.aux.xml", b"<PAMDataset/>")],
    "metadata alone": lambda _raster, _folder: [("MTD_MSIL2A.xml", b"<a/>")],
    "a damaged outline beside it": lambda raster, _folder: [("mine.tif", raster), ("area.geojson", b"{")],
    "one good and one bad": lambda raster, _folder: [("mine.tif", raster), ("other.tif", b"no")],
    "two of one name": lambda raster, _folder: [("mine.tif", raster), ("MINE.tif", raster), ("mine.tif", raster)],
    "an archive that leads out of its folder": lambda raster, _folder: [("mine.zip", _zip(("../../up/a.tif", raster), ("b.tif", raster)))],
    "a damaged archive": lambda _raster, _folder: [("mine.zip", b"PK\x03\x04 and no more")],
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_a_drop_that_cannot_be_used_is_refused_in_words_as_long_as_it_lies_there_and_leaves_nothing(
    open_page: OpenPage, home: Path, raster: bytes, tmp_path: Path, kind: str
) -> None:
    at = drop(open_page("explore"), *REFUSED[kind](raster, tmp_path))
    for _ in range(2):
        assert not at.exception
        assert at.warning, kind
        assert not kept(home)
        assert at.session_state["place_key"] == "virginia"
        at.run()


@pytest.mark.parametrize(
    "name",
    [
        "../../up.tif",
        "/etc/x.tif",
        "a\x00b.tif",
        "x" * 300 + ".tif",
        "..tif",
        "/vsicurl/http:/h/x.tif",
        "C:\\a\\b.tif",
        ".tif",
    ],
)
def test_a_name_becomes_no_path(home: Path, raster: bytes, name: str) -> None:
    path = uploads.store([(name, raster)])
    (found,) = kept(home)
    assert home / found == path
    assert re.fullmatch(r"uploads/[a-p]{20}/[A-Za-z0-9_-][A-Za-z0-9._-]{0,120}\.tif", found)
    assert uploads.store([(name, raster)]) == path, "the same content is kept once"


def _zip(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return packed.getvalue()


def test_an_archive_stays_in_its_folder_and_gives_its_rasters_and_metadata_alone(
    home: Path, raster: bytes
) -> None:
    packed = _zip(
        ("up/a.tif", raster),
        ("up\\b.tif", raster[:-1]),
        ("run.sh", b"#!"),
        ("b.tif.aux.xml", b"<a/>"),
        ("x/y_MTL.txt", b"A"),
    )
    folder = uploads.store([("mine.zip", packed)])
    assert folder.is_relative_to(uploads.uploads_folder())
    assert [Path(name).name for name in kept(home)] == ["a.tif", "b.tif", "y_MTL.txt"]
    assert all(name.startswith("uploads/") for name in kept(home))


def test_a_product_in_an_archive_opens_as_one_scene(
    open_page: OpenPage, home: Path, write_raster: WriteRaster
) -> None:
    name = "HLS.S30.T10SGJ.2023224T184921.v2.0"
    codes = ("B02", "B03", "B04", "B8A", "B11", "B12")
    pixels = np.random.default_rng(0).integers(500, 3000, (1, 48, 48)).astype(np.int16)
    members = [
        (f"{name}/{name}.{code}.tif", write_raster(f"{code}.tif", pixels, names=None).read_bytes())
        for code in codes
    ]
    at = drop(open_page("explore"), ("product.zip", _zip(*members)))
    assert not at.warning, [warning.value for warning in at.warning]
    at.button(key="own_use").click().run()
    (scene,) = cached.scenes(place_of(at).scene)
    assert len(scene.bands) == 6
    assert scene.datetime is not None
    assert "HLS.S30" in scene.title


def test_what_is_larger_than_the_server_takes_is_refused(home: Path, one_megabyte: None) -> None:
    with pytest.raises(BadInput, match="1 MB are taken"):
        uploads.told_apart([(f"{number}.tif", bytes(300_000)) for number in range(4)])
    with pytest.raises(BadInput, match="64 are taken"):
        uploads.told_apart([(f"{number}.tif", b"") for number in range(65)])
    bombs = [(f"{number}.zip", _zip((f"{number}.tif", bytes(1_500_000)))) for number in range(2)]
    with pytest.raises(BadInput, match="unpacks to"):
        uploads.store(uploads.told_apart(bombs).rasters)
    assert not kept(home)


def test_a_drop_whose_tab_was_closed_is_deleted_a_day_later_unless_a_place_or_a_run_needs_it(
    home: Path, raster: bytes
) -> None:
    lost, placed, ran = (uploads.store([(f"{name}.tif", raster)]) for name in ("lost", "placed", "ran"))
    for folder, file in ((home / "places", "own-0123abcd.json"), (home / "run", "config.yaml")):
        folder.mkdir()
        (folder / file).write_text(str(placed if folder.name == "places" else ran), encoding="utf-8")
    own_files.tidy_up()
    assert lost.is_file(), "its dialog may be open still"
    for path in (lost, placed, ran):
        os.utime(path.parent, (0, 0))
    own_files.tidy_up()
    assert [path.is_file() for path in (lost, placed, ran)] == [False, True, True]


def test_what_was_said_of_a_dropped_raster_is_not_said_of_it_and_one_of_another_layout_together(
    open_page: OpenPage, home: Path, raster: bytes, write_raster: WriteRaster
) -> None:
    pixels = np.random.default_rng(2).integers(100, 4000, (2, 48, 48)).astype(np.int16)
    names = ("blue", "green")
    first, second = (write_raster(f"{n}.tif", pixels + n, names=names).read_bytes() for n in (1, 2))
    at = drop(open_page("explore"), ("a.tif", first))
    sensor = f"own_sensor_{at.session_state['own_draft'].turn}"
    at.selectbox(key=sensor).set_value("sentinel2_l1c").run()
    at.button(key="own_use").click().run()
    drop(at, ("a.tif", first), ("b.tif", raster))
    assert not at.session_state["own_draft"].is_recalled
    assert not at.warning, [warning.value for warning in at.warning]
    drop(at, ("a.tif", first), ("b.tif", second))
    assert at.session_state["own_draft"].is_recalled, "all have the layout that it was said of"
    assert at.session_state["own_draft"].scene.sensor == "sentinel2_l1c"
