"""The test places, the worst first: a click shows one on the map."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import streamlit as st

from engine.learning.judging.judgement import Judgement, Place
from engine.learning.judging.tables import of_places
from engine.learning.tasks.task import Task
from pages.ui.look import metrics, wording
from pages.ui.state import address, bound

_HIGHEST_PX = 320
# Rows that are shown without scrolling.
_SHOWN_WHOLE = 7
_ADDRESS, _WHAT = "test_place", "test place"


def choose(task: Task, judgement: Judgement, job_id: str) -> Place | None:
    """The place that a person wants to see; None: all of them."""
    head, *rows = of_places(judgement, task)
    order = [str(row[0]) for row in rows]
    key, titles = f"place_table_{job_id}", _titles(head, task)
    asked = address.read(_ADDRESS)
    chosen = asked if asked in order else None
    if asked and chosen is None:
        bound.refuse(_WHAT, asked)
    st.markdown(f"**Test places, the worst first** · {wording.count(len(order), 'place')}")
    _steps(order, chosen)
    picked = st.dataframe(
        [dict(zip(titles, (short, *row[1:]), strict=True)) for short, row in zip(_short(order), rows, strict=True)],
        hide_index=True, on_select="rerun", selection_mode="single-row", key=key, width="stretch",
        height="content" if len(rows) <= _SHOWN_WHOLE else _HIGHEST_PX, placeholder="–", column_config=_columns(titles, head),
    )  # fmt: skip
    selected = [order[index] for index in picked["selection"]["rows"] if index < len(order)]
    if selected != st.session_state.get(f"held {key}", []):
        st.session_state[f"held {key}"] = selected
        chosen = selected[0] if selected else None
        bound.settle(_WHAT)
    address.write(_ADDRESS, chosen)
    if chosen is not None:
        st.caption(
            f"On the map: {wording.plain(chosen)}, number {order.index(chosen) + 1} of {len(order)} from the worst."
        )
    return next((place for place in judgement.places if place.name == chosen), None)


def _short(names: Sequence[str]) -> list[str]:
    """Names without what all begin with, up to its last word."""
    same = list(itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False)))
    shared = names[0][: len(same)] if len(names) > 1 else ""
    cut = max(shared.rfind(mark) for mark in "_-./ ") + 1
    return [name[cut:] or name for name in names]


def _steps(order: Sequence[str], chosen: str | None) -> None:
    """Buttons from place to place."""
    at = -1 if chosen is None else order.index(chosen)
    with st.container(horizontal=True):
        if at < 0:
            st.button(
                "Open the worst place",
                key="worst_place",
                icon=":material/trending_down:",
                on_click=_go_to,
                args=(order[0],),
            )
            return
        st.button(
            "Worse",
            key="worse_place",
            icon=":material/chevron_left:",
            disabled=at == 0,
            on_click=_go_to,
            args=(order[max(at - 1, 0)],),
        )
        st.button("Better", key="better_place", icon=":material/chevron_right:", disabled=at + 1 >= len(order), on_click=_go_to,
                  args=(order[min(at + 1, len(order) - 1)],))  # fmt: skip
        st.button(
            "All places", key="all_places", icon=":material/zoom_out_map:", on_click=_go_to, args=(None,)
        )


def _go_to(place: str | None) -> None:
    bound.settle(_WHAT)
    address.write(_ADDRESS, place)


def _titles(head: Sequence[str], task: Task) -> list[str]:
    """Columns in words, each once."""
    return [_title(name, task) for name in head]


def _title(name: str, task: Task) -> str:
    known = metrics.titled(name, task)
    return known[0].upper() + known[1:]


def _columns(titles: Sequence[str], names: Sequence[str]) -> dict[str, object]:
    column = st.column_config
    found: dict[str, object] = {
        titles[0]: column.TextColumn(width="small", help="Its first tile, without what all names begin with.")
    }
    for title, name in zip(titles[1:], names[1:], strict=True):
        if name.startswith("labelled") or name == "tiles":
            found[title] = column.NumberColumn(
                format="%.1f" if name.endswith("ha") else "localized", width="small"
            )
        else:
            found[title] = column.NumberColumn(format="%.3f", width="small")
    return found
