"""A picture of Sentinel Hub's process API as a place, for those with an account."""

from __future__ import annotations

import datetime as dt

import streamlit as st
from pydantic import ValidationError

from engine.errors import ConfigError
from engine.imagery.remote.access import wants
from engine.imagery.remote.process_api import request_of
from engine.imagery.sensors.table import SENSORS
from engine.imagery.sources import SentinelHubScene
from engine.jobs.complaints import in_words
from pages.ui.explore.catalogues import taking
from pages.ui.look import style, wording

NAME, TITLE = "sentinel_hub", "Sentinel Hub (with an account)"
ASKED = "sentinel_hub_asked"
# West, south, east, north in degrees; first and last day; the most cloud in per cent.
Search = tuple[tuple[float, float, float, float], tuple[dt.date, dt.date], int]
_BANDS = ("blue", "green", "red", "nir_narrow", "swir_1", "swir_2")
_ORDER = {"leastCC": "Least cloudy", "mostRecent": "Newest", "leastRecent": "Oldest"}
_METRES = (10, 20, 30, 60, 100)


def ask(found: Search | None) -> bool:
    """The choice of bands, pixels and order, what that takes, and the way to use it.

    Args:
        found: once it is asked for.

    Returns:
        Whether a person uses it.
    """
    bands = st.multiselect("Bands", list(SENSORS["sentinel2_l2a"].bands), list(_BANDS), key="hub_bands")
    left, right = st.columns(2)
    gsd_m = left.select_slider("Side of a pixel (m)", _METRES, 20, key="hub_gsd")
    order = right.selectbox(
        "Which of several scenes counts", list(_ORDER), format_func=_ORDER.__getitem__, key="hub_order"
    )
    if found is not None:
        st.session_state[ASKED] = found
    asked = st.session_state.get(ASKED)
    if asked is None:
        return False
    scene = _scene(*asked, bands, gsd_m, order)
    picture = scene.picture()
    request_of(picture)  # says what is too large
    style.facts((
        ("Pixels", f"{picture.width} × {picture.height}"),
        ("Bands", str(len(bands))),
        ("Over the network", f"≤ {wording.megabytes(2 * len(bands) * picture.width * picture.height / 1e6)}"),
    ))  # fmt: skip
    st.caption(
        f"{scene.title}: pixels of the scenes of these days, {_ORDER[order].lower()} first. It is made when you use it, "
        f"and kept on this server."
    )
    return taking.use(scene, scene.title, bands)


def needs() -> None:
    """What a person must have."""
    missing = wants("sentinel-hub")
    if missing:
        style.small(f"It wants an account, which this server takes from its environment: {missing}.")


def _scene(
    bounds: tuple[float, float, float, float], dates: tuple[dt.date, dt.date], cloud: int,
    bands: list[str], gsd_m: int, order: str,
) -> SentinelHubScene:  # fmt: skip
    try:
        return SentinelHubScene.model_validate({
            "source": "sentinel_hub", "bounds_lonlat": bounds, "dates": dates, "bands": tuple(bands), "gsd_m": gsd_m,
            "most_cloud_pct": cloud, "mosaicking": order,
        })  # fmt: skip
    except ValidationError as err:
        raise ConfigError(f"The picture cannot be asked for: {in_words(err, SentinelHubScene)}.") from err
