"""An annual product beside a dated extraction: which two stores, which labels, which head."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.jobs.configuration.annual_against_dated import annual_against_dated
from engine.jobs.configuration.config import HeadConfig, LabelsConfig
from engine.store.products.known import ANNUAL_MODELS
from pages.ui.jobs import chosen_run
from pages.ui.leaderboard.choice import Chosen
from pages.ui.look import wording
from pages.ui.look.fields import choices_of, help_of
from pages.ui.state import address, bound, cached, results

_ASKED, _BACKBONES, _ANNUAL = "ask", "Backbones and heads", "Annual against dated"


def is_asked(stores: Sequence[cached.JobFacts]) -> bool:
    """Ask which comparison it is, where embeddings that others made are there; else it is the one of backbones."""
    if not any(_is_others(one) for one in stores):
        bound.refuse_unless_shown(_ASKED, address.read(_ASKED), _BACKBONES)
        return False
    options = [_BACKBONES, _ANNUAL]
    address.restore(_ASKED, "lb_ask", options, _BACKBONES)
    asked = st.segmented_control("Compare", options, key="lb_ask", required=True)
    address.keep(_ASKED, "lb_ask")
    return asked == _ANNUAL


def choose(stores: Sequence[cached.JobFacts]) -> Chosen:
    """The form."""
    st.caption(
        "One head learns from the same labels on an annual product (AlphaEarth, TESSERA) and on an extraction of one date. Both "
        "are judged on the same labelled pixels of the ground that both have, whatever their pixels and tiles."
    )
    others = sorted((one for one in stores if _is_others(one)), key=lambda one: not _is_annual(one))
    own = [one for one in stores if not _is_others(one) and one.config.granularity == "patch"]
    if not own:
        return Chosen(
            None, "Extract the same ground with a backbone first: nothing dated is here yet.", (), False
        )
    left, right = st.columns(2)
    annual = _store(left, "Annual product", others, "lb_annual")
    dated = _store(right, "Dated extraction", own, "lb_dated")
    if not _is_annual(annual):
        st.caption(
            f"{wording.plain(annual.config.backbone.name)} is not known as an annual product: its year is not told beside the dates."
        )
    labels, lacks = _labels(dated)
    heads = sorted(
        (name for name in choices_of(HeadConfig, "name") if name != "fusion"),
        key=lambda name: name != "linear",
    )
    head = st.selectbox("Head", heads, key="lb_annual_head", help=help_of(HeadConfig, "name"))
    if lacks:
        return Chosen(None, lacks, (True, True), dated.config.scene.source == "simulated")
    folders = [str(one.job.folder / "store") for one in (annual, dated)]
    config = annual_against_dated(*folders, labels, str(head))
    return Chosen(config, "", (True, True), dated.config.scene.source == "simulated")


def _store(
    column: st.delta_generator.DeltaGenerator, label: str, stores: Sequence[cached.JobFacts], key: str
) -> cached.JobFacts:
    by_id = {one.job.id: one for one in stores}
    words = chosen_run.labels(by_id, results.store_words)
    return by_id[str(column.selectbox(label, list(by_id), key=key, format_func=words.__getitem__))]


def _labels(dated: cached.JobFacts) -> tuple[str | None, str]:
    """The path of a label raster, None for the scenes' own; and what lacks."""
    if cached.has_labels(dated.config.scene):
        kinds = ("The scenes", "A raster")
        chosen = st.segmented_control("Labels from", kinds, default=kinds[0], required=True, key="lb_labels")
        if chosen == kinds[0]:
            return None, ""
    path = st.text_input(
        "Label raster (path on this machine)", key="lb_label_path", help=help_of(LabelsConfig, "path")
    )
    return path.strip(), "" if path.strip() else "Name a raster of labels: these scenes bring none."


def _is_others(one: cached.JobFacts) -> bool:
    return one.config.scene.source == "embeddings" and one.config.granularity == "patch"


def _is_annual(one: cached.JobFacts) -> bool:
    return one.config.backbone.name in ANNUAL_MODELS
