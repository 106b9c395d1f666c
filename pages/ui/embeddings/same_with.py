"""The same ground seen by further backbones: one click queues an extraction with each of them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.backbones import cards
from engine.imagery.scene import Scene
from engine.jobs.configuration.config import BackboneConfig, ExtractConfig, TilesConfig
from engine.jobs.job import submit
from pages.ui import workspace
from pages.ui.backbones import card as backbone_card
from pages.ui.backbones import fitting
from pages.ui.jobs import cost
from pages.ui.look import errors, wording
from pages.ui.map import layers
from pages.ui.state import cached

_MOST = 6


def offer(config: ExtractConfig, scenes: Sequence[Scene]) -> None:
    """Backbones that fit the ground, what they take together, and a button; the others with the reason.

    Args:
        config: of the store that is looked at.
        scenes: that it was made from; empty where they have gone.
    """
    if not scenes:
        return
    with st.expander("The same with other backbones", icon=":material/content_copy:", key="same_with"):
        bands = layers.common_bands(scenes)
        names = [name for name in fitting.fitting(scenes, bands) if name != config.backbone.name]
        chosen = st.multiselect(
            "Backbones", names, key="same_names", max_selections=_MOST, placeholder="One or several", format_func=_label
        )  # fmt: skip
        if chosen:
            configs = [with_backbone(config, name, scenes) for name in chosen]
            with errors.in_words(stop=False):
                st.caption(_cost(configs))
                if st.button(
                    "Extract with each", type="primary", key="same_start", icon=":material/play_arrow:"
                ):
                    for one in configs:
                        submit(one, workspace.folder())
                    st.success(
                        f"{wording.count(len(configs), 'extraction')} queued: Runs shows how far they are.",
                        icon=":material/queue:",
                    )
        refused = [
            f"{name} {fitting.why_not(spec, bands)}"
            for name, spec in cards.CARDS.items()
            if fitting.why_not(spec, bands)
        ]
        if refused:
            st.caption(wording.plain(f"Not these: {'; '.join(refused)}."))


def with_backbone(config: ExtractConfig, name: str, scenes: Sequence[Scene]) -> ExtractConfig:
    """The extraction of the same ground with another backbone, whose own tile size, layers and settings it has."""
    tiles = TilesConfig(
        overlap_px=cost.usual_overlap_px(cards.card(name), scenes),
        gsd_m=config.tiles.gsd_m,
        unreadable=config.tiles.unreadable,
    )
    pooling = "mean" if config.granularity == "tile" else None
    return config.model_copy(
        update={
            "backbone": BackboneConfig(name=name, temporal=config.backbone.temporal),
            "tiles": tiles,
            "pooling": pooling,
            "batch_size": None,
        }
    )


def _label(name: str) -> str:
    spec = cards.card(name)
    return name if backbone_card.is_present(spec) else f"{name} · fetches {backbone_card.size(spec)} first"


def _cost(configs: Sequence[ExtractConfig]) -> str:
    """Disk and time of all of them together.

    Raises:
        BadInput: what one of the extractions would refuse.
    """
    estimates = [cached.estimate_of(one) for one in configs]
    megabytes = wording.megabytes(sum(one.megabytes for one in estimates))
    minutes = [one.minutes for one in estimates if one.minutes is not None]
    unknown = len(estimates) - len(minutes)
    time = f"about {wording.duration(60 * sum(minutes))}" if minutes else "a time that is not known yet"
    more = f", and {wording.count(unknown, 'run')} whose time is not known yet" if minutes and unknown else ""
    return f"Together about {megabytes} on disk and {time}{more}; they run one after the other."
