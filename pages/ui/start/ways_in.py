"""Four ways in: map a burn scar, look at embeddings, bring my own, go on where I was."""

from __future__ import annotations

import streamlit as st

from pages.ui.bring import dialog as bring
from pages.ui.jobs import inner, jobs_panel
from pages.ui.look import errors, wording
from pages.ui.start import guide
from pages.ui.state import cached, results, session

_PAGES = {
    ("extract", True): "pages/embeddings.py", ("extract", False): "pages/extract.py",
    ("train", True): "pages/evaluate.py", ("train", False): "pages/train.py",
    ("apply", True): "pages/apply.py", ("apply", False): "pages/apply.py",
    ("leaderboard", True): "pages/leaderboard.py", ("leaderboard", False): "pages/leaderboard.py",
}  # fmt: skip


def show() -> None:
    """The ways as four cards in a row."""
    cards = st.columns(4, gap="small")
    with cards[0].container(border=True, key="way_scar", height="stretch"):
        following = guide.reached()
        is_done = following > len(guide.STEPS)
        st.markdown("**Map a burn scar**")
        st.caption(
            "Guided: six steps, a few minutes, no code." if following == 1
            else "You have done all steps; map more ground." if is_done
            else f"Guided. Next: {guide.STEPS[following - 1].title.lower()}."
        )  # fmt: skip
        _buttons_below()
        words = "Map more ground" if is_done else "Begin" if following == 1 else "Go on"
        if st.button(words, type="primary", key="go_scar", width="stretch"):
            if is_done:
                st.switch_page("pages/apply.py", query_params={})
            with errors.in_words():
                guide.enter(following)
    with cards[1].container(border=True, key="way_embeddings", height="stretch"):
        has_stores = bool(results.stores())
        st.markdown("**Look at embeddings**")
        st.caption("What backbones made of images, as colours over the map." if has_stores else "None yet: on the sample coast it takes less than a minute, with a baseline without pretraining (rcf).")  # fmt: skip
        _buttons_below()
        if st.button("Open the map" if has_stores else "Extract some", key="go_embeddings", width="stretch"):
            if has_stores:
                st.switch_page("pages/embeddings.py", query_params={})
            session.set_place(session.FIRST.key)
            st.session_state["backbone_name"] = session.LOOKING
            st.switch_page("pages/extract.py", query_params={})
    with cards[2].container(border=True, key="way_own", height="stretch"):
        st.markdown("**Bring my own**")
        st.caption(
            "Images: a GeoTIFF, a product folder (SAFE, HLS, Landsat) or labelled chips. Or embeddings that others made, such as AlphaEarth."
        )
        _buttons_below()
        if st.button("Open images", key="go_own", width="stretch"):
            st.switch_page("pages/explore.py", query_params={})
        bring.offer("go_bring", width="stretch")
    with cards[3].container(border=True, key="way_on", height="stretch"):
        _go_on()


def _buttons_below() -> None:
    """Room, so that the buttons of all cards stand on one line."""
    st.space("stretch")


def _go_on() -> None:
    """The newest job that a person started, wherever it stands; not what one of them made on the way."""
    newest = next((found for found in cached.jobs() if not inner.is_inner(found)), None)
    st.markdown("**Go on where I was**")
    st.caption(
        "Nothing has been run here yet."
        if newest is None
        else f"{wording.plain(jobs_panel.short_name(newest.job))}, {newest.state}, {wording.when(newest.submitted_at)}"
    )
    _buttons_below()
    if st.button("Go on", key="go_on", width="stretch", disabled=newest is None) and newest is not None:
        page = _PAGES.get((newest.kind, newest.state == "finished"), "pages/runs.py")
        st.switch_page(page, query_params={"job": newest.job.id})
