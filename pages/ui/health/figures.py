"""The pictures of single numbers: spectrum, channels, lengths, places in the window, components and indices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.views.health.imagery import Following
from engine.views.health.pictures import LayerPictures
from pages.ui.health.strips import dressed
from pages.ui.look.palette import BLUE, EMBER, GREEN, RED, SHADES, theme

_HEIGHT = 150


def spectrum(shares: Sequence[float]) -> Any:
    """Share of the variance of each component."""
    import plotly.graph_objects as go

    numbers = list(range(1, len(shares) + 1))
    figure = go.Figure(
        go.Bar(
            x=numbers, y=[100 * share for share in shares], marker_color=BLUE,
            hovertemplate="PC %{x}: %{y:.1f} %<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title_text="Component", showgrid=False)
    figure.update_yaxes(title_text="Variance (%)")
    return dressed(figure, _HEIGHT)


def channels(found: LayerPictures, dead: float, dominating: float) -> Any:
    """Variance of each number of an embedding, and from where on it is dead or dominates."""
    import plotly.graph_objects as go

    rank = np.arange(1, len(found.channels) + 1)
    figure = go.Figure(
        go.Scatter(
            x=rank, y=np.maximum(found.channels, dead / 10), mode="lines", line={"color": BLUE, "width": 2},
            hovertemplate="%{x}: %{y:.3g} times the median<extra></extra>",
        )
    )  # fmt: skip
    figure.add_hline(y=dominating, line={"color": RED, "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text="Numbers of an embedding, widest first", showgrid=False)
    figure.update_yaxes(title_text="Variance / median", type="log", dtick=2)
    return dressed(figure, _HEIGHT)


def lengths(found: LayerPictures) -> Any:
    """How many embeddings are how long."""
    import plotly.graph_objects as go

    middles = (found.lengths[1:] + found.lengths[:-1]) / 2
    figure = go.Figure(
        go.Bar(x=middles, y=found.counts, marker_color=BLUE, hovertemplate="%{x:.3g}: %{y}<extra></extra>")
    )
    figure.update_xaxes(title_text="Length of an embedding", showgrid=False)
    figure.update_yaxes(title_text="Patches")
    return dressed(figure, _HEIGHT)


def places(found: np.ndarray) -> Any:
    """How far the mean of each place in the window lies from the mean of all."""
    import plotly.graph_objects as go

    none, every = SHADES[theme()]
    figure = go.Figure(
        go.Heatmap(
            z=found, zmin=0, zmax=max(1.0, float(found.max())), colorscale=[[0, none], [1, every]],
            hovertemplate="row %{y}, column %{x} of the window: %{z:.2f}<extra></extra>", colorbar={"thickness": 8},
        )
    )  # fmt: skip
    figure.update_xaxes(title_text="Column in the window", showgrid=False, constrain="domain")
    figure.update_yaxes(title_text="Row", autorange="reversed", showgrid=False, scaleanchor="x")
    return dressed(figure, 200)


def following(found: Following) -> Any:
    """Correlation of the first three components with each index."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for number, colour in enumerate((RED, GREEN, BLUE)):
        own = [rows[number] if number < len(rows) else float("nan") for rows in found.correlations.values()]
        figure.add_trace(
            go.Bar(
                x=list(found.correlations), y=own, name=f"PC {number + 1}", marker_color=colour,
                hovertemplate="%{x}: r = %{y:.2f}<extra>PC " + str(number + 1) + "</extra>",
            )
        )  # fmt: skip
    figure.add_hline(y=0, line={"color": EMBER, "width": 1})
    figure.update_yaxes(title_text="Correlation r", range=[-1, 1])
    return dressed(figure, _HEIGHT)
