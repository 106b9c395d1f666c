"""Whose components the colours are: the store's own, or those of another one of the same encoder, so that colours mean the same."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from engine.errors import EngineError
from engine.views.comparing.basis import require_basis
from engine.views.layer_view import LayerView
from pages.ui.embeddings import lens_data
from pages.ui.look import wording
from pages.ui.state import address, bound, cached, results

_OWN = "This store"


def choose(shown: LayerView, stores: Sequence[cached.JobFacts]) -> tuple[LayerView, str] | None:
    """Ask for another store; None for the own components, also where those of the other cannot be taken, with the reason.

    Returns:
        The view of the other store, and its name.
    """
    own = shown.store.folder.parent.name
    others = {
        f"{results.store_words(one)} · {one.job.id[-4:]}": one
        for one in stores
        if one.job.id != own and one.config.backbone.name == shown.store.meta.backbone
    }
    if not others:
        bound.refuse_unless_shown("components of", address.read("components_of"), _OWN)
        return None
    options = [_OWN, *others]
    address.restore("components_of", "components_of", options, _OWN)
    chosen = st.selectbox(
        "Components of", options, key="components_of",
        help="With those of another store of the same backbone, ground with the same colour looks alike to it in both.",
    )  # fmt: skip
    address.keep("components_of", "components_of")
    if chosen not in others:
        return None
    try:
        store = results.store_of(others[chosen].job)
        other = lens_data.view(store, shown.layer, shown.window, shown.position)
        require_basis(other, shown)
    except EngineError as err:
        st.warning(
            f"The components of that store cannot be taken, and this one's own are shown. {wording.told(str(err))}",
            icon=":material/warning:",
        )
        return None
    return other, str(chosen)
