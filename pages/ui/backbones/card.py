"""A backbone as a person sees it: what it needs, what it gives, where it comes from, whether its weights are here."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.backbones import cards
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.weights import locate as weights
from engine.extraction.store_layout import folded_dim
from pages.ui.look import style, wording


def is_present(spec: BackboneSpec) -> bool:
    """Whether the weights are on this machine; a backbone without weights needs none."""
    return not spec.weights.is_published or _present(spec.name)


def forget_presence() -> None:
    """Look for weights again: some have been fetched."""
    _present.clear()


def show(spec: BackboneSpec, bands: Sequence[str]) -> None:
    """The card, with a word on whether it fits the bands at hand."""
    st.markdown(f"**{wording.plain(spec.title)}** &nbsp; {presence_badge(spec)} {fit_badge(spec, bands)}")
    st.caption(wording.plain(spec.summary))
    style.facts(facts(spec), small=True)


def facts(spec: BackboneSpec) -> list[tuple[str, str]]:
    """Short facts: what goes in, what comes out, what it costs."""
    patch_px, dimension = row(spec)
    return [
        ("Bands", "all of the scene" if spec.any_bands else ", ".join(spec.bands)),
        ("Patch", f"{patch_px} px"),
        ("Dimension", dimension),
        ("Layers", f"{spec.depth}"),
        ("Chip", f"{spec.chip_px} px"),
        ("Trained at", f"{spec.gsd_m:g} m" if spec.gsd_m else "no ground distance"),
        ("Parameters", wording.parameters(spec.parameters)),
        ("Licence", spec.licence),
        ("Weights", size(spec)),
    ]


def row(spec: BackboneSpec) -> tuple[int, str]:
    """Side of a row's patch in pixels, and its numbers by layer, as the card's own layers make them."""
    patch_px = max(spec.stride_px(layer) for layer in spec.default_layers)
    if not spec.dim:  # decided by the bands of the scene
        return patch_px, "patch pixels × bands"
    return patch_px, " + ".join(f"{folded_dim(spec, layer, patch_px):,}" for layer in spec.default_layers)


def size(spec: BackboneSpec) -> str:
    """Size of the checkpoint, in words where it is not known."""
    if not spec.weights.is_published:
        return "needs none" if spec.weights.kind == "none" else "drawn from the scenes"
    return wording.megabytes(spec.weights.size_mb) if spec.weights.size_mb else spec.size_words


def presence_badge(spec: BackboneSpec) -> str:
    """Markdown: weights here, absent, or not needed."""
    if not spec.weights.is_published:
        return ":green-badge[:material/check: no weights needed]"
    if is_present(spec):
        return ":green-badge[:material/check: weights here]"
    return ":gray-badge[:material/cloud_download: weights not here]"


def fit_badge(spec: BackboneSpec, bands: Sequence[str]) -> str:
    """Markdown: fits the bands, or which it lacks."""
    missing = cards.missing_bands(spec, bands)
    if not missing:
        return ":blue-badge[fits this place]"
    named = ", ".join(missing[:3]) + (f" and {len(missing) - 3} more" if len(missing) > 3 else "")
    return f":orange-badge[place lacks {wording.plain(named)}]"


def ordered(bands: Sequence[str]) -> list[str]:
    """Names of all cards: those that can run here now first."""
    return sorted(
        cards.CARDS,
        key=lambda name: (
            bool(cards.missing_bands(cards.CARDS[name], bands)),
            not is_present(cards.CARDS[name]),
        ),
    )


@st.cache_data(show_spinner=False, ttl=60)
def _present(name: str) -> bool:
    return weights.present(cards.card(name)) is not None
