"""What a person has said so far of embeddings that are being brought: which file, how much of it, of which model."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from engine.errors import EngineError
from engine.imagery.region import Region
from engine.store.importing.preview import Preview, middle_m, middle_of, preview
from engine.store.products.in_place import stamp_of
from pages.ui.map.routes import tiles
from pages.ui.state import regions

_KEY, _CHOOSING, _JOB = "bring_file", "bring_choosing", "bring_job"
MODEL = "bring_model"  # the field's own key
_NAME = re.compile(r"[A-Za-z0-9][\w./-]{0,63}")


@dataclass(frozen=True)
class Asked:
    """What is looked at.

    Attributes:
        region: None for all of the file.
        model: the encoder's name, where the file does not tell it; None where it was not said.
        images: folder with the images of chips; None where the embeddings say where they lie.
        year: which of the dates of a Zarr group; None: all.
    """

    path: Path
    region: Region | None = None
    model: str | None = None
    images: Path | None = None
    year: int | None = None


def path() -> Path | None:
    """The file or folder that is open in the dialog."""
    found = st.session_state.get(_KEY)
    return found if isinstance(found, Path) else None


def open_path(chosen: Path) -> None:
    """Look at a file or folder.

    Raises:
        SceneError: it lies in a folder that may not be shown.
    """
    st.session_state[_KEY] = tiles.require_shown(chosen)


def is_choosing() -> bool:
    """Whether the list of files is open."""
    return bool(st.session_state.get(_CHOOSING))


def begin() -> None:
    """Open the list of files."""
    leave()
    st.session_state[_CHOOSING] = True


def leave() -> None:
    """Close the dialog; a job that it has started goes on."""
    for key in (_KEY, _CHOOSING, _JOB):
        st.session_state.pop(key, None)


def stated_model() -> str | None:
    """The model that a person has stated the file to be of; None where that is not said, or is no name."""
    stated = str(st.session_state.get(MODEL) or "").strip()
    return stated if _NAME.fullmatch(stated) else None


def job() -> str | None:
    """The import that the dialog watches."""
    found = st.session_state.get(_JOB)
    return str(found) if found else None


def watch(job_id: str) -> None:
    """Watch an import in the dialog."""
    st.session_state[_JOB] = job_id


def seen(asked: Asked) -> Preview:
    """What the file is understood to be, with a picture; looked at once for each state of it.

    Raises:
        EngineError: it cannot be used.
    """
    west = None if asked.region is None else asked.region.bounds_lonlat
    return _seen(
        str(asked.path),
        stamp_of(asked.path),
        str(west),
        asked.model or "",
        f"{asked.images or ''} {asked.year or ''}",
        asked,
    )


@st.cache_data(show_spinner=False, max_entries=16)
def _seen(path: str, stamp: str, region: str, model: str, images: str, _asked: Asked) -> Preview:
    del path, stamp, region, model, images
    return preview(_asked.path, _asked.region, _asked.model, _asked.images, _asked.year)


def choices(whole: Preview) -> dict[str, Region | None]:
    """How much of a file can be taken, by what a person calls it; the first that is of a usable size comes first."""
    told = whole.understood
    found: dict[str, Region | None] = {"All of it": None} if told.rows <= told.most_rows else {}
    if told.rows > 10_000 and any(told.bounds_lonlat):
        side_m = middle_m(told)
        found[f"The middle, {side_m / 1000:,.3g} × {side_m / 1000:,.3g} km"] = middle_of(
            told, side_m, whole.middle_lonlat
        )
    chosen = regions.chosen()
    if chosen is not None:
        with contextlib.suppress(EngineError):  # its file went away: Explore says so
            bounds = regions.checked(chosen).edges_lonlat
            found["The region chosen on Explore"] = Region.from_bounds(*bounds)
    return found
