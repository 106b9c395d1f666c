"""What is seen as files: computed by the server from the embeddings themselves, in the run's folder and for download."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from engine.imagery.scene import Scene
from engine.views.comparing.change import change_overlay
from engine.views.lens.export import write_geotiff, write_picture, write_table
from engine.views.maps.picture import Caption
from pages.ui.embeddings import lens_views
from pages.ui.embeddings.lens_views import Looked
from pages.ui.look import errors, wording

_FORMATS = {"GeoTIFF": ".tif", "PNG with legend": ".png", "GeoParquet": ".parquet"}


def panel(looked: Looked, scenes: Sequence[Scene], note: str) -> None:
    """Choose a format, make the file, fetch it."""
    st.subheader("Export what is seen", anchor=False)
    if looked.lens is None:
        st.caption("Pick a patch on the map first.")
        return
    formats = list(_FORMATS) if looked.change is None else ["GeoTIFF"]
    chosen = str(
        st.segmented_control("Format", formats, default=formats[0], required=True, key="export_format")
    )
    path = looked.view.store.folder.parent / "exports" / f"{looked.file_name}{_FORMATS[chosen]}"
    if st.button("Make the file", key="export_make", icon=":material/save:", width="stretch"):
        with st.spinner("Computing all patches in full precision."), errors.in_words():
            path.parent.mkdir(parents=True, exist_ok=True)
            _writer(chosen, looked, scenes, note)(path)
            st.session_state["export_made"] = str(path)
    if st.session_state.get("export_made") == str(path) and path.is_file():
        st.download_button(
            f"Download ({wording.megabytes(path.stat().st_size / 1e6)})", path.read_bytes(), file_name=path.name,
            key="export_download", icon=":material/download:", width="stretch", type="primary",
        )  # fmt: skip
        st.code(str(path), language=None, wrap_lines=True)


def _writer(chosen: str, looked: Looked, scenes: Sequence[Scene], note: str) -> Callable[[Path], object]:
    lens, dated = looked.lens, looked.dated
    assert lens is not None
    if looked.change is not None:
        found = looked.change.found
        return lambda path: change_overlay(found, path)
    if chosen == "GeoTIFF":
        return lambda path: write_geotiff(dated, lens, path)
    if chosen == "GeoParquet":
        return lambda path: write_table(dated, lens, path)
    return lambda path: write_picture(dated, lens, path, _caption(looked, note), scenes)


def _caption(looked: Looked, note: str) -> Caption:
    meta = looked.view.store.meta
    random = "random weights" if meta.is_random else f"weights {meta.weights_sha256[:12]}"
    lines = [
        note.replace("×", "x"),  # the picture's font has no multiplication sign
        f"{meta.backbone} ({random}), layer {looked.view.layer} · {looked.dated.days or 'date not stated'}",
        f"{'SIMULATED, no satellite has seen it. ' if meta.is_simulated else ''}Source: {meta.source or 'not stated'}",
    ]
    return Caption(f"{looked.choice.view} of {meta.backbone}", lens_views.swatches(looked), lines)
