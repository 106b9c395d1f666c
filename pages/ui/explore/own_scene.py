"""Opening a raster or a folder of one's own: what a person says of it, what was understood, and the place it becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st
from pydantic import BaseModel, ValidationError

from engine.errors import ConfigError
from engine.imagery.sensors.table import SENSORS
from engine.imagery.sources import SceneConfig, source_of
from engine.imagery.sources.source import Declared
from engine.jobs.complaints import in_words
from pages.ui import workspace
from pages.ui.explore import understood
from pages.ui.look import errors
from pages.ui.look.fields import help_of
from pages.ui.map import layers
from pages.ui.state import cached, session

_AS_STATED = "as the files say"


def offer() -> None:
    """A path, what the files do not say themselves, what was understood, and the button that makes it the place.

    The fields are new ones after each success: what was said of one raster is never taken for the next.
    """
    turn = session.own_places()
    st.write(
        "A raster with a CRS (GeoTIFF, JPEG 2000), or a folder: one product (SAFE, HLS, Landsat Collection 2), several rasters, "
        "or chips in the layout of HLS Burn Scars (`data/`, `splits/`)."
    )
    example = workspace.shared() / "data" / "hls_burn_scars"
    typed = st.text_input("Path on this machine", key=f"own_path_{turn}", placeholder=str(example)).strip()
    said = _said(turn)
    wanted = Path(typed).expanduser().absolute() if typed else None
    if st.button("Look at it", key=f"own_open_{turn}"):
        st.session_state["own_looked"] = None
        with errors.in_words(stop=False):
            if wanted is not None:
                _open(wanted, said)
            st.session_state["own_looked"] = wanted
    if wanted is not None and st.session_state.get("own_looked") == wanted:
        with errors.in_words(stop=False):
            _confirm(wanted, said, turn)


def _confirm(path: Path, said: dict[str, Any], turn: int) -> None:
    """What was understood of the files, and the button that makes them the place looked at."""
    scene = _open(path, said)
    scenes = cached.scenes(scene)
    understood.show(scenes)
    if st.button("Use it", type="primary", key=f"own_use_{turn}", icon=":material/check:", width="stretch"):
        opened = session.add_place(scene, path, layers.common_bands(scenes), scenes[0].level)
        session.set_place(opened.key)
        st.session_state["own_looked"] = None
        st.rerun()


def _open(path: Path, said: dict[str, Any]) -> SceneConfig:
    """The source that reads the files, once it is certain that they can be read and shown.

    Raises:
        BadInput: absent, unreadable, not understood, or in a folder that may not be shown.
    """
    scene = _with(source_of(path), path, said)
    scenes = cached.scenes(scene)
    layers.imagery(scenes, layers.best_of(scenes))
    return scene


def _with(scene: SceneConfig, path: Path, said: dict[str, Any]) -> SceneConfig:
    """A source with what a person says of its rasters.

    Raises:
        ConfigError: a value that cannot be used.
    """
    kind: type[BaseModel] = type(scene)
    try:
        return kind.model_validate({**scene.model_dump(), **said})
    except ValidationError as err:
        raise ConfigError(f"{path.name}: {in_words(err, kind)}") from err


def _said(turn: int) -> dict[str, Any]:
    """What a person declares; fields left empty are left to the files."""
    with st.expander("Say what the files do not", icon=":material/edit_note:"):
        sensor = st.selectbox(
            "Sensor", ["", *SENSORS], key=f"own_sensor_{turn}", help=help_of(Declared, "sensor"),
            format_func=lambda name: SENSORS[name].title if name else _AS_STATED,
        )  # fmt: skip
        date = st.text_input("Date", key=f"own_datetime_{turn}", placeholder="2021-08-28T10:56:19Z",
                             help=help_of(Declared, "datetime"))  # fmt: skip
        bands = st.text_input(
            "Bands in order, by commas; - for one that is not to be read",
            key=f"own_bands_{turn}",
            placeholder="blue, green, red, nir_narrow, swir_1, swir_2",
            help=help_of(Declared, "bands"),
        )
        columns = st.columns(3)
        numbers = {
            name: column.number_input(
                name.capitalize(), value=None, format="%g", key=f"own_{name}_{turn}", placeholder="as stated", help=help_of(Declared, name)
            )
            for column, name in zip(columns, ("scale", "offset", "nodata"), strict=True)
        }  # fmt: skip
    names = [name.strip() for name in bands.split(",")] if bands.strip() else []
    given = {
        "sensor": sensor,
        "datetime": date.strip(),
        "bands": tuple(None if name in ("-", "") else name for name in names),
    }
    return {name: value for name, value in given.items() if value} | {
        name: value for name, value in numbers.items() if value is not None
    }
