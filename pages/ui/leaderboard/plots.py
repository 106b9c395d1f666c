"""The plots of a leaderboard in the browser: rows with their intervals, and few-label curves."""

from __future__ import annotations

import itertools
import textwrap
from typing import Any

import streamlit as st

from engine.learning.leaderboard.report.words import metric_words, number, row_name
from pages.ui.look.palette import LINES, REST, theme

_CONFIG = {"displayModeBar": False, "displaylogo": False}
_NAME = 30
_DASHES = ("solid", "dash", "dot", "dashdot")


def rows(summary: dict[str, Any], key: str) -> None:
    """Mean and interval of each row, best on top, a colour a head; a line for each baseline."""
    import plotly.graph_objects as go

    metric, shown = (
        summary["metric"],
        [row for row in summary["rows"] if row[f"{summary['metric']}_mean"] is not None],
    )
    figure = go.Figure()
    names = ["<br>".join(textwrap.wrap(row_name(row), _NAME)) for row in shown]
    heads = sorted({row["head"] for row in shown})
    for head, colour in zip(heads, itertools.cycle(LINES[theme()]), strict=False):
        own = [(name, row) for name, row in zip(names, shown, strict=True) if row["head"] == head]
        means = [row[f"{metric}_mean"] for _, row in own]
        ends = [row["interval"] or (mean, mean) for (_, row), mean in zip(own, means, strict=True)]
        figure.add_trace(go.Scatter(
            x=means, y=[name for name, _ in own], name=head, mode="markers", marker={"color": colour, "size": 10},
            error_x={"type": "data", "symmetric": False, "array": [high - mean for (_, high), mean in zip(ends, means, strict=True)],
                     "arrayminus": [mean - low for (low, _), mean in zip(ends, means, strict=True)], "color": colour},
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        ))  # fmt: skip
    for one, dash in zip(summary["baselines"], itertools.cycle(_DASHES[2:]), strict=False):
        value = one[f"{metric}_mean"]
        if value is not None and names:
            figure.add_trace(go.Scatter(
                x=[value, value], y=[names[0], names[-1]], name=f"{one['backbone']} {value:.3f}", mode="lines",
                line={"color": REST[theme()], "dash": dash, "width": 2}, hoverinfo="name",
            ))  # fmt: skip
    figure.update_xaxes(title_text=f"{metric_words(summary)}, test places", zeroline=False)
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1], automargin=True)
    _dress(figure, 110 + 34 * len(names))
    told = (*shown, *summary["baselines"])
    said = ", ".join(f"{row_name(row)} {number(row[f'{metric}_mean'])}" for row in told)
    st.plotly_chart(
        figure, key=key, config=_CONFIG, alt=f"{metric_words(summary)} on the test places: {said}."
    )
    data = "Simulated data. " if summary["is_simulated"] else ""
    st.caption(f"{data}Dots are means over the seeds, lines 95 % intervals over the test places.")


def curves(summary: dict[str, Any], key: str) -> None:
    """The score over the number of training places, a colour a backbone, a dash a head."""
    import plotly.graph_objects as go

    found, figure = summary["curves"], go.Figure()
    backbones = list(dict.fromkeys(one["backbone"] for one in found))
    heads = sorted({one["head"] for one in found})
    for one in found:
        colour = LINES[theme()][backbones.index(one["backbone"]) % len(LINES[theme()])]
        points = [point for point in one["points"] if point["mean"] is not None]
        figure.add_trace(go.Scatter(
            x=[point["places"] for point in points], y=[point["mean"] for point in points], name=f"{one['backbone']} · {one['head']}",
            mode="lines+markers", line={"color": colour, "dash": _DASHES[heads.index(one["head"]) % len(_DASHES)]},
            hovertemplate="%{x} places: %{y:.3f}<extra>%{fullData.name}</extra>",
        ))  # fmt: skip
    ticks = sorted({point["places"] for one in found for point in one["points"]})
    figure.update_xaxes(
        title_text="Training places", type="log", tickvals=ticks, ticktext=[str(tick) for tick in ticks]
    )
    figure.update_yaxes(title_text=f"{metric_words(summary)}, test places")
    _dress(figure, 420)
    said = "; ".join(
        f"{one['backbone']} with {one['head']}: " + ", ".join(f"{point['places']} places {number(point['mean'])}" for point in one["points"])
        for one in found
    )  # fmt: skip
    st.plotly_chart(figure, key=key, config=_CONFIG, alt=f"Few labels. {said}.")
    shares = ", ".join(f"{100 * point['share']:g} % is {point['places']}" for point in found[0]["points"])
    st.caption(
        f"Shares of the training places: {shares}. The same places are drawn for all, and each seed draws its own; epochs are chosen on all validation places."
    )


def _dress(figure: Any, height: int) -> None:
    figure.update_layout(
        height=height, margin={"l": 8, "r": 8, "t": 8, "b": 8}, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)",
        hovermode="closest", font={"size": 12}, showlegend=True, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )  # fmt: skip
