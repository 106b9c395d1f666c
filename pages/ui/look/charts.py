"""Plots: learning curves, confusion, explained variance. Each has units and words for those who do not see it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from engine.jobs.events import EpochDone
from engine.learning.tasks.task import Task
from pages.ui.look import metrics
from pages.ui.look.palette import BLUE, GREEN, LINES, RED, REST, SHADES, TRAIN, VALIDATION, theme

CONFIG = {"displayModeBar": False, "displaylogo": False}
_HEIGHT = 230
_CHARTS_IN_A_ROW = 3


def curves(history: Sequence[EpochDone], task: Task, key: str) -> None:
    """The metrics that the run names over its epochs, training and validation."""
    names = list(history[-1].validation)
    for first in range(0, len(names), _CHARTS_IN_A_ROW):
        row = names[first : first + _CHARTS_IN_A_ROW]
        for column, name in zip(st.columns(_CHARTS_IN_A_ROW), row, strict=False):
            title = metrics.titled(name, task)
            alt = _curve_words(history, name, title)
            figure = _curve(history, name, f"{title} ({metrics.unit(name)})" if metrics.unit(name) else title)
            column.plotly_chart(figure, key=f"{key}_{name}", config=CONFIG, alt=alt)


def curves_over(histories: Mapping[str, Sequence[EpochDone]], name: str, title: str, key: str) -> None:
    """One metric on the validation places over the epochs of several runs, with a dot at the epoch that was kept.

    Args:
        histories: label -> epochs, at least one each.
    """
    import plotly.graph_objects as go

    figure, said = go.Figure(), []
    for (label, history), colour in zip(histories.items(), itertools.cycle(LINES[theme()]), strict=False):
        epochs, values = [item.epoch for item in history], [item.validation.get(name) for item in history]
        best = next((item for item in reversed(history) if item.is_best), history[-1])
        sizes = [8 if item.epoch == best.epoch else 0 for item in history]
        figure.add_trace(
            go.Scatter(
                x=epochs, y=values, name=label, mode="lines+markers", line={"color": colour, "width": 2}, marker={"size": sizes},
                hovertemplate="epoch %{x}: %{y:.4f}<extra>%{fullData.name}</extra>",
            )
        )  # fmt: skip
        said.append(f"{label} {best.validation.get(name, math.nan):.3f} at epoch {best.epoch}")
    unit = metrics.unit(name)
    figure.update_xaxes(title_text="Epoch")
    figure.update_yaxes(title_text=f"{title} ({unit})" if unit else title)
    dress(figure, height=_HEIGHT + 60)
    figure.update_layout(legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}, showlegend=True)
    st.plotly_chart(
        figure, key=key, config=CONFIG, alt=f"{title} on the validation places: {', '.join(said)}."
    )


def explained_variance(ratios: Sequence[float]) -> None:
    """Share of the variance that each of the three coloured components explains, and what is left."""
    import plotly.graph_objects as go

    percent = [100 * ratio for ratio in ratios]
    percent.append(max(0.0, 100 - sum(percent)))
    names = [*(_component(i) for i in range(len(ratios))), "all others"]
    colours = [*(RED, GREEN, BLUE)[: len(ratios)], REST[theme()]]
    figure = go.Figure(
        go.Bar(
            x=percent[::-1], y=names[::-1], orientation="h",
            marker_color=colours[::-1], text=[f"{value:.1f} %" for value in percent[::-1]],
            textposition="auto", hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title_text="Explained variance (%)", rangemode="tozero")
    dress(figure, height=70 + 34 * len(percent))
    words = ", ".join(f"{name} {value:.1f} percent" for name, value in zip(names, percent, strict=True))
    st.plotly_chart(figure, key="explained_variance", config=CONFIG, alt=f"Explained variance: {words}.")


def confusion(counts: Sequence[Sequence[int]], classes: Sequence[str], title: str, key: str) -> None:
    """Pixel counts, true class by predicted class, shaded by the share of the true class.

    Args:
        counts: rows are the truth, columns the prediction.
    """
    import plotly.graph_objects as go

    shares = [[100 * value / max(sum(row), 1) for value in row] for row in counts]
    text = [
        [f"{value:,}<br>{share:.1f} %" for value, share in zip(r, s, strict=True)]
        for r, s in zip(counts, shares, strict=True)
    ]
    none, every = SHADES[theme()]
    figure = go.Figure(
        go.Heatmap(
            z=shares, x=list(classes), y=list(classes), text=text, texttemplate="%{text}", showscale=False, zmin=0, zmax=100,
            colorscale=[[0, none], [1, every]], xgap=3, ygap=3, hovertemplate="true %{y}, predicted %{x}: %{z:.2f} %<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title_text="Predicted", showgrid=False)
    figure.update_yaxes(title_text="True", autorange="reversed", showgrid=False)
    dress(figure, height=260)
    figure.update_layout(title={"text": title, "font": {"size": 14}}, margin_t=34)
    st.plotly_chart(figure, key=key, config=CONFIG, alt=f"{title}. {_confusion_words(counts, classes)}")


def _curve(history: Sequence[EpochDone], stem: str, title: str) -> Any:
    import plotly.graph_objects as go

    epochs = [item.epoch for item in history]
    figure = go.Figure()
    for name, table in (("train", TRAIN), ("validation", VALIDATION)):
        values = [getattr(item, name).get(stem) for item in history]
        figure.add_trace(
            go.Scatter(
                x=epochs, y=values, name=name, mode="lines+markers" if len(epochs) < 3 else "lines",
                line={"color": table[theme()], "width": 2}, hovertemplate=f"epoch %{{x}}: %{{y:.4f}}<extra>{name}</extra>",
            )
        )  # fmt: skip
    best = [item for item in history if item.is_best]
    if best:
        figure.add_vline(x=best[-1].epoch, line={"color": REST[theme()], "width": 1, "dash": "dot"})
    figure.update_xaxes(
        title_text="Epoch", range=[0.5, max(history[-1].epochs, 2) + 0.5] if history else None
    )
    if metrics.unit(stem) == metrics.SHARE:
        figure.update_yaxes(range=[0, 1.02])
    figure.update_yaxes(title_text=title)
    dress(figure, height=_HEIGHT)
    figure.update_layout(
        uirevision=stem, legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}, showlegend=True
    )
    return figure


def dress(figure: Any, height: int) -> None:
    figure.update_layout(
        height=height, margin={"l": 8, "r": 8, "t": 8, "b": 8}, paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)", bargap=0.35, hovermode="closest", font={"size": 12},
    )  # fmt: skip


def _curve_words(history: Sequence[EpochDone], stem: str, title: str) -> str:
    if not history:
        return f"{title}: no epoch yet."
    last = history[-1]
    train, validation = last.train.get(stem, math.nan), last.validation.get(stem, math.nan)
    return f"{title} after epoch {last.epoch} of {last.epochs}: training {train:.3f}, validation {validation:.3f}."


def _confusion_words(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    return " ".join(
        f"Of {sum(row):,} pixels truly {true}, {value:,} were called {called}."
        for true, row in zip(classes, counts, strict=True)
        for called, value in zip(classes, row, strict=True)
    )


def _component(index: int) -> str:
    return f"PC {index + 1}" + ("", " · red", " · green", " · blue")[index + 1 if index < 3 else 0]
