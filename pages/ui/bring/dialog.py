"""The dialog in which embeddings that others made are chosen, looked at, and opened beside one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import streamlit as st

from engine.errors import BadInput, EngineError
from engine.imagery.region import Region
from engine.jobs.job import Job
from engine.store.importing.forms import ENDINGS, is_folder_of_embeddings
from engine.store.importing.preview import Preview, middle_m, middle_of
from engine.store.products.known import STATABLE
from engine.store.products.terratorch.chip_files import is_terratorch
from engine.store.products.understood import NOT_STATED, UNKNOWN
from pages.ui.bring import asked as asking
from pages.ui.bring import drawing, from_catalogue, opening, progress
from pages.ui.bring.asked import Asked
from pages.ui.files import folders
from pages.ui.look import errors, style, wording
from pages.ui.state import cached, uploads

_TURN = "bring_drop_turn"
_LEAST_PICTURE_PX = 384
_OTHER = "By its corners"
_FILES, _CATALOGUE = "Files", "From a catalogue"


def offer(key: str = "bring", width: Literal["content", "stretch"] = "content") -> None:
    """The button that opens the dialog, and the dialog while it is open."""
    if st.button("Bring embeddings", key=key, icon=":material/scatter_plot:", width=width,
                 help="AlphaEarth, TESSERA, Clay, Major TOM, Earth Index, TerraTorch's folders, any GeoTIFF or GeoParquet of "
                 "embeddings, from files or of a region from a catalogue: looked at before anything is used."):  # fmt: skip
        asking.begin()
    show_open()


def show_open() -> None:
    """The dialog, where it is open."""
    if asking.job() is not None:
        _progress()
    elif asking.path() is not None:
        _look()
    elif asking.is_choosing():
        _choose()


@st.dialog("Bring embeddings", width="large", on_dismiss=asking.leave)
def _choose() -> None:
    """The folders of the server, a typed path, files of this computer, or a catalogue."""
    way = st.segmented_control(
        "Where they are",
        (_FILES, _CATALOGUE),
        default=_FILES,
        required=True,
        key="bring_way",
        label_visibility="collapsed",
    )
    if way == _CATALOGUE:
        from_catalogue.ask()
    else:
        _choose_files()


def _choose_files() -> None:
    """What lies on the server or on a person's computer."""
    st.write(
        "Choose a file or folder of embeddings that others made: GeoTIFF, GeoParquet, NPY with scales, npz, Zarr, TerraTorch's "
        "folders. It is looked at first; nothing is converted."
    )
    chosen = folders.choose(_EMBEDDINGS)
    with st.expander("Type a path", icon=":material/keyboard:"), st.form("bring_path_form", border=False):
        typed = st.text_input("Path on the server", key="bring_path").strip()
        if st.form_submit_button("Look at it", key="bring_typed") and typed:
            chosen = Path(typed).expanduser().absolute()
    with errors.in_words(stop=False):
        chosen = chosen or _dropped()
        if chosen is not None:
            asking.open_path(chosen)
            st.rerun()


def _dropped() -> Path | None:
    """What was dropped into the dialog, kept in the workspace."""
    turn = int(st.session_state.get(_TURN, 0))
    files = st.file_uploader(
        f"Or drop files of this computer (up to {uploads.limit_mb():,} MB)", type=[ending[1:] for ending in ENDINGS],
        accept_multiple_files=True, key=f"bring_drop_{turn}",
        help="TESSERA's NPY comes with its _scales.npy and its land mask .tiff: drop the three together.",
    )  # fmt: skip
    if not files:
        return None
    path = uploads.keep_embeddings([(file.name, file.getvalue()) for file in files])
    uploads.forget_uploaded(files)
    st.session_state[_TURN] = turn + 1
    return path


@st.dialog("Is this right?", width="large", on_dismiss=asking.leave)
def _look() -> None:
    """What was understood of the file, with a picture, and how much of it is used."""
    path = asking.path()
    if path is None:
        return
    images, model = _images(path), asking.stated_model()
    try:
        with st.spinner("Looking at the file."):
            whole = asking.seen(Asked(path, model=model, images=images))
    except EngineError as err:
        errors.tell(err)
        _state_model(
            "If you know which model made them, say it: a known product is decoded as its publisher tells."
        )
        _back()
        return
    left, right = st.columns([1, 1.15], gap="medium")
    try:
        with right:
            if model or whole.understood.model == UNKNOWN:
                _state_model()
            (is_chosen, region), year = _region(whole), _year(whole)
        if not is_chosen:
            with left:
                _picture(whole)
            _back()
            return
        with st.spinner("Looking at that part of it."):
            seen = asking.seen(Asked(path, region, model, images, year))
    except EngineError as err:
        with left:
            errors.tell(err)
        return
    with left:
        _picture(seen)
    with right:
        _facts(seen)
    _use(Asked(path, region, model, images, year), seen)


def _images(path: Path) -> Path | None:
    """The folder of the images, which chips that TerraTorch wrote may need."""
    if not is_terratorch(path):
        return None
    typed = st.text_input("Folder with the images of the chips, where the embeddings do not say their place",
                          key="bring_images").strip()  # fmt: skip
    if not typed:
        return None
    folder = Path(typed).expanduser().absolute()
    if not folder.is_dir():
        st.warning("That folder is not there.", icon=":material/folder_off:")
        return None
    return folder


