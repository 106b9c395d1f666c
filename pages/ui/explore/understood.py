"""What was understood of opened files: sensor, level, bands, scale, gaps, date, and what was assumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from engine.imagery.scene import Asset, Scene
from pages.ui.look import style, wording
from pages.ui.map import layers

_MOST_NOTES = 6


def show(scenes: Sequence[Scene]) -> None:
    """The facts of the first scene, how many there are, and every assumption once."""
    first = scenes[0]
    st.markdown("**What was understood**")
    sensors = dict.fromkeys(scene.sensor.title for scene in scenes)
    style.facts(
        (
            ("Scenes", f"{len(scenes):,}"), ("Sensor", ", ".join(sensors)), ("Values", first.sensor.unit),
            ("Level", first.level.capitalize() if first.level else "not stated"),
            ("Date", layers.date_span(scenes)), ("Pixel", f"{first.gsd_m:g} m"),
            ("Size", f"{first.width:,} × {first.height:,} px"),
            ("Scale", _each(first, lambda asset: f"× {asset.scale:g} {asset.offset:+g}")),
            ("Gaps", _each(first, lambda asset: ", ".join(f"{value:g}" for value in asset.nodata) or "as the file masks")),
            ("Bands", ", ".join(layers.common_bands(scenes)) or "none that all scenes have"),
        ),
        small=True,
    )  # fmt: skip
    notes = list(dict.fromkeys(note for scene in scenes for note in scene.notes))
    for note in notes[:_MOST_NOTES]:
        st.caption(wording.told(note))
    if len(notes) > _MOST_NOTES:
        st.caption(f"And {len(notes) - _MOST_NOTES} more remarks like these.")


def _each(scene: Scene, words: Callable[[Asset], str]) -> str:
    """The same words for all bands, or each band's own."""
    said = {band: words(asset) for band, asset in scene.assets.items()}
    if len(set(said.values())) == 1:
        return next(iter(said.values()))
    return "; ".join(f"{band}: {told}" for band, told in said.items())
