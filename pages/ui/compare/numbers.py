"""The numbers of the Compare page: likeness of every pair, what aligned colours are worth, scores with labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from engine.views.comparing.comparison import Comparison
from pages.ui.look import glossary, style
from pages.ui.look.palette import SHADES, theme
from pages.ui.look.wording import plain, told

_CONFIG = {"displayModeBar": False, "displaylogo": False}


def likeness(found: Comparison, names: Sequence[str]) -> None:
    """Linear CKA and neighbour overlap of every pair as heat maps."""
    chance = found.pairs[0].overlap
    left, right = st.columns(2)
    with left:
        st.markdown(
            "**Linear CKA** · 1: the same up to rotation and scale, 0: unrelated",
            help=glossary.meaning("CKA"),
        )
        _heat(found.table("cka"), names, "cka", "Linear CKA")
    with right:
        st.markdown(
            f"**Neighbour overlap** · of the {chance.neighbours} nearest patches of each patch, the share that both name; "
            f"{chance.by_chance:.1%} by chance"
        )
        _heat(found.table("overlap"), names, "overlap", "Neighbour overlap")
    for note in found.ground.notes:
        st.caption(told(note))


def correlations(found: Comparison, names: Sequence[str]) -> None:
    """How much the aligned colours of each store mean the same as those of the first."""
    rows = [
        (name, [f"{value:.2f}" for value in colours.correlations])
        for name, colours in zip(names[1:], found.colours[1:], strict=True)
    ]
    style.table(("Correlation with the first", "red", "green", "blue"), rows)


def scores(found: dict[str, Any], names: Sequence[str]) -> None:
    """Linear probe and nearest neighbours, each with its interval."""
    words = {"linear": "Linear probe", "knn": "k nearest neighbours"}
    rows = [
        (name, [_interval(of_views[number]) for of_views in found["by_method"].values()])
        for number, name in enumerate(names)
    ]
    style.table(("Mean IoU", *(words[method] for method in found["by_method"])), rows)
    counts = ", ".join(f"{title} {count:,}" for title, count in found["patches"].items())
    st.caption(
        f"On {found['places']} places that were held out in turn; labels: {plain(found['source'])} ({plain(counts)} patches). "
        f"95 % intervals by drawing places."
    )


def _interval(score: dict[str, float | None]) -> str:
    if score["low"] is None:
        return f"{score['mean_iou']:.3f}"
    return f"{score['mean_iou']:.3f} ({score['low']:.3f} to {score['high']:.3f})"


def _heat(values: Any, names: Sequence[str], key: str, title: str) -> None:
    import plotly.graph_objects as go

    none, every = SHADES[theme()]
    short = [f"{number}" for number in range(1, len(names) + 1)]
    text = [[f"{value:.2f}" for value in row] for row in values]
    figure = go.Figure(
        go.Heatmap(
            z=values, x=short, y=short, text=text, texttemplate="%{text}", showscale=False, zmin=0, zmax=1, xgap=3, ygap=3,
            colorscale=[[0, none], [1, every]], customdata=[[f"{one} and {other}" for other in names] for one in names],
            hovertemplate="%{customdata}: %{z:.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    figure.update_layout(
        height=90 + 44 * len(names), margin={"l": 8, "r": 8, "t": 8, "b": 8}, paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    said = "; ".join(
        f"{names[one]} and {names[other]} {values[one][other]:.2f}"
        for one in range(len(names)) for other in range(one + 1, len(names))
    )  # fmt: skip
    st.plotly_chart(figure, key=f"compare_{key}", config=_CONFIG, alt=f"{title}: {said}.")
