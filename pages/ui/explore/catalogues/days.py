"""The days that a catalogue has: on a timeline with their cloud, with small pictures, and what reading them will take."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Sequence

import streamlit as st

from engine.errors import EngineError
from engine.imagery.catalogues.choosing import Day
from engine.imagery.catalogues.presets import Collection
from engine.imagery.region import Region
from engine.imagery.remote.access import AccessKind, signed
from engine.imagery.remote.http import Asked, ask
from engine.imagery.sensors.table import SENSORS
from engine.imagery.sources.stac import StacScene
from pages.ui.look import palette, wording

_MOST_PICTURES, _A_ROW = 6, 6
_MOST_PICTURE_BYTES, _PICTURE_PX = 4_000_000, 220
# What a compressed pixel of two bytes takes, about, and what a line is taken to bring in a second, which is said.
_BYTES_A_VALUE, _BYTES_A_S = 1.6, 4_000_000


def draw(
    days: Sequence[Day], taken: Sequence[Day], fire: dt.date | None, key: str, on_click: Callable[[], None]
) -> None:
    """Each day at its date and its cloud; those that are taken stand out, and the day of the fire is a line.

    Args:
        on_click: called where points of the plot were clicked, before the page is drawn again.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    groups = (
        ("not taken", palette.ASH, [one for one in days if one not in taken], 9),
        ("taken", palette.EMBER, taken, 15),
    )
    for name, colour, shown, size in groups:
        figure.add_scatter(
            x=[one.day for one in shown], y=[100.0 if one.cloud_pct is None else one.cloud_pct for one in shown],
            mode="markers", name=name, marker={"size": size, "color": colour},
            text=[words_of(one) for one in shown], hovertemplate="%{text}<extra></extra>",
        )  # fmt: skip
    if fire is not None:
        figure.add_vline(x=str(fire), line={"dash": "dot", "color": palette.EMBER})
    figure.update_layout(
        height=210, margin={"l": 10, "r": 10, "t": 10, "b": 10}, legend={"orientation": "h", "y": 1.15},
        yaxis={"title": "cloud (%)", "range": [-5, 105]}, xaxis={"title": None},
    )  # fmt: skip
    words = f"{wording.count(len(days), 'day')} from {days[0].day} to {days[-1].day}, {len(taken)} taken"
    st.plotly_chart(figure, key=key, alt=words, on_select=on_click, selection_mode=("points",))
    st.caption(f"{words}. Click days to take just those.")


def words_of(day: Day) -> str:
    """A day, its cloud and what it shows."""
    cloud = "cloud not stated" if day.cloud_pct is None else f"{day.cloud_pct:.0f} % cloud"
    return (
        f"{day.day}: {cloud}, {100 * day.share:.0f} % of the region, {wording.count(len(day.items), 'item')}"
    )


def pictures(days: Sequence[Day], access: AccessKind) -> None:
    """The small pictures that the catalogue has of some days; days without one are named in words."""
    shown = list(days)[:_MOST_PICTURES]
    for column, day in zip(st.columns(_A_ROW), shown, strict=False):
        with column:
            content = _picture(day.items[0].thumbnail, access)
            if content:
                st.image(content, caption=str(day.day), alt=words_of(day))
            else:
                st.caption(words_of(day))


@st.cache_data(show_spinner=False, max_entries=64, ttl=3600)
def _picture(address: str, access: AccessKind) -> bytes:
    """A thumbnail as PNG; empty where there is none, or none that can be had."""
    from PIL import Image

    if not address:
        return b""
    try:
        url, headers = signed(address, access)
        answer = ask(Asked(url, headers=headers, most_bytes=_MOST_PICTURE_BYTES), tries=1)
        with Image.open(io.BytesIO(answer.body), formats=("JPEG", "PNG")) as image:
            image.draft("RGB", (_PICTURE_PX, _PICTURE_PX))
            image.thumbnail((_PICTURE_PX, _PICTURE_PX))
            held = io.BytesIO()
            image.convert("RGB").save(held, "PNG")
            return held.getvalue()
    except (EngineError, OSError, ValueError, Image.DecompressionBombError):
        return b""


def facts_of(chosen: StacScene, taken: Sequence[Day], product: Collection) -> tuple[tuple[str, str], ...]:
    """What is taken, and what reading all of its bands brings over the network."""
    area_km2 = Region.from_bounds(*chosen.bounds_lonlat).area_km2
    sensor = SENSORS[product.sensor]
    values = sum(
        area_km2 * 1e6 / sensor.band(band).gsd_m ** 2
        for band in product.bands.values()
        if band in sensor.bands
    )
    dates = 1 if chosen.choose == "mosaic" else len(taken)
    size = values * _BYTES_A_VALUE * dates
    items = sum(len(day.items) for day in taken)
    return (
        ("Area", wording.area(area_km2)),
        ("Days", f"{len(taken)}"),
        ("Items", f"{items}"),
        ("Over the network", f"≤ {wording.megabytes(max(size / 1e6, 0.1))}"),
        (f"Time at {_BYTES_A_S / 1e6:.0f} MB/s", f"≈ {wording.duration(size / _BYTES_A_S)}"),
    )
