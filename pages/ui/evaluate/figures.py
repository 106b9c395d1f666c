"""The drawings of a test: curves, reliability, bars by kind of pixel, density of predicted against true numbers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from engine.learning.judging.curves import PrecisionRecall, Reliability
from engine.learning.judging.numbers import Scatter
from engine.learning.judging.strata import Stratum
from engine.learning.tasks.task import Task
from engine.views.maps.probability_map import STEPS
from pages.ui.look import charts, metrics
from pages.ui.look.palette import LINES, REST, SHADES, theme

_HEIGHT = 320
_LEGEND = {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}


def precision_recall(curves: Mapping[str, PrecisionRecall], threshold: float | None) -> None:
    """A curve for each class, with a mark where validation has set the threshold, and one at one half."""
    import plotly.graph_objects as go

    figure, said = go.Figure(), []
    for (title, found), colour in _coloured(curves):
        figure.add_trace(
            go.Scatter(
                x=found.recall, y=found.precision, name=title, mode="lines", line={"color": colour, "width": 2}, customdata=found.threshold,
                hovertemplate="above %{customdata:.3f}: recall %{x:.3f}, precision %{y:.3f}<extra>%{fullData.name}</extra>",
            )
        )  # fmt: skip
        said.append(f"{title}: average precision {found.average_precision:.3f}")
        if threshold is not None:
            for words, value, symbol in (
                (f"{threshold:g}, chosen on validation", threshold, "diamond"),
                ("0.5", 0.5, "circle-open"),
            ):
                at = round(value * STEPS)
                figure.add_trace(
                    go.Scatter(x=[found.recall[at]], y=[found.precision[at]], name=words, mode="markers",
                               marker={"size": 11, "symbol": symbol, "color": colour, "line": {"width": 2, "color": colour}})
                )  # fmt: skip
                said.append(f"at {words}: recall {found.recall[at]:.3f}, precision {found.precision[at]:.3f}")
    figure.update_xaxes(title_text="Recall (0 to 1)", range=[0, 1.02])
    figure.update_yaxes(title_text="Precision (0 to 1)", range=[0, 1.02])
    _draw(figure, "precision_recall", "; ".join(said))


def reliability(plots: Mapping[str, Reliability]) -> None:
    """How often the class is there against its mean probability, beside the line of perfect probabilities."""
    import plotly.graph_objects as go

    figure, said = go.Figure(), []
    figure.add_trace(_diagonal(0, 1, "as often as said"))
    for (title, found), colour in _coloured(plots):
        total = max(int(found.labels.sum()), 1)
        figure.add_trace(
            go.Scatter(
                x=found.probability, y=found.share, name=title, mode="lines+markers", line={"color": colour, "width": 2},
                marker={"size": 6 + 14 * np.sqrt(found.labels / total)}, customdata=found.labels,
                hovertemplate="said %{x:.3f}, is so %{y:.3f} of %{customdata:,} labels<extra>%{fullData.name}</extra>",
            )
        )  # fmt: skip
        said.append(f"{title}: expected calibration error {found.error:.3f}")
    figure.update_xaxes(title_text="Mean probability (0 to 1)", range=[0, 1.02])
    figure.update_yaxes(title_text="Share that is so (0 to 1)", range=[0, 1.02])
    _draw(figure, "reliability", "; ".join(said))


def strata(bars: Mapping[str, Sequence[Stratum]], across: str, up: str) -> None:
    """Share that is wrong by kind of pixel; how many there are stands beside the pointer and below each bar."""
    import plotly.graph_objects as go

    figure, said = go.Figure(), []
    order = list(
        dict.fromkeys(one.title for own in bars.values() for one in sorted(own, key=lambda one: one.low or 0))
    )
    for (name, own), colour in _coloured({name: own for name, own in bars.items() if own}):
        figure.add_trace(
            go.Bar(
                x=[one.title for one in own], y=[100 * one.wrong for one in own], name=name, marker_color=colour,
                customdata=[one.pixels for one in own], text=[f"{100 * one.wrong:.0f}" for one in own],
                hovertemplate="%{x}: %{y:.1f} % of %{customdata:,} pixels<extra>%{fullData.name}</extra>",
            )
        )  # fmt: skip
        said += [
            f"{name}, {one.title}: {100 * one.wrong:.1f} percent of {one.pixels:,} pixels" for one in own
        ]
    figure.update_xaxes(title_text=across, categoryorder="array", categoryarray=order)
    figure.update_yaxes(title_text=up, rangemode="tozero")
    _draw(figure, "strata", "; ".join(said))


def areas(points: Sequence[tuple[str, float, float]], task: Task) -> None:
    """The watched score of each place against the labelled area."""
    import plotly.graph_objects as go

    title = metrics.titled(task.watch, task)
    names, hectares, scores = zip(*points, strict=True) if points else ((), (), ())
    figure = go.Figure(
        go.Scatter(
            x=hectares, y=scores, mode="markers", marker={"size": 9, "color": LINES[theme()][0], "opacity": 0.8}, customdata=names,
            hovertemplate="%{customdata}: %{x:.1f} ha, %{y:.3f}<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title_text=f"Labelled {task.classes[1].title} area (ha)", type="log")
    figure.update_yaxes(title_text=f"{title} (0 to 1)", range=[0, 1.02])
    _draw(figure, "areas", f"{title} of {len(points)} places against their area", has_legend=False)


def scatter(found: Scatter, quantity: str) -> None:
    """How many pixels lie where, on a logarithmic scale of colours."""
    import plotly.graph_objects as go

    counts = np.where(found.counts > 0, np.log10(np.maximum(found.counts, 1)), np.nan)
    middles = (found.edges[1:] + found.edges[:-1]) / 2
    most = int(np.ceil(np.nanmax(counts))) if found.counts.any() else 1
    figure = go.Figure(
        go.Heatmap(
            x=middles, y=middles, z=counts.T, customdata=found.counts.T, colorscale=[[0, SHADES[theme()][0]], [0.15, "#f0c9a8"], [1, SHADES[theme()][1]]],
            zmin=0, colorbar={"title": {"text": "pixels"}, "tickvals": list(range(most + 1)), "ticktext": [f"{10**power:,}" for power in range(most + 1)], "thickness": 12},
            hovertemplate="true %{x:.3g}, predicted %{y:.3g}: %{customdata:,} pixels<extra></extra>",
        )
    )  # fmt: skip
    figure.add_trace(_diagonal(found.edges[0], found.edges[-1], "the same"))
    figure.update_xaxes(title_text=f"True {quantity}")
    figure.update_yaxes(title_text=f"Predicted {quantity}")
    _draw(
        figure,
        "scatter",
        f"Density of {int(found.counts.sum()):,} pixels, predicted against true {quantity}",
        has_legend=False,
    )


def residuals(found: Scatter, quantity: str) -> None:
    """How the errors are spread."""
    import plotly.graph_objects as go

    middles = (found.error_edges[1:] + found.error_edges[:-1]) / 2
    share = 100 * found.error_counts / max(int(found.error_counts.sum()), 1)
    figure = go.Figure(
        go.Bar(
            x=middles, y=share, marker_color=LINES[theme()][1], customdata=found.error_counts,
            hovertemplate="%{x:.3g}: %{y:.2f} %, %{customdata:,} pixels<extra></extra>",
        )
    )  # fmt: skip
    figure.add_vline(x=0, line={"color": REST[theme()], "width": 1, "dash": "dot"})
    figure.update_xaxes(title_text=f"Predicted minus true {quantity}")
    figure.update_yaxes(title_text="Pixels (%)")
    _draw(figure, "residuals", f"Errors of {int(found.error_counts.sum()):,} pixels", has_legend=False)


def _coloured(drawn: Mapping[str, Any]) -> Any:
    return zip(drawn.items(), itertools.cycle(LINES[theme()]), strict=False)


def _diagonal(low: float, high: float, name: str) -> Any:
    import plotly.graph_objects as go

    return go.Scatter(
        x=[low, high], y=[low, high], name=name, mode="lines", line={"color": REST[theme()], "width": 1, "dash": "dot"}, hoverinfo="skip",
    )  # fmt: skip


def _draw(figure: Any, key: str, alt: str, has_legend: bool = True) -> None:
    charts.dress(figure, _HEIGHT)
    figure.update_layout(showlegend=has_legend, legend=_LEGEND)
    st.plotly_chart(figure, key=f"test_{key}", config=charts.CONFIG, alt=f"{alt}.")
