"""An annual product beside a dated extraction: which two stores, which labels, which head."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.jobs.configuration.annual_against_dated import annual_against_dated
from engine.jobs.configuration.config import HeadConfig, LabelsConfig
from engine.learning.splits.for_intervals import division_for_intervals
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
    own.sort(key=lambda one: not cached.has_labels(one.config.scene))  # those with labels of their own first
    left, right = st.columns(2)
    dated = _store(right, "Dated extraction", own, "lb_dated")
    others.sort(key=lambda one: not _shares(one, dated))  # those of its ground first
    annual = _store(left, "Annual product", others, "lb_annual")
    if not _is_annual(annual):
        st.caption(
            f"{wording.plain(annual.config.backbone.name)} is not known as an annual product: its year is not told beside the dates."
        )
    more = _more([*own, *others], annual, dated)
    lacks_ground = _tell_ground(annual, dated)
    labels, lacks = _labels(dated)
    heads = sorted(
        (name for name in choices_of(HeadConfig, "name") if name != "fusion"),
        key=lambda name: name != "linear",
    )
    head = st.selectbox("Head", heads, key="lb_annual_head", help=help_of(HeadConfig, "name"))
    is_there, is_simulated = (True,) * (2 + len(more)), dated.config.scene.source == "simulated"
    if lacks or lacks_ground:
        return Chosen(None, lacks or lacks_ground, is_there, is_simulated)
    annual_folder, dated_folder, *others_folders = (
        str(one.job.folder / "store") for one in (annual, dated, *more)
    )
    config = annual_against_dated(
        annual_folder, dated_folder, labels, str(head), others_folders, division_for_intervals(results.store_of(dated.job).tiles),
    )  # fmt: skip
    return Chosen(config, "", is_there, is_simulated)


def _store(
    column: st.delta_generator.DeltaGenerator, label: str, stores: Sequence[cached.JobFacts], key: str
) -> cached.JobFacts:
    by_id = {one.job.id: one for one in stores}
    words = chosen_run.labels(by_id, results.store_words)
    return by_id[str(column.selectbox(label, list(by_id), key=key, format_func=words.__getitem__))]


def _more(
    stores: Sequence[cached.JobFacts], annual: cached.JobFacts, dated: cached.JobFacts
) -> list[cached.JobFacts]:
    """Further stores that share ground with the dated one, each a row of its own."""
    by_id = {one.job.id: one for one in stores if one not in (annual, dated) and _shares(one, dated)}
    if not by_id:
        return []
    words = chosen_run.labels(by_id, results.store_words)
    names = st.multiselect("Also beside them", list(by_id), key="lb_beside", format_func=words.__getitem__)
    return [by_id[name] for name in names]


def _tell_ground(annual: cached.JobFacts, dated: cached.JobFacts) -> str:
    """Say how much ground both have; returns what lacks where they have none together."""
    shared, tiles = results.share_of_ground(dated, annual)
    product = wording.plain(annual.config.backbone.name)
    if not shared:
        return f"{product} and the dated extraction have no ground together. Bring the product for the ground of the extraction."
    st.caption(
        f"{product} has embeddings on {shared:,} of the {wording.count(tiles, 'tile')} of the dated extraction."
    )
    return ""


def _shares(one: cached.JobFacts, other: cached.JobFacts) -> bool:
    return results.share_of_ground(other, one)[0] > 0


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
