"""The same ground with other backbones: one press queues an extraction for each."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.backbones import cards
from engine.jobs.configuration.config import BackboneConfig
from engine.jobs.job import submit
from pages.ui import workspace
from pages.ui.backbones import card as backbone_card
from pages.ui.compare.choice import Slot
from pages.ui.look import errors


def offer(slot: Slot) -> None:
    """Ask for backbones that take the store's bands and whose weights are here, and start their jobs."""
    names = [
        card.name
        for card in cards.CARDS.values()
        if card.name != slot.store.meta.backbone
        and not cards.missing_bands(card, slot.store.meta.bands)
        and backbone_card.is_present(card)
    ]
    with st.popover("The same with …", icon=":material/add:", key="compare_same"):
        st.caption(
            "The ground and the scenes of the first store, with other backbones; the jobs wait their turn."
        )
        chosen = st.multiselect("Backbones", names, key="compare_backbones")
        if st.button("Start extractions", key="compare_start", disabled=not chosen, type="primary"):
            with errors.in_words(stop=False):
                for name in chosen:
                    config = slot.facts.config.model_copy(update={"backbone": BackboneConfig(name=name)})
                    submit(config, workspace.folder())
                st.toast(f"{len(chosen)} extraction(s) wait their turn; Runs shows them.")


def label_both(slots: Sequence[Slot]) -> None:
    """The way to the Label page, on which one set of labels teaches a classifier on the first two stores."""
    first, second = (one.facts.job.id for one in slots[:2])
    if first != second and st.button("Label both", key="compare_label", icon=":material/label:",
                                     help="A few clicks on either map teach a classifier on both."):  # fmt: skip
        st.switch_page("pages/label.py", query_params={"job": first, "beside": second})
