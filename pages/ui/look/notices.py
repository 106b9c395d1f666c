"""What stands below a page's heading where there is need: simulated pixels, random weights, and links that ask in vain."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from pages.ui.look import wording

_REFUSED, _PLACE = "notices of the link", "place of the notices of the link"


def simulated(is_simulated: bool) -> None:
    """Says that no satellite has seen what is shown."""
    if is_simulated:
        st.markdown(
            ":orange-badge[:material/science: SIMULATED] :gray[No satellite has seen these scenes; no such fires burned.]"
        )


def taught_on_simulated(is_taught: bool | None, is_simulated: bool) -> None:
    """Says that a decoder of simulated fires maps real ground; of simulated ground `simulated` says enough."""
    if is_taught and not is_simulated:
        st.markdown(
            ":orange-badge[:material/science: TAUGHT ON SIMULATED] :gray[This decoder learned from simulated scenes; how good "
            "it is on real ground is not known.]"
        )


def random_weights(is_random: bool) -> None:
    """Says that nothing was learned by what made these embeddings."""
    if is_random:
        st.warning(
            "**Random weights.** This backbone was never trained: its embeddings show what the architecture alone does.",
            icon=":material/casino:",
        )


def keep_refused_link(refused: Iterable[tuple[str, str]]) -> None:
    """Before a page is drawn: keep what a link asks for in vain, as (what, which), for the heading."""
    st.session_state[_REFUSED] = list(refused)
    st.session_state.pop(_PLACE, None)


def refused_link() -> None:
    """Says what the link asks for and the page does not show, and keeps the place for what the page finds out while it is drawn."""
    st.session_state[_PLACE] = st.container()
    _say(st.session_state.get(_REFUSED, []))


def refused_while_drawn(refused: Iterable[tuple[str, str]]) -> None:
    """After a page is drawn: say the rest below its heading. Drawing it anew instead would load its maps twice at once, and
    Streamlit may then miss the one word by which a map's frame says that it is ready."""
    told, now = st.session_state.get(_REFUSED, []), list(refused)
    _say([one for one in now if one not in told])
    st.session_state[_REFUSED] = now


def _say(refused: Iterable[tuple[str, str]]) -> None:
    place = st.session_state.get(_PLACE)
    for what, asked in refused if place is not None else ():
        place.info(
            f"The link asks for {what} “{wording.plain(asked)}”, which cannot be shown here. Something else is shown.",
            icon=":material/link_off:",
        )
