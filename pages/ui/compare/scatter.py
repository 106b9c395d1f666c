"""The scatter beside the maps: two components or a UMAP of one store; what is selected lights up on the maps, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
import streamlit as st
from shapely.geometry.base import BaseGeometry

from engine.store.footprints import footprints
from engine.views.comparing.comparison import Comparison
from engine.views.comparing.dated_view import DatedView
from pages.ui.compare import umap_panel
from pages.ui.compare.sight import Seen
from pages.ui.look import glossary
from pages.ui.look.palette import BLUE, EMBER, SHADES, theme
from pages.ui.map.lens import Picked

KEY = "compare_scatter"
_COMPONENTS, _UMAP = "Components", "UMAP"
# Points that a browser draws and selects at ease; of more, the density lies below.
_MOST_POINTS = 3_000
_DENSITY_BINS = 60


@dataclass(frozen=True)
class Points:
    """Patches as points.

    Attributes:
        at: (n, 2).
        view: number of the view whose tiles the patches belong to.
        tiles, rows: (n,) tile among the chosen ones of that view, row in the tile.
        axes: titles across and up.
        marks: (m, 2) points of the patches that were picked on the map.
        note: what they are, for the caption.
    """

    at: np.ndarray
    view: int
    tiles: np.ndarray
    rows: np.ndarray
    axes: tuple[str, str]
    marks: np.ndarray
    note: str = ""


def selected(views: Sequence[DatedView]) -> BaseGeometry | None:
    """The ground of the points that are selected in the scatter, in lon/lat."""
    state = st.session_state.get(KEY) or {}
    points = (state.get("selection") or {}).get("points") or []
    said = {one for point in points if (one := _patch(point, views)) is not None}
    shapes = list[BaseGeometry]()
    for view, tile in sorted({(view, tile) for view, tile, _ in said}):
        own = sorted(row for one, other, row in said if (one, other) == (view, tile))
        shapes += list(shapely.from_wkb(footprints([views[view].chosen[tile]]).wkb()[own]))
    return shapely.union_all(shapes) if shapes else None


def show(found: Comparison, seen: list[Seen], picks: list[Picked | None]) -> None:
    """Ask for a store and its axes, and draw its patches.

    Args:
        picks: what was picked on each store's map.
    """
    names = [f"{one.slot.number + 1} · {one.slot.title}" for one in seen]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Scatter of", names, key="compare_scatter_store")
        axes = st.segmented_control(
            "Axes", [_COMPONENTS, _UMAP], default=_COMPONENTS, required=True, key="compare_axes", bind="query-params",
            help=glossary.meaning("UMAP"),
        )  # fmt: skip
    if not umap_panel.is_installed():
        st.caption(umap_panel.NEEDED)
    number = names.index(name)
    points = (
        _components(found, seen[number], picks[number])
        if axes != _UMAP
        else _umap(seen[number], picks[number])
    )
    if points is None:
        return
    kept = np.unique(np.linspace(0, len(points.at) - 1, min(_MOST_POINTS, len(points.at))).astype(int))
    st.plotly_chart(
        _figure(points, kept), key=KEY, on_select="rerun", selection_mode=("points", "box", "lasso"),
        config={"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "autoScale2d"]},
        alt=f"{points.axes[1]} over {points.axes[0]} of {name}, {len(points.at)} patches.",
    )  # fmt: skip
    told = (
        f"{len(kept):,} of {len(points.at):,} patches are points; the ground behind them is the density of all. "
        if len(kept) < len(points.at)
        else ""
    )
    st.caption(
        f"{points.note}{told}Select points with the box or the lasso: their ground is outlined on the maps. Patches that are "
        f"picked on the map (Similarity, a click) are marked here."
    )


def _components(found: Comparison, one: Seen, picks: Picked | None) -> Points:
    """Two of the components that the colours are made of, on the ground that all stores share."""
    with st.container(horizontal=True):
        across, up = (
            int(st.selectbox(f"Component {axis}", [1, 2, 3], index=start, key=f"compare_scatter_{axis}"))
            for axis, start in (("across", 0), ("up", 1))
        )
    ground, pca, which = found.ground, one.colours.pca, [across - 1, up - 1]
    marks = np.zeros((0, 2))
    if picks is not None and picks.positive:
        marks = pca.project(one.view.view.rows(picks.positive))[:, which]
    return Points(
        pca.project(ground.embeddings[one.slot.number])[:, which], ground.coarsest, ground.tiles, ground.rows,
        (f"Component {across}", f"Component {up}"), marks,
    )  # fmt: skip


def _umap(one: Seen, picks: Picked | None) -> Points | None:
    """The UMAP that is kept with the store; None, with a way to make it, where there is none."""
    layout, note = umap_panel.layout(one)
    if layout is None:
        return None
    marks = list[np.ndarray]()
    if picks is not None:
        marks = [mark for row in picks.positive if (mark := umap_panel.mark(one, layout, row)) is not None]
    return Points(
        layout.points, one.slot.number, layout.tiles, layout.rows, ("UMAP 1", "UMAP 2"),
        np.array(marks).reshape(-1, 2), note,
    )  # fmt: skip


def _patch(point: Mapping[str, Any], views: Sequence[DatedView]) -> tuple[int, int, int] | None:
    """View, tile and row of a selected point; None of an earlier choice of stores.

    Streamlit hands custom data on as a list, or by place in it.
    """
    own = point.get("customdata")
    values = list(own.values()) if isinstance(own, Mapping) else list(own or ())
    if len(values) != 3:
        return None
    view, tile, row = map(int, values)
    is_there = view < len(views) and tile < len(views[view].chosen) and row < views[view].chosen[tile].rows
    return (view, tile, row) if is_there else None


def _figure(points: Points, kept: np.ndarray) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    if len(kept) < len(points.at):
        none, every = SHADES[theme()]
        counts, x_edges, y_edges = np.histogram2d(*points.at.T, bins=_DENSITY_BINS)
        figure.add_trace(
            go.Heatmap(
                z=np.where(counts.T > 0, np.log1p(counts.T), np.nan), x=(x_edges[1:] + x_edges[:-1]) / 2, y=(y_edges[1:] + y_edges[:-1]) / 2,
                colorscale=[[0, none], [1, every]], showscale=False, hoverinfo="skip",
            )
        )  # fmt: skip
    which = np.column_stack([np.full(len(kept), points.view), points.tiles[kept], points.rows[kept]])
    figure.add_trace(
        go.Scattergl(
            x=points.at[kept, 0], y=points.at[kept, 1], mode="markers", customdata=which, name="patches",
            marker={"size": 4, "color": BLUE, "opacity": 0.5}, hovertemplate="%{x:.2f}, %{y:.2f}<extra></extra>",
        )
    )  # fmt: skip
    if len(points.marks):
        _add_marks(figure, points.marks)
    figure.update_xaxes(title_text=points.axes[0], zeroline=False)
    figure.update_yaxes(title_text=points.axes[1], zeroline=False)
    figure.update_layout(
        height=420, margin={"l": 8, "r": 8, "t": 8, "b": 8}, paper_bgcolor="rgba(0,0,0,0)", dragmode="lasso",
        plot_bgcolor="rgba(0,0,0,0)", showlegend=False, uirevision=f"scatter {points.axes}",
    )  # fmt: skip
    return figure


def _add_marks(figure: Any, marks: np.ndarray) -> None:
    import plotly.graph_objects as go

    figure.add_trace(
        go.Scatter(
            x=marks[:, 0], y=marks[:, 1], mode="markers", name="picked on the map", hovertemplate="picked on the map<extra></extra>",
            marker={"size": 14, "symbol": "star", "color": EMBER, "line": {"width": 1, "color": "white"}},
        )
    )  # fmt: skip
