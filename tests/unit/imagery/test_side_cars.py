"""Side-cars count where they are plain files of the folder; whatever points elsewhere is refused, and nobody is asked."""

from __future__ import annotations

import http.server
import itertools
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from engine.errors import SceneError
from engine.imagery.chip import read_chip
from engine.imagery.grid import Tile
from engine.imagery.plausibility import look_at
from engine.imagery.raster.facts import Overrides
from engine.imagery.sources.raster_file import file_scene

BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
SIDE = 400  # larger than the thinned picture that is looked at: overviews are asked for
_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def asked() -> Iterator[list[str]]:
    """Paths that a server on this machine was asked for; its address is the first."""
    found: list[str] = []

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.append(self.path)
            self.send_response(404)
            self.end_headers()

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.append(f"http://127.0.0.1:{server.server_port}")
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def raster(path: Path) -> Path:
    profile = {
        "driver": "GTiff", "height": SIDE, "width": SIDE, "count": 6, "dtype": "uint16", "crs": "EPSG:32633",
        "transform": Affine(30, 0, 480_000, 0, -30, 5_200_000),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as made:
        made.write(np.random.default_rng(0).integers(200, 4000, (6, SIDE, SIDE)).astype(np.uint16))
        made.descriptions = BANDS
    return path


def read(path: Path) -> np.ndarray:
    """Everything that a run does with a file's pixels; returns which are valid."""
    scene = file_scene(path, Overrides(sensor="hls"))
    look_at([scene], BANDS)
    coarse = Tile.of("coarse", scene.crs, scene.transform @ Affine.scale(4), SIDE // 4, SIDE // 4)
    read_chip([scene], coarse, BANDS)
    return read_chip([scene], Tile.of("all", scene.crs, scene.transform, SIDE, SIDE), BANDS).valid[0]


def vrt(address: str) -> str:
    source = f"<SourceFilename>{address}</SourceFilename><SourceBand>1</SourceBand>"
    band = f'<VRTRasterBand dataType="UInt16" band="1"><SimpleSource>{source}</SimpleSource></VRTRasterBand>'
    return f'<VRTDataset rasterXSize="{SIDE // 2}" rasterYSize="{SIDE // 2}">{band}</VRTDataset>'


def pam(address: str, key: str = "OVERVIEW_FILE") -> str:
    return (
        f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="{key}">{address}</MDI></Metadata></PAMDataset>'
    )


def _tagged(path: Path, address: str) -> None:
    with rasterio.open(path, "r+", driver="GTiff") as made:
        made.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=address)


def _beside(ending: str, text: Callable[[str], str]) -> Callable[[Path, str], None]:
    return lambda path, address: path.with_name(f"{path.name}{ending}").write_text(text(address)) and None


def _raster_beside(ending: str, then: Callable[[Path, str], object]) -> Callable[[Path, str], None]:
    def make(path: Path, address: str) -> None:
        made = raster(path.with_name("other.tif"))
        beside = made.rename(path.with_name(f"{path.name}{ending}"))
        then(beside, address)

    return make


POINTING: dict[str, Callable[[Path, str], object]] = {
    "VRT as .ovr": _beside(".ovr", vrt),
    "VRT as .OVR": _beside(".OVR", vrt),
    "VRT as .msk": _beside(".msk", vrt),
    "OVERVIEW_FILE in .aux.xml": _beside(".aux.xml", pam),
    "the same in character references": _beside(".aux.xml", lambda a: pam(a, "&#79;VERVIEW&#95;FILE")),
    "an entity in .aux.xml": _beside(".aux.xml", lambda a: f'<!DOCTYPE x [<!ENTITY e SYSTEM "{a}">]>{pam("&e;")}'),
    "OVERVIEW_FILE in the file's own tags": _tagged,
    "OVERVIEW_FILE in the mask's own tags": _raster_beside(".msk", _tagged),
    "OVERVIEW_FILE beside the overviews": _raster_beside(".ovr", _beside(".aux.xml", pam)),
    "VRT as overviews of overviews": _raster_beside(".ovr", _beside(".ovr", vrt)),
    "an old side-car": lambda path, address: path.with_suffix(".aux").write_text(vrt(address)),
}  # fmt: skip


@pytest.mark.parametrize("kind", POINTING)
@pytest.mark.parametrize("place", ["address", "path"])
def test_what_points_elsewhere_is_refused_and_no_request_goes_out(
    tmp_path: Path, asked: list[str], kind: str, place: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    secret = raster(tmp_path / "elsewhere" / "secret.tif")
    number = next(_NUMBERS)  # GDAL remembers which addresses do not answer
    address = f"/vsicurl/{asked[0]}/{number}.tif" if place == "address" else str(secret)
    path = raster(tmp_path / "scene.tif")
    POINTING[kind](path, address)
    with pytest.raises(SceneError, match=r"not followed|is no TIFF|may name other files"):
        read(path)
    assert len(asked) == 1, asked


@pytest.mark.parametrize("ending", [".msk", ".ovr", ".aux.xml"])
def test_a_side_car_that_is_a_link_out_of_the_folder_is_refused(tmp_path: Path, ending: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    secret = raster(tmp_path / "elsewhere" / "secret.tif")
    path = raster(tmp_path / "scene.tif")
    path.with_name(f"{path.name}{ending}").symlink_to(secret)
    with pytest.raises(SceneError, match="a link out of its folder"):
        read(path)


def test_plain_masks_overviews_and_metadata_beside_a_raster_count(tmp_path: Path) -> None:
    path = raster(tmp_path / "scene.tif")
    mask = np.full((SIDE, SIDE), 255, np.uint8)
    mask[:50] = 0
    with rasterio.Env(TIFF_USE_OVR="YES", GDAL_TIFF_INTERNAL_MASK="FALSE"):
        with rasterio.open(path, "r+") as made:
            made.write_mask(mask)
        with rasterio.open(path, "r+") as made:
            made.build_overviews([2, 4])
    path.with_name("scene.tif.aux.xml").write_text(
        '<PAMDataset><Metadata><MDI key="AREA_OR_POINT">Area</MDI></Metadata></PAMDataset>'
    )
    assert path.with_name("scene.tif.msk").is_file()
    assert path.with_name("scene.tif.ovr").is_file()
    assert np.array_equal(read(path), mask > 0)


def test_a_world_file_places_a_raster(tmp_path: Path) -> None:
    placed = raster(tmp_path / "placed.tif")
    bare = tmp_path / "bare.tif"
    with rasterio.open(placed) as given:
        pixels, profile = given.read(), {**given.profile, "transform": None}
    with rasterio.open(bare, "w", **profile) as made:
        made.write(pixels)
        made.descriptions = BANDS
    bare.with_suffix(".tfw").write_text("30\n0\n0\n-30\n480015\n5199985\n")
    assert file_scene(bare, Overrides(sensor="hls")).grid == file_scene(placed, Overrides(sensor="hls")).grid
    shutil.move(bare.with_suffix(".tfw"), tmp_path / "away")
    with pytest.raises(SceneError, match="world file"):
        file_scene(bare, Overrides(sensor="hls"))
