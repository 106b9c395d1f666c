"""What a link asks of widgets that Streamlit itself binds to the address: where one does not take it, the page says so.

Streamlit drops a value that a bound widget cannot take and shows the widget's default without a word (1.67,
session_state.py:_seed_widget_from_url). So what the address holds when a person comes to a page is kept, and compared
with what the widget shows once it has been drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from pages.ui.look import notices

# Every widget with bind="query-params", by its key: what the page calls it.
WIDGETS: Mapping[str, str] = {
    "blue": "blue",
    "clusters": "clusters",
    "compare_axes": "axes",
    "compare_layout": "arrangement of the maps",
    "compare_position": "position taken off",
    "compare_scores": "scores with labels",
    "compare_show": "colours",
    "component": "component",
    "date": "date",
    "distance": "distance",
    "embeddings_layer": "layer",
    "embeddings_window": "colours of",
    "green": "green",
    "lb_each": "“Is one layer enough?”",
    "lb_epochs": "epochs",
    "lb_few": "“How few labels suffice?”",
    "lb_heads": "heads",
    "lb_position": "“Does position matter?”",
    "lb_seeds": "seeds",
    "lb_travel": "“Does it travel between”",
    "lens": "view",
    "nearest_everywhere": "search in other stores",
    "position_off": "position taken off",
    "red": "red",
    "runs_inner": "runs made on the way",
    "since": "date or store to compare with",
    "smallest": "smallest polygon",
    "whitened": "whitened",
}
# A widget's value as the address writes it, where that is not the value itself.
_WORDS: Mapping[str, Callable[[Any], str]] = {
    **dict.fromkeys(("red", "green", "blue", "component"), lambda value: f"PC {value + 1}"),
    "date": lambda value: str(value)[:10] or "no date",
    "embeddings_window": lambda value: "Single patches" if value == 1 else f"{value} × {value} patches",
}
_PAGE, _ASKED, _REFUSED, _TOLD = "bound page", "bound asked", "bound refused", "bound told"


def come_to(page: str) -> None:
    """Before a page is drawn: on a person's first look at it, keep what the address asks of its widgets."""
    if st.session_state.get(_PAGE) != page:
        st.session_state[_PAGE] = page
        st.session_state[_REFUSED], st.session_state[_TOLD] = {}, {}
        st.session_state[_ASKED] = {
            name: tuple(st.query_params.get_all(name)) for name in WIDGETS if name in st.query_params
        }
    refused: dict[str, tuple[str, Any]] = st.session_state[_REFUSED]
    for name in [name for name, (_, shown) in refused.items() if st.session_state.get(name, shown) != shown]:
        del refused[name]  # the person has chosen for themselves
    notices.keep_refused_link(_all_refused())


def compare_with_widgets() -> None:
    """After a page is drawn: say what its widgets show otherwise than the address asked, and what the page refused meanwhile."""
    asked: dict[str, tuple[str, ...]] = st.session_state[_ASKED]
    for name in [one for one in asked if one in st.session_state]:
        wanted, shown = asked.pop(name), st.session_state[name]
        if not _is_shown(name, wanted, shown):
            st.session_state[_REFUSED][name] = (", ".join(wanted), shown)
    notices.refused_while_drawn(_all_refused())


def refuse(what: str, asked: str) -> None:
    """Say below the heading that a link asks for what is not here, until the person turns to another page or `settle` is called."""
    st.session_state.setdefault(_TOLD, {}).setdefault(what, asked)


def settle(what: str) -> None:
    """The person has chosen for themselves."""
    st.session_state.get(_TOLD, {}).pop(what, None)


def refuse_unless_shown(what: str, asked: str | None, *shown: str) -> None:
    """Where a page draws no widget, because there is but one choice: say so if the address asks for another."""
    if asked and asked not in shown:
        refuse(what, asked)


def refuse_without_choice(name: str, *shown: str) -> None:
    """The same for a widget that Streamlit binds to the address."""
    for asked in st.session_state.get(_ASKED, {}).pop(name, ()):
        refuse_unless_shown(WIDGETS[name], asked, *shown)


def _all_refused() -> list[tuple[str, str]]:
    widgets = [(WIDGETS[name], asked) for name, (asked, _) in st.session_state[_REFUSED].items()]
    return [*st.session_state[_TOLD].items(), *widgets]


def _is_shown(name: str, asked: tuple[str, ...], shown: Any) -> bool:
    if isinstance(shown, list | tuple | set):
        return {str(one) for one in shown} == set(asked)
    wanted = asked[-1]
    if isinstance(shown, bool):
        return wanted.lower() == str(shown).lower()
    if isinstance(shown, float | int) and name not in _WORDS:
        return _number(wanted) == float(shown)
    return wanted in (str(shown), _WORDS.get(name, str)(shown))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
