"""The health card as a dialog: a verdict, then each number with a picture and a sentence that says what is good."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.store.store import EmbeddingStore
from engine.views.health.card import DEAD, DOMINATING, LayerHealth
from engine.views.health.words import (
    GOOD_BORDER,
    GOOD_POSITION,
    GOOD_RANK,
    GOOD_SEAM,
    MOST_FOLLOWING,
    MOST_SHIFT,
    RANDOM_MEAN,
    sentences,
    signs_of_random_weights,
    verdict,
)
from pages.ui.health import figures, measured
from pages.ui.health.strips import strip
from pages.ui.look import errors, notices
from pages.ui.look.wording import plain

_CONFIG = {"displayModeBar": False, "displaylogo": False}


def button(store: EmbeddingStore, layer: int) -> None:
    """What opens the card of a store's layer."""
    if st.button("Health card", key="health", icon=":material/monitor_heart:", width="stretch"):
        _dialog(store, layer)


@st.dialog("Health of these embeddings", width="large")
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
            _of_the_window(found, drawn.places, sentences(found))
            _one("Shift by one pixel", found.shift_sensitivity, sentences(found)["shift_sensitivity"],
                 "shift_sensitivity", (None, MOST_SHIFT))  # fmt: skip
            if found.shift_sensitivity is None:
                st.code(f"python -m engine health {store.folder} --shift", language="bash", wrap_lines=True)
        with right:
            _of_the_numbers(store, found, drawn, sentences(found))
        st.caption(
            "Dots: encoders measured on the sample scene and on one of Myanmar. Green ground: what is good."
        )


def _of_the_window(found: LayerHealth, places: Any, words: dict[str, str]) -> None:
    """What windows, tiles and the border do."""
    _one(
        "Position share",
        found.position_share,
        words["position_share"],
        "position_share",
        (None, GOOD_POSITION),
    )
    if places is not None:
        _chart(
            figures.places(places), "How far the mean of each place in the window lies from the mean of all."
        )
    _one("Seam score", found.seam_score, words["seam_score"], "seam_score", (None, GOOD_SEAM))
    _one("Border share", found.border_share, words["border_share"], "border_share", (None, GOOD_BORDER))
    _one("In common", found.mean_share, words["mean_share"], "mean_share", (None, RANDOM_MEAN))


def _of_the_numbers(store: EmbeddingStore, found: LayerHealth, drawn: Any, words: dict[str, str]) -> None:
    """What the numbers of the embeddings are."""
    _one("Effective rank", found.effective_rank, words["effective_rank"], "effective_rank",
         (min(GOOD_RANK, found.dim / 2), None))  # fmt: skip
    st.caption(words["spectrum"])
    _chart(figures.spectrum(found.spectrum), words["spectrum"])
    st.markdown(f"**Channels** · {found.dead_channels} dead, {found.dominating_channels} dominating")
    _chart(figures.channels(drawn, DEAD, DOMINATING), words["dead_channels"])
    st.caption(f"{words['dead_channels']} {words['dominating_channels']}")
    _one("Spread of lengths", found.norm_spread, words["norm_spread"], "norm_spread", (1.1, 3.1))
    _chart(figures.lengths(drawn), words["norm_median"])
    picture, (low, high) = measured.map_of_lengths(store, found.layer)
    st.image(
        picture, caption=f"Length of each embedding, dark {low:.3g} to light {high:.3g}", width="stretch"
    )
    if found.following is None:
        st.markdown("**Brightness, NDVI, NBR**")
    else:
        most = max(found.following.shares.values())
        _one("Most that one index explains", most, "", "most_following", (None, MOST_FOLLOWING))
        _chart(figures.following(found.following), words["following"])
    st.caption(words["following"])


def _one(
    title: str, value: float | None, words: str, attribute: str, good: tuple[float | None, float | None]
) -> None:
    """A number among those of the references, and what it means."""
    st.markdown(f"**{title}** · {'not measured' if value is None else f'{value:.3g}'}")
    if value is not None:
        _chart(strip(attribute, value, good), f"{title} {value:.3g}. {words}")
    if words:
        st.caption(words)


def _chart(figure: Any, alt: str) -> None:
    st.plotly_chart(figure, config=_CONFIG, alt=alt, key=f"health_{hash(alt)}")
