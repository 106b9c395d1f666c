"""Where a number lies among those of encoders that were measured: trained ones, random weights, untrained features."""

from __future__ import annotations

from typing import Any

from engine.views.health.references import REFERENCES
from pages.ui.look.palette import EMBER, GREEN, RED, REST, theme

_ROWS = {"trained": 2.0, "features": 1.0, "random": 0.0}
_NAMES = {"trained": "trained", "features": "no encoder", "random": "random weights"}


def strip(attribute: str, value: float, good: tuple[float | None, float | None]) -> Any:
    """A dot for each reference, by its kind, and a line for the store.

    Args:
        attribute: of `Reference`.
        good: from where to where a number is good; None: no end.
    """
    import plotly.graph_objects as go

    colours = {"trained": GREEN, "features": REST[theme()], "random": RED}
    figure = go.Figure()
    for kind, row in _ROWS.items():
        own = [one for one in REFERENCES if one.kind == kind]
        figure.add_trace(
            go.Scatter(
                x=[getattr(one, attribute) for one in own], y=[row] * len(own), mode="markers", name=_NAMES[kind],
                marker={"color": colours[kind], "size": 9, "opacity": 0.8}, customdata=[one.title for one in own],
                hovertemplate="%{customdata}: %{x:.2f}<extra>" + _NAMES[kind] + "</extra>",
            )
        )  # fmt: skip
    seen = [getattr(one, attribute) for one in REFERENCES] + [value]
    low, high = min(seen), max(seen)
    margin = 0.06 * ((high - low) or 1.0)
    figure.add_vrect(
        x0=low - margin if good[0] is None else good[0], x1=high + margin if good[1] is None else good[1],
        fillcolor=GREEN, opacity=0.12, line_width=0, layer="below",
    )  # fmt: skip
    figure.add_vline(x=value, line={"color": EMBER, "width": 3})
    figure.update_xaxes(range=[low - margin, high + margin], showgrid=False, zeroline=False)
    figure.update_yaxes(
        tickvals=list(_ROWS.values()), ticktext=list(_NAMES.values()), range=[-0.6, 2.6], showgrid=False, zeroline=False
    )  # fmt: skip
    return dressed(figure, 120)


def dressed(figure: Any, height: int) -> Any:
    """A small figure without a frame, in the theme's colours."""
    figure.update_layout(
        height=height, margin={"l": 8, "r": 8, "t": 6, "b": 8}, paper_bgcolor="rgba(0,0,0,0)", showlegend=False,
        plot_bgcolor="rgba(0,0,0,0)", font={"size": 11}, bargap=0.15,
    )  # fmt: skip
    return figure