def _region(whole: Preview) -> tuple[bool, Region | None]:
    """Whether it is settled how much of the file is used, and that; a region may yet have to be drawn.

    Raises:
        EngineError: corners or a drawing that are no region.
    """
    found = asking.choices(whole)
    bounds = whole.understood.bounds_lonlat
    options = [*found, *([drawing.DRAWN] if any(bounds) else []), _OTHER]
    chosen = st.selectbox("How much of it", options, key="bring_region")
    if chosen == drawing.DRAWN:
        region = drawing.drawn("file", bounds, bounds, Path(whole.understood.path).name)
        return region is not None, region
    if chosen != _OTHER:
        return True, found[chosen]
    told = whole.understood
    if told.rows > told.most_rows:
        bounds = middle_of(told, middle_m(told), whole.middle_lonlat).bounds_lonlat
    west, south, east, north = bounds
    typed = st.text_input("West, south, east, north in degrees", f"{west:.5f}, {south:.5f}, {east:.5f}, {north:.5f}",
                          key="bring_corners")  # fmt: skip
    try:
        west, south, east, north = (float(number) for number in typed.replace(";", ",").split(","))
    except ValueError as err:
        raise BadInput("The corners are four numbers in degrees: west, south, east, north.") from err
    return True, Region.from_bounds(west, south, east, north)


def _year(whole: Preview) -> int | None:
    """One of the years of a group that holds several, or all of them."""
    years = whole.understood.years
    if len(years) < 2:
        return None
    chosen = st.selectbox(
        "Year", [None, *years], key="bring_year", format_func=lambda year: "All, each a date" if year is None else str(year)
    )  # fmt: skip
    return None if chosen is None else int(chosen)


def _state_model(why: str = "") -> None:
    """Ask for the model, where nothing in the file tells it; what is stated decides how the file is decoded."""
    stated = st.session_state.get(asking.MODEL)
    st.selectbox(
        "Model that made them", sorted({*STATABLE, *([stated] if stated else [])}), index=None, key=asking.MODEL,
        placeholder="unknown: choose one, or type its name", accept_new_options=True,
        help="The name stands on maps and in tables; decoders learn from embeddings of one model only.",
    )  # fmt: skip
    if why:
        st.caption(why)
    if stated and asking.stated_model() is None:
        st.warning("A name has letters, digits and . _ / - only.", icon=":material/edit:")


def _picture(seen: Preview) -> None:
    pixels = seen.pixels
    times = max(1, _LEAST_PICTURE_PX // max(pixels.shape[:2]))
    words = (
        f"{'A part of it. ' if seen.is_middle else ''}Components 1 to 3 as red, green and blue, each stretched from its 2nd to its 98th percentile; "
        + (
            "tiles that lie far apart, side by side."
            if seen.is_sheet
            else f"{seen.shown_m[0] / 1000:,.3g} × {seen.shown_m[1] / 1000:,.3g} km."
        )
    )
    st.image(
        np.repeat(np.repeat(pixels, times, axis=0), times, axis=1),
        width="stretch",
        output_format="PNG",
        alt=words,
    )
    st.caption(words)


def _facts(seen: Preview) -> None:
    told = seen.understood
    length = "1, each" if told.is_unit_length else f"{told.mean_length:.3g}, median"
    st.markdown("**What was understood**")
    style.facts(
        (
            ("What", told.form), ("Model", told.model), ("Dimensions", f"{told.dim:,}"), ("Length", length),
            ("Decoding", told.decoding), ("Gaps", told.nodata), ("Year", str(told.year or NOT_STATED)),
            ("Taken", told.size), ("Pixel", f"{told.gsd_m:g} m"), ("CRS", told.crs), ("Licence", told.licence or NOT_STATED),
        ),
        small=True,
    )  # fmt: skip
    st.caption(wording.plain(f"Attribution, which will stand on the map: {told.attribution or NOT_STATED}"))
    for note in told.notes:
        st.caption(wording.told(note))


def _use(asked: Asked, seen: Preview) -> None:
    """Whether the embeddings stay where they are, and the button that opens them."""
    in_place = seen.is_readable_in_place and (
        st.segmented_control(
            "Embeddings", ("Read where they lie", "Copy into a store"), default="Read where they lie", required=True,
            key="bring_in_place",
            help="Where they lie, nothing is written and they open at once; the file must stay as it is. A copy is read faster and can be "
            "downloaded as a run.",
        )
        != "Copy into a store"
    )  # fmt: skip
    if not in_place:
        st.caption(f"The copy takes about {wording.megabytes(opening.bytes_of(seen.understood) / 1e6)}.")
    with st.container(horizontal=True):
        if st.button("Open", type="primary", key="bring_open", icon=":material/check:"):
            with errors.in_words(stop=False):
                opening.open_them(asked, in_place)
        _back()


def _back() -> None:
    if st.button("Choose another", key="bring_back"):
        asking.begin()
        st.rerun()


@st.dialog("Taking embeddings", width="large", on_dismiss=asking.leave)
def _progress() -> None:
    """The import under way; then the way to what it made."""
    job = cached.job_named(asking.job() or "")
    if job is None:
        return
    progress.show(job)
    if job.state == "finished" and st.button("Look at them", type="primary", key="bring_done"):
        opening.go_to(Job(job.folder).id)
    st.caption("The job goes on when this window is closed; Runs finds it again.")


def _folder(path: Path) -> tuple[str, str] | None:
    return ("whole", "a folder of embeddings") if is_folder_of_embeddings(path) else None


_EMBEDDINGS = folders.Wanted("file", "file", ENDINGS, (".mask.tif", "_scales.npy"), _folder)
