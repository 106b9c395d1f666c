"""Files dropped onto Explore: rasters open in the dialog, the outline of a region becomes the region."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import streamlit as st

from engine.errors import EngineError
from pages.ui.explore import own_draft, own_files
from pages.ui.look import errors, style
from pages.ui.state import regions, uploads

_TURN = "own_drop_turn"


def offer() -> None:
    """A place to drop files; a refusal stays as long as its files lie there."""
    turn = int(st.session_state.get(_TURN, 0))
    style.take_drops()
    files = st.file_uploader(
        f"Drop your own rasters, or a region, onto the page (up to {uploads.limit_mb():,} MB)", type=list(uploads.ENDINGS),
        accept_multiple_files=True, key=f"own_drop_{turn}",
        help=f"GeoTIFF and JPEG 2000, also several, or a zip of a product; the outline of a region as GeoJSON, GeoPackage, "
        f"FlatGeobuf, GeoParquet or Shapefile. At most {uploads.MOST_FILES} files and {uploads.limit_mb():,} MB at once.",
    )  # fmt: skip
    if not files:
        return
    with errors.in_words(stop=False):
        _take([(file.name, file.getvalue()) for file in files])
        uploads.forget_uploaded(files)
        st.session_state[_TURN] = turn + 1  # an empty field from now on
        st.rerun()


def _take(files: list[tuple[str, bytes]]) -> None:
    """Open the rasters, choose the region.

    Raises:
        BadInput: something of it cannot be used; then nothing of it is taken.
    """
    drop = uploads.told_apart(files)
    region = regions.of_upload(drop.outlines) if drop.outlines else None
    if not drop.rasters:
        assert region is not None
        regions.choose(region)
        return
    own_draft.leave()  # of an earlier drop
    own_files.tidy_up()
    path = _stored(drop.rasters)
    try:
        own_draft.open_path(path, region, _titles(drop.rasters))
    except EngineError:
        uploads.discard(path)
        raise


def _stored(rasters: Sequence[tuple[str, bytes]]) -> Path:
    """Where the rasters are kept; one that is refused takes the others with it, which is said.

    Raises:
        EngineError: as `uploads.store`.
    """
    try:
        return uploads.store(rasters)
    except EngineError as err:
        if len(rasters) == 1:
            raise
        raise type(err)(f"{err} Nothing of this drop is kept: drop the other files without it.") from err


def _titles(rasters: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    """The names of files as their owner writes them, by those that they are kept by, which may be others."""
    return {uploads.kept_name(name): PurePosixPath(name).stem.replace("_", " ") for name, _ in rasters}
