"""The few rules of style that Streamlit's theme does not reach; colours come from the theme by `currentColor`."""

from __future__ import annotations

import html
from collections.abc import Iterable

import streamlit as st

_CSS = """
<style>
.block-container { padding-top: 2.6rem; padding-bottom: 3rem; max-width: 1500px; }
[data-testid="stSidebarUserContent"] { padding-bottom: 1.5rem; }
.es-lead { margin: -0.35rem 0 0.2rem; opacity: .72; max-width: 88ch; line-height: 1.45; }
.es-facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(6.6rem, 1fr)); gap: .1rem .9rem; margin: 0 !important; padding: 0 !important; }
.es-facts div { border-top: 1px solid color-mix(in srgb, currentColor 14%, transparent); padding: .38rem 0 .42rem; min-width: 0; }
.es-facts dt { font-size: .76rem; opacity: .68; margin: 0; }
.es-facts dd { margin: 0 !important; font-size: 1.02rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; line-height: 1.25; }
.es-facts.es-small dd { font-size: .9rem; font-weight: 500; }
.es-small-print { font-size: .78rem; opacity: .68; margin: -.3rem 0 0; }
.es-legend { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; font-size: .84rem; align-items: center; }
.es-legend span { display: inline-flex; gap: .42rem; align-items: center; }
.es-legend i { width: .8rem; height: .8rem; border-radius: 3px; display: inline-block; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
.es-legend small { opacity: .68; font-size: .8rem; }
.es-side { font-size: .84rem; line-height: 1.4; display: grid; gap: .55rem; }
.es-side b { display: block; font-weight: 600; }
.es-side small { display: block; font-size: .74rem; opacity: .66; }
.es-bar { height: 4px; border-radius: 3px; background: color-mix(in srgb, currentColor 15%, transparent); overflow: hidden; margin-top: .25rem; }
.es-bar > div { height: 100%; background: #c9501f; border-radius: 3px; }
.es-state { display: inline-flex; align-items: center; gap: .4rem; font-weight: 600; font-size: .88rem; }
.es-state i { width: .6rem; height: .6rem; border-radius: 50%; }
.es-scroll { overflow-x: auto; }
.es-table { border-collapse: collapse; width: 100%; max-width: 46rem; font-size: .92rem; font-variant-numeric: tabular-nums; }
.es-table th, .es-table td { padding: .34rem .7rem .34rem 0; text-align: right; border: 0; border-bottom: 1px solid color-mix(in srgb, currentColor 13%, transparent); white-space: nowrap; }
.es-table th:first-child { text-align: left; font-weight: 500; }
.es-table thead th { font-weight: 600; font-size: .8rem; opacity: .75; }
.es-table td:nth-child(2) { font-weight: 650; }
[class*="st-key-bounds_"] [data-testid="stNumberInputStepDown"], [class*="st-key-bounds_"] [data-testid="stNumberInputStepUp"] { display: none; }
iframe[title^="streamlit_folium"] { border-radius: 10px; border: 1px solid color-mix(in srgb, #8d857b 40%, transparent); }
@media (max-width: 640px) {
  .block-container { padding-left: .9rem; padding-right: .9rem; padding-top: 3.4rem; }
  .es-facts { grid-template-columns: repeat(2, 1fr); }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; animation-duration: .01ms !important; } }
</style>
"""
STATE_COLOURS = {
    "queued": "#a8852b", "running": "#2f7fa8", "finished": "#5c8a3a", "failed": "#c2331a", "cancelled": "#8d857b",
    "interrupted": "#a8852b",
}  # fmt: skip


def apply() -> None:
    """Put the rules on the page."""
    st.html(_CSS)


def heading(title: str, lead: str) -> None:
    """The page's title and one sentence on what it is for."""
    st.title(title, anchor=False)
    st.html(f'<p class="es-lead">{html.escape(lead)}</p>')


def facts(pairs: Iterable[tuple[str, str]], *, small: bool = False) -> None:
    """Short facts side by side: (what, value), both plain text."""
    cells = "".join(
        f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>" for name, value in pairs
    )
    st.html(f'<dl class="es-facts{" es-small" if small else ""}">{cells}</dl>')


def small(words: str) -> None:
    """A remark below numbers."""
    st.html(f'<p class="es-small-print">{html.escape(words)}</p>')


def legend(entries: Iterable[tuple[str, str]], note: str = "") -> None:
    """Colours and their meaning: (CSS colour, words)."""
    cells = "".join(
        f'<span><i style="background:{html.escape(c)}"></i>{html.escape(w)}</span>' for c, w in entries
    )
    st.html(f'<div class="es-legend">{cells}<small>{html.escape(note)}</small></div>')


def state(word: str) -> str:
    """HTML of a job's state: a dot and the word, so that colour is not the only sign."""
    return (
        f'<span class="es-state"><i style="background:{STATE_COLOURS[word]}"></i>{word.capitalize()}</span>'
    )
