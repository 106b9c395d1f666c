"""The health card as a dialog: a verdict, then each number with a picture and a sentence that says what is good."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.store.store import EmbeddingStore
from engine.views.health.card import DEAD, DOMINATING, LayerHealth
from engine.views.health.words import measure_named, signs_of_random_weights, verdict
from pages.ui.health import figures, measured, shift
from pages.ui.health.strips import strip
from pages.ui.look import errors, notices
from pages.ui.look.field_words import spoken
from pages.ui.look.wording import plain

_CONFIG = {"displayModeBar": False, "displaylogo": False}
# Which store's card is open: a page that is drawn again while a job begins or ends opens it again.
_OPEN = "health_open"


def button(store: EmbeddingStore, layer: int) -> None:
    """What opens the card of a store's layer."""
    shown = f"{store.folder} {layer}"
    if st.button("Health card", key="health", icon=":material/monitor_heart:", width="stretch"):
        st.session_state[_OPEN] = shown
    if st.session_state.get(_OPEN) == shown:
        _dialog(store, layer)


def _closed() -> None:
    st.session_state.pop(_OPEN, None)


@st.dialog("Health of these embeddings", width="large", on_dismiss=_closed)
def _dialog(store: EmbeddingStore, layer: int) -> None:
    with errors.in_words(stop=False):
        with st.spinner("Reading the whole store: seconds, or a minute for a million patches."):
            found = next(one for one in measured.layers(store) if one.layer == layer)
            drawn = measured.pictures_of(store, layer)
        st.markdown(
            f"**{plain(store.meta.backbone)}**, layer {layer}, {store.rows:,} rows of {found.dim} numbers"
        )
        notices.random_weights(store.meta.is_random)
        tell = st.warning if signs_of_random_weights(found) else st.info
        tell(verdict(found), icon=":material/monitor_heart:")
        left, right = st.columns(2)
        with left:
            _of_the_window(found, drawn.places)
            _one(found, "shift_sensitivity", store.meta.is_of_others)
            if not store.meta.is_of_others:
                shift.offer(store, found)
        with right:
            _of_the_numbers(store, found, drawn)
        st.caption(
            "Dots: encoders measured on the sample scene and on one of Myanmar. Green ground: what is good."
        )


def _of_the_window(found: LayerHealth, places: Any) -> None:
    """What windows, tiles and the border do."""
    _one(found, "position_share")
    if places is not None:
        _chart(
            figures.places(places), "How far the mean of each place in the window lies from the mean of all."
        )
    for name in ("seam_score", "border_share", "mean_share"):
        _one(found, name)


def _of_the_numbers(store: EmbeddingStore, found: LayerHealth, drawn: Any) -> None:
    """What the numbers of the embeddings are."""
    _one(found, "effective_rank")
    _one(found, "first_component")
    _chart(figures.spectrum(found.spectrum), "Share of the variance of each component.")
    st.markdown(f"**Channels** · {found.dead_channels} dead, {found.dominating_channels} dominating")
    _chart(figures.channels(drawn, DEAD, DOMINATING), measure_named("dead_channels").sentence(found))
    for name in ("dead_channels", "dominating_channels"):
        st.caption(measure_named(name).sentence(found))
    _one(found, "norm_spread")
    _chart(figures.lengths(drawn), measure_named("norm_median").sentence(found))
    st.caption(measure_named("norm_median").sentence(found))
    picture, (low, high) = measured.map_of_lengths(store, found.layer)
    words = f"Length of each embedding, dark {low:.3g} to light {high:.3g}"
    st.image(picture, caption=words, width="stretch", alt=words)
    _one(found, "most_following", store.meta.is_of_others)
    if found.following is not None:
        _chart(figures.following(found.following), measure_named("most_following").sentence(found))


def _one(found: LayerHealth, name: str, is_of_others: bool = False) -> None:
    """A number among those of the references, and what it means."""
    measure, value = measure_named(name), getattr(found, name)
    st.markdown(f"**{measure.title}** · {'not measured' if value is None else f'{value:.3g}'}")
    words = spoken(measure.sentence(found, is_of_others))
    if value is not None:
        _chart(strip(name, value, measure.bounds(found)), f"{measure.title} {value:.3g}. {words}")
    st.caption(plain(words))


def _chart(figure: Any, alt: str) -> None:
    st.plotly_chart(figure, config=_CONFIG, alt=alt, key=f"health_{hash(alt)}")
