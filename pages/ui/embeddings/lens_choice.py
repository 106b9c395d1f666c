"""Which lens a person looks through: the view and its settings, all of them in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import streamlit as st

from engine.views.clusters import MOST_CLUSTERS
from engine.views.health.words import GOOD_POSITION
from pages.ui.look import glossary, style
from pages.ui.state import bound

View = Literal["Components", "Similarity", "Clusters", "Unusual", "Norm", "Change"]
VIEWS: dict[View, str] = {
    "Components": "Directions in which the embeddings differ most, as colours.",
    "Similarity": "How much each patch is like the one below the pointer. A click keeps it.",
    "Clusters": "Patches that a backbone holds for alike, as classes.",
    "Unusual": "Distance from the mean of the store, each component in its own standard deviations; the colours run from the 2nd to the 98th percentile.",
    "Norm": "Length of each embedding. A few patches far longer than all others hold no ground: a transformer keeps what it knows of the whole window there.",
    "Change": "How far the embeddings of the same patch lie apart on two dates.",
}
_USUAL_CLUSTERS = 8


@dataclass(frozen=True)
class Choice:
    """What is looked at.

    Attributes:
        components: three for red, green and blue, or one, from 0.
        is_whitened: components are stretched by their standard deviations.
        clusters: their number.
    """

    view: View
    components: tuple[int, ...] = (0, 1, 2)
    is_whitened: bool = False
    clusters: int = _USUAL_CLUSTERS


def choose(components: int) -> Choice:
    """Ask for the view and its settings.

    Args:
        components: that can be shown.
    """
    view = cast(
        View,
        st.segmented_control(
            "View", list(VIEWS), default="Components", required=True, key="lens", bind="query-params"
        )
        or "Components",
    )
    style.small(VIEWS[view])
    match view:
        case "Components":
            return _choose_components(components)
        case "Clusters":
            count = st.slider(
                "Clusters", 2, MOST_CLUSTERS, _USUAL_CLUSTERS, key="clusters", bind="query-params"
            )
            return Choice(view, clusters=int(count))
        case _:
            return Choice(view)


def _choose_components(count: int) -> Choice:
    names = {number: f"PC {number + 1}" for number in range(count)}
    first = tuple(range(min(3, count)))
    channels = ("Red", "Green", "Blue") if count > 2 else ("Component",)
    columns = st.columns(len(channels))
    chosen = [
        column.selectbox(
            channel,
            list(names),
            index=first[place],
            key=channel.lower(),
            bind="query-params",
            format_func=names.__getitem__,
            help=glossary.meaning("principal component") if place == 0 else None,
        )
        for place, (column, channel) in enumerate(zip(columns, channels, strict=True))
    ]
    is_whitened = st.toggle(
        "Whitened", key="whitened", bind="query-params",
        help=glossary.meaning("whitened", "Stretch each component over two of its standard deviations to both sides of the mean. Otherwise from its 2nd "
        "to its 98th percentile."),
    )  # fmt: skip
    components = tuple(int(one) for one in chosen if one is not None)
    if len(set(components)) == 1:
        components = components[:1]
    return Choice("Components", components, bool(is_whitened))


def date_choice(dates: Sequence[str], has_several: bool) -> str | None:
    """Which date of a store is looked at; None, and no question, where each ground has one."""
    if not has_several or len(dates) < 2:
        bound.refuse_without_choice("date", *(date[:10] or "no date" for date in dates))
        return None
    return str(
        st.selectbox(
            "Date",
            list(dates),
            index=len(dates) - 1,
            key="date",
            bind="query-params",
            format_func=lambda date: date[:10] or "no date",
        )
    )


def position_choice(share: float | None) -> Literal["keep", "remove"]:
    """Whether the mean of each place in the window is taken off; on where that place explains much."""
    if share is None:
        return "keep"
    is_removed = st.toggle(
        "Position taken off", value=share >= GOOD_POSITION, key="position_off", bind="query-params",
        help=f"{share:.0%} of the variance is where a patch lies in the window that the encoder saw. Taken "
        f"off, what remains is the ground. It is on by itself from {GOOD_POSITION:.0%}. The mean of each place is taken off: where a "
        f"grid remains over one kind of ground, such as water, position adds something else there than elsewhere.",
    )  # fmt: skip
    return "remove" if is_removed else "keep"
