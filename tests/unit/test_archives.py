"""Archives that would write elsewhere, link elsewhere or fill a disk are refused wherever the product takes one."""

from __future__ import annotations

import functools
import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.archives import Limits, entries
from engine.errors import BadInput
from engine.imagery.region_file import region_from_file
from engine.imagery.vector.table import read_table
from engine.jobs.keeping.archive import open_archive

LIMITS = Limits(most_files=50, most_bytes=115_000_000)


def zip_of(*members: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return held.getvalue()


def zip_link(name: str, target: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, target)
    return held.getvalue()


def tar_of(*members: tuple[str, bytes], mode: str = "w", **said: Any) -> bytes:
    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in said.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return held.getvalue()


def taken(content: bytes, folder: Path, limits: Limits = LIMITS) -> dict[str, bytes]:
    """What comes out, through files."""
    for entry in entries(io.BytesIO(content), "a.zip", limits):
        entry.copy_to(folder / entry.name)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}  # fmt: skip


GOOD = (("a/b.tif", b"one"), ("a/c/d.txt", b"two" * 1000), ("e", b""))


@pytest.mark.parametrize(
    "content", [zip_of(*GOOD), tar_of(*GOOD), tar_of(*GOOD, mode="w:gz"), tar_of(*GOOD, mode="w:bz2"), tar_of(*GOOD, mode="w:xz")],
    ids=["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"],
)  # fmt: skip
def test_the_same_files_come_out_of_every_kind(content: bytes, tmp_path: Path) -> None:
    assert taken(content, tmp_path) == dict(GOOD)


@functools.cache
def bomb(name: str = "big") -> bytes:
    return zip_of((name, bytes(103_000_000)))


def understated() -> bytes:
    """A zip whose header states ten bytes of a thousand."""
    content = zip_of(("a", b"x" * 1000))
    at = content.rindex(b"PK\x01\x02")
    return content[: at + 24] + struct.pack("<I", 10) + content[at + 28 :]


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "zip up": (lambda: zip_of(("../x", b"1")), "leads out"),
    "zip up inside": (lambda: zip_of(("a/../../x", b"1")), "leads out"),
    "zip absolute": (lambda: zip_of(("/etc/x", b"1")), "leads out"),
    "zip backslash": (lambda: zip_of(("a\\..\\..\\x", b"1")), "leads out"),
    "zip drive": (lambda: zip_of(("C:\\x", b"1")), "leads out"),
    "zip home": (lambda: zip_of(("~/x", b"1")), "leads out"),
    "zip link": (lambda: zip_link("a", "/etc/passwd"), "is a link"),
    "zip bomb": (bomb, "times its size"),
    "zip understated": (understated, "cannot be unpacked|more of"),
    "zip many": (lambda: zip_of(*((str(number), b"") for number in range(60))), "more than 50 files"),
    "zip large": (lambda: zip_of(*((str(number), bytes(3_000_000)) for number in range(40))), "unpacks to more than|times its size"),
    "zip cut": (lambda: zip_of(("a", b"1" * 5000))[:-60], "neither a zip|cannot be unpacked"),
    "tar up": (lambda: tar_of(("../x", b"1")), "leads out"),
    "tar absolute": (lambda: tar_of(("/x", b"1")), "leads out"),
    "tar link": (lambda: tar_of(("a", b""), type=tarfile.SYMTYPE, linkname="/etc/passwd"), "is a link"),
    "tar hard link": (lambda: tar_of(("a", b""), type=tarfile.LNKTYPE, linkname="../x"), "is a link"),
    "tar device": (lambda: tar_of(("a", b""), type=tarfile.CHRTYPE), "a device"),
    "tar fifo": (lambda: tar_of(("a", b""), type=tarfile.FIFOTYPE), "a device"),
    "tar.gz bomb": (lambda: tar_of(("a", bytes(103_000_000)), mode="w:gz"), "times its size"),
    "gzip of nothing like a tar": (lambda: gzip.compress(b"hello" * 1000), "cannot be unpacked"),
    "tar cut": (lambda: tar_of(("a", b"1" * 50_000), mode="w:gz")[:60], "cannot be unpacked"),
    "no archive": (lambda: b"<html>not found</html>", "neither a zip nor a tar"),
    "nothing": (lambda: b"", "neither a zip nor a tar"),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_or_damaged_archive_is_refused_in_words_and_writes_nothing_elsewhere(
    kind: str, tmp_path: Path
) -> None:
    make, said = HOSTILE[kind]
    folder = tmp_path / "inner" / "folder"
    folder.mkdir(parents=True)
    with pytest.raises(BadInput, match=said):
        taken(make(), folder)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.is_relative_to(folder) for path in written)
    assert sum(path.stat().st_size for path in written) < 110_000_000


def test_an_encrypted_zip_is_told_so(tmp_path: Path) -> None:
    content = bytearray(zip_of(("a", b"1" * 100)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + at] |= 1
    with pytest.raises(BadInput, match="password"):
        taken(bytes(content), tmp_path)


@pytest.mark.parametrize("kind", ["zip up", "zip link", "zip bomb", "tar up", "no archive"])
def test_every_door_of_the_product_refuses_it(kind: str, tmp_path: Path) -> None:
    content = HOSTILE[kind][0]()
    workspace, path = tmp_path / "runs", tmp_path / "fires.zip"
    path.write_bytes(content)
    with pytest.raises(BadInput):
        open_archive(io.BytesIO(content), workspace)
    assert not list(workspace.iterdir())
    with pytest.raises(BadInput):
        read_table(path)
    with pytest.raises(BadInput):
        region_from_file(path)


LAUGHS = """<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>&b;</name></Placemark></kml>"""
OUTSIDE = """<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>&x;</name></Placemark></kml>"""


@pytest.mark.parametrize("text", [LAUGHS, OUTSIDE, '<!DOCTYPE kml SYSTEM "http://127.0.0.1/x.dtd"><kml/>'])
def test_a_kml_with_entities_is_not_read_also_inside_a_kmz(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.kml").write_text(text)
    (tmp_path / "a.kmz").write_bytes(zip_of(("doc.kml", text.encode())))
    for path in (tmp_path / "a.kml", tmp_path / "a.kmz"):
        with pytest.raises(BadInput, match="declares entities or a document type"):
            region_from_file(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<svg/>", "no KML: it begins with <svg>"),
        ("<kml", "is no KML"),
        ("", "is no KML"),
        ("<kml><Placemark><Polygon><outerBoundaryIs><coordinates>1,a 2,b</coordinates></outerBoundaryIs></Polygon></Placemark></kml>",
         "no numbers"),
        ("<kml/>", "holds 0 geometries"),
    ],
)  # fmt: skip
def test_what_is_no_kml_of_a_region_is_refused_in_words(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.kml").write_text(text)
    with pytest.raises(BadInput, match=said):
        region_from_file(tmp_path / "a.kml")


def test_geojson_that_is_another_format_for_gdal_is_not_opened_as_one(tmp_path: Path) -> None:
    path = tmp_path / "fires.geojson"
    path.write_text('<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>')  # fmt: skip
    with pytest.raises(BadInput, match="is not GeoJSON"):
        read_table(path)
