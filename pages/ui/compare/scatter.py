"""The scatter beside the maps: two components of one store; what is selected there lights up on the maps, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import shapely
import streamlit as st
from shapely.geometry.base import BaseGeometry

from engine.store.footprints import footprints
from engine.views.comparing.comparison import Comparison
from pages.ui.compare.sight import Seen
from pages.ui.look.palette import BLUE, EMBER, SHADES, theme
from pages.ui.map.lens import Picked

KEY = "compare_scatter"
# Points that a browser draws and selects at ease; of more, the density lies below.
_MOST_POINTS = 3_000
_DENSITY_BINS = 60


def selected(found: Comparison) -> BaseGeometry | None:
    """The ground of the points that are selected in the scatter, in lon/lat."""
    state = st.session_state.get(KEY) or {}
    points = (state.get("selection") or {}).get("points") or []
    said = (_number(point) for point in points)
    numbers = sorted({one for one in said if one is not None and 0 <= one < found.ground.count})
    return _ground(found, numbers) if numbers else None


def show(found: Comparison, seen: list[Seen], picks: list[Picked | None]) -> None:
    """Ask for a store and two components, and draw them.

    Args:
        picks: what was picked on each store's map.
    """
    names = [f"{one.slot.number + 1} · {one.slot.title}" for one in seen]
    columns = st.columns((2, 1, 1))
    name = columns[0].selectbox("Scatter of", names, key="compare_scatter_store")
    number = names.index(name)
    across, down = (
        int(column.selectbox(f"Component {axis}", [1, 2, 3], index=start, key=f"compare_scatter_{axis}"))
        for column, axis, start in ((columns[1], "across", 0), (columns[2], "up", 1))
    )
    points = found.colours[number].pca.project(found.ground.embeddings[number])[:, [across - 1, down - 1]]
    kept = np.unique(np.linspace(0, len(points) - 1, min(_MOST_POINTS, len(points))).astype(int))
    figure = _figure(points, kept, (across, down))
    marks = _marks(seen[number], picks[number], (across, down))
    if len(marks):
        _add_marks(figure, marks)
    st.plotly_chart(
        figure, key=KEY, on_select="rerun", selection_mode=("points", "box", "lasso"),
        config={"displaylogo": False, "modeBarButtonsToRemove": ["toImage", "autoScale2d"]},
        alt=f"Component {down} over component {across} of {name}, {len(points)} patches.",
    )  # fmt: skip
    told = (
        f"{len(kept):,} of {len(points):,} patches are points; the ground behind them is the density of all. "
        if len(kept) < len(points)
        else ""
    )
    st.caption(
        f"{told}Select points with the box or the lasso: their ground is outlined on the maps. Patches that are picked on the "
        f"map (Similarity, a click) are marked here."
    )


def _number(point: Mapping[str, Any]) -> int | None:
    """Which shared patch a selected point is; Streamlit hands its custom data on as a list, or by place in it."""
    own = point.get("customdata")
    values = list(own.values()) if isinstance(own, Mapping) else list(own or ())
    return int(values[0]) if values else None


def _ground(found: Comparison, numbers: list[int]) -> BaseGeometry:
    """Union of the outlines of some shared patches."""
    base, shapes = found.ground.views[found.ground.coarsest], list[BaseGeometry]()
    for tile_number in np.unique(found.ground.tiles[numbers]).tolist():
        own = [found.ground.rows[one] for one in numbers if found.ground.tiles[one] == tile_number]
        shapes += list(shapely.from_wkb(footprints([base.chosen[tile_number]]).wkb()[own]))
    return shapely.union_all(shapes)


def _marks(one: Seen, picks: Picked | None, components: tuple[int, int]) -> np.ndarray:
    """(n, 2) coordinates of the patches that were picked on the store's map."""
    if picks is None or not picks.positive:
        return np.zeros((0, 2))
    return one.colours.pca.project(one.view.view.rows(picks.positive))[:, [part - 1 for part in components]]


def _figure(points: np.ndarray, kept: np.ndarray, components: tuple[int, int]) -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    if len(kept) < len(points):
        none, every = SHADES[theme()]
        counts, x_edges, y_edges = np.histogram2d(*points.T, bins=_DENSITY_BINS)
        figure.add_trace(
            go.Heatmap(
                z=np.log1p(counts.T), x=(x_edges[1:] + x_edges[:-1]) / 2, y=(y_edges[1:] + y_edges[:-1]) / 2,
                colorscale=[[0, none], [1, every]], showscale=False, hoverinfo="skip",
            )
        )  # fmt: skip
    figure.add_trace(
        go.Scattergl(
            x=points[kept, 0], y=points[kept, 1], mode="markers", customdata=kept[:, None], name="patches",
            marker={"size": 4, "color": BLUE, "opacity": 0.5}, hovertemplate="%{x:.2f}, %{y:.2f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title_text=f"Component {components[0]}", zeroline=False)
    figure.update_yaxes(title_text=f"Component {components[1]}", zeroline=False)
    figure.update_layout(
        height=420, margin={"l": 8, "r": 8, "t": 8, "b": 8}, paper_bgcolor="rgba(0,0,0,0)", dragmode="lasso",
        plot_bgcolor="rgba(0,0,0,0)", showlegend=False, uirevision="scatter",
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
