"""Rasters that a person drops into the page: told apart from outlines, checked, and kept by their content.

A name becomes a file's name only after every sign but letters, digits, '.', '_' and '-' was taken out of it, and always
inside a folder that is named by the content. Nothing is kept of a drop that is refused.
"""

from __future__ import annotations

import hashlib
import io
import secrets
import shutil
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from engine.archives import Entry, Limits, entries
from engine.errors import BadInput
from engine.files import make_folder, slug, write_errors
from engine.imagery.cubes.netcdf import ENDINGS as CUBE_ENDINGS
from engine.imagery.raster.layout import require_bounded
from engine.imagery.sources.product_files import RASTER_ENDINGS, is_metadata
from pages.ui import workspace
from pages.ui.state import region_upload

MOST_FILES = 64
# A raster may unpack to so many times the limit of a file; archives hold rasters that are compressed already, and are
# unpacked in memory.
_UNPACKED_TIMES, _ARCHIVE_TIMES = 20, 2
_MOST_MEMBERS, _DEEPEST = 500, 6
_LONGEST_NAME = 100
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
# Rasters, and cubes in one file.
_TAKEN = (*RASTER_ENDINGS, *CUBE_ENDINGS)
ENDINGS = (
    *(ending[1:] for ending in _TAKEN),
    "xml",
    "txt",
    "tar",
    "tgz",
    "gz",
    *region_upload.ENDINGS,
)
_Files = Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class Drop:
    """What was dropped together.

    Attributes:
        rasters: with the metadata files of a product; names as they were, content.
        outlines: files of a region.
    """

    rasters: tuple[tuple[str, bytes], ...]
    outlines: tuple[tuple[str, bytes], ...]


def limit_mb() -> int:
    """The largest file that the server takes, in MB of 2^20 bytes: `server.maxUploadSize`."""
    return int(st.get_option("server.maxUploadSize"))


def told_apart(files: _Files) -> Drop:
    """Rasters and outlines of one drop.

    Raises:
        BadInput: too many or too large files, or one that is neither.
    """
    if len(files) > MOST_FILES:
        raise BadInput(f"{len(files)} files were dropped, and {MOST_FILES} are taken at once. Drop fewer.")
    total = sum(len(content) for _, content in files)
    if total > limit_mb() * 2**20:
        raise BadInput(
            f"The files dropped have {total / 2**20:,.0f} MB together, and {limit_mb():,} MB are taken at once. Drop fewer, "
            f"or put them into a folder of the server and choose them there."
        )
    are_rasters = [_is_raster(*file) for file in files]
    rasters = tuple(file for file, is_one in zip(files, are_rasters, strict=True) if is_one)
    others = [file for file, is_one in zip(files, are_rasters, strict=True) if not is_one]
    outlines = tuple(file for file in others if _is_outline(file[0]))
    strange = [name for name, _ in others if not _is_outline(name)]
    if strange:
        raise BadInput(
            f"{_shown(strange[0])} is neither a raster (GeoTIFF, JPEG 2000, netCDF) nor the outline of a region, and is not taken. "
            f"Side-cars (.aux.xml, .tfw, .ovr) are not read: write what they say into the raster, e.g. with gdal_translate."
        )
    return Drop(rasters, outlines)


def store(rasters: _Files) -> Path:
    """Keep rasters in the workspace, once for each content.

    Returns:
        The file where there is one, else the folder of all.

    Raises:
        BadInput: a file that is no raster, is damaged, or unpacks to too much; nothing of the drop is kept.
        DiskFull, RunFailure: it cannot be written.
    """
    files = _named(list(_unpacked(rasters)))
    if not any(name.lower().endswith(_TAKEN) for name, _ in files):
        raise BadInput(
            f"{_shown(files[0][0])} came without a raster. Drop it together with the rasters of its product."
        )
    return keep(files)


def keep_embeddings(files: _Files) -> Path:
    """Keep files of embeddings that were dropped; of several, the first that is no side-car of another one.

    Raises:
        BadInput: too much at once, or two files of one name.
        DiskFull, RunFailure: they cannot be written.
    """
    total = sum(len(content) for _, content in files)
    if len(files) > MOST_FILES or total > limit_mb() * 2**20:
        raise BadInput(
            f"{len(files)} files of {total / 2**20:,.0f} MB were dropped, and {MOST_FILES} of {limit_mb():,} MB are taken at once. "
            f"Put them into a folder of the server and choose them there."
        )
    kept = keep(_named(files))
    if kept.is_file():
        return kept
    inside = next(one for one in kept.iterdir()) if len(list(kept.iterdir())) == 1 else kept
    arrays = sorted(one for one in inside.iterdir() if not one.stem.endswith("_scales"))
    return next((one for one in arrays if one.suffix == ".npy"), arrays[0])


def keep(files: _Files) -> Path:
    """Keep files below names of our own in the workspace, once for each content.

    Returns:
        The file where there is one, else the folder of all.
    """
    folder = uploads_folder() / _key(files)
    if not folder.is_dir():
        half = uploads_folder() / f".{folder.name}-{secrets.token_hex(4)}.writing"
        try:
            _write(files, half)
            with write_errors(folder):
                half.rename(folder)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 else folder


