"""What a search found, the choice of days, what it will take, and the way to make it a place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st
from pydantic import ValidationError

from engine.errors import ConfigError
from engine.imagery.catalogues.choosing import Day, days_of
from engine.imagery.catalogues.presets import Catalogue
from engine.imagery.remote import cache
from engine.imagery.sources import SentinelHubScene
from engine.imagery.sources.stac import CHOICES, Choice, StacScene
from engine.jobs.complaints import in_words
from engine.jobs.configuration.config import BackboneConfig, ExtractConfig
from pages.ui.explore.catalogues import days as timeline
from pages.ui.jobs import config_view
from pages.ui.look import style, wording
from pages.ui.state import cached, own_places, session

_Way = Choice | Literal["picked"]
_WORDS: dict[_Way, str] = {
    "best": "Best day", "pair": "Before and after", "after": "After", "before": "Before", "monthly": "Each month",
    "mosaic": "Fill the gaps", "all": "Every day", "picked": "Days I pick",
}  # fmt: skip
_OF_A_FIRE = ("before", "after", "pair")
_WAY, _PICKED, _TIMELINE = "catalogue_choice", "catalogue_picked", "catalogue_timeline"


def scene_of(**said: object) -> StacScene:
    """A search as a source.

    Raises:
        ConfigError: what was said is none.
    """
    try:
        return StacScene.model_validate(said)
    except ValidationError as err:
        raise ConfigError(f"The search cannot be made: {in_words(err, StacScene)}.") from err


def show(asked: StacScene, catalogue: Catalogue) -> bool:
    """What was found, the choice of days, what it will take, and the way to use it.

    Returns:
        Whether a person uses it: it is the place looked at now.
    """
    with st.spinner(f"Searching {catalogue.title}", show_time=True):
        days = _days(asked.model_dump_json(), asked)
    if not days:
        st.info(
            "Nothing was seen here in these days with so little cloud. Choose more days, or allow more cloud.",
            icon=":material/search_off:",
        )
        return False
    chosen = _choose(asked, days)
    taken, notes = chosen.chosen(_of(chosen, days)) if chosen is not None else ([], [])
    timeline.draw(days, taken, chosen.fire_date if chosen else None, _TIMELINE, _pick_from_timeline)
    timeline.pictures(taken or days[:6], catalogue.collection(asked.collection).access)
    if chosen is None:
        st.caption(_MISSING[st.session_state[_WAY] == "picked"])
        return False
    for note in notes:
        st.warning(wording.told(note), icon=":material/info:")
    product = catalogue.collection(chosen.collection)
    style.facts(timeline.facts_of(chosen, taken, product))
    cache_words()
    return use(chosen, f"{product.title}, {_when(taken)}", list(product.bands.values()))


_MISSING = {
    False: "Say on which day the fire was, to take the days before and after it.",
    True: "Click days on the timeline, or pick them in the list.",
}


def use(scene: StacScene | SentinelHubScene, title: str, bands: Sequence[str]) -> bool:
    """A name, and the button that makes it the place looked at.

    Returns:
        Whether it was pressed, and the scenes were found.
    """
    title = st.text_input(
        "Name of the place", own_places.free_title(title, scene), key=f"catalogue_title_{title}",
        max_chars=own_places.LONGEST_TITLE,
    )  # fmt: skip
    backbone = session.usual_backbone(bands)
    is_used = st.button("Use it", type="primary", key="catalogue_use", icon=":material/check:")
    if is_used:
        with st.spinner("Reading the headers of its files", show_time=True):
            cached.scenes(scene)
        session.set_place(own_places.keep(title, scene, backbone))
    with st.expander("The same without the browser", icon=":material/terminal:"):
        config_view.show(
            ExtractConfig(scene=scene, backbone=BackboneConfig(name=backbone)), title, "catalogue"
        )
    return is_used


def cache_words() -> None:
    """How full the cache is."""
    held = cache.usage()
    style.small(
        f"What is read stays on this server: {wording.megabytes(held.used_bytes / 1e6)} of "
        f"{wording.megabytes(held.limit_bytes / 1e6)}, from {wording.count(held.rasters, 'file')}. It can be used without a network."
    )


@st.cache_data(show_spinner=False, max_entries=32, ttl=600)
def _days(key: str, _asked: StacScene) -> tuple[Day, ...]:
    """The days of a search; asked again after ten minutes."""
    del key
    return days_of(_asked.found(), _asked.region)


def _choose(asked: StacScene, days: Sequence[Day]) -> StacScene | None:
    """The same search with days chosen; None where the day of the fire, or the days, are not said yet."""
    way = st.segmented_control(
        "Days", list(_WORDS), default="best", required=True, key=_WAY, format_func=lambda one: _WORDS[one]
    )
    if way == "picked":
        return _picked(asked, days)
    style.small(f"{CHOICES[way][0].upper()}{CHOICES[way][1:]}.")
    fire = None
    if way in _OF_A_FIRE:
        fire = st.date_input("Day of the fire", None, asked.dates[0], asked.dates[1], key="catalogue_fire")
        if fire is None:
            return None
    return scene_of(**{**asked.model_dump(), "choose": way, "fire_date": fire})


def _picked(asked: StacScene, days: Sequence[Day]) -> StacScene | None:
    """The search of exactly the days that a person picked: one as a mosaic of its items, several as a series."""
    known = {str(one.day): one for one in days}
    st.session_state[_PICKED] = [day for day in st.session_state.get(_PICKED, ()) if day in known]
    named = st.multiselect(
        "Days", list(known), key=_PICKED, format_func=lambda day: timeline.words_of(known[day]),
        label_visibility="collapsed", placeholder="None yet",
    )  # fmt: skip
    items = [item.id for day in named for item in known[day].items]
    if not items:
        return None
    choose = "best" if len(named) == 1 else "all"
    return scene_of(**{**asked.model_dump(), "choose": choose, "fire_date": None, "items": sorted(items)})


def _pick_from_timeline() -> None:
    """Days that were clicked join those that are picked; a picked one that is clicked again leaves them."""
    clicked = {str(point["x"])[:10] for point in st.session_state[_TIMELINE].selection.points}
    if clicked:
        held = set(st.session_state.get(_PICKED, ())) if st.session_state.get(_WAY) == "picked" else set()
        st.session_state[_PICKED] = sorted(held ^ clicked)
        st.session_state[_WAY] = "picked"


def _of(chosen: StacScene, days: Sequence[Day]) -> list[Day]:
    """The days of which a search may choose."""
    if chosen.items is None:
        return list(days)
    return [one for one in days if {item.id for item in one.items} & set(chosen.items)]


def _when(taken: Sequence[Day]) -> str:
    return str(taken[0].day) if len(taken) == 1 else f"{taken[0].day} to {taken[-1].day}"
