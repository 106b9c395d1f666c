"""Which backbones fit the scenes at hand, and why the others do not."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.backbones import cards
from engine.backbones.core.spec import BackboneSpec
from engine.imagery.scene import Scene
from engine.imagery.sensors.sensor import reflectance_words
from pages.ui.backbones import card as backbone_card
from pages.ui.look import style, wording


def fitting(scenes: Sequence[Scene], bands: Sequence[str]) -> list[str]:
    """Names of the cards whose bands the scenes have: those whose weights are here and that learned from their level first."""
    names = [
        name for name in backbone_card.ordered(bands) if not cards.missing_bands(cards.CARDS[name], bands)
    ]
    return sorted(
        names,
        key=lambda name: (
            not backbone_card.is_present(cards.CARDS[name]),
            bool(other_level(cards.CARDS[name], scenes)),
        ),
    )


def other_level(spec: BackboneSpec, scenes: Sequence[Scene]) -> str:
    """What a backbone learned from, in words, where the scenes are of another level; "" where they are not."""
    levels = {scene.level for scene in scenes if scene.sensor.quantity == "reflectance"} - {None, spec.level}
    match spec.level:
        case ("surface" | "top of atmosphere") as level if levels:
            return f"learned from {reflectance_words(level)}"
        case _:
            return ""


def why_not(spec: BackboneSpec, bands: Sequence[str]) -> str:
    """Which bands a backbone needs and the scenes lack, in words; "" where it fits."""
    missing = cards.missing_bands(spec, bands)
    return f"needs {wording.in_a_row(band.replace('_', ' ') for band in missing)}" if missing else ""


def show_others(bands: Sequence[str], place: str) -> None:
    """The backbones that do not fit, each with the reason, folded away."""
    refused = [(name, why_not(spec, bands)) for name, spec in cards.CARDS.items() if why_not(spec, bands)]
    if not refused:
        return
    words = f"{wording.count(len(refused), 'backbone')} that {'does' if len(refused) == 1 else 'do'} not fit {place}"
    with st.expander(wording.plain(words), icon=":material/block:", key="backbones_refused"):
        style.table(("Backbone", "Why not"), [(name, (reason,)) for name, reason in refused])
