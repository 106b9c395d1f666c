"""What is seen as files: computed by the server from the embeddings themselves, in the run's folder and for download."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from engine.imagery.scene import Scene
from engine.views.comparing.dated_view import has_several_dates
from engine.views.films.lens_film import dates_of, write_lens_film
from engine.views.lens.change_files import ChangeCut, write_change
from engine.views.lens.export import write_geotiff, write_picture, write_table
from engine.views.lens.outlines import has_outlines, write_outlines
from engine.views.maps.picture import Caption
from pages.ui.embeddings import lens_views
from pages.ui.embeddings.lens_views import Looked
from pages.ui.look import errors, film, wording

_FORMATS = {"GeoTIFF": ".tif", "PNG with legend": ".png", "GeoParquet": ".parquet"}
# Of a change the vector files hold polygons above the threshold.
_OF_CHANGE = {**_FORMATS, "GeoPackage": ".gpkg"}
_OUTLINES, _FILM = "Outlines", "Film of the dates"


def panel(looked: Looked, scenes: Sequence[Scene], note: str) -> None:
    """Choose a format, make the file, fetch it."""
    st.subheader("Export what is seen", anchor=False)
    if looked.lens is None:
        st.caption("Pick a patch on the map first.")
        return
    formats = _FORMATS if looked.change is None else _OF_CHANGE
    if looked.change is None and has_outlines(looked.lens):
        formats = {**formats, _OUTLINES: ".geojson"}
    if looked.change is None and has_several_dates(looked.view.store):
        formats = {**formats, _FILM: ".webp"}
    chosen = str(
        st.segmented_control("Format", list(formats), default="GeoTIFF", required=True, key="export_format")
    )
    if looked.change is not None and chosen.startswith("Geo") and chosen != "GeoTIFF":
        least = _cut(looked).least(looked.change.found)
        st.caption(f"Polygons where the {looked.change.distance} distance is at least {least:.3g}.")
    path = looked.view.store.folder.parent / "exports" / f"{looked.file_name}{formats[chosen]}"
    if st.button("Make the file", key="export_make", icon=":material/save:", width="stretch"):
        with st.spinner("Computing all patches in full precision."), errors.in_words():
            path.parent.mkdir(parents=True, exist_ok=True)
            _writer(chosen, looked, scenes, note)(path)
            st.session_state["export_made"] = str(path)
    if st.session_state.get("export_made") == str(path) and path.is_file():
        if chosen == _FILM:
            film.show(
                path.read_bytes(),
                path.name,
                f"{looked.choice.view}, the dates of the store",
                "export_download",
            )
            return
        st.download_button(
            f"Download ({wording.megabytes(path.stat().st_size / 1e6)})", path.read_bytes(), file_name=path.name,
            key="export_download", icon=":material/download:", width="stretch", type="primary",
        )  # fmt: skip
        st.code(str(path), language=None, wrap_lines=True)


def _writer(chosen: str, looked: Looked, scenes: Sequence[Scene], note: str) -> Callable[[Path], object]:
    lens, dated = looked.lens, looked.dated
    assert lens is not None
    if looked.change is not None:
        found, cut = looked.change.found, _cut(looked)
        return lambda path: write_change(found, path, cut, scenes)
    if chosen == "GeoTIFF":
        basis = {"EMBERSCOPE_BASIS": looked.basis} if looked.basis else None
        return lambda path: write_geotiff(dated, lens, path, basis)
    if chosen == "GeoParquet":
        return lambda path: write_table(dated, lens, path)
    if chosen == _FILM:
        title = f"{looked.choice.view} of {looked.view.store.meta.backbone}"
        return lambda path: write_lens_film(dates_of([looked.view]), lens, path, 1.0, title)
    if chosen == _OUTLINES:
        return lambda path: write_outlines(dated, lens, path)
    return lambda path: write_picture(dated, lens, path, _caption(looked, note), scenes)


def _cut(looked: Looked) -> ChangeCut:
    """How a change is drawn: below the threshold on the map nothing is."""
    assert looked.change is not None
    return ChangeCut(looked.change.distance, looked.picked.threshold)


def _caption(looked: Looked, note: str) -> Caption:
    meta = looked.view.store.meta
    random = "random weights" if meta.is_random else f"weights {meta.weights_sha256[:12]}"
    lines = [
        note.replace("×", "x"),  # the picture's font has no multiplication sign
        f"{meta.backbone} ({random}), layer {looked.view.layer} · {looked.dated.days or 'date not stated'}",
        f"{'SIMULATED, no satellite has seen it. ' if meta.is_simulated else ''}Source: {meta.source or 'not stated'}",
    ]
    return Caption(f"{looked.choice.view} of {meta.backbone}", lens_views.swatches(looked), lines)