def uploads_folder() -> Path:
    """Where rasters that were dropped are kept."""
    return workspace.folder() / "uploads"


def discard(path: Path) -> None:
    """Delete the files of an upload; any other path is left alone."""
    folder = uploads_folder().resolve()
    real = path.resolve()
    if real != folder and real.is_relative_to(folder):
        shutil.rmtree(folder / real.relative_to(folder).parts[0], ignore_errors=True)


def is_upload(path: Path) -> bool:
    """Whether a path lies among the rasters that were dropped."""
    return path.resolve().is_relative_to(uploads_folder().resolve())


def _write(files: _Files, folder: Path) -> None:
    """Write files below a new folder, each checked before the next one.

    Raises:
        BadInput: a file is no raster, or too large.
    """
    for name, content in files:
        path = folder / name
        make_folder(path.parent)
        with write_errors(path):
            path.write_bytes(content)
        if path.suffix.lower() in _TAKEN:
            require_bounded(path, _UNPACKED_TIMES * limit_mb() * 2**20)


def _is_raster(name: str, content: bytes) -> bool:
    """Whether a file is a raster, a product's metadata, or an archive with a raster inside."""
    if not _is_archive(name):
        return _is_kept(name)
    return any(_is_kept(entry.name) for entry in _entries(name, content, _ARCHIVE_TIMES * limit_mb() * 2**20))


def _is_kept(name: str) -> bool:
    return name.lower().endswith(_TAKEN) or is_metadata(PurePosixPath(name).name)


def _is_outline(name: str) -> bool:
    return name.rpartition(".")[2].lower() in region_upload.ENDINGS


def _is_archive(name: str) -> bool:
    return name.lower().endswith(_ARCHIVES)


def _entries(name: str, content: bytes, most_bytes: int) -> Iterator[Entry]:
    """The files of an archive; raises BadInput as `engine.archives.entries` does."""
    return entries(io.BytesIO(content), _shown(name), Limits(_MOST_MEMBERS, most_bytes))


def _unpacked(files: _Files) -> Iterator[tuple[str, bytes]]:
    """The files themselves, and the rasters and metadata of archives with their names inside them.

    Raises:
        BadInput: an archive that is damaged or leads elsewhere, or archives that unpack to too much together.
    """
    left = _ARCHIVE_TIMES * limit_mb() * 2**20
    for name, content in files:
        if not _is_archive(name):
            yield PurePosixPath(name.replace("\\", "/")).name, content
            continue
        for entry in _entries(name, content, left):
            left -= entry.size
            if _is_kept(entry.name):
                yield entry.name, entry.read()


def _named(files: _Files) -> list[tuple[str, bytes]]:
    """The files below names of our own: of several without a folder in common, in one of ours.

    Raises:
        BadInput: two files of one name.
    """
    named = [("/".join(_safe(part) for part in _parts(name)), content) for name, content in files]
    twice = next(
        (name for number, (name, _) in enumerate(named) if name in {one for one, _ in named[:number]}), None
    )
    if twice is not None:
        raise BadInput(f"Two of the files are named {twice}. Rename one.")
    tops = {name.partition("/")[0] for name, _ in named}
    if len(named) > 1 and (len(tops) > 1 or any("/" not in name for name, _ in named)):
        return [(f"upload_of_{len(named)}_files/{name}", content) for name, content in named]
    return named


def _parts(name: str) -> list[str]:
    """The folders and the name of a file inside an archive, without those that lead out of it."""
    parts = [part for part in name.replace("\\", "/").split("/") if part.strip(". ")]
    return parts[-_DEEPEST:]


def kept_name(name: str) -> str:
    """The name by which a file that is no archive is kept."""
    return _safe(PurePosixPath(name.replace("\\", "/")).name)


def _safe(part: str) -> str:
    """A name of letters, digits, '.', '_' and '-' that does not begin with a dot and keeps its ending."""
    plain = unicodedata.normalize("NFKD", part)  # ä becomes a and a sign that is taken out
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    stem, dot, ending = slug(plain, keep="._-", filler="_", most=1000).rpartition(".")
    return (
        f"{stem[-_LONGEST_NAME:].strip('.') or 'raster'}{dot}{ending[:12]}"
        if dot
        else ending[-_LONGEST_NAME:]
    )


def _key(files: _Files) -> str:
    """A name made from names and contents, of letters only: no program finds a date or a band in it."""
    digest = hashlib.sha256()
    for name, content in sorted(files):
        digest.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(content).digest())
    return "".join(chr(ord("a") + int(sign, 16)) for sign in digest.hexdigest()[:20])


def _shown(name: str) -> str:
    return (
        "".join(sign for sign in PurePosixPath(name.replace("\\", "/")).name if sign.isprintable())[:80]
        or "A file"
    )


def forget_uploaded(files: Sequence[Any]) -> None:
    """Give back the memory in which the server holds files until their session ends (Streamlit 1.67).

    Args:
        files: of a file uploader that is not drawn again.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is not None and runtime.exists():
        for file in files:
            runtime.get_instance().uploaded_file_mgr.remove_file(context.session_id, file.file_id)
