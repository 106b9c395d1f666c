"""The parts of the Backbones page: filters, table, and one card in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from engine.backbones import cards
from engine.backbones.core.spec import BackboneSpec
from engine.backbones.families import FAMILIES
from engine.errors import EngineError
from engine.jobs.configuration.config import FetchConfig
from engine.jobs.job import submit
from pages.ui import workspace
from pages.ui.backbones import card as backbone_card
from pages.ui.jobs import chosen_run, jobs_panel
from pages.ui.look import errors, style, wording
from pages.ui.map import layers
from pages.ui.state import address, cached, session

_SIZES = {
    "up to 25 M": (0, 25e6),
    "25 M to 150 M": (25e6, 150e6),
    "150 M to 1 B": (150e6, 1e9),
    "over 1 B": (1e9, 1e12),
}


def bands_at_hand() -> tuple[str, ...]:
    """Bands of the place looked at; none where its scenes are not there yet."""
    try:
        scene = session.place().scene
        return layers.common_bands(cached.scenes(scene)) if session.is_ready(scene) else ()
    except EngineError:
        return ()


def filtered(bands: Sequence[str]) -> list[BackboneSpec]:
    """The cards that pass: fit, weights, family, size, licence."""
    found = list(cards.CARDS.values())
    with st.container(horizontal=True, gap="large"):
        fits = st.toggle("Fits the place", key="b_fits", help=f"The bands of {session.place().title}.")
        here = st.toggle("Weights here", key="b_here")
    one, two, three = st.columns(3)
    families = one.multiselect("Family", sorted({spec.family for spec in found}), key="b_family", placeholder="Any family",
                               label_visibility="collapsed", format_func=lambda name: FAMILIES[name].title)  # fmt: skip
    sizes = two.multiselect(
        "Parameters", list(_SIZES), key="b_size", placeholder="Any size", label_visibility="collapsed"
    )
    licences = three.multiselect("Licence", sorted({spec.licence for spec in found}), key="b_licence", placeholder="Any licence",
                                 label_visibility="collapsed")  # fmt: skip
    return [
        spec
        for spec in found
        if (not fits or not cards.missing_bands(spec, bands))
        and (not here or backbone_card.is_present(spec))
        and (not families or spec.family in families)
        and (not licences or spec.licence in licences)
        and (not sizes or any(_SIZES[name][0] <= spec.parameters < _SIZES[name][1] for name in sizes))
    ]


def table(kept: Sequence[BackboneSpec], bands: Sequence[str], place: str) -> BackboneSpec:
    """All cards that pass, and the one picked."""
    rows = [_row(spec, bands, place) for spec in kept]
    picked = st.dataframe(
        rows, hide_index=True, on_select="rerun", selection_mode="single-row", key="backbones_table", width="stretch",
        height=min(38 + 35 * len(rows), 395),
    )  # fmt: skip
    st.caption(f"{wording.count(len(kept), 'backbone')} of {len(cards.CARDS)}.")
    if named := _named():
        return named
    chosen = [kept[index] for index in picked["selection"]["rows"] if index < len(kept)]
    return _followed(chosen[0] if chosen else None, kept)


def _followed(picked: BackboneSpec | None, kept: Sequence[BackboneSpec]) -> BackboneSpec:
    """The card picked, else that of the address, else the first; the address follows."""
    asked = address.read("backbone")
    named = next((spec for spec in kept if spec.name == asked), None)
    if asked and named is None and picked is None:
        why = "the filters hide it" if asked in cards.CARDS else "there is no such card"
        st.info(f"The link asks for {wording.plain(asked)}: {why}.", icon=":material/link_off:")
        return kept[0]
    spec = picked or named or kept[0]
    address.write("backbone", spec.name)
    return spec


def _named() -> BackboneSpec | None:
    """A backbone that no table lists, by its name; None where no name is given."""
    name = st.text_input(
        "Any other by its name", key="b_named", placeholder="timm/convnext_tiny or torchgeo/ResNet50_Weights.SENTINEL2_ALL_DECUR",
        help="timm/<model> is any model of timm, torchgeo/<weight> any weight of torchgeo (pip install -r requirements-torchgeo.txt). "
        "The first look at one takes some seconds.",
    ).strip()  # fmt: skip
    if not name:
        return None
    with errors.in_words():
        return cards.card(name)


def details(spec: BackboneSpec, bands: Sequence[str]) -> None:
    """One card in full."""
    with st.container(border=True, key="card_details"):
        backbone_card.show(spec, bands)
        _facts(spec)
        with st.container(horizontal=True):
            if st.button("Extract with it", type="primary", key="card_extract", icon=":material/arrow_forward:",
                         disabled=bool(cards.missing_bands(spec, bands))):  # fmt: skip
                st.session_state["backbone_name"] = spec.name
                st.switch_page("pages/extract.py", query_params={})
            _fetch(spec)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Citation**")
        st.code(spec.citation.strip() or "None: raw pixels.", language="latex", wrap_lines=True)
    with right:
        _conventions(spec)


def _row(spec: BackboneSpec, bands: Sequence[str], place: str) -> dict[str, Any]:
    missing = cards.missing_bands(spec, bands)
    patch_px, dimension = backbone_card.row(spec)
    return {
        "Name": spec.name, "Family": FAMILIES[spec.family].title, "Bands": "any" if spec.any_bands else str(len(spec.bands)),
        "Patch (px)": patch_px, "Dimension": dimension,
        "Parameters": wording.parameters(spec.parameters), "Trained at": f"{spec.gsd_m:g} m" if spec.gsd_m else "",
        "Weights": "here" if backbone_card.is_present(spec) else "not here",
        f"Fits {place}": f"lacks {len(missing)}" if missing else "yes", "Licence": spec.licence,
    }  # fmt: skip


def _facts(spec: BackboneSpec) -> None:
    style.facts(
        (
            ("Dates in one pass", str(spec.max_frames)), ("Reads besides pixels", ", ".join(spec.uses) or "nothing"),
            ("Pooling", ", ".join(spec.pooling)), ("Unit in training", spec.normalisation.unit),
        ),
        small=True,
    )  # fmt: skip
    words = [f"Statistics: {wording.plain(spec.normalisation.source)}."]
    if spec.weights.page:
        words.append(f"Publisher: [{wording.plain(spec.weights.page)}]({spec.weights.page}).")
    if spec.licence_url:
        words.append(f"Licence: [{wording.plain(spec.licence)}]({spec.licence_url}).")
    st.caption(" ".join(words))


def _fetch(spec: BackboneSpec) -> None:
    """A button that starts a download as a job: it goes on when the tab is closed, and can be cancelled and resumed."""
    if spec.weights.kind != "hub" or backbone_card.is_present(spec):
        return
    label = f"Fetch weights ({backbone_card.size(spec)})"
    if st.button(
        label,
        key="fetch_weights",
        icon=":material/cloud_download:",
        help=f"Licence: {wording.plain(spec.licence)}",
    ):
        with errors.in_words():
            session.set_job(submit(FetchConfig(names=(spec.name,)), workspace.folder()).id)
            st.rerun()


def downloads() -> None:
    """The download of the address, or the newest one under way, with its progress and a way to cancel it."""
    job = chosen_run.of_address("fetch")
    if job is None:
        return
    jobs_panel.panel(job)
    if job.state_of(cached.events_of(job)) == "finished":
        backbone_card.forget_presence()


def _conventions(spec: BackboneSpec) -> None:
    if not spec.conventions:
        return
    st.markdown("**Conventions**")
    for name, words in spec.conventions.items():
        choices = f" `{' | '.join(spec.settings[name])}`" if name in spec.settings else ""
        st.markdown(f"**{wording.plain(name.replace('_', ' '))}**{choices}  \n:small[{wording.plain(words)}]")
