"""The threshold in the browser: Streamlit mounts assets/page/threshold_panel.mjs, which tells the map without the server."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).resolve().parents[3] / "assets" / "page"


def threshold_panel(key: str, data: Mapping[str, Any]) -> float:
    """Draw the panel.

    Returns:
        The threshold where the person let go of the slider last, else the one that was given.
    """
    html, css, js = _parts()
    mount = st.components.v2.component("emberscope_threshold", html=html, css=css, js=js)
    answer = mount(
        key=key, data=dict(data), default={"threshold": data["threshold"]}, on_threshold_change=lambda: None
    )
    return float(getattr(answer, "threshold", None) or data["threshold"])


@functools.cache
def _parts() -> tuple[str, str, str]:
    html, css, js = (
        (_FOLDER / f"threshold_panel.{ending}").read_text(encoding="utf-8")
        for ending in ("html", "css", "mjs")
    )
    return html, css, js
